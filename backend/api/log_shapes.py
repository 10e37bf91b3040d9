"""The log and its figures as JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backend.api.shapes import event_of, log_json, moment
from backend.model.analytics import THRESHOLDS, Figure, Figures, Rate
from backend.model.outbound import RecipientKind
from backend.model.stats import Counter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backend.model.analytics import Analytics
    from backend.model.log import LogEntry, SentLine


def line_json(entry: LogEntry) -> dict[str, Any]:
    """Give one line of the log, with the place that follows it."""
    return log_json(entry) | {"note": entry.note or None, "cursor": str(entry.cursor())}


def sent_list_json(lines: Sequence[SentLine], *, more: bool) -> dict[str, Any]:
    """Give sent mail as Resend lists it."""
    return {"object": "list", "has_more": more, "data": [_sent_json(line) for line in lines]}


def _sent_json(line: SentLine) -> dict[str, Any]:
    email = line.email

    def to(kind: RecipientKind) -> list[str]:
        return [one.address for one in email.recipients if one.kind is kind]

    return {
        "id": email.id,
        "message_id": email.ses_message_id,
        "from": email.sender,
        "to": to(RecipientKind.TO),
        "cc": to(RecipientKind.CC) or None,
        "bcc": to(RecipientKind.BCC) or None,
        "reply_to": None,
        "subject": email.subject,
        "created_at": moment(email.created_at),
        "scheduled_at": moment(email.scheduled_at) if email.scheduled_at else None,
        "last_event": event_of(email.status, line.seen),
    }


def stats_json(totals: Mapping[Counter, int]) -> dict[str, Any]:
    """Give what happened, and the rates among it: of what SES took, as AWS counts."""
    sent = totals.get(Counter.SENT, 0)  # ses.md section 5; no rate before anything was sent
    rates = {
        f"{name}_rate": round(totals.get(counter, 0) / sent, 6) if sent else None
        for name, counter in (
            ("delivery", Counter.DELIVERED),
            ("bounce", Counter.BOUNCED),
            ("complaint", Counter.COMPLAINED),
        )
    }
    return {"counts": {counter.value: totals.get(counter, 0) for counter in Counter}} | rates


def analytics_json(found: Analytics) -> dict[str, Any]:
    """Give the figures: in all, by day, by product, and the thresholds with how they stand."""
    total = found.total
    return {
        "object": "analytics",
        "since": moment(found.since),
        "until": moment(found.until),
        "total": _figures_json(total),
        "days": [{"day": f"{one.day:%Y-%m-%d}"} | _figures_json(one.figures) for one in found.days],
        "products": [
            {"product": name or None} | _figures_json(figures)
            for name, figures in found.products.items()
        ],
        "thresholds": {
            rate.value: {
                "warning": limit.warning,
                "danger": limit.danger,
                "state": limit.state(total.rate(rate)),
            }
            for rate, limit in THRESHOLDS.items()
        },
    }


def _figures_json(figures: Figures) -> dict[str, Any]:
    rates = {rate.value: figures.rate(rate) for rate in Rate}
    return {figure.value: figures[figure] for figure in Figure} | {
        name: None if value is None else round(value, 6) for name, value in rates.items()
    }
