"""Bounces in free text: the failed addresses and what was said of each. No I/O.

The forms of qmail, Exim, Postfix, Sendmail, Exchange, Notes and many others differ in words, but
nearly all put each failed address at the beginning of a line and the reason behind or below it.
"""

# ruff: noqa: RUF001
# the letters of other alphabets are meant

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from backend.mime import dsn_status as codes
from backend.mime.bounce_reasons import reason_of_words
from backend.mime.dsn import assess, read_status
from backend.mime.tree import read_head
from backend.model.automated import BounceReason, BounceRecipient

if TYPE_CHECKING:
    from backend.mime.classify_sheet import Sheet

MAX_BLOCKS = 200
MAX_BLOCK = 2_000  # characters of one diagnostic
_ADDRESS = r"[^\s<>\"',;:()\[\]@|]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,253}[A-Za-z0-9])?"
# The copy of the original: a ruled line that announces it, a sentence, or its first headers.
_COPY = re.compile(
    r"^[ \t>|]*[-=*_]{2,}[ \t]*(?:begin |start of |below this line|enclosed|(?:the )?(?:header"
    r"|body|copy)"
    r"|this is a copy|included is|(?:your )?original (?:message|mail)|returned (?:message"
    r"|mail)|unsent message"
    r"|message (?:header|text|follows)|forwarded message|undelivered message)[^\n]*$"
    r"|^[ \t]*(?:below (?:is|this line)|included is|message headers? follow"
    r"|original message (?:follows|headers?)"
    r"|(?:the )?(?:header|text|copy) of (?:the|your) (?:original )?message"
    r"|-+ ?original message)[^\n]*$"
    r"|^\|-{5,}[ ]*message text follows[^\n]*$"
    r"|^(?:received: (?:from|by|\(qmail)|return-path: ?<|dkim-signature:|delivered-to: )",
    re.IGNORECASE | re.MULTILINE,
)
_LEAD = re.compile(
    rf"^[ \t>*|\-]*(?:(?P<code>[45]\d\d(?:[ \-]\d\.\d{{1,3}}\.\d{{1,3}})?)[ ]{{1,3}})?"
    rf"(?:(?:to|recipients?|addressed to|final-recipient|rcpt to|for|address|宛先"
    r"|受信者|收件人|收件者|用户|получател[а-я]+|адрес|empfänger|adresse|destinataire|destinatario"
    r"|destinatário|ontvanger|mottagare|modtager|mottaker|odbiorca"
    # QUIRK(XMail): [<00>] XMail bounce: Rcpt=[ADDRESS];Error=[550 ...]
    r"|\[<\d+>\] xmail bounce: rcpt=\["
    r"|user)[ \t]*[:：]?[ \t]*(?:rfc822;)?[ \t]*)?"
    rf"[\"'<]{{0,2}}(?P<address>{_ADDRESS})[>\"']{{0,2}}(?P<rest>[ \t]*(?:$|[:;,(\[\-：].*"
    r"|\];error=.*|invalid address.*|error_code.*"
    rf"|\.\.\..*|[ ]\.{{2,}}.*|on .*|.{{0,3}}\d{{3}}.*))",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"(?:deliver\w*|failed|attempts|recipient|mailbox|address|sent|send|user|account"
    rf"|to)\b[^\n@<>]{{0,60}}[<\"'( ](?P<address>{_ADDRESS})",
    re.IGNORECASE,
)
_QUIET = re.compile(r"^[ \t]*(?:from|subject|date|sent|to|cc|reply-to|message-id|x-[\w-]+):", re.I)
_TRANSCRIPT = re.compile(r"^[ \t]*(?:>>>|<<<)")
_REPLY_LINE = re.compile(r"[245]\d\d[ -]|While talking|\.\.\. while")
_BLANKS = re.compile(r"\n[ \t]*\n")


@dataclass(slots=True)
class _Block:
    address: str
    lines: list[str] = field(default_factory=list)
    coded: bool = False

    @property
    def said(self) -> str:
        return "\n".join(self.lines)[:MAX_BLOCK]


def read_bounce(sheet: Sheet) -> list[BounceRecipient]:
    """Read the recipients of a bounce without status fields; one nameless one when all fails."""
    report = before_copy(sheet.text)
    pasted = read_status(sheet.text) if "\naction:" in sheet.text.lower() else []
    if pasted:
        return pasted
    action = _action(sheet, report)
    blocks = _wanted(_blocks(report), sheet)
    whole = assess("", stated="", diagnostic=report, action=action)
    found = [_weigh(block, whole, action) for block in blocks]
    if not found:
        found = [
            assess(a, stated="", diagnostic=report, action=action) for a in _named(sheet, report)
        ]
    return _once(found) or [whole]


def before_copy(text: str) -> str:
    """Cut the returned original off; the whole text when nothing would be left."""
    for match in _COPY.finditer(text):
        if text[: match.start()].strip():
            return text[: match.start()]
    return text


def enrich(found: list[BounceRecipient], sheet: Sheet) -> list[BounceRecipient]:
    """Fill in what status fields leave open from the text that stands before them."""
    if not any(_open(r) or not r.reply_code for r in found):
        return found
    blocks = {b.address.lower(): b for b in _blocks(before_copy(sheet.text))}
    return [_filled(r, blocks.get(r.address.lower())) for r in found]


