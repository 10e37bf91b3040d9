"""The acts of ``relay-console quarantine``: release, reroute, attach, discard, restore, spam."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from backend import (
    Attach,
    Discard,
    MarkSpam,
    NotFoundError,
    Release,
    Reroute,
    Restore,
    SenderPart,
    TargetName,
)
from relay_console.cli.exits import Exit
from relay_console.cli.opening import (
    Common,
    actor,
    database_option,
    json_option,
    opened,
    pass_common,
    run,
)
from relay_console.cli.output import write_json, write_line
from relay_console.cli.tenants import find_tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backend import Act, ActReport, Foreseen

    Command = Callable[..., Any]

STDIN = "-"
_PARTS = click.Choice([part.value for part in SenderPart])


def _of_messages(command: Command) -> Command:
    """Add what every act takes: ids, a note, a dry run."""
    adding: list[Callable[[Command], Command]] = [
        pass_common,
        json_option,
        database_option,
        click.option("--dry-run", is_flag=True, help="Tell what would be done; write nothing."),
        click.option("--note", default="", metavar="TEXT", help="Why, for those who come after."),
        click.argument("ids", metavar="ID...", nargs=-1, required=True),
    ]
    for add in adding:
        command = add(command)
    return command


@click.command()
@click.option("--allow", type=_PARTS, help="Trust the sender from now on: its address or domain.")
@click.option("--days", type=click.IntRange(1, 3650), help="For how long; without it for good.")
@click.option("--everywhere", is_flag=True, help="Trust it for every tenant.")
@_of_messages
def release(
    common: Common, allow: str | None, days: int | None, everywhere: bool, **asked: Any
) -> None:
    """Let messages go on after what held them; - reads the ids from standard input.

    Only the reason that holds a message is lifted; what else holds it is told and can be lifted
    in turn. Unsafe attachments stay behind. A virus, a loop or a blocked sender is never released.
    """
    wish = Release(
        allow=SenderPart(allow) if allow else None,
        lasting=timedelta(days=days) if days else None,
        everywhere=everywhere,
        note=asked["note"],
    )
    _carry_out(common, wish, asked)


@click.command()
@click.option(
    "--target",
    type=click.Choice([one.value for one in TargetName]),
    required=True,
    help="Where to.",
)
@click.option("--ref", default="", metavar="ID", help="Ticket or contact; a new ticket without.")
@click.option("--tenant", metavar="ID|NAME", help="Whose it is, when the message does not tell.")
@click.option("--again", is_flag=True, help="Also when another target has it already.")
@_of_messages
def reroute(
    common: Common, target: str, ref: str, tenant: str | None, again: bool, **asked: Any
) -> None:
    """Send messages to a target of your choice; - reads the ids from standard input.

    It wins over match and route, not over screening. No target gets a message twice.
    """
    wish = Reroute(target=TargetName(target), ref=ref, again=again, note=asked["note"])
    _carry_out(common, wish, asked, tenant=tenant)


@click.command()
@click.option("--to", required=True, metavar="THREAD|MAIL|TICKET", help="An id or ticket number.")
@_of_messages
def attach(common: Common, to: str, **asked: Any) -> None:
    """Put messages into a conversation of their tenant; - reads the ids from standard input.

    The Message-IDs they cite stand for it from now on, so later replies find it by themselves.
    """
    _carry_out(common, Attach(to=to, note=asked["note"]), asked)


@click.command()
@_of_messages
def discard(common: Common, **asked: Any) -> None:
    """Put messages away; they are kept until retention. - reads the ids from standard input."""
    _carry_out(common, Discard(note=asked["note"]), asked)


@click.command()
@_of_messages
def restore(common: Common, **asked: Any) -> None:
    """Take messages that were put away back to where they were; - reads standard input.

    A blocklist entry that was made with a spam mark goes too.
    """
    _carry_out(common, Restore(note=asked["note"]), asked)


@click.command()
@click.option("--block", type=_PARTS, help="Block the sender: its address or domain.")
@click.option("--everywhere", is_flag=True, help="Block it for every tenant.")
@_of_messages
def spam(common: Common, block: str | None, everywhere: bool, **asked: Any) -> None:
    """Put messages away as spam; - reads the ids from standard input."""
    part = SenderPart(block) if block else None
    _carry_out(common, MarkSpam(block=part, everywhere=everywhere, note=asked["note"]), asked)


ACTS = (release, reroute, attach, discard, restore, spam)


def _carry_out(
    common: Common, act: Act, asked: dict[str, Any], *, tenant: str | None = None
) -> None:
    """Do an act, or tell what it would do, and end with the code that fits."""
    ids = _ids(asked["ids"])

    async def work() -> Exit:
        async with opened(common) as backend:
            wish = act
            if tenant is not None and isinstance(act, Reroute):
                owner = await find_tenant(backend, tenant)
                wish = Reroute(
                    target=act.target,
                    ref=act.ref,
                    tenant_id=owner.id,
                    again=act.again,
                    note=act.note,
                )
            if asked["dry_run"]:
                found = [one async for one in backend.quarantine.foresee(ids, wish)]
                return _write_foreseen(found, as_json=asked["as_json"])
            report = await backend.quarantine.act(ids, wish, actor=actor())
            return _write_report(report, as_json=asked["as_json"])

    code = run(work())
    if code is not Exit.OK:
        click.get_current_context().exit(int(code))


def _ids(given: Sequence[str]) -> list[str]:
    """Give the ids, those of standard input in place of ``-``: a line begins with one, or is JSON.

    Raises NotFoundError when there is none.
    """
    found: list[str] = []
    for one in given:
        found += filter(None, map(_id_of, sys.stdin)) if one == STDIN else [one]
    if not found:
        raise NotFoundError("standard input names no message; give one id a line")
    return found


def _id_of(line: str) -> str:
    if line.lstrip().startswith("{"):
        try:
            return str(json.loads(line).get("id", ""))
        except ValueError:
            return line.strip()
    return next(iter(line.split()), "")


def _write_report(report: ActReport, *, as_json: bool) -> Exit:
    if as_json:
        write_json(report)
    else:
        for done in report.done:
            write_line(done.id, done.what)
        for refused in report.refused:
            write_line(refused.id, f"not done: {refused.why}")
    return _code(len(report.done), [refused.why for refused in report.refused])


def _write_foreseen(found: Sequence[Foreseen], *, as_json: bool) -> Exit:
    for one in found:
        if as_json:
            write_json(
                {
                    "id": one.id,
                    "may": not one.why,
                    "sentence": one.sentence,
                    "status": one.status,
                    "reason": one.reason,
                    "route": one.route,
                    "warning": one.warning,
                }
            )
        else:
            write_line(one.id, one.sentence)
    whys = [one.why for one in found if one.why]
    return _code(len(found) - len(whys), whys)


def _code(done: int, whys: Sequence[str]) -> Exit:
    if not whys:
        return Exit.OK
    if done:
        return Exit.PARTLY
    unknown = all(why == "there is no such message" for why in whys)
    return Exit.NOT_FOUND if unknown else Exit.FAILED
