"""How an inbound message was tied to a conversation, and what was odd about it. No I/O."""

from __future__ import annotations

from backend.model.explained import Explained


class MatchBy(Explained):
    """The evidence that named the conversation, the strongest first."""

    TOKEN_ADDRESS = "token_address", "A signed token in the envelope recipient."
    TOKEN_HEADER = "token_header", "A signed token in a header."
    IN_REPLY_TO = "in_reply_to", "In-Reply-To names a mail of the conversation."
    REFERENCES = "references", "References names a mail of the conversation."
    SUBJECT = "subject", "The subject names the ticket, and the sender takes part in it."
    ADDRESS = "address", "The recipient address names the ticket."
    HAND = "hand", "A person attached the message to the conversation."


class MatchFlag(Explained):
    """What a person should know of a match, or of a match that was not made."""

    BAD_TOKEN = "bad_token", "A reply token is not valid for this tenant and domain."
    CONFLICT = "conflict", "Token, headers, subject and address name different tickets."
    SENDER_NOT_PARTICIPANT = (
        "sender_not_participant",
        "The sender takes no part in the conversation it names.",
    )
    SENDER_NOT_PROVEN = "sender_not_proven", "SPF, DKIM or DMARC contradict the sender."
    SUBJECT_CHANGED = "subject_changed", "The subject is another one than that of the conversation."
    MESSAGE_ID_COLLISION = (
        "message_id_collision",
        "Another mail of this tenant has the same Message-ID and other content.",
    )
    TICKET_CLOSED = "ticket_closed", "The ticket was closed; the message opens it again."
    TICKET_MERGED = "ticket_merged", "The ticket was merged into another, which was followed."


class TicketStatus(Explained):
    """What the answers of a target told of a ticket."""

    OPEN = "open", "It takes notes."
    CLOSED = "closed", "A note opens it again."
    MERGED = "merged", "Another ticket has taken its place."
