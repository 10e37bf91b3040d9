"""POST /events/... over a socket: tokens, signatures, outcomes, and what is stored after."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import timedelta
from shutil import copyfile
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from backend.api.app import create_app
from backend.api.server import ApiServer
from backend.aws.client import Clients
from backend.aws.sns import SnsTopics, SnsVerifier
from backend.errors import ServiceUnavailableError
from backend.facade_ingest import Ingest, IngestParts
from backend.inbound.intake import Intake
from backend.inbound.sources.fetch import GuardedFetch
from backend.inbound.sources.http_event import HttpSource
from backend.inbound.sources.sns_post import SnsDoor, SnsInbound
from backend.model.views import InboundQuery
from backend.sandbox import Sandbox, SandboxSettings
from backend.store import arrivals as ledger
from backend.store import inbound as store
from backend.store.blobs import FolderBlobs
from backend.store.engine import Database
from backend.store.schema import events
from tests.integration.inbound_world import SHARED, mail
from tests.settable import START, CountingIds, SettableClock
from tests.sns_world import REGION, TOPIC, Signer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from fastapi import FastAPI

    from backend.api.service import ApiService
    from backend.sandbox import SandboxAddresses
    from backend.store.types import Tx

TOKEN = "the-inbound-token"
DESK = f"ticket+1@{SHARED}"
RAW = mail("Posted", "Message-ID: <posted@client.example>").decode()
SNS, SES = "/events/inbound/ses-s3", "/events/ses"


@dataclass
class Place:
    """A served API whose world is in the hands of the test."""

    db: Database
    blobs: FolderBlobs
    clock: SettableClock
    ids: CountingIds
    signer: Signer
    at: SandboxAddresses
    token: str = TOKEN
    fetched: dict[str, bytes] = field(default_factory=dict)
    http: httpx.AsyncClient = field(init=False)
    ingest: Ingest = field(init=False)

    async def fetch(self, url: str) -> bytes:
        if url.startswith("https://sns."):
            return self.signer.certificate
        if url not in self.fetched:
            return await GuardedFetch(limit=1000)(url)
        return self.fetched[url]

    def build(self, clients: Clients) -> None:
        intake = Intake(self.db, self.blobs, self.clock, self.ids, inbound_domain=SHARED)
        verifier = SnsVerifier(self.fetch, self.clock, region=REGION, topics=[TOPIC])
        self.ingest = Ingest(
            IngestParts(
                db=self.db,
                blobs=self.blobs,
                intake=intake,
                clock=self.clock,
                ids=self.ids,
                http=HttpSource(self.db, self.blobs, intake, self.clock, fetch=self.fetch),
                sns=SnsDoor(verifier, SnsTopics(clients)),
                sns_inbound=SnsInbound(
                    self.db, self.blobs, intake, self.clock, bucket="relay-inbound"
                ),
                token=SecretStr(self.token),
            )
        )

    async def post(self, body: dict[str, Any], token: str = TOKEN) -> httpx.Response:
        headers = {b"Authorization": f"Bearer {token}".encode()} if token else {}
        return await self.http.post("/events/inbound", json=body, headers=headers)

    async def rows(self) -> list[Any]:
        return await self.db.read(store.page, InboundQuery(), 0, 50)


class Front:
    """What the app asks: the place of this test. To make an app takes longer than a test."""

    place: Place

    @property
    def ingest(self) -> Ingest:
        return self.place.ingest


@pytest.fixture(scope="module")
def front() -> tuple[Front, FastAPI]:
    front = Front()
    service: Any = front
    typed: ApiService = service
    return front, create_app(typed)


@pytest.fixture(scope="module")
def at() -> Iterator[SandboxAddresses]:
    sandbox = Sandbox(SandboxSettings(receiving_domains=(SHARED,)))
    yield sandbox.start()
    sandbox.stop()


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer()


@pytest.fixture
async def place(
    migrated_file: Path,
    tmp_path: Path,
    clock: SettableClock,
    ids: CountingIds,
    signer: Signer,
    at: SandboxAddresses,
    front: tuple[Front, FastAPI],
) -> AsyncIterator[Place]:
    path = tmp_path / "relay.db"
    copyfile(migrated_file, path)
    db = Database(f"sqlite:///{path}")
    clients = Clients(at.region, at.aws_endpoint)
    made = Place(db, FolderBlobs(tmp_path / "blobs"), clock, ids, signer, at)
    made.build(clients)
    asked, app = front
    asked.place = made
    server = ApiServer(app, "127.0.0.1", 0)
    url = await server.start()
    async with httpx.AsyncClient(base_url=url) as http:
        made.http = http
        yield made
    await server.stop()
    clients.close()
    db.close()


def event(**more: Any) -> dict[str, Any]:
    return {"event_id": "e1", "provider": "p", "recipients": [DESK], "raw_mime": RAW} | more


async def test_a_posted_mail_is_on_disk_when_202_is_answered(place: Place) -> None:
    answer = await place.post(event(metadata={"region": "eu", "Authorization": "x"}))

    (row,) = await place.rows()
    assert answer.status_code == 202
    assert answer.json() == {"outcome": "processed", "event_id": "e1", "inbound_ids": [row.id]}
    assert (row.source, row.recipient, row.message_id) == ("http", DESK, "posted@client.example")
    assert (await place.blobs.get(row.blob_key)).decode() == RAW
    recorded = await place.db.read(ledger.event, "http:p", "e1")
    assert recorded is not None
    assert recorded.metadata == {"region": "eu", "Authorization": "[redacted]"}


@pytest.mark.parametrize(
    "more",
    [
        {"raw_mime": None, "raw_mime_base64": base64.encodebytes(RAW.encode()).decode()},
        {"raw_mime": None, "raw_mime_url": "https://files.example/mail.eml"},
        {"recipients": [], "raw_mime": RAW.replace("somebody@else.example", DESK)},
    ],
)
async def test_the_raw_mail_comes_in_three_ways_and_headers_tell_recipients(
    place: Place, more: dict[str, Any]
) -> None:
    place.fetched["https://files.example/mail.eml"] = RAW.encode()
    answer = await place.post(event(**more))

    (row,) = await place.rows()
    assert (answer.status_code, row.recipient) == (202, DESK)


async def test_the_same_event_again_is_a_duplicate_with_the_same_ids(place: Place) -> None:
    first = (await place.post(event())).json()
    again = await place.post(event(raw_mime=RAW + "more"))
    elsewhere = await place.post(event(provider="q", raw_mime=mail("other").decode()))

    assert again.status_code == 200
    assert again.json() == first | {"outcome": "duplicate_provider_event"}
    assert elsewhere.status_code == 202
    assert len(await place.rows()) == 2


async def test_another_event_with_the_same_mail_is_a_duplicate_too(place: Place) -> None:
    first = (await place.post(event())).json()
    again = await place.post(event(event_id="e2"))

    assert (again.status_code, again.json()["outcome"]) == (200, "duplicate_provider_event")
    assert again.json()["inbound_ids"] == first["inbound_ids"]


async def test_mail_for_nobody_of_ours_is_answered_so_and_keeps_a_row(place: Place) -> None:
    answer = await place.post(event(recipients=["jo@else.example"]))

    assert (answer.status_code, answer.json()["outcome"]) == (200, "missing_domain")
    assert len(await place.rows()) == 1


@pytest.mark.parametrize("raw", ["", "no mail at all", "\0\0\0"])
async def test_bytes_that_are_no_mail_are_a_final_outcome_of_their_own(
    place: Place, raw: str
) -> None:
    answer = await place.post(event(raw_mime=raw))
    again = await place.post(event())

    assert (answer.status_code, answer.json()["outcome"]) == (200, "malformed_mime")
    assert again.json()["outcome"] == "duplicate_provider_event"
    assert await place.rows() == []


async def test_a_mail_that_is_too_large_is_a_final_outcome_of_its_own(place: Place) -> None:
    answer = await place.post(event(raw_mime="a: b\n\n" + "x" * 41 * 1024 * 1024))

    assert (answer.status_code, answer.json()["outcome"]) == (200, "oversized_message")
    assert await place.rows() == []


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"raw_mime": RAW}, 422, "event_id"),
        (event(event_id=""), 422, "event_id"),
        (event(event_id="a\0b"), 422, "event_id"),
        (event(raw_mime=None), 422, "raw_mime"),
        (event(raw_mime_base64="AAAA"), 422, "raw_mime"),
        (event(raw_mime=None, raw_mime_base64="*"), 422, "raw_mime_base64"),
        (event(recipients=["nobody"]), 422, "recipients[0]"),
        (event(recipients=["a\n@b.example"]), 422, "recipients[0]"),
        (event(recipients=[DESK] * 101), 422, "recipients"),
        (event(raw_mime=None, raw_mime_url="http://127.0.0.1/"), 422, "raw_mime_url"),
        (event(raw_mime=None, raw_mime_url="https://127.0.0.1/"), 422, "raw_mime_url"),
        (event(raw_mime=None, raw_mime_url="https://169.254.169.254/latest"), 422, "raw_mime_url"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_recorded(
    place: Place, body: dict[str, Any], status: int, field: str
) -> None:
    answer = await place.post(body)

    assert (answer.status_code, answer.json()["field"]) == (status, field)
    assert await place.db.read(ledger.event, "http:p", "e1") is None


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", "\u00fc"])
async def test_without_the_token_nothing_is_read(place: Place, token: str) -> None:
    answer = await place.post({"not": "read"}, token)

    assert (answer.status_code, answer.json()["name"]) == (401, "invalid_token")


async def test_an_unset_token_admits_nobody(place: Place) -> None:
    place.token = ""
    place.build(Clients(REGION))

    for token in ("", "x"):
        answer = await place.post(event(), token)
        assert answer.status_code == 401
        assert "INGESTER_INBOUND_TOKEN" in answer.json()["error"]


def notice(key: str, bucket: str = "relay-inbound") -> str:
    return json.dumps(
        {
            "notificationType": "Received",
            "receipt": {
                "timestamp": "2026-03-02T09:00:00.000Z",
                "recipients": [DESK],
                "spamVerdict": {"status": "PASS"},
                "action": {"type": "S3", "bucketName": bucket, "objectKey": key},
            },
            "mail": {"messageId": key, "source": "jo@client.example"},
        }
    )


async def test_a_signed_receipt_notice_is_taken_in_once(place: Place) -> None:
    await place.blobs.put("in/1", mail("notified"))
    body = place.signer.notification(notice("in/1"))
    first = await place.http.post(SNS, content=body)
    again = await place.http.post(SNS, content=body)

    assert (first.status_code, first.json()) == (200, {"outcome": "processed"})
    assert again.json() == {"outcome": "duplicate_provider_event"}
    (row,) = await place.rows()
    assert (row.source, row.recipient, row.envelope_from) == ("ses", DESK, "jo@client.example")


async def test_an_s3_event_with_two_objects_makes_both_rows(place: Place) -> None:
    records = [
        {
            "eventName": "ObjectCreated:Put",
            "eventTime": "2026-03-02T09:00:00.000Z",
            "s3": {"bucket": {"name": "relay-inbound"}, "object": {"key": f"in%2F{key}+x"}},
        }
        for key in "ab"
    ]
    for key in "ab":
        await place.blobs.put(f"in/{key} x", mail(key, f"Cc: {DESK}"))
    body = place.signer.notification(json.dumps({"Records": records}), version="1")

    assert (await place.http.post(SNS, content=body)).json() == {"outcome": "processed"}
    assert {row.blob_key for row in await place.rows()} == {"in/a x", "in/b x"}


async def test_an_s3_event_ahead_of_its_object_is_asked_for_again(place: Place) -> None:
    record = {
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-03-02T09:00:00.000Z",
        "s3": {"bucket": {"name": "relay-inbound"}, "object": {"key": "in/late"}},
    }
    body = place.signer.notification(json.dumps({"Records": [record]}))
    early = await place.http.post(SNS, content=body)
    await place.blobs.put("in/late", mail("late", f"Cc: {DESK}"))
    late = await place.http.post(SNS, content=body)

    assert (early.status_code, late.json()) == (503, {"outcome": "processed"})


async def test_another_bucket_is_refused(place: Place) -> None:
    body = place.signer.notification(notice("in/1", bucket="somebody-elses"))
    answer = await place.http.post(SNS, content=body)

    assert (answer.status_code, answer.json()["name"]) == (422, "invalid_input")
    assert "somebody-elses" in answer.json()["error"]
    assert await place.rows() == []


async def test_the_test_event_of_s3_is_acknowledged(place: Place) -> None:
    body = place.signer.notification('{"Service": "Amazon S3", "Event": "s3:TestEvent"}')

    assert (await place.http.post(SNS, content=body)).json() == {"outcome": "ignored"}


@pytest.mark.parametrize("path", [SNS, SES])
async def test_what_sns_did_not_sign_is_refused(place: Place, path: str) -> None:
    forged = json.loads(place.signer.notification(notice("in/1"))) | {"Message": notice("in/2")}
    stranger = place.signer.notification(notice("in/1"), topic=TOPIC + "-other")
    old = place.signer.notification(notice("in/1"), at=START - timedelta(hours=2))
    for body in (json.dumps(forged).encode(), stranger, old):
        answer = await place.http.post(path, content=body)
        assert (answer.status_code, answer.json()["name"]) == (403, "unverified_notice")
    assert await place.rows() == []


@pytest.mark.parametrize("path", [SNS, SES])
async def test_raw_delivery_and_large_bodies_are_refused(place: Place, path: str) -> None:
    raw = await place.http.post(path, content=notice("in/1"))
    flagged = await place.http.post(
        path,
        content=place.signer.notification(notice("in/1")),
        headers={"x-amz-sns-rawdelivery": "true"},
    )
    large = await place.http.post(path, content=bytes(600 * 1024))

    assert (raw.status_code, flagged.status_code, large.status_code) == (422, 400, 413)
    assert "raw message delivery" in raw.json()["error"]


async def test_a_subscription_is_confirmed_by_the_api_and_its_address_never_opened(
    place: Place,
) -> None:
    clients = Clients(place.at.region, place.at.aws_endpoint)
    sns = clients.service("sns")
    topic = sns.create_topic(Name="confirmed")["TopicArn"]
    verifier = SnsVerifier(place.fetch, place.clock, region=REGION, topics=[topic])
    door = SnsDoor(verifier, SnsTopics(clients))

    outcome = await door.admit(place.signer.confirmation("a-token", topic=topic))
    clients.close()

    assert outcome == "subscription_confirmed"


async def test_a_confirmation_sns_does_not_answer_is_asked_for_again(place: Place) -> None:
    gone = Clients(REGION, "http://127.0.0.1:9")
    place.build(gone)
    answer = await place.http.post(SNS, content=place.signer.confirmation("token"))
    gone.close()

    assert answer.status_code == 503


def _known_facts(tx: Tx) -> list[str]:
    return list(tx.execute(select(events.c.ses_message_id)).scalars())


async def test_a_sending_event_over_sns_is_applied_once(place: Place) -> None:
    told = {
        "eventType": "Delivery",
        "mail": {
            "messageId": "0100-ses-id",
            "timestamp": "2026-03-02T09:00:00.000Z",
            "destination": ["jo@client.example"],
        },
        "delivery": {
            "timestamp": "2026-03-02T09:00:01.000Z",
            "recipients": ["jo@client.example"],
        },
    }
    body = place.signer.notification(json.dumps(told))
    first = await place.http.post(SES, content=body)
    again = await place.http.post(SES, content=body)

    assert (first.status_code, first.json()) == (200, {"outcome": "processed"})
    assert again.json() == {"outcome": "duplicate_provider_event"}
    assert await place.db.read(_known_facts) == ["0100-ses-id"]


async def test_a_store_that_is_away_is_told_as_try_again_and_nothing_is_recorded(
    place: Place,
) -> None:
    async def broken(key: str, data: bytes) -> None:
        raise ServiceUnavailableError("the disk is full")

    kept = place.blobs.put
    place.blobs.put = broken  # type: ignore[method-assign]  # a full disk, for one call
    failed = await place.post(event())
    place.blobs.put = kept  # type: ignore[method-assign]
    again = await place.post(event())

    assert (failed.status_code, again.status_code) == (503, 202)
    assert len(await place.rows()) == 1
