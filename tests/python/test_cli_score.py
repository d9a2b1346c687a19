"""`xner score nmt` as a person meets it, with a tiny model, up to the labels."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from command_line import done, instead, xner
from test_nmt_score import entries
from xner import io, schema
from xner._support.arrow import pylist
from xner.cli.main import cli
from xner.io import sample

if TYPE_CHECKING:
    from pathlib import Path

SIDES = ("--source", "en.conll", "--target", "de.conll")
LINKED = (*SIDES, "--links", "links.pharaoh")
LANGUAGES = ("--source-language", "eng_Latn", "--target-language", "deu_Latn")


ROWS = 12


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's first sentences in English and German, and links between them."""
    folder = tmp_path_factory.mktemp("corpus")
    for language in ("en", "de"):
        io.write(sample.load(language).slice(0, ROWS), folder / f"{language}.conll")
    done(xner("align", *SIDES, "-o", "links.pharaoh", cwd=folder))
    return folder


@pytest.fixture
def files(corpus: Path, tmp_path: Path) -> Path:
    """Files of one's own."""
    shutil.copytree(corpus, tmp_path, dirs_exist_ok=True)
    return tmp_path


def scores(path: Path) -> list[dict[tuple[int, int, int], float]]:
    rows = pylist(io.read(path).column(schema.NMT_SCORES))
    return [{(s["source"], s["start"], s["end"]): s["score"] for s in row} for row in rows]


def invoke(*arguments: str | Path) -> str:
    """Run a command in this process, which has torch loaded already; gives what it says on standard error."""
    run = CliRunner().invoke(cli, [*map(str, arguments)], catch_exceptions=False)
    assert run.exit_code == 0, run.output
    return run.stderr


