"""Mail on its way in: arrivals, verdicts, steps of the explanation, routes, outcomes. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.model.automated import Kind
from backend.model.explained import Explained
from backend.model.screening import FileMarks, MailFacts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backend.model.matching import MatchBy, MatchFlag


class ScanVerdict(Explained):
    """One verdict of SES; only PASS is a pass and only FAIL is a failure."""

    PASS = "pass", "The check passed."
    FAIL = "fail", "The check failed."
    GRAY = "gray", "SES could not decide."
    PROCESSING_FAILED = "processing_failed", "The check itself failed."
    UNVERIFIED = "unverified", "No verdict came with the message."


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanVerdicts:
    """The five verdicts of a receipt; ``dmarc_policy`` is there only when DMARC failed."""

    spam: ScanVerdict = ScanVerdict.UNVERIFIED
    virus: ScanVerdict = ScanVerdict.UNVERIFIED
    spf: ScanVerdict = ScanVerdict.UNVERIFIED
    dkim: ScanVerdict = ScanVerdict.UNVERIFIED
    dmarc: ScanVerdict = ScanVerdict.UNVERIFIED
    dmarc_policy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What a source says of one message whose raw bytes already lie in the blob store.

    ``recipients`` are envelope RCPT TO addresses, never the To header; empty when the source does
    not know them (an S3 event), then intake reads them from the trace headers.
    """

    source: str
    blob_key: str
    recipients: tuple[str, ...]
    received_at: datetime
    envelope_from: str = ""
    verdicts: ScanVerdicts = field(default_factory=ScanVerdicts)
    size: int = 0


class Stage(Explained):
    """The stages of the inbound way, in their order."""

    INTAKE = "intake", "The raw bytes were stored and a row was made."
    PARSE = "parse", "The message was read."
    SCREEN = "screen", "Spam, virus and authentication verdicts were weighed."
    MATCH = "match", "An earlier conversation was looked for."
    ROUTE = "route", "The target was chosen by the envelope recipient."
    DELIVER = "deliver", "The target was called."
    SETTLE = "settle", "The outcome was recorded."


class Finding(Explained):
    """What a stage concluded."""

    OK = "ok", "Nothing stands in the way."
    NOTE = "note", "Worth knowing, does not change the way."
    QUARANTINE = "quarantine", "Kept back until a person looks."
    HOLD = "hold", "Kept until a setting or a target changes."
    STOP = "stop", "Stored and shown, but goes to no target."
    RETRY = "retry", "Will be tried again."


