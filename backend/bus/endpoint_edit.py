"""Adding, changing, rotating and removing endpoints, each with its audit entry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backend.bus.resend_words import KNOWN, TOLD
from backend.errors import InvalidInputError, NotFoundError
from backend.model.bus import EventType
from backend.model.webhooks import Endpoint, WebhookStyle
from backend.store import audit, tenants, webhooks
from backend.store.audit import Hand

if TYPE_CHECKING:
    from datetime import datetime

    from backend.model.webhooks import EndpointChange, EndpointWish
    from backend.store.types import Tx

MOST = 20  # endpoints of a tenant: each multiplies its events
MAX_DESCRIPTION = 500
NO_REASON = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointHand(Hand):
    """Who changes endpoints, and when; ``tenant_id`` None may touch those of all tenants."""

    tenant_id: str | None = None


def the_one(tx: Tx, endpoint_id: str, tenant_id: str | None = None) -> Endpoint:
    """Give an endpoint; raises NotFoundError, also when it is another tenant's."""
    found = webhooks.get(tx, endpoint_id, tenant_id)
    if found is None:
        raise NotFoundError(f"there is no webhook {endpoint_id[:60]}")
    return found


def add(tx: Tx, hand: EndpointHand, wish: EndpointWish, secret: str) -> Endpoint:
    """Save a new endpoint, its URL checked already; raises InvalidInputError, NotFoundError."""
    if tenants.get(tx, wish.tenant_id) is None:
        raise NotFoundError(f"there is no tenant {wish.tenant_id}")
    if webhooks.count(tx, wish.tenant_id) >= MOST:
        raise InvalidInputError(f"a tenant has at most {MOST} webhooks; remove one first")
    endpoint = Endpoint(
        id=hand.ids.new("whk"),
        tenant_id=wish.tenant_id,
        url=wish.url,
        style=wish.style,
        events=checked_events(wish.events, wish.style),
        description=_checked_description(wish.description),
        created_at=hand.at,
        updated_at=hand.at,
    )
    webhooks.add(tx, endpoint, secret)
    _note(tx, hand, endpoint, "webhook.added", url=endpoint.url)
    return endpoint


def change(tx: Tx, hand: EndpointHand, endpoint_id: str, wanted: EndpointChange) -> Endpoint:
    """Change an endpoint and give it; switched on, it starts without a past of failures."""
    before = _held(tx, hand, endpoint_id)
    after = replace(before, updated_at=hand.at)
    if wanted.url is not None:
        after = replace(after, url=wanted.url)
    if wanted.events is not None:
        after = replace(after, events=checked_events(wanted.events, before.style))
    if wanted.description is not None:
        after = replace(after, description=_checked_description(wanted.description))
    if wanted.enabled is not None and wanted.enabled != before.enabled:
        after = replace(
            after,
            enabled=wanted.enabled,
            disabled_reason=NO_REASON if wanted.enabled else f"switched off by {hand.actor}"[:500],
            failures=0,
            failing_since=None,
        )
    webhooks.save(tx, after)
    changed = {
        name: str(getattr(after, name))
        for name in ("url", "events", "description", "enabled")
        if getattr(after, name) != getattr(before, name)
    }
    _note(tx, hand, after, "webhook.changed", **changed)
    return after


def rotate(tx: Tx, hand: EndpointHand, endpoint_id: str, secret: str, until: datetime) -> Endpoint:
    """Put a new secret in force and give the endpoint; until ``until`` the old one signs too."""
    _held(tx, hand, endpoint_id)
    webhooks.rotate(tx, endpoint_id, secret, until, hand.at)
    endpoint = the_one(tx, endpoint_id)
    _note(tx, hand, endpoint, "webhook.rotated", old_secret_until=until.isoformat())
    return endpoint


def remove(tx: Tx, hand: EndpointHand, endpoint_id: str) -> Endpoint:
    """Delete an endpoint with its deliveries and give what it was; raises NotFoundError."""
    endpoint = _held(tx, hand, endpoint_id)
    webhooks.remove(tx, endpoint_id)
    _note(tx, hand, endpoint, "webhook.removed", url=endpoint.url)
    return endpoint


def checked_events(events: tuple[str, ...], style: WebhookStyle) -> tuple[str, ...]:
    """Give a filter without repeats; raises InvalidInputError for an event there is not."""
    known = KNOWN if style is WebhookStyle.RESEND else {kind.value for kind in EventType}
    for name in events:
        fits = name in known or (
            name.endswith(".*") and any(one.startswith(name[:-1]) for one in known)
        )
        if not fits:
            shown = TOLD if style is WebhookStyle.RESEND else sorted(known)
            raise InvalidInputError(
                f"events: there is no event {name[:60]!r}; there are {', '.join(shown)}",
                field="events",
            )
    return tuple(dict.fromkeys(events))


def _held(tx: Tx, hand: EndpointHand, endpoint_id: str) -> Endpoint:
    """Give an endpoint that nobody else changes until the transaction ends."""
    the_one(tx, endpoint_id, hand.tenant_id)
    return webhooks.lock(tx, endpoint_id) or the_one(tx, endpoint_id)


def _checked_description(text: str) -> str:
    if len(text) > MAX_DESCRIPTION or not text.isprintable():
        raise InvalidInputError(
            f"description: is at most {MAX_DESCRIPTION} printable characters", field="description"
        )
    return text.strip()


def _note(tx: Tx, hand: EndpointHand, endpoint: Endpoint, action: str, **detail: str) -> None:
    audit.add(tx, hand.entry(action, endpoint.id, tenant_id=endpoint.tenant_id, detail=detail))
