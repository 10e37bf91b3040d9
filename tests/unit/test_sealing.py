"""Secrets sealed for the database: by keys of the setting or of a file, and from key to key."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from backend.errors import ConfigError
from backend.sealing import PREFIX, Seal, read_keys, seal_for

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "whsec_c2VjcmV0"
OLD, NEW = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def test_a_key_is_made_once_beside_the_database_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'relay.db'}"
    with ThreadPoolExecutor(8) as pool:  # processes that start together
        sealed = list(pool.map(lambda _: seal_for("", url).close(SECRET), range(8)))

    assert {seal_for("", url).open(one) for one in sealed} == {SECRET}
    assert all(one.startswith(PREFIX) and "whsec" not in one for one in sealed)
    (file,) = tmp_path.iterdir()
    assert file.name == "relay.db.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_new_key_takes_the_place_of_an_old_one() -> None:
    kept = Seal([OLD]).close(SECRET)
    both = Seal([NEW, OLD])
    renewed = both.renewed(kept)

    assert both.open(kept) == SECRET
    assert Seal([NEW]).open(renewed) == SECRET
    assert both.renewed(renewed) == renewed
    assert Seal([NEW]).renewed(kept) == kept, "what it cannot open it leaves alone"


def test_what_was_kept_in_clear_stays_usable_and_is_sealed_when_it_is_renewed() -> None:
    assert Seal().close(SECRET) == SECRET
    assert Seal().renewed(SECRET) == SECRET
    assert Seal([NEW]).open(SECRET) == SECRET
    assert Seal([NEW]).renewed(SECRET).startswith(PREFIX)
    assert Seal([NEW]).renewed("") == ""


def test_a_key_that_is_lost_or_none_is_told_in_one_sentence(tmp_path: Path) -> None:
    kept = Seal([OLD]).close(SECRET)
    with pytest.raises(ConfigError, match=r"relay\.db\.key, or rotate the secret$"):
        seal_for("", f"sqlite:///{tmp_path / 'relay.db'}").open(kept)
    with pytest.raises(ConfigError, match="back to RELAY_SECRETS_KEY"):
        seal_for(NEW, "postgresql+psycopg://there/x").open(kept)
    with pytest.raises(ConfigError, match="no key can be written"):
        seal_for("", f"sqlite:///{tmp_path / 'none' / 'relay.db'}").close(SECRET)
    with pytest.raises(ConfigError, match=r"^RELAY_SECRETS_KEY: a key is 32 bytes"):
        seal_for(f"{NEW},secret", "sqlite:///x")
    assert not seal_for("", "postgresql+psycopg://there/x").seals
    assert read_keys(f" {NEW},\n{OLD}\n", "x") == [NEW, OLD]
