"""What Outlook wraps into winmail.dat is listed, and a broken one costs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.mime.parse import parse
from backend.mime.tnef import SIGNATURE, is_tnef, read_tnef
from backend.mime.tree import read_tree

MAIL = Path(__file__).parents[1] / "golden/inbound/mails/tnef-body-and-file.eml"


@pytest.fixture(scope="module")
def stream() -> bytes:
    return read_tree(MAIL.read_bytes()).payload()[0]


def test_body_and_files_are_found_and_the_long_name_wins(stream: bytes) -> None:
    found = read_tnef(stream)

    assert is_tnef(stream)
    assert found.text == "Body of Outlook\r\n"
    assert [(file.name, file.data) for file in found.files] == [("Größe.txt", b"hello")]
    assert not found.broken


def test_screening_sees_the_names_inside() -> None:
    (file,) = parse(MAIL.read_bytes()).attachments

    assert (file.name, file.marks.members) == ("winmail.dat", ("Größe.txt",))


def test_a_stream_cut_anywhere_is_read_as_far_as_it_goes(stream: bytes) -> None:
    cut = [read_tnef(stream[:size]) for size in range(len(stream))]

    assert any(found.broken for found in cut)
    assert all(len(found.files) <= 1 for found in cut)


def test_a_flipped_byte_never_raises(stream: bytes) -> None:
    for at in range(len(SIGNATURE), len(stream)):
        for value in (0x00, 0x7F, 0xFF):
            assert read_tnef(stream[:at] + bytes([value]) + stream[at + 1 :]) is not None
