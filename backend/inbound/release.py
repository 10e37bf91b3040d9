"""Tell from what a person may release a message, and what is to be done instead where not. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.inbound.screen import WAIVABLE
from backend.model.inbound import WAITING, InboundStatus, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.model.inbound import InboundMessage

RELEASABLE = WAIVABLE | {
    # the class of a mail may have been mistaken
    Reason.AUTO_REPLY,
    Reason.AUTO_GENERATED,
    Reason.LIST_MAIL,
    # the person vouches for the sender
    Reason.SENDER_NOT_PARTICIPANT,
    # a rule, or a domain, kept it back so that somebody looks: somebody has
    Reason.RULE_QUARANTINED,
    Reason.RULE_DROPPED,
    Reason.CATCH_ALL_QUARANTINE,
}
"""What is held for a person to look at: the person has looked."""

INSTEAD: Mapping[Reason, str] = {
    Reason.VIRUS_VERDICT: "a virus is never released; ask the sender for a clean mail",
    Reason.BLOCKLISTED: (
        "its sender is on the blocklist; take the entry off with"
        " `relay-console lists block remove`, then process it again"
    ),
    Reason.MAIL_LOOP: "it goes in circles and would do so again; break the loop where it turns",
    Reason.OWN_MAIL: "it is our own mail, or pretends to be; released it would loop",
    Reason.UNREADABLE: "it could not be read within the limits; ask the sender for a smaller mail",
    Reason.BOUNCE: "a delivery report is feedback on a mail and never goes to a target",
    Reason.COMPLAINT: "a complaint is feedback on a mail and never goes to a target",
    Reason.RAW_MISSING: "its raw message is gone, so there is nothing to hand on",
    Reason.TARGET_NOT_CONFIGURED: (
        "nothing holds it but a target without a URL; set the URL and process it again,"
        " or reroute it"
    ),
    Reason.TARGET_REFUSED: "its target refused it; reroute it, or process it again",
    Reason.GAVE_UP: "its target did not answer; process it again, or reroute it",
    Reason.INTERNAL_ERROR: "our own code failed on it; process it again",
    Reason.NO_ROUTE: "nothing holds it, but no target is known; reroute or attach it",
    Reason.UNKNOWN_TENANT: "nothing holds it, but its tenant is not known; reroute or attach it",
    Reason.MISSING_DOMAIN: "nothing holds it, but its domain is none of ours; reroute or attach it",
    Reason.UNMATCHED_TOKEN: "nothing holds it, but its token leads nowhere; reroute or attach it",
    Reason.DISCARDED_BY_HAND: "it was discarded; restore it first",
    Reason.MARKED_AS_SPAM: "it was marked as spam; restore it first",
}
"""For each other reason at which a message may rest: why it is not released, and what helps."""

_ON_ITS_WAY = frozenset({InboundStatus.RECEIVED, InboundStatus.FORWARDING})


def why_not_released(message: InboundMessage) -> str:
    """Say why a message may not be released; empty when it may."""
    if message.status in _ON_ITS_WAY:
        return "it is on its way; wait until it rests"
    if message.status is InboundStatus.FORWARDED:
        return "its target has it already"
    if message.reason in RELEASABLE:
        return ""
    return INSTEAD.get(message.reason, "nothing that can be lifted holds it; process it again")


def why_not_moved(message: InboundMessage) -> str:
    """Say why a message may not be discarded, or sent another way; empty when it may."""
    if message.status in _ON_ITS_WAY:
        return "it is on its way; wait until it rests"
    if message.by_hand.put_away is not None:
        return "it was put away; restore it first"
    if message.status is InboundStatus.FORWARDED:
        return "its target has it already"
    return ""


def why_not_put_away(message: InboundMessage) -> str:
    """Say why a message may not be discarded; empty when it may."""
    why = why_not_moved(message)
    if why or message.status in WAITING:
        return why
    return "it goes to no target as it is"
