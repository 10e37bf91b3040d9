"""Books: what tenants used, by day; the newest revision of a day is the one that is billed."""

from __future__ import annotations

import hashlib
import json
from datetime import date  # pydantic reads the annotation
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import insert, select, update

from backend.desk.tables import statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Row
    from starlette.responses import Response

    from backend.store.engine import Database
    from backend.store.types import Tx


class StatementBody(BaseModel):
    """One tenant's day; fields not known are ignored."""

    tenant_id: str = Field(min_length=1, max_length=200)
    tenant: str = Field(default="", max_length=200)
    day: date
    revision: int = Field(ge=1)
    counts: dict[str, int] = Field(max_length=100)


def books_routes(
    db: Database, check_key: Callable[[Request], None], refusal: Callable[[], Response | None]
) -> APIRouter:
    """Give the routes below /books; writing needs the integration key, ``check_key`` raises."""
    router = APIRouter()

    @router.post("/books/usage")
    async def state(request: Request) -> Response:
        """Take a statement: 201 new, 200 repeated, 409 the same key with another body."""
        check_key(request)
        refused = refusal()
        if refused is not None:
            return refused
        raw = await request.body()
        try:
            body = StatementBody.model_validate_json(raw)
        except ValidationError as error:
            return JSONResponse({"detail": error.errors()[0]["msg"]}, 422)
        key = request.headers.get("idempotency-key", "")
        status = await db.write(_take, key, body)
        return JSONResponse({"day": body.day.isoformat(), "revision": body.revision}, status)

    return router


def list_statements(tx: Tx) -> list[dict[str, Any]]:
    """Give the newest statement of each tenant and day, by day."""
    rows = select(statements).where(statements.c.current.is_(True))
    return [
        {
            "tenant_id": row.tenant_id,
            "tenant": row.tenant,
            "day": row.day,
            "revision": row.revision,
            "counts": row.counts,
            "repeats": row.repeats,
        }
        for row in tx.execute(rows.order_by(statements.c.day, statements.c.tenant_id))
    ]


def _take(tx: Tx, key: str, body: StatementBody) -> int:
    """Keep a statement unless its key is known; give the status to answer."""
    # of the values, not the bytes: a repeat may order its fields in another way
    written = json.dumps(body.model_dump(mode="json"), sort_keys=True)
    digest = hashlib.sha256(written.encode()).hexdigest()
    known = tx.execute(select(statements).where(statements.c.idempotency_key == key)).one_or_none()
    if known is not None:
        return _repeat(tx, known, digest)
    same = (statements.c.tenant_id == body.tenant_id, statements.c.day == body.day.isoformat())
    revisions = list(tx.execute(select(statements.c.revision).where(*same)).scalars())
    newest = body.revision > max(revisions, default=0)
    if newest:
        tx.execute(update(statements).where(*same).values(current=False))
    tx.execute(
        insert(statements).values(
            idempotency_key=key,
            body_hash=digest,
            tenant_id=body.tenant_id,
            tenant=body.tenant,
            day=body.day.isoformat(),
            revision=body.revision,
            counts=body.counts,
            current=newest,
            repeats=0,
        )
    )
    return 201


def _repeat(tx: Tx, known: Row[Any], digest: str) -> int:
    if known.body_hash != digest:
        return 409
    mine = statements.c.idempotency_key == known.idempotency_key
    tx.execute(update(statements).where(mine).values(repeats=statements.c.repeats + 1))
    return 200
