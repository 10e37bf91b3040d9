"""The DNS records a domain needs, for its owner to publish. Pure.

Sources: the SES developer guide on Easy DKIM, custom MAIL FROM and receiving, and RFC 9989 (DMARC).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.model.tenant import DnsRecord

if TYPE_CHECKING:
    from backend.model.tenant import Domain

MX_PRIORITY = 10
_DKIM = "Proves that mail from this domain is yours (DKIM key {number} of 3); SES rotates it."
_BOUNCES = (
    "Brings bounces back to SES under your own name (custom MAIL FROM);"
    " it must be the only MX here."
)
_SPF = "Allows SES to send for the MAIL FROM name (SPF), so that SPF aligns with your domain."
_DMARC = (
    "Tells receivers what to do with mail that fails DKIM and SPF (DMARC); start with none,"
    " tighten it when the reports are clean."
)
_INBOUND = (
    "Brings mail for this domain to Relay; it replaces any other mail service of this very name."
)


def records_for(domain: Domain, region: str) -> tuple[DnsRecord, ...]:
    """Give every record of a domain, DKIM first; ``region`` is the AWS region of SES.

    There are no DKIM records before SES has given its tokens, and no MAIL FROM records when the
    domain has no MAIL FROM name.
    """
    return (
        *_dkim(domain, region),
        *_mail_from(domain, region),
        DnsRecord(
            purpose=_DMARC, type="TXT", name=f"_dmarc.{domain.name}", value="v=DMARC1; p=none;"
        ),
        *_inbound(domain, region),
    )


def fallback_zone(region: str) -> str:
    """Give the DKIM zone of a region, for when SES has not named its SigningHostedZone."""
    own = region in _REGIONS_WITH_OWN_ZONE
    return f"dkim.{region}.amazonses.com" if own else "dkim.amazonses.com"


# docs.aws.amazon.com/general/latest/gr/ses.html#ses_dkim_domains
_REGIONS_WITH_OWN_ZONE = frozenset(
    {
        "af-south-1",
        "ap-northeast-3",
        "ap-south-2",
        "ap-southeast-3",
        "ap-southeast-5",
        "ca-west-1",
        "eu-central-2",
        "eu-south-1",
        "il-central-1",
        "me-central-1",
        "us-gov-east-1",
    }
)


def _dkim(domain: Domain, region: str) -> list[DnsRecord]:
    zone = domain.signing_zone or fallback_zone(region)
    return [
        DnsRecord(
            purpose=_DKIM.format(number=number),
            type="CNAME",
            name=f"{token}._domainkey.{domain.name}",
            value=f"{token}.{zone}",
        )
        for number, token in enumerate(domain.dkim_tokens, start=1)
    ]


def _mail_from(domain: Domain, region: str) -> list[DnsRecord]:
    if not domain.mail_from:
        return []
    return [
        DnsRecord(
            purpose=_BOUNCES,
            type="MX",
            name=domain.mail_from,
            # amazonses.com here, amazonaws.com for inbound: the two are often confused
            value=f"feedback-smtp.{region}.amazonses.com",
            priority=MX_PRIORITY,
        ),
        DnsRecord(
            purpose=_SPF,
            type="TXT",
            name=domain.mail_from,
            value="v=spf1 include:amazonses.com ~all",
        ),
    ]


def _inbound(domain: Domain, region: str) -> list[DnsRecord]:
    if not domain.inbound_enabled:
        return []
    return [
        DnsRecord(
            purpose=_INBOUND,
            type="MX",
            name=domain.name,
            value=f"inbound-smtp.{region}.amazonaws.com",
            priority=MX_PRIORITY,
        )
    ]
