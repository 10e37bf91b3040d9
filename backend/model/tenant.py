"""Tenants, their sending domains and their API keys. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.model.auto_response import AutoResponse
from backend.model.explained import Explained

if TYPE_CHECKING:
    from datetime import datetime


class Scope(Explained):
    """What an API key may do; the seven levels of The One Relay."""

    SEND = "send", "Send single and template mail."
    SEND_BATCH = "send-batch", "Send batches; needs send as well."
    READ_LOGS = "read-logs", "Read logs, statistics and received mail."
    MANAGE_DOMAINS = "manage-domains", "Add, check and remove domains."
    MANAGE_TEMPLATES = "manage-templates", "Edit and publish templates."
    MANAGE_SUPPRESSIONS = "manage-suppressions", "Read and change the suppression list."
    ADMIN = "admin", "Everything, with settings and keys."


class DomainStatus(Explained):
    """Whether SES lets us send from a domain."""

    PENDING = "pending", "SES has not yet seen the DNS records."
    VERIFIED = "verified", "SES accepts mail from this domain."
    FAILED = "failed", "SES gave up looking for the DNS records."


class CatchAll(Explained):
    """What becomes of mail to an address of a domain that names no target."""

    UNROUTED = "unrouted", "It is kept unrouted until a person looks."
    TICKET = "ticket", "It opens a ticket."
    QUARANTINE = "quarantine", "It is quarantined."


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One client of the MSP; every other row belongs to one."""

    id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRecord:
    """One record an operator publishes: its purpose, type, name, value and MX priority."""

    purpose: str
    type: str
    name: str
    value: str
    priority: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A domain of a tenant: sends when verified, receives when ``inbound_enabled``.

    ``signing_zone`` is SES's SigningHostedZone, below which the DKIM CNAMEs point. Mail to the
    local parts ``ticket_from`` opens tickets, ``reply_prefix``+{ticket_id} adds notes, and
    ``catch_all`` says what becomes of the rest; ``auto_response`` is what the sender of a new
    ticket is answered, if anything (docs/routing.md).
    """

    id: str
    tenant_id: str
    name: str
    status: DomainStatus
    inbound_enabled: bool
    dkim_tokens: tuple[str, ...]
    mail_from: str
    created_at: datetime
    checked_at: datetime | None = None
    signing_zone: str = ""
    ticket_from: tuple[str, ...] = ("support",)
    reply_prefix: str = "ticket"
    catch_all: CatchAll = CatchAll.UNROUTED
    auto_response: AutoResponse = field(default_factory=AutoResponse)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key as it is kept: its hash only, never the secret.

    With ``domains`` it sends from these only. With ``any_tenant`` a request may name another tenant
    than its own. ``replaced_by`` is the key that took its place in a rotation.
    """

    id: str
    tenant_id: str
    name: str
    last4: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    domains: frozenset[str] = frozenset()
    any_tenant: bool = False
    replaced_by: str | None = None

    def governs(self, other: ApiKey) -> bool:
        """Tell whether the key, which may handle keys, may see, rotate and revoke another.

        One tenant's key must not get at one that acts for all: rotating it gives its secret.
        """
        return other.tenant_id == self.tenant_id and (self.any_tenant or not other.any_tenant)

    def covers(self, domains: frozenset[str]) -> bool:
        """Tell whether a key for these domains, none is all, would send no further than this."""
        return not self.domains or (bool(domains) and domains <= self.domains)

    def sends_from(self, domain: str) -> bool:
        """Tell whether the key may send mail whose From is at this domain."""
        return not self.domains or domain in self.domains

    def allows(self, scope: Scope) -> bool:
        """Tell whether the key may do this; admin may do all, send-batch needs send too."""
        if Scope.ADMIN in self.scopes:
            return True
        if scope is Scope.SEND_BATCH:
            return {Scope.SEND, Scope.SEND_BATCH} <= self.scopes
        return scope in self.scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWish:
    """What is asked of a new key; ``expires_at`` None means it does not expire."""

    tenant_id: str
    name: str
    scopes: frozenset[Scope]
    expires_at: datetime | None = None
    domains: frozenset[str] = frozenset()
    any_tenant: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key, the only time its secret is seen."""

    key: ApiKey
    secret: str
