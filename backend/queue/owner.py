"""Who holds a lease, and whether that process still lives: so kill -9 costs no waiting.

An owner is ``host:pid:start`` where host names the machine, its boot and its pid namespace (two
containers may share a host name) and start tells a process from a later one with the same pid.
See proc(5): /proc/PID/stat, fields 3 (state) and 22 (start time).
"""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

PROC = Path("/proc")


def process_owner() -> str:
    """Name this process, the same all its life."""
    pid = os.getpid()
    return f"{_host()}:{pid}:{_start(pid) or 'unknown'}"


def is_gone(owner: str) -> bool:
    """Tell whether a process of this host is certainly dead; never true for another host."""
    host, _, rest = owner.partition(":")
    pid, _, start = rest.partition(":")
    if host != _host() or not pid.isdigit():
        return False
    if (PROC / "self" / "stat").exists():
        return _start(int(pid)) != start
    return not _answers(int(pid))


def _host() -> str:
    scope = _read(PROC / "sys/kernel/random/boot_id")
    try:
        scope += str((PROC / "self/ns/pid").readlink())
    except OSError:
        scope += "no namespaces"
    name = socket.gethostname().replace(":", "_")  # ':' ends the host in an owner
    return f"{name}~{hashlib.sha256(scope.encode()).hexdigest()[:8]}"


def _start(pid: int) -> str | None:
    """Give the start time of a process in clock ticks since boot; None when it is dead."""
    # the command in field 2 may hold spaces and brackets: count from its last bracket
    fields = _read(PROC / str(pid) / "stat").rpartition(")")[2].split()
    if not fields or fields[0] in {"Z", "X"}:
        return None  # a zombie only waits for its parent
    return fields[19]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
