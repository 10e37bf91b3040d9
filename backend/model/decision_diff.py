"""The difference between what was decided over a message and what would be decided now. Pure.

Both sides are put in the same terms: a message that went, or would go, to a target is
``forwarded`` for the reason its route was chosen, however the target has answered since.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.model.inbound import InboundMessage, InboundStatus, Reason, Stage, Step
from backend.model.views import InboundQuery

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

DECIDING = (Stage.PARSE, Stage.SCREEN, Stage.MATCH, Stage.ROUTE)
NEW_THREAD = "new"
_WENT = frozenset({InboundStatus.FORWARDED, InboundStatus.FORWARDING})
_NO_QUERY = InboundQuery()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which messages are meant: these ``ids``, or when there are none those of ``query``."""

    ids: tuple[str, ...] = ()
    query: InboundQuery = _NO_QUERY


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field that would differ; empty stands for none."""

    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionDiff:
    """The recorded and the new decision over one message.

    ``old`` and ``new`` name the course in a few words; ``changes`` hold every field that differs
    (status, reason, target, action, ref, thread, match, kind, tags, fields, content, and the
    verdict of each stage). ``error`` says why there is no new decision, ``refused`` why the
    message may not be processed again; a refused one has its difference all the same.
    """

    inbound_id: str
    received_at: datetime
    sender: str
    recipient: str
    subject: str
    old: str
    new: str = ""
    changes: Mapping[str, Change] = field(default_factory=dict)
    error: str = ""
    refused: str = ""

    @property
    def changed(self) -> bool:
        """Whether the new decision differs."""
        return bool(self.changes)

    @property
    def sentence(self) -> str:
        """Tell it in one line."""
        if self.error:
            return self.error
        if not self.changed:
            return f"unchanged: {self.old}"
        if self.old == self.new:
            return f"{self.old}; other {', '.join(self.changes)}"
        return f"{self.old} -> {self.new}"

    def as_json(self) -> dict[str, object]:
        """Write it as one JSON object; docs/reprocessing.md lists the fields."""
        return {
            "inbound_id": self.inbound_id,
            "received_at": self.received_at,
            "sender": self.sender,
            "recipient": self.recipient,
            "subject": self.subject,
            "changed": self.changed,
            "old": self.old,
            "new": self.new,
            "changes": {
                name: {"old": one.old, "new": one.new} for name, one in self.changes.items()
            },
            "error": self.error or None,
            "refused": self.refused or None,
        }


def compare(
    recorded: InboundMessage,
    recorded_steps: Sequence[Step],
    new: InboundMessage,
    new_steps: Sequence[Step],
) -> DecisionDiff:
    """Compare the recorded decision with a new one whose message has its status set."""
    was, is_now = decision_fields(recorded, recorded_steps), decision_fields(new, new_steps)
    changes = {
        name: Change(old=was[name], new=is_now[name]) for name in was if was[name] != is_now[name]
    }
    if recorded.text != new.text or recorded.reply_text != new.reply_text:
        changes["content"] = Change(old=_length(recorded), new=_length(new))
    return about(recorded, was, new=_course(is_now), changes=changes)


def about(
    recorded: InboundMessage,
    was: Mapping[str, str],
    *,
    new: str = "",
    changes: Mapping[str, Change] | None = None,
    error: str = "",
) -> DecisionDiff:
    """Make the difference of a message from what is known of it."""
    return DecisionDiff(
        inbound_id=recorded.id,
        received_at=recorded.received_at,
        sender=recorded.from_address or recorded.envelope_from,
        recipient=recorded.recipient,
        subject=recorded.subject,
        old=_course(was),
        new=new,
        changes=changes or {},
        error=error,
    )


def decision_fields(message: InboundMessage, steps: Sequence[Step]) -> dict[str, str]:
    """Give a decision as named words, in the order in which people read them."""
    went, route = message.status in _WENT, message.route
    fields = {
        "status": InboundStatus.FORWARDED.value if went else message.status.value,
        "reason": (_route_reason(steps) or message.reason if went else message.reason).value,
        "target": route.target.value if route else "",
        "action": route.action.value if route else "",
        "ref": route.ref if route else "",
        "tenant": message.tenant_id,
        "match": message.reply_match_status.value,
        "thread": message.thread_id or (NEW_THREAD if went else ""),
        "contact": message.contact_id or "",
        "kind": message.kind.value,
        "tags": ", ".join(sorted(message.tags)),
        "fields": ", ".join(f"{name}={value}" for name, value in sorted(message.fields.items())),
    }
    return fields | {stage.value: _verdict(stage, steps) for stage in DECIDING}


def _verdict(stage: Stage, steps: Sequence[Step]) -> str:
    mine = [f"{step.finding.value} {step.reason.value}" for step in steps if step.stage is stage]
    return ", ".join(dict.fromkeys(mine))


def _route_reason(steps: Sequence[Step]) -> Reason | None:
    of_route = [step.reason for step in steps if step.stage is Stage.ROUTE]
    return of_route[-1] if of_route else None


def _course(fields: Mapping[str, str]) -> str:
    names = ("status", "reason", "target", "action", "ref")
    return " ".join(fields[name] for name in names if fields[name])


def _length(message: InboundMessage) -> str:
    return f"{len(message.text):,} characters, {len(message.reply_text):,} of them new"
