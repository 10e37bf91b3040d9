"""The DNS records of a domain are those SES and receivers look for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from backend.domains.changes import event_of
from backend.domains.records import fallback_zone, records_for
from backend.model.tenant import DnsRecord, Domain, DomainStatus

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DOMAIN = Domain(
    id="dom_1",
    tenant_id="ten_1",
    name="acme.example",
    status=DomainStatus.PENDING,
    inbound_enabled=True,
    dkim_tokens=("t1", "t2", "t3"),
    mail_from="mail.acme.example",
    created_at=NOW,
    signing_zone="abc.dkim.eu-west-1.amazonses.com",
)


def plain(records: tuple[DnsRecord, ...]) -> list[tuple[str, str, str, int | None]]:
    return [(r.type, r.name, r.value, r.priority) for r in records]


def test_all_eight_records_of_a_domain_that_sends_and_receives() -> None:
    zone = "abc.dkim.eu-west-1.amazonses.com"

    assert plain(records_for(DOMAIN, "eu-west-1")) == [
        ("CNAME", "t1._domainkey.acme.example", f"t1.{zone}", None),
        ("CNAME", "t2._domainkey.acme.example", f"t2.{zone}", None),
        ("CNAME", "t3._domainkey.acme.example", f"t3.{zone}", None),
        ("MX", "mail.acme.example", "feedback-smtp.eu-west-1.amazonses.com", 10),
        ("TXT", "mail.acme.example", "v=spf1 include:amazonses.com ~all", None),
        ("TXT", "_dmarc.acme.example", "v=DMARC1; p=none;", None),
        ("MX", "acme.example", "inbound-smtp.eu-west-1.amazonaws.com", 10),
    ]


def test_a_domain_that_does_not_receive_gets_no_mx_of_its_own() -> None:
    records = records_for(replace(DOMAIN, inbound_enabled=False), "eu-west-1")

    assert [r for r in records if r.name == "acme.example"] == []


def test_a_domain_without_mail_from_gets_no_records_for_it() -> None:
    records = records_for(replace(DOMAIN, mail_from=""), "eu-west-1")

    assert {r.type for r in records} == {"CNAME", "TXT", "MX"}
    assert all("feedback-smtp" not in r.value and "spf1" not in r.value for r in records)


def test_every_record_says_what_it_is_for_in_a_sentence() -> None:
    purposes = [r.purpose for r in records_for(DOMAIN, "eu-west-1")]

    assert all(purpose.endswith(".") and len(purpose) > 40 for purpose in purposes)
    assert len(set(purposes)) == len(purposes)


@pytest.mark.parametrize(
    ("region", "zone"),
    [("us-east-1", "dkim.amazonses.com"), ("af-south-1", "dkim.af-south-1.amazonses.com")],
)
def test_without_a_zone_from_ses_the_regions_known_one_is_used(region: str, zone: str) -> None:
    assert fallback_zone(region) == zone
    assert records_for(replace(DOMAIN, signing_zone=""), region)[0].value == f"t1.{zone}"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, DomainStatus.PENDING, None),
        (None, DomainStatus.VERIFIED, "relay.domain.verified"),
        (DomainStatus.PENDING, DomainStatus.VERIFIED, "relay.domain.verified"),
        (DomainStatus.PENDING, DomainStatus.FAILED, "relay.domain.failed"),
        (DomainStatus.VERIFIED, DomainStatus.FAILED, "relay.domain.failed"),
        (DomainStatus.VERIFIED, DomainStatus.PENDING, None),
        (DomainStatus.VERIFIED, DomainStatus.VERIFIED, None),
        (DomainStatus.FAILED, DomainStatus.FAILED, None),
    ],
)
def test_only_a_change_to_verified_or_failed_is_told(
    before: DomainStatus | None, after: DomainStatus, told: str | None
) -> None:
    event = event_of(before, replace(DOMAIN, status=after), event_id="evt_1", at=NOW)

    assert (event.type if event else None) == told
