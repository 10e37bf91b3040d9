"""One attachment of a raw message, found again by the hash that was recorded of it. No I/O."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from backend.mime.limits import LimitError
from backend.mime.tnef import files_inside, is_tnef
from backend.mime.transfer import uu_files
from backend.mime.tree import read_any, read_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from backend.mime.tree import Node


def attachment_bytes(raw: bytes, wanted: str) -> bytes | None:
    """Give the decoded bytes whose SHA-256 (hex) is ``wanted``; None when no part has it."""
    try:
        tree = read_tree(raw)
    except LimitError:
        return None  # such a message was never taken apart, and has no attachments
    for node in _leaves(tree):
        for data in _contents(node):
            if sha256(data).hexdigest() == wanted:
                return data
    return None


def attachments_bytes(raw: bytes, wanted: Set[str]) -> dict[str, bytes]:
    """Give the decoded bytes of several attachments by their SHA-256, in one pass."""
    tree, _ = read_any(raw)
    found: dict[str, bytes] = {}
    for node in _leaves(tree):
        for data in _contents(node):
            mark = sha256(data).hexdigest()
            if mark in wanted:
                found[mark] = data
    return found


def _leaves(message: Node) -> Iterator[Node]:
    stack = [message]
    while stack:
        node = stack.pop()
        if node.children is None:
            yield node
        else:
            stack.extend(reversed(node.children))


def _contents(node: Node) -> Iterator[bytes]:
    """Give a leaf's bytes, and those of files written into its text or wrapped up by Outlook."""
    data, _ = node.payload()
    yield data
    if is_tnef(data):
        for inside in files_inside(data):
            yield inside.data
        return
    for _, file, _, _ in uu_files(data):
        yield file
