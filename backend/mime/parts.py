"""The parts of a message: which are its text, which its files, decoded byte for byte. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from hashlib import sha1, sha256
from typing import TYPE_CHECKING

from backend.mime import headers
from backend.mime.body import declared_charset, html_to_text
from backend.mime.charset import decode
from backend.mime.file_marks import read_marks
from backend.mime.tnef import files_inside, is_tnef, read_tnef
from backend.mime.transfer import uu_files
from backend.model.inbound import AttachmentInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.mime.tree import Node

MAX_GUESSES = 20  # parts whose charset is guessed by statistics: each costs milliseconds
_BODIES = ("text/plain", "text/html")
_TYPE = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+_-]{1,100}")
_PATH = re.compile(r"^.*[/\\]")
_REFERENCE = re.compile(r"cid:([^\"'\s>)]{1,300})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What the body of a message holds; ``text`` is made from ``html`` when there is no text.

    ``text_is_derived`` tells that no part was plain text: the text comes from HTML or from TNEF.
    """

    text: str = ""
    html: str = ""
    text_is_derived: bool = False
    attachments: tuple[AttachmentInfo, ...] = ()
    defects: tuple[str, ...] = ()


@dataclass(slots=True)
class _Gathered:
    texts: list[str] = field(default_factory=list)
    htmls: list[str] = field(default_factory=list)
    files: list[AttachmentInfo] = field(default_factory=list)
    content_ids: list[str] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    tnef_text: str = ""
    guesses: int = 0

    def add_file(self, file: AttachmentInfo, content_id: str = "") -> None:
        self.files.append(file)
        self.content_ids.append(content_id)


@dataclass(frozen=True, slots=True)
class _Part:
    """A leaf, or an attached message: its headers as text and the node itself."""

    node: Node
    type: str
    disposition: str
    name: str

    @property
    def is_body(self) -> bool:
        """Whether people read it as the message (RFC 8621 4.1.4): a text, and not as a file.

        A named text is a file unless it comes first, where programs put the letter itself.
        """
        if self.type not in _BODIES or self.disposition == "attachment":
            return False
        node = self.node
        if node.within == "multipart/related" and node.position:
            return False
        if self.name and self.disposition:
            return False
        return not self.name or not node.position or node.within == "multipart/alternative"


def read_content(message: Node) -> Content:
    """Take a parsed tree apart; never raises."""
    gathered = _Gathered()
    for node in _leaves(message, gathered.defects):
        _add(gathered, _part(node))
    html, text = "\n".join(gathered.htmls), "\n".join(gathered.texts)
    derived = not text.strip() and bool(html or gathered.tnef_text)
    if derived:
        text = html_to_text(html) or gathered.tnef_text
    return Content(
        text=text,
        html=html,
        text_is_derived=derived,
        attachments=_with_inline(gathered, html),
        defects=tuple(gathered.defects),
    )


def _with_inline(gathered: _Gathered, html: str) -> tuple[AttachmentInfo, ...]:
    """Mark the files that the HTML shows in its text."""
    shown = set(_REFERENCE.findall(html)) if any(gathered.content_ids) else set()
    return tuple(
        replace(file, inline=True) if content_id in shown and not file.inline else file
        for file, content_id in zip(gathered.files, gathered.content_ids, strict=True)
    )


def _leaves(message: Node, defects: list[str]) -> Iterator[Node]:
    """Walk in document order with an own stack; an attached message counts as one leaf."""
    stack = [message]
    while stack:
        node = stack.pop()
        defects += node.defects
        if node.children is not None:
            stack.extend(reversed(node.children))
        elif not node.true_type.startswith("multipart/") or node.body.strip():
            yield node


def _part(node: Node) -> _Part:
    disposition = node.get("content-disposition")
    extra = headers.parameters(";" + disposition.partition(";")[2]) if ";" in disposition else {}
    kind = node.true_type
    name = extra.get("filename") or extra.get("name") or node.parameters.get("name", "")
    if kind != "message/external-body":  # RFC 2046 5.2.3.4: there it is the path on another host
        name = _PATH.sub("", name)
    return _Part(
        node=node,
        # what is left of a multipart without its boundaries is a text to people
        type="text/plain" if kind.startswith("multipart/") else kind,
        disposition=headers.first_token(disposition) if disposition else "",
        name=name[:255],
    )


def _add(gathered: _Gathered, part: _Part) -> None:
    data, fault = part.node.payload()
    if fault:
        gathered.defects.append(fault)
    if part.is_body:
        _add_text(gathered, part, data)
        return
    if is_tnef(data) and _add_tnef(gathered, data):
        return
    gathered.add_file(_file(part, data), _content_id(part.node))


def _add_tnef(gathered: _Gathered, data: bytes) -> bool:
    """Take the files out of what Outlook wrapped up; False when the wrapping itself is to stay."""
    inside = read_tnef(data)
    gathered.tnef_text = gathered.tnef_text or inside.text
    # where a stream ends in the middle, a file may have its name and no bytes
    files = [file for file in files_inside(data) if file.data or not inside.broken]
    for file in files:
        kind = file.type if _TYPE.fullmatch(file.type) else "application/octet-stream"
        gathered.add_file(_info(_PATH.sub("", file.name)[:255], kind, file.data))
    if inside.broken:
        gathered.defects.append("winmail.dat ends in the middle")
    return bool(files) and not inside.broken


def _add_text(gathered: _Gathered, part: _Part, data: bytes) -> None:
    is_html = part.type == "text/html"
    charset = part.node.parameters.get("charset", "")
    if is_html and not charset and not data.isascii():
        charset = declared_charset(data)
    text, honest = decode(data, charset, guessing=gathered.guesses < MAX_GUESSES)
    if not honest and not data.isascii():
        gathered.guesses += 1
        gathered.defects.append("a part is not in the charset it declares")
    if is_html:
        gathered.htmls.append(text)
        return
    gathered.texts.append(_without_uu(gathered, data, text, charset))


def _without_uu(gathered: _Gathered, data: bytes, text: str, charset: str) -> str:
    """Take uuencoded files out of a text, as mail before MIME carried them."""
    files = uu_files(data) if b"begin" in data else []
    if not files:
        return text
    kept, at = [], 0
    for name, content, begin, end in files:
        kept.append(data[at:begin])
        at = end
        gathered.add_file(_info(_PATH.sub("", name)[:255], "application/octet-stream", content))
    return decode(b"\n".join([*kept, data[at:]]), charset, guessing=False)[0]


def _file(part: _Part, data: bytes) -> AttachmentInfo:
    found = _info(part.name, part.type, data)
    inline = part.disposition == "inline" or (
        part.disposition != "attachment" and "content-id" in part.node
    )
    return replace(found, inline=True) if inline else found


def _info(name: str, content_type: str, data: bytes) -> AttachmentInfo:
    return AttachmentInfo(
        name=name,
        content_type=content_type,
        size=len(data),
        sha256=sha256(data).hexdigest(),
        sha1=sha1(data, usedforsecurity=False).hexdigest(),
        marks=read_marks(content_type, data),
    )


def _content_id(node: Node) -> str:
    found = headers.message_ids(node.get("content-id"))
    return found[0] if found else ""
