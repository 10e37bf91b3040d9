"""Judge a draft before anything is written: who, what, how big. No I/O.

Limits: SES takes 50 recipients and 40 MB after encoding (quotas page); RFC 5322 2.1.1 allows
lines of 998 characters; tags are SES message tags. InvalidInputError names the field.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.errors import InvalidInputError
from backend.mime.compose import Letter
from backend.mime.encode import MAX_LINE
from backend.model.address import Address, parse_address
from backend.outbound.attachments import check_attachments, encoded_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from backend.model.outbound import EmailDraft

MAX_RECIPIENTS = 50
MAX_BYTES = 40 * 1024 * 1024
MAX_TAGS = 40  # SES takes 50; ours need a few
MAX_HEADERS = 50
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
# C0, DEL, C1 and the Unicode line ends: whatever some reader may take for the end of a line
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_OURS = frozenset(
    {
        "from",
        "to",
        "cc",
        "bcc",
        "reply-to",
        "subject",
        "sender",
        "date",
        "message-id",
        "mime-version",
        "return-path",
        "received",
        "dkim-signature",
        "authentication-results",
    }
)
_OUR_PREFIXES = ("content-", "resent-", "x-relay-", "x-ses-", "arc-")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidDraft:
    """A draft that may be sent: the letter, its blind copies and tags."""

    letter: Letter
    bcc: tuple[Address, ...]
    tags: Mapping[str, str]
    template_id: str = ""

    @property
    def everyone(self) -> tuple[Address, ...]:
        """Give all recipients: to, then cc, then bcc; nobody twice."""
        return (*self.letter.to, *self.letter.cc, *self.bcc)


def validate(draft: EmailDraft) -> ValidDraft:
    """Check a draft and give its parsed form; raises InvalidInputError."""
    to, cc, bcc = _recipients(draft)
    if not draft.html and not draft.text:
        raise InvalidInputError("html: give html, text or both", field="html")
    _check_text("text", draft.text or "")
    _check_text("html", draft.html or "")
    check_attachments(draft.attachments)
    letter = Letter(
        sender=parse_address(_clean("from", draft.sender), field="from"),
        to=to,
        cc=cc,
        reply_to=_reply_to(draft.reply_to),
        subject=_subject(draft.subject),
        text=draft.text or None,
        html=draft.html or None,
        headers=_headers(draft.headers or {}),
        attachments=draft.attachments,
    )
    _check_size(letter)
    return ValidDraft(
        letter=letter, bcc=bcc, tags=_tags(draft.tags or {}), template_id=draft.template_id
    )


def _recipients(draft: EmailDraft) -> tuple[tuple[Address, ...], ...]:
    """Parse to, cc and bcc; who is named twice is kept where named first."""
    seen: set[str] = set()
    lists: list[tuple[Address, ...]] = []
    for field, texts in (("to", draft.to), ("cc", draft.cc), ("bcc", draft.bcc)):
        kept = []
        for address in _addresses(field, texts):
            if address.key not in seen:
                seen.add(address.key)
                kept.append(address)
        lists.append(tuple(kept))
    if not seen:
        raise InvalidInputError("to: name at least one recipient", field="to")
    if len(seen) > MAX_RECIPIENTS:
        raise InvalidInputError(
            f"to: {len(seen)} recipients in to, cc and bcc; "
            f"SES takes {MAX_RECIPIENTS}, send several mails",
            field="to",
        )
    return tuple(lists)


def _addresses(field: str, texts: Iterable[str]) -> tuple[Address, ...]:
    return tuple(parse_address(_clean(field, text), field=field) for text in texts)


def _reply_to(texts: Sequence[str]) -> tuple[Address, ...]:
    if len(texts) > MAX_RECIPIENTS:
        raise InvalidInputError(
            f"reply_to: {len(texts)} addresses; at most {MAX_RECIPIENTS} are allowed",
            field="reply_to",
        )
    return _addresses("reply_to", texts)


def _subject(subject: str) -> str:
    if len(_clean("subject", subject)) > MAX_LINE:
        raise InvalidInputError(f"subject: more than {MAX_LINE} characters", field="subject")
    return subject


def _headers(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    if len(headers) > MAX_HEADERS:
        raise InvalidInputError(
            f"headers: {len(headers)} headers; at most {MAX_HEADERS} are allowed", field="headers"
        )
    checked = []
    for name, value in headers.items():
        field = f"headers.{name[:64]}"
        if not _HEADER_NAME.fullmatch(name):
            raise InvalidInputError(
                f"headers: {name[:64]!r} is not a header name; use letters, digits and -",
                field="headers",
            )
        if name.lower() in _OURS or name.lower().startswith(_OUR_PREFIXES):
            raise InvalidInputError(f"{field}: this header is set by the relay", field=field)
        if len(name) + 2 + len(_clean(field, value)) > MAX_LINE:
            raise InvalidInputError(
                f"{field}: the line is longer than {MAX_LINE} characters", field=field
            )
        checked.append((name, value))
    if len({name.lower() for name, _ in checked}) < len(checked):
        raise InvalidInputError("headers: a header is given twice", field="headers")
    return tuple(checked)


def _tags(tags: Mapping[str, str]) -> Mapping[str, str]:
    if len(tags) > MAX_TAGS:
        raise InvalidInputError(f"tags: more than {MAX_TAGS} tags", field="tags")
    for name, value in tags.items():
        if not _TAG.fullmatch(name) or not _TAG.fullmatch(value):
            raise InvalidInputError(
                f"tags: {name[:64]!r}={value[:64]!r}: names and values are 1 to 256 letters, "
                "digits, _ or -",
                field="tags",
            )
        if name.lower().startswith(("relay-", "ses:")):
            raise InvalidInputError(
                f"tags: {name[:64]!r} is a name the relay keeps for itself", field="tags"
            )
    return dict(tags)


def _clean(field: str, text: str) -> str:
    """Give the text of a header, refused when it could break a line."""
    if _CONTROL.search(text):
        raise InvalidInputError(f"{field}: control characters are not allowed", field=field)
    _check_unicode(field, text)
    return text


def _check_text(field: str, text: str) -> None:
    if "\x00" in text:
        raise InvalidInputError(f"{field}: NUL is not allowed in mail", field=field)
    _check_unicode(field, text)


def _check_unicode(field: str, text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInputError(
            f"{field}: half of a surrogate pair is not text", field=field
        ) from None


def _check_size(letter: Letter) -> None:
    texts = encoded_size(len((letter.text or "").encode()) + len((letter.html or "").encode()))
    size = texts + sum(encoded_size(len(a.content)) for a in letter.attachments)
    if size > MAX_BYTES:
        raise InvalidInputError(
            f"attachments: the mail has {math.ceil(size / 1024 / 102.4) / 10} MB once encoded;"
            " SES takes 40 MB",
            field="attachments",
        )
