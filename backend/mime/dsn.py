"""Delivery status notifications by the book: RFC 3464 fields to recipients. No I/O.

Tolerates what real systems write: groups without blank lines between them, missing Status or
Final-Recipient fields, bare addresses without a type, X.400 addresses.
"""

from __future__ import annotations

import re

from backend.mime import bounce_reasons as reasons
from backend.mime import dsn_status as codes
from backend.mime.dsn_inferred import inferred_status
from backend.model.automated import BounceReason, BounceRecipient

MAX_RECIPIENTS = 500
MAX_DIAGNOSTIC = 1_000
_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,60})[ \t]*:[ \t]*(.*)$")
_ADDRESS = re.compile(r"[^\s<>\"',;:()\[\]@]{1,64}@[^\s<>\"',;:()\[\]@]{1,255}")
_TYPED = re.compile(r"\s*[A-Za-z0-9_.\-]{1,30}\s*;\s*")
_OURS = frozenset({"final-recipient", "original-recipient", "x-actual-recipient"})
_GROUP_STARTS = frozenset({"final-recipient", "original-recipient"})
_ACTIONS = {
    "deliverable": "delivered",
    "expired": "failed",
    "undeliverable": "failed",
    "relay": "relayed",
}
_KNOWN_ACTIONS = frozenset({"failed", "delayed", "delivered", "relayed", "expanded"})
_GOOD = frozenset({"delivered", "relayed", "expanded"})
# QUIRK(AsyncOS): ``5.1.0 - Unknown address error 550-'5.7.1 why'``, whatever the remote host said
_GATEWAY = re.compile(r"^\s*\d\.\d\.\d - [A-Za-z ]{1,60}(?=\d{3}-')")
# A host that knows no such mailbox says so at RCPT. One that took the recipient and refuses when
# the content came judges the mail, whatever its words: the address may well be alive.
_AFTER_CONTENT = re.compile(
    r"(?:after|reply to|in response to) (?:the )?(?:end of )?(?:message )?data\b"
    r"|(?:>>>|smtp command\W{1,9}) ?data\b|after end of message",
    re.IGNORECASE,
)
_AT_RCPT = re.compile(r">>> ?rcpt to:[^\n]*\s*<<< ?[45]", re.IGNORECASE)
Fields = dict[str, str]


def read_status(text: str) -> list[BounceRecipient]:
    """Read the per-recipient groups of a delivery-status part, each recipient once."""
    found = [_recipient(group) for group in _groups(text)[:MAX_RECIPIENTS]]
    return list(dict.fromkeys(recipient for recipient in found if recipient is not None))


def assess(address: str, *, stated: str, diagnostic: str, action: str = "") -> BounceRecipient:
    """Weigh what a report says of one recipient into a status, a reason and hard or soft.

    ``stated`` is the Status field, ``action`` the Action field; both may be empty.
    """
    reply = codes.reply_code(diagnostic)
    status = codes.choose(codes.tidy_code(stated), codes.enhanced(diagnostic))
    why = _reason(status, diagnostic, action)
    inferred = not status
    if inferred:
        status = inferred_status(why, class_=_class(reply, action), said=diagnostic)
    return BounceRecipient(
        address=address,
        status=status,
        inferred=inferred,
        reply_code=reply,
        reason=why,
        diagnostic=" ".join(diagnostic.split())[:MAX_DIAGNOSTIC],
        hard=reasons.is_hard(why, status) and action not in _GOOD | {"delayed"},
        action=action or ("delivered" if status.startswith("2") else "failed"),
    )


def _reason(status: str, diagnostic: str, action: str) -> BounceReason:
    if action in _GOOD or status.startswith("2"):
        return BounceReason.DELIVERED
    by_code = reasons.reason_of_status(status)
    # what is said of the sender's address or domain must not count against the recipient
    if by_code is BounceReason.SENDER_REFUSED:
        return by_code
    why = reasons.reason_of_words(_GATEWAY.sub("", diagnostic, count=1))
    if why is BounceReason.USER_UNKNOWN and not status and _after_content(diagnostic):
        return BounceReason.FILTERED
    return by_code if why is BounceReason.UNDEFINED else why


def _after_content(diagnostic: str) -> bool:
    # Sendmail goes on to DATA after all recipients were refused
    return bool(_AFTER_CONTENT.search(diagnostic)) and not _AT_RCPT.search(diagnostic)


def _class(reply: str, action: str) -> str:
    if action in _GOOD:
        return "2"
    if reply:
        return reply[0]
    return "4" if action == "delayed" else ""


def _groups(text: str) -> list[Fields]:
    """Split into groups at blank lines and where a field of a new recipient begins."""
    groups: list[Fields] = [{}]
    last = ""
    for line in text.split("\n"):
        field = _FIELD.match(line)
        if not line.strip():
            groups.append({})
            last = ""
        elif field is not None:
            last = field[1].lower()
            if last in groups[-1] and last in _GROUP_STARTS:
                groups.append({})
            groups[-1].setdefault(last, field[2].strip())
        elif last and line[:1] in " \t":
            groups[-1][last] += " " + line.strip()
    return [group for group in _merged(groups) if group]


def _merged(groups: list[Fields]) -> list[Fields]:
    """Join a group that names no recipient to the one before it which lacks its fields."""
    out: list[Fields] = []
    for group in groups:
        lone = not _OURS & group.keys() and "action" in group.keys() | {
            "status" in group and "action"
        }
        if lone and out and _OURS & out[-1].keys() and "status" not in out[-1]:
            out[-1] = group | out[-1]
        else:
            out.append(group)
    return out


def _recipient(group: Fields) -> BounceRecipient | None:
    if not _OURS & group.keys() and "status" not in group:
        return None
    if not {"action", "status", "diagnostic-code"} & group.keys():
        return None
    address = _first_address(group)
    action = _action(group.get("action", ""))
    diagnostic = _TYPED.sub("", group.get("diagnostic-code", ""), count=1)
    return assess(address, stated=group.get("status", ""), diagnostic=diagnostic, action=action)


def _action(value: str) -> str:
    word = re.split(r"[^a-z]", value.strip().lower(), maxsplit=1)[0]
    word = _ACTIONS.get(word, word)
    return word if word in _KNOWN_ACTIONS else ""


def _first_address(group: Fields) -> str:
    for name in ("final-recipient", "original-recipient", "x-actual-recipient"):
        value = group.get(name, "")
        found = _ADDRESS.search(value)
        if found is not None:
            return found[0]
    # RFC 3464 2.3.2: other address types, such as X.400, are kept as they are
    value = group.get("final-recipient", group.get("original-recipient", ""))
    return _TYPED.sub("", value, count=1).strip(" <>")[:255]
