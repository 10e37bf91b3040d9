"""Transfer encodings undone as far as their faults allow (RFC 2045 6). Never raises. No I/O."""

from __future__ import annotations

import binascii
import re

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")
_UU_BEGIN = re.compile(rb"(?:\A|\n)begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,255})\r?\n")
_UU_END = re.compile(rb"\n(?:end|====)[ \t]*\r?(?:\n|\Z)")
_SOFT_BREAK = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n|\Z)")
_UU_NAMES = frozenset({"x-uuencode", "uuencode", "uue", "x-uue"})
_PLAIN = frozenset({"", "7bit", "8bit", "binary", "7-bit", "8-bit", "none"})


def decode_body(body: bytes, encoding: str) -> tuple[bytes, str]:
    """Undo ``encoding`` (lower case); the second value names a fault, empty when there is none."""
    if encoding in _PLAIN:
        return body, ""
    if encoding == "base64":
        return _base64(body)
    if encoding == "quoted-printable":
        return _quoted(body), ""
    if encoding in _UU_NAMES:
        found = uu_files(body)
        return (found[0][1], "") if found else (body, "no uuencoded file in it")
    return body, f"unknown transfer encoding {encoding[:40]!r}"


def uu_files(body: bytes) -> list[tuple[str, bytes, int, int]]:
    """Find uuencoded files: name as raw text, bytes, and where each begins and ends."""
    files: list[tuple[str, bytes, int, int]] = []
    at = 0
    while begin := _UU_BEGIN.search(body, at):
        end = _UU_END.search(body, begin.end() - 1)
        if end is None:
            break
        lines = body[begin.end() : end.start() + 1]
        is_base64 = body[begin.start() : begin.end()].lstrip(b"\n").startswith(b"begin-base64")
        data = _base64(lines)[0] if is_base64 else _uu(lines)
        name = begin[1].decode("utf-8", "replace").strip()
        files.append((name, data, begin.start(), end.end()))
        at = end.end() - 1
    return files


def _uu(lines: bytes) -> bytes:
    full = (line for line in lines.splitlines() if line[:1] not in (b"", b"`", b" "))
    return b"".join(map(_uu_line, full))


def _uu_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        # QUIRK: some encoders miscount the padding; read as many bytes as the line states
        count = (((line[0] - 32) & 63) * 4 + 5) // 3
    try:
        return binascii.a2b_uu(line[:count])
    except binascii.Error:
        return b""


def _quoted(body: bytes) -> bytes:
    # binascii keeps blanks at a line's end, which RFC 2045 6.7 (3) says were added on the way
    blanks = b" \n" in body or b" \r" in body or b"\t" in body
    trimmed = _SOFT_BREAK.sub(b"", body) if blanks else body
    return binascii.a2b_qp(trimmed)


def _base64(raw: bytes) -> tuple[bytes, str]:
    """Decode leniently: strangers between the letters are dropped, a missing end is supplied."""
    body = raw.translate(None, b" \t\r\n")
    try:
        return binascii.a2b_base64(body, strict_mode=True), ""
    except binascii.Error:
        pass
    clean = _NOT_BASE64.sub(b"", body)
    fault = "" if clean == body else "strange characters in base64"
    letters = clean.rstrip(b"=")
    if b"=" in letters:  # several base64 texts one after the other, or rubbish after the end
        return _several(letters)
    if len(letters) % 4 == 1:
        letters, fault = letters[:-1], "base64 ends in the middle of a byte"
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4)), fault


def _several(letters: bytes) -> tuple[bytes, str]:
    return binascii.a2b_base64(_padded(letters.partition(b"=")[0])), "data after the end of base64"


def _padded(letters: bytes) -> bytes:
    letters = letters[:-1] if len(letters) % 4 == 1 else letters
    return letters + b"=" * (-len(letters) % 4)
