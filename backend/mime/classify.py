"""Tell people's mail from the five kinds that machines write. Pure, never raises, linear. No I/O.

Reports first, since they also carry the marks of automatic mail; then answers, lists, alerts.
Standards: RFC 3464 and 6522 (delivery reports), 5965 (complaints), 3834 (Auto-Submitted), 2919 and
2369 (lists).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.mime.arf import read_complaint
from backend.mime.bounce_notice import read_notice
from backend.mime.bounce_signs import bounce_signs
from backend.mime.bounce_text import enrich, read_bounce
from backend.mime.classify_auto import answer_signs, list_signs, machine_signs
from backend.mime.classify_sheet import original_ids, read_sheet
from backend.mime.dsn import read_status
from backend.mime.tree import read_any
from backend.model.automated import Classification, Kind

if TYPE_CHECKING:
    from backend.mime.classify_sheet import Sheet
    from backend.mime.tree import Node


def classify(message: Node) -> Classification:
    """Classify a message by the tree that ``read_tree`` gives; ``evidence`` says what decided."""
    sheet = read_sheet(message)
    return _complaint(sheet) or _notice(sheet) or _bounce(sheet) or _automatic(sheet)


def classify_raw(raw: bytes) -> Classification:
    """Classify raw bytes; of a message beyond the limits only the headers are looked at."""
    return classify(read_any(raw)[0])


def _complaint(sheet: Sheet) -> Classification | None:
    complaint = read_complaint(sheet)
    if complaint is None:
        return None
    return Classification(
        kind=Kind.COMPLAINT,
        evidence=(f"a feedback report: {complaint.feedback_type[:40]}",),
        original_message_ids=complaint.original_message_ids,
        complaint=complaint,
    )


def _notice(sheet: Sheet) -> Classification | None:
    return read_notice(sheet.text) if sheet.text.lstrip().startswith("{") else None


def _bounce(sheet: Sheet) -> Classification | None:
    evidence = _report_signs(sheet) or _free_signs(sheet)
    if not evidence:
        return None
    found = [recipient for text in sheet.status for recipient in read_status(text)]
    found = enrich(found, sheet) if found else read_bounce(sheet)
    return Classification(
        kind=Kind.BOUNCE,
        evidence=evidence,
        recipients=tuple(dict.fromkeys(found)),
        original_message_ids=original_ids(sheet.originals, sheet.text),
    )


def _report_signs(sheet: Sheet) -> tuple[str, ...]:
    if sheet.type == "multipart/report" and sheet.report_type == "delivery-status":
        return ("multipart/report; report-type=delivery-status",)
    # a person may forward the parts of a report within a letter
    if sheet.status and not (sheet.passed_on and sheet.type != "multipart/report"):
        return ("has a message/delivery-status part",)
    return ()


def _free_signs(sheet: Sheet) -> tuple[str, ...]:
    # out-of-office notes come from the null path as well, and say why mail is not read
    return (
        ()
        if answer_signs(sheet)[:1] == ("subject of an automatic answer",)
        else bounce_signs(sheet)
    )


def _automatic(sheet: Sheet) -> Classification:
    """Decide between answer, list, alert and a person."""
    answer, mailing, machine = answer_signs(sheet), list_signs(sheet), machine_signs(sheet)
    if answer:
        return Classification(kind=Kind.AUTO_REPLY, evidence=answer)
    if machine[:1] and machine[0].startswith("Auto-Submitted"):
        return Classification(kind=Kind.AUTO_GENERATED, evidence=machine)
    if mailing:
        return Classification(kind=Kind.LIST, evidence=mailing)
    if machine:
        return Classification(kind=Kind.AUTO_GENERATED, evidence=machine)
    return Classification(kind=Kind.HUMAN, evidence=("nothing shows a machine",))
