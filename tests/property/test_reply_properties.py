"""What holds for any text: nothing is lost, nothing is raised, and time grows with size only."""

# ruff: noqa: RUF001
# Marks of other scripts that look like ASCII are meant here.

from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.mime.reply import split_reply

MEGABYTE = 1_000_000
SECONDS = 1.0

_PIECES = st.sampled_from(
    [
        *("> quoted", ">> > deep", "| bar", "Ann> said", "-- ", "-----", "_____", "***", "```", ""),
        *("On Tue, Mar 3, 2026 at 9:14 AM Ann <ann@client.example>", "wrote:", "> wrote:"),
        *("Am 03.03.2026 um 09:14 schrieb Ann <ann@client.example>:", "Ann wrote:", ">>>>", "<<<<"),
        *("From: Ann <ann@client.example>", "Sent: 3 March 2026", "To: Tom", "Subject: Printer"),
        *("-----Original Message-----", "Begin forwarded message:", "Sent from my iPhone"),
        *("-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----", "A new line.", "\u200b"),
        *(
            "confidential, for the intended recipient only " * 3,
            "unsubscribe here",
            "写道：",
            "\u202b",
        ),
    ]
)
_ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n", " "])
_MAILS = st.lists(st.tuples(st.one_of(_PIECES, st.text(max_size=30)), _ENDS), max_size=25).map(
    lambda pairs: "".join(piece + end for piece, end in pairs)
)


def _solid(text: str) -> Counter[str]:
    return Counter("".join(text.split()))


@given(_MAILS)
def test_reply_and_elided_together_hold_every_character(text: str) -> None:
    parts = split_reply(text)
    assert _solid(parts.reply + parts.elided) == _solid(text)


@given(_MAILS)
def test_the_lines_of_both_parts_keep_their_order(text: str) -> None:
    parts = split_reply(text)
    for part in (parts.reply, parts.elided):
        rest = iter(text.splitlines())
        assert all(line in rest for line in part.splitlines())


@given(st.text(alphabet=st.characters(exclude_characters=">|-_=*#~+,:：`—–―ᐧ<&＞"), max_size=200))
def test_words_without_any_mark_of_quoting_stay_in_the_reply(text: str) -> None:
    parts = split_reply(f"Hello.\n\n{text}")
    assert parts.elided == "" or "Hello." in parts.reply


@pytest.mark.parametrize(
    "line",
    [
        *(
            "\n",
            "\r",
            "> ",
            "> a\n",
            "----\n",
            "-- ",
            "@",
            "a@b.",
            "<",
            "-",
            " ",
            "1",
            "```\n",
            ">>>>\n",
        ),
        *("On 1 Jan 2016\n", "On 1 Jan 2016 10:00 A <\n", "On 3 Mar 2016 " + "a b@ " * 50 + "\n"),
        *("From: a\n", "From: a\nx\n", "wrote:\n", "> q\nAnn wrote:\n", "schrieb " * 12 + "\n"),
        *("sent from " + "x " * 60 + "\n", "outlook " * 8 + "\n", "1.1.2016 " * 11 + "\n"),
        *("confidential intended recipient " * 4 + "\n\n", "> " + "q" * 70 + "\nabc\n"),
        *(
            "-----BEGIN PGP SIGNATURE-----\n",
            "On 1 Jan 2016 at 10:00, A <a@b.com> wrote:\n> x\ny\n",
        ),
    ],
)
def test_a_megabyte_of_anything_takes_less_than_a_second(line: str) -> None:
    text = line * (MEGABYTE // len(line))
    began = time.thread_time()
    parts = split_reply(text)
    assert time.thread_time() - began < SECONDS
    assert len(parts.reply) + len(parts.elided) == len(text)
