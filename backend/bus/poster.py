"""Post to a URL a tenant wrote, without letting it lead to what only we can reach. CWE-918.

https only; every address the name resolves to must be public; the connection goes to the address
that was judged; no redirects, no proxy, a time limit for the whole, 2 KB of the answer are kept.
The status decides: a body that never ends, or breaks off, makes no failure of a 2xx.
``inside`` is for development: http, and then only to this machine or a private network.
"""

from __future__ import annotations

import asyncio
import ipaddress
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from backend.errors import InvalidInputError, ServiceUnavailableError
from backend.net_guard import is_public, resolve
from backend.net_words import in_words

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from urllib.parse import SplitResult

    from backend.net_guard import Address, Resolve
    from backend.ports import Clock

SECONDS = 15.0
KEPT = 2048  # bytes of an answer
MAX_URL = 2048
PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a call ended: ``status`` 0 when there was no answer, ``error`` empty when it was taken.

    ``response`` is safe text; ``retry_after`` is in seconds, when the receiver asked for a pause.
    """

    status: int
    response: str
    error: str
    milliseconds: int
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        """Tell whether the receiver took it."""
        return not self.error

    @property
    def gone(self) -> bool:
        """Tell whether the receiver wants nothing more, ever (410)."""
        return self.status == HTTPStatus.GONE


@dataclass(slots=True)
class _Heard:
    """What has come of an answer so far."""

    status: int = 0
    retry_after: str = ""
    kept: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How the network is reached: names, which addresses may be, and which authorities count."""

    resolve: Resolve = resolve
    allows: Callable[[str], bool] = is_public
    trust: ssl.SSLContext | bool = True


class Poster:
    """Posts JSON; ``inside`` lets it reach this machine and private networks."""

    def __init__(
        self,
        clock: Clock,
        *,
        inside: bool = False,
        seconds: float = SECONDS,
        network: Network | None = None,
    ) -> None:
        self._clock = clock
        self._inside = inside
        self._seconds = seconds
        self._network = network or Network()
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def check(self, url: str) -> str:
        """Give the URL as it is kept; raises InvalidInputError for one never to be posted to."""
        checked_url(url, inside=self._inside)
        return url

    async def post(self, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        """Post once and tell how that ended; never raises for what the other side does."""
        began, heard, error = self._clock.monotonic(), _Heard(), ""
        try:
            parts = checked_url(url, inside=self._inside)
            async with asyncio.timeout(self._seconds):
                address = await self._address(parts)
                await self._send(parts, address, (body, headers), heard)
        except TimeoutError:
            error = f"no answer within {self._seconds:g} s"
        except (InvalidInputError, ServiceUnavailableError) as refused:
            error = str(refused)
        except (httpx.HTTPError, OSError) as failed:
            error = f"no answer: {in_words(failed)}"
        return Answer(
            status=heard.status,
            response=safe_text(bytes(heard.kept[:KEPT])),
            error=_verdict(heard.status) if heard.status else error,
            milliseconds=round((self._clock.monotonic() - began) * 1000),
            retry_after=self._seconds_of(heard.retry_after),
        )

    async def _address(self, parts: SplitResult) -> Address:
        host, port = str(parts.hostname), parts.port or PORTS[parts.scheme]
        found = await self._network.resolve(host, port)
        # one bad address spoils the name: which of them is used is not the tenant's to choose
        if not found or not all(self._allows(ip, parts.scheme) for ip, _ in found):
            raise _refused(f"{host[:100]} is not an address that may be posted to")
        return found[0]

    def _allows(self, ip: str, scheme: str) -> bool:
        return self._inside if scheme == "http" else self._inside or self._network.allows(ip)

    async def _send(
        self,
        parts: SplitResult,
        address: Address,
        said: tuple[str, Mapping[str, str]],
        heard: _Heard,
    ) -> None:
        """Post a body with its headers and note what is heard, as it comes."""
        body, headers = said
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        at = httpx.URL(
            scheme=parts.scheme, host=address[0], port=address[1], raw_path=path.encode()
        )
        # the certificate is checked against the name that was asked for, not against the address
        extensions = {"sni_hostname": str(parts.hostname)}
        named = {
            "Host": parts.netloc,
            "Content-Type": "application/json",
            "User-Agent": "relay-console",
            "Accept-Encoding": "identity",
            **headers,
        }
        client = self._client = self._client or self._new_client()
        posting = client.stream(
            "POST", at, content=body.encode(), headers=named, extensions=extensions
        )
        async with posting as got:
            heard.status = got.status_code
            heard.retry_after = got.headers.get("retry-after", "")
            async for piece in got.aiter_raw():
                heard.kept += piece
                if len(heard.kept) >= KEPT:
                    break

    def _seconds_of(self, asked: str) -> float | None:
        """Read Retry-After, seconds or an HTTP date (RFC 9110 10.2.3), else None."""
        if asked.isascii() and asked.isdecimal():
            return float(asked)
        try:
            at = parsedate_to_datetime(asked)
        except ValueError:
            return None
        aware = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max((aware - self._clock.now()).total_seconds(), 0.0)

    def _new_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=self._network.trust,
            trust_env=False,
            follow_redirects=False,
            timeout=self._seconds,
            # connections are pooled by address, but their certificate was checked for one name
            limits=httpx.Limits(max_keepalive_connections=0),
        )


def checked_url(url: str, *, inside: bool) -> SplitResult:
    """Take a URL apart that may be posted to; raises InvalidInputError."""
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>'):
        raise _refused(f"this is not a URL in plain ASCII of at most {MAX_URL} characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("this is not a URL") from None
    if parts.scheme != "https" and not (inside and parts.scheme == "http"):
        raise _refused("it must begin with https://")
    if "@" in parts.netloc:
        raise _refused("a user or password in the URL is not taken")
    if not parts.hostname or port == 0:
        raise _refused("the URL names no host and port")
    if not inside and _is_inner(parts.hostname):
        raise _refused(f"{parts.hostname[:100]} is not an address on the internet")
    return parts


def safe_text(raw: bytes) -> str:
    """Give foreign bytes as text that can be stored and shown: no control characters but LF."""
    text = raw.decode("utf-8", "replace").replace("\r\n", "\n")
    return "".join(
        char if char == "\n" or unicodedata.category(char)[0] != "C" else "\ufffd" for char in text
    )


def _is_inner(host: str) -> bool:
    """Tell early of a host that is certainly ours; names are judged when they are resolved."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    return not is_public(host)


def _verdict(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"it answered {status}; redirects are not followed, change the URL"
    return f"it answered {status}"


def _refused(why: str) -> InvalidInputError:
    return InvalidInputError(f"url: {why}", field="url")