class Reason(Explained):
    """The named reason of each finding; a code for machines, a sentence for people."""

    STORED = "stored", "The raw message is stored."
    MESSAGE_ID_COLLISION = (
        "message_id_collision",
        "Another mail of this tenant has the same Message-ID and other content.",
    )
    PARSED = "parsed", "The message was read without defects."
    PARSED_WITH_DEFECTS = "parsed_with_defects", "The message was read as well as its faults allow."
    UNREADABLE = "unreadable", "The message is too large or too deeply nested to be read."
    RAW_MISSING = "raw_missing", "The raw message is no longer in the store."
    CLEAN = "clean", "All verdicts pass."
    VERDICT_MISSING = "verdict_missing", "Some checks were not made: neither pass nor failure."
    VERDICT_UNDECIDED = "verdict_undecided", "Some checks were made but could not decide."
    VERDICT_FAILED = "verdict_failed", "A check failed, but no policy asks to act on it."
    SPAM_VERDICT = "spam_verdict", "SES judged the message to be spam."
    VIRUS_VERDICT = "virus_verdict", "SES found a virus."
    AUTHENTICATION_FAILED = "authentication_failed", "DMARC, or SPF and DKIM both, failed."
    BLOCKLISTED = "blocklisted", "The sender is on the blocklist."
    ALLOWLISTED = "allowlisted", "The sender is on the allowlist: spam and authentication pass."
    UNSAFE_ATTACHMENT = "unsafe_attachment", "An attachment is of a kind that can do harm."
    ATTACHMENT_FLAGGED = "attachment_flagged", "An attachment cannot be looked into."
    MAIL_LOOP = "mail_loop", "The message goes in circles."
    OWN_MAIL = "own_mail", "The message is our own mail come back, or names us as its sender."
    RATE_CIRCUIT_OPEN = "rate_circuit_open", "Too much mail of this sender or conversation."
    CLASSIFIED = "classified", "The message was written by a machine."
    CLASS_POLICY = "class_policy", "The policy keeps this class of mail back."
    AUTO_REPLY = "auto_reply", "An automatic answer, such as an out-of-office note."
    AUTO_GENERATED = "auto_generated", "Written by a system; the policy sends it to no target."
    LIST_MAIL = "list_mail", "Mailing list mail; the policy sends it to no target."
    BOUNCE = "bounce", "A delivery report: feedback on a mail, never a ticket."
    COMPLAINT = "complaint", "A feedback report: a complaint about a mail, never a ticket."
    REPORT_USED = "report_used", "The report was put down to the mail it is about."
    REPORT_UNPROVEN = "report_unproven", "The report proves no mail of ours; nothing was changed."
    REPLY_MATCHED = "reply_matched", "The message belongs to a conversation of this tenant."
    REPLY_UNMATCHED = "reply_unmatched", "It answers no mail that this tenant sent or received."
    ANSWER_TICKET = "answer_ticket", "An answer to a mail of ours that has no ticket opens one."
    UNMATCHED_TOKEN = "unmatched_token", "Its reply token is not valid for this tenant and domain."
    SENDER_NOT_PARTICIPANT = (
        "sender_not_participant",
        "It answers a conversation that its sender takes no part in, or is not proven to.",
    )
    NOT_A_REPLY = "not_a_reply", "The message answers nothing."
    ADDRESS_PATTERN = "address_pattern", "The recipient address names the target."
    CUSTOM_DOMAIN = "custom_domain", "An address of a client's own domain that opens tickets."
    THREAD_TARGET = "thread_target", "The conversation it answers names the target."
    NO_ROUTE = "no_route", "No address pattern, domain or thread names a target."
    RULE_ROUTED = "rule_routed", "A routing rule names the target."
    RULE_QUARANTINED = "rule_quarantined", "A routing rule keeps the message back."
    RULE_DROPPED = "rule_dropped", "A routing rule drops the message; it is kept and shown."
    RULES_APPLIED = "rules_applied", "Routing rules were read and added tags or ticket fields."
    RULES_READ = "rules_read", "Routing rules were read; none of them fits."
    CATCH_ALL_TICKET = "catch_all_ticket", "The domain opens a ticket for any other address."
    CATCH_ALL_QUARANTINE = "catch_all_quarantine", "The domain keeps back mail to other addresses."
    UNKNOWN_TENANT = "unknown_tenant", "The address names a tenant we do not know."
    MISSING_DOMAIN = "missing_domain", "The recipient domain is none of ours."
    DELIVERED = "delivered", "The target took the message."
    ALREADY_DELIVERED = "already_delivered", "The target had it already; it was not sent twice."
    AUTO_RESPONSE_DUE = "auto_response_due", "The sender gets an automatic answer with the ticket."
    AUTO_RESPONSE_WITHHELD = "auto_response_withheld", "The sender gets no automatic answer."
    AUTO_RESPONSE_SENT = "auto_response_sent", "The automatic answer is handed to sending."
    AUTO_RESPONSE_REFUSED = "auto_response_refused", "The automatic answer could not be sent."
    TARGET_NOT_CONFIGURED = "target_not_configured", "No URL is set for this target."
    TARGET_REFUSED = "target_refused", "The target refused the message for good."
    TARGET_UNAVAILABLE = "target_unavailable", "The target did not answer; it is tried again."
    GAVE_UP = "gave_up", "The target did not answer for too long."
    REPROCESSED = "reprocessed", "A person asked for the message to be processed again."
    RELEASED = "released", "A person released the message from what held it."
    WAIVED = "waived", "What a person has released the message from holds it no more."
    ATTACHMENT_LEFT_OUT = "attachment_left_out", "Released without the attachment that can do harm."
    ROUTED_BY_HAND = "routed_by_hand", "A person named the target."
    ATTACHED_BY_HAND = "attached_by_hand", "A person attached the message to a conversation."
    DISCARDED_BY_HAND = "discarded_by_hand", "A person put the message away; it can be restored."
    MARKED_AS_SPAM = "marked_as_spam", "A person marked the message as spam; it can be restored."
    RESTORED = "restored", "A person took the message back to where it had been."
    INTERNAL_ERROR = "internal_error", "Our own code failed; the traceback is in the log."


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the explanation; ``evidence`` holds short strings, already cut to size."""

    stage: Stage
    finding: Finding
    reason: Reason
    evidence: Mapping[str, str] = field(default_factory=dict)


class InboundStatus(Explained):
    """Where one inbound message stands."""

    RECEIVED = "received", "Stored, waits for a worker."
    FORWARDING = "forwarding", "Decided; the target is being tried."
    FORWARDED = "forwarded", "The target took it."
    HELD = "held", "Kept until a setting or a target changes."
    QUARANTINED = "quarantined", "Kept back until a person looks."
    UNROUTED = "unrouted", "No target could be found for it."
    FAILED = "failed", "The target did not take it in all the time allowed."
    SUPPRESSED = "suppressed", "An automatic answer: stored, shown, sent to no target."
    DISCARDED = "discarded", "Put away by a person or a rule; kept and shown, sent to no target."


WAITING = frozenset(
    {
        InboundStatus.HELD,
        InboundStatus.QUARANTINED,
        InboundStatus.UNROUTED,
        InboundStatus.FAILED,
    }
)
"""The states on the Quarantine screen: a person may act on them."""


class TargetName(Explained):
    """The three products that take inbound mail."""

    PSA = "psa", "Tickets and notes."
    CRM = "crm", "Activities on contacts."
    PORTAL = "portal", "Replies of clients on their tickets."


class TargetAction(Explained):
    """What a target is asked to do."""

    NEW_TICKET = "new_ticket", "Open a ticket."
    ADD_NOTE = "add_note", "Add a note to a ticket."
    LOG_ACTIVITY = "log_activity", "Log an activity on a contact."
    ADD_REPLY = "add_reply", "Add the client's reply to a ticket."


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a message goes; ``ref`` is the ticket or contact id, empty for a new ticket."""

    target: TargetName
    action: TargetAction
    tenant_id: str
    ref: str = ""


