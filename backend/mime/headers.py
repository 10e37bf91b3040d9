"""Header values as text: RFC 2047 words, raw 8-bit bytes, addresses, ids, RFC 2231 parameters.

Values come as ``compat32`` keeps them: bytes beyond ASCII are surrogate escapes. Tolerant of what
real programs write, never raises. No I/O.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from email.utils import getaddresses, parsedate_to_datetime
from itertools import count, islice
from urllib.parse import unquote_to_bytes

from backend.mime.charset import codec, decode, guess, likely

MAX_VALUE = 64 * 1024
MAX_PARAMETERS_VALUE = 16 * 1024
MAX_PARAMETERS = 100
MAX_DATE = 200
_FOLD = re.compile(r"\r?\n[ \t]?|\r")
_CONTROLS = re.compile("[\x00-\x1a\x1c-\x1f\x7f]")  # ESC stays: ISO-2022 needs it
_SPACES = re.compile(r"\s+")
_SIMPLE = re.compile(
    r"(?:\"([^\"\\]*)\"|([A-Za-z0-9 _'-]*))\s*<([A-Za-z0-9._%+=-]+@[A-Za-z0-9.-]+)>"
)
# Words may be unended or hold bare question marks; one that begins within ends the search, so that
# the time stays linear.
_WORD = re.compile(
    r"=\?([A-Za-z0-9_.:()+\"' -]++)(?:\*[^?]*+)?\?([bBqQ])\?"
    r"((?:[^?=]|\?(?!=)|=(?!\?[^=]))*+)\?="
)
_Q_BYTE = re.compile(rb"=([0-9A-Fa-f]{2})")
_MESSAGE_ID = re.compile(r"<([^<>]*)>")
_BARE_ID = re.compile(r"(?<![^\s<>,;\"])[^\s<>,;\"@]++@[^\s<>,;\"]++")
_ANGLE_ADDRESS = re.compile(r"<\s*+([^<>\s]++)\s*+>")
_PLAIN_ADDRESS = re.compile(r"(?<![^\s<>,;:\"()\[\]])[^\s<>,;:\"()\[\]@]++@[^\s<>,;:\"()\[\]]++")
_SIMPLE_ENCODED = re.compile(
    r"((?:=\?[A-Za-z0-9_-]++\?[bBqQ]\?[^?\s]*+\?=\s*+)++)<([A-Za-z0-9._%+=-]+@[A-Za-z0-9.-]+)>"
)
_STAND_IN = re.compile(r"=_(\d{1,5})_=")
_PARAMETER = re.compile(
    r";\s*([^\s=;*]+)(\*\d+)?(\*)?\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^;\"]*))", re.DOTALL
)


def unfold(value: str) -> str:
    """Join folded lines and cut a monstrous value; control characters become spaces."""
    joined = _FOLD.sub(" ", value[:MAX_VALUE]) if "\n" in value or "\r" in value else value
    return _CONTROLS.sub(" ", joined[:MAX_VALUE]).strip()


def text(value: str, raw_charset: str = "") -> str:
    """Decode an unstructured value such as a subject into one line.

    Bytes that stand unencoded are in ``raw_charset``, which is guessed when it is not given.
    """
    flat = unfold(value)
    if flat.isascii() and "=?" not in flat and "\x1b" not in flat:
        return _SPACES.sub(" ", flat)
    if not raw_charset and not flat.isascii():
        raw_charset = likely(_octets(flat))
    return _SPACES.sub(" ", _decode_words(flat, raw_charset)).strip()


def addresses(value: str) -> list[tuple[str, str]]:
    """Give ``(name, address)`` pairs of a From, To or Cc value; unusable entries are left out."""
    flat = unfold(value)
    simple = _SIMPLE.fullmatch(flat)
    if simple is not None and "=?" not in flat:
        return [((simple[1] or simple[2] or "").strip("\"' "), simple[3])]
    encoded = _SIMPLE_ENCODED.fullmatch(flat)
    if encoded is not None:
        return [(text(encoded[1]).strip("\"' "), encoded[2])]
    # RFC 2047 6.2: split first, decode then; a careless word may hold a comma
    words = [word[0] for word in _WORD.finditer(flat)] if "=?" in flat else []
    numbers = count()
    hidden = _WORD.sub(lambda _: f"=_{next(numbers)}_=", flat) if words else flat
    try:
        pairs = getaddresses([hidden])
    except (RecursionError, IndexError, ValueError):
        pairs = []
    # one guess for the whole value: each costs milliseconds
    raw_charset = "" if flat.isascii() else likely(_octets(flat))
    found = [
        (text(_shown(name, words), raw_charset).strip("\"' "), _bare(_shown(address, words)))
        for name, address in pairs
    ]
    found = [(name, address) for name, address in found if "@" in address and "<" not in address]
    return found or _rescued(flat)


def _shown(value: str, words: list[str]) -> str:
    """Put encoded words back where they stood."""
    if not words:
        return value
    return _STAND_IN.sub(lambda m: words[int(m[1])] if int(m[1]) < len(words) else m[0], value)


def loose_person(value: str) -> tuple[str, str]:
    """Read ``Name <word>`` or a lone name: an author who gave no address."""
    name, angle, rest = unfold(value).partition("<")
    return text(name).strip("\"' "), _plain(rest.partition(">")[0].strip()) if angle else ""


def message_ids(value: str) -> tuple[str, ...]:
    """Give the ids of Message-ID, In-Reply-To or References without brackets, each once."""
    flat = unfold(value)
    if "=?" in flat:  # QUIRK(CPython): its mailers fold a long id into encoded words
        flat = text(flat)
    ids = ["".join(found.split()) for found in _MESSAGE_ID.findall(flat)]
    if not ids:
        ids = _BARE_ID.findall(flat)
    return tuple(dict.fromkeys(_plain(i) for i in ids if i))


def first_token(value: str) -> str:
    """Give the first word of a value in lower case: ``auto-replied; owner=x`` -> auto-replied."""
    return unfold(value).partition(";")[0].strip().lower()


def date(value: str) -> datetime | None:
    """Read an RFC 5322 date into UTC; None when it is not one."""
    try:
        found = parsedate_to_datetime(unfold(value)[:MAX_DATE])
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def parameters(value: str) -> dict[str, str]:
    """Give the parameters of a Content-Type or -Disposition; RFC 2231 pieces joined, decoded."""
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for found in islice(_PARAMETER.finditer(unfold(value)[:MAX_PARAMETERS_VALUE]), MAX_PARAMETERS):
        name, part, extended, quoted, plain = found.groups(default="")
        content = re.sub(r"\\(.)", r"\1", quoted) if quoted else plain.strip()
        order = int(part[1:6]) if part else -1
        pieces.setdefault(name.lower(), []).append((order, bool(extended), content))
    return {name: _joined(gathered) for name, gathered in pieces.items()}


def _joined(pieces: list[tuple[int, bool, str]]) -> str:
    """Join ``name*0*=``, ``name*1=``... in order; an extended single piece beats a plain one."""
    if not any(extended or order >= 0 for order, extended, _ in pieces):
        return text(pieces[0][2])
    pieces = [p for p in pieces if p[1] or p[0] >= 0]
    numbered = sorted(pieces, key=lambda piece: piece[0])
    charset, data = "", b""
    for index, (_, extended, content) in enumerate(numbered):
        value = content
        if extended and index == 0 and value.count("'") >= 2:  # RFC 2231 4
            charset, _, value = value.split("'", 2)
        raw = _octets(value)
        data += unquote_to_bytes(raw) if extended else raw
    return text(decode(data, charset, guessing=False)[0])


def _decode_words(value: str, raw_charset: str) -> str:
    out: list[str] = []
    pending: list[tuple[str, bytes]] = []
    end = 0
    for word in _WORD.finditer(value):
        between = value[end : word.start()]
        if between.strip() or not pending:
            out += [_words(pending), _raw(between, raw_charset)]
            pending = []
        pending.append((word[1], _word_bytes(word[2], word[3])))
        end = word.end()
    return "".join([*out, _words(pending), _raw(value[end:], raw_charset)])


def _words(words: list[tuple[str, bytes]]) -> str:
    """Decode neighbouring words, first joining those of one charset: a character may be split."""
    out: list[str] = []
    index = 0
    while index < len(words):
        charset, data = words[index]
        # ISO-2022 returns to ASCII at each word's end, so joining is right for it as well
        while index + 1 < len(words) and codec(words[index + 1][0]) == codec(charset):
            index += 1
            data += words[index][1]
        out.append(decode(data, charset, guessing=False)[0])
        index += 1
    return "".join(out)


def _word_bytes(encoding: str, content: str) -> bytes:
    raw = _octets(content)
    if encoding in "qQ":
        spaced = raw.replace(b"_", b" ")
        return _Q_BYTE.sub(lambda m: bytes([int(m[1], 16)]), spaced)
    clean = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    try:
        return base64.b64decode(clean + b"=" * (-len(clean) % 4))
    except binascii.Error:
        return base64.b64decode(clean[:-1] + b"=" * (-(len(clean) - 1) % 4))


def _raw(value: str, charset: str) -> str:
    """Decode bytes that stand unencoded in a header."""
    if value.isascii():
        return value if "\x1b" not in value else decode(_octets(value), "iso-2022-jp")[0]
    return decode(_octets(value), charset, guessing=False)[0]


def _octets(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


def _plain(value: str) -> str:
    return value if value.isascii() else guess(_octets(value), guessing=False)


def _bare(address: str) -> str:
    return _plain(address).replace(" ", "").strip("'\"<>")


def _rescued(value: str) -> list[tuple[str, str]]:
    """Find what looks like an address in a value that breaks the grammar."""
    for angle in islice(_ANGLE_ADDRESS.finditer(value), 20):
        if "@" in angle[1]:
            return [(text(value[: angle.start()]).strip("\"' "), _bare(angle[1]))]
    plain = _PLAIN_ADDRESS.search(value)
    if plain is not None:
        return [("", _bare(plain[0]))]
    decoded = text(value) if "=?" in value else ""
    return _rescued(decoded) if decoded and "=?" not in decoded else []
