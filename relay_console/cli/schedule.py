"""``relay-console cancel`` and ``reschedule``: scheduled mail before its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from relay_console.cli.opening import (
    Common,
    actor,
    database_option,
    json_option,
    opened,
    pass_common,
    run,
)
from relay_console.cli.output import moment, write_json, write_line

if TYPE_CHECKING:
    from backend import Email


@click.command()
@click.argument("email_id", metavar="ID")
@database_option
@json_option
@pass_common
def cancel(common: Common, email_id: str, as_json: bool) -> None:
    """Call the scheduled mail ID off; it is too late once it is on its way."""

    async def work() -> Email:
        async with opened(common) as backend:
            return await backend.mailing.cancel_email(email_id, actor=actor())

    _write(run(work()), as_json=as_json)


@click.command()
@click.argument("email_id", metavar="ID")
@click.argument("when", metavar="WHEN")
@database_option
@json_option
@pass_common
def reschedule(common: Common, email_id: str, when: str, as_json: bool) -> None:
    """Have the scheduled mail ID sent at WHEN: ISO 8601, or words such as "tomorrow at 9am".

    Words are UTC unless they end with a zone.
    """

    async def work() -> Email:
        async with opened(common) as backend:
            return await backend.mailing.reschedule_email(email_id, when, actor=actor())

    _write(run(work()), as_json=as_json)


def _write(email: Email, *, as_json: bool) -> None:
    if as_json:
        write_json({"id": email.id, "status": email.status, "scheduled_at": email.scheduled_at})
    else:
        write_line(email.id, email.status, moment(email.scheduled_at))
