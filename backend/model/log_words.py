"""The query language of the log: ``status:bounced to:@acme.example since:2h -tag:test`` read. Pure.

Used by ``logs``, the filter line of the console and ``GET /api/logs?q=`` alike. docs/logs.md lists
the words; ``LOG_KEYS`` is the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.model.inbound import InboundStatus
from backend.model.log import Direction, LogField, LogHas, LogIs, LogQuery, LogTerm
from backend.model.outbound import EmailStatus
from backend.model.query_words import QueryError, only_once, read_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from backend.model.query_words import QueryWord
    from backend.model.tenant import Tenant

_SCOPE_KEYS = {
    "dir": "in or out.",
    "tenant": "The tenant by name, the beginning of its name, or id.",
    "since": "From then on: 30m, 2h, 3d, today, yesterday, 2026-11-20, 2026-11-20T14:30 (UTC).",
    "until": "Before then; as since.",
}
LOG_KEYS: dict[str, str] = _SCOPE_KEYS | {
    field.value: field.sentence for field in LogField if field is not LogField.TEXT
}
"""Each key and what it looks at."""
LOG_STATUSES = tuple(
    dict.fromkeys([s.value for s in EmailStatus] + [s.value for s in InboundStatus])
)
_CHOICES = {
    LogField.STATUS: LOG_STATUSES,
    LogField.HAS: tuple(one.value for one in LogHas),
    LogField.IS: tuple(one.value for one in LogIs),
}


def read_log_query(line: str, now: datetime, tenants: Sequence[Tenant] | None = None) -> LogQuery:
    """Read a query line; raises QueryError with the place and what is allowed there.

    Without ``tenants`` the caller may see one tenant only, and ``tenant:`` is not known.
    """
    keys = {key for key in LOG_KEYS if tenants is not None or key != "tenant"}
    words = read_words(line, keys)
    only_once(words, _SCOPE_KEYS)
    scope = {word.key: word for word in words if word.key in _SCOPE_KEYS}
    since, until = (scope[key].moment(now) if key in scope else None for key in ("since", "until"))
    if since is not None and until is not None and since >= until:
        raise scope["until"].wrong("until: is not after since:")
    return LogQuery(
        tenant_id=_tenant(scope["tenant"], tenants or ()) if "tenant" in scope else None,
        direction=Direction(scope["dir"].one_of([d.value for d in Direction]))
        if "dir" in scope
        else None,
        since=since,
        until=until,
        terms=tuple(_term(word) for word in words if word.key not in _SCOPE_KEYS),
    )


def _term(word: QueryWord) -> LogTerm:
    field = LogField(word.key) if word.key else LogField.TEXT
    if field in _CHOICES:
        values = word.several_of(_CHOICES[field])
    elif field is LogField.DOMAIN:
        values = (word.value.lower().removeprefix("@"),)
    elif field is LogField.SES:
        values = (word.value.strip("<>"),)
    else:
        values = (word.value.casefold(),)
    if not values[0]:
        raise word.wrong(f"{word.key}: needs a value")
    return LogTerm(field=field, values=values, negated=word.negated)


def _tenant(word: QueryWord, tenants: Sequence[Tenant]) -> str:
    """Find a tenant by its id, its name, or the beginning of its name; spaces do not count."""
    wanted = _squeezed(word.value)
    for tenant in tenants:
        if wanted in {tenant.id.lower(), _squeezed(tenant.name)}:
            return tenant.id
    begun = [tenant for tenant in tenants if _squeezed(tenant.name).startswith(wanted)]
    if len(begun) == 1:
        return begun[0].id
    raise word.wrong(_which(word.value, [tenant.name for tenant in begun]))


def _which(value: str, begun: Sequence[str]) -> str:
    if not begun:
        return f"tenant:{value} fits no tenant; write the beginning of its name"
    return f"tenant:{value} fits several: {', '.join(sorted(begun)[:5])}; write more of the name"


def _squeezed(name: str) -> str:
    return "".join(name.lower().split())


__all__ = ["LOG_KEYS", "LOG_STATUSES", "QueryError", "read_log_query"]
