"""Patterns of rules: globs, RE2 and addresses."""

from __future__ import annotations

from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import InvalidInputError
from backend.inbound.rules_text import expression, fits_address, fits_text, text_pattern


@pytest.mark.parametrize(
    ("pattern", "address", "fits"),
    [
        ("jo@client.example", "Jo@Client.Example", True),
        ("jo@client.example", "jo@mail.client.example", False),
        ("client.example", "anyone@client.example", True),
        ("@client.example", "anyone@client.example", True),
        ("client.example", "anyone@mail.client.example", False),
        ("*.client.example", "anyone@mail.client.example", True),
        ("*.client.example", "anyone@client.example", False),
        ("alerts-*@client.example", "alerts-7@client.example", True),
        ("alerts-?@client.example", "alerts-77@client.example", False),
        ("noc@", "noc@anywhere.example", True),
        ("noc@", "nock@anywhere.example", False),
        ("b\u00fccher.example", "a@xn--bcher-kva.example", True),
        ("xn--bcher-kva.example", "a@B\u00dcCHER.example", True),
        ("*", "", True),
        ("client.example", "client.example@evil.example", False),
        ("client.example", "", False),
    ],
)
def test_an_address_pattern_fits(pattern: str, address: str, fits: bool) -> None:
    assert bool(fits_address([pattern], address)) is fits


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*printer*", "The PRINTER is down", True),
        ("printer", "The printer is down", False),
        ("re2:printer", "The printer is down", True),
        ("re2:(?i)PRINTER", "The printer is down", True),
        ("re2:Printer", "The printer is down", False),
        ("[Ticket #?]*", "[ticket #7] hello", True),
        ("a.c", "abc", False),
        ("*", "two\nlines", True),
        ("*stra\u00dfe*", "Die STRA\u1e9eE", True),
        ("re2:.", "\ud83d", True),
    ],
)
def test_a_text_pattern_fits(pattern: str, text: str, fits: bool) -> None:
    assert bool(fits_text([pattern], text)) is fits


@pytest.mark.parametrize("source", ["(?=a)b", r"(a)\1", "(", "a{100000}", "(?<n>" + "a" * 500])
def test_what_re2_does_not_know_is_one_sentence(source: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        expression(source)

    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_an_expression_that_would_run_for_ever_elsewhere_takes_no_time() -> None:
    begun = thread_time()

    assert fits_text(["re2:^(a+)+$"], "a" * 50_000 + "!") == ""
    assert thread_time() - begun < 1


@given(st.text(max_size=200))
def test_every_text_is_a_glob_that_fits_itself(text: str) -> None:
    plain = text.replace("re2:", "").replace("*", "").replace("?", "")
    plain = plain.encode("utf-8", "replace").decode()

    assert text_pattern(plain).search(plain) is not None
