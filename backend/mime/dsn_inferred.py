"""Codes for bounces that state none: ``X.0.9nn``, whose digits tell the reason. No I/O.

RFC 3463 and IANA register nothing at ``X.0.9nn``, so that such a code cannot be mistaken for one
that a mail system wrote. The digits are those that Sisimai publishes for its "internal" codes, the
only such notation that other programs read. The class is 4 where the cause may pass, else 5.
"""

from __future__ import annotations

import re

from backend.model.automated import BounceReason as Why

_DETAIL = {
    Why.UNDEFINED: "900",
    Why.PROTOCOL: "902",
    Why.NO_RELAY: "909",
    Why.FILTERED: "910",
    Why.USER_UNKNOWN: "911",
    Why.HOST_UNKNOWN: "912",
    Why.MOVED: "916",
    Why.SENDER_REFUSED: "918",
    Why.DISABLED: "921",
    Why.MAILBOX_FULL: "922",
    Why.AUTHENTICATION: "926",
    Why.SYSTEM: "930",
    Why.SYSTEM_FULL: "931",
    Why.TOO_BIG: "934",
    Why.NETWORK: "944",
    Why.LOOP: "944",
    Why.RATE: "945",
    Why.EXPIRED: "947",
    Why.CONTENT: "960",
    Why.BLOCKED: "971",
    Why.POLICY: "972",
    Why.NO_REVERSE_DNS: "973",
    Why.SPAM: "980",
    Why.VIRUS: "981",
}
# finer than our reasons: the domain takes no mail, a delivery program failed, a login is missing,
# the pace of one sender, the name of the sending address
_FINER = (
    (Why.HOST_UNKNOWN, re.compile(r"null ?mx|not accept (?:any )?(?:e-?)?mail"), "932"),
    (
        Why.SYSTEM,
        re.compile(r"command (?:died|failed|output)|exit (?:code|status)|procmail"),
        "939",
    ),
    (Why.AUTHENTICATION, re.compile(r"(?:auth\w*|login) (?:is )?required|must auth"), "970"),
    (Why.RATE, re.compile(r"(?:rate|pace|volume)\b|rate[- ]?limit|throttl|quota"), "946"),
    (Why.BLOCKED, re.compile(r"reputation"), "975"),
)
# the words of a cause that may pass, where no reply tells the class
_PASSING = re.compile(
    r"\bretry|\bretried|retrying|temporar|failing for a long time|(?:try|trying) (?:again )?later"
    r"|deferred|grey-?list|gray-?list"
)
_LASTING = frozenset({Why.USER_UNKNOWN, Why.HOST_UNKNOWN, Why.MOVED})


def inferred_status(why: Why, *, class_: str, said: str) -> str:
    """Give the code for a reason; ``class_`` is "2", "4", "5" or empty when nothing tells it.

    ``said`` is the diagnostic the reason was read from; it settles the class and finer digits.
    """
    if why is Why.DELIVERED or class_ == "2":
        return "2.0.0"
    plain = said.lower()
    found = class_ or ("4" if _PASSING.search(plain) and why not in _LASTING else "5")
    return f"{found}.0.{_detail(why, found, plain)}"


def _detail(why: Why, class_: str, plain: str) -> str:
    if why is Why.FILTERED and class_ == "4":
        return "924"
    # 900: nothing is said; 901: something is said that is not understood
    if why is Why.UNDEFINED and plain.strip():
        return "901"
    return next(
        (digits for reason, words, digits in _FINER if reason is why and words.search(plain)),
        _DETAIL[why],
    )
