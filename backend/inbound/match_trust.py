"""Who writes: does the sender take part in a conversation, and is it really him? Pure.

Ids that can be guessed or quoted are no credentials (facts of other help desks: a stranger's mail
in a client's ticket is the worst that happens to them), so the sender has to fit as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from backend.model.address import address_key, domain_of
from backend.model.inbound import ScanVerdict

if TYPE_CHECKING:
    from collections.abc import Set

    from backend.model.inbound import ScanVerdicts

# domains where a mailbox tells nothing of the company: neighbours there are strangers
PUBLIC_PROVIDERS = frozenset(
    {
        *("aol.com", "bluewin.ch", "btinternet.com", "comcast.net", "duck.com", "fastmail.com"),
        *("free.fr", "freenet.de", "gmail.com", "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net"),
        *("googlemail.com", "hey.com", "hotmail.co.uk", "hotmail.com", "hotmail.fr", "icloud.com"),
        *("laposte.net", "libero.it", "live.com", "live.nl", "mac.com", "mail.com", "mail.ru"),
        *("me.com", "msn.com", "orange.fr", "outlook.com", "outlook.de", "outlook.fr", "pm.me"),
        *("proton.me", "protonmail.com", "qq.com", "rocketmail.com", "sfr.fr", "sky.com"),
        *("t-online.de", "tutanota.com", "verizon.net", "wanadoo.fr", "web.de", "wp.pl"),
        *("yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.fr", "yandex.com"),
        *("yandex.ru", "ymail.com", "ziggo.nl", "zoho.com", "126.com", "163.com"),
    }
)


class Standing(IntEnum):
    """How near a sender is to a conversation; more is nearer."""

    STRANGER = 0
    COLLEAGUE = 1
    PARTICIPANT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """The author of a message; not ``proven`` when a check of the sender has failed."""

    address: str
    proven: bool

    def standing(self, participants: Set[str]) -> Standing:
        """Tell how near he is; who is not proven is nobody we know."""
        if not self.proven or "@" not in self.address:
            return Standing.STRANGER
        if self.address in participants:
            return Standing.PARTICIPANT
        domain = domain_of(self.address)
        near = domain and domain not in PUBLIC_PROVIDERS
        if near and any(domain_of(address) == domain for address in participants):
            return Standing.COLLEAGUE
        return Standing.STRANGER


def read_sender(from_address: str, verdicts: ScanVerdicts) -> Sender:
    """Take the author and what the checks say of him.

    A check that was not made, or could not decide, proves nothing against him: mail of other
    sources than SES comes without. A pass of DMARC makes up for SPF or DKIM.
    """
    failed = verdicts.dmarc is ScanVerdict.FAIL or (
        verdicts.dmarc is not ScanVerdict.PASS
        and verdicts.spf is ScanVerdict.FAIL
        and verdicts.dkim is ScanVerdict.FAIL
    )
    return Sender(address=address_key(from_address), proven=not failed)
