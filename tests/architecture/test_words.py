"""Every word of the field explains itself."""

from __future__ import annotations

from importlib import import_module

import pytest

from backend.model.explained import Explained
from relay_console.cli.exits import Exit
from tests.architecture.tree import modules


def explained() -> list[type[Explained]]:
    for module in modules("backend"):
        if "(Explained)" in module.text:
            import_module(module.name)
    return sorted(Explained.__subclasses__(), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", explained(), ids=lambda kind: kind.__name__)
def test_every_member_has_its_own_sentence(kind: type[Explained]) -> None:
    sentences = [member.sentence for member in kind]

    assert [text for text in sentences if not text.endswith(".") or len(text) < 8] == []
    assert len(set(sentences)) == len(sentences)


def test_every_exit_code_has_a_sentence() -> None:
    assert [code for code in Exit if not code.sentence.endswith(".")] == []
