"""What a refusal means in plain words, and what to do: for every enhanced status code. No I/O.

Codes: RFC 3463 and its registry (IANA, "SMTP Enhanced Status Codes"); bounce subtypes: the SES
developer guide, "Contents of event data".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.])([45])\d\d(?![\d.])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a mail did not arrive and what helps; ``code`` is the status it was told by, if any."""

    sentence: str
    remedy: str
    code: str = ""


def _cause(text: str) -> Cause:
    sentence, _, remedy = text.partition(" | ")
    return Cause(sentence=sentence, remedy=remedy)


_ASK = "Ask the recipient for a working address by telephone."
_TYPO = f"Look for a typing error. {_ASK}"
_PLAIN = "Send plain text without attachments to find out."
_WAIT = "Nothing to do: it was tried for hours. Send again later."
_THEM = "Their mail administrator has to mend it; give him the diagnostic."
_LIST = "Ask them to allow our sender, or look up the named blocklist and have us removed."
_DNS = "Check the sending domain's records: `relay-console domains show`."

_BY_CODE = {
    "1.0": f"The address was refused. | {_ASK}",
    "1.1": f"There is no such mailbox at that domain. | {_ASK} Until then it stays suppressed.",
    "1.2": f"The domain of the address does not exist or takes no mail. | {_TYPO}",
    "1.3": f"The address is not written as an address may be. | {_TYPO}",
    "1.4": f"The address fits several mailboxes there. | {_ASK}",
    "1.5": f"The address is valid but takes no mail. | {_ASK}",
    "1.6": f"The mailbox has moved and no forwarding address is known. | {_ASK}",
    "1.7": "Their server does not like the form of our sender address. | Check the From address.",
    "1.8": f"Their server cannot find our sender's domain in the DNS. | {_DNS}",
    "1.9": f"The message was relayed to a system that knows no such format. | {_THEM}",
    "1.10": f"The domain says in the DNS that it takes no mail at all (null MX). | {_ASK}",
    "2.0": f"Something is wrong with the mailbox. | {_THEM}",
    "2.1": f"The mailbox is switched off. | {_ASK} The person may have left.",
    "2.2": f"The mailbox is full. | {_WAIT} Tell the recipient by telephone.",
    "2.3": "The mail is larger than this mailbox takes. | Send a link instead of the attachment.",
    "2.4": f"The distribution list behind the address cannot be expanded. | {_THEM}",
    "3.0": f"Their mail system has a fault. | {_WAIT}",
    "3.1": f"Their mail system is full. | {_WAIT}",
    "3.2": f"Their system takes no mail at present. | {_WAIT}",
    "3.3": f"Their system cannot do what the mail needs. | {_THEM}",
    "3.4": "The mail is larger than their system takes. | Send a link instead of the attachment.",
    "3.5": f"Their system is set up wrongly. | {_THEM}",
    "4.0": f"The mail could not be carried to their server. | {_WAIT}",
    "4.1": f"Their server did not answer. | {_WAIT}",
    "4.2": f"The connection to their server broke. | {_WAIT}",
    "4.3": f"A directory their server asks did not answer. | {_WAIT}",
    "4.4": f"No way to their server is known: its DNS is wrong. | {_THEM}",
    "4.5": f"Their system is overloaded. | {_WAIT}",
    "4.6": f"Their systems hand the mail round in a circle. | {_THEM}",
    "4.7": f"It could not be delivered in all the time it was tried. | {_WAIT}",
    "5.0": f"Their server and SES misunderstood each other. | {_THEM}",
    "5.1": f"Their server refused a command. | {_THEM}",
    "5.2": f"Their server did not understand a command. | {_THEM}",
    "5.3": "There are too many recipients. | Send to fewer at once.",
    "5.4": f"A command was written as their server does not like. | {_THEM}",
    "5.5": f"Their server speaks another version of the protocol. | {_THEM}",
    "6.0": f"Something in the content was refused. | {_PLAIN}",
    "6.1": "Their system does not take this kind of content. | Send it as plain text or PDF.",
    "6.2": f"Their system would have to convert the content and may not. | {_THEM}",
    "6.3": f"Their system would have to convert the content and cannot. | {_THEM}",
    "6.4": "The content was converted with losses. | Nothing to do.",
    "6.5": f"Their system could not convert the content. | {_THEM}",
    "6.6": "Their system could not get at the content. | Send it again.",
    "6.7": f"Their system takes no addresses with such characters. | {_ASK}",
    "7.0": f"Their server refused it for policy or security. | {_LIST}",
    "7.1": f"We may not send to this address: a policy or a filter of theirs forbids it. | {_LIST}",
    "7.2": "We may not send to this list. | Ask the owner of the list to allow our sender.",
    "7.3": f"It would have to be made secure for their system and cannot. | {_THEM}",
    "7.4": f"Their system asks for a security that is not supported. | {_THEM}",
    "7.5": f"A key or signature check failed on their side. | {_DNS}",
    "7.6": f"Their system does not support the encryption. | {_THEM}",
    "7.7": f"The content was changed on its way. | {_DNS}",
    "7.8": f"Their server asks for a login, which no one sends to a public server. | {_THEM}",
    "7.9": f"Their server finds the login too weak. | {_THEM}",
    "7.13": f"The account of the recipient is disabled. | {_ASK}",
    "7.17": f"The mailbox has changed hands since we knew it. | {_ASK}",
    "7.20": f"No DKIM signature passed their check. | {_DNS}",
    "7.21": f"No DKIM signature they accept was found. | {_DNS}",
    "7.22": f"The DKIM signature is of another domain than the From. | {_DNS}",
    "7.23": f"SPF failed: the DNS does not allow this sender. | {_DNS}",
    "7.24": f"SPF could not be checked: the record is wrong. | {_DNS}",
    "7.25": "The sending server has no name in the reverse DNS. | Tell AWS: the server is theirs.",
    "7.26": f"Several checks of who we are failed (SPF, DKIM, DMARC). | {_DNS}",
    "7.27": f"Our sender's domain takes no mail (null MX), so theirs trusts none of it. | {_DNS}",
    "7.28": "They get too much mail from us at once. | Send more slowly to that domain.",
    "7.29": f"A check of the chain of forwarders (ARC) failed. | {_THEM}",
    "7.30": f"Their system asks for a secure connection. | {_THEM}",
}

