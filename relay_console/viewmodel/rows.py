"""Model values to table rows, one function per screen. Pure; all foreign text becomes safe here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend import Direction, LogSort, SuppressionReason, SuppressionState
from relay_console.safe import SafeText, safe
from relay_console.viewmodel.table import Column, TableRow
from relay_console.viewmodel.words import glyph, moment, sentence, short_moment, tone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backend import DnsRecord, DomainDetail, InboundMessage, LogEntry, Suppression

LOG_COLUMNS = (
    Column(title="time UTC", width=8, to_width=97),
    Column(title="time UTC", width=11, from_width=98),
    Column(title="", width=3, from_width=98),
    Column(title="status", width=13),
    Column(title="tenant", width=12, share=1, from_width=98),
    # the other side's address whole rather than both cut in half
    Column(title="from / to", width=24, share=3, to_width=97),
    Column(title="from", width=12, share=3, from_width=98),
    Column(title="to", width=12, share=3, from_width=98),
    Column(title="subject", width=12, share=4),
    Column(title="note", width=12, share=3, optional=True),
    Column(title="id", width=30, optional=True),
)
LOG_SORTS = {
    LogSort.TIME: ("time UTC",),
    LogSort.STATUS: ("status",),
    LogSort.RECIPIENT: ("to", "from / to"),
    LogSort.SUBJECT: ("subject",),
}
"""Which columns stand for which order."""
_BY_EVENT = frozenset({SuppressionReason.BOUNCE, SuppressionReason.COMPLAINT})
SUPPRESSION_COLUMNS = (
    Column(title="since UTC", width=11),
    Column(title="reason", width=11),
    Column(title="tenant", width=12, share=1),
    Column(title="address", width=24, share=3),
    Column(title="until UTC", width=11, from_width=98),
    Column(title="detail", width=12, share=4),
)
DOMAIN_COLUMNS = (
    Column(title="state", width=10),
    Column(title="domain", width=24, share=3),
    Column(title="tenant", width=14, share=2),
    Column(title="receives", width=8),
    Column(title="checked UTC", width=11),
)
RECORD_COLUMNS = (
    Column(title="type", width=5),
    Column(title="name", width=24, share=2),
    Column(title="value", width=24, share=2),
    Column(title="for", width=30, share=2, from_width=110),
)
QUARANTINE_COLUMNS = (
    Column(title="time UTC", width=8, to_width=97),
    Column(title="time UTC", width=11, from_width=98),
    Column(title="state", width=13),
    Column(title="reason", width=14, share=1),
    Column(title="from", width=18, share=3),
    Column(title="recipient", width=10, share=3, from_width=98),
    Column(title="subject", width=12, share=3),
)


def named(tenant_id: str, names: Mapping[str, str]) -> SafeText:
    """Give the name of a tenant, its id when we do not know it, a dash when there is none."""
    return safe(names.get(tenant_id, tenant_id) or "-")


def marked(status: str) -> SafeText:
    """Give a status with its glyph before it."""
    return safe(f"{glyph(status)} {status}")


def bare(sender: str) -> str:
    """Give the address alone of ``Name <address>``: the name is the sender's own claim."""
    return sender.rpartition("<")[2].removesuffix(">")


def log_row(entry: LogEntry, names: Mapping[str, str], now: datetime) -> TableRow:
    """Make a line of the log; the key is ``out:`` or ``in:`` and the id."""
    more = f" +{entry.more_recipients}" if entry.more_recipients else ""
    return TableRow(
        key=f"{entry.direction}:{entry.id}",
        cells=(
            safe(short_moment(entry.at, now)),
            safe(moment(entry.at, now)),
            safe("in" if entry.direction is Direction.IN else "out"),
            marked(entry.status),
            named(entry.tenant_id, names),
            safe(_other_side(entry, more)),
            safe(bare(entry.sender) or "<>"),
            safe(f"{entry.recipient}{more}"),
            safe(entry.subject or "(no subject)"),
            safe(entry.note.replace("_", " ") or "-"),
            safe(entry.id),
        ),
        tone=tone(entry.status),
        note=safe(f"{entry.status}: {sentence(entry.status, entry.direction)}"),
        copy=entry.id,
    )


def _other_side(entry: LogEntry, more: str) -> str:
    if entry.direction is Direction.IN:
        return f"from {bare(entry.sender) or '<>'}"
    return f"to {entry.recipient}{more}"


def suppression_row(entry: Suppression, names: Mapping[str, str], now: datetime) -> TableRow:
    """Make a line of the suppression list; the key is the id."""
    return TableRow(
        key=entry.id,
        cells=(
            safe(moment(entry.created_at, now)),
            safe(f"{_mark(entry, now)} {entry.reason}"),
            named(entry.tenant_id, names) if entry.tenant_id else safe("every tenant"),
            safe(entry.address),
            safe(moment(entry.expires_at, now) if entry.expires_at else "-"),
            safe(entry.detail or entry.note or "-"),
        ),
        note=safe(_meaning(entry, now)),
        copy=entry.address,
    )


def _mark(entry: Suppression, now: datetime) -> str:
    if entry.state is SuppressionState.REVIEW:
        return "?"
    if not entry.counts(now):
        return "·"
    return "✗" if entry.reason in _BY_EVENT else "+"


def _meaning(entry: Suppression, now: datetime) -> str:
    if entry.state is SuppressionState.REVIEW:
        return f"review: {entry.state.sentence}"
    if not entry.counts(now):
        return "It has ended: mail is sent there again."
    return f"{entry.reason}: {entry.reason.sentence}"


def domain_row(detail: DomainDetail, now: datetime) -> TableRow:
    """Make a line of the domains; the key is the id."""
    domain = detail.domain
    checked = moment(domain.checked_at, now) if domain.checked_at else "never"
    return TableRow(
        key=domain.id,
        cells=(
            marked(domain.status),
            safe(domain.name),
            safe(detail.tenant_name),
            safe("yes" if domain.inbound_enabled else "no"),
            safe(checked),
        ),
        tone=tone(domain.status) if domain.status != "failed" else "bad",
        note=safe(f"{domain.status}: {domain.status.sentence}"),
        copy=domain.name,
    )


def record_row(record: DnsRecord) -> TableRow:
    """Make a line of the records of a domain; ``copy`` is a line of a zone file."""
    value = record_value(record)
    return TableRow(
        key=f"{record.type} {record.name} {value}",
        cells=(safe(record.type), safe(record.name), safe(value), safe(record.purpose)),
        note=safe(f"{record.type}: {record.purpose}"),
        copy=f"{record.name} {record.type} {value}",
    )


def record_value(record: DnsRecord) -> str:
    """Give the value as a zone file has it after the type, the MX priority before it."""
    return record.value if record.priority is None else f"{record.priority} {record.value}"


def quarantine_row(message: InboundMessage, names: Mapping[str, str], now: datetime) -> TableRow:
    """Make a line of the quarantine; the key is the id."""
    owner = f"{named(message.tenant_id, names)}: " if message.tenant_id else ""
    return TableRow(
        key=message.id,
        cells=(
            safe(short_moment(message.received_at, now)),
            safe(moment(message.received_at, now)),
            marked(message.status),
            safe(message.reason.replace("_", " ")),
            safe(message.from_address or message.envelope_from or "<>"),
            safe(message.recipient),
            safe(message.subject or "(no subject)"),
        ),
        tone=tone(message.status),
        note=safe(f"{owner}{message.reason.sentence}"),
        copy=message.id,
    )
