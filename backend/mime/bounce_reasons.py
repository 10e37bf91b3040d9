"""Why a mail came back: from the words of many systems, or a code, to a reason. No I/O.

The words are those that mail programs and large providers write in their replies; the order of
the table decides where two would fit, the more telling one first.
"""

from __future__ import annotations

import re

from backend.mime.bounce_reasons_abroad import ABROAD
from backend.model.automated import BounceReason as Why

_WORDS: dict[Why, str] = {
    Why.AUTHENTICATION: (
        r"\bdmarc\b|\bspf\b|\bdkim\b|sender policy framework|sender id|unauthenticated (?:e-?)?mail"
        r"|authentication (?:is )?(?:required|failed|failure)|(?:auth|login) (?:is )?required"
        r"|not authenticated|must authenticate|does not advertise auth|failed authentication"
    ),
    Why.NO_REVERSE_DNS: (
        r"\bptr\b|reverse[ -]?(?:dns|lookup|hostname|name)|\brdns\b|unverif[iy]\w+ sending ip"
        r"|cannot find your (?:reverse )?hostname|client host rejected: cannot find|no reverse"
    ),
    Why.RATE: (
        r"(?<!user has )too many (?:connections?|concurrent|sessions?|messages|mails?|recipients"
        r"|errors|emails)"
        r"|rate[ -]?limit|ratelimit|throttl|exceeded (?:the )?(?:rate|maximum (?:number"
        r"|connection))"
        r"|unusual(?:ly high)? (?:rate|volume)|connection limit|sending limit"
        r"|receiving mail at a rate"
        r"|too (?:fast|frequent)|(?:daily|hourly) (?:sending )?(?:quota|limit)"
    ),
    Why.MAILBOX_FULL: (
        r"(?:mail|in)?box(?: \S{1,80})? (?:is |was )?(?:currently )?(?:full|over ?quota|exceeded)"
        r"|full mailbox|mailbox_full|mailboxfull|over (?:the )?(?:\w+ )?quota|overquota"
        r"|quota (?:is |was |has been |limit )?(?:\w+ )?(?:exceed\w*|full|violation|reached)"
        r"|(?:exceed\w*|reached) (?:\S+ ){0,4}(?:quota|storage|mailbox size|mailbox limit)"
        r"|disk quota|insufficient (?:disk|storage) (?:space|quota)|not enough (?:storage"
        r"|disk) space"
        r"|storage (?:quota|limit|allocation) |mailbox (?:size )?limit|no space left in"
        r"|mailbox for user is full|maildir (?:delivery failed|over)|account is over\b(?!due)"
        r"|out of (?:storage|disk) space|recipient storage full|user has too many messages"
        r"|is full\b|over (?:its|the|their) (?:storage|size|space|quota)|box space not enough"
        r"|space has (?:been )?used up"
    ),
    Why.SYSTEM_FULL: (
        r"insufficient system (?:storage|resources)|no space left on device|mail system full"
        r"|out of disk|system storage"
    ),
    Why.TOO_BIG: (
        r"message (?:size|length) exceeds|(?:message|mail|size|file|header)s? (?:is "
        r"|was )?too (?:big|large|long)"
        r"|exceeds (?:\S+ ){0,3}(?:maximum|max|size|message|limit)|max(?:imum)? (?:message )?size"
        r"|too (?:big|large) (?:message|for)|size limit|messagetoolarge|message too"
        r"|larger than (?:\S+ ){0,4}(?:limit|allowed|permitted|maximum)|mail size exceeds"
    ),
    Why.VIRUS: r"\bvirus(?:es)?\b|infected|malware|trojan|worm detected|contains a? ?malicious",
    Why.SPAM: (
        r"\bspam\b|spam(?:my|ming|trap| content| message)|junk (?:e-?)?mail|\bube\b|unsolicited"
        r"|bulk mail|looks like (?:spam|a spam)|bogofilter|spamassassin|content filter(?:ed"
        r"|ing)? (?:rejected|blocked)"
    ),
    Why.SENDER_REFUSED: (
        r"sender (?:address |domain |e-?mail )?(?:is )?(?:\S+ )?(?:rejected|refused|denied"
        r"|invalid|not|unknown|verify|blocked|blacklisted)"
        r"|bad sender|invalid sender|unrouteable sender|domain of sender|google groups"
        r"|sender domain must|sender was rejected"
        r"|after mail from|reply to mail from|\[mail_from\]|not a member of|only (?:members"
        r"|subscribers)"
        r"|not (?:have )?permi\w+ to post|may not exist, or you may not have permission"
        r"|you (?:are|'re) not (?:allowed|authorized)"
        r"|(?:mail|messages?) from \S{1,80} (?:is |are |was )?(?:not allowed|rejected|denied"
        r"|refused)|access denied for sender"
    ),
    Why.MOVED: (
        r"(?:has|have) (?:been )?moved|user (?:has )?moved|address (?:has )?changed"
        r"|no longer works here"
        r"|new (?:e-?mail )?address is"
    ),
    Why.HOST_UNKNOWN: (
        r"(?:host|domain|hostname)(?: name)?(?: \S{1,80})? (?:is |was )?(?:unknown|not found"
        r"|does(?: not|n't) exist|lookup failed)"
        r"|unknown (?:host|domain|hostname)|no such (?:host|domain)|bad destination (?:host|system)"
        r"|couldn'?t find (?:any|a) (?:host|mail exchanger|mx|smtp server)|\bnull ?mx\b|nxdomain"
        r"|(?:name server|dns|mx|domain lookup)\S* \S{0,40} ?(?:host not found|no data known"
        r"|lookup failure)"
        r"|unrouteable mail domain|unroutable domain|all relevant mx records point to non-existent"
        r"|(?:no|invalid) mx (?:record|found|host|for)|has no (?:mx|mail exchanger)"
        r"|no mail (?:exchanger|server)s? for"
        r"|illegal host/domain|could(?: not|n't) (?:find|resolve) (?:the |a )?(?:host|domain"
        r"|gateway)"
        r"|domain (?:name )?(?:not found|is invalid|does not exist|couldn't be found)"
        r"|nonexistent domain"
        r"|mail domain \S{0,80} not found|is not a registered gateway|host or domain name not found"
        r"|no (?:matches|answer) to nameserver query|account or domain may not exist"
    ),
    Why.USER_UNKNOWN: (
        r"(?:user|recipient|mailbox|account|address|person|name|addressee|subscriber|member"
        r"|destinatario)"
        r"(?: name| address| account| mailbox)?(?: \S{1,80})? ?(?:is |was |has )?"
        r"(?:unknown|not (?:be )?found|doesn'?t (?:exist|have)|does not (?:exist|have)"
        r"|not exist|not known|invalid|inexistent"
        r"|nonexist\w*|non-exist\w*|not (?:listed|recognized|recognised|valid|local)"
        r"|unavailable|not available|no longer (?:exists|available|valid|active|in use))"
        r"|(?:unknown|no such|invalid|bad|illegal|nonexistent|non-existent|unroutable"
        r"|unrouteable|undeliverable|inexistent)"
        r" (?:or \w+ )?(?:local[- ]?)?(?:user|recipient|mailbox|account|address|person|name"
        r"|destination|addressee|local part|e-?mail)"
        r"|no valid recipients?|unknown local[- ]part|user_?unknown|userunknown"
        r"|no (?:such )?(?:user|mailbox|account|person|recipient)\b"
        r"|not (?:our|a valid|a known|known as a) (?:customer|user|mailbox|recipient)"
        r"|address (?:couldn'?t|could not|not) (?:be )?found"
        r"|(?:wasn't|was not|cannot be|could not be|couldn't be) found (?:at|in|on)"
        r"|check (?:the|if) (?:recipient|address)"
        r"|not listed in|no local mailbox|does(?: not|n't) like recipient"
        r"|unknown to (?:the )?(?:address|this)"
        r"|recipient name is not recognized|destination (?:mailbox|address)\S* (?:unknown"
        r"|invalid)|resolver\.adr\S*notfound"
        r"|(?:this|the) (?:user|address|account) (?:doesn'?t|does not|isn't|is not)|(?:is"
        r"|are) not (?:known|a (?:known|valid))"
        r"|(?:tried|trying) to (?:reach|contact) does not exist|no ?one at this address"
    ),
    Why.DISABLED: (
        r"(?:account|mailbox|user|recipient|address)(?: \S{1,80})? (?:is |has been "
        r"|was )?(?:temporarily |currently )?"
        r"(?:disabled|suspended|inactive|locked|deactivated|closed|expired|blocked|restricted"
        r"|not active|terminated|discontinued|frozen)"
        r"|(?:disabled|suspended|inactive|deactivated|expired) (?:account|mailbox|user"
        r"|recipient|address)"
        r"|mailbox (?:is )?(?:unavailable|not accepting)|not accepting (?:mail|messages)"
        r"|refuses? to accept|(?:tried|trying) to reach is (?:disabled"
        r"|inactive|suspended|over ?due)"
        r"|overdue and suspended"
    ),
    Why.NO_RELAY: (
        r"relay(?:ing)? (?:access )?(?:denied|not permitted|prohibited|not allowed|is not)"
        r"|unable to relay|not permitted to relay"
        r"|relaying|we (?:do not|don't) relay|rcpthosts|not (?:a )?local (?:host|domain)"
        r"|mail server requires authentication"
    ),
    Why.BLOCKED: (
        r"block(?:ed|ing|[- ]?list)|black-?list|dnsbl|\brbl\b|access denied|access deny|reputation"
        r"|connection refused by|not allowed to connect"
        r"|(?:rejected|refused) .{0,40}(?:your ip|ip address|client host)|banned"
        r"|client host rejected|listed (?:at|by|in|on)"
        r"|my name was rejected|no smtp service here|(?:helo|ehlo)\S* (?:argument|name|command) ?"
        r"(?:rejected|refused|invalid)|invalid (?:helo|ehlo)"
        r"|weren'?t sent|open relay|no access from|you are not allowed to"
    ),
    Why.POLICY: (
        r"polic(?:y|ies)|prohibited|(?<!type )not (?:allowed|permitted|authorized|accepted)"
        r"|administrative(?:ly)? (?:prohibit|reject|den)"
        r"|rejected by|denied by|security (?:reason|violation)|restricted|against our"
    ),
    Why.CONTENT: (
        r"(?:header|content|attachment|mime|format|charset|encoding)(?: \S+)? (?:error"
        r"|rejected|invalid|not supported|malformed|refused)"
        r"|attachments? (?:type|of this)|bare lf|conversion (?:required"
        r"|prohibited)|bad (?:header|content)|not rfc"
        r"|rfc ?5?2?8?22 compliant"
    ),
    Why.LOOP: (
        r"mail loop|routing loop|too many hops|hop count|loops? back|loop detected|forwarding loop"
        r"|message is looping|already has my delivered-to"
    ),
    Why.EXPIRED: (
        r"message timed out|too old|retry time not reached|queue(?:d)? (?:\S+ ){0,3}too long"
        r"|(?:retry|delivery|message) (?:time ?-?out"
        r"|time|timeout) (?:\w+ )?(?:exceeded|expired|has)"
        r"|(?:delivery|message|time|queue) (?:\S+ )?expired|giving up|gave up|given up"
        r"|failing for a long time|unable to deliver .{0,40} days"
        r"|after \d+(?:\.\d+)? (?:hour|day|minute|attempt)|failed \d+ attempts|(?:last"
        r"|past) \d+ seconds|will be retried|delayed"
        r"|not yet been delivered|still being retried|could not be delivered for"
        r"|warning message only|temporar\w+ (?:failure|problem)"
    ),
    Why.NETWORK: (
        r"connection (?:\w+ )?(?:timed out|timeout|refused|reset|lost|failed|dropped|closed"
        r"|died)|no route to host|network (?:is )?(?:error|unreachable)"
        r"|(?:could not|couldn't|can't|cannot|unable to|wasn't able to) (?:establish|connect"
        r"|contact|reach)|host (?:is )?(?:unreachable|down)"
        r"|(?:did not|didn't) (?:respond|answer|accept our)|no (?:answer|response) from"
        r"|tls (?:handshake|negotiation|connection)|starttls (?:failed|is required)"
        r"|socket error|timed? ?out|operation timed"
        r"|lost connection|deferred|dns (?:error|failure|lookup|server)|name (?:service"
        r"|server) (?:error|timeout)"
    ),
    Why.SYSTEM: (
        r"local problem|(?:local|system|internal|configuration|temporary|server|mailer|unknown"
        r"|processing) (?:\w+ )?error|misconfigur|service (?:currently )?(?:not available"
        r"|unavailable)"
        r"|system (?:not|config|problem|incorrectly)|resources temporarily|can(?:not"
        r"|'t) create|permission denied|ldap|command (?:died|failed|output)|exit (?:code"
        r"|status)"
    ),
    Why.PROTOCOL: (
        r"syntax error|(?:bad|invalid|unrecognized|unknown) (?:command|argument|parameter"
        r"|sequence|address syntax)|command (?:not|unrecognized)"
        r"|protocol error|malformed address|illegal"
    ),
}
_TABLE = tuple(
    (why, re.compile("|".join(filter(None, (words, ABROAD.get(why))))))
    for why, words in _WORDS.items()
)
_SPACES = re.compile(r"\s+")
_URL = re.compile(r"https?://\S+")
MAX_WORDS = 4_000  # characters of a diagnostic that are looked at

