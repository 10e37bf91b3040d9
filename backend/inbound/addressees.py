"""Who a raw message was for, when its source did not say (an S3 event). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from backend.mime import headers
from backend.mime.tree import read_head

_FOR = re.compile(r"\sfor\s+<?([^\s<>;]+@[^\s<>;]+)>?", re.IGNORECASE)
_BY_SES = re.compile(r"\sby\s+inbound-smtp\.[a-z0-9.-]*amazonaws\.com", re.IGNORECASE)
MAX_HEADER_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressees:
    """``envelope`` is proven by a trace header; ``header`` is only what To and Cc say."""

    envelope: tuple[str, ...] = ()
    header: tuple[str, ...] = ()


def addressees(raw: bytes) -> Addressees:
    """Read the recipients: SES's own Received header, then Delivered-To or X-Original-To, then To.

    Only the topmost Received header counts: those below it came with the message and may be
    forged.
    """
    head = read_head(raw[:MAX_HEADER_BYTES])
    fields = [(name.lower(), headers.unfold(str(value))) for name, value in head.raw_items()]
    trace = next((value for name, value in fields if name == "received"), "")
    found = _FOR.search(trace) if _BY_SES.search(trace) else None
    if found:
        return Addressees(envelope=(found[1],))
    return Addressees(
        envelope=_of(fields, "delivered-to") or _of(fields, "x-original-to"),
        header=_of(fields, "to", "cc"),
    )


def _of(fields: list[tuple[str, str]], *names: str) -> tuple[str, ...]:
    found = (headers.addresses(value) for name, value in fields if name in names)
    return tuple(dict.fromkeys(address for pairs in found for _, address in pairs))
