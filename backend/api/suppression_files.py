"""Importing and exporting the suppression list of a key's tenant over HTTP."""

from __future__ import annotations

import codecs
import tempfile
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from backend.api.auth import actor_of, caller
from backend.api.suppression_models import import_json, report_json
from backend.model.suppression import ImportWish, SuppressionKind, SuppressionReason
from backend.model.tenant import Scope
from backend.model.views import SuppressionQuery
from backend.suppression.formats import encoding_of

if TYPE_CHECKING:
    from typing import IO

    from backend.api.service import ApiService
    from backend.model.tenant import ApiKey

_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
_IN_MEMORY = 1 << 20  # bytes of a body; what is longer waits in a file
_FILE = {
    "requestBody": {
        "required": True,
        "description": "CSV, JSON lines, or a list as SES gives it; see docs/suppression.md.",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}


def file_routes(service: ApiService) -> APIRouter:
    """Give the routes of files, to be mounted below /api/suppressions before those of entries."""
    router = APIRouter()
    _add_export(router, service)
    _add_import(router, service)
    return router


def _add_export(router: APIRouter, service: ApiService) -> None:
    @router.get("/export", summary="Export", response_class=StreamingResponse)
    async def export(
        request: Request,
        form: Annotated[str, Query(alias="format", pattern="^(csv|jsonl)$")] = "csv",
        reason: SuppressionReason | None = None,
        kind: SuppressionKind | None = None,
        text: Annotated[str, Query(max_length=200)] = "",
    ) -> StreamingResponse:
        """Give the whole list, or exactly what the filter means, as CSV or JSON lines."""
        key = await _caller(request, service)
        query = SuppressionQuery(tenant_id=key.tenant_id, reason=reason, kind=kind, text=text)
        return StreamingResponse(
            service.suppression_desk.export(query, form),
            media_type=_TYPES[form],
            headers={
                "Content-Disposition": f"attachment; filename=suppressions.{form}",
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "private, no-store",
            },
        )


def _add_import(router: APIRouter, service: ApiService) -> None:
    @router.post("/import", summary="Import a file", openapi_extra=_FILE)
    async def import_(
        request: Request,
        form: Annotated[str, Query(alias="format", pattern="^(csv|jsonl|ses)?$")] = "",
        dry_run: bool = False,
        reason: SuppressionReason = SuppressionReason.IMPORT,
        source: Annotated[str, Query(max_length=200)] = "api",
    ) -> dict[str, Any]:
        """Bring the file of the body onto the list; bad lines are told of and left out."""
        key = await _caller(request, service)
        wish = ImportWish(
            source=source, tenant_id=key.tenant_id, format=form, reason=reason, dry_run=dry_run
        )
        with tempfile.SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8", newline="") as file:
            await _keep_body(request, file)
            return report_json(
                await service.suppression_desk.import_file(file, wish, actor=actor_of(key))
            )

    @router.get("/imports", summary="List imports")
    async def imports(request: Request) -> dict[str, Any]:
        """List the latest imports, newest first."""
        key = await _caller(request, service)
        return {
            "data": [
                import_json(done) for done in await service.suppression_desk.imports(key.tenant_id)
            ]
        }

    @router.delete("/imports/{import_id}", summary="Undo an import")
    async def undo(request: Request, import_id: str) -> dict[str, Any]:
        """Take off what an import has brought."""
        key = await _caller(request, service)
        removed = await service.suppression_desk.undo_import(
            import_id, actor=actor_of(key), tenant_id=key.tenant_id
        )
        return {"id": import_id, "removed": removed}


async def _keep_body(request: Request, file: IO[str]) -> None:
    """Copy a body of any length; what is no UTF-8 becomes a mark that no address has."""
    file.seek(0)
    decoder: codecs.IncrementalDecoder | None = None
    async for piece in request.stream():
        decoder = decoder or codecs.getincrementaldecoder(encoding_of(piece))("replace")
        file.write(decoder.decode(piece))
    if decoder is not None:
        file.write(decoder.decode(b"", final=True))
    file.seek(0)


async def _caller(request: Request, service: ApiService) -> ApiKey:
    return await caller(request, service, Scope.MANAGE_SUPPRESSIONS)
