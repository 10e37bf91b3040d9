"""The filter line: ``status:bounced dir:in tenant:acme rest`` into queries. Pure.

A word that cannot be right is a problem with a sentence, never silently no match.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend import (
    EVERY_TENANT,
    InvalidInputError,
    LogQuery,
    SuppressionKind,
    SuppressionQuery,
    SuppressionReason,
    SuppressionState,
    read_log_query,
    read_waiting_query,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from backend import InboundQuery, Tenant

SUPPRESSION_WORDS = ("tenant", "reason", "kind", "scope", "state")
_GLOBAL = "global"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A filter line taken apart: the named words and the rest."""

    named: Mapping[str, str]
    text: str


def split_words(line: str, names: Iterable[str]) -> Words:
    """Take ``name:value`` words out; a word with another name belongs to the text.

    So ``re:invoice`` and an IPv6 address can still be looked for.
    """
    named, rest = {}, []
    for word in line.split():
        name, colon, value = word.partition(":")
        if colon and name.lower() in names:
            named[name.lower()] = value
        else:
            rest.append(word)
    return Words(named=named, text=" ".join(rest))


def log_query(line: str, tenants: Sequence[Tenant], now: datetime) -> LogQuery:
    """Read a filter of the Logs screen; raises QueryError with a sentence and the place."""
    return read_log_query(line, now, tenants)


def quarantine_query(line: str, tenants: Sequence[Tenant], now: datetime) -> InboundQuery:
    """Read a filter of the Quarantine screen; raises InvalidInputError with a sentence.

    Without a state it is what waits: ``state:discarded`` shows what was put away,
    ``match:unmatched`` every answer to nothing we know.
    """
    return read_waiting_query(line, tenants, now)


def suppression_query(line: str, tenants: Sequence[Tenant]) -> SuppressionQuery:
    """Read a filter of the Suppressions screen; raises InvalidInputError with a sentence."""
    words = split_words(line, SUPPRESSION_WORDS)

    def value(name: str, known: Sequence[str]) -> str:
        return _one_of(name, words.named.get(name, ""), known)

    reason = value("reason", [one.value for one in SuppressionReason])
    kind = value("kind", [one.value for one in SuppressionKind])
    state = value("state", [one.value for one in SuppressionState])
    everywhere = value("scope", [_GLOBAL]) == _GLOBAL
    return SuppressionQuery(
        tenant_id=EVERY_TENANT if everywhere else _tenant(words, tenants),
        text=words.text,
        reason=SuppressionReason(reason) if reason else None,
        kind=SuppressionKind(kind) if kind else None,
        state=SuppressionState(state) if state else SuppressionState.ACTIVE,
    )


def _one_of(name: str, value: str, known: Sequence[str]) -> str:
    """Give the word itself, or the only one it begins; empty stays empty."""
    if not value or value.lower() in known:
        return value.lower()
    begun = [word for word in known if word.startswith(value.lower())]
    if len(begun) == 1:
        return begun[0]
    choices = ", ".join(begun or known)
    raise InvalidInputError(f"{name}:{value} is not known; write one of {choices}", field=name)


def _tenant(words: Words, tenants: Sequence[Tenant]) -> str | None:
    """Find a tenant by its id, its name, or the beginning of its name."""
    wanted = words.named.get("tenant", "").lower()
    if not wanted:
        return None
    for tenant in tenants:
        if wanted in {tenant.id.lower(), tenant.name.lower()}:
            return tenant.id
    begun = [tenant for tenant in tenants if _squeezed(tenant.name).startswith(_squeezed(wanted))]
    if len(begun) == 1:
        return begun[0].id
    which = "fits several tenants" if begun else "fits no tenant"
    raise InvalidInputError(f"tenant:{wanted} {which}; write more of its name", field="tenant")


def _squeezed(name: str) -> str:
    """Drop spaces: a filter word has none, so ``tenant:harbourdental`` finds Harbour Dental."""
    return "".join(name.lower().split())
