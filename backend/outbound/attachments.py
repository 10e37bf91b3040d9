"""Judge the files of a draft: how many, what they are called, what they say they are. No I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.model.outbound import Attachment

MAX_ATTACHMENTS = 10
_MAX_NAME = 255  # the longest file name of common file systems
_OVERHEAD = 1024  # header lines of a part
# path separators, controls, and the bidi controls that make gpj.exe look like exe.jpg
_UNSAFE_NAME = re.compile(
    r"[/\\\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_TOKEN = r"[A-Za-z0-9!#$&^_.+-]{1,64}"  # noqa: S105  # RFC 6838 4.2, no secret
_CONTENT_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}(; ?charset=\"?[A-Za-z0-9_-]{{1,40}}\"?)?")
_CONTENT_ID = re.compile(r"[A-Za-z0-9.@_+-]{1,128}")


def check_attachments(attachments: Sequence[Attachment]) -> None:
    """Refuse what cannot be written or is not safe to open; raises InvalidInputError."""
    if len(attachments) > MAX_ATTACHMENTS:
        raise InvalidInputError(
            f"attachments: {len(attachments)} files; at most {MAX_ATTACHMENTS} are allowed",
            field="attachments",
        )
    for position, attachment in enumerate(attachments):
        _check(attachment, f"attachments[{position}]")


def encoded_size(size: int) -> int:
    """Give an upper bound of what ``size`` bytes take as base64 lines with their headers."""
    return (size + 2) // 3 * 4 + size // 28 + _OVERHEAD


def _check(attachment: Attachment, where: str) -> None:
    name = attachment.filename
    if not name.strip().strip(".") or len(name) > _MAX_NAME or _UNSAFE_NAME.search(name):
        raise InvalidInputError(
            f"{where}.filename: {name[:64]!r} is not a plain file name", field=f"{where}.filename"
        )
    kind = attachment.content_type
    # RFC 2046 5.1, 5.2: multipart and message may not be base64, which is how files are sent
    if not _CONTENT_TYPE.fullmatch(kind) or kind.lower().startswith(("multipart/", "message/")):
        raise InvalidInputError(
            f"{where}.content_type: {kind[:64]!r} cannot be attached; "
            "write type/subtype, such as application/pdf",
            field=f"{where}.content_type",
        )
    if attachment.content_id is not None and not _CONTENT_ID.fullmatch(attachment.content_id):
        raise InvalidInputError(
            f"{where}.content_id: use letters, digits and . @ _ + -", field=f"{where}.content_id"
        )
