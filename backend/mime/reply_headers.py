"""Find the block From/Sent/To/Subject that clients put over an original, in any language. Pure."""

# ruff: noqa: RUF001
# The wide colon of Chinese and Japanese clients is meant here.

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.mime.reply_words import HEADER_ROLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.mime.reply_words import Role

_MAX_NAME = 32  # characters before the colon
_MAX_BLOCK = 40  # lines of one block
_MAX_FOLDED = 6  # lines a long To or Cc goes on
_AROUND = " \t*_|\"'"


def header_role(line: str) -> Role | None:
    """Give what a folded line holds as a mail header; None if it is none."""
    at = line.find(":", 0, _MAX_NAME)
    wide = line.find("：", 0, _MAX_NAME)
    if at < 0 or 0 <= wide < at:
        at = wide
    if at < 1:
        return None
    role = HEADER_ROLES.get(line[:at].strip(_AROUND).lower())
    value = line[at + 1 :].strip(_AROUND)
    if role == "date" and value and not any(char.isdigit() for char in value):
        return None
    return role


def header_block(
    lines: Sequence[str],
    roles: Sequence[Role | None],
    plain: Sequence[bool],
    start: int,
    *,
    least: int,
) -> int:
    """Give the end (exclusive) of the header block begun at ``start``; ``start`` if there is none.

    A block needs ``least`` different headers, the sender among them. Long recipient lists are
    followed over their folded lines, and single blank lines between headers are passed over.
    """
    seen: set[Role] = set()
    end = start
    for index in range(start, min(start + _MAX_BLOCK, len(lines))):
        role = roles[index]
        if role is not None:
            if role in seen and role in ("from", "subject") and len(seen) >= least:
                break
            seen.add(role)
            end = index + 1
        elif (
            not plain[index]
            or index - end >= _MAX_FOLDED
            or _two_blank(lines, index)
            or (not lines[index] and len(seen) >= least and _is_whole(seen))
        ):
            break
    # "From: Berlin / To: Hamburg / Date: ..." is an order: an address or a subject is due.
    mail = "subject" in seen or any("@" in line for line in lines[start:end])
    return end if mail and len(seen) >= least and "from" in seen else start


def _two_blank(lines: Sequence[str], index: int) -> bool:
    """Tell whether a line and the one before it are blank."""
    return index > 0 and not lines[index] and not lines[index - 1]


def _is_whole(seen: set[Role]) -> bool:
    """Tell whether a blank line may end the block: sender and subject are known."""
    return {"from", "subject"} <= seen
