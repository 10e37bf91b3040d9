"""SesTransport and SesIdentities against the sandbox over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from backend.aws.client import Clients
from backend.aws.ses import SesIdentities, SesTransport
from backend.errors import (
    ConfigError,
    NotFoundError,
    RefusedError,
    SendingPausedError,
    ServiceUnavailableError,
    ThrottledError,
    UnknownOutcomeError,
)
from backend.model.tenant import DomainStatus
from tests.integration.aws.reading import outgoing, until

if TYPE_CHECKING:
    from tests.integration.aws.reading import Reader


async def test_a_mail_is_accepted_once_with_its_tags(world: Reader) -> None:
    message_id = await SesTransport(world.clients).send(outgoing("kim@customer.example"))

    (row,) = [row for row in world.accepted("w1") if row["message_id"] == message_id]
    assert row["recipients"] == ["kim@customer.example"]
    assert row["tags"] == {"world": "w1"}
    assert row["headers"]["X-Relay-Attempt"] == "w1"


async def test_ses_replaces_message_id_and_date_and_removes_bcc(world: Reader) -> None:
    message_id = await SesTransport(world.clients).send(outgoing("a@b.example", world="wire"))

    (row,) = world.accepted("wire")
    assert row["headers"]["Message-ID"] == f"<{message_id}@email.amazonses.com>"
    assert row["headers"]["Date"].endswith("+0000")
    assert "Bcc" not in row["headers"]


async def test_every_kind_of_recipient_reaches_ses(world: Reader) -> None:
    mail = outgoing("a@one.example", cc=("b@one.example",), bcc=("c@two.example",), world="kinds")
    await SesTransport(world.clients).send(mail)

    (row,) = world.accepted("kinds")
    assert row["recipients"] == ["a@one.example", "b@one.example", "c@two.example"]


async def test_a_mail_without_recipients_is_refused_before_ses_is_asked(world: Reader) -> None:
    before = world.calls("SendEmail")
    with pytest.raises(RefusedError, match="no recipient"):
        await SesTransport(world.clients).send(outgoing())

    assert world.calls("SendEmail") == before


async def test_the_account_tells_its_quota(world: Reader) -> None:
    account = await SesTransport(world.clients).account()

    assert account.sending_enabled
    assert account.enforcement == "HEALTHY"
    assert account.max_send_rate == 14.0
    assert account.max_24_hour_send == 50_000.0


async def test_a_paused_account_says_so_and_takes_nothing(world: Reader) -> None:
    world.control("faults", kind="paused")
    transport = SesTransport(world.clients)
    assert not (await transport.account()).sending_enabled
    with pytest.raises(SendingPausedError, match="Sending is paused"):
        await transport.send(outgoing("a@b.example", world="paused"))

    assert world.accepted("paused") == []
    assert (await transport.account()).sending_enabled


async def test_an_unverified_sender_is_refused(world: Reader) -> None:
    with pytest.raises(RefusedError, match="not verified") as caught:
        await SesTransport(world.clients).send(
            outgoing("a@b.example", sender="eve@elsewhere.example")
        )

    assert caught.value.status == 400


async def test_a_subdomain_of_a_verified_domain_may_send(world: Reader) -> None:
    assert await SesTransport(world.clients).send(
        outgoing("a@b.example", sender="x@mail.client.example")
    )


async def test_more_than_fifty_recipients_are_refused(world: Reader) -> None:
    many = tuple(f"r{n}@customer.example" for n in range(51))
    with pytest.raises(RefusedError, match="exceeds 50"):
        await SesTransport(world.clients).send(outgoing(*many))


async def test_an_unknown_configuration_set_is_a_matter_of_settings(world: Reader) -> None:
    with pytest.raises(ConfigError, match=r"does not exist.*check RELAY_CONFIGURATION_SET"):
        await SesTransport(world.clients).send(outgoing("a@b.example", configuration_set="nowhere"))


async def test_a_throttled_send_asks_to_wait_and_is_not_taken(world: Reader) -> None:
    world.control("faults", kind="throttle")
    with pytest.raises(ThrottledError, match="Maximum sending rate") as caught:
        await SesTransport(world.clients).send(outgoing("a@b.example", world="throttled"))

    assert caught.value.retry_after == 1.0
    assert world.accepted("throttled") == []


async def test_the_daily_quota_asks_to_wait_long(world: Reader) -> None:
    world.control("faults", kind="daily_quota")
    with pytest.raises(ThrottledError, match="Daily message quota") as caught:
        await SesTransport(world.clients).send(outgoing("a@b.example"))

    assert caught.value.retry_after is not None
    assert caught.value.retry_after >= 600


async def test_a_server_error_means_not_sent_and_is_asked_once(world: Reader) -> None:
    world.control("faults", kind="server_error", count=5)
    before = world.calls("SendEmail")
    with pytest.raises(ServiceUnavailableError):
        await SesTransport(world.clients).send(outgoing("a@b.example", world="500"))

    assert world.calls("SendEmail") == before + 1
    assert world.accepted("500") == []


@pytest.mark.parametrize("kind", ["hang", "reset"])
async def test_a_lost_answer_is_an_unknown_outcome_of_one_request(world: Reader, kind: str) -> None:
    world.control("faults", kind=kind, count=5)
    before = world.calls("SendEmail")
    with pytest.raises(UnknownOutcomeError):
        await SesTransport(world.impatient).send(outgoing("a@b.example", world=kind))

    assert world.calls("SendEmail") == before + 1
    assert len(world.accepted(kind)) == 1


async def test_a_lost_answer_is_settled_by_the_send_event(world: Reader) -> None:
    world.control("faults", kind="hang")
    with pytest.raises(UnknownOutcomeError):
        await SesTransport(world.impatient).send(outgoing("a@b.example", world="settled"))
    (row,) = world.accepted("settled")
    (event, *_) = await world.events_of(row["message_id"], 1)

    assert event["mail"]["tags"]["world"] == ["settled"]


async def test_nobody_listening_means_not_sent() -> None:
    clients = Clients("us-east-1", "http://127.0.0.1:9")
    try:
        with pytest.raises(ServiceUnavailableError):
            await SesTransport(clients).send(outgoing("a@b.example"))
    finally:
        clients.close()


async def test_a_new_domain_is_pending_and_then_verified(world: Reader) -> None:
    identities = SesIdentities(world.clients, mail_from_label="bounce")
    created = await identities.create("fresh.example")

    assert created.status is DomainStatus.PENDING
    assert len(set(created.dkim_tokens)) == 3
    assert created.signing_hosted_zone == "dkim.amazonses.com"
    assert created.mail_from_domain == "bounce.fresh.example"
    listed = world.clients.service("sesv2").get_email_identity
    await until(lambda: listed(EmailIdentity="fresh.example")["VerifiedForSendingStatus"])
    assert (await identities.get("fresh.example")).status is DomainStatus.VERIFIED


async def test_creating_a_domain_that_exists_reads_it(world: Reader) -> None:
    identities = SesIdentities(world.clients)
    existing = await identities.create("client.example")

    assert existing == await identities.get("client.example")
    assert existing.status is DomainStatus.VERIFIED


async def test_an_unknown_domain_is_not_found(world: Reader) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        await SesIdentities(world.clients).get("nobody.example")
