"""What came or changed in the log, in the order it was written: for the index and for followers.

Whoever writes a mail calls ``changed`` in the same transaction: one short row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import false, func, insert, select

from backend.store.bulk import Bulk
from backend.store.schema_log import log_changes

if TYPE_CHECKING:
    from backend.store.types import Tx

OVERLAP = 500
"""Changes read twice: on PostgreSQL a lower number may be committed after a higher one."""
_INSERT = Bulk(insert(log_changes), ["mail_id", "indexed"])


def changed(tx: Tx, *mail_ids: str, searched: bool) -> None:
    """Note that lines of the log are new or others; ``searched`` when their words are."""
    _INSERT.run(tx, [{"mail_id": mail_id, "indexed": not searched} for mail_id in mail_ids])


def waiting(tx: Tx, limit: int) -> list[str]:
    """Give the mails whose words are not in the index yet, at most ``limit``, oldest first."""
    rows = select(log_changes.c.mail_id).where(log_changes.c.indexed == false())
    found = tx.execute(rows.order_by(log_changes.c.seq).limit(limit)).scalars()
    return list(dict.fromkeys(found))


def newest(tx: Tx) -> int:
    """Give the number of the last change, 0 when there is none."""
    return int(tx.execute(select(func.max(log_changes.c.seq))).scalar() or 0)


def since(tx: Tx, mark: int, limit: int) -> tuple[list[str], int]:
    """Give the mails changed after ``mark``, each once, in order, and the next mark.

    On PostgreSQL some that were given before come again.
    """
    after = mark if tx.dialect.name == "sqlite" else max(0, mark - OVERLAP)
    rows = select(log_changes.c.seq, log_changes.c.mail_id).where(log_changes.c.seq > after)
    found = tx.execute(rows.order_by(log_changes.c.seq).limit(limit + OVERLAP)).all()
    return list(dict.fromkeys(row.mail_id for row in found)), max(
        [mark, *(row.seq for row in found)]
    )
