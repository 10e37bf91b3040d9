"""What went astray, and where the program says it stood last: a bare count explains nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from backend.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.app import Backend
    from backend.demo.ledger import Audit, Ledger
    from backend.model.inbound import InboundMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Astray:
    """One mail that was lost or came twice.

    ``marker`` is the world's name for it, ``way`` "out" or "in", ``id`` the program's, empty when
    the program has never heard of it; ``stood`` is its last state there, and why.
    """

    marker: str
    way: str
    what: str
    id: str
    stood: str

    def as_json(self) -> dict[str, str]:
        """Give it as an entry of ``astray`` in the documented last line."""
        return asdict(self)


async def astray(
    backend: Backend, ledger: Ledger, audit: Audit, stored: Mapping[str, InboundMessage]
) -> tuple[Astray, ...]:
    """Find everything an audit misses or has twice; ``stored`` is what came in, by Message-ID."""
    found = []
    for what, markers in (("lost", audit.lost), ("came twice", audit.duplicates)):
        for marker in markers:
            if marker in ledger.outbound:
                id_, stood = await _out(backend, ledger.ids.get(marker, ""))
                found.append(Astray(marker=marker, way="out", what=what, id=id_, stood=stood))
            else:
                id_, stood = _in(stored.get(marker))
                found.append(Astray(marker=marker, way="in", what=what, id=id_, stood=stood))
    return tuple(found)


async def _out(backend: Backend, email_id: str) -> tuple[str, str]:
    try:
        detail = await backend.email(email_id)
    except NotFoundError:
        return email_id, "the program has no such mail"
    tries = [f"try {one.number}: {one.state.value} {one.error}" for one in detail.attempts]
    return email_id, "; ".join(
        part.strip() for part in (detail.email.status.value, detail.email.error, *tries) if part
    )


def _in(message: InboundMessage | None) -> tuple[str, str]:
    if message is None:
        return "", "the program has no such message"
    return message.id, f"{message.status.value}: {message.reason.value}"
