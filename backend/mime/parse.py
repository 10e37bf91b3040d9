"""Read one raw message into a ParsedMail; never raises, records what was wrong. No I/O.

Reading and decoding are our own: the standard library's fail on headers such as
``Message-ID: <[x]>`` under ``policy.default`` and take seconds for hostile mail under both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.mime import headers, limits
from backend.mime.limits import LimitError
from backend.mime.parts import Content, read_content
from backend.mime.tree import read_head, read_tree
from backend.model.inbound import ParsedMail

if TYPE_CHECKING:
    from backend.mime.tree import Node

UNREADABLE = "unreadable: "
"""A message with a defect that begins so was not taken apart."""
MAX_SUBJECT = 998  # RFC 5322 2.1.1


def parse(raw: bytes) -> ParsedMail:
    """Read a message as well as its faults allow; ``defects`` says what they are."""
    return parse_with_tree(raw)[0]


def parse_with_tree(raw: bytes) -> tuple[ParsedMail, Node]:
    """Read a message and give its tree as well, for ``classify``; one parse serves both.

    Of a message beyond the limits the tree holds the headers only.
    """
    try:
        tree = read_tree(raw)
    except LimitError as error:
        return unreadable(raw, str(error))
    return _assemble(tree, read_content(tree)), tree


def unreadable(raw: bytes, why: str) -> tuple[ParsedMail, Node]:
    """Keep what the first headers say, so that a person can tell what was held back."""
    head = read_head(raw)
    return _assemble(head, Content(defects=(UNREADABLE + why,))), head


def _assemble(message: Node, content: Content) -> ParsedMail:
    values = _values(message)
    name, address = _author(values)
    to, cc = _people(values, "to"), _people(values, "cc")
    defects = list(content.defects)
    if len(to) + len(cc) > limits.MAX_ADDRESSES:
        defects.append(f"more than {limits.MAX_ADDRESSES} addresses; the rest was left out")
    if "@" not in address:
        defects.append("no usable From header")
    own = headers.message_ids(values.get("message-id", ""))
    return ParsedMail(
        message_id=own[0] if own else "",
        in_reply_to=headers.message_ids(values.get("in-reply-to", "")),
        references=headers.message_ids(values.get("references", "")),
        from_name=name,
        from_address=address,
        to=tuple(address for _, address in to[: limits.MAX_ADDRESSES]),
        cc=tuple(address for _, address in cc[: max(0, limits.MAX_ADDRESSES - len(to))]),
        subject=headers.text(values.get("subject", ""))[:MAX_SUBJECT],
        date=headers.date(values["date"]) if "date" in values else None,
        text=content.text,
        text_is_derived=content.text_is_derived,
        html=content.html,
        attachments=content.attachments,
        auto_submitted=headers.first_token(values.get("auto-submitted", "")),
        defects=tuple(dict.fromkeys(defects)),
        header_fields=tuple((name, str(value)) for name, value in message.raw_items()),
    )


def _values(message: Node) -> dict[str, str]:
    """Give each header's first value by lower case name, surrogate escapes and all."""
    found: dict[str, str] = {}
    for name, value in message.raw_items():
        found.setdefault(name.strip().lower(), str(value))
    return found


def _people(values: dict[str, str], name: str) -> list[tuple[str, str]]:
    return headers.addresses(values[name]) if name in values else []


def _author(values: dict[str, str]) -> tuple[str, str]:
    """Give name and address of the author; the address may be no address at all."""
    people = _people(values, "from") or _people(values, "sender")
    return people[0] if people else headers.loose_person(values.get("from", ""))
