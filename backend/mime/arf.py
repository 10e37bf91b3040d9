"""Feedback reports (RFC 5965, RFC 6591) and the plain complaints of some providers. No I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backend.mime import headers
from backend.mime.classify_sheet import original_ids
from backend.mime.tree import read_head
from backend.model.automated import Complaint

if TYPE_CHECKING:
    from backend.mime.classify_sheet import Sheet

_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,60})[ \t]*:[ \t]*(.*(?:\n[ \t]+\S.*)*)$", re.M)
_TYPE_LINE = re.compile(r"^feedback-type:[ \t]*[a-z-]+[ \t]*$", re.I | re.M)
_AGENT_LINE = re.compile(r"^(?:user-agent|source-ip|reported-domain|version):[ \t]*\S", re.I | re.M)
_JMRP = frozenset({"staff@hotmail.com", "complaints@email-abuse.amazonses.com"})
_ABOUT = re.compile(r"complaint about message from \d", re.I)
_TYPES = frozenset({"feedback-report", "abuse-report"})


def read_complaint(sheet: Sheet) -> Complaint | None:
    """Read a feedback report or a mail program's wish to unsubscribe; None when it is neither."""
    if _asks_to_leave(sheet):
        return Complaint(feedback_type="opt-out", recipients=(sheet.from_address,))
    text = _report(sheet)
    if text is None:
        return None
    fields = _fields(text)
    found = _addresses(fields, "original-rcpt-to", "removal-recipient")
    return Complaint(
        feedback_type=_one(fields, "feedback-type").lower() or "abuse",
        recipients=found or _originally_to(sheet),
        original_message_ids=original_ids(sheet.originals),
        source_ip=_one(fields, "source-ip"),
        reporter=_one(fields, "user-agent")[:200],
    )


def _asks_to_leave(sheet: Sheet) -> bool:
    """Whether a program answered our List-Unsubscribe address (RFC 2369 3.2) for its user."""
    automatic = sheet.first("auto-submitted").startswith("auto-")
    return automatic and sheet.subject.strip().lower() == "unsubscribe"


def _report(sheet: Sheet) -> str | None:
    if sheet.feedback:
        return "\n".join(sheet.feedback)
    if sheet.type == "multipart/report" and sheet.report_type in _TYPES:
        return sheet.text
    if sheet.originals and not sheet.passed_on:
        # QUIRK: on the way through gateways the machine's part becomes a text
        if _TYPE_LINE.search(sheet.text) and _AGENT_LINE.search(sheet.text):
            return sheet.text
        # QUIRK(Hotmail): a complaint of JMRP is a plain message with the original attached
        if sheet.from_address in _JMRP or _ABOUT.match(sheet.subject):
            return ""
    return None


def _fields(text: str) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in _FIELD.findall(text):
        fields.setdefault(name.lower(), []).append(" ".join(value.split()))
    return fields


def _one(fields: dict[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[0]


def _addresses(fields: dict[str, list[str]], *names: str) -> tuple[str, ...]:
    found = [
        address
        for name in names
        for value in fields.get(name, ())
        for _, address in headers.addresses(value)
    ]
    return tuple(dict.fromkeys(found))


def _originally_to(sheet: Sheet) -> tuple[str, ...]:
    """Take the recipients of the mail complained about: many reports blank their own fields."""
    for raw in sheet.originals:
        to = str(read_head(raw).get("to", ""))
        if to:
            return tuple(address for _, address in headers.addresses(to))
    return ()
