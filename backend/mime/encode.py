"""Header text on the wire: RFC 2047 encoded words, quoted strings, RFC 2231 parameters. No I/O.

The standard library folds and encodes with losses (spaces between encoded words, a literal
``=?`` in a subject), so the few forms we need are written here, each as one plain rule.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backend.model.address import Address

MAX_LINE = 998  # RFC 5322 2.1.1, without CRLF
_WORD_BYTES = 45  # base64 of 45 bytes and "=?utf-8?b??=" stay below the 75 of RFC 2047 section 2
_PARAMETER_CHARS = 60
_PLAIN = re.compile(r"[\x21-\x7e]+( [\x21-\x7e]+)*")
_QUOTABLE = re.compile(r"[\x20-\x7e]*")
_TRIPLETS = re.compile(r"%[0-9A-F]{2}|[^%]")


def unstructured(name: str, value: str) -> str:
    """Give ``Name: value``, as it is when plain ASCII that fits a line, else in encoded words."""
    line = f"{name}: {value}"
    if not value or (_PLAIN.fullmatch(value) and "=?" not in value and len(line) <= MAX_LINE):
        return line
    return f"{name}: {_words(value)}"


def address_list(name: str, addresses: Iterable[Address]) -> str:
    """Give an address header, one mailbox a line."""
    return f"{name}: " + ",\r\n ".join(_mailbox(address) for address in addresses)


def parameter(name: str, value: str) -> str:
    """Give ``; name="value"`` of a MIME header, by RFC 2231 when the value is not plain ASCII."""
    if _QUOTABLE.fullmatch(value) and len(value) <= _PARAMETER_CHARS:
        return f";\r\n {name}={_quoted(value)}"
    pieces = _pieces(quote(value, safe=""))
    if len(pieces) == 1:
        return f";\r\n {name}*=utf-8''{pieces[0]}"
    first, *rest = pieces
    lines = [f";\r\n {name}*0*=utf-8''{first}"]
    lines += [f";\r\n {name}*{n}*={piece}" for n, piece in enumerate(rest, start=1)]
    return "".join(lines)


def _mailbox(address: Address) -> str:
    name = address.name
    if not name:
        return address.bare
    if _QUOTABLE.fullmatch(name) and "=?" not in name and len(name) <= MAX_LINE // 3:
        return f"{_quoted(name)} <{address.bare}>"
    return f"{_words(name)}\r\n <{address.bare}>"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _words(text: str) -> str:
    """Encode a text as words of at most 75 characters; no character is cut in two."""
    chunks: list[bytes] = [b""]
    for char in text:
        encoded = char.encode("utf-8")
        if len(chunks[-1]) + len(encoded) > _WORD_BYTES:
            chunks.append(b"")
        chunks[-1] += encoded
    words = (base64.b64encode(chunk).decode("ascii") for chunk in chunks)
    return "\r\n ".join(f"=?utf-8?b?{word}?=" for word in words)


def _pieces(quoted: str) -> list[str]:
    pieces = [""]
    for unit in _TRIPLETS.findall(quoted):
        if len(pieces[-1]) + len(unit) > _PARAMETER_CHARS:
            pieces.append("")
        pieces[-1] += unit
    return pieces
