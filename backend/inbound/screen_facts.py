"""Read a raw message with all that screening weighs. Pure, but slow: call it off the event loop."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from backend.inbound.policy import REPORTS
from backend.mime import headers
from backend.mime.classify import classify
from backend.mime.parse import UNREADABLE, parse_with_tree
from backend.mime.reply import split_reply
from backend.mime.sanitise import sanitise_html
from backend.model.automated import Classification
from backend.model.screening import MailFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.model.inbound import ParsedMail

MAX_RESULTS = 50
_LONGEST = 2_000
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
# our mark in what a bounce returns: as an attached message, its headers, or quoted text
_RETURNED = re.compile(
    rb"^[ \t>|]*X-Relay-Attempt:[ \t]*(?:\r?\n[ \t]+)?(att_[0-9A-Za-z]{20,40})\b",
    re.IGNORECASE | re.MULTILINE,
)
MAX_RETURNED = 20


def read_mail(raw: bytes) -> ParsedMail:
    """Parse and classify a message, add its new words and raw facts; never raises."""
    mail, tree = parse_with_tree(raw)
    unreadable = any(defect.startswith(UNREADABLE) for defect in mail.defects)
    # of a message beyond the limits only the headers were looked at: its class would be a guess
    found = Classification() if unreadable else classify(tree)
    facts = replace(
        read_facts(mail.header_fields),
        classification=found,
        returned_attempts=_returned(raw) if found.kind in REPORTS else (),
    )
    reply = split_reply(mail.text).reply.strip()
    return replace(mail, facts=facts, reply_text=reply, safe_html=sanitise_html(mail.html))


def read_facts(header_fields: Sequence[tuple[str, str]]) -> MailFacts:
    """Read trace, marks and authentication results from headers in their order."""
    fields = [(name.strip().lower(), value) for name, value in header_fields]
    return MailFacts(
        hops=sum(1 for name, _ in fields if name == "received"),
        loop_mark=_one(fields, "x-relay-loop"),
        attempt_id=_one(fields, "x-relay-attempt"),
        reply_token=_one(fields, "x-relay-reply-token"),
        authentication_results=_all(fields, "authentication-results")[:MAX_RESULTS],
        ses_spam=_one(fields, "x-ses-spam-verdict"),
        ses_virus=_one(fields, "x-ses-virus-verdict"),
    )


def _returned(raw: bytes) -> tuple[str, ...]:
    end = _END_OF_HEADERS.search(raw)
    if end is None:
        return ()
    found = (match[1].decode() for match in _RETURNED.finditer(raw, end.start()))
    return tuple(dict.fromkeys(found))[:MAX_RETURNED]


def _one(fields: list[tuple[str, str]], name: str) -> str:
    """Give the topmost value: the servers nearest to us write on top."""
    return next(iter(_all(fields, name)), "")


def _all(fields: list[tuple[str, str]], name: str) -> tuple[str, ...]:
    return tuple(headers.unfold(value)[:_LONGEST] for key, value in fields if key == name)
