"""The verbs of suppression for the console, the command line and the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.errors import NotFoundError
from backend.model.suppression import SuppressionKind, SuppressionState
from backend.store import suppression_imports, suppressions
from backend.store.audit import Hand
from backend.suppression import by_hand
from backend.suppression.check import held_back
from backend.suppression.export import export
from backend.suppression.importing import SILENT, Importer, ImportListener
from backend.suppression.sync import Sync

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from typing import IO

    from backend.model.suppression import (
        ImportReport,
        ImportWish,
        Suppression,
        SuppressionImport,
        SuppressionWish,
        SyncReport,
        SyncWay,
    )
    from backend.model.views import SuppressionQuery
    from backend.ports import AccountSuppressions, Clock, Ids
    from backend.store.engine import Database
    from backend.store.types import Tx

_IMPORTS = 200  # a list of imports is no longer than this


class SuppressionDesk:
    """Every verb may raise a RelayError; ``nudge`` wakes the worker that frees at SES."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        ids: Ids,
        account: AccountSuppressions,
        *,
        nudge: Callable[[], None] = lambda: None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._account = account
        self._nudge = nudge

    async def add(self, wish: SuppressionWish, *, actor: str) -> Suppression:
        """Suppress an address or a domain; what is on the list already stays as it is.

        Raises InvalidInputError, and NotFoundError for an unknown tenant.
        """
        return await self._db.write(by_hand.add, self._hand(actor), wish)

    async def add_many(self, wishes: Sequence[SuppressionWish], *, actor: str) -> list[Suppression]:
        """Suppress all of these or, when one is wrong, none; the same address comes back once."""
        return await self._db.write(_add_many, self._hand(actor), wishes)

    async def remove(
        self, suppression_id: str, *, actor: str, tenant_id: str | None = None
    ) -> Suppression:
        """Take an entry off the list, and soon off that of SES; raises NotFoundError.

        With ``tenant_id`` an entry of another tenant is not found.
        """
        entry = await self._db.write(by_hand.remove, self._hand(actor), suppression_id, tenant_id)
        self._nudge()
        return entry

    async def remove_many(
        self, names: Sequence[str], *, tenant_id: str, actor: str
    ) -> list[Suppression]:
        """Take a tenant's entries off, named by id or address; those not there are passed over."""
        entries = await self._db.write(_remove_many, self._hand(actor), names, tenant_id)
        self._nudge()
        return entries

    async def get(self, name: str, tenant_id: str) -> Suppression:
        """Give a tenant's own entry by id, address or domain; raises NotFoundError."""
        entry = await self._db.read(_named, name, tenant_id)
        if entry is None:
            raise NotFoundError(f"{name[:100]!r} is not on the suppression list")
        return entry

    async def find(self, name: str, tenant_id: str | None = None) -> Suppression:
        """Give an entry by id or, on one tenant's list or the common one (""), by address."""
        entry = await self._db.read(suppressions.get, name)
        if entry is not None and tenant_id in (None, entry.tenant_id):
            return entry
        return await self.get(name, tenant_id or "")

    async def check(self, addresses: Sequence[str], tenant_id: str) -> dict[str, Suppression]:
        """Give the entry that holds for each suppressed address, as every mail is checked.

        The addresses may be spelt in any way; the answer names them as they were given.
        """
        wanted = {address: by_hand.normalise(address) for address in addresses}
        held = await self._db.read(held_back, tenant_id, wanted.values(), self._clock.now())
        return {given: held[key] for given, key in wanted.items() if key in held}

    async def count(self, query: SuppressionQuery) -> int:
        """Count the entries a query means."""
        return await self._db.read(suppressions.count, query)

    async def older(self, query: SuppressionQuery, than: str, size: int) -> list[Suppression]:
        """Give at most ``size`` entries older than an id, newest first; "" begins at the newest."""
        return await self._db.read(suppressions.older, query, than, size)

    async def newer(self, query: SuppressionQuery, than: str, size: int) -> list[Suppression]:
        """Give the ``size`` entries next newer than an id, newest first."""
        return await self._db.read(suppressions.newer, query, than, size)

    async def accept(
        self, suppression_id: str, *, actor: str, tenant_id: str | None = None
    ) -> Suppression:
        """Let an entry that waits for review count; raises NotFoundError."""
        hand = self._hand(actor)
        return await self._db.write(by_hand.accept, hand, suppression_id, tenant_id)

    async def dismiss(
        self, suppression_id: str, *, actor: str, tenant_id: str | None = None
    ) -> Suppression:
        """Drop an entry that waits for review; raises NotFoundError."""
        hand = self._hand(actor)
        return await self._db.write(by_hand.dismiss, hand, suppression_id, tenant_id)

    async def import_file(
        self, file: IO[str], wish: ImportWish, *, actor: str, heard: ImportListener = SILENT
    ) -> ImportReport:
        """Bring a file onto the list, or with ``dry_run`` tell what it would bring."""
        return await self._importer(actor).run(file, wish, heard)

    async def imports(self, tenant_id: str | None = None) -> Sequence[SuppressionImport]:
        """Give the latest imports, of one tenant's list or of all, newest first."""
        return await self._db.read(suppression_imports.newest, _IMPORTS, tenant_id)

    async def undo_import(self, import_id: str, *, actor: str, tenant_id: str | None = None) -> int:
        """Take off what an import has brought and give how many that was; raises NotFoundError.

        With ``tenant_id`` an import of another tenant is not found.
        """
        if tenant_id is not None:
            done = await self._db.read(suppression_imports.get, import_id)
            if done is None or done.tenant_id != tenant_id:
                raise NotFoundError(f"there is no import {import_id[:60]}")
        return await self._importer(actor).undo(import_id)

    def export(self, query: SuppressionQuery, form: str) -> AsyncIterator[str]:
        """Give what a query means as ``csv`` or ``jsonl``, piece by piece."""
        return export(self._db, query, form)

    async def sync(
        self,
        way: SyncWay,
        *,
        dry_run: bool,
        actor: str,
        sure: bool = False,
        heard: Callable[[str, int], None] = lambda _what, _done: None,
    ) -> SyncReport:
        """Compare with the list of SES, and unless ``dry_run`` bring the two together.

        ``sure`` also when most of what SES held is gone from there (see sync.py).
        """
        sync = Sync(self._db, self._account, self._clock, self._ids, heard=heard)
        return await sync.run(way, dry_run=dry_run, actor=actor, sure=sure)

    async def still_held(self, entry: Suppression) -> str:
        """Give in a sentence why mail to a removed address is kept back nevertheless, else ""."""
        now = self._clock.now()
        held = await self._db.read(held_back, entry.tenant_id, [entry.address], now)
        for other in held.values():
            whose = "this tenant" if other.tenant_id else "every tenant"
            return f"still kept back for {whose}: {other.address} is on the list ({other.id})"
        if entry.kind is SuppressionKind.DOMAIN or entry.state is not SuppressionState.ACTIVE:
            return ""
        if await self._db.read(suppressions.is_refused, entry.address, now):
            return (
                "SES goes on holding it back, for it bounced or complained to another tenant:"
                " SES takes such mail and does not send it"
            )
        return ""

    def _hand(self, actor: str) -> Hand:
        return Hand(actor=actor, at=self._clock.now(), ids=self._ids)

    def _importer(self, actor: str) -> Importer:
        return Importer(self._db, self._clock, self._ids, actor=actor)


def _named(tx: Tx, name: str, tenant_id: str) -> Suppression | None:
    entry = suppressions.get(tx, name)
    if entry is not None:
        return entry if entry.tenant_id == tenant_id else None
    address = by_hand.normalise(name) if "." in name else name
    return suppressions.find(tx, tenant_id, [address]).get(address)


def _add_many(tx: Tx, hand: Hand, wishes: Sequence[SuppressionWish]) -> list[Suppression]:
    added = [by_hand.add(tx, hand, wish) for wish in wishes]
    return list({entry.id: entry for entry in added}.values())


def _remove_many(tx: Tx, hand: Hand, names: Sequence[str], tenant_id: str) -> list[Suppression]:
    found = [_named(tx, name, tenant_id) for name in names]
    entries = {entry.id: entry for entry in found if entry is not None}
    return [by_hand.remove(tx, hand, entry_id, tenant_id) for entry_id in entries]
