"""What a sandbox is made from, and where it is found once it runs. No I/O."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def account_of(port: int) -> str:
    """Give the AWS account of the sandbox on a port: each has its own, even within a process."""
    return f"{100_000_000_000 + port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """A sandbox; ports of 0 take a free one, spans are (least, most) in seconds.

    ``folder``, when given, receives ``sandbox.json`` with the addresses, for other processes.
    ``enforce_rate`` makes SendEmail refuse what exceeds ``max_send_rate`` recipients a second.
    ``raw_message_delivery`` leaves out the SNS envelope. ``object_prefix`` begins S3 keys.
    ``outcomes`` says what becomes of mail, by address or "@domain" (see outcomes.py).
    """

    folder: Path | None = None
    seed: int = 1
    host: str = "127.0.0.1"
    region: str = "us-east-1"
    aws_port: int = 0
    smtp_port: int = 0
    verified_domains: tuple[str, ...] = ()
    receiving_domains: tuple[str, ...] = ()
    max_send_rate: float = 14.0
    max_24_hour_send: float = 50_000.0
    enforce_rate: bool = False
    raw_message_delivery: bool = False
    object_prefix: str = ""
    event_seconds: tuple[float, float] = (0.05, 0.4)
    verify_seconds: tuple[float, float] = (3.0, 8.0)
    outcomes: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxAddresses:
    """Where a running sandbox is reached; ``smtp`` is ``host:port``."""

    aws_endpoint: str
    region: str
    smtp: str
    smtp_host: str
    smtp_port: int
    events_queue_url: str
    inbound_queue_url: str
    inbound_bucket: str
    configuration_set: str

    def to_json(self) -> dict[str, object]:
        """Give plain JSON values, as sandbox.json holds them."""
        return asdict(self)
