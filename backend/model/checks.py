"""What the doctor looks at, and what it found. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from backend.model.explained import Explained


class Verdict(Explained):
    """How one check ended."""

    OK = "ok", "It is as it should be."
    WARNING = "warning", "It works, but a person should look."
    FAILED = "failed", "It does not work."
    SKIPPED = "skipped", "It is not set up, so there is nothing to check."


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at; ``remedy`` says what to do when it is not well."""

    name: str
    verdict: Verdict
    found: str
    remedy: str = ""
