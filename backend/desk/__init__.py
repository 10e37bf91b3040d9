"""The embedded PSA, CRM and Portal: the reference implementation of docs/targets.md."""

from __future__ import annotations

from backend.desk.server import Desk, DeskAddresses, DeskSettings

__all__ = ["Desk", "DeskAddresses", "DeskSettings"]
