"""Scripted faults: a product that is down for a while, and answers lost after the work was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from backend.ports import Clock

Product = Literal["psa", "crm", "portal", "books"]


class Outage(BaseModel):
    """Answer ``status`` for ``seconds`` instead of working, or lose the next ``drops`` answers."""

    model_config = ConfigDict(extra="forbid")

    target: Product
    seconds: float = Field(default=0, ge=0, le=86_400)
    status: int = Field(default=503, ge=400, le=599)
    retry_after: int | None = Field(default=None, ge=0, le=86_400)
    drops: int = Field(default=0, ge=0, le=100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What to answer during an outage."""

    status: int
    retry_after: int | None


class Faults:
    """The faults at work now; each product has its own, and a new one replaces the old."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[str, tuple[float, Refusal]] = {}
        self._drops: dict[str, int] = {}

    def begin(self, outage: Outage) -> None:
        """Let a fault begin; zero seconds and zero drops end what is at work."""
        refusal = Refusal(status=outage.status, retry_after=outage.retry_after)
        self._until[outage.target] = (self._clock.monotonic() + outage.seconds, refusal)
        self._drops[outage.target] = outage.drops

    def refusal(self, target: str) -> Refusal | None:
        """Give what to answer instead of working, None when the product is up."""
        until, refusal = self._until.get(target, (0.0, None))
        return refusal if self._clock.monotonic() < until else None

    def drops_answer(self, target: str) -> bool:
        """Tell whether this answer is to be lost, and count it."""
        left = self._drops.get(target, 0)
        self._drops[target] = max(0, left - 1)
        return left > 0


class LostAnswer(Response):
    """An answer that breaks off: its head promises a body, then the connection closes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begin an answer and leave; the server closes the connection."""
        headers = [(b"content-length", b"1000"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
