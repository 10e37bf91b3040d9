"""Reading the routing rules over one message: what they decide, tag and fill in, and why. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.inbound.extract import extract
from backend.inbound.rules_text import fits_address, fits_text
from backend.mime import headers
from backend.model.automated import Kind
from backend.model.inbound import ScanVerdict
from backend.model.rules import RuleAct, RuleOutcome, RuleTrace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from backend.model.inbound import InboundMessage, ParsedMail
    from backend.model.rules import Conditions, Rule, RuleWay

MAX_HEADER_VALUE = 2_000  # characters that are compared
SHOWN = 60  # characters of a value in the reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFacts:
    """What rules weigh; ``tenant_id`` is empty while no tenant is known.

    ``senders`` are the author and the envelope sender; header names are lower case.
    """

    tenant_id: str = ""
    senders: tuple[str, ...] = ()
    recipient: str = ""
    subject: str = ""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    kind: Kind = Kind.HUMAN
    verdicts: Mapping[str, ScanVerdict] = field(default_factory=dict)
    text: str = ""


def facts_of(
    message: InboundMessage,
    mail: ParsedMail,
    tenant_id: str,
    rules: Iterable[Rule],
) -> RuleFacts:
    """Gather what these rules weigh; only the headers that one of them names are decoded."""
    named = {name for rule in rules for name in rule.when.header}
    found: dict[str, tuple[str, ...]] = {}
    for name, value in mail.header_fields if named else ():
        low = name.strip().lower()
        if low in named:
            found[low] = (*found.get(low, ()), headers.text(value)[:MAX_HEADER_VALUE])
    verdicts = message.verdicts
    return RuleFacts(
        tenant_id=tenant_id,
        senders=tuple(dict.fromkeys(s for s in (mail.from_address, message.envelope_from) if s)),
        recipient=message.recipient,
        subject=mail.subject,
        headers=found,
        kind=message.kind,
        verdicts={name: getattr(verdicts, name) for name in CHECKS},
        text=mail.text,
    )


CHECKS = ("spam", "virus", "spf", "dkim", "dmarc")
"""The verdicts a rule may ask for."""


def apply_rules(rules: Sequence[Rule], facts: RuleFacts) -> RuleOutcome:
    """Read the rules in their order; the first that fits and decides, decides.

    Every fitting rule adds its tags and ticket fields, the first value of a field stays; one with
    ``stop`` ends the reading. A rule that cannot be read is passed over, and the trace says so.
    """
    deciding: list[Rule] = []
    tags: dict[str, None] = {}
    fields: dict[str, str] = {}
    trace: list[RuleTrace] = []
    for rule in in_order(rules):
        line, read = _read(rule, facts)
        trace.append(line)
        if not line.fits:
            continue
        tags |= dict.fromkeys(rule.way.tags)
        fields = read | fields
        if rule.way.act is not RuleAct.TAG:
            deciding.append(rule)
        if rule.stop:
            break
    return RuleOutcome(
        decided=next(iter(deciding), None),
        overriding=next((rule for rule in deciding if rule.override), None),
        tags=tuple(tags),
        fields=fields,
        trace=tuple(trace),
    )


def in_order(rules: Iterable[Rule]) -> list[Rule]:
    """Give the rules that are switched on as they are read: by position, a tenant's own first."""
    return sorted(
        (rule for rule in rules if rule.enabled),
        key=lambda rule: (rule.position, not rule.tenant_id, rule.id),
    )


def why_not(when: Conditions, facts: RuleFacts) -> tuple[bool, str]:
    """Tell whether all conditions hold, and which one decided; raises InvalidInputError."""
    said: list[str] = []
    for holds, sentence in _checks(when, facts):
        if not holds:
            return False, sentence
        said.append(sentence)
    return True, "; ".join(said) or "no condition"


def _read(rule: Rule, facts: RuleFacts) -> tuple[RuleTrace, dict[str, str]]:
    """Read one rule: its line in the trace and the ticket fields it gives."""
    if rule.way.tenant and facts.tenant_id not in ("", rule.way.tenant):
        return RuleTrace(rule_id=rule.id, fits=False, why="the mail belongs to another tenant"), {}
    try:
        fits, why = why_not(rule.when, facts)
        fields = _fields(rule, facts) if fits else {}
    except InvalidInputError as error:  # stored by a version that knew another syntax
        return RuleTrace(rule_id=rule.id, fits=False, why=str(error)), {}
    return RuleTrace(rule_id=rule.id, fits=fits, why=why), fields


def _fields(rule: Rule, facts: RuleFacts) -> dict[str, str]:
    """Give the ticket fields of a fitting rule; what the mail says beats what the rule says."""
    return _fixed(rule.way) | extract(rule.extraction, facts.subject, facts.text)


def _fixed(way: RuleWay) -> dict[str, str]:
    pairs = (("queue", way.queue), ("priority", way.priority))
    return {name: value for name, value in pairs if value}


def _checks(when: Conditions, facts: RuleFacts) -> Iterable[tuple[bool, str]]:
    """Give each condition as whether it holds and a short sentence, the cheapest first."""
    if when.kind:
        yield facts.kind in when.kind, f"kind is {facts.kind}"
    for check, allowed in when.verdict.items():
        verdict = facts.verdicts.get(check, ScanVerdict.UNVERIFIED)
        yield verdict in allowed, f"{check} is {verdict}"
    if when.sender:
        yield _one_of("sender", [fits_address(when.sender, s) for s in facts.senders])
    if when.recipient:
        yield _one_of("recipient", [fits_address(when.recipient, facts.recipient)])
    if when.subject:
        yield _one_of("subject", [fits_text(when.subject, facts.subject)])
    for name, patterns in when.header.items():
        yield _one_of(name, [fits_text(patterns, value) for value in facts.headers.get(name, ())])


def _one_of(what: str, fitting: Sequence[str]) -> tuple[bool, str]:
    pattern = next((p for p in fitting if p), "")
    said = f"{what} fits {pattern[:SHOWN]}" if pattern else f"{what} does not fit"
    return bool(pattern), said
