"""What workers tell the screens; a flood of the same message becomes one."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


class VersionChanged(Message, bubble=False):
    """Something was written to the database; the visible screen reads again."""

    def can_replace(self, message: Message) -> bool:
        """Let a newer one take the place of one that still waits."""
        return isinstance(message, VersionChanged)


class ServiceReady(Message, bubble=False):
    """The backend is there; what said "starting" can go on."""


@dataclass
class Goto(Message, bubble=False):
    """The technician asked for an area under a filter."""

    area: str
    line: str
