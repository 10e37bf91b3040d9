"""Part the new words of a reply from quotation, signature and forwarded mail. Pure, linear time.

Every line of the text goes whole into one of the two parts, so nothing is lost. Where it is not
clear whether a line is new, it stays in the reply: losing a person's words is worse than keeping
old ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Final

from backend.mime.reply_lines import Kind, classify, fold
from backend.mime.reply_tails import is_disclaimer, is_footer, is_signature_like

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_MAX_LINES = 5_000  # lines looked at one by one; what is below them counts as one line of text
_MARKERS: Final = frozenset({Kind.WROTE, Kind.ORIGINAL, Kind.HEADERS})
_RULERS: Final = frozenset({Kind.SIGNATURE, Kind.RULER})
_GAPS: Final = frozenset({Kind.EMPTY, Kind.DEVICE})
_LONG_QUOTE = 60  # characters: a quoted line that long may have been wrapped by a client
_MAX_NOTICES = 6  # paragraphs of notices below a reply
_MAX_FOOTER = 8  # lines below a quotation that may be a list's footer


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyParts:
    """A mail's text in two parts; each line of the text is in exactly one, in its order."""

    reply: str
    elided: str


def split_reply(text: str) -> ReplyParts:
    """Part a plain text mail into what is new, and quotes, signature and forwarded mail.

    A mail that only forwards keeps the forwarded words as its reply; one that only quotes has an
    empty reply. Answers between quotes keep the quotes they answer. Never raises.
    """
    lines = _lines(text)
    draft = _Draft(lines)
    draft.cut_below_original()
    draft.cut_below_ruler()
    draft.drop_quotes()
    draft.drop_tail()
    elided = "".join(line for line, keep in zip(lines, draft.kept, strict=True) if not keep)
    if not elided.strip():
        return ReplyParts(reply=text, elided="")
    reply = "".join(line for line, keep in zip(lines, draft.kept, strict=True) if keep)
    return ReplyParts(reply=reply, elided=elided)


def _lines(text: str) -> list[str]:
    """Give the lines with their ends; past the limit, all the rest as one."""
    lines: list[str] = []
    end = 0
    for found in islice(_LINE.finditer(text), _MAX_LINES):
        lines.append(found.group())
        end = found.end()
    return [*lines, text[end:]] if end < len(text) else lines


class _Draft:
    """The lines of one mail, their kinds and which of them are still kept."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.kinds = classify(lines)
        self.kept = [
            kind not in (Kind.DEVICE, Kind.HEADERS, Kind.ORIGINAL, Kind.WROTE)
            for kind in self.kinds
        ]
        self.end = len(lines)
        self.doubtful = [i for i, kind in enumerate(self.kinds) if kind is Kind.MAYBE_WROTE]
        for index in self.doubtful:
            self.kinds[index] = Kind.TEXT

    def cut_below_original(self) -> None:
        """Cut from the first unquoted original that has new text above it."""
        text_above = False
        for index, kind in enumerate(self.kinds):
            if kind is Kind.TEXT:
                text_above = True
            elif text_above and (
                kind in (Kind.ORIGINAL, Kind.HEADERS) or self._opens_unquoted(index)
            ):
                self._cut(index)
                return

    def cut_below_ruler(self) -> None:
        """Cut from the first signature mark or ruler; one between paragraphs of prose is kept."""
        text_above = False
        for index in range(self.end):
            kind = self.kinds[index]
            text_above = text_above or kind is Kind.TEXT
            if text_above and (
                kind is Kind.SIGNATURE or (kind is Kind.RULER and self._ends_prose(index))
            ):
                self._cut(index)
                return

    def drop_quotes(self) -> None:
        """Drop trailing quotes, and a leading attributed quote that one answer follows."""
        self._settle_doubtful()
        self._cut_leftover()
        body = self._written()
        if not body:
            self._drop_quoted(0, self.end)
            return
        first, last = body[0], body[-1]
        self._drop_quoted(last + 1, self.end)
        if Kind.WROTE in self.kinds[:first] and Kind.QUOTE not in self.kinds[first:last]:
            self._drop_quoted(0, first)

    def drop_tail(self) -> None:
        """Drop confidentiality notices that end the reply."""
        for _ in range(_MAX_NOTICES):
            written = self._written()
            start = written[-1] if written else 0
            while start > 0 and self.kinds[start - 1] is Kind.TEXT:
                start -= 1
            if (
                not written
                or start == written[0]
                or not is_disclaimer(self._joined(start, self.end))
            ):
                return
            self._cut(start)

    def _settle_doubtful(self) -> None:
        """Take "Ann wrote:" for an attribution if its quotation opens or ends the mail."""
        written = self._written()
        for index in self.doubtful:
            if index >= self.end or self._next_solid(index) is not Kind.QUOTE:
                continue
            if index in (written[0], written[-1]):
                self.kinds[index] = Kind.WROTE
                self.kept[index] = False

    def _cut_leftover(self) -> None:
        """Cut a list's footer, or the rest of a wrapped quote, below a top-posted reply."""
        wrote = next((i for i in range(self.end) if self.kinds[i] is Kind.WROTE), self.end)
        quotes = [i for i in range(wrote, self.end) if self.kinds[i] is Kind.QUOTE]
        written = self._written()
        if not quotes or not written or written[0] > wrote:
            return
        below = [i for i in written if i > wrote]
        if not below or below[0] < quotes[-1] or len(below) > _MAX_FOOTER:
            return
        words = [fold(self.lines[i]) for i in below]
        touching = below[0] == quotes[-1] + 1 and len(fold(self.lines[quotes[-1]])) >= _LONG_QUOTE
        if is_footer(words) or (touching and len(below) == 1 and words[0][0].islower()):
            self._cut(quotes[-1] + 1)

    def _opens_unquoted(self, index: int) -> bool:
        """Tell whether an attribution is followed by text that is not marked as quoted."""
        if self.kinds[index] is not Kind.WROTE:
            return False
        after = index
        while after < self.end and self.kinds[after] in (Kind.WROTE, Kind.EMPTY, Kind.DEVICE):
            after += 1
        return after == self.end or self.kinds[after] is not Kind.QUOTE

    def _next_solid(self, index: int) -> Kind:
        """Give the kind of the next line that is not blank."""
        for kind in self.kinds[index + 1 : index + 4]:
            if kind is not Kind.EMPTY:
                return kind
        return Kind.EMPTY

    def _ends_prose(self, index: int) -> bool:
        """Tell whether what stands below a ruler is a signature, a footer or an original."""
        below: list[str] = []
        for line in range(index + 1, min(self.end, index + 60)):
            if self.kinds[line] in _MARKERS:
                break
            if self.kinds[line] is Kind.TEXT:
                below.append(fold(self.lines[line]))
        return is_signature_like(below)

    def _written(self) -> list[int]:
        """Give the indexes of the kept lines that a person may have written."""
        return [
            i for i in range(self.end) if self.kept[i] and self.kinds[i] in (Kind.TEXT, Kind.RULER)
        ]

    def _joined(self, start: int, end: int) -> str:
        """Give the folded kept text of some lines in one."""
        return " ".join(fold(self.lines[i]) for i in range(start, end) if self.kept[i])

    def _drop_quoted(self, start: int, end: int) -> None:
        """Drop quoted lines, and the rulers and blanks among them."""
        for index in range(start, end):
            if self.kinds[index] is not Kind.TEXT:
                self.kept[index] = False

    def _cut(self, index: int) -> None:
        """Drop every line from ``index`` on."""
        for line in range(index, self.end):
            self.kept[line] = False
        self.end = index
