"""Signs that a program wrote a mail that is no report: answers, lists, alerts. No I/O.

RFC 3834 (Auto-Submitted), RFC 5436 (auto-notified), RFC 2919 and 2369 (List-*), RFC 8098 (read
receipts) and the custom headers of common programs. Each function gives its evidence, empty when
there is none. ``X-Auto-Response-Suppress`` only asks the reader not to answer: no evidence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from backend.mime import classify_words as words

if TYPE_CHECKING:
    from backend.mime.classify_sheet import Sheet

_MACHINE = "null return path, Auto-Submitted or bulk"
_NO = frozenset({"", "no", "none", "false", "0"})
_ANSWER_HEADERS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply",
    "x-auto-reply-from",
    "x-autoreply-from",
    "x-mail-autoreply",
    "x-vacation",
    "x-away",
)
_ANSWER_MARKS = (
    ("precedence", re.compile(r"auto[_-]?reply|vacation")),
    ("x-precedence", re.compile(r"auto[_-]?reply")),
    ("x-apple-action", re.compile(r"vacation")),
    ("x-post-messageclass", re.compile(r"9|.*autorespond")),
    ("delivered-to", re.compile(r"autoresponder")),
    ("x-ms-exchange-generated-message-source", re.compile(r".*mailbox rules agent")),
)
_LIST_HEADERS = (
    "list-id",
    "list-post",
    "list-unsubscribe",
    "list-help",
    "list-subscribe",
    "list-owner",
    "list-archive",
    "mailing-list",
    "x-mailing-list",
    "x-mailman-version",
    "x-ml-name",
)
# what programs add to the mail they write on their own account
_PROGRAM_HEADERS = (
    "x-cron-env",
    "x-jenkins-job",
    "x-github-reason",
    "x-gitlab-project-id",
    "x-gitlab-pipeline-id",
    "x-jira-fingerprint",
    "x-bugzilla-reason",
    "x-trac-project",
    "x-redmine-host",
    "x-sentry-project",
    "x-zabbix-severity",
    "x-pagerduty-incident",
    "x-nagios-notification-type",
    "x-veeam-job",
    "x-rt-loop-prevention",
)
_NOREPLY = re.compile(r"(?:no|do-?not)[-_.]?reply(?:[-_.+]\w+)?@|(?:[\w.]+[-_.])?no-?reply@")
_WATCHER = re.compile(
    r"(?:nagios|icinga|zabbix|naemon|check_?mk|prometheus|alertmanager|grafana|prtg|monit"
    r"|munin|cron|crond|logwatch"
    r"|smartd|mdadm|fail2ban|idrac|ilo|ipmi|uptimerobot|pingdom|datadog"
    r"|opsgenie)(?:[-_.+][\w.\-]*)?@"
)
# such an address may also be a team's
_WATCH_TEAM = re.compile(
    r"(?:monitor(?:ing)?|alerts?|alarms?|backups?|watchdog|ups|rmm|noc|storage"
    r"|nas)(?:[-_.+][\w.\-]*)?@"
)
_STATE = re.compile(
    r"\b(?:critical|warning|alert|alarm|down|offline|failed|failure|unreachable|resolved|recovered"
    r"|triggered|completed|successful|status report|threshold)\b",
    re.I,
)
_ALERT = re.compile(
    r"^\W*(?:problem|recovery|acknowledgement|flapping\w*|downtime\w*)\b.*\b(?:alert"
    r"|is (?:critical|warning|ok|down|up|unknown))"
    r"|^\W*(?:host|service) \S.* is (?:critical|warning|ok|down|up|unknown|unreachable)\b"
    r"|^\[(?:firing|resolved|alerting)(?::\d+)?\]"
    r"|^cron <\S+@\S+>|^\[?(?:critical|warning|alarm|alert|failed"
    r"|down)\]?\s*[:\-\]]? .*\b(?:disk|cpu|memory|host|service|backup|job|server"
    r"|sensor)\b.*(?:\d ?%|\b(?:down|failed|failure|full|offline|exceeded)\b)"
    r"|^sql server (?:job|alert) system:|^ups: (?:on battery power|no longer on battery)"
    r"|^unattended-upgrades result for |^apticron report|^\[(?:diskstation|synology|qnap)\b[^\]]*\]"
    r"|^\[(?:success|warning|failed)\] .*\b(?:backup|job|replica|vms?|machines?|agent)s?\b"
    r"|^build (?:failed|fixed|unstable|back to normal) in |^azure: activated severity"
    r"|^fired:sev\d|^report domain: \S+ submitter: "
    r"|^logwatch for |^smart error|^degradedarray event|^\*\*\* security information|^anacron job",
    re.I,
)
_MESSAGES = re.compile(
    r"(?:voice-?mail|vm|fax|efax|pbx|unity|phone-?system|answering|3cx)(?:[-_.+][\w.\-]*)?@"
)
_MESSAGE = re.compile(
    r"\b(?:new |you have )?(?:a )?(?:voice ?(?:mail|message)|fax|missed call|sprachnachricht"
    r"|messagerie vocale|buzón de voz)\b.*(?:\bfrom\b|\bvon\b|\breceived\b|\+?\d{5})",
    re.I,
)
_SCANNER = re.compile(
    r"(?:scan(?:ner)?|copier|mfp|printer|kopierer|scanner|xerox|canon|ricoh|kyocera|konica|km"
    r"|sharp|fax)[\w.\-]*@"
)
_SCAN = re.compile(
    r"^(?:scanned (?:from|document|image|file)|scan (?:from|to|data)|message from (?:\"|km|rnp"
    r"|kyocera|xerox|canon|scanner)|attached image|scan(?:ned)? ?\d*$"
    r"|numérisation|gescannt|scan von|escaneado|scansione da)",
    re.I,
)


def answer_signs(sheet: Sheet) -> tuple[str, ...]:
    """Say what shows an automatic answer."""
    submitted = sheet.first("auto-submitted")
    if submitted.startswith("auto-replied"):
        return ("Auto-Submitted: auto-replied",)
    marked = _marked(sheet)
    if marked:
        return marked
    if sheet.report_type == "disposition-notification" or "receipt" in sheet.answers:
        return ("a read receipt",)
    # people who accept a meeting may add words, and then they want them read
    if "meeting" in sheet.answers and not sheet.text.strip():
        return ("an answer to an invitation",)
    machine = _by_machine(sheet, submitted)
    return () if sheet.passed_on and not machine else _worded(sheet, machine=machine)


def _by_machine(sheet: Sheet, submitted: str) -> bool:
    bulk = sheet.first("precedence") in ("bulk", "junk") and "in-reply-to" in sheet.values
    return sheet.return_path == "" or submitted.startswith("auto-") or bulk


def _marked(sheet: Sheet) -> tuple[str, ...]:
    for name in _ANSWER_HEADERS:
        if sheet.first(name) not in _NO:
            return (f"has {name}",)
    for name, pattern in _ANSWER_MARKS:
        if pattern.match(sheet.values.get(name, "").strip().lower()):
            return (f"marked by {name}",)
    return ()


def _worded(sheet: Sheet, *, machine: bool) -> tuple[str, ...]:
    """Judge by subject and body: certain words suffice, likely ones need a second sign."""
    subject = sheet.subject
    if words.is_certain_subject(subject) and (machine or words.is_prefixed_subject(subject)):
        return ("subject of an automatic answer",)
    likely = words.is_likely_subject(subject) or words.is_certain_subject(subject)
    answers = machine or ("in-reply-to" in sheet.values and words.is_prefixed_subject(subject))
    if likely and (
        answers or (words.is_prefixed_subject(subject) and words.says_absent(sheet.text))
    ):
        return ("subject of an absence", "a second sign")
    if machine and words.says_absent(sheet.text):
        return (_MACHINE, "words of an absence")
    if machine and words.says_received(subject) and "in-reply-to" in sheet.values:
        return (_MACHINE, "acknowledges receipt")
    return ()


def list_signs(sheet: Sheet) -> tuple[str, ...]:
    """Say what shows a mailing list or a mailing to subscribers."""
    named = tuple(f"has {name}" for name in _LIST_HEADERS if name in sheet.values)
    if sheet.first("precedence") == "list":
        named = ("Precedence: list", *named)
    return named[:3]


def machine_signs(sheet: Sheet) -> tuple[str, ...]:
    """Say what shows that a system wrote on its own account."""
    submitted = sheet.first("auto-submitted")
    if submitted.startswith("auto-"):
        return (f"Auto-Submitted: {submitted[:40]}",)
    precedence = sheet.first("precedence")
    if precedence in ("bulk", "junk"):
        return (f"Precedence: {precedence}",)
    named = next((name for name in _PROGRAM_HEADERS if name in sheet.values), "")
    if named:
        return (f"has {named}",)
    if sheet.passed_on or "in-reply-to" in sheet.values:
        return ()
    return _robot(sheet) or _worded_alert(sheet)


def _robot(sheet: Sheet) -> tuple[str, ...]:
    # a form on a web site sends from no-reply and puts the person into Reply-To
    if _NOREPLY.match(sheet.from_address) and "reply-to" not in sheet.values:
        return ("written from a no-reply address",)
    return ()


def _worded_alert(sheet: Sheet) -> tuple[str, ...]:
    if _ALERT.search(sheet.subject):
        return ("subject of an alert",)
    team = _WATCH_TEAM.match(sheet.from_address) and _STATE.search(sheet.subject)
    if team or _WATCHER.match(sheet.from_address):
        return ("written by a monitoring address",)
    if _MESSAGES.match(sheet.from_address) and _MESSAGE.search(sheet.subject):
        return ("a message of a telephone system",)
    if _SCAN.search(sheet.subject) and _scanner(sheet):
        return ("a scan",)
    return ()


def _scanner(sheet: Sheet) -> bool:
    program = (sheet.values.get("x-mailer", "") + sheet.from_address).lower()
    return bool(_SCANNER.match(sheet.from_address)) or "scan" in program or "mfp" in program
