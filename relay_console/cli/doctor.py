"""``relay-console doctor``: looks whether all that mail depends on is well, and sends a test."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from backend import Check, EmailDraft, NotFoundError, Verdict
from relay_console.cli.exits import Exit
from relay_console.cli.opening import Common, database_option, json_option, pass_common, read_config
from relay_console.cli.opening import run as run_to_end
from relay_console.cli.output import write_json, write_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend import Backend

LOOK_EVERY = 0.5  # seconds
_TRIALS = {"success": "delivered", "bounce": "bounced"}
"""Mailboxes of the SES simulator, and where mail to each must end."""
_ON_ITS_WAY = frozenset({"queued", "scheduled", "unknown", "sent", "delayed"})


@click.command()
@click.option(
    "--send-test",
    is_flag=True,
    help="Send two mails to the simulator of SES and wait for their events.",
)
@click.option("--from", "sender", metavar="ADDRESS", help="Of the test; else of any good domain.")
@click.option(
    "--timeout",
    type=click.FloatRange(1, 600),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the events.",
)
@database_option
@json_option
@pass_common
def doctor(
    common: Common, send_test: bool, sender: str | None, timeout: float, as_json: bool
) -> None:
    """Check the database, SES, the queues, the domains and the events.

    Mail to the simulator is billed, but counts neither for the quota nor for the rates.
    """
    from backend import configure_logging, open_backend

    async def work() -> list[Check]:
        configure_logging("error")
        # with workers: the test has to be sent even when no server runs
        async with open_backend(read_config(common), workers=send_test) as backend:
            checks = list(await backend.doctor.look())
            if send_test:
                checks += await _send_test(backend, sender, timeout)
        return checks

    checks = run_to_end(work())
    _write(checks, as_json)
    if any(check.verdict is Verdict.FAILED for check in checks):
        click.get_current_context().exit(Exit.FAILED)


async def _send_test(backend: Backend, sender: str | None, seconds: float) -> list[Check]:
    """Send to each mailbox of the simulator and tell where the mail ended."""
    domains = {one.domain.name: one.domain for one in await backend.domains()}
    if sender is not None:
        domain = domains.get(sender.rpartition("@")[2].lower())
    else:
        domain = await backend.doctor.sender()
        sender = f"postmaster@{domain.name}" if domain else ""
    if domain is None:
        raise NotFoundError("there is no verified domain to send the test from; give --from")
    sent = {}
    for mailbox in _TRIALS:
        draft = EmailDraft(
            sender=sender,
            to=(f"{mailbox}+doctor@simulator.amazonses.com",),
            subject="A test of the way out and of the events",
            text="Sent by `relay-console doctor --send-test`.",
        )
        sent[mailbox] = (await backend.send(domain.tenant_id, draft)).email_id
    ends = asyncio.get_running_loop().time() + seconds
    return [await _ended(backend, mailbox, email_id, ends) for mailbox, email_id in sent.items()]


async def _ended(backend: Backend, mailbox: str, email_id: str, ends: float) -> Check:
    wanted, loop = _TRIALS[mailbox], asyncio.get_running_loop()
    while (status := (await backend.email(email_id)).email.status) != wanted:
        if status not in _ON_ITS_WAY or loop.time() >= ends:
            return Check(
                name=f"test to {mailbox}@",
                verdict=Verdict.FAILED,
                found=f"{email_id} stands at {status}, not at {wanted}",
                remedy="sent, but no event: check the configuration set, topic and queue"
                if status == "sent"
                else f"see `relay-console show {email_id}`",
            )
        await asyncio.sleep(LOOK_EVERY)
    return Check(name=f"test to {mailbox}@", verdict=Verdict.OK, found=f"{email_id} {status}")


def _write(checks: Sequence[Check], as_json: bool) -> None:
    if as_json:
        write_json(checks)
        return
    for check in checks:
        write_line(f"{check.verdict:<8}", f"{check.name}: {check.found}")
        if check.remedy:
            write_line(f"{'':<8}", f"-> {check.remedy}")
