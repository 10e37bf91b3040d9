"""Header fields of a raw message, read as SES reads them: leniently, in order. No I/O."""

from __future__ import annotations

from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import getaddresses

_LARGEST_REPORT = 10 * 1024  # SES: headersTruncated when the headers exceed 10 KB


def split_head(raw: bytes) -> tuple[list[bytes], bytes]:
    """Give the header fields, each with its folded lines, and the rest of the message."""
    fields: list[bytes] = []
    start = 0
    while start < len(raw):
        end = raw.find(b"\n", start) + 1 or len(raw)
        line = raw[start:end]
        if line[:1] in b" \t" and fields and line.strip():
            fields[-1] += line
        elif b":" in line:
            fields.append(line)
        else:
            break  # the empty line, or a body without one
        start = end
    return fields, raw[start:]


def read_headers(raw: bytes) -> list[tuple[str, str]]:
    """Give name and unfolded value of each field; bytes that are not UTF-8 are replaced."""
    pairs = []
    for field in split_head(raw)[0]:
        name, _, value = field.partition(b":")
        unfolded = b" ".join(line.strip() for line in value.splitlines()).strip()
        pairs.append((name.strip().decode("utf-8", "replace"), unfolded.decode("utf-8", "replace")))
    return pairs


def first(headers: list[tuple[str, str]], name: str) -> str:
    """Give the first value of a field, or ''."""
    return next((value for key, value in headers if key.lower() == name.lower()), "")


def addresses(headers: list[tuple[str, str]], name: str) -> list[str]:
    """Give the bare addresses in all fields of a name."""
    values = [value for key, value in headers if key.lower() == name.lower()]
    return [address for _, address in getaddresses(values) if "@" in address]


def replace_fields(raw: bytes, drop: frozenset[bytes], add: list[bytes]) -> bytes:
    """Put fields (``b"Name: value"``) first and take out those named in lower case."""
    fields, rest = split_head(raw)
    kept = [field for field in fields if field.partition(b":")[0].strip().lower() not in drop]
    return b"".join(line + b"\r\n" for line in add) + b"".join(kept) + rest


def report(headers: list[tuple[str, str]]) -> dict[str, object]:
    """Give ``headers`` and ``headersTruncated`` as SES notifications hold them."""
    size = 0
    kept: list[dict[str, str]] = []
    for name, value in headers:
        size += len(name) + len(value)
        if size > _LARGEST_REPORT:
            return {"headersTruncated": True, "headers": kept}
        kept.append({"name": name, "value": value})
    return {"headersTruncated": False, "headers": kept}


def common(headers: list[tuple[str, str]], message_id: str) -> dict[str, object]:
    """Give ``commonHeaders``: those that are there, lists of addresses as they were written."""
    found: dict[str, object] = {}
    for key, name in (("from", "From"), ("to", "To"), ("cc", "Cc"), ("replyTo", "Reply-To")):
        if value := first(headers, name):
            found[key] = [_written(part) for part in getaddresses([value]) if part[1]]
    for key, name in (("sender", "Sender"), ("returnPath", "Return-Path"), ("date", "Date")):
        if value := first(headers, name):
            found[key] = value.strip("<>") if key == "returnPath" else value
    found["messageId"] = message_id
    found["subject"] = decoded(first(headers, "Subject"))
    return found


def decoded(value: str) -> str:
    """Undo RFC 2047 encoded words; what cannot be undone stays as it is."""
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value


def _written(part: tuple[str, str]) -> str:
    name, address = part
    return f"{name} <{address}>" if name else address
