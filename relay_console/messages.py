"""What workers tell the screens; a flood of the same message becomes one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from relay_console.action import Scope


class VersionChanged(Message, bubble=False):
    """Something was written to the database; the visible screen reads again."""

    def can_replace(self, message: Message) -> bool:
        """Let a newer one take the place of one that still waits."""
        return isinstance(message, VersionChanged)


class HealthChanged(Message, bubble=False):
    """What is wrong was looked at anew; it is in the session."""

    def can_replace(self, message: Message) -> bool:
        """Let a newer one take the place of one that still waits."""
        return isinstance(message, HealthChanged)


class ServiceReady(Message, bubble=False):
    """The backend is there; what said "starting" can go on."""


@dataclass
class Goto(Message, bubble=False):
    """The technician asked for an area under a filter."""

    area: str
    line: str


@dataclass
class OpenMail(Message, bubble=False):
    """The technician asked for a mail by its log key, ``out:msg_…`` or ``in:inb_…``."""

    key: str
    home: Scope
