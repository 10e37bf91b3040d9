"""What the bytes of a file show of it, whatever its name says; nothing is unpacked. No I/O.

Signatures are those of the formats' own specifications: PE/COFF, ELF, Mach-O, MS-SHLLINK 2.1,
MS-CAB, ECMA-119, MS-ONESTORE 2.3.1, MS-CFB, MS-OVBA 2.2.1.
"""

from __future__ import annotations

import re
from itertools import islice

from backend.mime import headers
from backend.mime.zip_listing import MAX_MEMBERS, list_zip
from backend.model.screening import FileDanger, FileMarks

_STARTS = (
    (b"\x7fELF", FileDanger.PROGRAM),
    (b"\xfe\xed\xfa\xce", FileDanger.PROGRAM),
    (b"\xfe\xed\xfa\xcf", FileDanger.PROGRAM),
    (b"\xce\xfa\xed\xfe", FileDanger.PROGRAM),
    (b"\xcf\xfa\xed\xfe", FileDanger.PROGRAM),
    (b"\xca\xfe\xba\xbe", FileDanger.PROGRAM),  # Mach-O for several machines, or a Java class
    (b"dex\n035", FileDanger.PROGRAM),
    (b"\x00asm", FileDanger.PROGRAM),
    (b"ITSF", FileDanger.PROGRAM),  # compiled HTML help
    (b"#!/", FileDanger.SCRIPT),
    (b"#! /", FileDanger.SCRIPT),
    (b"L\x00\x00\x00\x01\x14\x02\x00", FileDanger.SHORTCUT),
    (b"[InternetShortcut]", FileDanger.SHORTCUT),
    (b"MSCF\x00\x00\x00\x00", FileDanger.IMAGE),
    (b"vhdxfile", FileDanger.IMAGE),
    (b"conectix", FileDanger.IMAGE),
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", FileDanger.NOTEBOOK),
)
_CFB = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CFB_MACROS = "_VBA_PROJECT".encode("utf-16-le")
# the class id of a Windows Installer package in the root entry
_CFB_INSTALLER = bytes.fromhex("84100c0000000000c000000000000046")
_ISO_MARK = (b"CD001", 32_769)
_UDF_MARK = (b"BEA01", 32_769)
_SCRIPT_TAG = re.compile(rb"^\s*<(?:script|job|package|hta:application)\b", re.IGNORECASE)
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_MESSAGE_NAME = re.compile(
    rb"^content-(?:type|disposition)[ \t]*:([^\r\n]*(?:\r?\n[ \t][^\r\n]*){0,20})",
    re.IGNORECASE | re.MULTILINE,
)
MAX_BEGINNINGS = 100_000
# an MZ header as base64 begins
_PROGRAM_BASE64 = re.compile(rb"TV[opqr][A-Za-z0-9+/]{0,20}AAA")


def read_marks(content_type: str, data: bytes) -> FileMarks:
    """Look at a decoded part; ``content_type`` only tells an attached message from a file."""
    if content_type in ("message/rfc822", "message/global"):
        return _of_message(data)
    dangers = [danger for start, danger in _STARTS if data.startswith(start)]
    if _is_dos_program(data):
        dangers.append(FileDanger.PROGRAM)
    if any(data[at : at + len(mark)] == mark for mark, at in (_ISO_MARK, _UDF_MARK)):
        dangers.append(FileDanger.IMAGE)
    if _SCRIPT_TAG.match(data[:1024]):
        dangers.append(FileDanger.SCRIPT)
    if data.startswith(_CFB):
        return _of_compound(data, dangers)
    if data.startswith(b"PK") or b"PK\x05\x06" in data[-70_000:]:
        return _of_archive(data, dangers)
    return FileMarks(dangers=tuple(dangers))


def _is_dos_program(data: bytes) -> bool:
    """Tell a program from a text that begins with MZ: a program has zeros in its header."""
    return data.startswith((b"MZ", b"ZM")) and b"\x00" in data[2:64]


def _of_compound(data: bytes, dangers: list[FileDanger]) -> FileMarks:
    """Look into an OLE file: its directory names are UTF-16 and stand uncompressed."""
    if _CFB_MACROS in data:
        dangers.append(FileDanger.MACRO)
    if _CFB_INSTALLER in data:
        dangers.append(FileDanger.PROGRAM)
    return FileMarks(dangers=tuple(dangers), encrypted=_ENCRYPTED_PACKAGE in data)


def _of_archive(data: bytes, dangers: list[FileDanger]) -> FileMarks:
    listing = list_zip(data)
    if any(name.lower().endswith("vbaproject.bin") for name in listing.members):
        dangers.append(FileDanger.MACRO)
    if listing.overfull:
        dangers.append(FileDanger.OVERFULL)
    if listing.swells:
        dangers.append(FileDanger.SWELLS)
    return FileMarks(dangers=tuple(dangers), members=listing.members, encrypted=listing.encrypted)


def _of_message(data: bytes) -> FileMarks:
    """List the file names in an attached message and look for a program among its parts."""
    names: list[str] = []
    for field in islice(_MESSAGE_NAME.finditer(data), 2 * MAX_MEMBERS):
        found = headers.parameters(";" + field[1].decode("utf-8", "surrogateescape"))
        names += [found[key] for key in ("filename", "name") if found.get(key)]
    dangers = [FileDanger.PROGRAM] if _holds_program(data) else []
    if len(names) > MAX_MEMBERS:
        dangers.append(FileDanger.OVERFULL)
    return FileMarks(dangers=tuple(dangers), members=tuple(dict.fromkeys(names))[:MAX_MEMBERS])


def _holds_program(data: bytes) -> bool:
    """Tell whether a part of an attached message begins with a program in base64.

    One with more lines that might be the beginning than any real message has counts as such.
    """
    at = data.find(b"\nTV")
    for _ in range(MAX_BEGINNINGS):
        if at < 0:
            return False
        blank_line_before = data[max(0, at - 2) : at].endswith((b"\n", b"\n\r"))
        if blank_line_before and _PROGRAM_BASE64.match(data, at + 1):
            return True
        at = data.find(b"\nTV", at + 1)
    return True
