"""Find "On <date>, <name> wrote:" in any language, also when a client wrapped it. Pure.

No table of whole phrases: a line counts as an attribution when the evidence fits together, that
is a date, an address, a verb of writing and the right end. Every search is in a bounded window.
"""

# ruff: noqa: RUF001
# The dashes, brackets and spaces of other scripts that look like ASCII are meant here.

from __future__ import annotations

import re
from typing import Final

from backend.mime.reply_words import FIRST_PERSON, INTROS, PROSE_PEOPLE, PROSE_WORDS, SPEECH, VERBS

MAX_LINES: Final = 6  # of one wrapped attribution, blank lines included
_MAX_CHARS = 420
_MAX_WORDS = 34
_MAX_LINE = 300

_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d(?!\d)|\d{1,2}[:.h]\d\d(?!\d)|\d{1,2} ?(?:am|pm|uhr)\b|"
    r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}(?!\d)|\d{1,2}\. ?\d{1,2}\.)"
)
_YEAR = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d(?!\d)|\d{1,2}[/.-]\d{1,2}[/.-]\d\d(?!\d)|\d{1,2}[:.h]\d\d(?!\d))"
)
_ADDRESS = re.compile(r"[\w+.-]@[\w-]+(?:\.[\w-]+)+")
_END_ADDRESS = re.compile(
    r"(?:<[^<>@]{0,80}@[^<>]{1,120}>|\([^()@]{1,80}@[^()]{1,80}\)|"
    r"[\w+.-]{1,64}@[\w.-]{3,120})$"
)
_ISO_NAME = re.compile(r"20\d\d-\d\d-\d\d \d{1,2}:\d\d gmt[+-]\d\d:\d\d [\w .,'\"-]{1,60}")
_POSTED_BY = re.compile(r"posted by .{1,60} on \d\d/\d\d/\d{4}")
# Lotus Notes: "Ann Lee/Client wrote on 03/03/2016 09:14:22 AM:"
_NAME_FIRST = re.compile(
    r"[^:,]{2,60} (?:wrote on|schrieb am|a écrit le|escribió el|ha scritto il|schreef op|"
    r"escreveu em|skrev den|napisał w dniu) [^,]{0,12}\d.{4,60}"
)
# what Horde writes, in the language of its user
_QUOTING = re.compile(
    r"(?:quoting|zitat von|en citant|citando a|citazione(?: di)?|mensagem de|citeren|citerar|"
    r"cytowanie|цитирую) [^:]{0,80}@[^:]{1,120}:"
)
_SUPERCITE = re.compile(r">{4,}\s*\"[^\"]{1,60}\" == .{1,120} writes:\s*")
_VERB_INSIDE = re.compile(
    r"(?:^|[\s>\"')\]»”])(?:"
    + "|".join(re.escape(verb) for verb in sorted(VERBS, key=len, reverse=True))
    + r")(?=[\s:：,(<]|$)"
)
_DATE_FIRST = re.compile(r"[\"'(\[*>-]{0,3}\s?(?:\w{1,20}\.?,? ?){0,2}\(?\d")
_ENDS_SENTENCE = re.compile(r"(?:[?!。！？]|\w{6,}\.)$")
_TRAIL = " \t*-_>|—–"
_TRAIL_RIGHT = " \t*-_|—–"
_VERB_ENDS = tuple(VERBS)


def clean(joined: str) -> str:
    """Give a folded line without the dashes, stars and quote marks around an attribution."""
    return joined.lstrip(_TRAIL).rstrip(_TRAIL_RIGHT)


def is_supercite(line: str) -> bool:
    """Tell whether a line is Emacs's ``>>>>> "Ann" == Ann Lee <a@b> writes:``."""
    return len(line) <= _MAX_LINE and _SUPERCITE.fullmatch(line) is not None


def is_attribution(joined: str) -> bool:
    """Tell whether a folded text (lines joined by spaces) is wholly an attribution."""
    text = clean(joined).lower()
    if not text or len(text) > _MAX_CHARS or text.count(" ") > _MAX_WORDS:
        return False
    has_address = "@" in text and _ADDRESS.search(text) is not None
    if _ends_with_verb(text):
        fits = _verb_fits(text, has_address=has_address)
    else:
        fits = _verb_inside_fits(text, has_address=has_address)
        fits = fits or _needs_no_verb(text, has_address=has_address)
    return fits and not _is_prose(text, has_address=has_address)


