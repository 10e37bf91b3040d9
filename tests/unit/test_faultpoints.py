"""The named points at which a test may kill the process."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter

import pytest

from backend.errors import ConfigError
from backend.faultpoints import FaultPoint, arm, faultpoint
from tests.architecture.tree import modules


def test_every_point_is_passed_in_one_place() -> None:
    passed = Counter(
        point
        for module in modules("backend")
        for point in FaultPoint
        if f"faultpoint(FaultPoint.{point.name})" in module.text
    )

    assert {point: passed[point] for point in FaultPoint} == dict.fromkeys(FaultPoint, 1)


def test_a_process_dies_at_its_point_the_nth_time_and_at_no_other() -> None:
    code = (
        "from backend.faultpoints import FaultPoint as P, faultpoint\n"
        "for n in range(3):\n"
        "    faultpoint(P.SEND_CLAIMED), print(n, flush=True), faultpoint(P.SEND_AFTER_CALL)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={"RELAY_FAULTPOINT": "send.after_call:2", "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout.split()) == (-signal.SIGKILL, ["0", "1"])


@pytest.mark.parametrize("setting", ["send.nowhere", "send.claimed:often"])
def test_a_point_that_is_none_is_refused(setting: str) -> None:
    with pytest.raises(ConfigError, match="is not a fault point"):
        arm(setting)
    faultpoint(FaultPoint.SEND_CLAIMED)  # and nothing is armed
