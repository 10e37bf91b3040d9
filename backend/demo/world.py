"""The traffic of the demo world: seeded, bounded, and written into the ledger as it happens.

Mail goes out through the public HTTP API and comes in through the SMTP door, as everybody else's
does. What cannot be handed over just now (the server is down) is tried again with the same
Idempotency-Key until it is.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import smtplib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import structlog

from backend.demo import letters, places
from backend.demo.ledger import Fate, Ledger
from backend.demo.places import TEMPLATE
from backend.demo.witness import mail_at_ses

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from email.message import EmailMessage

    from backend.demo.letters import Letter
    from backend.demo.places import Client, Person
    from backend.demo.witness import SeenMail
    from backend.ports import Clock

log = structlog.get_logger()

PAUSE = 0.05  # seconds between looks at what is due
RETRY = 0.5  # seconds until something that could not be handed over is tried again
# 409: the first try, whose answer did not come in time, is still under way
_DIFFICULT = [[address] for address in (*places.BAD_ADDRESSES, *places.COMPLAINERS)]
_LATER = frozenset({httpx.codes.TOO_MANY_REQUESTS, httpx.codes.CONFLICT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Where the world knocks: the API with one key per client, the SMTP door, the two stand-ins."""

    api_url: str
    api_keys: dict[str, str]
    smtp_host: str
    smtp_port: int
    aws_endpoint: str
    desk_url: str


@dataclass(order=True, slots=True)
class _Due:
    at: float
    order: int
    act: Callable[[], Awaitable[None]] = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Outgoing:
    client: Client
    subject: str
    text: str
    recipient: str
    answered_by: Person | None