class MatchStatus(Explained):
    """Whether an inbound message belongs to a conversation we know."""

    MATCHED = "matched", "It belongs to a conversation we know."
    UNMATCHED = "unmatched", "It answers something we do not know, or may not answer it."
    NONE = "none", "It answers nothing."


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The conversation a message belongs to, if any.

    ``tenant_id`` is the conversation's; ``route`` is where it goes on, None when it has no target.
    ``email_id`` is the mail of ours it answers, None when it answers another inbound message.
    ``contact_id`` is the sender's, whether or not a conversation was found.
    """

    status: MatchStatus
    email_id: str | None = None
    thread_id: str | None = None
    tenant_id: str = ""
    route: Route | None = None
    by: MatchBy | None = None
    flags: frozenset[MatchFlag] = frozenset()
    contact_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the pure stages concluded: the status to record and, when it goes on, the route."""

    status: InboundStatus
    reason: Reason
    steps: tuple[Step, ...]
    match: Match
    route: Route | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentInfo:
    """A part that is a file; the sums are of the decoded bytes, and ``sha1`` is not kept."""

    name: str
    content_type: str
    size: int
    sha256: str
    inline: bool = False
    sha1: str = ""
    marks: FileMarks = field(default_factory=FileMarks)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedMail:
    """One message as read; every text is decoded and none of it is trusted."""

    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    from_address: str = ""
    from_name: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    subject: str = ""
    date: datetime | None = None
    text: str = ""
    text_is_derived: bool = False
    html: str = ""
    # made where a message is read off the event loop: the new words alone, and HTML for browsers
    reply_text: str = ""
    safe_html: str = ""
    attachments: tuple[AttachmentInfo, ...] = ()
    auto_submitted: str = ""
    defects: tuple[str, ...] = ()
    facts: MailFacts = field(default_factory=MailFacts)
    # name and value of each header in order, not decoded: most messages never need them
    header_fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAway:
    """A message that a person discarded: where it stood, who it was and when.

    ``entry_id`` is the blocklist entry made with it, which goes when the message is restored.
    """

    status: InboundStatus
    reason: Reason
    by: str
    at: datetime
    entry_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """All that people decided so far; the decision stages follow it (inbound/hand_way.py).

    ``waived`` are the reasons it was released from, by whom and when for the last time. ``route``
    is the target a person named; its tenant is empty when the message has one of its own.
    ``thread_id`` is the conversation a person attached it to.
    """

    waived: frozenset[Reason] = frozenset()
    released_by: str = ""
    released_at: datetime | None = None
    route: Route | None = None
    routed_by: str = ""
    thread_id: str = ""
    attached_by: str = ""
    put_away: PutAway | None = None


NO_HAND = ByHand()


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """One message for one envelope recipient, as the log shows it."""

    id: str
    tenant_id: str
    source: str
    blob_key: str
    recipient: str
    envelope_from: str
    status: InboundStatus
    reason: Reason
    received_at: datetime
    size: int
    verdicts: ScanVerdicts
    message_id: str = ""
    from_address: str = ""
    from_name: str = ""
    subject: str = ""
    text: str = ""
    reply_text: str = ""
    reply_match_status: MatchStatus = MatchStatus.NONE
    reply_to_email_id: str | None = None
    thread_id: str | None = None
    contact_id: str | None = None
    match_flags: frozenset[MatchFlag] = frozenset()
    kind: Kind = Kind.HUMAN
    route: Route | None = None
    external_id: str = ""
    processed_at: datetime | None = None
    # of what makes a mail the same whichever way it came; empty when the raw bytes were not there
    content_sha256: str = ""
    # set by routing rules: ``fields`` are ticket fields such as queue, priority, asset
    tags: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    # written by the quarantine desk alone, never by processing
    by_hand: ByHand = NO_HAND
