"""AWS on loopback: SES v2, S3, SNS, SQS and an SMTP door, with scripted faults."""

from __future__ import annotations

from backend.sandbox.sandbox import Sandbox
from backend.sandbox.settings import SandboxAddresses, SandboxSettings

__all__ = ["Sandbox", "SandboxAddresses", "SandboxSettings"]
