"""Foreign text made fit for one terminal line; the sanitiser of the console and of the CLI.

Whatever a stranger wrote (subjects, names, addresses, file names, server answers) becomes
``SafeText`` here and nowhere else. What was hidden becomes visible: the technician sees that
something was there. Imports no Textual, so that headless commands may use it. No I/O.
"""

from __future__ import annotations

import unicodedata
from typing import NewType

SafeText = NewType("SafeText", str)
"""Text that holds nothing a terminal would obey; only ``safe`` and its kin make it."""

HIDDEN = (
    *range(0x80, 0xA0),  # C1: 0x9B is CSI and 0x9D is OSC on an 8-bit terminal
    0x061C,  # ARABIC LETTER MARK
    0x200B,  # zero width space; 200C and 200D stay, emoji and Indic scripts need them
    0x200E,
    0x200F,
    0x2028,
    0x2029,
    *range(0x202A, 0x202F),  # bidi embeddings and overrides
    *range(0x2060, 0x2065),
    *range(0x2066, 0x206A),  # bidi isolates
    0xFEFF,
    *range(0xE0000, 0xE0080),  # tag characters: text no one sees
)
"""Code points that draw nothing and change how the rest is read."""

_SHOWN = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421, 0x09: 0x20, 0x0A: 0x2424}
_PICTURES = dict.fromkeys(HIDDEN, 0xFFFD) | _SHOWN
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)  # cannot be written as UTF-8 at all
_MARKS = frozenset({"Mn", "Me"})
NOTHING = SafeText("")


def safe(text: str, limit: int = 512, marks: int = 4) -> SafeText:
    """Make foreign text fit for one terminal line; what was hidden becomes visible.

    At most ``limit`` characters are kept and at most ``marks`` combining marks on one base: fifty
    of them have cell width 0 and paint over the lines around.
    """
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    if text.isascii() and text.isprintable():
        return SafeText(text)
    kept, run = [], 0
    for char in text.translate(_PICTURES).translate(_SURROGATES):
        run = run + 1 if unicodedata.category(char) in _MARKS else 0
        if run <= marks:
            kept.append(char)
    return SafeText("".join(kept))


def safe_lines(text: str, limit: int = 2000, width: int = 2000) -> tuple[SafeText, ...]:
    """Cut a body into safe lines, at most ``limit`` of them of ``width`` characters each.

    Only CRLF, CR and LF end a line: ``str.splitlines`` would also obey VT, FF and U+2028.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
    shown = tuple(safe(line, width) for line in lines[:limit])
    rest = len(lines) - limit
    return (*shown, safe(f"… {rest} more lines are not shown")) if rest > 0 else shown


def together(*parts: SafeText) -> SafeText:
    """Join safe texts without a gap."""
    return SafeText("".join(parts))
