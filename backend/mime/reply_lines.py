"""The kinds of the lines of a mail: text, quote, attribution, headers, ruler, device line. Pure.

``classify`` gives one kind per physical line; ``reply`` decides from the kinds. Work per line is
bounded, so the whole is linear in the size of the mail.
"""

# ruff: noqa: RUF001
# The dashes, brackets and spaces of other scripts that look like ASCII are meant here.

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

from backend.mime import reply_attribution as attribution
from backend.mime.reply_headers import header_block, header_role
from backend.mime.reply_tails import is_device_line
from backend.mime.reply_words import BETWEEN_DASHES, FORWARD_LINES, REPLY_ABOVE

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_LINE = 2_000  # characters of a line that are looked at

_JUNK = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufe0f]")
_SPACES = re.compile(r"\s+")
_RULER = re.compile(r"(?:[-‐‑–—_=~*#+,]\s?){2,}|[—–―ᐧ]")
_SIGNATURE_RULER = re.compile(r"--|-- -|[—–―]|_{5,}|ᐧ")
_QUOTED = re.compile(r"\s*(?:>|&gt;|＞)")
_BAR = re.compile(r"\s*\|(?:\s|$)(?!.*\|\s*$)|\s*\|\s*$")
_ALIAS = re.compile(r"\s*([A-Za-z]{1,12})>+(?:\s|$)")
_DASHED = re.compile(r"[>\s*_|]*[-‐‑–—_=*]{2,}\s*([^-_=*\s].{0,120}?)\s*[-‐‑–—_=*]{2,}[\s*:：]*")
_HALF_DASHED = re.compile(r"[>\s*|]*[-‐‑–—_=]{3,}\s*([^-_=*\s].{0,60}?)\s*[:：]?")
_GROUPWISE = re.compile(r">>> .{1,120}\d.{0,40} >>>")
_OPENED = re.compile(r">>> ?([^>]{0,80}?) ?>>>|(>{4,})")
_CLOSED = re.compile(r"<<< ?([^<]{0,80}?) ?<<<|(<{4,})")
_FENCE = re.compile(r"\s{0,3}(```|~~~)[\w+-]*\s*")
_PGP_HEAD = re.compile(r"-----BEGIN PGP SIGNED MESSAGE-----|Hash: [\w-]{1,20}")


class Kind(Enum):
    """What one physical line is."""

    EMPTY = "e"
    TEXT = "t"
    QUOTE = "q"
    WROTE = "b"  # "On ..., Ann wrote:"; each line of a wrapped one
    MAYBE_WROTE = "m"  # "Ann wrote:", true only above a quotation
    ORIGINAL = "f"  # "-----Original Message-----"
    HEADERS = "h"  # a line of a block From/Sent/To/Subject
    SIGNATURE = "-"  # "-- ", "_____"
    RULER = "d"  # "-----", "***": a separator of something
    DEVICE = "s"  # "Sent from my iPhone", PGP armour


def fold(line: str) -> str:
    """Give a line without invisible characters, with single spaces and no outer white space."""
    return _SPACES.sub(" ", _JUNK.sub("", line[:_MAX_LINE])).strip()


def classify(lines: Sequence[str]) -> list[Kind]:
    """Give the kind of every line, in order."""
    folded = [fold(line) for line in lines]
    kinds = [_simple_kind(line) for line in folded]
    _protect_code(folded, kinds)
    _mark_enclosed(folded, kinds)
    _mark_pgp(folded, kinds)
    _mark_headers(folded, kinds)
    _mark_attributions(folded, kinds)
    _mark_soft_quotes(folded, kinds)
    _mark_wrapped_quotes(folded, kinds)
    _unmark_underlines(folded, kinds)
    return kinds


def _simple_kind(line: str) -> Kind:
    """Judge a folded line by itself."""
    if not line:
        return Kind.EMPTY
    if attribution.is_supercite(line):
        return Kind.WROTE
    if _is_original(line):
        return Kind.ORIGINAL
    if _QUOTED.match(line):
        return Kind.QUOTE
    if _RULER.fullmatch(line):
        return Kind.SIGNATURE if _SIGNATURE_RULER.fullmatch(line) else Kind.RULER
    return Kind.DEVICE if is_device_line(line) else Kind.TEXT


