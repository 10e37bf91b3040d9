"""The new part of a reply, over cases written after the formats of many clients and languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.mime.parse import parse
from backend.mime.reply import ReplyParts, split_reply

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "reply"
CASES = sorted(GOLDEN.glob("*.txt"))


def _read(path: Path) -> str:
    return path.read_bytes().decode()


def _lines(name: str) -> list[str]:
    return _read(GOLDEN / name).splitlines()


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_the_reply_of_each_client_is_the_new_part(case: Path) -> None:
    parts = split_reply(_read(case))
    assert parts.reply.split() == _read(case.with_suffix(".reply")).split()


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_reply_and_elided_hold_every_line_of_the_message(case: Path) -> None:
    message = _read(case)
    parts = split_reply(message)
    both = parts.reply.splitlines() + parts.elided.splitlines()
    assert sorted(both) == sorted(message.splitlines())


def test_there_are_cases_for_every_language_and_each_has_its_answer() -> None:
    languages = {case.stem.partition("_")[0] for case in CASES}
    assert languages >= {
        *("english", "german", "french", "spanish", "italian", "dutch", "portuguese"),
        *("swedish", "danish", "norwegian", "polish", "russian", "japanese", "chinese"),
        *("finnish", "czech", "turkish", "korean", "hebrew", "ukrainian"),
    }
    assert all(case.with_suffix(".reply").is_file() for case in CASES)


def test_the_line_of_each_client_before_its_quotation_is_cut() -> None:
    kept = []
    for line in _lines("attributions.list"):
        for quotation in ("> Old words.\n> And more.\n", "\n> Old words.\n"):
            reply = split_reply(f"It works.\n\n{line}\n{quotation}").reply
            if reply.strip() != "It works.":
                kept.append((line, reply))

    assert kept == []


def test_the_new_words_of_an_html_mail_are_found_for_each_client() -> None:
    clients = json.loads(_read(GOLDEN / "html_clients.json"))
    wrong = {}
    for client, html in clients.items():
        raw = f"From: a@b.example\nContent-Type: text/html; charset=utf-8\n\n{html}".encode()
        reply = split_reply(parse(raw).text).reply
        if reply.strip() != "It works now.":
            wrong[client] = reply

    assert wrong == {}


@pytest.mark.parametrize("line", _lines("device_lines.list"))
def test_a_device_line_below_the_words_is_cut(line: str) -> None:
    parts = split_reply(f"It works.\n\n{line}\n")
    assert parts.reply.strip() == "It works."
    assert parts.elided.strip() == line


@pytest.mark.parametrize("line", _lines("prose_lines.list"))
def test_a_sentence_that_looks_like_a_device_line_is_kept(line: str) -> None:
    text = f"It works.\n\n{line}\n"
    assert split_reply(text) == ReplyParts(reply=text, elided="")


def test_an_empty_text_has_an_empty_reply() -> None:
    assert split_reply("") == ReplyParts(reply="", elided="")


def test_a_text_of_white_space_only_is_given_back() -> None:
    assert split_reply(" \n\t\n") == ReplyParts(reply=" \n\t\n", elided="")


def test_line_ends_and_indents_of_the_reply_are_not_touched() -> None:
    text = "Steps:\r\n\r\n    - one\r\n    - two\r\n"
    assert split_reply(text).reply == text


def test_a_mail_that_only_quotes_has_no_words_of_its_own() -> None:
    parts = split_reply("> one\n> two\n")
    assert (parts.reply, parts.elided) == ("", "> one\n> two\n")


def test_words_far_below_are_kept_although_they_are_not_looked_at() -> None:
    text = "One.\n" * 6000 + "Last word."
    assert split_reply(text).reply.endswith("Last word.")
