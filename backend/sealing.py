"""Secrets that must be had in clear again, sealed for the database: Fernet (AES-128-CBC, HMAC).

The key is RELAY_SECRETS_KEY, or else a file beside the SQLite database, made when first needed.
Several keys, the newest first, let one take the place of another: the newest seals, all open.
Without either, as on PostgreSQL without the setting, secrets are kept as they are.
"""

from __future__ import annotations

import base64
import binascii
import os
import tempfile
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken

from backend.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFIX = "sealed:"
KEY_BYTES = 32


class Seal:
    """Closes and opens secrets with ``keys``, or with the key in ``file``."""

    def __init__(self, keys: Sequence[str] = (), file: Path | None = None) -> None:
        self._keys = tuple(keys)
        self._file = file

    @property
    def seals(self) -> bool:
        """Tell whether there is a key, or a file that one can be put into."""
        return bool(self._keys) or self._file is not None

    def close(self, secret: str) -> str:
        """Give a secret as it is kept; raises ConfigError when no key can be written."""
        if not self.seals:
            return secret
        return PREFIX + Fernet(self._newest).encrypt(secret.encode()).decode()

    def open(self, kept: str) -> str:
        """Give the secret that was kept; raises ConfigError when no key of ours opens it."""
        if not kept.startswith(PREFIX):
            return kept
        for key in self._keys or self._filed():
            with suppress(InvalidToken):
                return Fernet(key).decrypt(kept.removeprefix(PREFIX)).decode()
        where = f"the file {self._file}" if self._file and not self._keys else "RELAY_SECRETS_KEY"
        raise ConfigError(
            f"a signing secret cannot be opened: bring the key it was sealed with back to {where},"
            " or rotate the secret"
        )

    def renewed(self, kept: str) -> str:
        """Give it under the newest key; what is so already, or cannot be opened, stays."""
        if not kept or not self.seals:
            return kept
        with suppress(InvalidToken):
            Fernet(self._newest).decrypt(kept.removeprefix(PREFIX))
            return kept
        try:
            return self.close(self.open(kept))
        except ConfigError:
            return kept

    @cached_property
    def _newest(self) -> str:
        return self._keys[0] if self._keys else (self._filed() or [self._made()])[0]

    def _filed(self) -> list[str]:
        """Read the keys of the file, none when it is not there."""
        if self._file is None:
            return []
        try:
            return read_keys(self._file.read_text("ascii"), str(self._file))
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self._file}: cannot be read: {error}") from None

    def _made(self) -> str:
        """Write a new key, durable before anything is sealed with it; or read who was faster."""
        assert self._file is not None  # noqa: S101  # seals says so
        key = base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()
        try:
            handle, partial = tempfile.mkstemp(prefix=self._file.name, dir=self._file.parent)
            try:
                with os.fdopen(handle, "w") as file:
                    file.write(key + "\n")
                    file.flush()
                    os.fsync(file.fileno())
                with suppress(FileExistsError):
                    os.link(partial, self._file)
            finally:
                Path(partial).unlink()
            _sync(self._file.parent)
        except OSError as error:
            raise ConfigError(f"{self._file}: no key can be written: {error.strerror}") from None
        return self._filed()[0]


def read_keys(text: str, place: str) -> list[str]:
    """Read keys apart by commas or lines, the newest first; raises ConfigError naming ``place``."""
    keys = text.replace(",", " ").split()
    for key in keys:
        try:
            right = len(base64.b64decode(key, b"-_", validate=True)) == KEY_BYTES
        except (binascii.Error, ValueError):
            right = False
        if not right:
            raise ConfigError(
                f"{place}: a key is {KEY_BYTES} bytes in URL-safe base64; make one with"
                " `openssl rand -base64 32 | tr +/ -_`"
            )
    return keys


def seal_for(keys: str, database_url: str) -> Seal:
    """Give the seal of a database; raises ConfigError for keys that are none."""
    path = database_url.removeprefix("sqlite:///")
    file = Path(f"{path}.key") if path != database_url and path else None
    return Seal(read_keys(keys, "RELAY_SECRETS_KEY"), file)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
