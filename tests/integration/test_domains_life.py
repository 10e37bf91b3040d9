"""Domains over a real database and an SES that answers as a test tells it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from backend.domains.refresh import all_details, refresh_domain
from backend.domains.register import DomainTools, DomainWish, register_domain
from backend.errors import ForbiddenError, InvalidInputError, NotFoundError, ServiceUnavailableError
from backend.model.tenant import DomainStatus, Tenant
from backend.ports import Identity
from backend.store import audit, domains, outbox, tenants

if TYPE_CHECKING:
    from backend.store.engine import Database
    from tests.settable import CountingIds, SettableClock


class ScriptedSes:
    """SES identities whose state a test sets; moto knows no tokens and no hosted zone."""

    def __init__(self) -> None:
        self.status = DomainStatus.PENDING
        self.known: set[str] = set()
        self.away = False

    async def create(self, domain: str) -> Identity:
        self.known.add(domain)
        return await self.get(domain)

    async def get(self, domain: str) -> Identity:
        if self.away:
            raise ServiceUnavailableError("SES does not answer")
        if domain not in self.known:
            raise NotFoundError(f"SES has no identity {domain}")
        return Identity(
            domain=domain,
            status=self.status,
            dkim_tokens=("t1", "t2", "t3"),
            signing_hosted_zone="cell7.dkim.example",
            mail_from_domain=f"mail.{domain}",
        )


@pytest.fixture
def ses() -> ScriptedSes:
    return ScriptedSes()


@pytest.fixture
async def tools(
    any_db: Database, ses: ScriptedSes, clock: SettableClock, ids: CountingIds
) -> DomainTools:
    await any_db.write(tenants.add, Tenant(id="ten_1", name="Acme", created_at=clock.now()))
    return DomainTools(db=any_db, identities=ses, clock=clock, ids=ids, region="eu-west-1")


WISH = DomainWish(tenant_id="ten_1", name="Acme.EXAMPLE.", inbound_enabled=True)


async def test_a_new_domain_is_kept_with_what_ses_says_of_it(tools: DomainTools) -> None:
    detail = await register_domain(tools, WISH, actor="jo")
    kept = await tools.db.read(domains.by_name, "acme.example")

    assert kept == detail.domain
    assert detail.tenant_name == "Acme"
    assert detail.records[0].value == "t1.cell7.dkim.example"
    assert len(detail.records) == 7
    assert await tools.db.read(all_details, "eu-west-1") == [detail]


async def test_a_domain_in_unicode_is_kept_as_punycode(tools: DomainTools) -> None:
    wish = DomainWish(tenant_id="ten_1", name="bücher.example")

    assert (await register_domain(tools, wish, actor="jo")).domain.name == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    "name", ["", "acme", "-acme.example", "a b.example", "x" * 64 + ".example"]
)
async def test_what_is_no_domain_name_never_reaches_ses(
    tools: DomainTools, ses: ScriptedSes, name: str
) -> None:
    with pytest.raises(InvalidInputError, match="not a domain name"):
        await register_domain(tools, DomainWish(tenant_id="ten_1", name=name), actor="jo")

    assert ses.known == set()


async def test_a_domain_belongs_to_one_tenant_only(tools: DomainTools) -> None:
    await register_domain(tools, WISH, actor="jo")

    with pytest.raises(InvalidInputError, match="registered already"):
        await register_domain(tools, WISH, actor="jo")


async def test_a_tenant_takes_no_domain_that_another_proved(
    tools: DomainTools, ses: ScriptedSes
) -> None:
    """SES keeps an identity that was removed here, or that the operator verified for himself."""
    ses.status = DomainStatus.VERIFIED
    with pytest.raises(ForbiddenError, match="verified at SES already"):
        await register_domain(tools, replace(WISH, unproven=True), actor="key 1")

    assert (await register_domain(tools, WISH, actor="jo")).domain.tenant_id == "ten_1"


async def test_an_unknown_tenant_gets_no_domain(tools: DomainTools) -> None:
    with pytest.raises(NotFoundError):
        await register_domain(tools, DomainWish(tenant_id="ten_9", name="a.example"), actor="jo")


async def test_a_change_is_told_once_and_every_look_is_audited(
    tools: DomainTools, ses: ScriptedSes, clock: SettableClock
) -> None:
    domain = (await register_domain(tools, WISH, actor="jo")).domain
    ses.status = DomainStatus.VERIFIED
    clock.advance(60)
    await refresh_domain(tools, domain.id, actor="sam")
    detail = await refresh_domain(tools, domain.id, actor="sam")
    told = await tools.db.read(outbox.unpublished, 10)
    entries = await tools.db.read(audit.newest, 10)

    assert detail.domain.status is DomainStatus.VERIFIED
    assert detail.domain.checked_at == clock.now()
    assert [(e.type, e.tenant_id, e.data["domain"]) for e in told] == [
        ("relay.domain.verified", "ten_1", "acme.example")
    ]
    assert [e.action for e in entries] == ["domain.refreshed", "domain.refreshed", "domain.added"]


async def test_when_ses_is_away_nothing_changes(tools: DomainTools, ses: ScriptedSes) -> None:
    domain = (await register_domain(tools, WISH, actor="jo")).domain
    ses.away = True

    with pytest.raises(ServiceUnavailableError):
        await refresh_domain(tools, domain.id, actor="jo")
    assert await tools.db.read(domains.get, domain.id) == domain


async def test_a_domain_nobody_added_cannot_be_refreshed(tools: DomainTools) -> None:
    with pytest.raises(NotFoundError):
        await refresh_domain(tools, "dom_9", actor="jo")
