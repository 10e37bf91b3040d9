"""The threading cases of the shared corpora, each through intake and decision for real."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from backend.inbound.decide import Decision, decide
from backend.inbound.intake import Intake
from backend.inbound.screen_context import Screener, ScreenSettings
from backend.inbound.screen_facts import read_mail
from backend.model.automated import Kind
from backend.model.inbound import (
    Arrival,
    InboundStatus,
    MatchStatus,
    Reason,
    Route,
    ScanVerdict,
    ScanVerdicts,
    Stage,
    TargetAction,
    TargetName,
)
from backend.model.matching import MatchFlag, TicketStatus
from backend.model.outbound import Email, EmailStatus
from backend.model.tenant import Domain, DomainStatus, Tenant
from backend.reply_tokens import ReplyTokens, reply_address
from backend.store import domains, emails, tenants, threads
from backend.store import inbound as store
from backend.store.blobs import FolderBlobs
from backend.store.threads import Thread

if TYPE_CHECKING:
    from backend.store.engine import Database
    from backend.store.types import Tx
    from tests.settable import CountingIds, SettableClock

CASES = Path(__file__).resolve().parents[2] / "../shared/corpora/threading/thread_cases.json"
SHARED = "relay.example"
TOKENS = ReplyTokens(current="the secret of these cases")
PASSED = ScanVerdicts(
    spam=ScanVerdict.PASS,
    virus=ScanVerdict.PASS,
    spf=ScanVerdict.PASS,
    dkim=ScanVerdict.PASS,
    dmarc=ScanVerdict.PASS,
)

pytestmark = pytest.mark.skipif(not CASES.is_file(), reason="the shared corpora are not here")


def _read() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CASES.read_text("utf-8")) if CASES.is_file() else {}
    return found


BOOK = _read()


@dataclass(slots=True)
class Scene:
    """The world of the cases in our own tables, and what a case asks of it."""

    db: Database
    clock: SettableClock
    ids: CountingIds
    blobs: FolderBlobs
    tokens: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)

    async def build(self, case: dict[str, Any]) -> None:
        """Write tenants, tickets, sent and received mail, with what the case adds or sets."""
        world, extra = BOOK["world"], case.get("world", {})
        tickets = [dict(t) for t in (*world["tickets"], *extra.get("tickets", ()))]
        for ticket in tickets:
            ticket.update(extra.get("set", {}).get(ticket["number"], {}))
        await self.db.write(self._tenants, world["tenants"])
        await self.db.write(self._tickets, tickets)
        homes = {t["id"]: t["reply_domain"] for t in world["tenants"]}
        subjects = {t["number"]: t.get("subject", "") for t in tickets}
        for sent in (*world["sent"], *extra.get("sent", ())):
            subject = subjects[sent["ticket"]]
            await self.db.write(self._sent, sent, homes[sent["tenant"]], subject)
        for received in world["received"]:
            recipient = next(
                t["recipients"][0] for t in world["tenants"] if t["id"] == received["tenant"]
            )
            await self._receive(received, recipient, subjects[received["ticket"]])

    async def run(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Let the message of a case arrive and tell what was decided, in the cases' words."""
        recipients = [self._filled(to) for to in asked["envelope_to"]]
        raw = raw_message(
            {k: self._filled(v) if isinstance(v, str) else v for k, v in asked.items()},
            recipients[0],
        )
        decisions = [await self._decide(i, raw) for i in await self._arrive(raw, recipients)]
        return self._told(decisions)

    async def _arrive(self, raw: bytes, recipients: list[str]) -> list[str]:
        key = f"in/{self.ids.new('raw')}"
        await self.blobs.put(key, raw)
        intake = Intake(self.db, self.blobs, self.clock, self.ids, inbound_domain=SHARED)
        arrival = Arrival(
            source="ses",
            blob_key=key,
            recipients=tuple(recipients),
            received_at=self.clock.now(),
            verdicts=PASSED,
        )
        return await intake.take_in(arrival)

    async def _decide(self, inbound_id: str, raw: bytes) -> Decision:
        message = await self.db.read(store.get, inbound_id)
        assert message is not None
        screener = Screener(self.clock, ScreenSettings(inbound_domain=SHARED))
        return await self.db.read(
            decide, message, read_mail(raw), SHARED, screener=screener, tokens=TOKENS
        )

    def _told(self, decisions: list[Decision]) -> dict[str, Any]:
        if not decisions:
            return {"action": "duplicate", "creates": 0, "match": None, "flags": frozenset()}
        first = decisions[0]
        message, evidence = first.message, {}
        for step in first.steps:
            if step.stage is Stage.MATCH:
                evidence = dict(step.evidence)
        matched = message.reply_match_status is MatchStatus.MATCHED
        return {
            "match": self.numbers[message.thread_id or ""] if matched else None,
            "by": evidence.get("by"),
            "flags": message.match_flags,
            "tenant": message.tenant_id,
            "action": action_of(first),
            "creates": sum(action_of(one) not in ("loop", "suppress") for one in decisions),
            "auto_ack": message.kind is Kind.HUMAN,
        }

    def _filled(self, text: str) -> str:
        for name, token in self.tokens.items():
            other = "b" if token[-3] == "a" else "a"
            for form, value in (
                (f"{{{name}}}", token),
                (f"{{{name}:upper}}", token.upper()),
                (f"{{{name}:tampered}}", f"{token[:-3]}{other}{token[-2:]}"),
            ):
                text = text.replace(form, value)
        return text

    def _tenants(self, tx: Tx, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            tenants.add(tx, Tenant(id=row["id"], name=row["id"], created_at=self.clock.now()))
            for name in (row["domain"], row["reply_domain"]):
                domains.add(tx, self._domain(row["id"], name))

    def _domain(self, tenant_id: str, name: str) -> Domain:
        return Domain(
            id=self.ids.new("dom"),
            tenant_id=tenant_id,
            name=name,
            status=DomainStatus.VERIFIED,
            inbound_enabled=True,
            dkim_tokens=(),
            mail_from="",
            created_at=self.clock.now(),
        )

    def _tickets(self, tx: Tx, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            thread_id = self.ids.new("thr")
            self.numbers[thread_id] = row["number"]
            merged = row.get("merged_into")
            route = Route(
                target=TargetName.PSA,
                action=TargetAction.ADD_NOTE,
                tenant_id=row["tenant"],
                ref=f"id-{row['number']}",
            )
            thread = Thread(
                id=thread_id,
                tenant_id=row["tenant"],
                subject=row.get("subject", ""),
                created_at=self.clock.now(),
                route=route,
                ticket_number=row["number"],
                ticket_status=TicketStatus(row["status"]),
                merged_into=f"id-{merged}" if merged else "",
            )
            threads.add(tx, thread)
            threads.join(tx, thread_id, [row["customer"], *row["participants"]])

    def _sent(self, tx: Tx, row: dict[str, Any], home: str, subject: str) -> None:
        email_id = self.ids.new("msg")
        token = TOKENS.make(tenant_id=row["tenant"], domain=home, email_id=email_id)
        if "token" in row:
            self.tokens[row["token"]] = token
        thread_id = next(t for t, number in self.numbers.items() if number == row["ticket"])
        email = Email(
            id=email_id,
            tenant_id=row["tenant"],
            sender=row["from"],
            subject=subject,
            status=EmailStatus.SENT,
            created_at=self.clock.now(),
            recipients=(),
            thread_id=thread_id,
            tags={},
            ses_message_id=row["ses_message_id"],
            reply_token=token,
            reply_address=reply_address(token, home),
        )
        emails.insert(tx, email, b"")
        threads.join(tx, thread_id, row["to"])
        own_id = row["message_id"].strip("<>")
        threads.learn_alias(tx, row["tenant"], own_id, thread_id, email_id)

    async def _receive(self, row: dict[str, Any], recipient: str, subject: str) -> None:
        """Let an earlier message arrive, and put it on its ticket."""
        (inbound_id,) = await self._arrive(
            raw_message({**row, "subject": subject}, recipient), [recipient]
        )
        thread_id = next(t for t, number in self.numbers.items() if number == row["ticket"])

        def settle(tx: Tx) -> None:
            message = store.get(tx, inbound_id)
            assert message is not None
            settled = replace(
                message,
                status=InboundStatus.FORWARDED,
                reason=Reason.DELIVERED,
                message_id=row["message_id"].strip("<>"),
                from_address=row["from"],
                thread_id=thread_id,
            )
            store.save(tx, settled)

        await self.db.write(settle)


def raw_message(asked: dict[str, Any], recipient: str) -> bytes:
    """Write the message of a case byte for byte; nothing is encoded that the case did not."""
    headers = {
        "From": asked["from"],
        "To": asked.get("to", recipient) if isinstance(asked.get("to", ""), str) else recipient,
        "Subject": asked["subject"],
        "Message-ID": asked["message_id"],
        "In-Reply-To": asked.get("in_reply_to"),
        "References": asked.get("references"),
        **asked.get("headers", {}),
        "MIME-Version": "1.0",
    }
    parts = [("text/plain", "", asked.get("text", asked.get("content", "Hello.")))]
    if "html" in asked:
        parts = [("text/html", "", asked["html"])]
    parts += [("text/plain", a["name"], a["text"]) for a in asked.get("attachments", ())]
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    lines.append('Content-Type: multipart/mixed; boundary="cut"')
    for content_type, name, text in parts:
        lines += ["", "--cut", f"Content-Type: {content_type}; charset=utf-8"]
        lines += [f'Content-Disposition: attachment; filename="{name}"'] if name else []
        lines += ["", text]
    return "\r\n".join([*lines, "--cut--", ""]).encode()


def action_of(decision: Decision) -> str:
    """Say a decision in the words of the cases."""
    message, rest = decision.message, decision.rest
    if rest is not None:
        if rest.reason in (Reason.OWN_MAIL, Reason.MAIL_LOOP):
            return "loop"
        return "suppress" if rest.status is InboundStatus.SUPPRESSED else "review"
    assert message.route is not None
    if message.route.action is TargetAction.NEW_TICKET:
        return "new_ticket"
    return "reopen" if MatchFlag.TICKET_CLOSED in message.match_flags else "append"


@pytest.fixture
def scene(db: Database, clock: SettableClock, ids: CountingIds, tmp_path: Path) -> Scene:
    return Scene(db, clock, ids, FolderBlobs(tmp_path / "blobs"))


@pytest.mark.parametrize("case", [pytest.param(c, id=c["id"]) for c in BOOK.get("cases", [])])
async def test_a_message_finds_the_conversation_it_belongs_to(
    scene: Scene, case: dict[str, Any]
) -> None:
    await scene.build(case)

    told = await scene.run(case["in"])

    expected = dict(case["expect"])
    assert set(expected.pop("flags", ())) <= set(told["flags"]), told
    assert all(told[key] in accepted for key, accepted in expected.items()), told


def test_the_book_holds_all_its_cases() -> None:
    assert len(BOOK["cases"]) == 40
