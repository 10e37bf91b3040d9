"""``relay-console sandbox``: local AWS, SMTP door and desk, for servers started elsewhere."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from relay_console.cli.demo import require_sandbox
from relay_console.cli.opening import run


@click.command()
@click.option("--world", is_flag=True, help="Let the tenants and their clients write mail as well.")
@click.option("--seed", default=7, show_default=True, help="The same seed, the same world.")
@click.option(
    "--folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the files here; without it they go when the sandbox ends.",
)
def sandbox(*, world: bool, seed: int, folder: Path | None) -> None:
    """Run local AWS, the SMTP door and the desk until SIGTERM or Ctrl-C.

    First it writes the lines `export NAME=value` that point a server or a console at them.
    """
    require_sandbox()
    from backend import SandboxOptions, configure_logging, run_sandbox

    configure_logging("warning")
    with tempfile.TemporaryDirectory(prefix="relay-sandbox-") as temporary:
        options = SandboxOptions(folder=folder or Path(temporary), seed=seed, world=world)
        run(run_sandbox(options, _write_lines))


def _write_lines(lines: list[str]) -> None:
    click.echo("\n".join(lines))