def _is_original(line: str) -> bool:
    """Tell whether a folded line opens an original or forwarded message that is not quoted."""
    if len(line) > 200 or (line.startswith(">") and not _GROUPWISE.fullmatch(line)):
        return False
    if line.startswith(">"):
        return True
    lowered = line.lower()
    if _is_reply_above(lowered):
        return True
    if lowered.rstrip(" :：*").lstrip("*") in FORWARD_LINES and lowered.endswith((":", "：", ":*")):
        return True
    found = _DASHED.fullmatch(lowered) or _HALF_DASHED.fullmatch(lowered)
    return found is not None and any(words in found.group(1) for words in BETWEEN_DASHES)


def _is_reply_above(lowered: str) -> bool:
    """Tell whether a line is a help desk's "reply above this line", not a sentence about it."""
    bare = lowered.strip("#-=_*—–<>[]() ")
    framed = bare != lowered
    return len(bare) <= 100 and any(
        (words in bare and framed) or bare == words.rstrip() for words in REPLY_ABOVE
    )


def _protect_code(folded: list[str], kinds: list[Kind]) -> None:
    """Make everything between two code fences text: rulers and quotes there are the author's."""
    opened: int | None = None
    for index, line in enumerate(folded):
        if kinds[index] is Kind.QUOTE or not _FENCE.fullmatch(line):
            continue
        if opened is None:
            opened = index
            continue
        kinds[opened : index + 1] = [Kind.TEXT] * (index + 1 - opened)
        opened = None


def _mark_enclosed(folded: list[str], kinds: list[Kind]) -> None:
    """Mark quotations put between ``>>> Ann >>>`` and ``<<< Ann <<<``, or ``>>>>`` and ``<<<<``."""
    closes = {
        found.group(1) or "": index
        for index, line in enumerate(folded)
        if line.startswith("<<<") and (found := _CLOSED.fullmatch(line))
    }
    done = -1
    for index, line in enumerate(folded):
        if index <= done or not closes or not line.startswith(">>>"):
            continue
        found = _OPENED.fullmatch(line)
        close = closes.get(found.group(1) or "", -1) if found else -1
        if close > index:
            kinds[index : close + 1] = [Kind.QUOTE] * (close + 1 - index)
            done = close


def _mark_pgp(folded: list[str], kinds: list[Kind]) -> None:
    """Mark the armour of a PGP-signed text; its signature block ends the message."""
    if "-----BEGIN PGP SIGNED MESSAGE-----" in folded[:5]:
        for index in range(min(8, len(folded))):
            if _PGP_HEAD.fullmatch(folded[index]):
                kinds[index] = Kind.DEVICE
    end = "-----END PGP SIGNATURE-----"
    if "-----BEGIN PGP SIGNATURE-----" in folded and end in folded:
        start = folded.index("-----BEGIN PGP SIGNATURE-----")
        stop = len(folded) - folded[::-1].index(end)
        for index in range(start, stop):
            kinds[index] = Kind.DEVICE


def _mark_headers(folded: list[str], kinds: list[Kind]) -> None:
    """Mark blocks of mail headers (From, Sent, To, Subject in any language) among the text."""
    roles = [
        header_role(line) if kind in (Kind.TEXT, Kind.DEVICE) else None
        for line, kind in zip(folded, kinds, strict=True)
    ]
    plain = [kind in (Kind.TEXT, Kind.EMPTY, Kind.DEVICE) for kind in kinds]
    index = 0
    while index < len(folded):
        if roles[index] is None:
            index += 1
            continue
        led = any(
            kind in (Kind.ORIGINAL, Kind.SIGNATURE, Kind.RULER)
            for kind in kinds[max(0, index - 2) : index]
        )
        end = header_block(folded, roles, plain, index, least=2 if led else 3)
        for line in range(index, end):
            if folded[line]:
                kinds[line] = Kind.HEADERS
        index = max(end, index + 1)


