"""Errors at the edge of the console: each becomes one sentence for the technician."""

from __future__ import annotations

import logging

from backend import RelayError, TransientError
from relay_console.safe import SafeText, safe

_LOG = logging.getLogger(__name__)


def sentence_of(error: Exception) -> SafeText:
    """Say what went wrong; a fault of our own is recorded with its traceback."""
    if isinstance(error, TransientError):
        return safe(f"{error} Try again in a moment.")
    if isinstance(error, RelayError):
        return safe(str(error) or type(error).__name__)
    _LOG.error("the console failed", exc_info=error)
    return safe(f"The console itself failed ({type(error).__name__}); the log has the details.")
