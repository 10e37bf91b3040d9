"""Reads a SendEmail request into a draft, checking what SES checks. No I/O."""

from __future__ import annotations

import base64
import binascii
import re
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

from backend.sandbox import mail_headers
from backend.sandbox.accepted import Draft
from backend.sandbox.ses_call import bad_request, not_found

_MOST_RECIPIENTS = 50
_LARGEST_MESSAGE = 40 * 1024 * 1024  # after base64, as it travels
_TAG = re.compile(r"[A-Za-z0-9_\-]{1,256}")
_LISTS = ("ToAddresses", "CcAddresses", "BccAddresses")


def read_draft(body: dict[str, Any]) -> Draft:
    """Read a request; raises SesError with what SES would say."""
    content = body.get("Content") or {}
    if "Raw" in content:
        raw = _raw(content["Raw"])
    elif "Simple" in content:
        raw = _simple(body, content["Simple"])
    elif "Template" in content:
        raise not_found(f"Template {content['Template'].get('TemplateName')} does not exist.")
    else:
        raise bad_request("Content must hold Raw, Simple or Template.")
    headers = mail_headers.read_headers(raw)
    return Draft(
        sender=_sender(body, headers),
        recipients=_recipients(body, headers),
        raw=raw,
        tags=_tags(body),
        configuration_set=str(body.get("ConfigurationSetName") or ""),
    )


def _raw(content: dict[str, Any]) -> bytes:
    text = str(content.get("Data") or "")
    if len(text) > _LARGEST_MESSAGE:
        raise bad_request(f"Message length is more than {_LARGEST_MESSAGE} bytes long.")
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise bad_request("Raw.Data is not base64.") from None
    if not mail_headers.split_head(raw)[0]:
        raise bad_request("Missing required header 'From'.")
    return raw


def _simple(body: dict[str, Any], content: dict[str, Any]) -> bytes:
    message = EmailMessage()
    message["From"] = body.get("FromEmailAddress", "")
    for name, header in (("ToAddresses", "To"), ("CcAddresses", "Cc")):
        if people := (body.get("Destination") or {}).get(name):
            message[header] = ", ".join(people)
    message["Subject"] = _one_line(content.get("Subject", {}).get("Data", ""))
    for header in content.get("Headers", ()):
        message[header["Name"]] = _one_line(header["Value"])
    parts = content.get("Body", {})
    message.set_content(parts.get("Text", {}).get("Data", ""))
    if "Html" in parts:
        message.add_alternative(parts["Html"].get("Data", ""), subtype="html")
    for file in content.get("Attachments", ()):
        kind, _, subtype = file.get("ContentType", "application/octet-stream").partition("/")
        data = base64.b64decode(file.get("RawContent", ""))
        message.add_attachment(data, kind, subtype, filename=file.get("FileName"))
    return message.as_bytes()


def _one_line(value: str) -> str:
    if "\r" in value or "\n" in value:
        raise bad_request("Header values must not contain line breaks.")
    return value


def _sender(body: dict[str, Any], headers: list[tuple[str, str]]) -> str:
    written = body.get("FromEmailAddress") or mail_headers.first(headers, "From")
    address = parseaddr(str(written))[1]
    if "@" not in address:
        raise bad_request("Missing required header 'From'.")
    return address


def _recipients(body: dict[str, Any], headers: list[tuple[str, str]]) -> tuple[str, ...]:
    destination = body.get("Destination") or {}
    named = [parseaddr(who)[1] for name in _LISTS for who in destination.get(name) or ()]
    if not named:
        named = [
            who for name in ("To", "Cc", "Bcc") for who in mail_headers.addresses(headers, name)
        ]
    if not named:
        raise bad_request("Missing final destination: the mail has no recipient.")
    if len(named) > _MOST_RECIPIENTS:
        raise bad_request(f"Recipient count exceeds {_MOST_RECIPIENTS}.")
    for who in named:
        if "@" not in who or not who.isascii():
            raise bad_request(f"Illegal address: {who!r}; local part and domain must be ASCII.")
    return tuple(dict.fromkeys(named))


def _tags(body: dict[str, Any]) -> dict[str, str]:
    tags = {}
    for tag in body.get("EmailTags") or ():
        name, value = str(tag.get("Name", "")), str(tag.get("Value", ""))
        if not _TAG.fullmatch(name) or not _TAG.fullmatch(value):
            raise bad_request(
                f"Invalid tag {name[:40]!r}: name and value hold 1-256 of A-Z a-z 0-9 _ -."
            )
        tags[name] = value
    return tags