class World:
    """A world that lives from ``run`` until ``stop``; ``pace`` is acts a second."""

    def __init__(self, doors: Doors, seed: int, clock: Clock, *, pace: float = 4.0) -> None:
        self.doors = doors
        self.ledger = Ledger()
        self._rng = random.Random(seed)
        self._clock = clock
        self._gap = 1 / pace
        self._due: list[_Due] = []
        self._order = itertools.count()
        self._numbers = itertools.count(1)
        self._stopping = False
        self._out: dict[str, _Outgoing] = {}
        self._seen = 0
        self._http = httpx.AsyncClient(timeout=10)

    def stop(self) -> None:
        """Begin nothing new; ``run`` returns once all that was begun is handed over."""
        self._stopping = True

    async def run(self) -> None:
        """Live: play the opening, then whatever chance brings, until stopped."""
        async with self._http:
            for act in self._opening():
                self._later(self._rng.uniform(0, 1.5), act)
            # by then the bad address has bounced, so it is skipped
            self._later(
                3, lambda: self._notice_to_two(places.CLIENTS[0], places.CLIENTS[0].people[0])
            )
            self._later(0.3, self._read_mailboxes)
            self._later(self._gap, self._chance)
            while self._due and not (self._stopping and self._only_habits()):
                if self._due[0].at <= self._clock.monotonic():
                    await heapq.heappop(self._due).act()
                else:
                    await asyncio.sleep(PAUSE)

    def _only_habits(self) -> bool:
        habits = {self._read_mailboxes, self._chance}
        return all(due.act in habits for due in self._due)

    def _later(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        heapq.heappush(self._due, _Due(self._clock.monotonic() + seconds, next(self._order), act))

    def _opening(self) -> list[Callable[[], Awaitable[None]]]:
        """Give one of each kind of event, so that even a short run shows all of them."""
        north, fabrikam, tailspin = places.CLIENTS
        return [
            self._crm_outage,
            lambda: self._notice(north, north.people[0], reply=True),
            lambda: self._notice(fabrikam, fabrikam.people[1], reply=True),
            lambda: self._notice_to(north, places.BAD_ADDRESSES[0]),
            lambda: self._notice_to(tailspin, places.COMPLAINERS[1]),
            lambda: self._notice_to(fabrikam, places.SLOW),
            lambda: self._notice_later(north),
            self._request,
            self._note,
            self._activity,
            self._portal_reply,
            self._spam,
            self._out_of_office,
            self._stray,
            self._unknown_ticket,
            self._program,
            self._contract,
            lambda: self._ticket_opened(north, north.people[2]),
        ]

    async def _chance(self) -> None:
        """Let one thing happen, chosen by weight, and come back for the next."""
        if self._stopping:
            return
        client = self._rng.choice(places.CLIENTS)
        person = self._rng.choice(client.people)
        acts: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (30, lambda: self._notice(client, person, reply=self._rng.random() < 0.4)),
            (6, lambda: self._notice_to_two(client, person)),
            (5, lambda: self._ticket_opened(client, person)),
            (3, lambda: self._notice_to(client, self._rng.choice(places.COMPLAINERS))),
            (2, lambda: self._notice_to(client, places.SLOW)),
            (14, self._request),
            (10, self._note),
            (8, self._activity),
            (8, self._portal_reply),
            (4, self._spam),
            (2, self._out_of_office),
            (2, self._stray),
            (2, self._unknown_ticket),
            (1, self._program),
        ]
        (act,) = self._rng.choices([a for _, a in acts], [w for w, _ in acts])
        self._later(self._rng.uniform(0.2, 1.8) * self._gap, self._chance)
        await act()

    # mail out

    async def _notice(self, client: Client, person: Person, *, reply: bool) -> None:
        subject, text = self._rng.choice(places.NOTICES)
        ticket = self._rng.choice(places.TICKETS)
        await self._send(
            _Outgoing(client, subject, text, person.address, person if reply else None),
            tags={"product": "psa", "ticket_id": ticket},
        )

    async def _ticket_opened(self, client: Client, person: Person) -> None:
        """Send what a template makes of a few values."""
        title, ticket = self._rng.choice(places.PROBLEMS), self._rng.choice(places.TICKETS)
        marker = f"out-{next(self._numbers):06d}"
        subject = f"[Ticket #{ticket}] {title}"
        self._out[marker] = _Outgoing(client, subject, title, person.address, None)
        body: dict[str, object] = {
            "template_id": TEMPLATE,
            "variables": {"ticket": ticket, "title": title, "who": person.name},
            "to": [person.address],
            "tags": {"product": "psa", "ticket_id": ticket, "world": marker},
        }
        await self._post(marker, body, path="/api/send-template")

    async def _notice_to(self, client: Client, address: str) -> None:
        subject, text = self._rng.choice(places.NOTICES)
        await self._send(_Outgoing(client, subject, text, address, None), tags={"product": "books"})

    async def _notice_to_two(self, client: Client, person: Person) -> None:
        """Send to a good and a bad address: once the bad one has bounced, it is skipped."""
        subject, text = self._rng.choice(places.NOTICES)
        out = _Outgoing(client, subject, text, person.address, None)
        bad = {
            "northwind.example": places.BAD_ADDRESSES[0],
            "fabrikam.example": places.BAD_ADDRESSES[1],
        }.get(client.domain, places.BAD_ADDRESSES[2])
        await self._send(out, tags={"product": "psa"}, cc=bad)

    async def _notice_later(self, client: Client) -> None:
        """Schedule a reminder for tomorrow: it is pending when the run ends."""
        tomorrow = (self._clock.now() + timedelta(days=1)).isoformat()
        out = _Outgoing(client, "Reminder", "See you tomorrow.", client.people[0].address, None)
        await self._send(out, tags={"product": "psa"}, scheduled=tomorrow)

    async def _send(
        self,
        out: _Outgoing,
        *,
        tags: dict[str, str],
        cc: str | None = None,
        scheduled: str | None = None,
    ) -> None:
        marker = f"out-{next(self._numbers):06d}"
        self._out[marker] = out
        body: dict[str, object] = {
            "from": out.client.sender,
            "to": [out.recipient],
            "subject": out.subject,
            "text": out.text,
            "html": f"<p>{out.text}</p>",
            "tags": {**tags, "world": marker},
        }
        if cc is not None:
            body["cc"] = [cc]
        if scheduled is not None:
            body["scheduled_at"] = scheduled
        await self._post(marker, body)

    async def _post(self, marker: str, body: dict[str, object], *, path: str = "/api/send") -> None:
        """Hand a mail to the API; only a clear answer goes into the ledger."""
        headers = {
            "X-Relay-Key": self.doors.api_keys[self._out[marker].client.domain],
            "Idempotency-Key": marker,
        }
        try:
            answer = await self._http.post(
                f"{self.doors.api_url}{path}", json=body, headers=headers
            )
        except httpx.TransportError:
            self._later(RETRY, lambda: self._post(marker, body, path=path))
            return
        if answer.is_success:
            self.ledger.ids[marker] = answer.json()["message_id"]
            self.ledger.outbound[marker] = _fate(body)
        elif answer.status_code in _LATER or answer.is_server_error:
            self._later(RETRY, lambda: self._post(marker, body, path=path))
        elif "suppress" not in answer.text:
            log.warning("world_send_refused", marker=marker, status=answer.status_code)

    async def _read_mailboxes(self) -> None:
        """Let the people read what SES delivered, and answer some of it."""
        try:
            mail = await mail_at_ses(self._http, self.doors.aws_endpoint, self._seen)
        except httpx.HTTPError:
            mail = []
        for seen in mail:
            self._seen = seen.number
            out = self._out.get(seen.marker)
            if out is not None and out.answered_by is not None and not self._stopping:
                self._answer_later(out, out.answered_by, seen)
        if not self._stopping:
            self._later(0.3, self._read_mailboxes)

    def _answer_later(self, out: _Outgoing, person: Person, seen: SeenMail) -> None:
        """Answer as mail programs do, to the Reply-To; some people write to the sender instead."""
        answered = letters.Answered(message_id=seen.message_id, subject=out.subject, text=out.text)
        sender = f"notify@{out.client.domain}"
        to = seen.reply_to if seen.reply_to and self._rng.random() < 0.7 else sender

        async def answer() -> None:
            mail = letters.write(
                person,
                to,
                message_id=self._marker(),
                subject="",
                text=f"{self._rng.choice(places.ANSWERS)}\n\n-- \n{person.name}\n",
            )
            letter = letters.sealed(letters.answering(mail, answered), person.address)
            await self._mail(letter, Fate.FORWARDED)

        self._later(self._rng.uniform(0.3, 2.5), answer)

    # mail in

    async def _request(self) -> None:
        """Open a ticket at a client's own support address."""
        client = self._rng.choice(places.CLIENTS)
        await self._letter(client, f"support@{client.domain}", Fate.FORWARDED)

    async def _note(self) -> None:
        ticket = self._rng.choice(places.TICKETS)
        await self._letter(None, f"ticket+{ticket}@{places.SHARED_DOMAIN}", Fate.FORWARDED)

    async def _activity(self) -> None:
        client = self._rng.choice(places.CLIENTS)
        ref = self._rng.choice(client.people).ref
        await self._letter(client, f"crm+{ref}@{places.SHARED_DOMAIN}", Fate.FORWARDED)

    async def _portal_reply(self) -> None:
        ticket = self._rng.choice(places.TICKETS)
        await self._letter(None, f"portal+{ticket}@{places.SHARED_DOMAIN}", Fate.FORWARDED)

    async def _spam(self) -> None:
        client = self._rng.choice(places.CLIENTS)
        mail = letters.spam(self._draft(client, f"support@{client.domain}"))
        await self._mail(letters.sealed(mail, "winner@lottery.example"), Fate.KEPT)

    async def _program(self) -> None:
        """Attach something harmful: it is kept back."""
        client = self._rng.choice(places.CLIENTS)
        mail = letters.with_program(
            self._draft(client, f"support@{client.domain}"), "Invoice_2026.pdf.exe"
        )
        await self._mail(letters.sealed(mail, "accounts@suppliers.example"), Fate.KEPT)

    async def _contract(self) -> None:
        """Attach what looks harmful and is awaited: the technician lets it go (staging.py)."""
        mail = self._draft(places.CLIENTS[0], f"support@{places.CLIENTS[0].domain}")
        del mail["Subject"]
        mail["Subject"] = places.CONTRACT
        letter = letters.sealed(
            letters.with_program(mail, "contract.js"), "legal@suppliers.example"
        )
        await self._mail(letter, Fate.KEPT)

    async def _out_of_office(self) -> None:
        client = self._rng.choice(places.CLIENTS)
        mail = letters.out_of_office(self._draft(client, f"support@{client.domain}"))
        await self._mail(letters.sealed(mail, ""), Fate.KEPT)

    async def _stray(self) -> None:
        """Write to an address that means nothing to anybody."""
        await self._letter(None, f"hello@{places.SHARED_DOMAIN}", Fate.KEPT)

    async def _unknown_ticket(self) -> None:
        """Write to a ticket the desk has never heard of: it is held."""
        await self._letter(None, f"ticket+99999@{places.SHARED_DOMAIN}", Fate.KEPT)

    async def _crm_outage(self) -> None:
        """Take the CRM down for a few seconds; its mail must wait, not vanish."""
        outage = {"target": "crm", "seconds": 4, "status": 503}
        try:
            await self._http.post(f"{self.doors.desk_url}/_desk/outage", json=outage)
        except httpx.TransportError:
            self._later(RETRY, self._crm_outage)

    async def _letter(self, client: Client | None, recipient: str, fate: Fate) -> None:
        mail = letters.decorate(self._draft(client, recipient), self._rng)
        await self._mail(letters.sealed(mail, "writer@customers.example"), fate)

    def _draft(self, client: Client | None, recipient: str) -> EmailMessage:
        person = self._rng.choice((client or self._rng.choice(places.CLIENTS)).people)
        problem = self._rng.choice(places.PROBLEMS)
        text = f"Hello,\n\n{problem}.\nCan you help?\n\n-- \n{person.name}\n"
        return letters.write(
            person, recipient, message_id=self._marker(), subject=problem, text=text
        )

    def _marker(self) -> str:
        return f"in-{next(self._numbers):06d}@{places.WORLD_DOMAIN}"

    async def _mail(self, letter: Letter, fate: Fate) -> None:
        try:
            await asyncio.to_thread(self._smtp, letter)
        except (OSError, smtplib.SMTPException):
            self._later(RETRY, lambda: self._mail(letter, fate))
            return
        self.ledger.inbound[letter.message_id] = fate

    def _smtp(self, letter: Letter) -> None:
        with smtplib.SMTP(self.doors.smtp_host, self.doors.smtp_port, timeout=10) as door:
            door.sendmail(letter.sender, [letter.recipient], letter.data)


def _fate(body: dict[str, object]) -> Fate:
    """Tell what must become of a mail that the API took.

    One to a reader who bounces or complains may meet the suppression list on its way: what SES
    says about an earlier one can come in after it was accepted and before it is sent.
    """
    if "scheduled_at" in body:
        return Fate.LATER
    return Fate.SPARED if body["to"] in _DIFFICULT and "cc" not in body else Fate.SENT
