"""Faults injected into runs of the command line: `tests/faults`, of which a small part runs each time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
HARNESS = HERE.parent / "faults" / "harness.py"


def harness(*options: str) -> str:
    """What the harness prints; in a process of its own, which forks others and so must have no threads."""
    environment = os.environ | {"PYTHONPATH": str(HERE)}
    run = subprocess.run(
        [sys.executable, str(HARNESS), *options], capture_output=True, text=True, env=environment, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def faults(shown: str) -> int:
    return int(shown.splitlines()[-1].partition(" faults, 0 with consequences")[0])


def test_some_faults() -> None:
    kinds = ("SIGTERM", "ENOSPC", "kept files damaged", "inputs changed", "two processes")
    shown = harness("--command", "project", *(part for kind in kinds for part in ("--kind", kind)), "--every", "31")
    assert faults(shown) >= 10
    assert "| *damaged* | 0 | 0 |" in shown


@pytest.mark.slow
def test_a_fault_with_consequences_is_seen() -> None:
    """A rerun that no longer removes what was left over is found out."""
    code = (
        "import sys; from xner.io import atomic; atomic._remove_left_over = lambda target: None; import harness; "
        "sys.argv = ['', '--command', 'align', '--kind', 'SIGKILL', '--every', '10000']; sys.exit(harness.main())"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HARNESS.parent)])}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 1
    assert "left over: .out.pharaoh." in run.stdout


@pytest.mark.slow
def test_caches_that_are_damaged_and_a_clock_that_is_set() -> None:
    shown = harness("--command", "translate", "--kind", "cache damaged", "--kind", "clock set")
    assert faults(shown) >= 40


@pytest.mark.slow
@pytest.mark.needs("models", "ray")
def test_processes_of_a_cluster_are_killed() -> None:
    """Workers, nodes, and the process that hands parts out; models that fail, and two runs that share the workers."""
    commands = ("project, ready links", "align, a saved aligner", "translate", "score", "tag", "run")
    kinds: list[str] = re.findall(r'"((?:cluster: |killed without)[^"]+)"', HARNESS.read_text(encoding="utf-8"))
    options = [("--command", one) for one in commands] + [("--kind", one) for one in kinds]
    shown = harness(*(part for option in options for part in option), "--workers", "1")
    assert len(kinds) == 7
    assert faults(shown) == 22


@pytest.mark.slow
@pytest.mark.needs("models", "train")
def test_all_kinds_of_faults() -> None:
    assert faults(harness("--every", "29")) >= 500
