"""What ``inspect`` finds in one message: its content, who wrote it, its report. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.model.automated import Kind

if TYPE_CHECKING:
    from backend.model.automated import BounceRecipient
    from backend.model.inbound import AttachmentInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedMail:
    """One message read and classified without a database.

    ``text`` is every inline plain text part, in order; ``reply_text`` and ``elided_text`` part the
    readable text, which comes from the HTML when there is no plain one. ``evidence`` says what
    decided the ``kind``; ``recipients`` are those of a bounce.
    """

    from_email: str = ""
    from_name: str = ""
    subject: str = ""
    message_id: str = ""
    text: str = ""
    reply_text: str = ""
    elided_text: str = ""
    attachments: tuple[AttachmentInfo, ...] = ()
    kind: Kind = Kind.HUMAN
    evidence: tuple[str, ...] = ()
    recipients: tuple[BounceRecipient, ...] = ()
    defects: tuple[str, ...] = ()
