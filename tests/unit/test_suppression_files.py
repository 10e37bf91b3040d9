"""Files of suppressions: every format, every fault, and cells that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import InvalidInputError
from backend.model.suppression import LineFault, SuppressionReason
from backend.suppression.cells import plain_cell, safe_cell
from backend.suppression.formats import read_records, suppression_text
from backend.suppression.rows import Judge
from backend.suppression.sorting import Sorter
from tests.settable import START

GOLDEN = Path(__file__).parent.parent / "golden" / "suppressions"
CASES = sorted(path for path in GOLDEN.iterdir() if path.suffix != ".expected")
NAMES = ("address", "tenant", "line", "reason", "detail", "note", "source", "created", "expires")


def judged(path: Path) -> list[Any]:
    """Read a file as an import does; give the rows with what they say, and the faults."""
    own = None if "tenants" in path.stem else ""
    judge = Judge(
        tenant_id=own,
        tenants=frozenset({"ten_1"}),
        reason=SuppressionReason.IMPORT,
        now=START,
    )
    found: list[Any] = []
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        for record in read_records(file):
            if isinstance(record, LineFault):
                found.append([record.line, record.problem])
                continue
            try:
                row = judge.row(*record)
            except InvalidInputError as error:
                found.append([record[0], str(error)])
                continue
            said = dict(zip((*NAMES, "spelling"), row, strict=True))
            found.append({name: value for name, value in said.items() if value})
    return found


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_a_file_is_read_as_its_expectation_says(path: Path) -> None:
    expected = json.loads(path.with_name(f"{path.name}.expected").read_text(encoding="utf-8"))

    assert judged(path) == expected


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")), min_size=1
    )
)
def test_a_written_cell_is_read_back_and_begins_no_formula(cells: list[str]) -> None:
    written = [safe_cell(cell) for cell in cells]
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(written)
    read = next(csv.reader(io.StringIO(line.getvalue(), newline="")))

    assert [plain_cell(cell) for cell in read] == cells
    assert [cell for cell in written if cell.lstrip()[:1] in {"=", "+", "-", "@"}] == []


@pytest.mark.parametrize(
    "text", ["=1+1", "+x", "-2", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u00a0@x"]
)
def test_what_a_spreadsheet_would_run_is_marked(text: str) -> None:
    assert safe_cell(text) == f"'{text}"
    assert plain_cell(safe_cell(text)) == text


def test_more_rows_than_a_run_come_back_in_order() -> None:
    with Sorter(run=3) as sorter:
        for number in (5, 1, 9, 9, 2, 7, 3, 8):
            sorter.add((f"{number}", "", number))
        rows = [row[2] for row in sorter.rows()]

    assert rows == [1, 2, 3, 5, 7, 8, 9, 9]


def records(text: str) -> list[Any]:
    found = read_records(io.StringIO(text, newline=""))
    return [(one.line, "") if isinstance(one, LineFault) else (one[0], one[1][0]) for one in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("email;name, first\na@b.example;x, y\n", [(2, "a@b.example")]),
        ("\n\n\naddress\na@b.example\n", [(5, "a@b.example")]),
        ("address\ra@b.example\rc@d.example\r", [(2, "a@b.example"), (3, "c@d.example")]),
        ('"a@b.example"\r\n\'=c@d.example\r\n', [(1, "a@b.example"), (2, "=c@d.example")]),
        ('{\n  "address": "a@b.example"\n}\n', [(1, "")]),
        ('{"SuppressedDestinationSummaries": []}', []),
    ],
)
def test_an_awkward_file_is_read_with_its_true_lines(
    text: str, expected: list[tuple[int, str]]
) -> None:
    assert records(text) == expected


def test_a_line_without_end_is_cut_and_the_next_one_is_read() -> None:
    head = "address" + ",x" * 1_000_000
    row = "a@b.example" + ",c@d.example" * 200_000
    blob = "a" * 3_000_000

    found = records(f"{head}\n{row}\n{blob}\ne@f.example\n")
    assert found == [(2, "a@b.example"), (3, ""), (4, "e@f.example")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_is_read_in_the_encoding_of_its_first_bytes(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("address\tnote\na@b.example\tM\u00fcller\n", encoding=encoding)
    with path.open("rb") as file, suppression_text(file) as text:
        (record,) = read_records(text)

    assert isinstance(record, tuple)
    fields = record[1]
    assert (fields[0], fields[3]) == ("a@b.example", "M\u00fcller")


def test_an_unknown_format_is_named() -> None:
    with pytest.raises(InvalidInputError, match="use one of csv, jsonl, ses"):
        read_records(io.StringIO("a@client.example\n"), "xml")


if __name__ == "__main__":  # writes the expectations anew, to be read before they are kept
    for case in CASES:
        text = json.dumps(judged(case), indent=1, ensure_ascii=False)
        case.with_name(f"{case.name}.expected").write_text(text + "\n", encoding="utf-8")
