"""Check an act itself, whatever message it is about."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.inbound.hand_way import action_for
from backend.inbound.recipient import MAX_REF
from backend.inbound.screen_admin import MAX_NOTE
from backend.model.inbound import TargetName
from backend.model.quarantine import Attach, Release, Reroute

if TYPE_CHECKING:
    from backend.model.quarantine import Act

LONGEST = timedelta(days=3650)
_OF = {TargetName.CRM: "contact", TargetName.PORTAL: "ticket"}


def check(act: Act) -> None:
    """Raise InvalidInputError naming what is wrong with an act."""
    if len(act.note) > MAX_NOTE:
        raise InvalidInputError(f"note: more than {MAX_NOTE} characters", field="note")
    match act:
        case Release():
            _check_release(act)
        case Reroute():
            _check_reroute(act)
        case Attach() if not act.to.strip():
            raise InvalidInputError(
                "to: name a thread, a mail of it, or a ticket number", field="to"
            )


def _check_release(act: Release) -> None:
    if act.lasting is not None and not timedelta() < act.lasting <= LONGEST:
        raise InvalidInputError(
            f"lasting: give a time of up to {LONGEST.days} days, or none for good", field="lasting"
        )
    if act.allow is None and (act.lasting or act.everywhere):
        raise InvalidInputError(
            "allow: say whether the address or the domain is to be allowed", field="allow"
        )


def _check_reroute(act: Reroute) -> None:
    if action_for(act.target, act.ref) is None:
        raise InvalidInputError(
            f"ref: {act.target.value} needs the id of a {_OF[act.target]}", field="ref"
        )
    if len(act.ref) > MAX_REF or not act.ref.isprintable():
        raise InvalidInputError(
            f"ref: an id has at most {MAX_REF} printable characters", field="ref"
        )
