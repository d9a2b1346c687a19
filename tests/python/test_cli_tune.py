"""`xner tune`, and `xner project --tuned`, as a person meets them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from command_line import done, xner
from xner import io
from xner.io import sample

if TYPE_CHECKING:
    from pathlib import Path

SIDES = ("--source", "en.conll", "--target", "de.conll")
SMALL = ("--trials", "25", "--folds", "3", "--bootstrap", "20")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for language in ("en", "de"):
        (tmp_path / f"{language}.conll").write_bytes(sample.path(language).read_bytes())
    return tmp_path


def test_what_is_tuned_is_what_project_does(files: Path) -> None:
    run = done(xner("tune", *SIDES, *SMALL, "-o", "tuned.json", cwd=files))
    assert "tuned, held out" in run.stdout
    assert "held out, tuning gains" in run.stdout
    assert "written to tuned.json, for xner project --tuned tuned.json" in run.stderr
    assert "\x1b" not in run.stderr, "no progress bars in a pipe"
    assert not list(files.glob(".*")), "checkpoints are gone"
    found = json.loads((files / "tuned.json").read_text())
    done(xner("project", *SIDES, "--tuned", "tuned.json", "-o", "de.parquet", cwd=files))
    scores = json.loads(done(xner("evaluate", "--predicted", "de.parquet", "--json", cwd=files)).stdout)
    assert scores["micro"]["f1"] == pytest.approx(found["f1"]["tuned_on"]["f1"])


@pytest.mark.slow
def test_the_same_command_finds_the_same(files: Path) -> None:
    for name, threads in (("one.json", "1"), ("two.json", "3")):
        done(xner("tune", *SIDES, *SMALL, "--threads", threads, "-o", name, cwd=files))
    assert (files / "one.json").read_bytes() == (files / "two.json").read_bytes()


def test_link_sets_and_how_they_combine(files: Path) -> None:
    done(xner("align", *SIDES, "--decode", "viterbi", "-o", "a.pharaoh", cwd=files))
    links = ("--links", "a.pharaoh", "--aligner", "builtin")
    done(xner("tune", *SIDES, *SMALL, *links, "-o", "tuned.json", cwd=files))
    found = json.loads((files / "tuned.json").read_text())
    assert found["options"]["combine"] in {"union", "intersect", "vote", "mean"}
    done(xner("project", *SIDES, *links, "--tuned", "tuned.json", "-o", "de.parquet", cwd=files))
    scores = json.loads(done(xner("evaluate", "--predicted", "de.parquet", "--json", cwd=files)).stdout)
    assert scores["micro"]["f1"] == pytest.approx(found["f1"]["tuned_on"]["f1"])


def test_entities_that_share_words(files: Path) -> None:
    rows = [{"tokens": ["Bank", "of", "Oslo"], "entities": [[0, 3, "ORG"], [2, 3, "LOC"]]}] * 9
    (files / "en.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (files / "de.conll").write_text("Bank\tB-ORG\nvon\tI-ORG\nOslo\tI-ORG\n\n" * 9)
    (files / "a.pharaoh").write_text("0-0 1-1 2-2\n" * 9)
    base = ("tune", "--source", "en.jsonl", "--target", "de.conll", "--links", "a.pharaoh", "--trials", "2")
    small = ("--folds", "2", "--bootstrap", "5", "-o", "tuned.json")
    refused = xner(*base, *small, cwd=files)
    assert refused.returncode == 1
    assert "shares words with ORG [0, 3); --nested decides: keep, outermost, innermost or compete" in refused.stderr
    found = {}
    for nested in ("keep", "outermost", "innermost"):
        run = done(xner(*base, *small, "--nested", nested, cwd=files))
        assert f"9 source entities share words with others and are left out (nested={nested})" in run.stderr
        found[nested] = json.loads((files / "tuned.json").read_text())["f1"]["default"]["f1"]
    assert found == {"keep": 1.0, "outermost": 1.0, "innermost": 0.0}


def test_options_go_before_what_was_tuned(files: Path) -> None:
    settings = {"options": {"method": "heuristic", "merge_distance": 3}}
    (files / "tuned.json").write_text(json.dumps(settings))
    tuned = ("project", *SIDES, "--tuned", "tuned.json")
    assert "|merge_distance:3|" in done(xner(*tuned, "-o", "a.conll", cwd=files)).stderr
    assert "|merge_distance:0|" in done(xner(*tuned, "--merge-distance", "0", "-o", "b.conll", cwd=files)).stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'tuned.json' holds no settings; `xner tune` writes them"),
        ("[]", "'tuned.json' holds no settings"),
        ('{"f1": 1}', "'tuned.json' holds no settings"),
        ('{"options": {"metod": 1}}', "'tuned.json' has settings that this command does not take: metod"),
        ('{"options": {"method": "best"}}', "'best' is not one of 'candidates', 'heuristic'"),
    ],
)
def test_wrong_files_of_settings(files: Path, text: str, message: str) -> None:
    (files / "tuned.json").write_text(text)
    run = xner("project", *SIDES, "--tuned", "tuned.json", "-o", "de.conll", cwd=files)
    assert run.returncode == 2
    assert message in " ".join(run.stderr.split())


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--target", "words.txt"], 1, "the target file 'words.txt' has no gold labels to tune on"),
        (["--target", "de.conll", "--decode", "viterbi"], 2, "--decode is among what is tuned"),
        (["--target", "de.conll", "--threshold", "0.5"], 2, "--threshold is among what is tuned"),
        (["--target", "de.conll", "--folds", "200"], 1, "170 sentences cannot be split into 200 folds"),
    ],
)
def test_wrong_use(files: Path, options: list[str], status: int, message: str) -> None:
    io.write(sample.load("de"), files / "words.txt")
    run = xner("tune", "--source", "en.conll", *options, "-o", "tuned.json", cwd=files)
    assert run.returncode == status
    assert message in " ".join(run.stderr.split())
    assert not (files / "tuned.json").exists()
    assert not list(files.glob(".*"))
