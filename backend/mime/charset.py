"""Bytes to text when the declared charset is absent, misspelt or a lie. Never raises. No I/O."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

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
    "unicode": "utf-16",
    "x-user-defined": "cp1252",
    "ansi": "cp1252",
    "iso-8859-9": "cp1254",  # WHATWG, as are the supersets below
    "iso-8859-11": "cp874",
    "koi8": "koi8_r",
    "koi": "koi8_r",
    "gb-2312": "gb18030",
    "euc-cn": "gb18030",
    "cp936": "gb18030",
    "hz-gb-2312": "hz",
    "big-5": "big5hkscs",
    "x-x-big5": "big5hkscs",
    "cn-big5": "big5hkscs",
    "ks_c_5601-1989": "cp949",
    "ksc5601": "cp949",
    "x-euc-jp": "euc_jp",
    "macroman": "mac_roman",
    "mac": "mac_roman",
    "x-macroman": "mac_roman",
    "x-mac-ce": "mac_latin2",
    "x-mac-greek": "mac_greek",
    "x-mac-turkish": "mac_turkish",
}
_FAMILIES = (
    (re.compile(r"(?:x-)?(?:cp|windows|win|ms|microsoft-cp|ibm|dos)[-_]?(\d{3,4})"), "cp{}"),
    (re.compile(r"(?:x-)?iso[-_]?8859[-_]?(\d{1,2})(?:[^0-9].*)?"), "iso-8859-{}"),
    (re.compile(r"(?:x-)?utf[-_]?8(?:[^0-9].*)?"), "utf-8"),
    (re.compile(r"(?:x-)?koi8[-_]?([rtu])"), "koi8_{}"),
)
# Codecs that are text to Python and code or names to mail.
_NOT_CHARSETS = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"}
)
_UNTOLD = frozenset({"", "cp1252", "utf-8", "ascii"})
_COMMON_RUSSIAN = frozenset("оеаинтсрвлк")  # six letters of ten; of other scripts one in three
_HALF_WIDTH = re.compile("[\uff61-\uff9f]{3}")
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_GUESS_BYTES = 2048  # measured: 1 to 5 ms
_SHORTEST_GUESS = 32  # measured on raw 8-bit headers: below, Western is the likeliest by far
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 64 * 1024
_TOLERATED = 20  # one bad character in so many does not prove a charset wrong


@lru_cache(maxsize=512)
def codec(name: str) -> str:
    """Give Python's name for a charset as mail spells it; empty when there is none."""
    plain = name.strip().strip("\"'").lower().replace(" ", "")[:60]
    plain = _ALIASES.get(plain, plain)
    return _python_name(plain) or _python_name(_of_family(plain))


def _of_family(plain: str) -> str:
    for pattern, form in _FAMILIES:
        found = pattern.fullmatch(plain)
        if found:
            name = form.format(*found.groups())
            return _ALIASES.get(name, name)
    return ""


def _python_name(plain: str) -> str:
    try:
        found = codecs.lookup(plain) if plain else None
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return ""
    # codecs.lookup also knows base64 and rot13, which are not charsets
    if found is None or not getattr(found, "_is_text_encoding", True):
        return ""
    return "" if found.name in _NOT_CHARSETS else found.name


def decode(data: bytes, declared: str = "", *, guessing: bool = True) -> tuple[str, bool]:
    """Give the text and whether ``declared`` was right for it (True when nothing was needed).

    NUL and lone surrogates become U+FFFD: databases and terminals cannot take them. Without
    ``guessing`` a wrong charset costs no statistics: UTF-8 or cp1252 it is then.
    """
    text, honest = _decode(data, declared, guessing=guessing)
    return (_UNFIT.sub("\ufffd", text) if not text.isascii() or "\x00" in text else text), honest


def _decode(data: bytes, declared: str, *, guessing: bool) -> tuple[str, bool]:
    wanted = codec(declared)
    if data.isascii() and b"\x1b" not in data and wanted in _UNTOLD:
        return data.decode("ascii"), True
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(_marked(name, mark), "replace"), True
    if b"\x1b$" in data and wanted in _UNTOLD:
        return _first(data, ("iso2022_jp_ext", "utf-8", "cp1252")), False
    if wanted == "cp1252":  # the default of many programs that then write UTF-8
        return _first(data, ("utf-8", "cp1252")), _honest_latin(declared)
    found = _as_declared(data, wanted) if wanted else None
    if found is not None:
        return found
    return _guess(data, guessing=guessing), False


def _marked(name: str, mark: bytes) -> str:
    if name == "utf-8":
        return name
    return "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be"


def _as_declared(data: bytes, wanted: str) -> tuple[str, bool] | None:
    """Decode as declared, with a few bad characters replaced; None when it is another charset."""
    try:
        return data.decode(wanted), True
    except (UnicodeError, ValueError):
        pass
    try:
        return data.decode("utf-8"), False
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode(wanted, "replace")
    except (UnicodeError, ValueError):  # a codec without "replace"
        return None
    beyond = sum(1 for char in text[:_SAMPLE] if char > "\x7f")
    bad = text[:_SAMPLE].count("\ufffd")
    cut_short = bad == 1 and text.endswith("\ufffd")
    return (text, False) if bad * _TOLERATED <= beyond or cut_short else None


def guess(data: bytes, *, guessing: bool = True) -> str:
    """Give the text of bytes nobody declared: UTF-8, then the likeliest charset, then cp1252."""
    return _UNFIT.sub("\ufffd", _guess(data, guessing=guessing))


def likely(data: bytes) -> str:
    """Name the charset of bytes nobody declared."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    if len(data) >= _SHORTEST_GUESS:
        lines = [line for line in data[:_SAMPLE].split(b"\n") if not line.isascii()]
        sample = b"\n".join(lines)[:_GUESS_BYTES]
        cyrillic = _cyrillic(sample)
        if cyrillic:
            return cyrillic
        for match in from_bytes(sample):
            # QUIRK(charset-normalizer): short Cyrillic may look like half-width Japanese to it
            if not _HALF_WIDTH.search(str(match)):
                return match.encoding
    return "cp1252"


def _cyrillic(sample: bytes) -> str:
    """Name the Cyrillic charset in which most letters are those that Russian uses most."""
    for name in ("koi8_r", "cp1251"):
        letters = [char for char in sample.decode(name, "replace") if char > "\x7f"]
        if sum(char in _COMMON_RUSSIAN for char in letters) > len(letters) / 2:
            return name
    return ""


def _guess(data: bytes, *, guessing: bool) -> str:
    name = likely(data) if guessing else "utf-8"
    if name in ("utf-8", "cp1252"):
        return _first(data, ("utf-8", "cp1252"))
    return data.decode(name, "replace")


def _first(data: bytes, names: tuple[str, ...]) -> str:
    for name in names:
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _honest_latin(declared: str) -> bool:
    return "ascii" not in declared.lower() and bool(declared)
