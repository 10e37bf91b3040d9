"""boto3 clients, and the bounded threads in which their blocking calls run.

boto3 is imported when the first client is made, not before: it costs a third of a second, and the
command line must not pay it for ``--help``. facts: botocore retries a lost answer by itself, which
for a send is a silent duplicate; the sending client therefore makes exactly one attempt.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from backend.aws.errors import explain

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

THREADS = 8
READ_TIMEOUT = 20.0
_CONNECT_TIMEOUT = 5.0
_LONGEST_POLL = 20.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Clients:
    """Makes one boto3 client per service and runs calls on it in at most ``threads`` threads.

    ``read_timeout`` is in seconds: how long SES may take to answer before the outcome of a send
    counts as unknown. Long polls have threads of their own, so that they never hold up a send.
    """

    def __init__(
        self,
        region: str,
        endpoint_url: str | None = None,
        *,
        read_timeout: float = READ_TIMEOUT,
        threads: int = THREADS,
    ) -> None:
        self.region = region
        self.endpoint_url = endpoint_url
        self._read_timeout = read_timeout
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="aws")
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}
        self._session: Any = None  # reads what boto3 knows of the services, once for all clients

    def sender(self) -> Any:
        """Give the SES v2 client for sending, which never retries by itself."""
        # QUIRK(botocore): max_attempts=1 means one *re*try; total_max_attempts=1 means one call.
        return self._client("sesv2", "sender", self._read_timeout, {"total_max_attempts": 1})

    def poller(self) -> Any:
        """Give the SQS client for long polls, patient beyond SQS's longest wait of 20 s."""
        return self._client("sqs", "poller", _LONGEST_POLL + 10, {"total_max_attempts": 1})

    def service(self, name: str) -> Any:
        """Give the client of any other use of a service; botocore retries its reads."""
        retries = {"mode": "standard", "total_max_attempts": 3}
        return self._client(name, name, self._read_timeout, retries)

    async def call(self, function: Callable[[], T], *, sending: bool = False) -> T:
        """Run a blocking call in the pool; raises our errors in place of botocore's."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, _explained, function, sending)

    async def wait(self, function: Callable[[], T]) -> T:
        """Run a long poll in a thread of its own, which does not keep the process alive."""
        future: Future[T] = Future()

        def poll() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(_explained(function, False))
            except BaseException as error:  # noqa: BLE001  # carried over to the awaiting task
                future.set_exception(error)

        threading.Thread(target=poll, name="aws-poll", daemon=True).start()
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Close idle connections and let the threads end; calls under way finish first."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            made, self._made = self._made, {}
        for client in made.values():
            client.close()

    def _client(self, service: str, key: str, timeout: float, retries: dict[str, Any]) -> Any:
        with self._lock:
            if key not in self._made:
                self._made[key] = self._make(service, timeout, retries)
            return self._made[key]

    def _make(self, service: str, timeout: float, retries: dict[str, Any]) -> Any:
        import boto3  # noqa: PLC0415  # a third of a second, paid at first use only
        from botocore.config import Config  # noqa: PLC0415  # comes with boto3

        settings: dict[str, Any] = {
            "region_name": self.region,
            "connect_timeout": _CONNECT_TIMEOUT,
            "read_timeout": timeout,
            "max_pool_connections": self._threads,
            "retries": retries,
        }
        if self.endpoint_url:
            settings["s3"] = {"addressing_style": "path"}
        self._session = self._session or boto3.session.Session()
        return self._session.client(
            service,
            endpoint_url=self.endpoint_url,
            config=Config(**settings),
            **_credentials(self.endpoint_url),
        )


def _credentials(endpoint_url: str | None) -> dict[str, str]:
    # A double of AWS on this machine takes any key, so it is never shown a real one.
    if endpoint_url is None or urlsplit(endpoint_url).hostname not in _LOOPBACK:
        return {}
    return {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}


def _explained(function: Callable[[], T], sending: bool) -> T:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # see _make
    from urllib3.exceptions import HTTPError  # noqa: PLC0415  # see _make

    try:
        return function()
    except (BotoCoreError, ClientError, HTTPError) as error:
        raise explain(error, sending=sending) from error
