"""The caller's side of docs/targets.md, over a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from backend.errors import RefusedError, ServiceUnavailableError, ThrottledError
from backend.inbound.breaker import REST_SECONDS, THRESHOLD, Breaker, CircuitOpenError
from backend.inbound.deliver import pause
from backend.inbound.targets import HttpTargets
from backend.model.inbound import TargetName
from backend.ports import TargetRequest
from tests.integration.inbound_world import KEY, LoopbackTarget, answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.settable import SettableClock

REQUEST = TargetRequest(path="/tickets", body={"subject": "x"}, idempotency_key="inb_1/psa")


@pytest.fixture
async def target() -> AsyncIterator[LoopbackTarget]:
    made = LoopbackTarget()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def targets(target: LoopbackTarget, clock: SettableClock) -> AsyncIterator[HttpTargets]:
    urls = {TargetName.PSA: target.url + "/", TargetName.CRM: target.url, TargetName.PORTAL: ""}
    async with httpx.AsyncClient() as client:
        yield HttpTargets(urls, KEY, client, clock)


def test_a_target_without_a_url_is_not_configured(targets: HttpTargets) -> None:
    assert targets.configured(TargetName.PSA)
    assert not targets.configured(TargetName.PORTAL)


async def test_a_note_is_known_by_its_own_id_not_by_its_ticket(
    target: LoopbackTarget, targets: HttpTargets
) -> None:
    target.script.append(answer(201, {"ticket_id": "T-1", "note_id": "N-9"}))

    assert (await targets.call(TargetName.PSA, REQUEST)).external_id == "N-9"


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422, 302, 307])
async def test_other_answers_are_refusals_with_the_words_of_the_target(
    target: LoopbackTarget, targets: HttpTargets, status: int
) -> None:
    target.script.append(answer(status, {"detail": "No  such\nthing. " + "x" * 400}, Location="/"))

    with pytest.raises(RefusedError, match=r"^No such thing\. x{285}$") as caught:
        await targets.call(TargetName.PSA, REQUEST)

    assert caught.value.status == status
    assert len(target.calls) == 1


async def test_a_refusal_without_words_tells_its_status(
    target: LoopbackTarget, targets: HttpTargets
) -> None:
    target.script.append((404, {}, b"<html>"))

    with pytest.raises(RefusedError, match="psa answered 404"):
        await targets.call(TargetName.PSA, REQUEST)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("Mon, 02 Mar 2026 09:01:00 GMT", 60.0), ("soon", None), ("-3", 0.0)],
)
async def test_retry_after_is_read_as_seconds_or_as_a_date(
    target: LoopbackTarget, targets: HttpTargets, header: str, seconds: float | None
) -> None:
    target.script.append(answer(429, Retry_After=header))

    with pytest.raises(ThrottledError) as caught:
        await targets.call(TargetName.PSA, REQUEST)

    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff", b"[" * 100_000])
async def test_a_success_that_cannot_be_read_counts_as_an_outage(
    target: LoopbackTarget, targets: HttpTargets, content: bytes
) -> None:
    target.script.append((201, {}, content))

    with pytest.raises(ServiceUnavailableError):
        await targets.call(TargetName.PSA, REQUEST)


async def test_a_broken_line_is_an_outage(target: LoopbackTarget, targets: HttpTargets) -> None:
    target.script.append(None)

    with pytest.raises(ServiceUnavailableError, match="psa did not answer"):
        await targets.call(TargetName.PSA, REQUEST)


async def test_a_dead_target_rests_alone(
    target: LoopbackTarget, targets: HttpTargets, clock: SettableClock
) -> None:
    target.script += [answer(503)] * THRESHOLD
    for _ in range(THRESHOLD):
        with pytest.raises(ServiceUnavailableError):
            await targets.call(TargetName.PSA, REQUEST)

    with pytest.raises(CircuitOpenError) as caught:
        await targets.call(TargetName.PSA, REQUEST)
    assert caught.value.retry_after == REST_SECONDS
    assert len(target.calls) == THRESHOLD
    await targets.call(TargetName.CRM, REQUEST)
    clock.advance(REST_SECONDS)
    await targets.call(TargetName.PSA, REQUEST)


def test_after_the_rest_one_call_probes_and_its_failure_rests_again() -> None:
    breaker = Breaker()
    for _ in range(THRESHOLD):
        assert breaker.wait(100.0) == 0.0
        breaker.failed(100.0)

    assert breaker.wait(114.0) == 1.0
    assert breaker.wait(115.0) == 0.0
    assert breaker.wait(115.0) > 0.0
    breaker.failed(116.0)
    assert breaker.wait(117.0) == REST_SECONDS - 1
    breaker.succeeded()
    assert breaker.wait(117.0) == 0.0


def test_pauses_double_to_five_minutes_and_never_undercut_what_was_asked() -> None:
    seconds = [pause(tries, None).total_seconds() for tries in (0, 1, 2, 3, 9, 1000)]

    assert seconds == [2, 2, 4, 8, 300, 300]
    assert pause(1, 45.0).total_seconds() == 45
