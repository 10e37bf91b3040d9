"""The log of the program: one line for each event, fit to be read by people and by machines.

Everything that logs, ours through structlog and libraries through the standard module, passes the
same chain: addresses are masked, bodies and secrets are left out, control characters are escaped.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import EventDict, Processor, WrappedLogger

_ADDRESS = re.compile(r"([\w!#$%&'*+/=?^`{|}~.-])[\w!#$%&'*+/=?^`{|}~.-]*@([\w-]+(?:\.[\w-]+)+)")
# What could break a line or drive a terminal: C0, DEL, C1, line separators, bidi controls.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_WITHHELD = re.compile(
    r"(^|_)(body|html|text|raw|content|secret|password|token|authorization|integration_key)$"
)
_LARGEST_LOG = 5_000_000  # bytes; at the next start the file becomes console.log.1


def console_log() -> Path:
    """Give the log file of the console: ``$XDG_STATE_HOME/relay-console/console.log``."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "relay-console" / "console.log"


def configure_logging(level: str, target: Path | None = None) -> None:
    """Log from ``level`` (debug, info, warning, error) up to the file ``target``, else to stderr.

    A terminal gets lines to read; a file (0600) or a pipe gets JSON. The last call wins.
    """
    stream = sys.stderr if target is None else _open_log(target)
    render = _as_line if stream.isatty() else _as_json
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _Handler(stream)
    handler.setFormatter(_formatter(shared, render))
    _replace_handler(handler, level)


def _formatter(
    shared: list[Processor], render: Callable[[WrappedLogger, str, EventDict], str]
) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            withhold,
            render,
        ],
    )


class _Handler(logging.StreamHandler[TextIO]):
    """Ours among the handlers of the root logger; others are left in place."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._owned = stream is not sys.stderr

    def close(self) -> None:
        """Close the log file, never stderr."""
        super().close()
        if self._owned:
            self.stream.close()


def _replace_handler(handler: _Handler, level: str) -> None:
    root = logging.getLogger()
    for old in root.handlers[:]:
        if isinstance(old, _Handler):
            root.removeHandler(old)
            old.close()
    root.addHandler(handler)
    root.setLevel(level.upper())
    # Their debug lines hold whole requests, with bodies and signatures.
    for library in (
        "botocore",
        "boto3",
        "urllib3",
        "httpcore",
        "httpx",
        "werkzeug",
        "mail.log",
        "alembic",
    ):
        logging.getLogger(library).setLevel(logging.WARNING)


def _open_log(path: Path) -> TextIO:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LARGEST_LOG:
        path.replace(path.with_name(path.name + ".1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    return os.fdopen(descriptor, "a", encoding="utf-8", buffering=1)


def mask_addresses(text: str) -> str:
    """Write every mail address in a text as its first letter and its domain."""
    return _ADDRESS.sub(r"\1***@\2", text)


def withhold(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Leave out bodies and secrets by name and mask addresses in everything else."""
    return {
        key: "(withheld)" if _WITHHELD.search(key) else _masked(value)
        for key, value in event.items()
    }


def _masked(value: object) -> object:
    match value:
        case bool() | int() | float() | None:
            return value
        case dict():
            return withhold(None, "", {str(key): inner for key, inner in value.items()})
        case list() | tuple() | set() | frozenset():
            return [_masked(inner) for inner in value]
        case _:
            return mask_addresses(str(value))


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    # ensure_ascii: whatever a terminal would obey is an escape in the file as well.
    return json.dumps(_ordered(event), ensure_ascii=True, default=str)


def _as_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    rest = _ordered(event)
    head = " ".join(
        str(rest.pop(key, "")).ljust(width)
        for key, width in (("timestamp", 0), ("level", 7), ("event", 0))
    )
    pairs = "".join(f" {key}={value}" for key, value in rest.items())
    return _CONTROL.sub(_escape, head + pairs)


def _ordered(event: EventDict) -> dict[str, Any]:
    first = ("timestamp", "level", "logger", "event")
    return {key: event[key] for key in first if key in event} | {
        key: value for key, value in event.items() if key not in first
    }


def _escape(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode("ascii")