def is_complete(joined: str) -> bool:
    """Tell whether an attribution ends with its verb or colon, that is, it ends here."""
    text = clean(joined).lower()
    return (
        text.endswith((":", "："))
        or _ends_with_verb(text)
        or _ISO_NAME.fullmatch(text) is not None
        or _POSTED_BY.fullmatch(text) is not None
    )


def is_weak_attribution(line: str) -> bool:
    """Tell whether a folded line may be "Ann wrote:"; only a quotation right below proves it."""
    text = clean(line).lower()
    return len(text) <= 100 and text.endswith((":", "：")) and _ends_with_verb(text)


def may_start(line: str) -> bool:
    """Tell cheaply whether an attribution may begin on a folded line."""
    text = clean(line).lower()
    if not text or len(text) > _MAX_LINE:
        return False
    return (
        "@" in text
        or text[0] in "在於于(\"'«“"
        or text.startswith("posted by ")
        or text.split(" ", 1)[0].rstrip(",") in INTROS
        or _DATE_FIRST.match(text) is not None
        or _VERB_INSIDE.search(text) is not None
    )


def starts_afresh(line: str) -> bool:
    """Tell whether a folded line begins as "On 3 March" does: nothing above reaches past it."""
    first, _, rest = line.strip(_TRAIL).lower().partition(" ")
    return first in INTROS and _DATE.search(rest) is not None


def may_wrap(line: str) -> bool:
    """Tell whether an attribution may go on after this folded line; a finished sentence ends it."""
    return len(line) <= _MAX_LINE and not _ENDS_SENTENCE.search(line)


def _ends_with_verb(text: str) -> bool:
    """Tell whether the text ends with a verb of writing, on a word's edge, colon or not."""
    bare = text.rstrip(" :：.,…")
    if not bare.endswith(_VERB_ENDS):
        return False
    last = bare[-1]
    if last > "\u2e80":  # no spaces between words in Chinese and Japanese
        return True
    tail = bare[-40:]
    return _VERB_INSIDE.search(tail + ":") is not None and not tail[-1].isdigit()


def _verb_fits(text: str, *, has_address: bool) -> bool:
    """Judge "... wrote:": who and when must be said, and by a form that clients use."""
    if has_address:
        return True
    if text.rstrip(" :").endswith(SPEECH):
        return False
    if " via " in text and text.endswith((":", "：")):
        return True
    if not _YEAR.search(text):
        return False
    return _leads(text) or text.endswith((":", "："))


def _verb_inside_fits(text: str, *, has_address: bool) -> bool:
    """Judge "Am 3.3.2016 um 17:21 schrieb Ann:" and "Ann <a@b> schrieb am 3.3.2016 um 17:21:"."""
    if not text.endswith((":", "：")) or not _DATE.search(text):
        return False
    if _VERB_INSIDE.search(text) is None:
        return False
    return has_address or _leads(text) or _NAME_FIRST.fullmatch(text) is not None


def _needs_no_verb(text: str, *, has_address: bool) -> bool:
    """Judge "2016-03-03 17:21 GMT+01:00 Ann <a@b>:" and "... 2016, 17:21 от Ann <a@b>:"."""
    if any(form.fullmatch(text) for form in (_ISO_NAME, _POSTED_BY, _QUOTING)):
        return True
    bare = text.rstrip(" :：")
    found = _END_ADDRESS.search(bare[-220:]) if has_address else None
    if not found or text.count(" ") > 24:
        return False
    colon = bare != text
    before = bare[: len(bare) - len(found.group())]
    return (colon or found.group()[0] == "<") and _leads(text) and _YEAR.search(before) is not None


def _is_prose(text: str, *, has_address: bool) -> bool:
    """Tell whether a person tells of a mail: no client writes "I wrote" or "the man wrote"."""
    if any(words in text for words in FIRST_PERSON):
        return True
    if has_address and _ends_with_verb(text):
        return False
    words = text.split()
    return not PROSE_WORDS.isdisjoint(words) or not (has_address or PROSE_PEOPLE.isdisjoint(words))


def _leads(text: str) -> bool:
    """Tell whether the text begins as attributions do: with a preposition or with the date."""
    if text[0] in "在於于":
        return True
    first = text.split(" ", 1)[0].rstrip(",")
    return first in INTROS or _DATE_FIRST.match(text) is not None
