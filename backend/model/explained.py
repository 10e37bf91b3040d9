"""A StrEnum whose every member carries the sentence that explains it. No I/O."""

from __future__ import annotations

from enum import StrEnum


class Explained(StrEnum):
    """Members are ``NAME = "wire_value", "One sentence for people."``."""

    sentence: str

    def __new__(cls, value: str, sentence: str = "") -> Explained:
        """Make the member equal to its wire value and keep the sentence beside it."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        return member
