"""``relay-console explain``: why a message went its way, or which way a file would go."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backend import InvalidInputError, ScanVerdict, ScanVerdicts
from relay_console.cli.opening import (
    Common,
    database_option,
    json_option,
    opened,
    pass_common,
    run,
)
from relay_console.cli.output import write_json
from relay_console.cli.show import show_message, write_inbound

if TYPE_CHECKING:
    from backend import InboundDetail

MAX_BYTES = 40 * 1_048_576
CHECKS = ("spam", "virus", "spf", "dkim", "dmarc")


@click.command()
@click.argument("message", metavar="ID|FILE")
@click.option("--to", "recipient", metavar="ADDRESS", help="The envelope recipient of the FILE.")
@click.option("--from", "sender", metavar="ADDRESS", default="", help="Its envelope sender.")
@click.option(
    "--verdict",
    "verdicts",
    metavar="CHECK=VERDICT",
    multiple=True,
    help="What a check would say of it, such as spam=fail; not said is unverified.",
)
@database_option
@json_option
@pass_common
def explain(
    common: Common,
    message: str,
    recipient: str | None,
    sender: str,
    verdicts: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say what happened to the message ID, or what would become of the mail in FILE.

    With --to the FILE (- reads standard input) is decided on the live settings, as if it came in
    now; nothing is written and no target is called.
    """
    if recipient is None:
        if Path(message).is_file():
            raise click.UsageError("say for whom the file is with --to ADDRESS")
        run(show_message(common, message, as_json=as_json))
        return
    raw, checks = _read(message), read_verdicts(verdicts)

    async def work() -> InboundDetail:
        async with opened(common) as backend:
            return await backend.routing.explain(
                raw, recipient=recipient, envelope_from=sender, verdicts=checks
            )

    detail = run(work())
    write_json(detail) if as_json else write_inbound(detail)


def _read(path: str) -> bytes:
    """Read a raw message; raises InvalidInputError."""
    try:
        raw = sys.stdin.buffer.read(MAX_BYTES + 1) if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{path}: {error.strerror}", field="file") from None
    if len(raw) > MAX_BYTES:
        raise InvalidInputError(f"{path}: a message has at most 40 MB", field="file")
    return raw


def read_verdicts(given: tuple[str, ...]) -> ScanVerdicts:
    """Read ``spam=fail`` and the like; raises InvalidInputError."""
    found: dict[str, ScanVerdict] = {}
    for pair in given:
        check, _, verdict = pair.partition("=")
        try:
            found[_known(check)] = ScanVerdict(verdict)
        except ValueError:
            allowed = ", ".join(ScanVerdict)
            raise InvalidInputError(
                f"--verdict: {pair[:60]!r} is not CHECK=VERDICT; checks are {', '.join(CHECKS)},"
                f" verdicts {allowed}",
                field="verdict",
            ) from None
    return ScanVerdicts(**found)


def _known(check: str) -> str:
    if check not in CHECKS:
        raise ValueError(check)
    return check
