"""What must not be in any committed file: places of one machine, registries, foreign words."""

from __future__ import annotations

import codecs
import re

import pytest

from tests.architecture.tree import ROOT, files

LARGEST = 1_000_000  # bytes; no committed file need be larger

# Spelt so that this file holds none of what it looks for.
MACHINE_PATHS = re.compile(r"(?<![\w.$}])/(?:work|root|home|Users)/[a-z]")
REGISTRIES = re.compile(
    r"py(?:)pi\.org|python(?:)hosted|index(?:)-url|npm(?:)js|artif(?:)actory", re.I
)
FOREIGN = re.compile(
    codecs.decode(
        r"\o(?:pynhqr|naguebcvp|bcranv|pungtcg|tcg-\q|pbcvybg|yyzf?|nffvfgnagf?|pbqrk|trzvav)\o",
        "rot13",
    ),
    re.IGNORECASE,
)
SECRETS = re.compile(r"\bAKIA[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY|\bghp_\w{30}")


def texts() -> list[tuple[str, str]]:
    found = []
    for name in files():
        data = (ROOT / name).read_bytes()
        if b"\0" not in data:
            found.append((name, data.decode("utf-8", "replace")))
    return found


@pytest.mark.parametrize(
    "pattern",
    [MACHINE_PATHS, REGISTRIES, FOREIGN, SECRETS],
    ids=["machine paths", "registries", "foreign words", "secrets"],
)
def test_no_file_holds(pattern: re.Pattern[str]) -> None:
    found = [
        f"{name}:{text.count(chr(10), 0, hit.start()) + 1} {hit.group()}"
        for name, text in texts()
        for hit in pattern.finditer(text)
    ]

    assert found == []


def test_no_file_is_larger_than_a_megabyte() -> None:
    assert [name for name in files() if (ROOT / name).stat().st_size > LARGEST] == []
