"""The backend of the Relay Console; this is its front door and nothing below it is public.

``open_backend`` opens the database and, unless told otherwise, runs the workers beside it;
``serve`` adds the HTTP API; ``open_demo`` and ``run_sandbox`` need the ``sandbox`` extra. What is
slow to import comes when it is first asked for: ``relay-console --help`` must not load SQLAlchemy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from backend import values
from backend.clock import SystemClock
from backend.values import *  # noqa: F403  # its __all__ is the list of them

if TYPE_CHECKING:
    from backend.app import Backend, open_backend
    from backend.config import Config, config_file, data_home, environment_name, load_config
    from backend.demo import (
        Demo,
        DemoSettings,
        DemoSummary,
        SandboxOptions,
        open_demo,
        run_sandbox,
    )
    from backend.domains.settings import DomainChange
    from backend.facade_receiving import Conversation
    from backend.inbound.inspect import inspect_file, inspect_mail
    from backend.logs import configure_logging, console_log
    from backend.queue.items import QueueCounts
    from backend.queue.roles import Holding
    from backend.queue.troubles import Trouble
    from backend.server import serve
    from backend.suppression.formats import suppression_text
    from backend.suppression.importing import ImportListener

_LATE = {
    "Conversation": "backend.facade_receiving",
    "Backend": "backend.app",
    "Config": "backend.config",
    "DomainChange": "backend.domains.settings",
    "Demo": "backend.demo",
    "DemoSettings": "backend.demo",
    "DemoSummary": "backend.demo",
    "Holding": "backend.queue.roles",
    "ImportListener": "backend.suppression.importing",
    "QueueCounts": "backend.queue.items",
    "SandboxOptions": "backend.demo",
    "Trouble": "backend.queue.troubles",
    "config_file": "backend.config",
    "configure_logging": "backend.logs",
    "console_log": "backend.logs",
    "data_home": "backend.config",
    "environment_name": "backend.config",
    "inspect_file": "backend.inbound.inspect",
    "inspect_mail": "backend.inbound.inspect",
    "load_config": "backend.config",
    "open_backend": "backend.app",
    "open_demo": "backend.demo",
    "run_sandbox": "backend.demo",
    "serve": "backend.server",
    "suppression_text": "backend.suppression.formats",
}

__all__ = [
    "Backend",
    "Config",
    "Conversation",
    "Demo",
    "DemoSettings",
    "DemoSummary",
    "DomainChange",
    "Holding",
    "ImportListener",
    "QueueCounts",
    "SandboxOptions",
    "SystemClock",
    "Trouble",
    "config_file",
    "configure_logging",
    "console_log",
    "data_home",
    "environment_name",
    "inspect_file",
    "inspect_mail",
    "load_config",
    "open_backend",
    "open_demo",
    "run_sandbox",
    "serve",
    "suppression_text",
]
__all__ += values.__all__


def __getattr__(name: str) -> Any:
    """Import the heavy half of the front door when it is first asked for."""
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module 'backend' has no attribute {name!r}")
