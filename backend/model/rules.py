"""Routing rules of tenants: when they fit, what they do, which ticket fields they read. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.model.explained import Explained

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from backend.model.automated import Kind
    from backend.model.inbound import InboundStatus, ScanVerdict, TargetAction, TargetName

REGEX = "re2:"
"""A text pattern that begins so is a regular expression of RE2, any other one is a glob."""


class RuleAct(Explained):
    """What a rule does with a message that fits; all of them may tag and fill ticket fields."""

    ROUTE = "route", "It goes to a target."
    QUARANTINE = "quarantine", "It is kept back until a person looks."
    DROP = "drop", "It goes to no target; it is kept and shown with the reason."
    TAG = "tag", "It is tagged and its ticket fields are filled; its way stays as it is."


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """When a rule fits: every condition that is given holds, each by any one of its values.

    ``sender`` and ``recipient`` are address patterns (docs/routing.md), ``subject`` and the values
    of ``header`` text patterns. Header and verdict names are lower case.
    """

    sender: tuple[str, ...] = ()
    recipient: tuple[str, ...] = ()
    subject: tuple[str, ...] = ()
    header: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    kind: tuple[Kind, ...] = ()
    verdict: Mapping[str, tuple[ScanVerdict, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWay:
    """What a rule does.

    ``target``, ``do``, ``ref`` and ``tenant`` belong to ROUTE; ``tenant`` is only for a rule of all
    tenants and gives mail without a tenant to one. ``dropped_as`` (DISCARDED or SUPPRESSED) and
    ``reason``, a sentence of its author, belong to DROP and QUARANTINE. The rest goes with any act.
    """

    act: RuleAct
    target: TargetName | None = None
    do: TargetAction | None = None
    ref: str = ""
    tenant: str = ""
    queue: str = ""
    priority: str = ""
    tags: tuple[str, ...] = ()
    reason: str = ""
    dropped_as: InboundStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """Which ticket fields are read from a structured message, and where from.

    ``subject`` and ``body`` are RE2 expressions whose named groups are fields; ``json`` maps a
    field to a dotted path in a JSON body, ``lines`` to the key of a ``key: value`` line; ``copy``
    fills a field from another one; ``values`` translates: field -> what was found -> written.
    """

    subject: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    json: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict)
    copy: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a tenant, or of all tenants when ``tenant_id`` is empty.

    Rules are read by ``position``, lowest first; ``stop`` ends the reading when the rule fits;
    ``override`` lets its decision beat the address and the conversation.
    """

    id: str
    tenant_id: str
    name: str
    position: int
    way: RuleWay
    created_at: datetime
    when: Conditions = field(default_factory=Conditions)
    extraction: Extraction = field(default_factory=Extraction)
    enabled: bool = True
    stop: bool = True
    override: bool = False
    created_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTrace:
    """What reading one rule gave: whether it fits, and the condition that decided."""

    rule_id: str
    fits: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOutcome:
    """What all rules together say: who decides, and what every fitting rule added.

    ``decided`` is the first rule that fits and decides, ``overriding`` the first such rule that
    may beat the address and the conversation.
    """

    decided: Rule | None = None
    overriding: Rule | None = None
    tags: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    trace: tuple[RuleTrace, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A decision in short, for comparing two of them: status, reason, and the way if there is one.

    ``way`` is ``target action ref``, empty when the message goes nowhere.
    """

    status: str
    reason: str
    way: str = ""
    tags: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTrial:
    """What a rule would have done to one stored message.

    ``recorded`` is what became of it, ``without`` and ``with_rule`` what the present configuration
    says without and with the rule; both are None when ``error`` says why it could not be tried.
    """

    inbound_id: str
    received_at: datetime
    sender: str
    subject: str
    recorded: Course
    without: Course | None = None
    with_rule: Course | None = None
    fits: bool = False
    why: str = ""
    error: str = ""

    @property
    def changes(self) -> bool:
        """Tell whether the rule makes a difference."""
        return self.without != self.with_rule
