"""Bytes to text when the declared charset is absent, misspelt or a lie. Never raises. No I/O."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

# What mail calls them -> what Python calls the superset that real mail is written in.
_ALIASES = {
    "iso-8859-1": "cp1252",  # WHATWG: Latin-1 with C1 bytes is always cp1252
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "ansi_x3.4-1968": "cp1252",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-6-i": "iso-8859-6",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "sjis": "cp932",
    "windows-31j": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "big5": "big5hkscs",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "windows-874": "cp874",
    "tis-620": "cp874",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "utf8mb4": "utf-8",
    "x-unicode-2-0-utf-7": "utf-7",
    "ansi_x3.110-1983": "iso-8859-1",
    "iso-10646-ucs-2": "utf-16-be",
    "x-user-defined": "cp1252",
}
# Codecs that are text to Python and code or names to mail.
_NOT_CHARSETS = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"}
)
_UNDECLARED = frozenset({"", "cp1252", "ascii"})
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_GUESS_BYTES = 64 * 1024


def codec(name: str) -> str:
    """Give Python's name for a charset as mail spells it; empty when there is none."""
    plain = name.strip().strip("\"'").lower().replace(" ", "")
    plain = _ALIASES.get(plain, plain)
    try:
        found = codecs.lookup(plain)
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return ""
    # codecs.lookup also knows base64 and rot13, which are not charsets
    is_text: bool = getattr(found, "_is_text_encoding", True)
    return "" if not is_text or found.name in _NOT_CHARSETS else found.name


def decode(data: bytes, declared: str = "") -> tuple[str, bool]:
    """Give the text and whether ``declared`` was right for it (True when nothing was needed).

    NUL and lone surrogates become U+FFFD: databases and terminals cannot take them.
    """
    text, honest = _decode(data, declared)
    return _UNFIT.sub("\ufffd", text), honest


def _decode(data: bytes, declared: str) -> tuple[str, bool]:
    if data.isascii() and b"\x1b" not in data and codec(declared) in _UNDECLARED | {"utf-8"}:
        return data.decode("ascii"), True
    wanted = codec(declared)
    if wanted == "cp1252":  # the default of many programs that then write UTF-8
        return _first(data, ("utf-8", "cp1252")), _honest_latin(declared)
    if wanted:
        try:
            return data.decode(wanted), True
        except (UnicodeError, ValueError):
            pass
    return _guess(data), False


def guess(data: bytes) -> str:
    """Give the text of bytes nobody declared: UTF-8, then the likeliest charset, then cp1252."""
    return _UNFIT.sub("\ufffd", _guess(data))


def _guess(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    # a short text tells too little: single-byte Western is then the likeliest by far
    if len(data) >= 32:  # measured on raw 8-bit headers
        best = from_bytes(data[:_GUESS_BYTES]).best()
        if best is not None:
            return data.decode(best.encoding, "replace")
    return _first(data, ("cp1252",))


def _first(data: bytes, names: tuple[str, ...]) -> str:
    for name in names:
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _honest_latin(declared: str) -> bool:
    return "ascii" not in declared.lower() and bool(declared)
