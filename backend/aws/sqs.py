"""SQS: receiving notices by long poll, hiding them for longer, deleting what is durable."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from backend.errors import ServiceUnavailableError
from backend.ports import Notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.aws.client import Clients

_BATCH = 10  # SQS takes and gives at most ten messages a call
_LONGEST_HOLD = 43_200  # 12 hours


class SqsQueue:
    """One queue, standard or FIFO, by its URL; fulfils ports.PatientQueue."""

    def __init__(self, clients: Clients, url: str) -> None:
        self._clients = clients
        self._url = url

    async def receive(self, limit: int, wait_seconds: int) -> Sequence[Notice]:
        """Long-poll for up to ``limit`` (1-10) notices, at most 20 s."""
        return await self._clients.wait(partial(self._receive, limit, wait_seconds))

    async def acknowledge(self, notices: Sequence[Notice]) -> None:
        """Delete notices; raises ServiceUnavailableError when some stayed, to be seen again."""
        for start in range(0, len(notices), _BATCH):
            batch = notices[start : start + _BATCH]
            await self._clients.call(partial(self._delete, batch))

    async def hold(self, notices: Sequence[Notice], seconds: int) -> None:
        """Keep notices hidden for so many seconds (at most 12 h in all) from now.

        One whose handle has run out is passed over: another receiver has it, or it is deleted.
        """
        for start in range(0, len(notices), _BATCH):
            batch = notices[start : start + _BATCH]
            await self._clients.call(partial(self._hide, batch, seconds))

    async def backlog(self) -> int:
        """Tell about how many notices wait or are under way, as SQS counts them."""
        return await self._clients.call(self._count)

    def _receive(self, limit: int, wait_seconds: int) -> list[Notice]:
        answer = self._clients.poller().receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(max(limit, 1), _BATCH),
            WaitTimeSeconds=min(max(wait_seconds, 0), 20),
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        return [_notice(message) for message in answer.get("Messages", ())]

    def _delete(self, batch: Sequence[Notice]) -> None:
        answer = self._clients.service("sqs").delete_message_batch(
            QueueUrl=self._url,
            Entries=[
                {"Id": str(place), "ReceiptHandle": notice.handle}
                for place, notice in enumerate(batch)
            ],
        )
        if failed := answer.get("Failed"):
            raise ServiceUnavailableError(
                f"SQS kept {len(failed)} of {len(batch)} notices: {failed[0].get('Message', '')}"
            )

    def _hide(self, batch: Sequence[Notice], seconds: int) -> None:
        self._clients.service("sqs").change_message_visibility_batch(
            QueueUrl=self._url,
            Entries=[
                {
                    "Id": str(place),
                    "ReceiptHandle": notice.handle,
                    "VisibilityTimeout": min(max(seconds, 0), _LONGEST_HOLD),
                }
                for place, notice in enumerate(batch)
            ],
        )

    def _count(self) -> int:
        answer = self._clients.service("sqs").get_queue_attributes(
            QueueUrl=self._url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )
        return sum(map(int, answer["Attributes"].values()))


def _notice(message: dict[str, Any]) -> Notice:
    return Notice(
        id=message["MessageId"],
        body=message["Body"],
        handle=message["ReceiptHandle"],
        receive_count=int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
    )
