"""The shared samples of replies in many languages; skipped where the corpora are not there."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from backend.mime.reply import split_reply

SAMPLES = (
    Path(__file__).resolve().parents[2] / ".." / "shared" / "corpora" / "mail" / "reply_trimmer"
)
FLOOR = 0.85  # of the samples right but for white space

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared corpora are not here")


def _words(text: str) -> list[str]:
    return unicodedata.normalize("NFC", text).replace("\u00a0", " ").split()


def _pairs() -> list[tuple[str, str]]:
    return [
        (path.with_suffix(".txt").read_text("utf-8"), json.loads(path.read_text("utf-8"))["reply"])
        for path in sorted(SAMPLES.glob("*.json"))
    ]


def test_the_samples_are_parted_as_expected() -> None:
    pairs = _pairs()
    right = sum(_words(split_reply(text).reply) == _words(reply) for text, reply in pairs)
    assert pairs
    assert right / len(pairs) >= FLOOR


def test_no_word_of_an_expected_reply_is_lost() -> None:
    for text, reply in _pairs():
        found = _words(split_reply(text).reply)
        assert [word for word in _words(reply) if word not in found] == []
