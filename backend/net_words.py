"""Why a call over the network failed, in words for those who have to mend it. Pure."""

from __future__ import annotations

import errno
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBERS = {
    errno.ECONNREFUSED: "the connection was refused; nothing listens there",
    errno.ECONNRESET: "the connection was reset",
    errno.EHOSTUNREACH: "there is no way to the host",
    errno.ENETUNREACH: "there is no way to the network",
    errno.ETIMEDOUT: "the connection took too long",
}
_NAMES = {
    "ConnectTimeout": "the connection took too long",
    "ReadTimeout": "it said nothing in time",
    "WriteTimeout": "it did not read in time",
    "PoolTimeout": "all connections were busy",
    "RemoteProtocolError": "it broke off, or what it said is no HTTP",
    "ReadError": "the connection broke off",
    "WriteError": "the connection broke off",
    "ConnectError": "no connection",
}


def in_words(error: BaseException) -> str:
    """Say why a call failed: its certificate, TLS, the connection; else the name of the error."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = cause.verify_message.rstrip(".") or "it cannot be verified"
            return f"its certificate is not accepted: {why}"
        if isinstance(cause, ssl.SSLError):
            why = (cause.reason or "unknown").replace("_", " ").lower()
            return f"no TLS connection: {why}; does it speak https there?"
    for cause in causes:
        words = _NUMBERS.get(cause.errno or 0) if isinstance(cause, OSError) else None
        if words:
            return words
    name = type(error).__name__
    return _NAMES.get(name, name)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and what it came from; a group stands for its first, as all failed alike."""
    found: BaseException | None = error
    seen: set[int] = set()
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        first = found.exceptions[0] if isinstance(found, BaseExceptionGroup) else None
        found = first or found.__cause__ or found.__context__
