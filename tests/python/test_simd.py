"""Every instruction set gives the same: the tests of what uses them, at each level the CPU has."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import xner._core as _core
from xner.alignment import Aligner
from xner.alignment.links import METHODS, extract_batch

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = Path(__file__).parent


def run(level: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python of its own, as the level is chosen once."""
    environment = {**os.environ, "XNER_SIMD": level}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=FOLDER, capture_output=True, text=True, check=False
    )


def digests() -> dict[str, str]:
    """Of the links and scores of random matrices, with ties, negative cells and all sizes of last blocks."""
    generator = np.random.default_rng(0)
    shapes = [(rows, columns) for rows in (*range(1, 18), 40) for columns in (*range(1, 18), 40, 65, 130)]
    similarities = [generator.normal(scale=4, size=shape).astype(np.float32) for shape in shapes]
    similarities += [generator.integers(-3, 3, shape).astype(np.float16) for shape in shapes]
    similarities += [generator.normal(scale=200, size=(40, 40)).astype(np.float32) for _ in range(20)]
    methods: list[Any] = sorted(METHODS)
    found: dict[str, pa.Array[Any]] = {method: extract_batch(similarities, method) for method in methods}
    found["null"] = extract_batch(similarities, "softmax", null_threshold=-1.5)
    found["distorted"] = extract_batch(similarities, "itermax", distortion=0.5, max_count=4)
    found["aligner"] = fitted_links(generator)
    return {
        name: hashlib.sha256(b"".join(buffer.to_pybytes() for buffer in links.buffers() if buffer)).hexdigest()
        for name, links in found.items()
    }


def fitted_links(generator: np.random.Generator) -> pa.Array[Any]:
    """What an aligner gives that was fitted on random words, in sentences of up to three blocks."""
    source, target = (
        [[f"{side}{word}" for word in generator.zipf(1.5, length) % 50] for length in lengths]
        for side, lengths in (("s", generator.integers(1, 25, 60)), ("t", generator.integers(1, 25, 60)))
    )
    return Aligner.fit(source, target).align(source, target)


def test_levels_start_with_the_baseline() -> None:
    assert _core.simd_levels()[0] == "baseline"


@pytest.mark.parametrize("level", _core.simd_levels())
def test_results_are_the_same_bit_for_bit(level: str) -> None:
    done = run(level, "-c", "import test_simd; print(test_simd.digests())")
    assert done.stdout.strip() == str(digests()), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("level", _core.simd_levels()[:-1])  # this run has the last one
def test_lower_levels_are_the_reference_and_what_was_recorded(level: str) -> None:
    tests = [str(FOLDER / "test_extraction.py"), "-k", "reference or recorded"]
    done = run(level, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert done.returncode == 0, done.stdout


def test_an_unknown_level_is_an_error() -> None:
    script = "import numpy as np; from xner.alignment.links import extract; extract(np.eye(2, dtype=np.float32), 'fwd')"
    done = run("sse9", "-c", script)
    expected = ", ".join(_core.simd_levels())
    assert f"xner.errors.Error: XNER_SIMD='sse9': expected one that this CPU has: {expected}" in done.stderr
