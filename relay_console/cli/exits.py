"""How the program ends: the table of exit codes, which docs/cli.md repeats."""

from __future__ import annotations

from enum import IntEnum

from backend import (
    AuthenticationError,
    ConfigError,
    ForbiddenError,
    IdempotencyConflictError,
    InvalidInputError,
    NotFoundError,
    RelayError,
    SchemaTooNewError,
    TransientError,
)


class Exit(IntEnum):
    """The exit codes; ``sentence`` says when each is given."""

    sentence: str

    def __new__(cls, code: int, sentence: str) -> Exit:
        """Make the member equal to its code and keep the sentence beside it."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.sentence = sentence
        return member

    OK = 0, "All went well."
    FAILED = 1, "It did not work, a demo lost or doubled mail, or the reader of the output left."
    USAGE = 2, "The command line is wrong."
    NOT_FOUND = 3, "There is no such message, tenant, domain or key."
    INVALID_INPUT = 4, "The input is wrong: an address, a domain, an idempotency key."
    NOT_ALLOWED = 5, "No key, or the key may not do this."
    UNAVAILABLE = 6, "Something is away or busy; the same may work later."
    CONFIGURATION = 7, "A setting is wrong, or the database is newer than the program."
    PARTLY = 8, "Of several messages some were acted on and some were not; the output says which."
    INTERRUPTED = 130, "Ctrl-C was pressed."


_CODES: tuple[tuple[type[RelayError], Exit], ...] = (
    (ConfigError, Exit.CONFIGURATION),
    (SchemaTooNewError, Exit.CONFIGURATION),
    (NotFoundError, Exit.NOT_FOUND),
    (InvalidInputError, Exit.INVALID_INPUT),
    (IdempotencyConflictError, Exit.INVALID_INPUT),
    (AuthenticationError, Exit.NOT_ALLOWED),
    (ForbiddenError, Exit.NOT_ALLOWED),
    (TransientError, Exit.UNAVAILABLE),
)


def exit_for(error: Exception) -> Exit:
    """Give the exit code an error ends the program with."""
    if isinstance(error, UnicodeEncodeError):
        return Exit.USAGE  # an argument that is no text
    return next((code for kind, code in _CODES if isinstance(error, kind)), Exit.FAILED)
