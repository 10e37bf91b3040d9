"""One statement for many rows, compiled once: preparing it anew costs more than SQLite's work."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Insert

from backend.store.types import Millis, to_millis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Dialect
    from sqlalchemy.types import TypeEngine

    from backend.store.types import Tx


class Bulk:
    """An INSERT of the named columns, by the name of the database when it differs there."""

    def __init__(self, statement: Insert | Mapping[str, Insert], columns: Sequence[str]) -> None:
        self._statement = statement
        self._columns = list(columns)
        self._ready: dict[str, _Ready] = {}

    def run(self, tx: Tx, rows: Sequence[Mapping[str, object]]) -> None:
        """Run it for every row; each gives every column."""
        if not rows:
            return
        ready = self._ready.get(tx.dialect.name)
        if ready is None:
            ready = self._ready[tx.dialect.name] = self._compiled(tx.dialect)
        tx.exec_driver_sql(ready.text, ready.filled(rows))

    def _compiled(self, dialect: Dialect) -> _Ready:
        statement = self._statement
        chosen = statement if isinstance(statement, Insert) else statement[dialect.name]
        compiled: Any = chosen.compile(dialect=dialect, column_keys=self._columns)
        constants = {name: bound.value for name, bound in compiled.binds.items()}
        constants |= {column.key: column.default.arg for column in compiled.insert_prefetch}
        names = list(compiled.positiontup or compiled.params)
        processes = {
            name: process
            for name in names
            if (process := _process(compiled.binds[name].type, dialect))
        }
        return _Ready(compiled.string, names, constants, processes, bool(compiled.positiontup))


def _process(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Give what turns a value of a type into what the driver takes."""
    if isinstance(kind, Millis):  # without the two calls that SQLAlchemy puts around it
        return lambda value: None if value is None else to_millis(value)
    return kind.dialect_impl(dialect).bind_processor(dialect)


class _Ready:
    """A statement in the words of one database, and how its parameters are made of a row.

    ``constants`` stand for what a row does not give, ``processes`` turn a value into what the
    driver takes; ``positional`` drivers take tuples, others dicts.
    """

    def __init__(
        self,
        text: str,
        names: Sequence[str],
        constants: Mapping[str, Any],
        processes: Mapping[str, Callable[[Any], Any]],
        positional: bool,
    ) -> None:
        self.text = text
        self._names = names
        self._constants = constants
        self._processes = [(names.index(name), process) for name, process in processes.items()]
        self._positional = positional

    def filled(self, rows: Sequence[Mapping[str, object]]) -> list[Any]:
        """Give the parameters of each row."""
        given = rows[0].keys()
        constants = {name: self._constants[name] for name in self._names if name not in given}
        pick = itemgetter(*self._names)
        values = [list(pick({**row, **constants} if constants else row)) for row in rows]
        for at, process in self._processes:
            for one in values:
                one[at] = process(one[at])
        if self._positional:
            return [tuple(one) for one in values]
        return [dict(zip(self._names, one, strict=True)) for one in values]
