"""The verbs of templates for the console, the command line and the API."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.model.template import Rendered, TemplateDetail, TemplateUse
from backend.outbound import template_edit as edit
from backend.outbound.render import render
from backend.outbound.template_edit import TemplateHand
from backend.store import templates as store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backend.model.outbound import EmailDraft
    from backend.model.template import Template, TemplateVersion, TemplateWish, Value
    from backend.ports import Clock, Ids
    from backend.store.engine import Database
    from backend.store.types import Tx

TEST_TAG = "template-test"


class TemplateDesk:
    """Templates of tenants, each named by id, alias or name; every verb may raise a RelayError."""

    def __init__(self, db: Database, clock: Clock, ids: Ids) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids

    async def page(
        self, tenant_id: str, *, after: str = "", before: str = "", size: int = 20
    ) -> Sequence[Template]:
        """Give templates, newest first, older than ``after`` or newer than ``before``."""
        read = partial(store.page, after=after, before=before, size=size)
        return await self._db.read(read, tenant_id)

    async def get(self, tenant_id: str, given: str, version: int | None = None) -> TemplateDetail:
        """Give a template with one version, the newest by default; raises NotFoundError."""
        return await self._db.read(_detail, tenant_id, given, version)

    async def versions(self, tenant_id: str, given: str) -> Sequence[TemplateVersion]:
        """Give every version, newest first; raises NotFoundError."""
        return await self._db.read(_versions, tenant_id, given)

    async def create(self, tenant_id: str, wish: TemplateWish, *, actor: str) -> TemplateDetail:
        """Save a new template, not yet published; raises InvalidInputError."""
        return await self._db.write(edit.create, self._hand(tenant_id, actor), wish)

    async def change(
        self, tenant_id: str, given: str, wish: TemplateWish, *, actor: str
    ) -> TemplateDetail:
        """Save a new version; what is sent stays the same until it is published."""
        return await self._db.write(edit.change, self._hand(tenant_id, actor), given, wish)

    async def publish(
        self, tenant_id: str, given: str, version: int | None = None, *, actor: str
    ) -> TemplateDetail:
        """Send this version from now on, the newest by default; an older one is a rollback."""
        return await self._db.write(edit.publish, self._hand(tenant_id, actor), given, version)

    async def clone(self, tenant_id: str, given: str, *, actor: str) -> TemplateDetail:
        """Copy a template; the copy is not yet published."""
        return await self._db.write(edit.clone, self._hand(tenant_id, actor), given)

    async def remove(self, tenant_id: str, given: str, *, actor: str) -> Template:
        """Delete a template with all its versions; raises NotFoundError."""
        return await self._db.write(edit.remove, self._hand(tenant_id, actor), given)

    async def leaves_missing(self, tenant_id: str) -> bool:
        """Tell whether a tenant has missing variables stay as written."""
        return await self._db.read(store.leave_missing, tenant_id)

    async def leave_missing(self, tenant_id: str, *, leave: bool, actor: str) -> None:
        """Choose whether missing variables of a tenant stay as written or refuse the mail."""
        await self._db.write(edit.leave_missing, self._hand(tenant_id, actor), leave=leave)

    async def preview(
        self, tenant_id: str, given: str, values: Mapping[str, Value], version: int | None = None
    ) -> Rendered:
        """Fill in a version, the newest by default; what is missing stands as written."""
        detail = await self.get(tenant_id, given, version)
        return render(detail.version.content, values, leave_missing=True)

    async def filled(self, tenant_id: str, use: TemplateUse, draft: EmailDraft) -> EmailDraft:
        """Give the mail a template makes; what the draft says itself, besides the body, wins.

        Raises NotFoundError, InvalidInputError when nothing is published or the draft has a body of
        its own, and MissingVariablesError.
        """
        if draft.html or draft.text:
            raise InvalidInputError(
                "html: with a template neither html nor text may be given", field="html"
            )
        detail, leave = await self._db.read(_to_send, tenant_id, use)
        return _overlay(
            draft, detail, render(detail.version.content, use.values, leave_missing=leave)
        )

    async def trial(self, tenant_id: str, use: TemplateUse, draft: EmailDraft) -> EmailDraft:
        """Give a mail of the newest version, published or not; missing values stand as written."""
        detail = await self.get(tenant_id, use.template, use.version)
        made = _overlay(
            draft, detail, render(detail.version.content, use.values, leave_missing=True)
        )
        return replace(made, tags={**(made.tags or {}), TEST_TAG: "true"})

    def _hand(self, tenant_id: str, actor: str) -> TemplateHand:
        return TemplateHand(tenant_id=tenant_id, actor=actor, at=self._clock.now(), ids=self._ids)


def _detail(tx: Tx, tenant_id: str, given: str, number: int | None) -> TemplateDetail:
    template = store.find(tx, tenant_id, given)
    version = store.version(tx, template.id, template.latest if number is None else number)
    return TemplateDetail(template=template, version=version)


def _versions(tx: Tx, tenant_id: str, given: str) -> Sequence[TemplateVersion]:
    return store.versions(tx, store.find(tx, tenant_id, given).id)


def _to_send(tx: Tx, tenant_id: str, use: TemplateUse) -> tuple[TemplateDetail, bool]:
    template = store.find(tx, tenant_id, use.template)
    number = template.published if use.version is None else use.version
    if number is None:
        raise InvalidInputError(
            f"template: {template.name!r} is not published yet; publish it, or name a version",
            field="template",
        )
    detail = TemplateDetail(template=template, version=store.version(tx, template.id, number))
    return detail, store.leave_missing(tx, tenant_id)


def _overlay(draft: EmailDraft, detail: TemplateDetail, made: Rendered) -> EmailDraft:
    content = detail.version.content
    return replace(
        draft,
        sender=draft.sender or content.sender,
        reply_to=draft.reply_to or content.reply_to,
        subject=draft.subject or made.subject,
        html=made.html,
        text=made.text,
        template_id=detail.template.id,
    )
