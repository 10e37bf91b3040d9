"""The parts of a message: which are its text, which its files, decoded byte for byte. No I/O."""

from __future__ import annotations

import binascii
import quopri
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from backend.mime import headers
from backend.mime.body import html_to_text
from backend.mime.charset import decode
from backend.model.inbound import AttachmentInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.mime.tree import Node

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")
_PATH = re.compile(r"^.*[/\\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What the body of a message holds; ``text`` is made from ``html`` when there is no text."""

    text: str = ""
    html: str = ""
    attachments: tuple[AttachmentInfo, ...] = ()
    defects: tuple[str, ...] = ()


@dataclass(slots=True)
class _Gathered:
    texts: list[str] = field(default_factory=list)
    htmls: list[str] = field(default_factory=list)
    files: list[AttachmentInfo] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Part:
    """A leaf, or an attached message: its headers as text and the node itself."""

    node: Node
    type: str
    type_parameters: dict[str, str]
    disposition: str
    name: str


def read_content(message: Node) -> Content:
    """Take a parsed tree apart; raises RecursionError only from a tree that deep."""
    gathered = _Gathered()
    for node in _leaves(message, gathered.defects):
        _add(gathered, _part(node))
    html = "\n".join(gathered.htmls)
    text = "\n".join(gathered.texts)
    if html and not text.strip():
        text = html_to_text(html)
    return Content(
        text=text,
        html=html,
        attachments=tuple(gathered.files),
        defects=tuple(gathered.defects),
    )


def _leaves(message: Node, defects: list[str]) -> Iterator[Node]:
    """Walk in document order with an own stack; an attached message counts as one leaf."""
    stack = [message]
    while stack:
        node = stack.pop()
        defects += [f"{type(d).__name__}: {d.__doc__ or d}"[:120] for d in node.defects]
        children = node.children
        if children is not None:
            stack.extend(reversed(children))
        elif node.get_content_maintype() != "multipart" or node.raw_body.strip():
            yield node


def _part(node: Node) -> _Part:
    raw = {name.strip().lower(): str(value) for name, value in reversed(list(node.raw_items()))}
    content_type = raw.get("content-type", "")
    disposition = raw.get("content-disposition", "")
    parameters = headers.parameters(";" + content_type.partition(";")[2])
    extra = headers.parameters(";" + disposition.partition(";")[2])
    return _Part(
        node=node,
        type=node.true_type,
        type_parameters=parameters,
        disposition=headers.first_token(disposition),
        name=_PATH.sub("", extra.get("filename", "") or parameters.get("name", "")),
    )


def _add(gathered: _Gathered, part: _Part) -> None:
    data, fault = _payload(part.node)
    if fault:
        gathered.defects.append(fault)
    is_body = part.type in ("text/plain", "text/html") and part.disposition != "attachment"
    if not is_body or (part.name and part.disposition):
        gathered.files.append(_file(part, data))
        return
    text, honest = decode(data, part.type_parameters.get("charset", ""))
    if not honest and not data.isascii():
        gathered.defects.append("a part is not in the charset it declares")
    (gathered.htmls if part.type == "text/html" else gathered.texts).append(text)


def _file(part: _Part, data: bytes) -> AttachmentInfo:
    return AttachmentInfo(
        name=part.name[:255],
        content_type=part.type,
        size=len(data),
        sha256=sha256(data).hexdigest(),
        inline=part.disposition == "inline" or "content-id" in part.node,
    )


def _payload(node: Node) -> tuple[bytes, str]:
    """Decode a leaf's bytes; the second value names a fault of its transfer encoding."""
    raw = node.raw_body.encode("utf-8", "surrogateescape")
    encoding = headers.first_token(str(node.get("content-transfer-encoding", "")))
    if encoding == "base64":
        return _base64(raw)
    if encoding == "quoted-printable":
        return quopri.decodestring(raw), ""
    if encoding in ("x-uuencode", "uuencode", "uue", "x-uue"):
        return bytes(node.get_payload(decode=True) or b""), ""
    known = encoding in ("", "7bit", "8bit", "binary")
    return raw, "" if known else f"unknown transfer encoding {encoding[:40]!r}"


def _base64(raw: bytes) -> tuple[bytes, str]:
    """Decode leniently: strangers between the letters are dropped, a missing end is supplied."""
    body = raw.translate(None, b" \t\r\n")
    clean = _NOT_BASE64.sub(b"", body)
    fault = "" if clean == body else "strange characters in base64"
    letters = clean.rstrip(b"=")
    if b"=" in letters:  # several base64 texts one after the other, or rubbish after the end
        letters, fault = letters.partition(b"=")[0], "data after the end of base64"
    if len(letters) % 4 == 1:
        letters, fault = letters[:-1], "base64 ends in the middle of a byte"
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4)), fault
