"""What the stand-ins for SES and the desk have seen, asked of them over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMail:
    """One mail the SES stand-in accepted, with the headers its readers see.

    ``reply_to`` is empty when the mail has no Reply-To.
    """

    number: int
    marker: str
    message_id: str
    reply_to: str
    recipients: tuple[str, ...]


async def mail_at_ses(http: httpx.AsyncClient, aws_endpoint: str, after: int) -> list[SeenMail]:
    """Give the mail SES accepted after a sequence number, oldest first."""
    seen: list[SeenMail] = []
    while page := await _page(http, aws_endpoint, seen[-1].number if seen else after):
        seen += page
    return seen


async def _page(http: httpx.AsyncClient, aws_endpoint: str, after: int) -> list[SeenMail]:
    answer = await http.get(f"{aws_endpoint}/_sandbox/ses/messages", params={"after": after})
    answer.raise_for_status()
    return [
        SeenMail(
            number=row["number"],
            marker=row["tags"].get("world", ""),
            message_id=row["headers"]["Message-ID"],
            reply_to=row["headers"].get("Reply-To", ""),
            recipients=tuple(row["recipients"]),
        )
        for row in answer.json()["messages"]
    ]


async def markers_at_desk(http: httpx.AsyncClient, desk_url: str) -> list[str]:
    """Give the Message-ID of everything the desk has taken, once per thing it made."""
    answer = await http.get(f"{desk_url}/inspect")
    answer.raise_for_status()
    return [row["message_id"].strip("<>") for row in answer.json()["received"]]
