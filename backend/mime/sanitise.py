"""HTML of a stranger made safe for a browser: no scripts, forms, styles or frames. No I/O."""

from __future__ import annotations

import nh3

from backend.mime.body import MAX_HTML, tamed, too_deep

_TAGS = frozenset(nh3.ALLOWED_TAGS) - {"map", "area"}
_SCHEMES = {"http", "https", "mailto", "tel", "cid"}


def sanitise_html(html: str) -> str:
    """Keep text, layout, links and pictures; give "" for HTML too large or deep to be cleaned.

    Links get ``rel="noopener noreferrer"``; pictures of attached files keep their ``cid:``.
    """
    if not html or len(html) > MAX_HTML:
        return ""
    html = tamed(html)
    if too_deep(html):
        return ""
    return nh3.clean(html, tags=set(_TAGS), url_schemes=_SCHEMES)
