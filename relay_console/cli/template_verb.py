"""The shape that all template commands share: open the backend, find the tenant, act, tell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TypeVar

import click

from relay_console.cli.opening import Common, database_option, json_option, opened, pass_common, run
from relay_console.cli.output import write_json
from relay_console.cli.tenants import find_tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from backend import Backend

T = TypeVar("T")
_tenant_option = click.option(
    "--tenant", metavar="ID|NAME", help="Whose template; not needed with one tenant."
)


@dataclass(frozen=True, slots=True)
class Shop:
    """An open backend and the id of the tenant whose templates a command is about."""

    backend: Backend
    tenant_id: str


def verb(
    group: click.Group, *own: Callable[..., Any], tell: Callable[[T], None]
) -> Callable[[Callable[..., Coroutine[Any, Any, T]]], None]:
    """Make a command of a coroutine that takes a Shop and what the options of its ``own`` give.

    ``tell`` writes what it gives for people; with --json it is written as it is, a list one object
    a line.
    """

    def make(act: Callable[..., Coroutine[Any, Any, T]]) -> None:
        def command(common: Common, /, tenant: str | None, as_json: bool, **given: Any) -> None:
            async def work() -> T:
                async with opened(common) as backend:
                    return await act(
                        Shop(backend, (await find_tenant(backend, tenant)).id), **given
                    )

            found = run(work())
            if not as_json:
                tell(found)
                return
            for one in found if isinstance(found, list) else [found]:
                write_json(one)

        made: Callable[..., Any] = pass_common(update_wrapper(command, act))
        for option in (json_option, database_option, _tenant_option, *reversed(own)):
            made = option(made)
        group.command(act.__name__.rstrip("_"))(made)

    return make
