"""Which addresses on the network may be asked on behalf of somebody else. CWE-918.

A name is resolved once and the connection goes to the address that was judged, so that a second
answer of the DNS changes nothing (inbound/sources/fetch.py, bus/poster.py).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from backend.errors import ServiceUnavailableError

Address: TypeAlias = tuple[str, int]
Resolve: TypeAlias = Callable[[str, int], Awaitable[list[Address]]]

# NAT64 and 6to4 carry an IPv4 address within; ours to check, not the gateway's
_TUNNELS = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


def is_public(address: str) -> bool:
    """Tell whether an IP address is one that everybody can reach, and nobody's inside."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None or any(ip in network for network in _TUNNELS):
            return False
        if ip.is_site_local:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


async def resolve(host: str, port: int) -> list[Address]:
    """Ask the system for the addresses of a host, each once; raises ServiceUnavailableError."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ServiceUnavailableError(f"{host[:100]} cannot be resolved: {error}") from None
    return list(dict.fromkeys((str(entry[4][0]), int(entry[4][1])) for entry in found))
