"""What a classifier needs of a message, gathered in one walk over the parsed tree. No I/O.

Attached messages are leaves of the tree, so a bounce that a person forwards as an attachment
stays inside its leaf and is no evidence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.mime import headers
from backend.mime.body import html_to_text
from backend.mime.charset import decode
from backend.mime.tree import read_head

if TYPE_CHECKING:
    from backend.mime.tree import Node

MAX_TEXT = 64 * 1024  # characters; reports say what they have to say at their beginning
MAX_ORIGINALS = 20
MAX_SUBJECT = 998  # RFC 5322 2.1.1
_DELIVERY = frozenset({"message/delivery-status", "message/global-delivery-status"})
_ORIGINAL = frozenset({"message/rfc822", "message/global"})
_ANSWERS = frozenset(
    {
        "message/disposition-notification",
        "message/global-disposition-notification",
        "text/calendar",
    }
)
# QUIRK: the singular is written by AOL and others
_ORIGINAL_HEAD = frozenset(
    {
        "text/rfc822-headers",
        "text/rfc822-header",
        "message/rfc822-headers",
        "message/global-headers",
    }
)
_COMMENT = re.compile(r"\([^()]*\)")
_MOVED_ON = re.compile(r"\s*(?:fwd?|wg|tr|rv|i|vs|doorst|enc|pd|re|aw|sv|antw|odp|res?p)\s*:", re.I)
_ID_LINE = re.compile(r"^[ \t>|]*message-id:[ \t]*(?:\n[ \t]+)?(<[^<>\s]+>)", re.I | re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Facts of one message; ``values`` holds each header's first value by lower case name.

    ``return_path`` is None when the message has none and empty for the null path ``<>``.
    ``originals`` are the heads of attached messages as raw bytes. ``answers`` names parts that
    programs write in answer: "receipt" (RFC 8098) and "meeting" (RFC 5546, METHOD:REPLY).
    """

    values: dict[str, str] = field(default_factory=dict)
    subject: str = ""
    from_name: str = ""
    from_address: str = ""
    to: tuple[str, ...] = ()
    return_path: str | None = None
    type: str = "text/plain"
    report_type: str = ""
    text: str = ""
    status: tuple[str, ...] = ()
    feedback: tuple[str, ...] = ()
    originals: tuple[bytes, ...] = ()
    answers: frozenset[str] = frozenset()

    def first(self, name: str) -> str:
        """Give the first word of a header in lower case, comments and parameters left out."""
        return headers.first_token(_COMMENT.sub(" ", headers.unfold(self.values.get(name, ""))))

    @property
    def passed_on(self) -> bool:
        """Whether the subject says that a person answers or forwards something."""
        return _MOVED_ON.match(self.subject) is not None


@dataclass(slots=True)
class _Parts:
    texts: list[str] = field(default_factory=list)
    htmls: list[str] = field(default_factory=list)
    status: list[str] = field(default_factory=list)
    feedback: list[str] = field(default_factory=list)
    originals: list[bytes] = field(default_factory=list)
    answers: set[str] = field(default_factory=set)


def read_sheet(message: Node) -> Sheet:
    """Gather the facts; raises nothing on any tree that ``read_tree`` gives."""
    values: dict[str, str] = {}
    for name, value in message.raw_items():
        values.setdefault(name.strip().lower(), str(value))
    people = headers.addresses(values.get("from", ""))
    name, address = people[0] if people else headers.loose_person(values.get("from", ""))
    parts = _parts(message)
    report = headers.parameters(";" + values.get("content-type", "").partition(";")[2])
    return Sheet(
        values=values,
        subject=headers.text(values.get("subject", ""))[:MAX_SUBJECT],
        from_name=name,
        from_address=address.lower(),
        to=tuple(found.lower() for _, found in headers.addresses(values.get("to", ""))),
        return_path=_path(values.get("return-path")),
        type=message.true_type,
        report_type=report.get("report-type", "").strip().lower(),
        text=_joined(parts),
        status=tuple(parts.status),
        feedback=tuple(parts.feedback),
        originals=tuple(parts.originals),
        answers=frozenset(parts.answers),
    )


def original_ids(originals: tuple[bytes, ...], text: str = "") -> tuple[str, ...]:
    """Give the Message-IDs of attached originals, else those of a copy pasted into the text."""
    found: list[str] = []
    for raw in originals:
        found += headers.message_ids(str(read_head(raw).get("message-id", "")))[:1]
    if not found:
        found = [i for line in _ID_LINE.findall(text) for i in headers.message_ids(line)[:1]]
    return tuple(dict.fromkeys(found))[:MAX_ORIGINALS]


def _path(value: str | None) -> str | None:
    if value is None:
        return None
    plain = headers.unfold(value).strip().strip("<>").strip()
    return plain.lower()


def _parts(message: Node) -> _Parts:
    parts = _Parts()
    stack = [message]
    while stack:
        node = stack.pop()
        children = node.children
        if children is not None:
            stack.extend(reversed(children))
        else:
            _sort(parts, node)
    return parts


def _sort(parts: _Parts, node: Node) -> None:
    kind = node.true_type
    if kind in _DELIVERY:
        parts.status.append(leaf_text(node))
    elif kind == "message/feedback-report":
        parts.feedback.append(leaf_text(node))
    elif kind in _ORIGINAL or kind in _ORIGINAL_HEAD:
        if len(parts.originals) < MAX_ORIGINALS:
            parts.originals.append(_bytes(node)[:MAX_TEXT])
    elif kind in _ANSWERS:
        parts.answers |= _answer(node)
    elif kind == "text/html":
        parts.htmls.append(leaf_text(node))
    # a multipart without its parts is text as well: its boundary was lost on the way
    elif kind.startswith(("text/", "multipart/")):
        parts.texts.append(leaf_text(node))


def _answer(node: Node) -> set[str]:
    if node.true_type != "text/calendar":
        return {"receipt"}
    method = node.parameters.get("method", "").strip().lower()
    return {"meeting"} if method == "reply" else set()


def leaf_text(node: Node) -> str:
    """Give the decoded text of a leaf with bare line feeds, cut to size."""
    declared = headers.parameters(";" + str(node.get("content-type", "")).partition(";")[2])
    data = _bytes(node)[: 4 * MAX_TEXT]
    # QUIRK: Japanese systems declare nothing, or ASCII, and write ISO-2022-JP
    charset = "iso-2022-jp" if b"\x1b$" in data else declared.get("charset", "")
    text, _ = decode(data, charset)
    return text.replace("\r\n", "\n").replace("\r", "\n")[:MAX_TEXT]


def _bytes(node: Node) -> bytes:
    return bytes(node.get_payload(decode=True) or b"")


def _joined(parts: _Parts) -> str:
    text = "\n".join(parts.texts)[:MAX_TEXT]
    if text.strip():
        return text
    shown: list[str] = []
    for html in parts.htmls:  # hundreds of them may come, and each costs its time
        if sum(map(len, shown)) >= MAX_TEXT:
            break
        shown.append(html_to_text(html))
    return "\n".join(shown)[:MAX_TEXT]
