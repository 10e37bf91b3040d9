"""What our SES remembers: identities, configuration sets, suppressions, accepted mail."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from backend.sandbox import accepted, mail_headers
from backend.sandbox.accepted import Accepted

if TYPE_CHECKING:
    import random
    from datetime import datetime

    from backend.ports import Clock
    from backend.sandbox.accepted import Draft
    from backend.sandbox.settings import SandboxSettings

_KEPT_MAIL = 20_000
_LARGEST_KEPT = 256 * 1024
_KEPT_OF_LARGER = 64 * 1024
_DAY_SECONDS = 86_400.0


@dataclass(slots=True, kw_only=True)
class IdentityRecord:
    """A domain or an address one may send from, from ``verified_at`` (monotonic) on."""

    name: str
    created_at: datetime
    verified_at: float
    mail_from: str = ""
    on_mx_failure: str = "USE_DEFAULT_VALUE"
    signing: bool = True
    configuration_set: str = ""

    @property
    def is_domain(self) -> bool:
        """Whether it is a whole domain."""
        return "@" not in self.name

    def tokens(self) -> list[str]:
        """Give the three DKIM tokens, always the same for a name."""
        digests = (hashlib.sha256(f"{self.name}/{n}".encode()).digest() for n in range(3))
        return [base64.b32encode(digest).decode().lower()[:32] for digest in digests]


@dataclass(slots=True, kw_only=True)
class SuppressedRecord:
    """An address SES holds mail back from, in the case it was given."""

    address: str
    reason: str
    at: datetime


@dataclass(slots=True)
class SesState:
    """The account; hold ``lock`` while looking at more than one thing."""

    settings: SandboxSettings
    clock: Clock
    rng: random.Random
    account: str
    lock: threading.RLock = field(default_factory=threading.RLock)
    identities: dict[str, IdentityRecord] = field(default_factory=dict)
    sets: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    suppressed: dict[str, SuppressedRecord] = field(default_factory=dict)
    receiving: set[str] = field(default_factory=set)
    mail: deque[Accepted] = field(default_factory=lambda: deque(maxlen=_KEPT_MAIL))
    calls: dict[str, int] = field(default_factory=dict)
    number: int = 0
    _sent: deque[tuple[float, int]] = field(default_factory=deque)

    def add_identity(self, name: str, *, verified: bool) -> IdentityRecord:
        """Register an identity; one that is not verified becomes so a little later."""
        wait = 0.0 if verified else self.rng.uniform(*self.settings.verify_seconds)
        record = IdentityRecord(
            name=name, created_at=self.clock.now(), verified_at=self.clock.monotonic() + wait
        )
        with self.lock:
            self.identities[name.lower()] = record
        return record

    def is_verified(self, record: IdentityRecord) -> bool:
        """Tell whether the DNS records of an identity have been seen."""
        return self.clock.monotonic() >= record.verified_at

    def may_send(self, sender: str) -> bool:
        """Tell whether the address, its domain or a parent domain is verified."""
        domain = sender.lower().rpartition("@")[2]
        labels = domain.split(".")
        names = [sender.lower(), *(".".join(labels[place:]) for place in range(len(labels)))]
        with self.lock:
            records = [self.identities.get(name) for name in names]
        return any(record is not None and self.is_verified(record) for record in records)

    def is_suppressed(self, address: str) -> bool:
        """Tell whether mail to an address is held back; here case does not matter."""
        with self.lock:
            return any(held.lower() == address.lower() for held in self.suppressed)

    def suppress(self, address: str, reason: str) -> None:
        """Hold back mail to an address; a later reason replaces the earlier."""
        record = SuppressedRecord(address=address, reason=reason, at=self.clock.now())
        with self.lock:
            self.suppressed[address] = record

    def accept(self, draft: Draft) -> Accepted:
        """Take a mail and give it its number and id."""
        at = self.clock.now()
        message_id = self._message_id(at)
        wire = accepted.wire_id(message_id, self.settings.region)
        with self.lock:
            self.number += 1
            mail = Accepted(
                number=self.number,
                message_id=message_id,
                wire_id=wire,
                at=at,
                draft=draft,
                headers=tuple(mail_headers.read_headers(draft.raw)),
                raw=accepted.as_sent(draft.raw, wire, at),
            )
            self.mail.append(_slim(mail))
            self._sent.append((self.clock.monotonic(), len(draft.recipients)))
        return mail

    def sent_within(self, seconds: float) -> int:
        """Count the recipients accepted in the last so many seconds, at most a day."""
        now = self.clock.monotonic()
        with self.lock:
            while self._sent and self._sent[0][0] < now - _DAY_SECONDS:
                self._sent.popleft()
            total = 0
            for at, count in reversed(self._sent):
                if at < now - seconds:
                    break
                total += count
            return total

    def _message_id(self, at: datetime) -> str:
        # 0100 + milliseconds in hex, a random UUID's shape, and a counter that is always zero.
        noise = f"{self.rng.getrandbits(128):032x}"
        uuid = "-".join((noise[:8], noise[8:12], noise[12:16], noise[16:20], noise[20:]))
        return f"0100{int(at.timestamp() * 1000):012x}-{uuid}-000000"


def _slim(mail: Accepted) -> Accepted:
    # Kept for a look only: one copy of the mail, and of a large one no more than its beginning.
    raw = mail.raw if len(mail.raw) <= _LARGEST_KEPT else mail.raw[:_KEPT_OF_LARGER]
    return replace(mail, draft=replace(mail.draft, raw=b""), raw=raw)
