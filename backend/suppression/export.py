"""The list as text to take away: CSV that no spreadsheet runs, or JSON lines. Streaming.

Exactly the entries a query means, newest first, in the columns that an import reads back.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.store import suppressions
from backend.suppression.cells import safe_cell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from backend.model.suppression import Suppression
    from backend.model.views import SuppressionQuery
    from backend.store.engine import Database

EXPORTS = ("csv", "jsonl")
COLUMNS = (
    "address",
    "tenant_id",
    "reason",
    "detail",
    "note",
    "created_at",
    "expires_at",
    "created_by",
    "source_email_id",
    "source_event_id",
    "id",
)
_PAGE = 2000


async def export(db: Database, query: SuppressionQuery, form: str) -> AsyncIterator[str]:
    """Give the text piece by piece, each of whole lines; raises InvalidInputError."""
    if form not in EXPORTS:
        raise InvalidInputError(f"format: use one of {', '.join(EXPORTS)}", field="format")
    if form == "csv":
        yield _csv([dict(zip(COLUMNS, COLUMNS, strict=True))])
    last = ""
    while entries := await db.read(suppressions.older, query, last, _PAGE):
        rows = [row_of(entry) for entry in entries]
        yield _csv(rows) if form == "csv" else _json_lines(rows)
        last = entries[-1].id


def row_of(entry: Suppression) -> dict[str, str]:
    """Give an entry as plain text by column; times are ISO 8601 in UTC, what is not there empty."""
    return {
        "address": entry.spelling or entry.address,
        "tenant_id": entry.tenant_id,
        "reason": entry.reason.value,
        "detail": entry.detail,
        "note": entry.note,
        "created_at": _moment(entry.created_at),
        "expires_at": _moment(entry.expires_at),
        "created_by": entry.created_by,
        "source_email_id": entry.source_email_id or "",
        "source_event_id": entry.source_event_id,
        "id": entry.id,
    }


def _csv(rows: Sequence[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")  # RFC 4180
    writer.writerows([safe_cell(row[column]) for column in COLUMNS] for row in rows)
    return text.getvalue()


def _json_lines(rows: Sequence[dict[str, str]]) -> str:
    # ensure_ascii: what a stranger wrote must not reach a terminal that shows this
    return "".join(
        json.dumps({name: value for name, value in row.items() if value}) + "\n" for row in rows
    )


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
