"""What wrote a message, a person or which kind of machine, and what its report says. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from backend.model.explained import Explained


class Kind(Explained):
    """The six classes of inbound mail; each route has a policy for each."""

    HUMAN = "human", "Nothing shows that a machine wrote it."
    AUTO_REPLY = "auto_reply", "An automatic answer, such as an out-of-office note."
    AUTO_GENERATED = "auto_generated", "Written by a system: an alert, a scan, a notification."
    BOUNCE = "bounce", "A delivery report: failed, delayed or delivered."
    COMPLAINT = "complaint", "A feedback report: a recipient called our mail unwanted."
    LIST = "list", "Sent to a mailing list or to many subscribers."


class BounceReason(Explained):
    """Why a mail was not delivered, in words that do not depend on the system that says so."""

    USER_UNKNOWN = "user_unknown", "There is no such mailbox."
    HOST_UNKNOWN = "host_unknown", "The domain does not exist or takes no mail."
    MOVED = "moved", "The mailbox has moved."
    MAILBOX_FULL = "mailbox_full", "The mailbox is full."
    FILTERED = "filtered", "Refused once its content was seen, in words of an unknown mailbox."
    DISABLED = "disabled", "The mailbox exists, but is switched off or refuses everyone."
    SYSTEM_FULL = "system_full", "The receiving system is out of space."
    TOO_BIG = "too_big", "The mail is too large."
    CONTENT = "content", "The format or content of the mail is refused."
    SPAM = "spam", "The mail was judged to be spam."
    VIRUS = "virus", "The mail was judged to hold a virus."
    AUTHENTICATION = "authentication", "SPF, DKIM or DMARC failed, or a login was required."
    NO_REVERSE_DNS = "no_reverse_dns", "The sending address has no matching PTR record."
    BLOCKED = "blocked", "The sending address or host is blocked."
    RATE = "rate", "Too many mails or connections in a short time."
    NO_RELAY = "no_relay", "The host does not relay for this domain."
    SENDER_REFUSED = "sender_refused", "The sender address is refused."
    POLICY = "policy", "A rule of the receiving system refuses the mail."
    LOOP = "loop", "The mail went in circles."
    NETWORK = "network", "The host could not be reached."
    EXPIRED = "expired", "The mail waited too long."
    SYSTEM = "system", "The receiving system is out of order or set up wrongly."
    PROTOCOL = "protocol", "The two systems did not understand each other."
    DELIVERED = "delivered", "The mail was delivered."
    UNDEFINED = "undefined", "The report does not say."


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceRecipient:
    """One recipient of a delivery report.

    ``status`` is an RFC 3463 code such as ``5.1.1`` and ``reply_code`` an SMTP code such as
    ``550``, empty when the report has none. A report that states no RFC 3463 code gets one of the
    form ``5.0.911``, whose digits tell the reason, and is ``inferred``. ``hard`` means that the
    address itself is dead; ``action`` is one of RFC 3464 2.3.3: failed, delayed, delivered,
    relayed, expanded.
    """

    address: str
    status: str = ""
    reply_code: str = ""
    reason: BounceReason = BounceReason.UNDEFINED
    diagnostic: str = ""
    hard: bool = False
    action: str = "failed"
    inferred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A feedback report (RFC 5965); ``feedback_type`` is abuse, fraud, opt-out, not-spam..."""

    feedback_type: str = "abuse"
    recipients: tuple[str, ...] = ()
    original_message_ids: tuple[str, ...] = ()
    source_ip: str = ""
    reporter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """The kind of a message, what shows it (short strings), and what its report says.

    ``original_message_ids`` are those of the mail a bounce or complaint is about, unbracketed.
    """

    kind: Kind = Kind.HUMAN
    evidence: tuple[str, ...] = ()
    recipients: tuple[BounceRecipient, ...] = ()
    original_message_ids: tuple[str, ...] = ()
    complaint: Complaint | None = None
