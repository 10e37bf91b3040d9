"""Which senders a pattern means, and which patterns a sender answers to."""

from __future__ import annotations

import pytest

from backend.errors import InvalidInputError
from backend.model.patterns import candidates, read_pattern


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("Jo@Example.COM", "jo@example.com"),
        (" example.com ", "example.com"),
        ("@example.com", "example.com"),
        ("*@example.com", "example.com"),
        ("*.Example.com", "*.example.com"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("Jo <jo@example.com>", "jo@example.com"),
    ],
)
def test_a_pattern_is_stored_in_one_form(written: str, stored: str) -> None:
    assert read_pattern(written) == stored


@pytest.mark.parametrize("written", ["", "*", "com", "*.com", "a b", "**.x.com"])
def test_what_is_no_sender_is_refused_with_a_sentence(written: str) -> None:
    with pytest.raises(InvalidInputError, match="pattern"):
        read_pattern(written)


def test_a_sender_answers_to_its_address_its_domain_and_those_above() -> None:
    assert candidates("Jo@Mail.Example.com") == (
        "jo@mail.example.com",
        "mail.example.com",
        "*.example.com",
        "*.com",
    )


def test_a_hostile_sender_costs_few_look_ups() -> None:
    assert len(candidates("x@" + ".".join(["a"] * 100) + ".example")) <= 32
    assert candidates("no address") == ()
    assert candidates("@") == ()
