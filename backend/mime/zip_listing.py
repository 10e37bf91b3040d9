"""The names inside a zip archive, read from its central directory; nothing is unpacked. No I/O.

APPNOTE.TXT 4.3.12 and 4.3.16. An archive whose directory is broken is listed by its local
headers, as tolerant programs open it.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

MAX_MEMBERS = 10_000
LARGE = 100 * 1024 * 1024
SWOLLEN = 100
_END = b"PK\x05\x06"
_ENTRY = b"PK\x01\x02"
_LOCAL = b"PK\x03\x04"
_LONGEST_COMMENT = 65_535
_END_SIZE = 22
_ENTRY_SIZE = 46
_LOCAL_SIZE = 30
_UTF8 = 0x800
_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """``members`` are names as written, at most 10,000; ``overfull`` when there are more.

    ``swells`` when it says that it would be 100 times its size unpacked, and over 100 MB.
    """

    members: tuple[str, ...] = ()
    encrypted: bool = False
    overfull: bool = False
    swells: bool = False


def list_zip(data: bytes) -> Listing:
    """List an archive, also one with other bytes before or behind it; never raises."""
    found = _central(data)
    if not found:
        found = _local(data)
    unpacked = sum(size for _, _, size in found)
    return Listing(
        members=tuple(name for name, _, _ in found[:MAX_MEMBERS]),
        encrypted=any(flags & _ENCRYPTED for _, flags, _ in found),
        overfull=len(found) > MAX_MEMBERS,
        swells=unpacked > max(LARGE, SWOLLEN * len(data)),
    )


def _central(data: bytes) -> list[tuple[str, int, int]]:
    end = data.rfind(_END, max(0, len(data) - _LONGEST_COMMENT - _END_SIZE))
    if end < 0 or end + _END_SIZE > len(data):
        return []
    size, stated = struct.unpack_from("<II", data, end + 12)
    # the directory stands right before its end record, whatever bytes were put before the archive
    at = end - size if data[end - size : end - size + 4] == _ENTRY else stated
    found: list[tuple[str, int, int]] = []
    while data[at : at + 4] == _ENTRY and at + _ENTRY_SIZE <= len(data):
        if len(found) > MAX_MEMBERS:
            break
        (flags,) = struct.unpack_from("<H", data, at + 8)
        (unpacked,) = struct.unpack_from("<I", data, at + 24)
        name, extra, comment = struct.unpack_from("<HHH", data, at + 28)
        start = at + _ENTRY_SIZE
        found.append((_name(data[start : start + name], flags), flags, unpacked))
        at = start + name + extra + comment
    return found


def _local(data: bytes) -> list[tuple[str, int, int]]:
    found: list[tuple[str, int, int]] = []
    for mark in re.finditer(re.escape(_LOCAL), data):
        at = mark.start()
        if at + _LOCAL_SIZE > len(data) or len(found) > MAX_MEMBERS:
            break
        (flags,) = struct.unpack_from("<H", data, at + 6)
        (unpacked,) = struct.unpack_from("<I", data, at + 22)
        (size,) = struct.unpack_from("<H", data, at + 26)
        start = at + _LOCAL_SIZE
        found.append((_name(data[start : start + size], flags), flags, unpacked))
    return found


def _name(raw: bytes, flags: int) -> str:
    return raw.decode("utf-8" if flags & _UTF8 else "cp437", "replace")[:500]
