"""Raw messages in a local folder: one file an object, written whole or not at all.

A key may hold slashes; it never leads out of the folder. Files are 0600, folders 0700.
"""

from __future__ import annotations

import asyncio
import os
import stat
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError, NotFoundError, ServiceUnavailableError
from backend.ports import Stored

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

_LONGEST_NAME = 200  # most file systems stop at 255 bytes; the temporary name needs some
_LONGEST_KEY = 1024  # as in S3


class FolderBlobs:
    """Objects as files below ``folder``, which is made when needed.

    Fulfils ports.BlobStore and ports.BlobListing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def get(self, key: str) -> bytes:
        """Read a whole object; raises NotFoundError, InvalidInputError, ServiceUnavailableError."""
        return await asyncio.to_thread(self._read, self._path(key), key)

    async def put(self, key: str, data: bytes) -> None:
        """Write a whole object and flush it to the disk before returning."""
        await asyncio.to_thread(self._write, self._path(key), key, data)

    async def delete(self, key: str) -> None:
        """Delete an object; one that is not there is no error."""
        await asyncio.to_thread(self._delete, self._path(key), key)

    async def pages(self, prefix: str = "") -> AsyncIterator[Sequence[Stored]]:
        """Give the objects whose keys begin so, one page for each folder."""
        folders = await asyncio.to_thread(lambda: list(os.walk(self._folder)))
        for folder, _, names in folders:
            if found := await asyncio.to_thread(self._listed, Path(folder), names, prefix):
                yield found

    def _listed(self, folder: Path, names: Sequence[str], prefix: str) -> list[Stored]:
        found = []
        for path in (folder / name for name in sorted(names) if _is_name(name)):
            key = path.relative_to(self._folder).as_posix()
            if not key.startswith(prefix):
                continue
            try:
                seen = path.lstat()
            except FileNotFoundError:  # gone between two looks
                continue
            if not stat.S_ISREG(seen.st_mode):  # a link may lead out of the folder
                continue
            at = datetime.fromtimestamp(seen.st_mtime, tz=UTC)
            found.append(Stored(key=key, size=seen.st_size, stored_at=at))
        return found

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if len(key) > _LONGEST_KEY or not all(_is_name(part) for part in parts):
            raise InvalidInputError(
                f"blob key {key[:80]!r} is not a path of plain names below the folder; "
                "use letters, digits, '-', '_', '.' and '/'",
                field="key",
            )
        return self._folder.joinpath(*parts)

    def _read(self, path: Path, key: str) -> bytes:
        try:
            self._stay_inside(path)
            return path.read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise NotFoundError(f"there is no blob {key!r} in {self._folder}") from None
        except OSError as error:
            raise ServiceUnavailableError(f"blob {key!r} cannot be read: {error}") from error

    def _write(self, path: Path, key: str, data: bytes) -> None:
        try:
            self._make_folders(path.parent)
            self._stay_inside(path)
            _write_whole(path, data)
        except OSError as error:
            raise ServiceUnavailableError(f"blob {key!r} cannot be written: {error}") from error

    def _delete(self, path: Path, key: str) -> None:
        try:
            self._stay_inside(path.parent)
            path.unlink(missing_ok=True)  # a link goes, not what it leads to
        except NotADirectoryError:
            return
        except OSError as error:
            raise ServiceUnavailableError(f"blob {key!r} cannot be deleted: {error}") from error

    def _make_folders(self, folder: Path) -> None:
        if folder.is_dir():
            return
        # mkdir(parents=True) gives parents the default mode, so each is made by itself.
        if folder != self._folder:
            self._make_folders(folder.parent)
        folder.mkdir(mode=0o700, parents=folder == self._folder, exist_ok=True)

    def _stay_inside(self, path: Path) -> None:
        # A symbolic link may point anywhere; what it points to is not ours.
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise InvalidInputError(f"blob {path.name!r} leads out of its folder", field="key")


def _is_name(part: str) -> bool:
    if part in {"", ".", ".."} or part.startswith(".tmp-"):
        return False
    return part.isprintable() and "\\" not in part and len(os.fsencode(part)) <= _LONGEST_NAME


def _write_whole(path: Path, data: bytes) -> None:
    # mkstemp makes the file 0600 whatever the umask.
    handle, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    # Without this a power cut may forget the rename although the data is on the disk.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
