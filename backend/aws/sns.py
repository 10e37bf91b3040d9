"""SNS over HTTP: messages verified, subscriptions confirmed by an API call.

No address from a message is ever opened but the certificate's, and that one only when it is
exactly where SNS of our region keeps its certificates.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from backend.aws.sns_signature import (
    SnsMessage,
    UnverifiedNoticeError,
    check_claims,
    check_signature,
    read_message,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from backend.aws.client import Clients
    from backend.ports import Clock

_KEPT = 8  # certificates; SNS changes its own about once a year


class SnsVerifier:
    """Tells messages of our topics from forgeries.

    ``fetch`` reads a URL without following redirects; it raises TransientError.
    """

    def __init__(
        self,
        fetch: Callable[[str], Awaitable[bytes]],
        clock: Clock,
        *,
        region: str,
        topics: Collection[str],
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._region = region
        self._topics = frozenset(topics)
        self._certificates: dict[str, bytes] = {}
        self._fetching = asyncio.Lock()

    async def verify(self, body: bytes) -> SnsMessage:
        """Give the message of a body that SNS signed for a topic of ours.

        Raises InvalidInputError, UnverifiedNoticeError, TransientError without the certificate.
        """
        message = read_message(body)
        now = self._clock.now()
        check_claims(message, topics=self._topics, region=self._region, now=now)
        url = message.signing_cert_url
        known = url in self._certificates
        certificate = await self._certificate(url)
        try:
            check_signature(message, certificate, now=now)
        except UnverifiedNoticeError:
            if not known:  # what does not verify is not kept: it may have been a broken answer
                self._certificates.pop(url, None)
            raise
        return message

    async def _certificate(self, url: str) -> bytes:
        async with self._fetching:  # a burst of messages asks once
            if url not in self._certificates:
                certificate = await self._fetch(url)
                if len(self._certificates) >= _KEPT:
                    self._certificates.clear()
                self._certificates[url] = certificate
            return self._certificates[url]


class SnsTopics:
    """The SNS API, as far as we call it."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def confirm(self, topic_arn: str, token: str) -> str:
        """Confirm a subscription and give its ARN; only our account can then end it.

        Raises RefusedError, NotFoundError, ServiceUnavailableError.
        """
        return await self._clients.call(partial(self._confirm, topic_arn, token))

    def _confirm(self, topic_arn: str, token: str) -> str:
        answer = self._clients.service("sns").confirm_subscription(
            TopicArn=topic_arn, Token=token, AuthenticateOnUnsubscribe="true"
        )
        return str(answer["SubscriptionArn"])
