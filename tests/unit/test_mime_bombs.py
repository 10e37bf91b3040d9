"""Mail made to exhaust its reader is read or refused at once."""

from __future__ import annotations

import time

import pytest

from backend.inbound.inspect import inspect_mail
from backend.mime.parse import parse
from backend.mime.sanitise import sanitise_html
from tests.mail_bombs import BOMBS

PROCESSOR_SECONDS = 2.0
OF_HTML = (
    "300,000 elements deep",
    "50,000 distinct attributes",
    "tables in tables",
    "links in links",
    "quotes without an end",
    "HTML in 400 parts",
    "entities",
)


def test_there_are_at_least_thirty_bombs() -> None:
    assert len(BOMBS) >= 30


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_or_refused_at_once(name: str) -> None:
    raw = BOMBS[name]()

    began = time.process_time()
    found = inspect_mail(raw)
    spent = time.process_time() - began

    assert spent < PROCESSOR_SECONDS
    assert found.from_email in ("jo@client.example", "") or "@" in found.from_email


@pytest.mark.parametrize("name", OF_HTML)
def test_hostile_html_is_sanitised_at_once(name: str) -> None:
    html = parse(BOMBS[name]()).html

    began = time.process_time()
    safe = sanitise_html(html)

    assert time.process_time() - began < PROCESSOR_SECONDS
    assert "<script" not in safe