def _filled(recipient: BounceRecipient, block: _Block | None) -> BounceRecipient:
    if block is None or not _open(recipient):
        return recipient
    stated = "" if recipient.inferred else recipient.status
    said = assess(recipient.address, stated=stated, diagnostic=block.said, action=recipient.action)
    if _open(said) and said.reason is BounceReason.UNDEFINED:
        return recipient
    return replace(said, diagnostic=recipient.diagnostic or said.diagnostic)


def _open(recipient: BounceRecipient) -> bool:
    return recipient.inferred or codes.is_vague(recipient.status)


def _action(sheet: Sheet, report: str) -> str:
    return "delayed" if _DELAYED.search(f"{sheet.subject}\n{report[:2000]}".lower()) else ""


_DELAYED = re.compile(
    r"warning message only|(?:delivery|message|mail)\W+(?:\w+\W+){0,4}delayed|delayed mail"
    r"|not yet been delivered"
    r"|will be retried|still being retried|only a temporary failure"
    r"|could not send message for past|no action is required"
    r"|will (?:keep|continue)(?: to)? try|temporary problem"
)


def _blocks(report: str) -> list[_Block]:
    """Split the report at lines that begin with an address; quoted headers do not count."""
    blocks: list[_Block] = []
    dialogue: list[str] = []
    for line in report.split("\n"):
        if _TRANSCRIPT.match(line):
            dialogue = [*dialogue[-4:], line]
            continue
        lead = _LEAD.match(line[:500])
        if lead is not None and not _sender_line(line):
            blocks.append(_begun(lead, dialogue))
            dialogue = []
        elif blocks and _continues(blocks[-1], line):
            blocks[-1].lines.append(line)
    return blocks[:MAX_BLOCKS]


def _begun(lead: re.Match[str], dialogue: list[str]) -> _Block:
    """Begin a block; in a transcript (``554 <address>... why``) the reply stands before it."""
    first = f"{lead['code'] or ''} {lead['rest']}".strip()
    said = dialogue if lead["code"] else []
    return _Block(lead["address"], [first, *said], coded=bool(lead["code"]))


def _continues(block: _Block, line: str) -> bool:
    return len(block.lines) < 60 and not (block.coded and _REPLY_LINE.match(line))


def _sender_line(line: str) -> bool:
    quiet = _QUIET.match(line)
    return quiet is not None and not quiet[0].strip().lower().startswith("to")


def _wanted(blocks: list[_Block], sheet: Sheet) -> list[_Block]:
    """Leave out the sender, to whom the bounce came back, unless nobody else is named."""
    named = {a.lower() for a in _failed_header(sheet)}
    sure = [b for b in blocks if b.address.lower() in named]
    if sure and len(sure) >= len(named):
        return sure
    others = [b for b in blocks if b.address.lower() not in sheet.to]
    return others or blocks


def _weigh(block: _Block, whole: BounceRecipient, action: str) -> BounceRecipient:
    """Judge by the first paragraph below an address, by all of it, by the whole report."""
    paragraph = _BLANKS.split(block.said.lstrip("\n :"), maxsplit=1)[0]
    said_well = (s for s in (paragraph, block.said) if codes.enhanced(s))
    said_so = (
        s for s in (paragraph, block.said) if reason_of_words(s) is not BounceReason.UNDEFINED
    )
    for said in (*said_well, *said_so):
        if said:
            found = assess(block.address, stated="", diagnostic=said, action=action)
            return _in_context(found, block, action)
    return replace(whole, address=block.address)


def _in_context(found: BounceRecipient, block: _Block, action: str) -> BounceRecipient:
    """Let the SMTP command, which may stand in another paragraph, count for the reason."""
    if found.inferred and found.reason is BounceReason.USER_UNKNOWN:
        again = assess(block.address, stated="", diagnostic=block.said, action=action)
        if again.reason is BounceReason.FILTERED:
            return replace(again, diagnostic=found.diagnostic)
    return found


def _named(sheet: Sheet, report: str) -> list[str]:
    """Find addresses in X-Failed-Recipients, within sentences, in the original's To."""
    found = _failed_header(sheet)
    if not found:
        found = [m["address"] for m in _NAMED.finditer(report)]
        found = [a for a in found if a.lower() not in sheet.to][:1]
    if not found:
        heads = [str(read_head(raw).get("to", "")) for raw in sheet.originals[:1]]
        found = re.findall(_ADDRESS, heads[0][:2000])[:1] if heads else []
    return list(dict.fromkeys(found))


def _failed_header(sheet: Sheet) -> list[str]:
    return re.findall(_ADDRESS, sheet.values.get("x-failed-recipients", "")[:8000])


def _once(found: list[BounceRecipient]) -> list[BounceRecipient]:
    """Keep one entry an address, the first that says something."""
    best: dict[str, BounceRecipient] = {}
    for recipient in found:
        key = recipient.address.lower()
        known = best.get(key)
        if known is None or (known.reason is BounceReason.UNDEFINED and not known.reply_code):
            best[key] = recipient
    return list(best.values())
