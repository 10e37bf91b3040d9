"""Filling in templates, by the cases in tests/golden/templates."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import InvalidInputError
from backend.model.template import TemplateContent, Variable, VariableType
from backend.outbound.render import declared, names_in, render

CASES = sorted((Path(__file__).parents[1] / "golden" / "templates").glob("*.json"))


def _content(case: dict[str, Any]) -> TemplateContent:
    written = TemplateContent(
        subject=case["subject"],
        html=case["html"],
        text=case["text"],
        variables=tuple(
            Variable(key=one["key"], type=VariableType(one["type"]), fallback=one["fallback"])
            for one in case["variables"]
        ),
    )
    return replace(written, variables=declared(written))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_template_is_filled_in_as_its_case_says(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    content = _content(case)
    if "error" in case:
        with pytest.raises(InvalidInputError) as caught:
            render(content, case["values"])
        assert str(caught.value) == case["error"]
    expected = case.get("left") or case.get("expect")
    if expected is not None:
        made = asdict(render(content, case["values"], leave_missing="left" in case))
        assert {**made, "missing": [*made["missing"]], "unused": [*made["unused"]]} == expected


@given(st.text(), st.text())
def test_no_value_can_add_markup_to_the_html(value: str, around: str) -> None:
    html = f"{around}{{{{v}}}}"
    content = TemplateContent(subject="s", html=html, variables=(Variable(key="v"),))
    if names_in(around):
        return
    made = render(content, {"v": value}).html or ""
    assert made.startswith(around)
    assert not set(made[len(around) :]) & set("<>\"'")


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ((Variable(key="a"), Variable(key="a")), "variables: a is declared twice"),
        ((Variable(key="1a"),), "variables: '1a' is not a name"),
        (
            (Variable(key="a", type=VariableType.BOOLEAN, fallback="yes"),),
            "variables.a.fallback_value: is to be a boolean",
        ),
        (tuple(Variable(key=f"v{n}", fallback="") for n in range(50)), "51 variables"),
    ],
)
def test_a_wrong_declaration_is_refused_by_name(
    variables: tuple[Variable, ...], sentence: str
) -> None:
    with pytest.raises(InvalidInputError, match="variables") as caught:
        declared(TemplateContent(subject="{{a}}", variables=variables))
    assert sentence in str(caught.value)
