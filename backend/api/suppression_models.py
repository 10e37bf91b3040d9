"""Suppressions as JSON, both ways, for both surfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from backend.api.bodies import AnyMoment
from backend.api.shapes import moment
from backend.model.suppression import SuppressionReason, SuppressionWish

if TYPE_CHECKING:
    from backend.model.suppression import ImportReport, Suppression, SuppressionImport

MOST = 100  # entries of one batch, as Resend has it
Named = Annotated[list[str], Field(min_length=1, max_length=MOST)]
_ORIGINS = {SuppressionReason.BOUNCE: "bounce", SuppressionReason.COMPLAINT: "complaint"}


class SuppressionIn(BaseModel):
    """The body that suppresses one address or domain."""

    model_config = ConfigDict(title="Suppression", extra="forbid")

    address: str = Field(
        max_length=400,
        description="An address, `example.com`, or `*.example.com` for its subdomains.",
        examples=["kim@example.com"],
    )
    reason: SuppressionReason = Field(default=SuppressionReason.MANUAL, description="Why.")
    note: str = Field(default="", max_length=500, description="For those who come after you.")
    expires_at: AnyMoment | None = Field(
        default=None, description="When it ends; UTC when it names no zone."
    )

    def to_wish(self, tenant_id: str) -> SuppressionWish:
        """Give the wish the backend takes."""
        return SuppressionWish(
            tenant_id=tenant_id,
            address=self.address,
            reason=self.reason,
            note=self.note,
            expires_at=self.expires_at,
        )


class SuppressionCheckIn(BaseModel):
    """The body that asks which addresses mail is kept from."""

    model_config = ConfigDict(title="SuppressionCheck", extra="forbid")

    addresses: Named


class ResendSuppressionIn(BaseModel):
    """The body that suppresses one address, as Resend has it."""

    model_config = ConfigDict(title="ResendSuppression", extra="ignore")

    email: str = Field(max_length=400, examples=["kim@example.com"])


class ResendSuppressionsIn(BaseModel):
    """The body that suppresses several addresses, as Resend has it."""

    model_config = ConfigDict(title="ResendSuppressions", extra="ignore")

    emails: Named


class ResendRemovalsIn(BaseModel):
    """The body that frees several addresses, by ``emails`` or by ``ids``, as Resend has it."""

    model_config = ConfigDict(title="ResendSuppressionRemovals", extra="ignore")

    emails: Named | None = None
    ids: Named | None = None


def suppression_json(entry: Suppression) -> dict[str, Any]:
    """Give an entry as Relay's own surface has it."""
    return {
        "id": entry.id,
        "address": entry.address,
        "kind": entry.kind.value,
        "scope": "tenant" if entry.tenant_id else "global",
        "reason": entry.reason.value,
        "sentence": entry.reason.sentence,
        "state": entry.state.value,
        "detail": entry.detail,
        "note": entry.note,
        "source_email_id": entry.source_email_id,
        "source_event_id": entry.source_event_id or None,
        "import_id": entry.import_id,
        "created_by": entry.created_by or None,
        "created_at": moment(entry.created_at),
        "expires_at": moment(entry.expires_at) if entry.expires_at else None,
    }


def item_json(entry: Suppression) -> dict[str, Any]:
    """Give an entry as a line of Resend's list; what Resend has no word for is ``manual``."""
    return {
        "id": entry.id,
        "email": entry.address,
        "origin": _ORIGINS.get(entry.reason, "manual"),
        "source_id": entry.source_email_id,
        "created_at": moment(entry.created_at),
    }


def held_json(address: str, entry: Suppression | None) -> dict[str, Any]:
    """Give what a check found of one address."""
    found: dict[str, Any] = {"address": address, "suppressed": entry is not None}
    return found if entry is None else found | {"entry": suppression_json(entry)}


def report_json(report: ImportReport) -> dict[str, Any]:
    """Give what an import did or would do."""
    return {
        "import_id": report.id or None,
        "dry_run": report.dry_run,
        "lines": report.lines,
        "added": report.added,
        "duplicates": report.duplicates,
        "errors": report.fault_count,
        "first_errors": [{"line": one.line, "error": one.problem} for one in report.faults],
    }


def import_json(done: SuppressionImport) -> dict[str, Any]:
    """Give one import of the list of imports."""
    return {
        "id": done.id,
        "source": done.source,
        "state": done.state.value,
        "lines": done.lines,
        "added": done.added,
        "duplicates": done.duplicates,
        "errors": done.faults,
        "by": done.actor,
        "started_at": moment(done.started_at),
        "finished_at": moment(done.finished_at) if done.finished_at else None,
        "undone_at": moment(done.undone_at) if done.undone_at else None,
    }
