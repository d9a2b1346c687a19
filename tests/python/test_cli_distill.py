from __future__ import annotations

import extras

extras.need("train")

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

import two_languages as world
from command_line import instead
from xner import io, schema
from xner.cli.main import cli
from xner.training.report import TrainingReport
from xner.training.run import Corpus, train
from xner.training.settings import TrainingSettings

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

BRIEF = ["--random-weights", "--epochs", "2", "--batch-size", "16", "--learning-rate", "3e-3", "--device", "cpu"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `shape`, a `teacher` that knows something, and files of both made-up languages."""
    folder = tmp_path_factory.mktemp("corpus")
    world.save_shape(folder / "shape")
    some = world.pairs(200, seed=1)
    train(
        str(folder / "shape"),
        [Corpus("target", world.target_table(some))],
        folder / "teacher",
        settings=TrainingSettings(epochs=3, batch_size=16, learning_rate=3e-3),
        random_weights=True,
        device="cpu",
    )
    io.write(world.source_table(some), folder / "en.conll")
    io.write(world.target_table(some).select([schema.TOKENS]), folder / "yo.txt")
    io.write(world.target_table(world.pairs(40, seed=2)), folder / "dev.conll")
    return folder


def arguments(corpus: Path, *others: str) -> list[str]:
    defaults = ["--text", str(corpus / "yo.txt"), "--model", str(corpus / "shape"), *BRIEF[1:]]
    return ["distill", "--teacher", str(corpus / "teacher"), BRIEF[0], *map(str, instead(defaults, others))]


def run(corpus: Path, *others: str) -> Result:
    return CliRunner().invoke(cli, arguments(corpus, *others), catch_exceptions=False)


def test_a_student(corpus: Path, tmp_path: Path) -> None:
    output = tmp_path / "student"
    done = run(corpus, "--dev", str(corpus / "dev.conll"), "-o", str(output))
    report = TrainingReport.read(output)
    assert done.stdout == report.table() + "\n"
    assert done.stderr.splitlines()[0].startswith("epoch 1.00, step 13 of 26, loss ")
    assert done.stderr.splitlines()[-1] == f"written to {output}"
    assert report.metrics["settings"]["loss"] == "mse"
    assert [one["model"] for one in report.metrics["distillation"]["teachers"]] == [str(corpus / "teacher")]
    assert report.metrics["training"][0]["rows"] == 200
    assert sorted(path.name for path in tmp_path.iterdir()) == ["student", "student.steps"]


@pytest.mark.slow
def test_options(corpus: Path, tmp_path: Path) -> None:
    twice = ["--teacher", str(corpus / "teacher"), "--teacher-weights", "3,1", "--steps", str(tmp_path / "kept")]
    others = ["--loss", "kl", "--temperature", "2", "--min-confidence", "0.6", "--ignore-class", "PER"]
    assert run(corpus, *twice, *others, "-o", str(tmp_path / "student")).exit_code == 0
    metrics = TrainingReport.read(tmp_path / "student").metrics
    assert (metrics["settings"]["loss"], metrics["settings"]["temperature"]) == ("kl", 2.0)
    assert [one["weight"] for one in metrics["distillation"]["teachers"]] == [0.75, 0.25]
    assert metrics["distillation"]["min_confidence"] == 0.6
    assert metrics["labels"] == ["O", "B-LOC", "I-LOC"]
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["teacher-1.parquet", "teacher-2.parquet"]


@pytest.mark.slow
def test_similarity_and_seeds(corpus: Path, tmp_path: Path) -> None:
    teacher = str(corpus / "teacher")
    texts = ["--teacher-text", str(corpus / "en.conll"), "--teacher-text", str(corpus / "yo.txt")]
    similar = ["--teacher", teacher, "--teacher-weights", "similarity", *texts, "--similarity-model", teacher]
    seeds = ["--seeds", "1,2", "--max-steps", "2", "--test", str(corpus / "dev.conll")]
    done = run(corpus, *similar, *seeds, "-o", str(tmp_path / "students"))
    assert "mean ± standard deviation of 2 seeds" in done.stdout
    # Both runs share what the teachers say.
    assert done.stderr.count("taken from") == 2
    distilled = [TrainingReport.read(tmp_path / "students" / f"seed-{n}").metrics["distillation"] for n in (1, 2)]
    assert distilled[0] == distilled[1]
    (english, native) = (one["weight"] for one in distilled[0]["teachers"])
    assert native > 0.6 > english


@pytest.mark.slow
def test_a_killed_run_goes_on_and_tags_nothing_anew(corpus: Path, tmp_path: Path) -> None:
    others = ["--dev", str(corpus / "dev.conll"), "--epochs", "4", "-o"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run(corpus, *others, str(whole))
    command = [sys.executable, "-m", "xner", *arguments(corpus, *others, str(killed))]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        state = tmp_path / ".killed.training" / "checkpoints" / "checkpoint-26" / "trainer_state.json"
        for _ in range(6000):
            if state.is_file():
                break
            assert process.poll() is None, "the run ended before it had a checkpoint"
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not killed.exists()
    resumed = run(corpus, *others, str(killed))
    assert resumed.stderr.startswith(f"teacher-1: taken from {killed}.steps/teacher-1.parquet\n")
    assert "epoch 1.00" not in resumed.stderr
    for name in ("metrics.json", "model.safetensors"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.parametrize(
    ("others", "message"),
    [
        (
            ["--teacher-weights", "much"],
            "--teacher-weights 'much': expected 'equal', 'similarity', or numbers separated",
        ),
        (["--teacher-weights", "similarity"], "--teacher-weights similarity needs a --teacher-text for each --teacher"),
        (["--teacher-text", "en.txt"], "--teacher-text and --similarity-model go with --teacher-weights similarity"),
        (
            ["--teacher-weights", "similarity", "--teacher-text", "en.txt"],
            "--random-weights tell no languages: --similarity-model names another encoder",
        ),
        (["--teacher-weights", "1,2"], "2 weights for 1 teachers: expected one each"),
        (["--text", "nothing.txt"], "there is no file 'nothing.txt'"),
        (
            ["--teacher", "spacy:xx_ent_wiki_sm"],
            "--teacher='spacy:xx_ent_wiki_sm': spacy gives labels without the probabilities that a student learns",
        ),
        (["--min-confidence", "1"], "1.0 is not in the range 0<=x<1"),
    ],
)
def test_wrong_use(others: list[str], message: str, corpus: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, arguments(corpus, *others, "-o", str(tmp_path / "student")))
    assert result.exit_code != 0
    assert message in result.output + str(result.exception)
