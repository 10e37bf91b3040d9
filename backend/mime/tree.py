"""The tree of a message: the standard library's parser with its known faults worked around.

An attached message stays one leaf of exact bytes: the library would parse it, and write it anew
with other line folds. No I/O.
"""

from __future__ import annotations

import re
from email import policy
from email.message import Message
from email.parser import BytesParser
from typing import Any, cast

_LINE_END = re.compile(r"[\r\n]")
_SPACE_BEFORE_COLON = re.compile(rb"^([!-9;-~]+)[ \t]+:", re.MULTILINE)
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")


class Node(Message):
    """One part; tells the parser that a message within is a leaf, and us what it truly is."""

    _payload: Any

    def get_content_maintype(self) -> str:
        """Give the main type, ``application`` for a message so that it is not taken apart."""
        return self.true_type.partition("/")[0].replace("message", "application")

    def get_content_type(self) -> str:
        """Give the type under the same rule; the true one is ``true_type``."""
        return f"{self.get_content_maintype()}/{self.true_type.partition('/')[2]}"

    @property
    def true_type(self) -> str:
        """The content type as declared, lower case, ``text/plain`` when it is none."""
        return super().get_content_type()

    def get_boundary(self, failobj: Any = None) -> Any:
        """Give the boundary without the line end that a folded header leaves in it."""
        found = super().get_boundary(failobj)
        return _LINE_END.sub("", found) if isinstance(found, str) else found

    @property
    def raw_body(self) -> str:
        """A leaf's body as parsed, bytes as surrogate escapes.

        QUIRK(compat32): get_payload() would decode 8-bit bytes by the charset that is declared.
        """
        return self._payload if isinstance(self._payload, str) else ""

    @property
    def children(self) -> list[Node] | None:
        """The parts of a multipart, None for a leaf."""
        payload = self.get_payload()
        return cast("list[Node]", payload) if isinstance(payload, list) else None


def read_tree(raw: bytes) -> Node:
    """Parse under ``compat32``, the one policy that never raised on real mail."""
    return cast("Node", BytesParser(Node, policy=policy.compat32).parsebytes(_tidy(raw)))


def read_head(raw: bytes) -> Node:
    """Parse the headers only and leave the body alone."""
    tidy = _tidy(raw)
    end = _END_OF_HEADERS.search(tidy)
    head = tidy[: end.end()] if end else tidy
    parser = BytesParser(Node, policy=policy.compat32)
    return cast("Node", parser.parsebytes(head, headersonly=True))


def _tidy(raw: bytes) -> bytes:
    """Drop what stands before the first header and the space some programs put before a colon."""
    tidy = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    end = _END_OF_HEADERS.search(tidy)
    if end is None:
        return tidy
    head = tidy[: end.start()]
    mended = _SPACE_BEFORE_COLON.sub(rb"\1:", head)
    return tidy if mended == head else mended + tidy[end.start() :]
