"""The tree of a message: header fields and parts, cut from the bytes without decoding them.

An own reader in place of the standard library's: that one goes line by line (a million short lines
take seconds), recurses, and writes attached messages anew with other line folds. Here boundaries
are searched for, the limits hold while reading, and a leaf keeps its exact bytes. No I/O.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backend.mime import headers, limits
from backend.mime.limits import LimitError
from backend.mime.transfer import decode_body

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELD = re.compile(
    rb"([!-9;-~]*+)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)(?:\n|\Z)"  # RFC 5322 2.2, space tolerated
)
_BLANK = re.compile(rb"\r*(?:\n|\Z)")
_MBOX_LINE = re.compile(rb">?From [^\n]*(?:\n|\Z)")
_LINE = re.compile(rb"[^\n]*(?:\n|\Z)")
# a field that cannot be the first line of a text
_WELL_KNOWN = re.compile(
    rb"(?:from|to|cc|subject|date|message-id|mime-version|received|reply-to|return-path|references"
    rb"|in-reply-to|content-(?:type|transfer-encoding|disposition)|x-[a-z0-9-]+)[ \t]*:",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[A-Za-z0-9-]{1,40}")
_TYPE = re.compile(r"([\w!#$&^.+-]+)\s*/\s*([\w!#$&^.+-]+)", re.ASCII)
_LOOSE_BOUNDARY = re.compile(r"boundary\s*=\s*(?:\"([^\"]{1,200})|([^\s;\"]{1,200}))", re.I)
_SEEN_BOUNDARY = re.compile(
    rb"(?:\A|\n)--([^\s][^\r\n]{0,98})[ \t\r]{0,20}\ncontent-[a-z-]{1,40}[ \t]*:", re.IGNORECASE
)
_DEFAULT = "text/plain"
_MESSAGES = ("message/rfc822", "message/global")
_ENCODED = frozenset({"base64", "quoted-printable"})
_MAX_FIELD_SKIPS = 5


class Node:
    """One part: its header fields, and either its parts or its exact bytes.

    ``position`` is its place among its siblings and ``within`` the type of their multipart, empty
    for the message itself.
    """

    __slots__ = (
        "_parameters", "body", "children", "declared_type", "defects", "fields", "position",
        "values", "within",
    )  # fmt: skip

    def __init__(self, fields: list[tuple[str, str]], *, default_type: str = _DEFAULT) -> None:
        self.fields = fields
        self.values: dict[str, str] = {}
        for name, value in fields:
            self.values.setdefault(name.lower(), value)
        self.body = b""
        self.children: list[Node] | None = None
        self.defects: list[str] = []
        self.position = 0
        self.within = ""
        self.declared_type = _type_of(self.values.get("content-type", ""), default_type)
        self._parameters: dict[str, str] | None = None

    def raw_items(self) -> Iterator[tuple[str, str]]:
        """Give the header fields in order; bytes beyond ASCII are surrogate escapes."""
        return iter(self.fields)

    def get(self, name: str, default: str = "") -> str:
        """Give the first value of a header field."""
        return self.values.get(name.lower(), default)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.values

    @property
    def true_type(self) -> str:
        """The content type as declared, lower case, ``text/plain`` when it is none."""
        return self.declared_type

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the content type, decoded."""
        if self._parameters is None:
            value = self.values.get("content-type", "")
            self._parameters = headers.parameters(value[value.find(";") :]) if ";" in value else {}
        return self._parameters

    @property
    def encoding(self) -> str:
        """The transfer encoding in lower case, empty when none is declared."""
        found = _TOKEN.search(self.values.get("content-transfer-encoding", ""))
        return found[0].lower() if found else ""

    def payload(self) -> tuple[bytes, str]:
        """Give a leaf's decoded bytes; the second value names a fault of its encoding."""
        return decode_body(self.body, self.encoding)

    def get_payload(self, *, decode: bool = True) -> bytes:
        """Give a leaf's bytes, empty for a multipart."""
        return self.payload()[0] if decode else self.body


def read_tree(raw: bytes) -> Node:
    """Cut a message into its parts; raises LimitError when it breaks a limit."""
    too_large = limits.excess(raw)
    if too_large:
        raise LimitError(too_large)
    data = _tidy(raw)
    fields, at = _fields(data, 0, len(data))
    root = Node(fields)
    _Reader(data).read(root, at, 0)
    return root


def read_any(raw: bytes) -> tuple[Node, str]:
    """Read the whole tree, or the head of a message beyond a limit; name that. Never raises."""
    try:
        return read_tree(raw), ""
    except LimitError as error:
        return read_head(raw), str(error)


def read_head(raw: bytes) -> Node:
    """Read the first header fields and leave the body alone; never raises."""
    data = _tidy(raw[: limits.MAX_HEADER_BYTES])
    try:
        return Node(_fields(data, 0, len(data))[0])
    except LimitError as error:
        return Node(error.fields)


