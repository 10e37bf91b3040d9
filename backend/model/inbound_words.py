"""A query line over inbound mail, ``state:unrouted from:*@client.example since:2d``. Pure.

The words are listed in docs/quarantine.md; console, command line and API read them alike.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from backend.model.automated import Kind
from backend.model.inbound import WAITING, InboundStatus, MatchStatus, Reason
from backend.model.query_words import only_once, read_words
from backend.model.views import InboundQuery

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from backend.model.explained import Explained
    from backend.model.query_words import QueryWord
    from backend.model.tenant import Tenant

INBOUND_WORDS = (
    "state", "reason", "kind", "match", "tenant", "from", "to", "subject", "since", "until",
)  # fmt: skip
_SETS: Mapping[str, tuple[str, type[Explained]]] = {
    "state": ("statuses", InboundStatus),
    "reason": ("reasons", Reason),
    "kind": ("kinds", Kind),
    "match": ("matches", MatchStatus),
}
_TEXTS = {"from": "sender", "to": "recipient", "subject": "subject"}


def read_inbound_query(
    line: str, tenants: Sequence[Tenant], now: datetime, *, base: InboundQuery | None = None
) -> InboundQuery:
    """Read a line; raises QueryError with one sentence and the place of the fault.

    Several words of ``state``, ``reason``, ``kind`` or ``match``, or values with commas between,
    mean any of them, and with a minus all but these; any other word counts once. What the line
    leaves open is as in ``base``.
    """
    words = read_words(line, INBOUND_WORDS)
    single = {word.key: word for word in words if word.key and word.key not in _SETS}
    only_once(words, [key for key in INBOUND_WORDS if key not in _SETS])
    found: dict[str, Any] = {}
    for key, (field, values) in _SETS.items():
        if chosen := _chosen([word for word in words if word.key == key], list(values)):
            found[field] = frozenset(map(values, chosen))
    found |= {_TEXTS[key]: single[key].value for key in _TEXTS if key in single}
    found |= {key: single[key].moment(now) for key in ("since", "until") if key in single}
    if "tenant" in single:
        found["tenant_id"] = _tenant_id(single["tenant"], tenants)
    if text := _text(words):
        found["text"] = text
    return replace(base or InboundQuery(), **found)


def read_waiting_query(line: str, tenants: Sequence[Tenant], now: datetime) -> InboundQuery:
    """Read a line over mail that waits for a person; raises QueryError.

    Whoever names a state, or asks for unmatched mail, means mail that waits for nobody as well.
    """
    read = read_inbound_query(line, tenants, now)
    return read if read.statuses or read.matches else replace(read, statuses=WAITING)


def inbound_query_as_json(query: InboundQuery) -> dict[str, object]:
    """Write a query as JSON, as a job keeps it."""
    sets = {field: sorted(getattr(query, field)) for field, _ in _SETS.values()}
    texts = {field: getattr(query, field) for field in (*_TEXTS.values(), "text")}
    times = {key: getattr(query, key) for key in ("since", "until")}
    written = {key: at.isoformat() if at else None for key, at in times.items()}
    # an empty tenant is not any tenant: it stands for mail of none
    owner = {} if query.tenant_id is None else {"tenant_id": query.tenant_id}
    return owner | {key: value for key, value in (sets | texts | written).items() if value}


def inbound_query_from_json(written: Mapping[str, Any]) -> InboundQuery:
    """Read back what ``inbound_query_as_json`` wrote."""
    read: dict[str, Any] = dict(written)
    for field, values in _SETS.values():
        read[field] = frozenset(map(values, written.get(field, ())))
    for key in ("since", "until"):
        if key in written:
            read[key] = datetime.fromisoformat(written[key])
    return InboundQuery(**read)


def _chosen(words: Sequence[QueryWord], known: Sequence[str]) -> set[str]:
    """Give the values that the words of one key leave; empty when there is no such word."""
    wanted = {one for word in words if not word.negated for one in word.several_of(known)}
    barred = {one for word in words if word.negated for one in word.several_of(known)}
    left = (wanted or set(known)) - barred if words else set()
    if words and not left:
        raise words[-1].wrong(f"the {words[-1].key}: words leave nothing")
    return left


def _text(words: Sequence[QueryWord]) -> str:
    texts = [word for word in words if not word.key]
    for word in texts:
        if word.negated:
            raise word.wrong(f"only {', '.join(f'{key}:' for key in _SETS)} take a minus")
    return " ".join(word.value for word in texts)


def _tenant_id(word: QueryWord, tenants: Sequence[Tenant]) -> str:
    """Find a tenant by id, name or the beginning of its name; raises QueryError."""
    wanted = _squeezed(word.value)
    for tenant in tenants:
        if wanted in {tenant.id.lower(), _squeezed(tenant.name)}:
            return tenant.id
    begun = [tenant for tenant in tenants if _squeezed(tenant.name).startswith(wanted)]
    if len(begun) == 1:
        return begun[0].id
    which = "fits several tenants" if begun else "fits no tenant"
    raise word.wrong(f"tenant:{word.value} {which}; write more of its name")


def _squeezed(name: str) -> str:
    """Drop spaces: ``tenant:harbourdental`` finds Harbour Dental."""
    return "".join(name.lower().split())
