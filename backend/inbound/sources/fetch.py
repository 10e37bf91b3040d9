"""Read a URL that somebody else wrote, without letting them reach what only we can reach.

https only, default port only; every address the name resolves to must be public; the connection
goes to the address that was checked, so that a second answer of the DNS changes nothing; no
redirects, no proxy, a time limit for the whole and a limit of size. CWE-918.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from backend.errors import InvalidInputError, ServiceUnavailableError
from backend.net_guard import is_public, resolve

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from urllib.parse import SplitResult

    from backend.net_guard import Address, Resolve

SECONDS = 10.0
HTTPS = 443
MAX_URL = 4096
OK = 200
FAULT = 500


class GuardedFetch:
    """Reads URLs; ``allows`` judges addresses, ``trust`` replaces the system's authorities."""

    def __init__(
        self,
        *,
        limit: int,
        seconds: float = SECONDS,
        allows: Callable[[str], bool] = is_public,
        resolve: Resolve = resolve,
        trust: ssl.SSLContext | bool = True,
    ) -> None:
        self._limit = limit
        self._seconds = seconds
        self._allows = allows
        self._resolve = resolve
        self._trust = trust

    async def __call__(self, url: str) -> bytes:
        """Give the body; raises InvalidInputError for a URL or an answer that will not do.

        Raises ServiceUnavailableError when there is no answer, or none in time.
        """
        parts = checked_url(url)
        host = str(parts.hostname)
        try:
            async with asyncio.timeout(self._seconds):
                address = await self._address(host)
                return await self._read(parts, host, address)
        except TimeoutError:
            raise ServiceUnavailableError(
                f"{host[:100]} did not answer within {self._seconds:g} s"
            ) from None
        except httpx.HTTPError as error:
            raise ServiceUnavailableError(f"{host[:100]} did not answer: {error}") from None

    async def _address(self, host: str) -> Address:
        found = await self._resolve(host, HTTPS)
        # one bad address spoils the name: which of them is used is not the caller's to choose
        if not found or not all(self._allows(ip) for ip, _ in found):
            raise _refused(f"{host[:100]} is not a public address")
        return found[0]

    async def _read(self, parts: SplitResult, host: str, address: Address) -> bytes:
        ip, port = address
        at = httpx.URL(
            scheme="https",
            host=ip,
            port=port,
            raw_path=(parts.path or "/").encode()
            + (b"?" + parts.query.encode()) * bool(parts.query),
        )
        headers = {"Host": host, "Accept-Encoding": "identity"}
        # the certificate is checked against the name that was asked for, not against the address
        extensions = {"sni_hostname": host}
        client = httpx.AsyncClient(
            verify=self._trust, trust_env=False, follow_redirects=False, timeout=self._seconds
        )
        async with client, client.stream("GET", at, headers=headers, extensions=extensions) as got:
            _check_status(got.status_code, host)
            return await self._body(got, host)

    async def _body(self, got: httpx.Response, host: str) -> bytes:
        body = bytearray()
        async for piece in got.aiter_raw():
            body += piece
            if len(body) > self._limit:
                raise TooLargeError(
                    f"raw_mime_url: {host[:100]} gives more than {self._limit // 1_048_576} MB",
                    field="raw_mime_url",
                )
        return bytes(body)


class TooLargeError(InvalidInputError):
    """What a URL gives is larger than any mail may be."""


def checked_url(url: str) -> SplitResult:
    """Take a URL apart that may be asked for; raises InvalidInputError."""
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>'):
        raise _refused("this is not a URL in plain ASCII")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("this is not a URL") from None
    if parts.scheme != "https":
        raise _refused("only https is fetched")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise _refused("a user or password in the URL is not taken")
    if port not in (None, HTTPS):
        raise _refused("only the default port of https is fetched")
    if not parts.hostname:
        raise _refused("the URL names no host")
    return parts


def _check_status(status: int, host: str) -> None:
    if status == OK:
        return
    if status >= FAULT:
        raise ServiceUnavailableError(f"{host[:100]} answered {status}")
    raise _refused(f"{host[:100]} answered {status}; redirects are not followed")


def _refused(why: str) -> InvalidInputError:
    return InvalidInputError(f"raw_mime_url: {why}", field="raw_mime_url")
