"""The JSON of SES sending events (ses.md section 7; the developer guide's examples). No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backend.sandbox.accepted import stamp
from backend.sandbox.outcomes import OutcomeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"
_MTA = "dns; a8-50.smtp-out.amazonses.com"

# subtype -> type, enhanced status, diagnostic; "" is what a plain ``bounce`` means.
_BOUNCES = {
    "": ("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown"),
    "General": ("Transient", "General", "4.0.0", "smtp; 451 4.0.0 try again later"),
    "NoEmail": ("Permanent", "NoEmail", "5.1.1", "smtp; 550 5.1.1 no such mailbox"),
    "Suppressed": (
        "Permanent",
        "Suppressed",
        "5.1.1",
        (
            "Amazon SES has suppressed sending to this address because it has a recent history of "
            "bouncing as an invalid address."
        ),
    ),
    "OnAccountSuppressionList": (
        "Permanent",
        "OnAccountSuppressionList",
        "5.1.1",
        (
            "Amazon SES did not send the message to this address because it is on the suppression "
            "list for your account."
        ),
    ),
    "MailboxFull": ("Transient", "MailboxFull", "4.2.2", "smtp; 452 4.2.2 mailbox full"),
    "MessageTooLarge": ("Transient", "MessageTooLarge", "5.3.4", "smtp; 552 5.3.4 too big"),
    "ContentRejected": ("Transient", "ContentRejected", "5.6.0", "smtp; 554 5.6.0 content"),
    "AttachmentRejected": ("Transient", "AttachmentRejected", "5.6.0", "smtp; 554 5.6.0 file"),
    "Undetermined": ("Undetermined", "Undetermined", "", ""),
}


def send_event() -> dict[str, Any]:
    """Say that SES took the mail and will try to deliver it."""
    return {"eventType": "Send", "send": {}}


def outcome_event(
    kind: OutcomeKind, subtype: str, recipients: Sequence[str], *, at: datetime, feedback_id: str
) -> dict[str, Any]:
    """Say what became of the mail for some recipients at one domain."""
    return _BUILDERS[kind](subtype, recipients, stamp(at), feedback_id)


def _delivery(_: str, recipients: Sequence[str], at: str, feedback_id: str) -> dict[str, Any]:
    return {
        "eventType": "Delivery",
        "delivery": {
            "timestamp": at,
            "processingTimeMillis": 546,
            "recipients": list(recipients),
            "smtpResponse": f"250 ok: Message {feedback_id[:12]} accepted",
            "reportingMTA": "a8-50.smtp-out.amazonses.com",
        },
    }


def _bounce(subtype: str, recipients: Sequence[str], at: str, feedback_id: str) -> dict[str, Any]:
    kind, name, status, diagnostic = _BOUNCES.get(
        subtype, ("Permanent", subtype, "5.0.0", f"smtp; 550 5.0.0 {subtype}")
    )
    details = {"action": "failed", "status": status, "diagnosticCode": diagnostic}
    shown = {key: value for key, value in details.items() if status}
    return {
        "eventType": "Bounce",
        "bounce": {
            "feedbackId": feedback_id,
            "bounceType": kind,
            "bounceSubType": name,
            "bouncedRecipients": [{"emailAddress": who} | shown for who in recipients],
            "timestamp": at,
            "reportingMTA": _MTA,
        },
    }


def _absence(_: str, recipients: Sequence[str], at: str, feedback_id: str) -> dict[str, Any]:
    # SES reports an out-of-office reply as a Transient/General bounce without a diagnostic.
    return {
        "eventType": "Bounce",
        "bounce": {
            "feedbackId": feedback_id,
            "bounceType": "Transient",
            "bounceSubType": "General",
            "bouncedRecipients": [{"emailAddress": who} for who in recipients],
            "timestamp": at,
        },
    }


def _complaint(
    subtype: str, recipients: Sequence[str], at: str, feedback_id: str
) -> dict[str, Any]:
    return {
        "eventType": "Complaint",
        "complaint": {
            "feedbackId": feedback_id,
            "complaintSubType": None,
            "complainedRecipients": [{"emailAddress": who} for who in recipients],
            "timestamp": at,
            "userAgent": "Amazon SES Mailbox Simulator",
            "complaintFeedbackType": subtype or "abuse",
            "arrivalDate": at,
        },
    }


def _delay(subtype: str, recipients: Sequence[str], at: str, _: str) -> dict[str, Any]:
    details = {"status": "4.4.1", "diagnosticCode": "smtp; 421 4.4.1 unable to connect"}
    return {
        "eventType": "DeliveryDelay",
        "deliveryDelay": {
            "timestamp": at,
            "delayType": subtype or "TransientCommunicationFailure",
            "expirationTime": at,
            "delayedRecipients": [{"emailAddress": who} | details for who in recipients],
        },
    }


def _open(*about: Any) -> dict[str, Any]:
    at = about[2]
    return {
        "eventType": "Open",
        "open": {"ipAddress": "192.0.2.1", "timestamp": at, "userAgent": _AGENT},
    }


def _click(*about: Any) -> dict[str, Any]:
    subtype, at = about[0], about[2]
    return {
        "eventType": "Click",
        "click": {
            "ipAddress": "192.0.2.1",
            "timestamp": at,
            "userAgent": _AGENT,
            "link": subtype or "https://example.com/",
            "linkTags": None,
        },
    }


def _reject(*_: Any) -> dict[str, Any]:
    return {"eventType": "Reject", "reject": {"reason": "Bad content"}}


def _rendering_failure(subtype: str, *_: Any) -> dict[str, Any]:
    failure = {
        "templateName": "template",
        "errorMessage": f"Attribute '{subtype or 'name'}' is not present in the rendering data.",
    }
    # QUIRK(SES): this one event type is written with a space.
    return {"eventType": "Rendering Failure", "failure": failure}


_BUILDERS: dict[OutcomeKind, Callable[..., dict[str, Any]]] = {
    OutcomeKind.DELIVERY: _delivery,
    OutcomeKind.BOUNCE: _bounce,
    OutcomeKind.COMPLAINT: _complaint,
    OutcomeKind.DELAY: _delay,
    OutcomeKind.OPEN: _open,
    OutcomeKind.CLICK: _click,
    OutcomeKind.REJECT: _reject,
    OutcomeKind.RENDERING_FAILURE: _rendering_failure,
    OutcomeKind.OOTO: _absence,
}
