"""Status codes in diagnostic text: SMTP replies and RFC 3463 codes, and which of them count.

A report may state one code in its Status field and carry another in the reply that the remote host
gave. The order of trust is in ``choose``. No I/O.
"""

from __future__ import annotations

import re

MAX_TEXT = 16 * 1024  # characters of a diagnostic that are looked at
_CODE = r"([245])\.(\d{1,3})\.(\d{1,3})"
_ENHANCED = re.compile(rf"(?<![\d.\w]){_CODE}(?![\d.]*\d)")
# 550 5.1.1, 550-5.1.1, 550 #5.1.1, (#5.1.1), 554 554 5.7.1, smtp;550 5.1.1, "5.2.1 <address>"
_AFTER_REPLY = re.compile(rf"(?<!\d)[245]\d\d[ \t\n-]{{1,4}}[(<#\['\"]{{0,2}}{_CODE}(?![\d.]*\d)")
_MARKED = re.compile(rf"[#(]{_CODE}(?![\d.]*\d)")
_REPLY = re.compile(
    r"(?:^|(?<=[\s;:(<>\[,\"'/=*]))([245][0-5]\d)(?=[\s\-#;:,)\]<]|\.(?!\d)|$)", re.MULTILINE
)
_NO_REPLY = re.compile(
    r"(?:port|size|line|queue|after|last|for|than|of|error code)[ =:]{0,2}$", re.I
)
_VAGUE = re.compile(r"[245]\.0\.0")


def enhanced(text: str) -> str:
    """Find the RFC 3463 code of a diagnostic: one after an SMTP reply first; empty when none."""
    for pattern in (_AFTER_REPLY, _MARKED, _ENHANCED):
        codes = [".".join(match.groups()) for match in pattern.finditer(text[:MAX_TEXT])]
        clear = [code for code in codes if not _VAGUE.fullmatch(code) and code[0] != "2"]
        # RFC 3463 3.5: the code of the actual problem is to be preferred to X.4.7
        exact = [code for code in clear if not code.endswith(".4.7")]
        if codes:
            return (exact or clear or codes)[0]
    return ""


def reply_code(text: str) -> str:
    """Find the SMTP reply code of a diagnostic; empty when none."""
    found = [
        match[1]
        for match in _REPLY.finditer(text[:MAX_TEXT])
        if not _NO_REPLY.search(text[max(0, match.start() - 12) : match.start()])
    ]
    return next((code for code in found if code[0] != "2"), found[0] if found else "")


def tidy_code(stated: str) -> str:
    """Read a Status field such as ``5.1.1 (bad destination)``; empty when it holds no code."""
    match = _ENHANCED.search(stated)
    return f"{match[1]}.{int(match[2])}.{int(match[3])}" if match else ""


def choose(stated: str, said: str) -> str:
    """Choose between the Status field and the code in the remote host's own words.

    ``x.0.0`` says nothing more than its class. RFC 3463 3.5 asks to report the actual problem
    rather than X.4.7. Else the host that refused knows better than the one that reports it.
    """
    if not stated or not said:
        return stated or said
    if said[0] == "2" or (_VAGUE.fullmatch(said) and said[0] == stated[0]):
        return stated
    return said


def is_vague(code: str) -> bool:
    """Whether a code tells only its class."""
    return not code or _VAGUE.fullmatch(code) is not None
