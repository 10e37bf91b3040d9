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
from urllib.parse import unquote_to_bytes

from backend.mime.charset import codec, decode, guess

MAX_VALUE = 64 * 1024
_FOLD = re.compile(r"\r?\n[ \t]?|\r")
_SPACES = re.compile(r"\s+")
_WORD = re.compile(r"=\?([A-Za-z0-9_.:()+\"' -]+)(?:\*[^?]*)?\?([bBqQ])\?(.*?)\?=", re.DOTALL)
_Q_BYTE = re.compile(rb"=([0-9A-Fa-f]{2})")
_MESSAGE_ID = re.compile(r"<\s*([^<>]*?)\s*>")
_BARE_ID = re.compile(r"[^\s<>,;\"]+@[^\s<>,;\"]+")
_ANGLE_ADDRESS = re.compile(r"<\s*([^<>\s]+@[^<>\s]+)\s*>")
_PLAIN_ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]]+@[^\s<>,;:\"()\[\]]+")
_PARAMETER = re.compile(
    r";\s*([^\s=;*]+)(\*\d+)?(\*)?\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^;\"]*))", re.DOTALL
)


def unfold(value: str) -> str:
    """Join folded lines and cut a monstrous value; control characters become spaces."""
    joined = _FOLD.sub(" ", value[:MAX_VALUE])
    return "".join(" " if (c < " " and c != "\x1b") or c == "\x7f" else c for c in joined).strip()


def text(value: str) -> str:
    """Decode an unstructured value such as a subject into one line."""
    return _SPACES.sub(" ", _decode_words(unfold(value))).strip()


def addresses(value: str) -> list[tuple[str, str]]:
    """Give ``(name, address)`` pairs of a From, To or Cc value; unusable entries are left out."""
    flat = unfold(value)
    try:
        # RFC 2047 6.2: split first, decode then; an encoded name may hold a comma
        pairs = getaddresses([flat])
    except (RecursionError, IndexError, ValueError):
        pairs = []
    found = [(text(name).strip("\"' "), _bare(address)) for name, address in pairs]
    found = [(name, address) for name, address in found if "@" in address]
    return found or _rescued(flat)


def loose_person(value: str) -> tuple[str, str]:
    """Read ``Name <word>`` or a lone name: an author who gave no address."""
    name, angle, rest = unfold(value).partition("<")
    return text(name).strip("\"' "), _plain(rest.partition(">")[0].strip()) if angle else ""


def message_ids(value: str) -> tuple[str, ...]:
    """Give the ids of Message-ID, In-Reply-To or References without brackets, each once."""
    flat = unfold(value)
    if "=?" in flat:  # QUIRK(CPython): its mailers fold a long id into encoded words
        flat = text(flat)
    ids = [found.replace(" ", "") for found in _MESSAGE_ID.findall(flat)]
    if not ids:
        ids = _BARE_ID.findall(flat)
    return tuple(dict.fromkeys(_plain(i) for i in ids if i))


def first_token(value: str) -> str:
    """Give the first word of a value in lower case: ``auto-replied; owner=x`` -> auto-replied."""
    return unfold(value).partition(";")[0].strip().lower()


def date(value: str) -> datetime | None:
    """Read an RFC 5322 date into UTC; None when it is not one."""
    try:
        found = parsedate_to_datetime(unfold(value))
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def parameters(value: str) -> dict[str, str]:
    """Give the parameters of a Content-Type or -Disposition; RFC 2231 pieces joined, decoded."""
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for name, part, extended, quoted, plain in _PARAMETER.findall(unfold(value)):
        content = re.sub(r"\\(.)", r"\1", quoted) if quoted else plain.strip()
        order = int(part[1:6]) if part else -1
        pieces.setdefault(name.lower(), []).append((order, bool(extended), content))
    return {name: _joined(found) for name, found in pieces.items()}


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
    return text(decode(data, charset)[0])


def _decode_words(value: str) -> str:
    out: list[str] = []
    pending: list[tuple[str, bytes]] = []
    end = 0
    for word in _WORD.finditer(value):
        between = value[end : word.start()]
        if between.strip() or not pending:
            out += [_words(pending), _raw(between)]
            pending = []
        pending.append((word[1], _word_bytes(word[2], word[3])))
        end = word.end()
    return "".join([*out, _words(pending), _raw(value[end:])])


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
        out.append(decode(data, charset)[0])
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


def _raw(value: str) -> str:
    """Decode bytes that stand unencoded in a header: UTF-8 in practice, else a guess."""
    if value.isascii():
        return value if "\x1b" not in value else decode(_octets(value), "iso-2022-jp")[0]
    return guess(_octets(value))


def _octets(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


def _plain(value: str) -> str:
    return value if value.isascii() else guess(_octets(value))


def _bare(address: str) -> str:
    return _plain(address).replace(" ", "").strip("'\"<>")


def _rescued(value: str) -> list[tuple[str, str]]:
    """Find what looks like an address in a value that breaks the grammar."""
    angle = _ANGLE_ADDRESS.search(value)
    if angle is not None:
        return [(text(value[: angle.start()]).strip("\"' "), _bare(angle[1]))]
    plain = _PLAIN_ADDRESS.search(value)
    return [("", _bare(plain[0]))] if plain else []
