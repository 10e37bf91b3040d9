"""The packages of the ``sandbox`` extra, imported when a sandbox starts and not before."""

from __future__ import annotations

from importlib.util import find_spec

from backend.errors import ConfigError

_NEEDED = ("moto", "flask", "flask_cors", "aiosmtpd")


def require_extra() -> None:
    """Raise ConfigError, with the remedy, when a package of the extra is missing."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"the sandbox needs {', '.join(missing)}, which is not installed; "
            'run: pip install "relay-console[sandbox]"'
        )
