"""``rules``, ``domains set`` and ``explain FILE`` on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from relay_console.cli.exits import Exit
from tests.acceptance.cli import Shell

if TYPE_CHECKING:
    from pathlib import Path

RULE = """
name = "Alerts"
position = 50
[when]
sender = "*@alerts.example"
[then]
action = "route"
target = "psa"
queue = "noc"
[extract.lines]
asset = "Host"
"""
MAIL = "From: z@alerts.example\nSubject: PROBLEM\nMessage-ID: <a@alerts.example>\n\nHost: web1\n"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell whose database has one tenant and one rule, and a folder with its files."""
    home = tmp_path_factory.mktemp("rules")
    shell = Shell(home=home, extra={"RELAY_DATABASE": str(home / "relay.db")})
    (home / "alerts.toml").write_text(RULE)
    (home / "a.eml").write_text(MAIL)
    shell.run("tenants", "add", "Northwind")
    shell.run("rules", "add", str(home / "alerts.toml"))
    return shell


def address(office: Shell) -> str:
    return f"support+{office.run('tenants', 'list', '--json').json['id']}@relay.theonestack.com"


def file(office: Shell, name: str) -> str:
    path: Path = office.home / name
    return str(path)


def test_explain_decides_a_file_by_the_live_rules(office: Shell) -> None:
    answer = office.run("explain", file(office, "a.eml"), "--to", address(office), "--json").json

    assert answer["message"]["fields"] == {"queue": "noc", "asset": "web1"}
    assert answer["message"]["status"] == "held"
    assert "rule_routed" in [step["reason"] for step in answer["steps"]]
    assert office.run("logs", "--json").out == ""


def test_explain_reads_standard_input_and_takes_verdicts(office: Shell) -> None:
    to = ("--to", address(office), "--verdict", "virus=fail", "--json")

    answer = office.run("explain", "-", *to, stdin=MAIL).json

    assert answer["message"]["reason"] == "virus_verdict"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("inb_none",), Exit.NOT_FOUND, "inb_none"),
        (("-", "--to", "a@b.example", "--verdict", "spam"), Exit.INVALID_INPUT, "CHECK=VERDICT"),
    ],
)
def test_explain_says_what_is_wrong(
    office: Shell, arguments: tuple[str, ...], code: Exit, said: str
) -> None:
    answer = office.run("explain", *arguments, stdin=MAIL)

    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err


def test_rules_are_made_of_flags_and_switched(office: Shell) -> None:
    made = office.run(
        "rules", "add", "--name", "Scanner", "--sender", "x@y.example", "--header", "X-A=b*",
        "--drop", "Kept on the share", "--override", "--json",
    ).json  # fmt: skip
    office.run("rules", "disable", "Scanner")
    listed = office.run("rules", "list", "--json").json_lines

    assert made["when"]["header"] == {"x-a": ["b*"]}
    assert [(rule["name"], rule["enabled"]) for rule in listed] == [
        ("Alerts", True),
        ("Scanner", False),
    ]
    assert office.run("rules", "remove", made["id"]).code == Exit.OK
    assert office.run("rules", "remove", made["id"]).code == Exit.NOT_FOUND


def test_a_rule_that_is_wrong_is_refused_in_one_sentence(office: Shell) -> None:
    wrong = ("--name", "x", "--subject", "re2:(?=a)", "--drop", "y")

    answer = office.run("rules", "add", *wrong)

    assert (answer.code, answer.out) == (Exit.INVALID_INPUT, "")
    assert "RE2 has no look-around" in answer.err
    assert answer.err.count("\n") == 1


def test_a_rule_is_tried_on_stored_mail(office: Shell) -> None:
    office.run("inbound", "ingest", file(office, "a.eml"), "--to", address(office))

    saved = office.run("rules", "test", "Alerts", "--json").json
    drop = {"name": "D", "when": {"sender": "*"}, "then": {"action": "drop", "reason": "r"}}
    (office.home / "drop.json").write_text(json.dumps(drop | {"position": 1}))
    drafted = office.run("rules", "test", file(office, "drop.json"), "--changes", "--json").json

    assert (saved["changes"], saved["with"]["reason"]) == (True, "rule_routed")
    assert (saved["without"]["reason"], saved["recorded"]["status"]) == (
        "address_pattern",
        "received",
    )
    assert drafted["with"]["reason"] == "rule_dropped"
    assert "1 of 1 messages would go another way" in office.run("rules", "test", "Alerts").out


def test_the_settings_of_an_unknown_domain_cannot_be_changed(office: Shell) -> None:
    answer = office.run("domains", "set", "none.example", "--catch-all", "ticket")

    assert (answer.code, answer.err) == (
        Exit.NOT_FOUND,
        "relay-console: there is no domain none.example\n",
    )
