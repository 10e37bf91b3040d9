"""Attachments are judged by name, by their bytes and by what is inside them, never by one alone."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from backend.inbound.attachment_safety import extensions, judge, plain_name, unsafe_positions
from backend.mime.file_marks import read_marks
from backend.mime.zip_listing import MAX_MEMBERS, list_zip
from backend.model.inbound import AttachmentInfo
from backend.model.screening import FileDanger, ScreenPolicy, Weight

DEFAULT = ScreenPolicy()
CFB = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504)
EXE = b"MZ\x90\x00\x03\x00\x00\x00" + bytes(120)


def file(
    name: str, data: bytes = b"harmless", content_type: str = "application/octet-stream"
) -> AttachmentInfo:
    return AttachmentInfo(
        name=name,
        content_type=content_type,
        size=len(data),
        sha256="",
        marks=read_marks(content_type, data),
    )


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    return out.getvalue()


def why(attachment: AttachmentInfo, policy: ScreenPolicy = DEFAULT) -> str:
    found = judge([attachment], policy).unsafe
    return found[0].why if found else ""


@pytest.mark.parametrize(
    ("name", "because"),
    [
        ("setup.exe", ".exe"),
        ("SETUP.EXE", ".exe"),
        ("invoice.pdf.exe", ".exe"),
        ("invoice.exe.pdf", ".exe before"),
        ("invoice.pdf                                .exe", ".exe"),
        ("a.exe.", ".exe"),
        ("a.exe . . ", ".exe"),
        ("a.exe::$DATA", ".exe"),
        ("..\\..\\a.bat", ".bat"),
        ("a.\uff45\uff58\uff45", ".exe"),
        ("a\u2024exe", ".exe"),
        ("a\u3002exe", ".exe"),
        ("a.e\u200bx\u00ade", ".exe"),
        ("a.ex\u0000e", ".exe"),
        ("inv\u202egpj.exe", "backwards"),
        ("inv\u202eexe.jpg", "backwards"),
        ("run.ps1", ".ps1"),
        ("link.lnk", ".lnk"),
        ("disc.iso", ".iso"),
        ("code.js", ".js"),
        ("page.html", ".html"),
        ("logo.svg", ".svg"),
        ("notes.one", ".one"),
        ("plan.docm", ".docm"),
        ("dos.com", ".com"),
        ("setup.exe.gz", ".exe before"),
    ],
)
def test_an_unsafe_name_is_seen_through(name: str, because: str) -> None:
    assert because in why(file(name))


@pytest.mark.parametrize(
    "name",
    [
        "invoice.pdf",
        "www.example.com.pdf",
        "phase.one.docx",
        "photo.jpeg",
        "Angebot \u00dcbersicht.xlsx",
        "report.v1.2.csv",
        "exe",
        "",
        "\u05d7\u05e9\u05d1\u05d5\u05df.pdf",
        "smime.p7s",
        "winmail.dat",
        "invite.ics",
        "original.eml",
    ],
)
def test_an_ordinary_name_is_left_alone(name: str) -> None:
    assert why(file(name)) == ""


@pytest.mark.parametrize(
    ("data", "danger"),
    [
        (EXE, FileDanger.PROGRAM),
        (b"\x7fELF\x02\x01", FileDanger.PROGRAM),
        (b"\xcf\xfa\xed\xfe\x07", FileDanger.PROGRAM),
        (b"\xca\xfe\xba\xbe\x00\x00", FileDanger.PROGRAM),
        (b"#!/bin/sh\nrm -rf x\n", FileDanger.SCRIPT),
        (b"  <script>alert(1)</script>", FileDanger.SCRIPT),
        (b"L\x00\x00\x00\x01\x14\x02\x00" + bytes(20), FileDanger.SHORTCUT),
        (b"MSCF\x00\x00\x00\x00", FileDanger.IMAGE),
        (bytes(32_769) + b"CD001\x01", FileDanger.IMAGE),
        (bytes.fromhex("e4525c7b8cd8a74daeb15378d02996d3"), FileDanger.NOTEBOOK),
        (CFB + "_VBA_PROJECT".encode("utf-16-le"), FileDanger.MACRO),
        (CFB + bytes.fromhex("84100c0000000000c000000000000046"), FileDanger.PROGRAM),
        (zipped("[Content_Types].xml", "word/vbaProject.bin"), FileDanger.MACRO),
    ],
    ids=lambda value: value.name if isinstance(value, FileDanger) else "",  # a zip holds the time
)
def test_bytes_tell_what_a_false_name_hides(data: bytes, danger: FileDanger) -> None:
    disguised = file("holiday.jpg", data)

    assert danger in disguised.marks.dangers
    assert why(disguised) == danger.value.replace("_", " ")


def test_a_text_that_begins_with_mz_is_no_program() -> None:
    assert why(file("list.txt", b"MZ is the sign of Mr. Zbikowski. " * 4)) == ""


def test_a_program_inside_an_archive_is_found_by_its_name() -> None:
    assert why(file("docs.zip", zipped("readme.txt", "bin/Setup.EXE"))) == "holds bin/Setup.EXE"
    assert why(file("docs.zip", zipped("readme.txt", "page.html"))) == ""


def test_an_archive_with_bytes_around_it_is_listed_all_the_same() -> None:
    inside = zipped("a.exe")

    assert list_zip(b"GIF89a" + bytes(50) + inside).members == ("a.exe",)
    assert list_zip(inside + b"\n-- \nfooter").members == ("a.exe",)


def test_an_archive_without_its_directory_is_listed_by_its_local_headers() -> None:
    inside = zipped("a.txt", "b.exe")
    cut = inside[: inside.index(b"PK\x01\x02")]

    assert list_zip(cut).members == ("a.txt", "b.exe")


@pytest.mark.parametrize(
    "data", [b"PK", b"PK\x05\x06", b"PK\x03\x04", b"PK\x05\x06" + b"\xff" * 30]
)
def test_a_broken_archive_is_no_error(data: bytes) -> None:
    assert list_zip(data).overfull is False
    assert why(file("a.zip", data)) == ""


def test_an_encrypted_archive_is_flagged_and_held_where_the_policy_says_so() -> None:
    data = bytearray(zipped("letter.txt"))
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, at + 8, 1)
    secret = file("secret.zip", bytes(data))
    strict = ScreenPolicy(encrypted_archive=Weight.QUARANTINE)

    assert [f.why for f in judge([secret], DEFAULT).flagged] == ["encrypted"]
    assert why(secret) == ""
    assert why(secret, strict) == "encrypted"


def test_archives_within_archives_are_flagged_and_many_are_unsafe() -> None:
    one = file("a.zip", zipped("inner.zip"))
    many = file("a.zip", zipped(*(f"{n}.zip" for n in range(11))))

    assert [f.why for f in judge([one], DEFAULT).flagged] == ["an archive within an archive"]
    assert why(many) == "holds 11 archives"


def test_an_archive_that_cannot_be_listed_to_its_end_is_unsafe() -> None:
    crowd = zipped(*(f"{n}.txt" for n in range(MAX_MEMBERS + 2)))

    assert why(file("crowd.zip", crowd)) == "overfull"


def test_an_archive_that_swells_beyond_measure_is_unsafe() -> None:
    def packed(megabytes: int) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("zeros.bin", bytes(megabytes * 1024 * 1024))
        return out.getvalue()

    assert why(file("bomb.zip", packed(110))) == "swells"
    assert list_zip(packed(90)).swells is False


def test_files_in_an_attached_message_are_found_by_name_and_by_their_bytes() -> None:
    named = b'Content-Disposition: attachment;\r\n filename="in.exe"\r\n\r\nx'
    encoded = b"Content-Type: image/png\r\n\r\nTVqQAAMAAAAEAAAA//8AALgA\r\n"

    assert why(file("mail.eml", named, "message/rfc822")) == "holds in.exe"
    assert why(file("mail.eml", encoded, "message/rfc822")) == "program"


def test_a_nameless_part_is_judged_by_its_type() -> None:
    assert why(file("", b"<p>", "text/html")) == "type text/html"
    assert why(file("", b"BEGIN", "text/calendar")) == ""


def test_a_tenant_blocks_and_allows_extensions_and_types() -> None:
    own = ScreenPolicy(
        blocked_extensions=frozenset({"rar"}),
        allowed_extensions=frozenset({"html", "docm"}),
        blocked_types=frozenset({"video/mp4"}),
    )
    macro = zipped("word/vbaProject.bin")

    assert why(file("a.rar"), own) == ".rar"
    assert why(file("a.html"), own) == ""
    assert why(file("a.docm", macro), own) == ""
    assert why(file("a.html", EXE), own) == "program"
    assert why(file("clip.mp4", content_type="video/mp4"), own) == "type video/mp4"


def test_size_limits_hold_for_one_file_and_for_all() -> None:
    one = ScreenPolicy(max_attachment_bytes=10)
    every = ScreenPolicy(max_attachments_bytes=25)
    files = [file("a.pdf", bytes(9)), file("b.pdf", bytes(20)), file("c.pdf", bytes(9))]

    assert unsafe_positions(files, one) == {1}
    assert unsafe_positions(files, every) == {1}


def test_positions_are_those_of_the_mail() -> None:
    files = [file("a.pdf"), file("b.exe"), file("c.txt"), file("d.zip", zipped("x.scr"))]

    assert unsafe_positions(files, DEFAULT) == {1, 3}


def test_evidence_shows_no_bidi_control() -> None:
    shown = judge([file("inv\u202egpj.exe")], DEFAULT).unsafe[0].name

    assert shown == "inv?gpj.exe"


def test_extensions_are_read_as_a_file_system_would() -> None:
    assert extensions("a.TAR.gz ") == ("tar", "gz")
    assert plain_name("C:\\x\\a.exe") == "a.exe"
    assert extensions("no extension") == ()
