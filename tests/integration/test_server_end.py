"""``serve`` ends when it is told to, and says so when its HTTP server ends by itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from backend import server
from backend.api.server import ApiServer
from backend.config import load_config
from backend.errors import ServiceUnavailableError

if TYPE_CHECKING:
    from pathlib import Path


class Ending(ApiServer):
    """A server that ends by itself soon after it began to listen."""

    async def start(self) -> str:
        """Listen, and end a moment later."""
        url = await super().start()
        asyncio.get_running_loop().call_later(0.05, setattr, self._server, "should_exit", True)
        return url


async def test_a_server_whose_api_ends_by_itself_ends_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(server, "ApiServer", Ending)
    config = load_config(
        {"RELAY_DATABASE": str(tmp_path / "relay.db"), "RELAY_API_PORT": "0", "RELAY_WORKERS": "2"}
    )
    async with asyncio.timeout(30):
        with pytest.raises(ServiceUnavailableError, match="ended by itself"):
            await server.serve(config)