class _Reader:
    """One walk over a message: an own stack, and one count of parts for the whole of it."""

    def __init__(self, data: bytes, parts: int = 0) -> None:
        self.data = data
        self.parts = parts
        self.stack: list[tuple[Node, int, int, int]] = []

    def read(self, root: Node, start: int, level: int) -> None:
        self.stack.append((root, start, len(self.data), level))
        while self.stack:
            node, begin, end, depth = self.stack.pop()
            if node.declared_type.startswith("multipart/"):
                self._multipart(node, (begin, end), depth)
            else:
                node.body = self.data[begin:end]
                _check_message(node)

    def _multipart(self, node: Node, span: tuple[int, int], depth: int) -> None:
        if depth >= limits.MAX_DEPTH:
            raise LimitError(f"nested more than {limits.MAX_DEPTH} levels deep")
        spans = self._spans(node, span)
        if spans is None:
            self._whole(node, span, depth)
            return
        node.children = []
        default = _MESSAGES[0] if node.declared_type == "multipart/digest" else _DEFAULT
        for begin, end in spans:
            fields, at = _fields(self.data, begin, end)
            child = Node(fields, default_type=default)
            child.position, child.within = len(node.children), node.declared_type
            node.children.append(child)
            self.stack.append((child, at, end, depth + 1))

    def _spans(self, node: Node, span: tuple[int, int]) -> list[tuple[int, int]] | None:
        """Find the parts by the declared boundary, else by one that is seen; None without."""
        declared = _boundary(node)
        found = self._cut(node, declared, span) if declared else None
        if found is not None:
            return found
        node.defects.append("its boundary does not occur" if declared else "no boundary declared")
        seen = _SEEN_BOUNDARY.search(self.data, max(0, span[0] - 1), span[1])
        return self._cut(node, seen[1].rstrip(), span) if seen else None

    def _cut(
        self, node: Node, boundary: bytes, span: tuple[int, int]
    ) -> list[tuple[int, int]] | None:
        """RFC 2046 5.1.1: the line break before a delimiter belongs to the delimiter."""
        line = re.compile(rb"\n--" + re.escape(boundary) + rb"(--)?[ \t\r]*(?=\n|\Z)")
        spans: list[tuple[int, int]] = []
        begin = -1
        for found in line.finditer(self.data, max(0, span[0] - 1), span[1]):
            if begin >= 0:
                spans.append((begin, self._before(found.start(), begin)))
                self._count()
            begin = -1 if found[1] else min(found.end() + 1, span[1])
            if found[1]:
                return spans
        if begin < 0:
            return None
        node.defects.append("the closing boundary is missing")
        self._count()
        return [*spans, (begin, span[1])]

    def _before(self, at: int, begin: int) -> int:
        end = at - 1 if self.data[at - 1 : at] == b"\r" else at
        return max(end, begin)

    def _count(self) -> None:
        self.parts += 1
        if self.parts > limits.MAX_PARTS:
            raise LimitError(f"more than {limits.MAX_PARTS} parts")

    def _whole(self, node: Node, span: tuple[int, int], depth: int) -> None:
        """Keep a multipart without parts as one leaf, unless its encoding hides them."""
        node.body = self.data[span[0] : span[1]]
        if node.encoding not in _ENCODED:  # RFC 2045 6.4 forbids them here; some write them
            return
        decoded, boundary = decode_body(node.body, node.encoding)[0], _boundary(node)
        if boundary and b"--" + boundary in decoded:
            node.values["content-transfer-encoding"] = ""
            inner = _Reader(b"\n" + decoded, self.parts)
            inner.read(node, 1, depth + 1)
            self.parts = inner.parts


def _fields(data: bytes, begin: int, end: int) -> tuple[list[tuple[str, str]], int]:
    """Read header fields up to the empty line; give them and where the body begins."""
    found: list[tuple[str, str]] = []
    at, skipped = begin, 0
    while at < end:
        field = _FIELD.match(data, at, end)
        if field is not None:
            at = field.end()
            if field[1]:
                found.append((_text(field[1]), _text(field[2]).strip(" \t\r\n")))
            _check_head(found, at - begin)
            continue
        blank = _BLANK.match(data, at, end)
        if blank is not None:
            return found, blank.end()
        after = _skip(data, at, end, first=not found) if skipped < _MAX_FIELD_SKIPS else None
        if after is None:
            return found, at
        at, skipped = after, skipped + 1
    return found, end


def _check_head(found: list[tuple[str, str]], size: int) -> None:
    if size > limits.MAX_HEADER_BYTES:
        kilobytes = limits.MAX_HEADER_BYTES // 1024
        raise LimitError(f"its headers are larger than {kilobytes} KB", found[:-1])
    if len(found) > limits.MAX_HEADERS:
        raise LimitError(f"more than {limits.MAX_HEADERS} headers", found)


def _skip(data: bytes, at: int, end: int, *, first: bool) -> int | None:
    """Pass over an mbox line, or a stray one with a header right below it; None at a text."""
    line = (_MBOX_LINE if first else _LINE).match(data, at, end)
    if line is None:
        return None
    if first or _WELL_KNOWN.match(data, line.end(), end):
        return line.end()
    return None


def _boundary(node: Node) -> bytes:
    found = node.parameters.get("boundary", "")
    if not found:
        loose = _LOOSE_BOUNDARY.search(headers.unfold(node.get("content-type")))
        found = (loose[1] or loose[2]) if loose else ""
    return _octets(found).rstrip()[:400]


def _type_of(value: str, default: str) -> str:
    if not value:
        return default
    found = _TYPE.match(headers.unfold(value).lstrip(" \t\"';"))
    return f"{found[1]}/{found[2]}".lower() if found else _DEFAULT


def _check_message(node: Node) -> None:
    if node.declared_type in _MESSAGES and node.body.count(b"/rfc822") > limits.MAX_DEPTH:
        raise LimitError(f"nested more than {limits.MAX_DEPTH} levels deep")


def _tidy(raw: bytes) -> bytes:
    """Drop what stands before the first field, and give a message of bare CR line ends."""
    tidy = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    if b"\n" not in tidy and b"\r" in tidy:
        return tidy.replace(b"\r", b"\n")
    return tidy


def _text(raw: bytes) -> str:
    return raw.decode("ascii", "surrogateescape")


def _octets(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")
