"""What Outlook wraps into winmail.dat is listed, and a broken one costs nothing."""

from __future__ import annotations

import base64
import struct
from hashlib import sha1, sha256
from pathlib import Path

import pytest

from backend.inbound.attachment_safety import judge
from backend.mime.attachment_bytes import attachment_bytes, attachments_bytes
from backend.mime.parse import parse
from backend.mime.tnef import MAX_FILES, SIGNATURE, files_inside, is_tnef, read_tnef
from backend.mime.tree import read_tree
from backend.model.screening import ScreenPolicy

MAIL = Path(__file__).parents[1] / "golden/inbound/mails/tnef-body-and-file.eml"


def _stream(*files: tuple[str, bytes]) -> bytes:
    """Write a stream of files (MS-OXTNEF 2.1): rendering data, title and bytes of each."""
    parts = [SIGNATURE + b"\x01\x00"]
    for name, data in files:
        for attribute, value in (
            (0x00069002, bytes(14)),
            (0x00018010, name.encode() + b"\0"),
            (0x0006800F, data),
        ):
            parts.append(b"\x02" + struct.pack("<II", attribute, len(value)) + value + b"\0\0")
    return b"".join(parts)


def _mail(stream: bytes) -> bytes:
    head = (
        b"From: jo@corp.example\nTo: desk@msp.example\nSubject: x\n"
        b"Content-Type: application/ms-tnef; name=winmail.dat\n"
        b"Content-Disposition: attachment; filename=winmail.dat\n"
        b"Content-Transfer-Encoding: base64\n\n"
    )
    return head + base64.encodebytes(stream)


@pytest.fixture(scope="module")
def stream() -> bytes:
    return read_tree(MAIL.read_bytes()).payload()[0]


def test_body_and_files_are_found_and_the_long_name_wins(stream: bytes) -> None:
    found = read_tnef(stream)

    assert is_tnef(stream)
    assert found.text == "Body of Outlook\r\n"
    assert [(file.name, file.data) for file in found.files] == [("Größe.txt", b"hello")]
    assert not found.broken


def test_the_files_inside_are_attachments_of_their_own() -> None:
    raw = MAIL.read_bytes()
    (file,) = parse(raw).attachments

    assert (file.name, file.size) == ("Größe.txt", 5)
    assert file.sha256 == sha256(b"hello").hexdigest()
    assert file.sha1 == sha1(b"hello", usedforsecurity=False).hexdigest()
    assert attachment_bytes(raw, file.sha256) == b"hello"
    assert attachments_bytes(raw, {file.sha256}) == {file.sha256: b"hello"}


def test_the_wrapping_itself_can_still_be_read(stream: bytes) -> None:
    assert attachment_bytes(MAIL.read_bytes(), sha256(stream).hexdigest()) == stream


def test_a_program_within_a_message_within_the_stream_is_unsafe() -> None:
    inner = _stream(("setup.exe", b"MZ" + bytes(200)))
    files = parse(_mail(_stream(("note.txt", b"hello"), ("inner", inner)))).attachments
    safety = judge(files, ScreenPolicy())

    assert [file.name for file in files] == ["note.txt", "setup.exe"]
    assert [found.position for found in safety.unsafe] == [1]


def test_a_wrapping_without_files_stays_an_attachment() -> None:
    (file,) = parse(_mail(_stream())).attachments

    assert file.name == "winmail.dat"


def test_a_broken_wrapping_stays_beside_the_files_found_in_it() -> None:
    mail = parse(_mail(_stream(("a.txt", b"hello"), ("b.txt", b"more"))[:-5]))

    assert [file.name for file in mail.attachments] == ["a.txt", "winmail.dat"]
    assert "winmail.dat ends in the middle" in mail.defects


def test_streams_within_streams_end_somewhere() -> None:
    stream = _stream(("deep.txt", b"hello"))
    for _ in range(20):
        stream = _stream(("inner", stream))

    assert len(files_inside(stream)) == 1
    assert len(files_inside(_stream(*(("x", b"") for _ in range(MAX_FILES + 9))))) == MAX_FILES


def test_a_stream_cut_anywhere_is_read_as_far_as_it_goes(stream: bytes) -> None:
    cut = [read_tnef(stream[:size]) for size in range(len(stream))]

    assert any(found.broken for found in cut)
    assert all(len(found.files) <= 1 for found in cut)


def test_a_flipped_byte_never_raises(stream: bytes) -> None:
    for at in range(len(SIGNATURE), len(stream)):
        for value in (0x00, 0x7F, 0xFF):
            assert read_tnef(stream[:at] + bytes([value]) + stream[at + 1 :]) is not None
