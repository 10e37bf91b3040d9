"""The mail the world's people write: plain, HTML, attachments, other charsets, quoted replies.

All are real MIME, made with the standard library, so that parsing them is real work.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from backend.demo.places import Person

# GTUBE, https://spamassassin.apache.org/gtube/: the sandbox's spam scan knows it, as SES's does.
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

# QUIRK(CPython): the standard policy folds a long In-Reply-To into encoded words; people do not
_POLICY = SMTP.clone(max_line_length=998)

_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail ready for the SMTP door; ``message_id`` is the marker the ledger looks for."""

    message_id: str
    sender: str
    recipient: str
    subject: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The mail a letter answers: its Message-ID as received, its subject and some of its text."""

    message_id: str
    subject: str
    text: str


def write(
    person: Person, recipient: str, *, message_id: str, subject: str, text: str
) -> EmailMessage:
    """Begin a letter in plain text, in a charset such a text would come in."""
    mail = EmailMessage(policy=_POLICY)
    local, _, domain = person.address.partition("@")
    mail["From"] = Address(display_name=person.name, username=local, domain=domain)
    mail["To"] = recipient
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{message_id}>"
    mail.set_content(text, charset=_charset(text))
    return mail


def _charset(text: str) -> str:
    for charset in ("us-ascii", "iso-8859-1", "iso-2022-jp"):
        try:
            text.encode(charset)
        except UnicodeEncodeError:
            continue
        return charset
    return "utf-8"


def answering(mail: EmailMessage, answered: Answered) -> EmailMessage:
    """Make a letter a reply: In-Reply-To, References, ``Re:`` and the quoted original."""
    del mail["Subject"]
    mail["Subject"] = f"Re: {answered.subject}"
    mail["In-Reply-To"] = answered.message_id
    mail["References"] = answered.message_id
    said = str(mail.get_content())
    quoted = "\n".join(f"> {line}" for line in answered.text.splitlines())
    text = f"{said}\nOn Friday, Support wrote:\n{quoted}\n"
    mail.set_content(text, charset=_charset(text))
    return mail


def decorate(mail: EmailMessage, rng: random.Random) -> EmailMessage:
    """Give a letter what real ones have: sometimes an HTML part, sometimes a file."""
    text = str(mail.get_content())
    if rng.random() < 0.5:
        page = "".join(f"<p>{escape(line)}</p>" for line in text.splitlines() if line)
        mail.add_alternative(f"<html><body>{page}</body></html>", subtype="html")
    if rng.random() < 0.3:
        mail.add_attachment(_PNG, maintype="image", subtype="png", filename="écran d'erreur.png")
    elif rng.random() < 0.2:
        mail.add_attachment("time,event\n10:01,link down\n", subtype="csv", filename="log.csv")
    return mail


def out_of_office(mail: EmailMessage) -> EmailMessage:
    """Mark a letter as an automatic answer (RFC 3834)."""
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_content("I am out of the office until Monday and will answer then.\n")
    return mail


def with_program(mail: EmailMessage, name: str) -> EmailMessage:
    """Give a letter a file that can do harm by its name and by its first bytes."""
    mail.add_attachment(
        b"MZ\x90\x00 not a program", maintype="application", subtype="octet-stream", filename=name
    )
    return mail


def spam(mail: EmailMessage) -> EmailMessage:
    """Make a letter one that any spam scan must catch."""
    mail.set_content(f"Dear friend, you have won.\n{GTUBE}\n")
    return mail


def sealed(mail: EmailMessage, sender: str) -> Letter:
    """Finish a letter for the SMTP door."""
    return Letter(
        message_id=str(mail["Message-ID"]).strip("<>"),
        sender=sender,
        recipient=str(mail["To"]),
        subject=str(mail["Subject"]),
        data=mail.as_bytes(),
    )
