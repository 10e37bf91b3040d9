"""The world's book: what counts as lost, what as doubled, and what as neither."""

from __future__ import annotations

import pytest

from backend.demo.ledger import Audit, Fate, Ledger

CLEAN = Audit((), ())


@pytest.mark.parametrize(
    ("fate", "at_ses", "left_out", "found"),
    [
        (Fate.SENT, 1, False, CLEAN),
        (Fate.SENT, 0, False, Audit(("m",), ())),
        (Fate.SENT, 0, True, Audit(("m",), ())),  # its reader never gave a reason
        (Fate.SENT, 2, False, Audit((), ("m",))),
        (Fate.SPARED, 1, False, CLEAN),
        (Fate.SPARED, 0, True, CLEAN),
        (Fate.SPARED, 0, False, Audit(("m",), ())),
        (Fate.SPARED, 2, False, Audit((), ("m",))),
        (Fate.LATER, 0, False, CLEAN),
    ],
)
def test_mail_out_is_judged_by_what_ses_has(
    fate: Fate, at_ses: int, left_out: bool, found: Audit
) -> None:
    book = Ledger(outbound={"m": fate})

    assert (
        book.audit(at_ses=["m"] * at_ses, at_desk=[], stored={}, left_out={"m"} if left_out else ())
        == found
    )


@pytest.mark.parametrize(
    ("fate", "at_desk", "stored", "found"),
    [
        (Fate.FORWARDED, 1, {"m": True}, CLEAN),
        (Fate.FORWARDED, 0, {"m": True}, Audit(("m",), ())),
        (Fate.FORWARDED, 1, {"m": False}, Audit(("m",), ())),
        (Fate.FORWARDED, 2, {"m": True}, Audit((), ("m",))),
        (Fate.KEPT, 0, {"m": True}, CLEAN),
        (Fate.KEPT, 0, {}, Audit(("m",), ())),
        (Fate.KEPT, 1, {"m": True}, Audit((), ("m",))),
    ],
)
def test_mail_in_is_judged_by_what_the_desk_has_and_the_program_shows(
    fate: Fate, at_desk: int, stored: dict[str, bool], found: Audit
) -> None:
    book = Ledger(inbound={"m": fate})

    assert book.audit(at_ses=[], at_desk=["m"] * at_desk, stored=stored) == found


def test_a_copy_of_the_book_does_not_change_with_it() -> None:
    book = Ledger()
    copy = book.copy()
    book.outbound["m"] = Fate.SENT

    assert copy == Ledger() != book
