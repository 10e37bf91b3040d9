"""Notices of SES that a topic sends by mail, as JSON in the body. No I/O.

Bounces, complaints and deliveries. Shape: the SES notification itself, or an SNS envelope whose
``Message`` holds it as a string (AWS: "Amazon SNS notification examples for Amazon SES").
"""

from __future__ import annotations

import json
from typing import Any

from backend.mime.dsn import assess
from backend.model.automated import BounceRecipient, Classification, Complaint, Kind

MAX_RECIPIENTS = 500
Json = dict[str, Any]


def read_notice(text: str) -> Classification | None:
    """Read the notice; None when the text is none."""
    notice = _object(text)
    if isinstance(notice.get("Message"), str):
        notice = _object(notice["Message"])
    kind = str(notice.get("notificationType") or notice.get("eventType") or "").lower()
    body = notice.get(kind)
    if not isinstance(body, dict):
        return None
    ids = _ids(notice)
    evidence = (f"a {kind} notice of Amazon SES",)
    if kind == "complaint":
        complaint = Complaint(
            feedback_type=str(body.get("complaintFeedbackType") or "abuse"),
            recipients=tuple(r.address for r in _recipients(body.get("complainedRecipients"), "")),
            original_message_ids=ids,
            reporter=str(body.get("userAgent") or "")[:200],
        )
        return Classification(
            kind=Kind.COMPLAINT, evidence=evidence, original_message_ids=ids, complaint=complaint
        )
    found = _bounced(kind, body)
    if not found:
        return None
    return Classification(
        kind=Kind.BOUNCE, evidence=evidence, recipients=found, original_message_ids=ids
    )


def _object(text: str) -> Json:
    start = text.find("{")
    # QUIRK(Sendmail): a line over 990 bytes is cut with "!", a line end and a space
    text = text.replace("!\n ", "")
    # anything but white space before the object is somebody's letter about it
    if start < 0 or text[:start].strip():
        return {}
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _bounced(kind: str, body: Json) -> tuple[BounceRecipient, ...]:
    if kind == "bounce":
        return _recipients(body.get("bouncedRecipients"), "")
    if kind == "delivery":
        return _recipients(body.get("recipients"), "delivered", str(body.get("smtpResponse") or ""))
    return ()


def _recipients(entries: Any, action: str, said: str = "") -> tuple[BounceRecipient, ...]:
    """Read ``[{emailAddress, status, diagnosticCode, action}]`` or plain addresses."""
    found = []
    for entry in entries[:MAX_RECIPIENTS] if isinstance(entries, list) else ():
        fields = entry if isinstance(entry, dict) else {"emailAddress": entry}
        found.append(
            assess(
                str(fields.get("emailAddress") or ""),
                stated=str(fields.get("status") or ""),
                diagnostic=str(fields.get("diagnosticCode") or said),
                action=str(fields.get("action") or action).lower(),
            )
        )
    return tuple(found)


def _ids(notice: Json) -> tuple[str, ...]:
    mail = notice.get("mail")
    found = mail.get("messageId") if isinstance(mail, dict) else None
    return (found,) if isinstance(found, str) else ()
