"""Mail that waits, and the desk that acts on it, over a real database and the embedded desk."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backend.inbound.quarantine_desk import QuarantineDesk
from backend.model.inbound import ScanVerdict, ScanVerdicts
from backend.store import audit, sender_lists
from tests.integration.inbound_world import PASSED, World, mail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.model.inbound import InboundMessage
    from backend.model.quarantine import Act, ActReport
    from backend.model.screening import ListEntry, ListKind
    from backend.store.audit import AuditEntry

SPAM = ScanVerdicts(
    spam=ScanVerdict.FAIL,
    virus=ScanVerdict.PASS,
    spf=ScanVerdict.PASS,
    dkim=ScanVerdict.PASS,
    dmarc=ScanVerdict.PASS,
)
VIRUS = ScanVerdicts(virus=ScanVerdict.FAIL)
FORGED = ScanVerdicts(dmarc=ScanVerdict.FAIL, dmarc_policy="reject")
SAM = "sam@ops"
SUPPORT = "support@acme.example"


@dataclass(slots=True)
class Quarantine:
    """The world with its quarantine desk."""

    world: World
    woken: list[str] = field(default_factory=list)

    @property
    def desk(self) -> QuarantineDesk:
        return QuarantineDesk(self.world.inbound, lambda: self.woken.append("x"))

    async def act(self, act: Act, *ids: str) -> ActReport:
        return await self.desk.act(ids, act, actor=SAM)

    async def done(self, act: Act, *ids: str) -> InboundMessage:
        """Act, process what is due, and give the first message as it is then."""
        report = await self.act(act, *ids)
        assert report.refused == (), report.refused
        await self.world.work()
        return await self.world.row(ids[0])

    async def why(self, act: Act, inbound_id: str) -> str:
        """Act on a message that must refuse; gives the sentence."""
        before = await self.world.row(inbound_id)
        report = await self.act(act, inbound_id)
        assert report.done == ()
        assert await self.world.row(inbound_id) == before
        return report.refused[0].why

    async def audited(self) -> Sequence[AuditEntry]:
        return await self.world.db.read(audit.newest, 100)

    async def listed(self, kind: ListKind) -> Sequence[ListEntry]:
        return await self.world.db.read(sender_lists.entries, kind)

    async def reasons(self, inbound_id: str) -> list[str]:
        return [step.reason.value for step in await self.world.steps(inbound_id)]


def with_file(name: str, content: bytes = b"hello", subject: str = "See the file") -> bytes:
    """A mail with a text and one attachment."""
    lines = [
        "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="b"',
    ]
    body = "\r\n".join(
        [
            "--b",
            "Content-Type: text/plain",
            "",
            "The file is here.",
            "--b",
            "Content-Type: application/octet-stream",
            f'Content-Disposition: attachment; filename="{name}"',
            "Content-Transfer-Encoding: base64",
            "",
            base64.b64encode(content).decode(),
            "--b--",
        ]
    )
    return mail(subject, *lines, body=body)


def only_call(world: World) -> Any:
    """Give the body of the one call that was made."""
    assert len(world.target.calls) == 1
    return world.target.calls[0].body


__all__ = ["FORGED", "PASSED", "SAM", "SPAM", "SUPPORT", "VIRUS", "Quarantine", "World", "mail"]
