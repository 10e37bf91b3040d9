"""Both blob stores keep one contract: S3 (over HTTP) and a local folder."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from backend.aws.s3 import S3Blobs
from backend.errors import InvalidInputError, NotFoundError, ServiceUnavailableError
from backend.store.blobs import FolderBlobs

if TYPE_CHECKING:
    from pathlib import Path

    from backend.ports import BlobStore
    from tests.integration.aws.reading import Reader

KEYS = ["plain", "inbound/2026/11/abc", "with space+plus=and.dots", "ümlaut/ключ"]


@pytest.fixture(params=["s3", "folder"])
def blobs(request: pytest.FixtureRequest, world: Reader, tmp_path: Path) -> BlobStore:
    if request.param == "s3":
        return S3Blobs(world.clients, world.at.inbound_bucket)
    return FolderBlobs(tmp_path / "deep" / "mail")


@pytest.mark.parametrize("key", KEYS)
async def test_what_was_put_is_got(blobs: BlobStore, key: str) -> None:
    data = bytes(range(256)) * 64
    await blobs.put(key, data)

    assert await blobs.get(key) == data


async def test_a_second_put_replaces_the_first(blobs: BlobStore) -> None:
    await blobs.put("twice", b"one, and longer")
    await blobs.put("twice", b"two")

    assert await blobs.get("twice") == b"two"


async def test_an_empty_object_is_an_object(blobs: BlobStore) -> None:
    await blobs.put("empty", b"")

    assert await blobs.get("empty") == b""


async def test_a_large_object_survives_the_way(blobs: BlobStore) -> None:
    data = os.urandom(9_000_000)
    await blobs.put("large", data)

    assert await blobs.get("large") == data


async def test_what_is_not_there_is_not_found(blobs: BlobStore) -> None:
    with pytest.raises(NotFoundError):
        await blobs.get("inbound/never")


def names_below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


HOSTILE = ["", "/etc/passwd", "../up", "a/../../b", "a//b", "a/./b", "a\\b", "a\x00b", "a\nb"]


@pytest.mark.parametrize("key", [*HOSTILE, "x" * 300, "trailing/", ".tmp-x"])
async def test_a_hostile_key_never_reaches_the_file_system(tmp_path: Path, key: str) -> None:
    blobs = FolderBlobs(tmp_path / "mail")
    with pytest.raises(InvalidInputError, match="blob key"):
        await blobs.put(key, b"x")
    with pytest.raises(InvalidInputError, match="blob key"):
        await blobs.get(key)

    assert names_below(tmp_path) == []


async def test_a_symbolic_link_does_not_lead_out(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "mail" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(InvalidInputError, match="leads out"):
        await FolderBlobs(tmp_path / "mail").get("link")

    assert (tmp_path / "secret").read_bytes() == b"secret"


async def test_files_and_folders_are_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        await FolderBlobs(tmp_path / "mail").put("in/one", b"x")
    finally:
        os.umask(before)

    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "mail").rglob("*")
    }
    assert modes == {"in": 0o700, "one": 0o600}
    assert stat.S_IMODE((tmp_path / "mail").stat().st_mode) == 0o700


async def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "mail")
    await blobs.put("in/one", b"x")
    with pytest.raises(ServiceUnavailableError, match="cannot be written"):
        await blobs.put("in", b"a folder has this name")

    assert names_below(tmp_path / "mail") == ["in", "one"]
