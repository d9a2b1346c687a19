"""Threads that the system does not start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# With stacks of 1 GiB, there is room for one thread more.
CODE = """
import resource
from pathlib import Path
import numpy as np
from xner.alignment.links import extract_batch

matrices = list(np.random.default_rng(0).random((160, 5, 5), np.float32))
alone = extract_batch(matrices, "mwmf", threads=1)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 3 * 2**29,) * 2)
several = extract_batch(matrices, "mwmf", threads=8)
assert several.equals(alone)
print("the same")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
def test_those_that_run_do_the_work() -> None:
    """Results are those of any number of threads, and no finished work is lost."""
    command = ["bash", "-c", 'ulimit -s 1048576 || exit 77; exec "$@"', "bash", sys.executable, "-c", CODE]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode == 77:
        pytest.skip("the size of stacks cannot be raised here")
    assert (done.returncode, done.stdout.strip()) == (0, "the same"), done.stderr
