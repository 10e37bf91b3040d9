"""Signatures of what is posted: Standard Webhooks, symmetric (standardwebhooks.com, spec 1.0).

``webhook-id`` is the event's id, the same over all tries. While a secret is being rotated both
sign, with a space between (spec, "Signature scheme"). Endpoints made over the Resend surface get
the same three under Svix's names too, since that is what their receivers read.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from standardwebhooks import Webhook

from backend.model.webhooks import WebhookStyle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pydantic import SecretStr

PREFIX = "whsec_"
SHORTEST = 24  # bytes of a key, by the specification; the longest is 64
LONGEST = 64


def signed_headers(
    secrets: Sequence[str], event_id: str, at: datetime, body: str
) -> dict[str, str]:
    """Give the three headers that prove who posted ``body`` at ``at``, one signature a secret."""
    signatures = [Webhook(secret).sign(event_id, at, body) for secret in secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def in_style(headers: dict[str, str], style: WebhookStyle) -> dict[str, str]:
    """Add the names the receivers of a style look for."""
    if style is not WebhookStyle.RESEND:
        return headers
    return headers | {name.replace("webhook-", "svix-"): value for name, value in headers.items()}


def bearer(key: SecretStr) -> dict[str, str]:
    """Give the Authorization header of a call to one of our own products, none without a key."""
    secret = key.get_secret_value()
    # "Bearer " with nothing after it is no header value; the call would never leave
    return {"Authorization": f"Bearer {secret}"} if secret else {}


def written(key: bytes) -> str:
    """Give a key as receivers get it: ``whsec_`` and base64."""
    return PREFIX + base64.b64encode(key).decode()


def is_secret(text: str) -> bool:
    """Tell whether a text is ``whsec_`` and base64 of 24 to 64 bytes."""
    if not text.startswith(PREFIX):
        return False
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    return SHORTEST <= len(key) <= LONGEST
