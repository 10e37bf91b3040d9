"""Templates of a tenant, every version of each, and whether missing values stay as written."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select, update

from backend.errors import InvalidInputError, NotFoundError
from backend.model.template import (
    Template,
    TemplateContent,
    TemplateVersion,
    Variable,
    VariableType,
)
from backend.store.schema_templates import template_settings, template_versions
from backend.store.schema_templates import templates as t

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Row

    from backend.store.types import Tx


def add(tx: Tx, template: Template, version: TemplateVersion) -> None:
    """Insert a template with its first version; raises InvalidInputError for a taken name."""
    _refuse_taken(tx, template)
    tx.execute(insert(t).values(**_values(template)))
    add_version(tx, version)


def save(tx: Tx, template: Template) -> None:
    """Write what may change of a template; raises InvalidInputError for a taken name or alias."""
    _refuse_taken(tx, template)
    tx.execute(update(t).where(t.c.id == template.id).values(**_values(template)))


def add_version(tx: Tx, version: TemplateVersion) -> None:
    """Insert a version; it is never changed again."""
    content = version.content
    tx.execute(
        insert(template_versions).values(
            template_id=version.template_id,
            number=version.number,
            subject=content.subject,
            html=content.html,
            text=content.text,
            sender=content.sender,
            reply_to=list(content.reply_to),
            variables=[asdict(one) for one in content.variables],
            note=version.note,
            created_at=version.created_at,
            created_by=version.created_by,
        )
    )


def remove(tx: Tx, template_id: str) -> None:
    """Delete a template with all its versions."""
    tx.execute(delete(template_versions).where(template_versions.c.template_id == template_id))
    tx.execute(delete(t).where(t.c.id == template_id))


def find(tx: Tx, tenant_id: str, given: str) -> Template:
    """Give a tenant's template by id, alias or name, in this order; raises NotFoundError."""
    for column in (t.c.id, t.c.alias, t.c.name):
        row = tx.execute(select(t).where(t.c.tenant_id == tenant_id, column == given)).first()
        if row is not None:
            return _template(row)
    raise NotFoundError(f"there is no template {given[:100]!r}; the list of templates has them")


def page(tx: Tx, tenant_id: str, *, after: str = "", before: str = "", size: int) -> list[Template]:
    """Give templates, newest first: those older than ``after``, or newer than ``before``."""
    # ids sort by time: they are ULIDs
    which: list[ColumnElement[bool]] = [t.c.tenant_id == tenant_id]
    if before:
        rows = tx.execute(
            select(t).where(*which, t.c.id > before).order_by(t.c.id).limit(size)
        ).all()
        return [_template(row) for row in reversed(rows)]
    if after:
        which.append(t.c.id < after)
    query = select(t).where(*which).order_by(t.c.id.desc()).limit(size)
    return [_template(row) for row in tx.execute(query)]


def version(tx: Tx, template_id: str, number: int) -> TemplateVersion:
    """Give one version; raises NotFoundError."""
    v = template_versions
    which = (v.c.template_id == template_id, v.c.number == number)
    row = tx.execute(select(v).where(*which)).first()
    if row is None:
        raise NotFoundError(f"template {template_id} has no version {number}")
    return _version(row)


def versions(tx: Tx, template_id: str) -> Sequence[TemplateVersion]:
    """Give every version, newest first."""
    v = template_versions
    query = select(v).where(v.c.template_id == template_id).order_by(v.c.number.desc())
    return [_version(row) for row in tx.execute(query)]


def leave_missing(tx: Tx, tenant_id: str) -> bool:
    """Tell whether a tenant wants variables without a value to stay as written."""
    s = template_settings
    return bool(tx.execute(select(s.c.leave_missing).where(s.c.tenant_id == tenant_id)).scalar())


def set_leave_missing(tx: Tx, tenant_id: str, *, leave: bool) -> None:
    """Write a tenant's switch."""
    s = template_settings
    tx.execute(delete(s).where(s.c.tenant_id == tenant_id))
    tx.execute(insert(s).values(tenant_id=tenant_id, leave_missing=leave))


def taken_names(tx: Tx, tenant_id: str) -> frozenset[str]:
    """Give the names of all templates of a tenant."""
    return frozenset(tx.execute(select(t.c.name).where(t.c.tenant_id == tenant_id)).scalars())


def _refuse_taken(tx: Tx, template: Template) -> None:
    same = [t.c.name == template.name]
    if template.alias:
        same.append(t.c.alias == template.alias)
    which = (t.c.tenant_id == template.tenant_id, t.c.id != template.id, or_(*same))
    row = tx.execute(select(t.c.name).where(*which)).first()
    if row is None:
        return
    field, value = (
        ("name", template.name) if row.name == template.name else ("alias", template.alias)
    )
    raise InvalidInputError(f"{field}: there is a template {value!r} already", field=field)


def _values(template: Template) -> dict[str, Any]:
    return {**asdict(template), "alias": template.alias or None}


def _template(row: Row[Any]) -> Template:
    return Template(
        id=row.id,
        tenant_id=row.tenant_id,
        name=row.name,
        alias=row.alias or "",
        latest=row.latest,
        published=row.published,
        published_at=row.published_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _version(row: Row[Any]) -> TemplateVersion:
    return TemplateVersion(
        template_id=row.template_id,
        number=row.number,
        content=TemplateContent(
            subject=row.subject,
            html=row.html,
            text=row.text,
            sender=row.sender,
            reply_to=tuple(row.reply_to),
            variables=tuple(
                Variable(key=one["key"], type=VariableType(one["type"]), fallback=one["fallback"])
                for one in row.variables
            ),
        ),
        note=row.note,
        created_at=row.created_at,
        created_by=row.created_by,
    )
