"""S3, SNS and SQS by moto: its WSGI applications, and a short way in for our own SES.

Only three of moto's services are imported. SNS fan-out is done here and not by moto, which signs
every notification with a new RSA certificate that it then keeps for ever; the envelope is that of
ses.md section 8 with a signature that verifies nowhere, and a duplicate keeps its MessageId.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

_SERVICES: tuple[Literal["s3", "sns", "sqs"], ...] = ("s3", "sns", "sqs")
_SIGNATURE = base64.b64encode(b"not signed: this is the sandbox").decode()


class MotoAws:
    """One account in one region.

    moto keeps its state in globals by account, so the account is what tells two sandboxes in one
    process apart.
    """

    def __init__(self, region: str, account: str) -> None:
        # These imports take half a second; a sandbox that is never started must not cost them.
        from moto.backends import get_backend  # noqa: PLC0415
        from moto.moto_server.werkzeug_app import create_backend_app  # noqa: PLC0415

        self._region = region
        self._account = account
        self._apps: dict[str, Any] = {name: create_backend_app(name) for name in _SERVICES}
        self._s3: Any = get_backend("s3")[account]["aws"]
        self._sns: Any = get_backend("sns")[account][region]
        self._sqs: Any = get_backend("sqs")[account][region]
        # Not S3: its reset closes the objects of every account in the process.
        for backend in (self._sns, self._sqs):
            backend.reset()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer an AWS call, by the service its signature names; S3 when there is none."""
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = self._account
        app: Callable[..., Iterable[bytes]] = self._apps.get(_service(environ), self._apps["s3"])
        return app(environ, start_response)

    def put_object(self, bucket: str, key: str, data: bytes) -> None:
        """Write an S3 object."""
        self._s3.put_object(bucket, key, data)

    def publish(self, topic_arn: str, message: str, *, message_id: str, at: str) -> None:
        """Give a message to every SQS queue subscribed to a topic; ``at`` is ISO 8601."""
        subscriptions, _ = self._sns.list_subscriptions_by_topic(topic_arn=topic_arn)
        for subscription in subscriptions:
            if subscription.protocol != "sqs":
                continue
            raw = subscription.attributes.get("RawMessageDelivery") == "true"
            body = message if raw else self._envelope(topic_arn, message, message_id, at)
            self._sqs.send_message(subscription.endpoint.rpartition(":")[2], body)

    def _envelope(self, topic_arn: str, message: str, message_id: str, at: str) -> str:
        host = f"https://sns.{self._region}.amazonaws.com"
        return json.dumps(
            {
                "Type": "Notification",
                "MessageId": message_id,
                "TopicArn": topic_arn,
                "Message": message,
                "Timestamp": at,
                "SignatureVersion": "1",
                "Signature": _SIGNATURE,
                "SigningCertURL": f"{host}/SimpleNotificationService-{'0' * 32}.pem",
                "UnsubscribeURL": f"{host}/?Action=Unsubscribe&SubscriptionArn={topic_arn}",
            }
        )


def _service(environ: WSGIEnvironment) -> str:
    # Authorization: AWS4-HMAC-SHA256 Credential=KEY/20261120/us-east-1/sqs/aws4_request, ...
    scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split(",")[0]
    parts = scope.split("/")
    return parts[3] if len(parts) == 5 else ""