@pytest.mark.slow
def test_from_a_model_to_labels(
    files: Path, outspoken_nllb: Path, converted_nllb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = (*LINKED, *LANGUAGES, "--device", "cpu", "--cache", "cache")
    run = done(xner("score", "nmt", *options, "--model", outspoken_nllb, "-o", "nmt.parquet", cwd=files))
    assert f"{ROWS} sentences, " in run.stderr
    assert "as they cannot be chosen" in run.stderr
    assert re.search(r"^[1-9]\d* probabilities computed", run.stderr, re.MULTILINE)
    assert "skipped:choice for xner:" in run.stderr
    assert "\x1b" not in run.stderr, "no progress bars in a pipe"
    assert run.stdout == ""

    monkeypatch.chdir(files)
    said = invoke("score", "nmt", *options, "--model", outspoken_nllb, "-o", "again.parquet")
    assert "\n0 probabilities computed" in said
    assert (files / "again.parquet").read_bytes() == (files / "nmt.parquet").read_bytes()

    invoke("score", "nmt", *options, "--model", converted_nllb, "-o", "ct2.jsonl")
    for one, other in zip(scores(files / "nmt.parquet"), scores(files / "ct2.jsonl"), strict=True):
        # Which pairs are skipped may hang on the last digit.
        assert len(one.keys() & other.keys()) >= 0.9 * len(one)
        assert all(one[pair] == pytest.approx(other[pair], abs=1e-3) for pair in one.keys() & other.keys())

    said = invoke("score", "nmt", *options, "--model", outspoken_nllb, "--pivot", "fra_Latn", "-o", "pivot.parquet")
    assert "eng_Latn-deu_Latn,pivot fra_Latn" in said
    assert scores(files / "pivot.parquet") != scores(files / "nmt.parquet")

    said = invoke("score", "nmt", *options, "--model", outspoken_nllb, "--all-pairs", "-o", "all.parquet")
    assert " 0 skipped (0.0%)" in said
    for file in ("nmt", "all"):
        scored = ("--score", "align_nmt", "--scores", f"{file}.parquet")
        invoke("project", *LINKED, *scored, "-o", f"{file}.conll")
    labels = [io.read_conll(files / f"{file}.conll").column("labels").to_pylist() for file in ("nmt", "all")]
    # Random weights reach the cap often, and so tie.
    assert sum(one != other for one, other in zip(*labels, strict=True)) <= 1


def test_the_cache_is_the_users_by_default(files: Path, outspoken_nllb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(files / "home"))
    options = ("--score", "nmt", "--candidates", "given", "--device", "cpu")
    table = io.read(files / "de.conll")
    spans = [[{"start": 0, "end": 1}]] * table.num_rows
    table = table.append_column(schema.CANDIDATES, pa.array(spans, schema.CANDIDATES_TYPE))
    io.write(table, files / "de.parquet")
    done(
        xner(
            *("score", "nmt", "--source", "en.conll", "--target", "de.parquet", *LANGUAGES, *options),
            *("--model", outspoken_nllb, "-o", "nmt.arrow"),
            cwd=files,
        )
    )
    assert entries(files / "home" / "xner" / "translation-scores.sqlite") > 0
    names = [name for name in ("id", "nmt_scores") if name in io.read(files / "nmt.arrow").schema.names]
    assert io.read(files / "nmt.arrow").schema.names == names


@pytest.mark.slow
def test_a_killed_run_goes_on(files: Path, outspoken_nllb: Path) -> None:
    model = (*LANGUAGES, "--device", "cpu", "--model", str(outspoken_nllb), "--token-budget", "200")
    arguments = ("score", "nmt", *LINKED, *model, "--all-pairs", "--cache", "cache", "-o", "nmt.parquet")
    process = subprocess.Popen([sys.executable, "-m", "xner", *arguments], cwd=files, stderr=subprocess.DEVNULL)
    limit = time.monotonic() + 120
    while entries(files / "cache") < 500:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < limit
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (files / "nmt.parquet").exists()
    kept = entries(files / "cache")
    run = done(xner(*arguments, cwd=files))
    computed = int(run.stderr.partition(" probabilities computed")[0].rpartition("\n")[2])
    assert computed == entries(files / "cache") - kept
    assert pq.read_table(files / "nmt.parquet").num_rows == ROWS


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((*LINKED, "--score", "align"), 1, "score='align' does not use nmt: a sum with it is 'align_nmt'"),
        (SIDES, 2, "--links is missing: the score 'align' and the candidates"),
        ((*SIDES, "--score", "nmt", "--one-based"), 2, "--one-based and --reverse say how to read --links"),
        ((*LINKED, "-o", "nmt.conll"), 2, "scores go into a table, parquet, arrow, jsonl"),
        ((*LINKED, "--source-language", "engl"), 1, "language 'engl' is unknown; the nearest are"),
        ((*LINKED, "--dtype", "int8"), 1, "--dtype='int8': that is for --translator-engine ctranslate2"),
        ((*LINKED, "--model", "nothing"), 1, "cannot load the translation model 'nothing'"),
        ((*LINKED, "--score", "all_fusion"), 1, "needs the column(s) ner_probabilities"),
        ((*LINKED, "--cache", "en.conll"), 1, "cannot use 'en.conll' as a cache of translation scores"),
    ],
)
def test_wrong_use(files: Path, outspoken_nllb: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    given = (*LANGUAGES, "--model", outspoken_nllb, "--device", "cpu", "--cache", "cache", "-o", "nmt.parquet")
    run = xner("score", "nmt", *instead(given, arguments), cwd=files)
    assert run.returncode == code
    assert message in " ".join(run.stderr.split())
    assert "Traceback" not in run.stderr
    assert not (files / "nmt.parquet").exists()


def test_languages_are_refused_before_weights_are_read(files: Path, outspoken_nllb: Path) -> None:
    shutil.copytree(outspoken_nllb, files / "bare", ignore=shutil.ignore_patterns("*.safetensors"))
    given = ("--model", "bare", "--device", "cpu", "--cache", "cache", "-o", "nmt.parquet")
    run = xner("score", "nmt", *LINKED, *given, "--source-language", "en", "--target-language", "yo", cwd=files)
    assert run.returncode == 1
    message = "the model does not support Yoruba (yor_Latn); the nearest that it does are "
    assert message in " ".join(run.stderr.split())


def test_help_teaches() -> None:
    assert "nmt" in done(xner("score", "--help")).stdout
    text = " ".join(done(xner("score", "nmt", "--help")).stdout.split())
    for part in ("xner project", "--scores nmt.parquet", "[default: align_nmt]", "ct2-transformers-converter"):
        assert part in text
