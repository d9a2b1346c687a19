"""What every bench shares: the test data, and the machine and commit beside the figures."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real data: XNER_TEST_DATA, or ../shared/data from the project's root."""
    folder = Path(os.environ.get("XNER_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test data: set XNER_TEST_DATA to the folder that has golden/ (looked in {folder})")
    return folder


def commit() -> str:
    """The commit that is measured, `unknown` outside a checkout."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Add what decides about speed to the machine's description."""
    machine_info["cores"] = os.cpu_count()
    machine_info["commit"] = commit()


def pytest_report_header(config: pytest.Config) -> str:
    """One line above the figures."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"machine: {machine}; commit: {commit()}"
