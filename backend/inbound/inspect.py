"""Read and classify one message offline, for the ``inspect`` command. Pure, never raises."""

from __future__ import annotations

import re

from backend.mime.charset import decode
from backend.mime.classify import classify
from backend.mime.limits import MAX_BYTES
from backend.mime.parse import parse_with_tree
from backend.mime.reply import split_reply
from backend.mime.tree import read_head
from backend.model.inspected import InspectedMail

_FIELD = re.compile(rb"\s*(?:>?From |[!-9;-~]+[ \t]*:)")
# what programs write and people do not: a pasted "From: ... Subject: ..." is still a text
_MACHINE = frozenset(
    {"message-id", "received", "mime-version", "return-path", "content-type", "delivered-to"}
)


def inspect_mail(raw: bytes) -> InspectedMail:
    """Read a message as it came over the wire, and say what kind of message it is."""
    mail, tree = parse_with_tree(raw)
    classification = classify(tree)
    parts = split_reply(mail.text)
    return InspectedMail(
        from_email=mail.from_address,
        from_name=mail.from_name,
        subject=mail.subject,
        message_id=mail.message_id,
        text="" if mail.text_is_derived else mail.text,
        reply_text=parts.reply,
        elided_text=parts.elided,
        attachments=mail.attachments,
        kind=classification.kind,
        evidence=classification.evidence,
        recipients=classification.recipients,
        defects=mail.defects,
    )


def inspect_text(raw: bytes) -> InspectedMail:
    """Part a bare text, as a person wrote it, into reply and quotation."""
    text = decode(raw[:MAX_BYTES])[0]
    parts = split_reply(text)
    return InspectedMail(text=text, reply_text=parts.reply, elided_text=parts.elided)


def inspect_file(raw: bytes, name: str) -> InspectedMail:
    """Read a file as a message, or as a bare text when it has no header of a message.

    The ``name`` only settles what both may be: lines such as ``From:`` at the head of a .txt.
    """
    return inspect_mail(raw) if _is_message(raw, name) else inspect_text(raw)


def _is_message(raw: bytes, name: str) -> bool:
    if not _FIELD.match(raw):
        return False
    return not name.lower().endswith(".txt") or not _MACHINE.isdisjoint(read_head(raw).values)
