"""One statement for many rows, compiled once: preparing it anew costs more than SQLite's work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Insert

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Dialect

    from backend.store.types import Tx

    Place = tuple[str, Any, Callable[[Any], Any] | None]


class Bulk:
    """An INSERT of the named columns, by the name of the database when it differs there."""

    def __init__(self, statement: Insert | Mapping[str, Insert], columns: Sequence[str]) -> None:
        self._statement = statement
        self._columns = list(columns)
        self._ready: dict[str, tuple[str, bool, list[Place]]] = {}

    def run(self, tx: Tx, rows: Sequence[Mapping[str, object]]) -> None:
        """Run it for every row; each gives every column."""
        if not rows:
            return
        name = tx.dialect.name
        if name not in self._ready:
            self._ready[name] = self._compiled(tx.dialect)
        text, positional, places = self._ready[name]
        filled = [_filled(places, row) for row in rows]
        if positional:
            tx.exec_driver_sql(text, [tuple(values) for values in filled])
        else:
            names = [key for key, _, _ in places]
            tx.exec_driver_sql(text, [dict(zip(names, values, strict=True)) for values in filled])

    def _compiled(self, dialect: Dialect) -> tuple[str, bool, list[Place]]:
        statement = self._statement
        chosen = statement if isinstance(statement, Insert) else statement[dialect.name]
        compiled: Any = chosen.compile(dialect=dialect, column_keys=self._columns)
        made = {column.key: column.default.arg for column in compiled.insert_prefetch}
        names = compiled.positiontup or list(compiled.params)
        places: list[Place] = []
        for name in names:
            bound = compiled.binds[name]
            process = bound.type.dialect_impl(dialect).bind_processor(dialect)
            places.append((name, made.get(name, bound.value), process))
        return compiled.string, bool(compiled.positiontup), places


def _filled(places: Sequence[Place], row: Mapping[str, object]) -> list[Any]:
    """Give the values of a row as the driver takes them, constants of the statement among them."""
    return [
        process(row.get(name, constant)) if process is not None else row.get(name, constant)
        for name, constant, process in places
    ]
