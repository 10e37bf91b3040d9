"""``relay-console send``: accept one mail from the command line, as the API would."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backend import Attachment, EmailDraft, OnUnknown
from relay_console.cli.opening import (
    Common,
    database_option,
    json_option,
    opened,
    pass_common,
    run,
)
from relay_console.cli.output import moment, write_json, write_line
from relay_console.cli.tenants import find_tenant

if TYPE_CHECKING:
    from typing import TextIO

    from backend import Accepted


@click.command()
@click.option("--tenant", metavar="ID|NAME", help="Who sends; not needed with one tenant.")
@click.option("--from", "sender", required=True, metavar="ADDRESS", help="On a verified domain.")
@click.option("--to", "to", multiple=True, required=True, metavar="ADDRESS", help="Repeatable.")
@click.option("--cc", multiple=True, metavar="ADDRESS", help="A copy; repeatable.")
@click.option("--bcc", multiple=True, metavar="ADDRESS", help="A blind copy; repeatable.")
@click.option("--subject", required=True, help="One line.")
@click.option("--text", help="The body as plain text.")
@click.option("--html", help="The body as HTML.")
@click.option(
    "--text-file", type=click.File(encoding="utf-8"), help="Read the text here; - is stdin."
)
@click.option(
    "--attach",
    "files",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Attach a file; repeatable.",
)
@click.option(
    "--at", metavar="WHEN", help='Send then: ISO 8601, or words such as "tomorrow at 9am" (UTC).'
)
@click.option(
    "--on-unknown",
    type=click.Choice([policy.value for policy in OnUnknown]),
    default=OnUnknown.RETRY.value,
    show_default=True,
    help="When SES's answer is lost and no event tells: send again, or hold it for a person.",
)
@click.option("--idempotency-key", metavar="KEY", help="The same key again sends nothing new.")
@database_option
@json_option
@pass_common
def send(
    common: Common,
    *,
    tenant: str | None,
    sender: str,
    to: tuple[str, ...],
    cc: tuple[str, ...],
    bcc: tuple[str, ...],
    subject: str,
    text: str | None,
    html: str | None,
    text_file: TextIO | None,
    files: tuple[Path, ...],
    at: str | None,
    on_unknown: str,
    idempotency_key: str | None,
    as_json: bool,
) -> None:
    """Accept one mail: it is on disk when this returns.

    A running server or console sends it.
    """
    if text is not None and text_file is not None:
        raise click.UsageError("give --text or --text-file, not both")
    draft = EmailDraft(
        sender=sender,
        to=to,
        cc=cc,
        bcc=bcc,
        subject=subject,
        text=text_file.read() if text_file is not None else text,
        html=html,
        attachments=tuple(map(read_attachment, files)),
        scheduled_at=at,
        on_unknown=OnUnknown(on_unknown),
    )

    async def work() -> Accepted:
        async with opened(common) as backend:
            owner = await find_tenant(backend, tenant)
            return await backend.send(owner.id, draft, idempotency_key=idempotency_key)

    accepted = run(work())
    write_json(accepted) if as_json else _write_accepted(accepted)


def read_attachment(path: Path) -> Attachment:
    """Read a file as an attachment, its type told by its name."""
    guessed, encoding = mimetypes.guess_type(path.name)
    kind = guessed if guessed and not encoding else "application/octet-stream"
    return Attachment(filename=path.name, content=path.read_bytes(), content_type=kind)


def _write_accepted(accepted: Accepted) -> None:
    again = " (accepted before under this key)" if accepted.replayed else ""
    write_line(accepted.email_id, f"{accepted.status}{again}")
    for skipped in accepted.skipped:
        write_line(f"skipped {skipped.address}: {skipped.reason} since {moment(skipped.since)}")
