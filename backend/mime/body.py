"""HTML mail to plain text, for targets, search and the terminal. No I/O."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

MAX_HTML = 4_000_000  # characters; beyond this the text is cut
MAX_TAGS = 200_000  # beyond, tags are only taken out: the walk takes 3 us for each
MAX_DEPTH = 500  # browsers stop at 512
_SILENT = "head,script,style,title,template,noscript,object,svg"
_BREAKS = frozenset({"br", "tr", "hr", "li", "dt", "dd", "option"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_SECTIONS = frozenset({"article", "aside", "div", "footer", "form", "header", "main", "nav", "p"})
_LISTS = frozenset({"address", "blockquote", "center", "dl", "fieldset", "figure", "ol", "pre"})
_BLOCKS = _HEADINGS | _SECTIONS | _LISTS | {"section", "table", "ul"}
# Written without an end tag by rule or by habit, so they say nothing of depth.
_UNCLOSED = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
    | {"dd", "dt", "li", "option", "p", "td", "th", "tr", "tbody", "thead", "html", "body"}
)
# A quote that is never closed ends the match, so that the time stays linear.
_OPEN_TAG = re.compile(
    r"<([A-Za-z][A-Za-z0-9]*+)"
    r"(?:[^>\"'=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+'|(?![\"']))|[\"'])*+"
)
_LONGEST_TAG = 8192
_TAG = re.compile(r"<[^<>]*>")
_TAG_NAME = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
_META = re.compile(
    rb"<meta\s[^<>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE
)
MAX_META = 4096
_SPACE = re.compile(r"[ \t\r\n\f]+")
_BLANKS = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")


def html_to_text(html: str) -> str:
    """Give the readable text: blocks on lines of their own, links with their real address."""
    html = tamed(html)
    if html.count("<") > MAX_TAGS or too_deep(html):
        return _BLANKS.sub("\n\n", unescape(_TAG.sub("\n", html))).strip()
    tree = LexborHTMLParser(html)
    tree.strip_tags(_SILENT.split(","), recursive=True)
    root = tree.body or tree.root
    if root is None:
        return ""
    lines = "".join(_walk(root))
    lines = "\n".join(line.strip() for line in lines.split("\n"))
    return _BLANKS.sub("\n\n", lines).strip()


def tamed(html: str) -> str:
    """Cut the text to size and the attributes off a tag that is too long.

    Every parser compares each attribute with those before it: 50,000 of them cost seconds.
    """
    if len(html) < _LONGEST_TAG:
        return html
    return _OPEN_TAG.sub(_shorter, html[:MAX_HTML])


def _shorter(tag: re.Match[str]) -> str:
    return tag[0] if len(tag[0]) < _LONGEST_TAG else f"<{tag[1]} "


def declared_charset(html: bytes) -> str:
    """Give the charset that a document's own meta element names, empty without one."""
    found = _META.search(html[:MAX_META])
    return found[1].decode("ascii") if found else ""


def too_deep(html: str) -> bool:
    """Tell whether elements nest so deeply that building their tree costs minutes."""
    depth = 0
    for closing, name in _TAG_NAME.findall(html):
        if name.lower() in _UNCLOSED:
            continue
        depth = max(0, depth - 1) if closing else depth + 1
        if depth > MAX_DEPTH:
            return True
    return False


def _walk(root: LexborNode) -> list[str]:
    """Collect text in document order with an explicit stack: hostile HTML nests deeply."""
    out: list[str] = []
    stack: list[LexborNode | str] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            out.append(node)
        elif node.tag == "-text":
            out.append(_SPACE.sub(" ", node.text_content or "").replace("\xa0", " "))
        else:
            before, after = _around(node)
            out.append(before)
            stack.append(after)
            stack.extend(reversed(list(node.iter(include_text=True))))
    return out


def _around(node: LexborNode) -> tuple[str, str]:
    """Give what an element puts before and after its content."""
    tag = node.tag or ""
    if tag == "a":
        return "", _link(node)
    if tag in _BREAKS:
        return ("\n- " if tag == "li" else "\n"), ""
    if tag in ("td", "th"):
        return "", " "
    return ("\n", "\n") if tag in _BLOCKS else ("", "")


def _link(node: LexborNode) -> str:
    """Show where a link leads unless its text says so already."""
    href = (node.attributes.get("href") or "").strip()
    if not href.startswith(("http://", "https://")) or href in (node.text() or ""):
        return ""
    return f" <{href}>"
