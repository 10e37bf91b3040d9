"""Owners of leases: who they are and when they are certainly gone."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from backend.queue.owner import is_gone, process_owner

if TYPE_CHECKING:
    from collections.abc import Iterator

SAY_OWNER = (
    "from backend.queue.owner import process_owner; print(process_owner(), flush=True); input()"
)


@pytest.fixture
def other() -> Iterator[subprocess.Popen[str]]:
    """Another process of this host that waits."""
    process = subprocess.Popen(
        [sys.executable, "-c", SAY_OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


def owner_of(process: subprocess.Popen[str]) -> str:
    """Read how the other process names itself."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_an_owner_is_host_pid_and_start() -> None:
    _host, pid, start = process_owner().split(":")

    assert (int(pid), start.isdigit()) == (os.getpid(), True)


def test_a_process_names_itself_the_same_every_time() -> None:
    assert process_owner() == process_owner()


def test_this_process_is_not_gone() -> None:
    assert not is_gone(process_owner())


def test_a_living_process_is_not_gone(other: subprocess.Popen[str]) -> None:
    assert not is_gone(owner_of(other))


def test_a_killed_process_is_gone_even_before_its_parent_noticed(
    other: subprocess.Popen[str],
) -> None:
    owner = owner_of(other)
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # a zombie until it is reaped

    assert is_gone(owner)


def test_a_killed_and_reaped_process_is_gone(other: subprocess.Popen[str]) -> None:
    owner = owner_of(other)
    other.kill()
    other.wait()

    assert is_gone(owner)


def test_a_later_process_with_the_same_pid_is_another_owner() -> None:
    host, pid, start = process_owner().split(":")

    assert is_gone(f"{host}:{pid}:{int(start) - 1}")


@pytest.mark.parametrize("owner", ["elsewhere:1:1", "worker-a", "", ":", "a:b:c"])
def test_nobody_is_gone_who_is_not_of_this_host(owner: str) -> None:
    assert not is_gone(owner)
