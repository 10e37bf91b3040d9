"""PSA, CRM and Portal over HTTP: the caller's side of docs/targets.md."""

from __future__ import annotations

import asyncio
import json
import math
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx

from backend.errors import RefusedError, ServiceUnavailableError, ThrottledError
from backend.inbound.breaker import Breaker, CircuitOpenError
from backend.net_words import in_words
from backend.ports import TargetReceipt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.inbound.target_lines import Poster
    from backend.model.inbound import TargetName
    from backend.ports import Clock, TargetRequest

MAX_ANSWER = 1_000_000  # bytes
AT_ONCE = 16
LIGHT = 100_000  # characters
MAX_SENTENCE = 300
MAX_WAIT = 3600.0  # seconds a target may ask us to stay away
# A note's answer names its ticket too, so the ticket comes last.
_IDS = ("note_id", "reply_id", "activity_id", "ticket_id")


class HttpTargets:
    """Implements ports.Targets; each target has a breaker and gets ``at_once`` calls at a time."""

    def __init__(
        self,
        urls: Mapping[TargetName, str],
        integration_key: str,
        client: Poster,
        clock: Clock,
        *,
        at_once: int = AT_ONCE,
    ) -> None:
        self._urls = {name: url.rstrip("/") for name, url in urls.items() if url}
        self._key = integration_key
        self._client = client
        self._clock = clock
        self._breakers = {name: Breaker() for name in self._urls}
        self._turns = {name: asyncio.Semaphore(at_once) for name in self._urls}

    def configured(self, target: TargetName) -> bool:
        """Tell whether a URL is set for it."""
        return target in self._urls

    async def call(self, target: TargetName, request: TargetRequest) -> TargetReceipt:
        """Post once; raises ThrottledError, ServiceUnavailableError or RefusedError."""
        async with self._turns[target]:  # while it waits the breaker may open
            return await self._call(target, request)

    async def _call(self, target: TargetName, request: TargetRequest) -> TargetReceipt:
        breaker = self._breakers[target]
        wait = breaker.wait(self._clock.monotonic())
        if wait > 0:
            raise CircuitOpenError(
                f"{target.value} rests after repeated failures", retry_after=wait
            )
        try:
            receipt = self._receipt(target, await self._post(target, request))
        except ServiceUnavailableError:
            breaker.failed(self._clock.monotonic())
            raise
        except (RefusedError, ThrottledError):
            breaker.succeeded()
            raise
        breaker.succeeded()
        return receipt

    async def _post(self, target: TargetName, request: TargetRequest) -> httpx.Response:
        heavy = _is_heavy(request)
        content = await asyncio.to_thread(_encoded, request) if heavy else _encoded(request)
        try:
            return await self._client.post(
                self._urls[target] + request.path,
                content=content,
                headers={
                    # "Bearer " with nothing after it is no header value; the call would never leave
                    **({"Authorization": f"Bearer {self._key}"} if self._key else {}),
                    "Idempotency-Key": request.idempotency_key,
                    "Content-Type": "application/json",
                    "Accept": "application/json",
                },
            )
        except httpx.InvalidURL as error:
            raise RefusedError(f"the URL of {target.value} is not one: {error}") from error
        except httpx.HTTPError as error:
            sentence = f"{target.value} did not answer: {in_words(error)}"
            raise ServiceUnavailableError(sentence[:MAX_SENTENCE]) from error

    def _receipt(self, target: TargetName, answer: httpx.Response) -> TargetReceipt:
        status = answer.status_code
        if status in (200, 201, 409):
            return _taken(target, answer)
        if status == 429:
            message = f"{target.value} asked us to slow down"
            raise ThrottledError(message, retry_after=self._retry_after(answer))
        if status >= 500:
            message = f"{target.value} answered {status}"
            raise ServiceUnavailableError(message, retry_after=self._retry_after(answer))
        raise RefusedError(_sentence(target, answer), status=status)

    def _retry_after(self, answer: httpx.Response) -> float | None:
        """Read Retry-After, seconds or an HTTP date (RFC 9110 10.2.3), else None."""
        value = answer.headers.get("Retry-After", "").strip()
        try:
            seconds = float(value)
        except ValueError:
            try:
                moment = parsedate_to_datetime(value)
            except ValueError:
                return None
            moment = moment.replace(tzinfo=moment.tzinfo or UTC)
            seconds = (moment - self._clock.now()).total_seconds()
        return min(max(seconds, 0.0), MAX_WAIT) if math.isfinite(seconds) else None


def _is_heavy(request: TargetRequest) -> bool:
    """Tell whether encoding takes so long that it must not be done on the event loop."""
    texts = sum(len(value) for value in request.body.values() if isinstance(value, str))
    return bool(request.body.get("attachments")) or texts > LIGHT


def _encoded(request: TargetRequest) -> bytes:
    return json.dumps(dict(request.body)).encode()


def _taken(target: TargetName, answer: httpx.Response) -> TargetReceipt:
    """Read a success; without a readable id the call is repeated, which the key makes safe."""
    duplicate = answer.status_code == 409
    body = _object(answer)
    external_id = next((str(body[key]) for key in _IDS if body.get(key)), "")
    if not external_id and not duplicate:
        raise ServiceUnavailableError(
            f"{target.value} answered {answer.status_code} without the id of what it made"
        )
    return TargetReceipt(external_id=external_id[:MAX_SENTENCE], body=body, duplicate=duplicate)


def _object(answer: httpx.Response) -> dict[str, object]:
    if len(answer.content) > MAX_ANSWER:
        return {}
    try:
        body = json.loads(answer.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _sentence(target: TargetName, answer: httpx.Response) -> str:
    """Give the target's own words for a refusal, or its status when it has none."""
    body = _object(answer)
    said = body.get("detail") or body.get("message") or body.get("error") or ""
    words = said if isinstance(said, str) else ""
    return (" ".join(words.split()) or f"{target.value} answered {answer.status_code}")[
        :MAX_SENTENCE
    ]
