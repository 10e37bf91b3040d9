"""The id of an address becomes one segment of a path and nothing more."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backend.inbound.deliver import request_for
from backend.inbound.recipient import Pattern, read_recipient
from backend.model.inbound import (
    InboundMessage,
    InboundStatus,
    ParsedMail,
    Reason,
    Route,
    ScanVerdicts,
    TargetAction,
    TargetName,
)

MESSAGE = InboundMessage(
    id="inb_1",
    tenant_id="",
    source="ses",
    blob_key="k",
    recipient="ticket+1@relay.example",
    envelope_from="",
    status=InboundStatus.RECEIVED,
    reason=Reason.STORED,
    received_at=datetime(2026, 3, 2, 9, tzinfo=UTC),
    size=1,
    verdicts=ScanVerdicts(),
)


@pytest.mark.parametrize(
    ("ref", "path"),
    [
        ("1042", "/tickets/1042/notes"),
        ("a/../b?c#d", "/tickets/a%2F..%2Fb%3Fc%23d/notes"),
        ("..", "/tickets/%2E%2E/notes"),
        ("\u00fc %", "/tickets/%C3%BC%20%25/notes"),
    ],
)
def test_a_ref_cannot_leave_its_place_in_the_path(ref: str, path: str) -> None:
    route = Route(target=TargetName.PSA, action=TargetAction.ADD_NOTE, tenant_id="", ref=ref)

    assert request_for(MESSAGE, ParsedMail(), route).path == path


def test_html_that_is_too_long_is_left_out_and_text_is_cut() -> None:
    route = Route(target=TargetName.PSA, action=TargetAction.ADD_NOTE, tenant_id="", ref="1")
    body = request_for(MESSAGE, ParsedMail(text="x" * 1_000_001, html="y" * 2_000_001), route).body

    assert body["html"] is None
    assert len(str(body["text"])) == 1_000_000


@pytest.mark.parametrize(
    ("address", "pattern", "ref", "domain"),
    [
        ("ticket+12@relay.example", Pattern.TICKET, "12", "relay.example"),
        ("Ticket+AbC@Relay.Example.", Pattern.TICKET, "AbC", "relay.example"),
        ("ticket+a+b@relay.example", Pattern.TICKET, "a+b", "relay.example"),
        ("<portal+1@relay.example>", Pattern.PORTAL, "1", "relay.example"),
        ("support@relay.example", Pattern.SUPPORT_DESK, "", "relay.example"),
        ("support+@relay.example", Pattern.OTHER, "", "relay.example"),
        ("ticket@relay.example", Pattern.OTHER, "", "relay.example"),
        ("tickets+1@relay.example", Pattern.OTHER, "", "relay.example"),
        ("ticket+" + "1" * 201 + "@relay.example", Pattern.OTHER, "", "relay.example"),
        ("", Pattern.OTHER, "", ""),
        ("@", Pattern.OTHER, "", ""),
        ("crm+1@bad domain", Pattern.CRM, "1", ""),
    ],
)
def test_recipients_are_taken_apart(address: str, pattern: Pattern, ref: str, domain: str) -> None:
    found = read_recipient(address)

    assert (found.pattern, found.ref, found.domain) == (pattern, ref, domain)