_BY_GROUP = {
    "1": f"Something is wrong with the address. | {_ASK}",
    "2": f"Something is wrong with the mailbox. | {_THEM}",
    "3": f"Something is wrong with their mail system. | {_WAIT}",
    "4": f"The mail could not be carried to their server. | {_WAIT}",
    "5": f"Their server and SES misunderstood each other. | {_THEM}",
    "6": f"Something in the content was refused. | {_PLAIN}",
    "7": f"Their server refused it for policy or security. | {_LIST}",
}

_BY_SUBTYPE = {
    "OnAccountSuppressionList": (
        "SES did not try: the address is on the account's suppression list."
        " | If it works again, remove it here and at SES: `relay-console suppressions sync`."
    ),
    "Suppressed": (
        "SES did not try: the address has bounced for many of its customers lately."
        f" | {_ASK} AWS drops such entries by itself after some weeks."
    ),
    "UnsubscribedRecipient": "The recipient has unsubscribed from this list. | Do not send again.",
    "NoEmail": f"SES could not find the address in the bounce. | Read the diagnostic. {_ASK}",
    "MailboxFull": _BY_CODE["2.2"],
    "MessageTooLarge": _BY_CODE["3.4"],
    "ContentRejected": _BY_CODE["6.0"],
    "AttachmentRejected": "An attachment was refused. | Send a link instead of the attachment.",
    "SpamDetected": f"Their server holds it for spam. | {_LIST}",
    "IPFailure": f"Their server does not like the sending address of SES. | {_WAIT}",
    "RecipientServerError": _BY_CODE["3.0"],
    "TransientCommunicationFailure": _BY_CODE["4.2"],
    "InternalFailure": f"SES has a fault of its own and tries on. | {_WAIT}",
    "SendingDeferral": f"SES holds it back because their server refuses much of it. | {_WAIT}",
    "Undetermined": "SES could not tell why. | Read the diagnostic; send once more.",
}

_TYPES = {"Permanent": "5", "Transient": "4"}

_WITHOUT_WORD = {
    "4": f"Their server put it off and SES gave up in the end. | {_WAIT}",
    "5": f"Their server refused it for good. | Read the diagnostic. {_ASK}",
}


def cause_of(detail: str) -> Cause | None:
    """Read a diagnostic such as ``Permanent/General: smtp; 550 5.1.1 user unknown``.

    What SES itself says of a suppression list comes first, then the most telling enhanced code,
    then the subtype, then the first digit of the reply. None when nothing tells anything.
    """
    head, _, rest = detail.partition(":")
    subtypes = [part for part in head.split("/") if part in _BY_SUBTYPE]
    if subtypes and subtypes[-1] in {"OnAccountSuppressionList", "Suppressed"}:
        return _cause(_BY_SUBTYPE[subtypes[-1]])
    codes = [code for code in _CODE.findall(rest or detail) if code[0] != "2"]
    # X.0.0 and the X.Y.0 of a group say less than any other code beside them
    for group, subject, part in sorted(codes, key=lambda c: (c[1] == "0", c[2] == "0")):
        text = _BY_CODE.get(f"{subject}.{part}") or _BY_GROUP.get(subject)
        if text is not None:
            found = _cause(text)
            code = f"{group}.{subject}.{part}"
            return Cause(sentence=found.sentence, remedy=found.remedy, code=code)
    if subtypes:
        return _cause(_BY_SUBTYPE[subtypes[-1]])
    said = _REPLY.search(rest or detail)
    reply = codes[0][0] if codes else said[1] if said else _TYPES.get(head.partition("/")[0], "")
    return _cause(_WITHOUT_WORD[reply]) if reply in _WITHOUT_WORD else None
