"""`xner links` as a person meets it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from command_line import done, xner

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "gold").write_text("1-1 2-2 2p3\n\n1-2\n")
    (tmp_path / "a.pharaoh").write_text("0-0:0.5 1-1 1-2\n\n0-1\n")
    (tmp_path / "b.pharaoh").write_text("0-0 2-2\n0-0\n\n")
    (tmp_path / "short.pharaoh").write_text("0-0\n")
    return tmp_path


def test_combine(files: Path) -> None:
    both = ("links", "combine", "a.pharaoh", "b.pharaoh", "-o", "c.pharaoh")
    run = done(xner(*both, "--method", "intersect", cwd=files))
    assert (files / "c.pharaoh").read_text() == "0-0\n\n\n"
    assert "1 links out of 4 of a.pharaoh, 3 of b.pharaoh; written to c.pharaoh" in run.stderr
    done(xner(*both, "--method", "vote", "--weight", "3", "--weight", "1", "--scores", cwd=files))
    assert (files / "c.pharaoh").read_text() == "0-0:1 1-1:0.75 1-2:0.75\n\n0-1:0.75\n"


def test_score(files: Path) -> None:
    run = done(xner("links", "score", "--gold", "gold", "--gold-one-based", "a.pharaoh", "b.pharaoh", cwd=files))
    assert "precision  recall     F1    AER  links   sure" in run.stdout
    assert "a.pharaoh      1.000   1.000  1.000  0.000      4      3" in run.stdout
    assert "b.pharaoh      0.333   0.333  0.333  0.667      3      3" in run.stdout
    assert "AER of a.pharaoh against b.pharaoh: -0.667, 95 % interval" in run.stdout


def test_score_as_json_and_counts(files: Path) -> None:
    run = done(
        xner(
            *("links", "score", "--gold", "gold", "--gold-one-based", "a.pharaoh", "b.pharaoh", "--json"),
            *("--counts", "counts.parquet"),
            cwd=files,
        )
    )
    figures = json.loads(run.stdout)
    assert figures["a.pharaoh"]["aer"] == 0
    assert figures["b.pharaoh"]["comparison"]["aer"]["difference"] == pytest.approx(-2 / 3)
    counts = pq.read_table(files / "counts.parquet")
    assert counts.num_rows == 6
    assert counts.column("sure_hits").to_pylist() == [2, 0, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ("combine", "a.pharaoh", "short.pharaoh", "-o", "c.pharaoh"),
            1,
            "'short.pharaoh' has links for 1 sentence pairs but there are 3 sentence pairs",
        ),
        (("score", "--gold", "gold", "short.pharaoh"), 1, "'short.pharaoh' has links for 1 sentence pairs"),
        (("score", "--gold", "a.pharaoh", "--gold-one-based", "b.pharaoh"), 1, "index 0, but indices start at 1"),
        (("combine", "-o", "c.pharaoh"), 2, "Missing argument 'LINKS...'"),
        (
            ("combine", "a.pharaoh", "--threshold", "0.5", "-o", "c.pharaoh"),
            1,
            "--weight and --threshold go with 'vote'",
        ),
        (("combine", "a.pharaoh", "-o", "c.xyz"), 1, "c.xyz"),
    ],
)
def test_messages(files: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    run = xner("links", *arguments, cwd=files)
    assert run.returncode == code
    assert message in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("arguments", [("links",), ("links", "combine"), ("links", "score")])
def test_help_teaches(arguments: tuple[str, ...]) -> None:
    assert f"xner {' '.join(arguments)} [OPTIONS]" in done(xner(*arguments, "--help")).stdout
