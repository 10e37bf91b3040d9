"""What a domain does with the mail it receives: changed by a technician, with an audit entry."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.domains.records import records_for
from backend.errors import InvalidInputError, NotFoundError
from backend.model.address import ascii_domain
from backend.model.auto_response import NAMES, SUBJECT, TEXT, unknown_names
from backend.model.views import DomainDetail
from backend.store import audit, domains, tenants
from backend.store.audit import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.domains.register import DomainTools
    from backend.model.auto_response import AutoResponse
    from backend.model.tenant import CatchAll, Domain
    from backend.store.types import Tx

MAX_TICKET_FROM = 50
MAX_SUBJECT = 300
MAX_TEXT = 10_000
_LOCAL = re.compile(r"[a-z0-9!#$%&'*/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*/=?^_`{|}~-]+)*")
_PREFIX = re.compile(r"[a-z0-9][a-z0-9._-]{0,29}")
TAKEN = frozenset({"support", "crm", "portal", "reply"})
"""Words before the plus that mean something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainChange:
    """What to change; None leaves a setting as it is, an empty ``ticket_from`` is no address."""

    inbound_enabled: bool | None = None
    ticket_from: Sequence[str] | None = None
    reply_prefix: str | None = None
    catch_all: CatchAll | None = None
    auto_response: bool | None = None
    auto_response_subject: str | None = None
    auto_response_text: str | None = None


async def change_domain(
    tools: DomainTools, name: str, change: DomainChange, *, actor: str
) -> DomainDetail:
    """Change a domain's settings; raises NotFoundError and InvalidInputError."""
    entry = AuditEntry(
        id=tools.ids.new("aud"),
        at=tools.clock.now(),
        actor=actor,
        action="domain.changed",
        subject=name,
    )
    domain, tenant_name = await tools.db.write(_change, name, change, entry)
    return DomainDetail(
        domain=domain,
        tenant_name=tenant_name,
        records=records_for(domain, tools.region),
        region=tools.region,
    )


def changed(domain: Domain, change: DomainChange) -> Domain:
    """Give the domain as it will be; raises InvalidInputError naming the setting."""
    new = domain
    if change.inbound_enabled is not None:
        new = replace(new, inbound_enabled=change.inbound_enabled)
    if change.ticket_from is not None:
        new = replace(new, ticket_from=_local_parts(change.ticket_from))
    if change.reply_prefix is not None:
        new = replace(new, reply_prefix=_prefix(change.reply_prefix))
    if change.catch_all is not None:
        new = replace(new, catch_all=change.catch_all)
    return replace(new, auto_response=_auto_response(new.auto_response, change))


def _change(tx: Tx, name: str, change: DomainChange, entry: AuditEntry) -> tuple[Domain, str]:
    before = domains.by_name(tx, ascii_domain(name) or name) or domains.get(tx, name)
    if before is None:
        raise NotFoundError(f"there is no domain {name}")
    after = changed(before, change)
    domains.save_routing(tx, after)
    audit.add(
        tx,
        replace(
            entry, subject=after.id, tenant_id=after.tenant_id, detail=_difference(before, after)
        ),
    )
    tenant = tenants.get(tx, after.tenant_id)
    return after, tenant.name if tenant else ""


def _local_parts(parts: Sequence[str]) -> tuple[str, ...]:
    clean = tuple(dict.fromkeys(part.strip().lower() for part in parts if part.strip()))
    wrong = next((part for part in clean if not _LOCAL.fullmatch(part)), None)
    if wrong is not None or len(clean) > MAX_TICKET_FROM:
        said = (
            f"{wrong[:80]!r} is no" if wrong else f"at most {MAX_TICKET_FROM}; that is no list of"
        )
        raise InvalidInputError(
            f"ticket-from: {said} part before the @; write support,helpdesk", field="ticket_from"
        )
    return clean


def _prefix(text: str) -> str:
    prefix = text.strip().lower()
    if not _PREFIX.fullmatch(prefix) or prefix in TAKEN:
        raise InvalidInputError(
            f"reply-prefix: {text[:40]!r} cannot stand before the plus; use 1 to 30 letters,"
            f" digits, '.', '_' and '-', and none of {', '.join(sorted(TAKEN))}",
            field="reply_prefix",
        )
    return prefix


def _auto_response(now: AutoResponse, change: DomainChange) -> AutoResponse:
    """Give the automatic answer as it will be; empty words put our own back."""
    new = now
    if change.auto_response is not None:
        new = replace(new, enabled=change.auto_response)
    if change.auto_response_subject is not None:
        said = _words("auto_response_subject", change.auto_response_subject, MAX_SUBJECT)
        new = replace(new, subject=" ".join(said.split()) or SUBJECT)
    if change.auto_response_text is not None:
        said = _words("auto_response_text", change.auto_response_text, MAX_TEXT)
        new = replace(new, text=said.replace("\r\n", "\n") or TEXT)
    return new


def _words(field: str, text: str, longest: int) -> str:
    unknown = unknown_names(text)
    if unknown:
        raise InvalidInputError(
            f"{field}: nothing is known by the name {{{{{unknown[0]}}}}}; there are"
            f" {', '.join(NAMES)}",
            field=field,
        )
    if len(text) > longest or "\0" in text:
        raise InvalidInputError(f"{field}: give at most {longest} characters of text", field=field)
    return text if text.strip() else ""


def _difference(before: Domain, after: Domain) -> dict[str, str]:
    """Give each setting that changed as ``old -> new``."""
    values = {
        "inbound_enabled": (before.inbound_enabled, after.inbound_enabled),
        "ticket_from": (",".join(before.ticket_from), ",".join(after.ticket_from)),
        "reply_prefix": (before.reply_prefix, after.reply_prefix),
        "catch_all": (before.catch_all.value, after.catch_all.value),
        "auto_response": (before.auto_response.enabled, after.auto_response.enabled),
        "auto_response_subject": (before.auto_response.subject, after.auto_response.subject),
    }
    changes = {name: f"{old} -> {new}" for name, (old, new) in values.items() if old != new}
    return {"domain": after.name} | changes
