"""What an act on waiting mail would do, and did, in safe lines. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend import Attach, Discard, MarkSpam, Release, Reroute
from relay_console.safe import SafeText, safe
from relay_console.viewmodel.words import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend import Act, ActReport, Foreseen, SenderPart

_SENDER = 30
_SUBJECT = 34
_REFUSED = 3
"""Refusals told one by one; the rest is counted."""


def question(act: Act, count: int) -> SafeText:
    """Ask for an act on so many messages."""
    these = plural(count, "message")
    match act:
        case Reroute():
            said = f"Send {these} to {act.target.value} {act.ref}".rstrip()
        case Attach():
            said = f"Attach {these} to {act.to}"
        case MarkSpam():
            said = f"Mark {these} as spam" + _with_list("block", act.block)
        case Release():
            said = f"Release {these}" + _with_list("allow", act.allow)
        case _:
            said = f"{type(act).__name__} {these}"
    return safe(f"{said}?")


def _with_list(verb: str, part: SenderPart | None) -> str:
    return f" and {verb} the sender's {part.value}" if part else ""


def foreseen_lines(seen: Sequence[Foreseen]) -> tuple[SafeText, ...]:
    """Tell of each message what would become of it."""
    return tuple(line for one in seen for line in _foreseen(one))


def foreseen_notes(act: Act, more: int) -> tuple[SafeText, ...]:
    """Tell how many messages were not looked at, and whether the act can be undone."""
    notes = [f"And {plural(more, 'more message', 'more messages')}."] if more else []
    notes += ["u undoes this."] if isinstance(act, Discard | MarkSpam) else []
    return tuple(map(safe, notes))


def _foreseen(one: Foreseen) -> tuple[SafeText, SafeText]:
    message = one.message
    if message is None:
        return safe(one.id), safe(f"  {one.sentence}")
    sender = message.from_address or message.envelope_from or "<>"
    subject = message.subject or "(no subject)"
    head = f"{safe(sender, _SENDER)}  {safe(subject, _SUBJECT)}"
    return safe(head), safe(f"  {one.sentence}")


def told(report: ActReport) -> SafeText:
    """Say what was done and what was not, with the reasons."""
    said = []
    if len(report.done) == 1:
        said.append(f"{report.done[0].what[:1].upper()}{report.done[0].what[1:]}.")
    elif report.done:
        said.append(f"{plural(len(report.done), 'message')}: {report.done[0].what}.")
    whys = list(dict.fromkeys(one.why for one in report.refused))
    if whys:
        count = plural(len(report.refused), "message")
        rest = f" and {len(whys) - _REFUSED} other reasons" if len(whys) > _REFUSED else ""
        said.append(f"Not done to {count}: {'; '.join(whys[:_REFUSED])}{rest}.")
    return safe(" ".join(said))
