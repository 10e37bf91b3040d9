"""Who lives in the demo world: three clients of an MSP, their people and what they write.

Every name is made up and every domain ends in ``.example`` (RFC 2606), so nothing can leave.
"""

from __future__ import annotations

from dataclasses import dataclass

SHARED_DOMAIN = "relay.example"
WORLD_DOMAIN = "world.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone who writes to a client's desk; ``ref`` is the CRM contact id."""

    name: str
    address: str
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A tenant with its domain, which sends and receives, and its people."""

    name: str
    domain: str
    people: tuple[Person, ...]

    @property
    def sender(self) -> str:
        """The From of its notifications."""
        return f"{self.name} Support <notify@{self.domain}>"


def _people(domain: str, *entries: tuple[str, str, str]) -> tuple[Person, ...]:
    return tuple(
        Person(name=name, address=f"{local}@{domain}", ref=ref) for name, local, ref in entries
    )


CLIENTS = (
    Client(
        name="Northwind Dental",
        domain="northwind.example",
        people=_people(
            "customers.example",
            ("Ana García", "ana.garcia", "c-101"),
            ("Jürgen Groß", "juergen", "c-102"),
            ("Priya Nair", "priya", "c-103"),
            ("Tom O'Hara", "tom.ohara", "c-104"),
        ),
    ),
    Client(
        name="Fabrikam Legal",
        domain="fabrikam.example",
        people=_people(
            "lawyers.example",
            ("Zoë Lindqvist", "zoe", "c-201"),
            ("山田 太郎", "yamada", "c-202"),
            ("Marc Dubois", "marc", "c-203"),
        ),
    ),
    Client(
        name="Tailspin Toys",
        domain="tailspin.example",
        people=_people(
            "toyshops.example",
            ("Olga Petrova", "olga", "c-301"),
            ("Sam Lee", "sam.lee", "c-302"),
            ("Giulia Rossi", "giulia", "c-303"),
        ),
    ),
)

TICKETS = tuple(str(number) for number in range(1001, 1013))
"""Tickets the desk knows from the start."""

PROBLEMS = (
    "Printer on the second floor is offline",
    "Cannot sign in after the password change",
    "VPN drops every ten minutes",
    "Invoice mail goes to spam",
    "New starter on Monday needs an account",
    "Backup job failed last night",
    "Screen flickers when docked",
    "Kalender wird nicht synchronisiert, bitte prüfen",
    "Impossible d'ouvrir le dossier partagé",
    "共有フォルダーが開けません",
)

ANSWERS = (
    "Thanks, that worked.",
    "It still happens, see below.",
    "Yes, please go ahead tomorrow morning.",
    "Danke, läuft wieder!",
    "Merci, c'est réglé.",
    "ありがとうございます。解決しました。",
)

NOTICES = (
    ("Your request was received", "We have your request and will be in touch."),
    ("Update on your request", "An engineer is looking at it now. Can you confirm the time?"),
    (
        "Please confirm your appointment",
        "Tuesday at 10:00, on site. Reply to move it.",
    ),
    ("Your invoice for October", "Please find the invoice attached."),
    ("Password reset requested", "If this was not you, reply to this mail."),
)

TEMPLATE = "ticket-opened"
"""The alias of the template that every client has."""

CONTRACT = "Signed contract"
"""The subject of the one mail whose harmful-looking attachment is awaited."""

# What the sandbox does with mail to these; the rest is delivered.
BEHAVIOURS = {
    "gone@customers.example": ("bounce",),
    "left@lawyers.example": ("bounce",),
    "closed@toyshops.example": ("bounce",),
    "annoyed@customers.example": ("delivery", "complaint"),
    "angry@toyshops.example": ("delivery", "complaint"),
    "slow@lawyers.example": ("delay", "delivery"),
    "zoe@lawyers.example": ("delivery", "open", "click"),
    "ana.garcia@customers.example": ("delivery", "open"),
}
BAD_ADDRESSES = tuple(a for a, what in BEHAVIOURS.items() if "bounce" in what)
COMPLAINERS = tuple(a for a, what in BEHAVIOURS.items() if "complaint" in what)
SLOW = "slow@lawyers.example"
