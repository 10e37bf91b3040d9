"""Saving, publishing, copying and removing templates, each with its audit entry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.model.template import Template, TemplateContent, TemplateDetail, TemplateVersion
from backend.outbound.render import declared
from backend.store import audit
from backend.store import templates as store
from backend.store.audit import Hand

if TYPE_CHECKING:
    from backend.model.template import TemplateWish
    from backend.store.types import Tx

MAX_NAME = 100
MAX_PART = 1_000_000  # characters of one part


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateHand(Hand):
    """Who changes templates of which tenant, and when."""

    tenant_id: str


def create(tx: Tx, hand: TemplateHand, wish: TemplateWish) -> TemplateDetail:
    """Save a new template as version 1, not yet published; raises InvalidInputError."""
    name = _name(wish.name or "")
    template = Template(
        id=hand.ids.new("tpl"),
        tenant_id=hand.tenant_id,
        name=name,
        alias=_alias(wish.alias or ""),
        latest=1,
        published=None,
        created_at=hand.at,
        updated_at=hand.at,
    )
    content = _content(TemplateContent(subject=""), wish)
    version = _version(hand, template, content, wish.note)
    store.add(tx, template, version)
    _note(tx, hand, template, "template.added")
    return TemplateDetail(template=template, version=version)


def change(tx: Tx, hand: TemplateHand, given: str, wish: TemplateWish) -> TemplateDetail:
    """Save a new version over the newest one; what is sent stays until it is published.

    A change of name or alias alone makes no version. Raises InvalidInputError, NotFoundError.
    """
    found = store.find(tx, hand.tenant_id, given)
    newest = store.version(tx, found.id, found.latest)
    content = _content(newest.content, wish)
    template = replace(
        found,
        name=found.name if wish.name is None else _name(wish.name),
        alias=found.alias if wish.alias is None else _alias(wish.alias),
        updated_at=hand.at,
    )
    version = newest
    if content != newest.content:
        template = replace(template, latest=found.latest + 1)
        version = _version(hand, template, content, wish.note)
        store.add_version(tx, version)
    store.save(tx, template)
    _note(tx, hand, template, "template.changed")
    return TemplateDetail(template=template, version=version)


def publish(tx: Tx, hand: TemplateHand, given: str, number: int | None = None) -> TemplateDetail:
    """Make a version the one that is sent, the newest by default; an older one is a rollback."""
    found = store.find(tx, hand.tenant_id, given)
    version = store.version(tx, found.id, found.latest if number is None else number)
    _check_sendable(version.content)
    template = replace(found, published=version.number, published_at=hand.at, updated_at=hand.at)
    store.save(tx, template)
    _note(tx, hand, template, "template.published")
    return TemplateDetail(template=template, version=version)


def clone(tx: Tx, hand: TemplateHand, given: str) -> TemplateDetail:
    """Copy the newest version into a new template called "... (Copy)", not yet published."""
    found = store.find(tx, hand.tenant_id, given)
    content = store.version(tx, found.id, found.latest).content
    taken = store.taken_names(tx, hand.tenant_id)
    stem = found.name[: MAX_NAME - 12]
    names = (f"{stem} (Copy)" if n == 1 else f"{stem} (Copy {n})" for n in count(1))
    template = Template(
        id=hand.ids.new("tpl"),
        tenant_id=hand.tenant_id,
        name=next(name for name in names if name not in taken),
        alias="",
        latest=1,
        published=None,
        created_at=hand.at,
        updated_at=hand.at,
    )
    version = _version(hand, template, content, f"copy of {found.name}, version {found.latest}")
    store.add(tx, template, version)
    _note(tx, hand, template, "template.copied")
    return TemplateDetail(template=template, version=version)


def remove(tx: Tx, hand: TemplateHand, given: str) -> Template:
    """Delete a template and all its versions; raises NotFoundError."""
    found = store.find(tx, hand.tenant_id, given)
    store.remove(tx, found.id)
    _note(tx, hand, found, "template.removed")
    return found


def leave_missing(tx: Tx, hand: TemplateHand, *, leave: bool) -> None:
    """Choose whether missing variables of a tenant stay as written instead of being refused."""
    store.set_leave_missing(tx, hand.tenant_id, leave=leave)
    whose, detail = hand.tenant_id, {"leave": "yes" if leave else "no"}
    audit.add(tx, hand.entry("template.leave_missing", whose, tenant_id=whose, detail=detail))


def _content(before: TemplateContent, wish: TemplateWish) -> TemplateContent:
    content = TemplateContent(
        subject=before.subject if wish.subject is None else wish.subject,
        html=before.html if wish.html is None else wish.html or None,
        text=before.text if wish.text is None else wish.text or None,
        sender=before.sender if wish.sender is None else wish.sender,
        reply_to=before.reply_to if wish.reply_to is None else wish.reply_to,
        variables=before.variables if wish.variables is None else wish.variables,
    )
    for field, part in (("html", content.html), ("text", content.text)):
        if part and len(part) > MAX_PART:
            raise InvalidInputError(f"{field}: more than {MAX_PART} characters", field=field)
    if not content.subject.isprintable():
        raise InvalidInputError(
            "subject: one line without control characters, please", field="subject"
        )
    return replace(content, variables=declared(content))


def _check_sendable(content: TemplateContent) -> None:
    if not content.subject:
        raise InvalidInputError("subject: a template needs one to be published", field="subject")
    if not content.html and not content.text:
        raise InvalidInputError(
            "html: a template needs html, text or both to be published", field="html"
        )


def _version(
    hand: TemplateHand, template: Template, content: TemplateContent, note: str
) -> TemplateVersion:
    return TemplateVersion(
        template_id=template.id,
        number=template.latest,
        content=content,
        created_at=hand.at,
        created_by=hand.actor,
        note=note,
    )


def _name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidInputError(
            f"name: a template needs a printable name of 1 to {MAX_NAME} characters", field="name"
        )
    return name


def _alias(alias: str) -> str:
    alias = alias.strip()
    if len(alias) > MAX_NAME or not alias.isprintable():
        raise InvalidInputError(f"alias: at most {MAX_NAME} printable characters", field="alias")
    return alias


def _note(tx: Tx, hand: TemplateHand, template: Template, action: str) -> None:
    detail = {
        "name": template.name,
        "latest": str(template.latest),
        "sent": str(template.published or "none"),
    }
    audit.add(tx, hand.entry(action, template.id, tenant_id=template.tenant_id, detail=detail))
