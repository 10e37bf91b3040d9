"""The log and its figures over HTTP: /api/logs, /api/stats, /api/analytics, and GET /emails."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request

from backend.api.auth import caller
from backend.api.log_shapes import (
    analytics_json,
    line_json,
    sent_list_json,
    stats_json,
)
from backend.api.shapes import moment
from backend.errors import InvalidInputError
from backend.model.log import Direction, LogCursor, LogField, LogQuery, LogSort, LogSpan, LogTerm
from backend.model.log_words import LOG_STATUSES, read_log_query
from backend.model.tenant import Scope

if TYPE_CHECKING:
    from datetime import datetime

    from backend.api.service import ApiService
    from backend.ports import Clock

MAX_DAYS = 90
Words = Annotated[str, Query(max_length=1_000)]
Cursor = Annotated[str, Query(max_length=200)]


def logs_routes(service: ApiService, clock: Clock) -> APIRouter:
    """Give the routes, to be mounted below /api."""
    router = APIRouter(tags=["relay"])
    _add_logs(router, service, clock)
    _add_stats(router, service, clock)
    _add_analytics(router, service, clock)
    return router


def sent_routes(service: ApiService) -> APIRouter:
    """Give Resend's list of sent mail, to be mounted at the root and below /api."""
    router = APIRouter(tags=["resend"])

    @router.get("/emails", summary="List sent mail")
    async def sent(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        after: Cursor = "",
        before: Cursor = "",
    ) -> dict[str, Any]:
        """List sent mail, newest first; ``after`` and ``before`` are ids of a page's ends."""
        key = await caller(request, service, Scope.READ_LOGS)
        if after and before:
            raise InvalidInputError("after: give after or before, not both", field="after")
        lines, more = await service.mail_log.sent(
            key.tenant_id, limit, edge=after or before, backward=bool(before)
        )
        return sent_list_json(lines, more=more)

    return router


def _add_logs(router: APIRouter, service: ApiService, clock: Clock) -> None:
    @router.get("/logs", summary="List mail, both ways")
    async def logs(
        request: Request,
        q: Words = "",
        direction: Direction | None = None,
        status: Annotated[str, Query(max_length=40)] = "",
        text: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
        cursor: Cursor = "",
        sort: LogSort = LogSort.TIME,
        order: Annotated[str, Query(pattern="^(asc|desc)$")] = "desc",
    ) -> dict[str, Any]:
        """List mail, newest first, page by page.

        ``q`` is the query language of docs/logs.md; ``direction``, ``status`` and ``text`` say the
        commonest without it. ``next`` of an answer is the ``cursor`` of the following page.
        ``total`` stops at 10,000 when something is asked for; ``total_exact`` tells.
        """
        key = await caller(request, service, Scope.READ_LOGS)
        query = _query(q, clock.now(), key.tenant_id, sort=sort, ascending=order == "asc")
        query = _narrowed(query, direction, status, text)
        place = LogCursor.read(cursor) if cursor else None
        page = await service.mail_log.page(query, LogSpan(size=limit, place=place))
        count = await service.mail_log.count(query)
        following = page.entries[-1].cursor(sort) if page.more else None
        return {
            "object": "list",
            "data": [line_json(entry) for entry in page.entries],
            "has_more": page.more,
            "next": str(following) if following else None,
            "limit": limit,
            "total": count.n,
            "total_exact": count.exact,
        }


def _add_stats(router: APIRouter, service: ApiService, clock: Clock) -> None:
    @router.get("/stats", summary="Count mail")
    async def stats(
        request: Request, days: Annotated[int, Query(ge=1, le=MAX_DAYS)] = 7
    ) -> dict[str, Any]:
        """Count recipients and received messages of today and the days before, with rates.

        What is counted is what happened in these days; see /api/analytics for what became of the
        mail of these days.
        """
        key = await caller(request, service, Scope.READ_LOGS)
        until = clock.now() + timedelta(minutes=1)
        since = _days_ago(until, days)
        counts = await service.mail_log.totals(since, until, key.tenant_id)
        span = {"since": moment(since), "until": moment(until), "days": days}
        return span | stats_json(counts)


def _add_analytics(router: APIRouter, service: ApiService, clock: Clock) -> None:
    @router.get("/analytics", summary="What became of the mail, by day and product")
    async def analytics(
        request: Request,
        days: Annotated[int, Query(ge=1, le=MAX_DAYS)] = 30,
        since: Annotated[str, Query(max_length=40)] = "",
        until: Annotated[str, Query(max_length=40)] = "",
    ) -> dict[str, Any]:
        """Give volume and rates of the last ``days`` (7, 30, 90), or of since to until.

        Mail is counted on the day it was accepted, in UTC; by product means by the tag ``product``.
        """
        key = await caller(request, service, Scope.READ_LOGS)
        now = clock.now()
        span = _span(since, until, now)
        end = span.until or now
        first = span.since or _days_ago(end, days)
        return analytics_json(await service.mail_log.analytics(first, end, key.tenant_id))


def _query(q: str, now: datetime, tenant_id: str, *, sort: LogSort, ascending: bool) -> LogQuery:
    return replace(read_log_query(q, now), tenant_id=tenant_id, sort=sort, ascending=ascending)


def _narrowed(query: LogQuery, direction: Direction | None, status: str, text: str) -> LogQuery:
    terms = list(query.terms)
    if status:
        if status not in LOG_STATUSES:
            known = ", ".join(sorted(LOG_STATUSES))
            raise InvalidInputError(f"status: there is no such status; use {known}", field="status")
        terms.append(LogTerm(field=LogField.STATUS, values=(status,)))
    if text.strip():
        terms.append(LogTerm(field=LogField.TEXT, values=(text.strip().casefold(),)))
    return replace(query, direction=direction or query.direction, terms=tuple(terms))


def _span(since: str, until: str, now: datetime) -> LogQuery:
    said = [f'{name}:"{value}"' for name, value in (("since", since), ("until", until)) if value]
    return read_log_query(" ".join(said), now)


def _days_ago(until: datetime, days: int) -> datetime:
    """Give the midnight that begins the first of ``days`` days, the last of which is today."""
    first = until - timedelta(days=days - 1)
    return first.replace(hour=0, minute=0, second=0, microsecond=0)
