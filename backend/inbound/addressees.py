"""Who a raw message was for, when its source did not say (an S3 event, the sweeper). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from backend.mime import headers
from backend.mime.tree import read_head
from backend.model.inbound import ScanVerdict, ScanVerdicts

_FOR = re.compile(r"\sfor\s+<?([^\s<>;]+@[^\s<>;]+)>?", re.IGNORECASE)
_BY_SES = re.compile(r"\sby\s+inbound-smtp\.[a-z0-9.-]*amazonaws\.com", re.IGNORECASE)
MAX_HEADER_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressees:
    """What the headers tell of the envelope and of the checks of SES.

    ``envelope`` is proven by a trace header; ``delivered`` was written by some server on the way,
    ``header`` is only what To and Cc say: both name strangers as well. ``sender`` is the
    Return-Path, ``verdicts`` hold failures only.
    """

    envelope: tuple[str, ...] = ()
    delivered: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    sender: str = ""
    verdicts: ScanVerdicts = field(default_factory=ScanVerdicts)


def addressees(raw: bytes) -> Addressees:
    """Read SES's own trace block, then Delivered-To or X-Original-To, then To and Cc.

    Only the topmost Received header counts: those below it came with the message and may be
    forged.
    """
    head = read_head(raw[:MAX_HEADER_BYTES])
    fields = [(name.lower(), headers.unfold(str(value))) for name, value in head.raw_items()]
    trace = next((value for name, value in fields if name == "received"), "")
    by_ses = bool(_BY_SES.search(trace))
    found = _FOR.search(trace) if by_ses else None
    block = _block(fields) if by_ses else []
    return Addressees(
        envelope=(found[1],) if found else (),
        delivered=_of(fields, "delivered-to") or _of(fields, "x-original-to"),
        header=_of(fields, "to", "cc"),
        sender=next(iter(_of(block, "return-path")), ""),
        verdicts=ScanVerdicts(
            spam=_verdict(block, "x-ses-spam-verdict"), virus=_verdict(block, "x-ses-virus-verdict")
        ),
    )


def _block(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Give what stands above the second Received header: SES writes its own headers there."""
    traces = [place for place, (name, _) in enumerate(fields) if name == "received"]
    return fields[: traces[1]] if len(traces) > 1 else fields


def _verdict(block: list[tuple[str, str]], name: str) -> ScanVerdict:
    """Read what SES wrote; a pass is not believed: with scanning off anyone may write it."""
    said = next((value for field_name, value in block if field_name == name), "")
    try:
        verdict = ScanVerdict(said.strip().lower())
    except ValueError:
        return ScanVerdict.UNVERIFIED
    return ScanVerdict.UNVERIFIED if verdict is ScanVerdict.PASS else verdict


def _of(fields: list[tuple[str, str]], *names: str) -> tuple[str, ...]:
    found = (headers.addresses(value) for name, value in fields if name in names)
    return tuple(dict.fromkeys(address for pairs in found for _, address in pairs))
