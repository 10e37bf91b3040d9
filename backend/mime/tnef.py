"""TNEF (``winmail.dat``): the files, names and text that Outlook wraps up. Never raises. No I/O.

MS-OXTNEF 2.1 and MS-OXCDATA 2.11. Only a list is made: archives inside stay as they are, but a
message within the message is such a stream again, and its files count as well.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.mime.body import html_to_text
from backend.mime.charset import decode

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNATURE = b"\x78\x9f\x3e\x22"
MAX_ATTRIBUTES = 5_000
MAX_PROPERTIES = 2_000
MAX_DEPTH = 5
MAX_FILES = 500
_ATT_BODY = 0x800C
_ATT_OEM_CODEPAGE = 0x9007
_ATT_MESSAGE_PROPERTIES = 0x9003
_ATT_RENDERING = 0x9002
_ATT_TITLE = 0x8010
_ATT_DATA = 0x800F
_ATT_FILE_PROPERTIES = 0x9005
_BODY, _BODY_HTML = 0x1000, 0x1013
_FILE_DATA, _SHORT_NAME, _LONG_NAME, _MIME_TYPE = 0x3701, 0x3704, 0x3707, 0x370E
_SIZES = {0x02: 2, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 2, 0x14: 8,
          0x40: 8, 0x48: 16}  # fmt: skip
_VARIABLE = frozenset({0x0D, 0x1E, 0x1F, 0x102})
_MANY = 0x1000
_NAMED = 0x8000


@dataclass(slots=True, kw_only=True)
class TnefFile:
    """A file inside; ``name`` is as the sender wrote it, ``type`` may be empty."""

    name: str = ""
    type: str = ""
    data: bytes = b""


@dataclass(slots=True, kw_only=True)
class Tnef:
    """What a stream holds; ``broken`` tells that it ends in the middle."""

    files: list[TnefFile] = field(default_factory=list)
    text: str = ""
    html: str = ""
    broken: bool = False


def is_tnef(data: bytes) -> bool:
    """Tell by the first bytes; the declared type is often wrong."""
    return data.startswith(SIGNATURE)


def read_tnef(data: bytes) -> Tnef:
    """Read a stream as far as it goes."""
    found = Tnef()
    codepage = "cp1252"
    try:
        for attribute, value in _attributes(data):
            if attribute == _ATT_OEM_CODEPAGE and len(value) >= 4:
                codepage = f"cp{struct.unpack_from('<I', value)[0]}"
            else:
                _take(found, attribute, value, codepage)
    except struct.error:
        found.broken = True
    if not found.text and found.html:
        found.text = html_to_text(found.html)
    return found


def files_inside(data: bytes, *, depth: int = 0) -> list[TnefFile]:
    """Give every file of a stream, those of messages within it too; at most ``MAX_FILES``."""
    found: list[TnefFile] = []
    for file in read_tnef(data).files:
        inner = files_inside(file.data, depth=depth + 1) if _opens(file.data, depth) else []
        found += inner or [file]
        if len(found) >= MAX_FILES:
            break
    return found[:MAX_FILES]


def _opens(data: bytes, depth: int) -> bool:
    return depth < MAX_DEPTH and is_tnef(data)


def _take(found: Tnef, attribute: int, value: bytes, codepage: str) -> None:
    if attribute == _ATT_BODY:
        found.text = decode(value.rstrip(b"\0"), codepage)[0]
    elif attribute == _ATT_MESSAGE_PROPERTIES:
        for name, content in _properties(value):
            _take_body(found, name, content, codepage)
    elif attribute == _ATT_RENDERING:
        found.files.append(TnefFile())
    elif found.files:
        _take_file(found.files[-1], attribute, value, codepage)


def _take_body(found: Tnef, name: int, content: bytes | str, codepage: str) -> None:
    text = content if isinstance(content, str) else decode(content.rstrip(b"\0"), codepage)[0]
    if name == _BODY and not found.text:
        found.text = text
    elif name == _BODY_HTML:
        found.html = text


def _take_file(file: TnefFile, attribute: int, value: bytes, codepage: str) -> None:
    if attribute == _ATT_TITLE:
        file.name = file.name or _name(value, codepage)
    elif attribute == _ATT_DATA:
        file.data = value
    elif attribute == _ATT_FILE_PROPERTIES:
        names: dict[int, str] = {}
        for name, content in _properties(value):
            if name in (_SHORT_NAME, _LONG_NAME, _MIME_TYPE):
                names[name] = content if isinstance(content, str) else _name(content, codepage)
            elif name == _FILE_DATA and isinstance(content, bytes) and not file.data:
                file.data = content[16:]  # an embedded object stands behind its class id
        file.name = names.get(_LONG_NAME) or file.name or names.get(_SHORT_NAME, "")
        file.type = names.get(_MIME_TYPE, "").strip().lower()


def _name(raw: bytes, codepage: str) -> str:
    return decode(raw.partition(b"\0")[0], codepage)[0][:255]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the attributes: level byte, id, length, bytes, checksum (MS-OXTNEF 2.1.3.1)."""
    at = 6
    for _ in range(MAX_ATTRIBUTES):
        if at >= len(data):
            return
        _level, attribute, _type, length = struct.unpack_from("<BHHI", data, at)
        at += 9
        if at + length > len(data):
            raise struct.error("an attribute is cut short")
        yield attribute, data[at : at + length]
        at += length + 2


def _properties(data: bytes) -> Iterator[tuple[int, bytes | str]]:
    """Yield the MAPI properties that are text or bytes (MS-OXTNEF 2.1.3.4)."""
    (count,) = struct.unpack_from("<I", data, 0)
    at = 4
    for _ in range(min(count, MAX_PROPERTIES)):
        kind, name = struct.unpack_from("<HH", data, at)
        at += 4
        if name >= _NAMED:
            at = _after_name(data, at)
        base = kind & ~_MANY
        values = 1
        if kind & _MANY or base in _VARIABLE:
            (values,) = struct.unpack_from("<I", data, at)
            at += 4
        for _ in range(min(values, MAX_PROPERTIES)):
            content, at = _value(data, at, base)
            if content is not None:
                yield name, content


def _after_name(data: bytes, at: int) -> int:
    kind, length = struct.unpack_from("<II", data, at + 16)
    return at + 24 if kind == 0 else at + 24 + length + (-length % 4)


def _value(data: bytes, at: int, base: int) -> tuple[bytes | str | None, int]:
    if base in _VARIABLE:
        (length,) = struct.unpack_from("<I", data, at)
        raw = data[at + 4 : at + 4 + length]
        after = at + 4 + length + (-length % 4)
        return (raw.decode("utf-16-le", "replace").rstrip("\0") if base == 0x1F else raw), after
    size = _SIZES.get(base)
    if size is None:
        raise struct.error("a property of an unknown type")
    return None, at + size + (-size % 4)