_SUBJECTS = {
    "1.1": Why.USER_UNKNOWN,
    "1.2": Why.HOST_UNKNOWN,
    "1.3": Why.USER_UNKNOWN,
    "1.6": Why.MOVED,
    "1.10": Why.HOST_UNKNOWN,
    "1.7": Why.SENDER_REFUSED,
    "1.8": Why.SENDER_REFUSED,
    "2.1": Why.DISABLED,
    "2.2": Why.MAILBOX_FULL,
    "2.3": Why.TOO_BIG,
    "3.1": Why.SYSTEM_FULL,
    "3.4": Why.TOO_BIG,
    "4.1": Why.NETWORK,
    "4.2": Why.NETWORK,
    "4.4": Why.HOST_UNKNOWN,
    "4.5": Why.RATE,
    "4.6": Why.LOOP,
    "4.7": Why.EXPIRED,
    "7.23": Why.AUTHENTICATION,
    "7.25": Why.NO_REVERSE_DNS,
    "7.26": Why.AUTHENTICATION,
}
_BROAD = {
    "3": Why.SYSTEM,
    "4": Why.NETWORK,
    "5": Why.PROTOCOL,
    "6": Why.CONTENT,
    "7": Why.POLICY,
}
_DEAD = frozenset({Why.USER_UNKNOWN, Why.HOST_UNKNOWN, Why.MOVED})


def reason_of_words(text: str) -> Why:
    """Give the reason that the words of a diagnostic name, UNDEFINED when they name none."""
    plain = _SPACES.sub(" ", _URL.sub(" ", text[:MAX_WORDS])).lower().replace("\u2019", "'")
    return next((why for why, words in _TABLE if words.search(plain)), Why.UNDEFINED)


def reason_of_status(status: str) -> Why:
    """Give the reason that an RFC 3463 code names, UNDEFINED for ``x.0.0`` and none."""
    if status.startswith("2."):
        return Why.DELIVERED
    detail = status.partition(".")[2]
    return _SUBJECTS.get(detail) or _BROAD.get(detail.partition(".")[0], Why.UNDEFINED)


def is_hard(why: Why, status: str) -> bool:
    """Whether the address itself is dead: no such mailbox or domain, and for good."""
    # X.7.n: somebody may not write there, which says nothing against the address
    return why in _DEAD and not status.startswith(("2", "4", "5.7."))
