"""Files of the Suppressions screen: reading one as an import does, writing one whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from backend import ImportWish, InvalidInputError, suppression_text
from relay_console.viewmodel.words import plural

if TYPE_CHECKING:
    from backend import ImportReport, SuppressionQuery
    from relay_console.screens.path_form import NamedFile
    from relay_console.service import SuppressionVerbs


async def import_file(
    desk: SuppressionVerbs, named: NamedFile, *, dry_run: bool, actor: str
) -> ImportReport:
    """Import a file, or only tell what would come of it; raises InvalidInputError."""
    path = _place(named.path)
    wish = ImportWish(source=path.name, tenant_id=named.tenant_id, dry_run=dry_run)
    try:
        with path.open("rb") as file, suppression_text(file) as text:
            return await desk.import_file(text, wish, actor=actor)
    except OSError as error:
        raise InvalidInputError(f"{path}: {error.strerror}; name another file") from error


async def export_file(desk: SuppressionVerbs, query: SuppressionQuery, name: str) -> Path:
    """Write a new file that only its owner may read; raises InvalidInputError."""
    path = _place(name)
    form = "jsonl" if path.suffix in {".jsonl", ".json", ".ndjson"} else "csv"
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            async for piece in desk.export(query, form):
                file.write(piece)
    except OSError as error:
        raise InvalidInputError(f"{path}: {error.strerror}; name another file") from error
    return path


def _place(name: str) -> Path:
    return Path(name).expanduser()


def told(report: ImportReport) -> str:
    """Give what an import did, or would do, as one sentence."""
    verb = "would be added" if report.dry_run else "added"
    bad = f", {plural(report.fault_count, 'bad line', 'bad lines')}" if report.fault_count else ""
    first = f" (line {report.faults[0].line}: {report.faults[0].problem})" if report.faults else ""
    return f"{report.added:,} {verb}, {report.duplicates:,} on the list already{bad}{first}."
