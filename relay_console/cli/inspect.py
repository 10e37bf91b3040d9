"""``relay-console inspect``: read and classify messages offline, one JSON line each."""

from __future__ import annotations

import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from relay_console.cli.exits import Exit
from relay_console.cli.output import write_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backend import InspectedMail

CHUNK = 16  # messages that a process is given at a time
WORTH_A_PROCESS = 200  # below so many messages, starting processes takes longer than reading
_LARGEST = 40 * 1024 * 1024 + 1  # bytes; what is larger is refused, so no more is read


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1)
@click.option(
    "--paths-from",
    type=click.File("r", errors="surrogateescape"),
    help="A file with a path a line; - is stdin.",
)
@click.option("--jobs", type=click.IntRange(1, 64), default=1, help="Processes that read.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; it always is.")
def inspect(
    paths: tuple[str, ...], paths_from: IO[str] | None, jobs: int, *, as_json: bool
) -> None:
    """Read and classify the messages at PATH without a database; one JSON line each, in order.

    A file without any header of a message is taken as a bare text. Exits 1 when a path could not
    be read; its line has an "error".
    """
    del as_json
    listed = (line.rstrip("\r\n") for line in paths_from) if paths_from else ()
    wanted = [path for path in chain(paths, listed) if path]
    if not wanted:
        raise click.UsageError("Name at least one file, or a list of them with --paths-from.")
    failed = False
    for answer in _answers(wanted, jobs):
        write_json(answer)
        failed = failed or "error" in answer
    if failed:
        click.get_current_context().exit(Exit.FAILED)


def _answers(paths: list[str], jobs: int) -> Iterator[dict[str, object]]:
    if jobs == 1 or len(paths) < WORTH_A_PROCESS:
        yield from map(_inspect, paths)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_inspect, paths, chunksize=CHUNK)


def _inspect(path: str) -> dict[str, object]:
    """Read one file; never raises, for one bad file must not stop thousands."""
    from backend import inspect_file

    began = time.perf_counter()
    try:
        with Path(path).open("rb") as file:
            raw = file.read(_LARGEST)
        found = inspect_file(raw, path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        return {"path": path, "error": f"{path}: {reason}"}
    except Exception as error:  # noqa: BLE001 - the edge of the loop over the files
        traceback.print_exc(file=sys.stderr)
        return {"path": path, "error": f"{path}: {type(error).__name__}: {error}"}
    return _shown(path, found) | {"ms": round((time.perf_counter() - began) * 1000, 2)}


def _shown(path: str, found: InspectedMail) -> dict[str, object]:
    return {
        "path": path,
        "from_email": found.from_email,
        "from_name": found.from_name,
        "subject": found.subject,
        "message_id": found.message_id,
        "text": found.text,
        "reply_text": found.reply_text,
        "elided_text": found.elided_text,
        "attachments": [
            {"name": file.name, "size": file.size, "sha1": file.sha1} for file in found.attachments
        ],
        "kind": found.kind.value,
        "recipients": list(_recipients(found)),
        "defects": list(found.defects),
    }


def _recipients(found: InspectedMail) -> Iterable[dict[str, object]]:
    for recipient in found.recipients:
        yield {
            "address": recipient.address,
            "status": recipient.status,
            "inferred": recipient.inferred,
            "hard": recipient.hard,
            "diagnostic": recipient.diagnostic,
        }
