"""What the headers of an answer say of rate limits, and whether it was given before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import Response

    from backend.errors import RateStanding
    from backend.model.outbound import Accepted, BatchAccepted

REPLAYED = "Idempotent-Replayed"


def rate_headers(standing: RateStanding | None) -> dict[str, str]:
    """Give the RateLimit headers (draft-ietf-httpapi-ratelimit-headers-06), reset in seconds."""
    if standing is None:
        return {}
    return {
        "RateLimit-Limit": str(standing.limit),
        "RateLimit-Remaining": str(standing.remaining),
        "RateLimit-Reset": str(standing.reset),
        "RateLimit-Policy": standing.policy,
    }


def mark(response: Response, answer: Accepted | BatchAccepted) -> None:
    """Put on an answer what its caller may still send, and whether it is a repeated one."""
    response.headers.update(marks(answer))


def marks(answer: Accepted | BatchAccepted) -> dict[str, str]:
    """Give the headers of ``mark``."""
    headers = rate_headers(answer.allowance)
    if answer.replayed:
        headers[REPLAYED] = "true"
    return headers