def _mark_attributions(folded: list[str], kinds: list[Kind]) -> None:
    """Mark every line of each attribution."""
    index = 0
    while index < len(folded):
        length = (
            _attribution_at(folded, kinds, index) if kinds[index] in (Kind.TEXT, Kind.RULER) else 0
        )
        for line in range(index, index + length):
            if folded[line]:
                kinds[line] = Kind.WROTE
        if (
            not length
            and kinds[index] is Kind.TEXT
            and attribution.is_weak_attribution(folded[index])
        ):
            kinds[index] = Kind.MAYBE_WROTE
        index += max(length, 1)


def _attribution_at(folded: list[str], kinds: list[Kind], start: int) -> int:
    """Count the lines of the attribution that begins at ``start``; 0 if there is none."""
    if not attribution.may_start(folded[start]):
        return 0
    joined, length = folded[start], 0
    for index in range(start, min(start + attribution.MAX_LINES, len(folded))):
        line = folded[index]
        if index > start:
            if not _continues(folded, kinds, start, index):
                break
            joined = f"{joined} {line.lstrip('> ')}"
        if line and attribution.is_attribution(joined):
            length = index + 1 - start
            if attribution.is_complete(joined):
                return length
        if line and not attribution.may_wrap(line):
            break
    # Without verb or colon only a quotation below tells an attribution from a list of people.
    return length if length and _quoted_below(folded, start + length) else 0


def _quoted_below(folded: list[str], index: int) -> bool:
    """Tell whether the next line that is not blank is a quotation."""
    for line in folded[index : index + 3]:
        if line:
            return _QUOTED.match(line) is not None or _BAR.match(line) is not None
    return False


def _continues(folded: list[str], kinds: list[Kind], start: int, index: int) -> bool:
    """Tell whether line ``index`` may still belong to the attribution begun at ``start``."""
    line = folded[index]
    if kinds[index] is Kind.EMPTY:
        # Some clients put the address in a block of its own; a dated beginning reaches over it.
        return attribution.starts_afresh(folded[start])
    if kinds[index] is Kind.QUOTE:
        # "> wrote:": the closing bracket of a wrapped address looks like a quotation.
        return line.startswith(">") and _bracket_is_open(folded, start, index)
    return kinds[index] is Kind.TEXT and not attribution.starts_afresh(line)


def _bracket_is_open(folded: list[str], start: int, index: int) -> bool:
    """Tell whether an angle bracket is still open before line ``index``."""
    before = " ".join(folded[start:index])
    return before.count("<") > before.count(">")


def _mark_soft_quotes(folded: list[str], kinds: list[Kind]) -> None:
    """Mark quotations by ``| `` or ``Ann> ``; below an attribution only, as prompts look so."""
    wrote = ""
    for index, line in enumerate(folded):
        if kinds[index] is Kind.WROTE:
            wrote = f"{wrote} {line}"[-600:]
        elif wrote and kinds[index] is Kind.TEXT and _is_soft_quote(line, wrote):
            kinds[index] = Kind.QUOTE


def _is_soft_quote(line: str, wrote: str) -> bool:
    """Tell whether a line is quoted by a bar, or by a name or initials from the attribution."""
    if _BAR.match(line):
        return True
    found = _ALIAS.match(line)
    if not found:
        return False
    alias = found.group(1).lower()
    initials = "".join(word[0] for word in re.findall(r"\w+", wrote.lower()))
    return alias in wrote.lower() or alias in initials


def _mark_wrapped_quotes(folded: list[str], kinds: list[Kind]) -> None:
    """Mark the rest of a quoted line that was wrapped again: it stands between two quoted lines."""
    for index in range(1, len(folded) - 1):
        before, after = kinds[index - 1], kinds[index + 1]
        if kinds[index] is Kind.TEXT and before is Kind.QUOTE and after is Kind.QUOTE:
            line = folded[index]
            if len(folded[index - 1]) >= 66 and len(line) < 40 and line[0].islower():
                kinds[index] = Kind.QUOTE


def _unmark_underlines(folded: list[str], kinds: list[Kind]) -> None:
    """Make a ruler that underlines a heading text: a line of its own length is right above."""
    for index in range(1, len(folded)):
        if kinds[index] is Kind.RULER and kinds[index - 1] is Kind.TEXT:
            ruler, heading = len(folded[index]), len(folded[index - 1])
            if ruler >= 3 and abs(ruler - heading) <= 2:
                kinds[index] = Kind.TEXT
