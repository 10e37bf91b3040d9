"""Events in Resend's words: the cases of tests/golden/webhooks, and what its SDK expects."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from resend.webhooks import _webhook_event as sdk

from backend.bus.envelope import payload, wants
from backend.bus.resend_words import KNOWN, TOLD, Facts, resend_event
from backend.feedback.apply import _TOLD as SES_WORDS
from backend.inbound.screen_returns import _TOLD as REPORT_TYPES
from backend.model.bus import BusEvent, EventType
from backend.model.outbound import (
    Email,
    EmailStatus,
    Recipient,
    RecipientKind,
    RecipientStatus,
)
from backend.model.webhooks import Endpoint, WebhookStyle
from tests.settable import START

CASES = sorted((Path(__file__).parent.parent / "golden" / "webhooks").glob("*.json"))
SHAPES = {
    get_type_hints(shape)["type"].__args__[0]: get_type_hints(shape)["data"]
    for name, shape in vars(sdk).items()
    if name.endswith("Event") and "data" in getattr(shape, "__annotations__", {})
}


def read(path: Path) -> tuple[BusEvent, Facts, Any]:
    case = json.loads(path.read_text(encoding="utf-8"))
    written = case["event"]
    at = datetime.fromisoformat(written["created_at"])
    email = mail(case["email"]) if case["email"] else None
    return BusEvent(**(written | {"created_at": at})), Facts(email=email), case["said"]


def mail(row: dict[str, Any]) -> Email:
    later = row.get("scheduled_at")
    changed = {
        "status": EmailStatus(row["status"]),
        "created_at": datetime.fromisoformat(row["created_at"]),
        "scheduled_at": datetime.fromisoformat(later) if later else None,
        "recipients": tuple(
            Recipient(
                address=one["address"],
                kind=RecipientKind(one["kind"]),
                status=RecipientStatus(one["status"]),
                updated_at=datetime.fromisoformat(one["updated_at"]),
                detail=one["detail"],
            )
            for one in row["recipients"]
        ),
    }
    return Email(**(row | changed))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_an_event_is_said_as_resend_says_it(path: Path) -> None:
    event, facts, expected = read(path)
    said = resend_event(event, facts)

    assert (list(said) if said else None) == expected
    if said is not None:
        needed = SHAPES[said[0]].__required_keys__
        # a domain's region and, of a mail that is gone, nothing else is left out
        assert needed - {"region"} <= said[1].keys()


def test_every_event_resend_has_a_word_for_has_a_case() -> None:
    told = {said[0] for _, _, said in map(read, CASES) if said}

    assert told == set(TOLD)
    assert set(SHAPES) <= KNOWN


def endpoint(style: WebhookStyle, *events: str) -> Endpoint:
    return Endpoint(
        id="whk_1",
        tenant_id="ten_1",
        url="https://a.example/",
        style=style,
        created_at=START,
        updated_at=START,
        events=events,
    )


def test_a_filter_names_events_or_their_beginning_in_the_words_of_the_endpoint() -> None:
    event, facts, _ = read(CASES[3])
    relay, resend = WebhookStyle.RELAY, WebhookStyle.RESEND

    told = payload(event, endpoint(relay, "relay.email.*"), facts)
    assert told is not None
    assert told.type == EventType.BOUNCED
    assert json.loads(told.body)["data"] == event.data
    assert payload(event, endpoint(relay, "relay.domain.*", "relay.email.sent"), facts) is None
    assert payload(event, endpoint(resend, "email.bounced"), facts) is not None
    assert payload(event, endpoint(resend, "relay.email.bounced"), facts) is None
    assert wants((), "anything")
    assert not wants(("relay.email*",), "relay.email.sent")


def test_every_event_is_in_the_document() -> None:
    text = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")

    for name in [*(kind.value for kind in EventType), *TOLD]:
        assert f"`{name}`" in text, name


def test_what_the_parts_tell_is_an_event_there_is() -> None:
    words = [*SES_WORDS.values()]

    assert {EventType(f"relay.email.{word}") for word in words}
    assert set(map(EventType, REPORT_TYPES.values())) <= set(EventType)
