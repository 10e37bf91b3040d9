"""S3 as the store of raw messages."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.aws.client import Clients


class S3Blobs:
    """Objects of one bucket; fulfils ports.BlobStore. S3 writes an object whole or not at all."""

    def __init__(self, clients: Clients, bucket: str) -> None:
        self._clients = clients
        self._bucket = bucket

    async def get(self, key: str) -> bytes:
        """Read a whole object; raises NotFoundError or ServiceUnavailableError."""
        return await self._clients.call(partial(self._get, key))

    async def put(self, key: str, data: bytes) -> None:
        """Write a whole object."""
        await self._clients.call(partial(self._put, key, data))

    def _get(self, key: str) -> bytes:
        answer = self._clients.service("s3").get_object(Bucket=self._bucket, Key=key)
        data: bytes = answer["Body"].read()
        return data

    def _put(self, key: str, data: bytes) -> None:
        self._clients.service("s3").put_object(Bucket=self._bucket, Key=key, Body=data)
