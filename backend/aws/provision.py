"""Makes what the Relay needs at AWS: a bucket, channels of notices, a configuration set.

Every call may be repeated; what is there already is left as it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backend.aws.errors import explain

if TYPE_CHECKING:
    from backend.aws.client import Clients

EVENT_TYPES = (
    "SEND",
    "REJECT",
    "BOUNCE",
    "COMPLAINT",
    "DELIVERY",
    "OPEN",
    "CLICK",
    "RENDERING_FAILURE",
    "DELIVERY_DELAY",
    "SUBSCRIPTION",
)


# a notice whose reader was killed comes back after 5 s, not SQS's 30: a test world has no patience
_SOON = {"VisibilityTimeout": "5"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """An SNS topic and the SQS queue subscribed to it."""

    topic_arn: str
    queue_url: str
    queue_arn: str


class Provisioner:
    """Creates resources; its calls block, and raise our errors."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def bucket(self, name: str) -> None:
        """Create a bucket in the region of the clients."""
        request: dict[str, Any] = {"Bucket": name}
        # QUIRK(S3): us-east-1 is the one region that must not be named.
        if self._clients.region != "us-east-1":
            request["CreateBucketConfiguration"] = {"LocationConstraint": self._clients.region}
        self._call("s3", "create_bucket", unless="BucketAlreadyOwnedByYou", **request)

    def channel(self, name: str, *, raw: bool) -> Channel:
        """Create a topic and a queue of one name, and subscribe the queue; ``raw``: no envelope."""
        topic = self._call("sns", "create_topic", Name=name)["TopicArn"]
        url = self._call("sqs", "create_queue", QueueName=name, Attributes=_SOON)["QueueUrl"]
        asked = self._call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["QueueArn"])
        queue = asked["Attributes"]["QueueArn"]
        policy = json.dumps(_only_from(topic, queue))
        self._call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": policy})
        attributes = {"RawMessageDelivery": "true"} if raw else {}
        self._call(
            "sns",
            "subscribe",
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=queue,
            Attributes=attributes,
        )
        return Channel(topic_arn=topic, queue_url=url, queue_arn=queue)

    def configuration_set(self, name: str, topic_arn: str) -> None:
        """Create a configuration set that publishes every event type to a topic."""
        self._call(
            "sesv2",
            "create_configuration_set",
            unless="AlreadyExistsException",
            ConfigurationSetName=name,
        )
        self._call(
            "sesv2",
            "create_configuration_set_event_destination",
            unless="AlreadyExistsException",
            ConfigurationSetName=name,
            EventDestinationName=name,
            EventDestination={
                "Enabled": True,
                "MatchingEventTypes": list(EVENT_TYPES),
                "SnsDestination": {"TopicArn": topic_arn},
            },
        )

    def publish(self, topic_arn: str, message: str) -> str:
        """Publish a message to a topic and give the SNS MessageId."""
        return str(self._call("sns", "publish", TopicArn=topic_arn, Message=message)["MessageId"])

    def _call(self, service: str, operation: str, *, unless: str = "", **request: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # see client.py

        client = self._clients.service(service)
        try:
            return getattr(client, operation)(**request)
        except ClientError as error:
            if unless and error.response["Error"].get("Code") == unless:
                return {}
            raise explain(error, sending=False) from error
        except BotoCoreError as error:
            raise explain(error, sending=False) from error


def _only_from(topic_arn: str, queue_arn: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
            }
        ],
    }
