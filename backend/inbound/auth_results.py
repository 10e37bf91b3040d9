"""Authentication-Results (RFC 8601) of our own mail server, as verdicts. Pure.

A sender can write this header as well, so only those of the configured authserv-id count; the
server must remove foreign ones that bear its name (RFC 8601 section 5). All headers are looked at.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from backend.model.inbound import ScanVerdict, ScanVerdicts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backend.model.screening import MailFacts

SES_AUTHSERV_ID = "amazonses.com"
_COMMENT = re.compile(r"\([^()]*\)")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"")
_METHOD = re.compile(r"\s*([a-z][a-z0-9-]*)\s*(?:/\s*\d+\s*)?=\s*([a-z]+)", re.IGNORECASE)
_POLICY = re.compile(
    r"(?:\bp\s*=\s*|\bpolicy\.(?:published-domain-policy|dmarc)\s*=\s*)(\w+)", re.I
)
MAX_COMMENTS = 20

# RFC 8601 2.7; hardfail is what old milters write
_MEANING = {
    "pass": ScanVerdict.PASS,
    "bestguesspass": ScanVerdict.GRAY,
    "fail": ScanVerdict.FAIL,
    "hardfail": ScanVerdict.FAIL,
    "reject": ScanVerdict.FAIL,
    "softfail": ScanVerdict.GRAY,
    "neutral": ScanVerdict.GRAY,
    "none": ScanVerdict.GRAY,
    "policy": ScanVerdict.GRAY,
    "nxdomain": ScanVerdict.GRAY,
    "temperror": ScanVerdict.PROCESSING_FAILED,
    "permerror": ScanVerdict.PROCESSING_FAILED,
}
_CHECKS = ("spf", "dkim", "dmarc")


def with_own_results(verdicts: ScanVerdicts, facts: MailFacts, authserv_id: str) -> ScanVerdicts:
    """Fill the verdicts a source did not give from our own server's headers.

    What the source said stays as it is; without an ``authserv_id`` no header is believed.
    """
    if not authserv_id:
        return verdicts
    found = read_results(facts.authentication_results, authserv_id)
    if authserv_id.lower() == SES_AUTHSERV_ID:
        found = replace(
            found, spam=_ses_verdict(facts.ses_spam), virus=_ses_verdict(facts.ses_virus)
        )
    return ScanVerdicts(
        spam=_first(verdicts.spam, found.spam),
        virus=_first(verdicts.virus, found.virus),
        spf=_first(verdicts.spf, found.spf),
        dkim=_first(verdicts.dkim, found.dkim),
        dmarc=_first(verdicts.dmarc, found.dmarc),
        dmarc_policy=verdicts.dmarc_policy or found.dmarc_policy,
    )


def read_results(values: Iterable[str], authserv_id: str) -> ScanVerdicts:
    """Read the headers of one server; for each method the topmost header decides.

    With several DKIM signatures in it one that passes is enough (RFC 6376 section 4.2).
    """
    found: dict[str, ScanVerdict] = {}
    policy = ""
    for value in values:
        results = _of_server(value, authserv_id)
        for check in _CHECKS:
            mine = [verdict for method, verdict, _ in results if method == check]
            if mine and check not in found:
                found[check] = ScanVerdict.PASS if ScanVerdict.PASS in mine else mine[0]
                if check == "dmarc" and found[check] is ScanVerdict.FAIL:
                    policy = next(said for method, _, said in results if method == "dmarc")
    return ScanVerdicts(**found, dmarc_policy=policy)


def _of_server(value: str, authserv_id: str) -> list[tuple[str, ScanVerdict, str]]:
    """Give ``(method, verdict, domain policy)`` of a header, nothing if it is another server's."""
    head, _, rest = value.partition(";")
    name = _bare(head).strip().partition(" ")[0].strip('"').lower()
    if name != authserv_id.lower():
        return []
    results = []
    one_piece = _COMMENT.sub(lambda found: found[0].replace(";", ","), _QUOTED.sub('""', rest))
    for item in one_piece.split(";"):
        method = _METHOD.match(_bare(item))
        if method is not None:
            verdict = _MEANING.get(method[2].lower(), ScanVerdict.UNVERIFIED)
            said = _POLICY.search(item)
            results.append((method[1].lower(), verdict, said[1].lower() if said else ""))
    return results


def _bare(text: str) -> str:
    """Take the comments out, inner ones first."""
    for _ in range(MAX_COMMENTS):
        text, found = _COMMENT.subn(" ", text)
        if not found:
            break
    return text


def _first(said: ScanVerdict, found: ScanVerdict) -> ScanVerdict:
    return found if said is ScanVerdict.UNVERIFIED else said


def _ses_verdict(value: str) -> ScanVerdict:
    try:
        return ScanVerdict(value.strip().lower())
    except ValueError:
        return ScanVerdict.UNVERIFIED
