"""S3 as the store of raw messages."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from backend.ports import Stored

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from backend.aws.client import Clients


_LONGEST_LINK = 7 * 86_400  # seconds; Signature Version 4 allows no more


class S3Blobs:
    """Objects of one bucket; fulfils ports.BlobStore and ports.BlobListing.

    S3 writes an object whole or not at all.
    """

    def __init__(self, clients: Clients, bucket: str) -> None:
        self._clients = clients
        self._bucket = bucket

    async def get(self, key: str) -> bytes:
        """Read a whole object; raises NotFoundError or ServiceUnavailableError."""
        return await self._clients.call(partial(self._get, key))

    async def put(self, key: str, data: bytes) -> None:
        """Write a whole object."""
        await self._clients.call(partial(self._put, key, data))

    async def delete(self, key: str) -> None:
        """Delete an object; one that is not there is no error."""
        await self._clients.call(partial(self._delete, key))

    async def pages(self, prefix: str = "") -> AsyncIterator[Sequence[Stored]]:
        """Give the objects whose keys begin so, at most a thousand at a time."""
        more: str | None = ""
        while more is not None:
            answer = await self._clients.call(partial(self._list, prefix, more))
            yield [_stored(entry) for entry in answer.get("Contents", ())]
            more = answer.get("NextContinuationToken")

    async def stored_at(self, key: str) -> datetime | None:
        """Tell when an object was written, None when there is none."""
        answer = await self._clients.call(partial(self._list, key, ""))
        found = (_stored(entry) for entry in answer.get("Contents", ()))
        return next((one.stored_at for one in found if one.key == key), None)

    async def presign(self, key: str, seconds: int, *, name: str = "") -> str:
        """Give a URL that reads an object for so many seconds, at most 7 days.

        With a ``name`` it is downloaded under that name, and never shown by a browser.
        QUIRK(S3): it ends earlier when the credentials it was signed with do.
        """
        return await self._clients.call(partial(self._presign, key, seconds, name))

    def _get(self, key: str) -> bytes:
        answer = self._clients.service("s3").get_object(Bucket=self._bucket, Key=key)
        data: bytes = answer["Body"].read()
        return data

    def _presign(self, key: str, seconds: int, name: str) -> str:
        wanted = {"Bucket": self._bucket, "Key": key}
        if name:
            wanted["ResponseContentDisposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
            wanted["ResponseContentType"] = "application/octet-stream"
        url: str = self._clients.service("s3").generate_presigned_url(
            "get_object",
            Params=wanted,
            ExpiresIn=min(seconds, _LONGEST_LINK),
        )
        return url

    def _put(self, key: str, data: bytes) -> None:
        self._clients.service("s3").put_object(Bucket=self._bucket, Key=key, Body=data)

    def _delete(self, key: str) -> None:
        self._clients.service("s3").delete_object(Bucket=self._bucket, Key=key)

    def _list(self, prefix: str, more: str) -> dict[str, Any]:
        request = {"Bucket": self._bucket, "Prefix": prefix}
        if more:
            request["ContinuationToken"] = more
        answer: dict[str, Any] = self._clients.service("s3").list_objects_v2(**request)
        return answer


def _stored(entry: dict[str, Any]) -> Stored:
    return Stored(key=entry["Key"], size=int(entry["Size"]), stored_at=entry["LastModified"])
