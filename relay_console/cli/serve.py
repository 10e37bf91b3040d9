"""``relay-console serve``: the HTTP API and the workers, without a console."""

from __future__ import annotations

import click

from relay_console.cli.opening import Common, database_option, pass_common, read_config, run


@click.command()
@click.option("--host", metavar="ADDRESS", help="Listen here instead of RELAY_API_HOST.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Listen on this port instead of RELAY_API_PORT; 0 takes a free one.",
)
@database_option
@pass_common
def serve(common: Common, host: str | None, port: int | None) -> None:
    """Serve the HTTP API and do the work until SIGTERM or Ctrl-C, then drain.

    The URL of the API is written once it listens; the log goes to stderr.
    """
    from backend import configure_logging
    from backend import serve as serve_until_stopped

    config = read_config(common, api_host=host, api_port=port)
    configure_logging(config.log_level)
    run(serve_until_stopped(config, on_ready=click.echo))
