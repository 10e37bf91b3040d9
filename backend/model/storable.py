"""Text of strangers as every database takes it. Pure."""

from __future__ import annotations

_MARK = "\N{REPLACEMENT CHARACTER}"


def storable(text: str) -> str:
    """Give a text whose NUL and halves of surrogate pairs have become U+FFFD.

    PostgreSQL takes no NUL, and no encoding has half a pair; JSON can carry both as escapes.
    """
    if text.isascii():
        return text.replace("\0", _MARK)
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\0", _MARK)
