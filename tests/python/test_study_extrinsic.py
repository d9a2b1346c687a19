"""The study of extrinsic evaluation, in a world where it is known which method must be better."""

from __future__ import annotations

import extras

extras.need("train")

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow.csv as pacsv
import pytest

import two_languages as world
from command_line import done, xner
from plotted import plot_names
from xner import Error, evaluation, io, viewer
from xner.experiments.extrinsic import ExtrinsicStudy, Method, methods, study_extrinsic, write_extrinsic_report
from xner.experiments.extrinsic.findings import findings
from xner.experiments.extrinsic.methods import _teachers
from xner.experiments.extrinsic.report import markdown
from xner.training.run import Corpus
from xner.training.settings import TrainingSettings

if TYPE_CHECKING:
    from pathlib import Path

    from xner.training.losses import LossName

TRAINING, DEVELOPMENT, TEST = world.pairs(400, seed=1), world.pairs(60, seed=2), world.pairs(200, seed=3)
ON_SOURCE = Corpus("source", world.source_table(DEVELOPMENT))
ON_TARGET = Corpus("target", world.target_table(DEVELOPMENT))
TESTS = [Corpus("near", world.target_table(TEST)), Corpus("far", world.source_table(TEST))]
METHODS = [
    Method("transfer", [Corpus("en", world.source_table(TRAINING))], development=ON_SOURCE),
    Method("projected", [Corpus("yo", world.projected_table(TRAINING, lost_links=0.1))], development=ON_TARGET),
]
SETTINGS = TrainingSettings(epochs=10, batch_size=16, learning_rate=3e-3, patience=None)


def study(shape: Path, folder: Path, methods: list[Method], **options: Any) -> ExtrinsicStudy:
    given: dict[str, Any] = {"seeds": (0, 1), "settings": SETTINGS, "samples": 500} | options
    return study_extrinsic(methods, TESTS, folder, model=str(shape), random_weights=True, device="cpu", **given)


@pytest.fixture(scope="module")
def shape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.save_shape(tmp_path_factory.mktemp("shape"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def found(shape: Path, folder: Path) -> ExtrinsicStudy:
    return study(shape, folder, METHODS)


def rows(found: ExtrinsicStudy) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["test"], row["method"]): row for row in found.summary.to_pylist()}


@pytest.mark.slow
def test_projected_data_are_worth_more_than_transfer(found: ExtrinsicStudy) -> None:
    table = rows(found)
    near, far = table["near", "projected"], table["near", "transfer"]
    assert far["f1"] <= world.TRANSFER_LIMIT + 0.05
    assert near["f1"] >= far["f1"] + 0.1
    assert near["runs"] == far["runs"] == 2
    assert near["f1_low"] < near["f1"] < near["f1_high"]
    assert near["f1_deviation"] >= 0
    assert near["f1_loss"] == 0
    assert table["far", "transfer"]["f1_loss"] < 0, "at home it is better"
    first = next(one for one in found.comparisons if one.test == "near")
    assert (first.method, first.against) == ("projected", "transfer")
    assert first.difference == pytest.approx(near["f1"] - far["f1"])
    assert 0 < first.low < first.difference < first.high
    assert first.p_bootstrap == first.p_randomization == first.p_holm == 1 / 501


@pytest.mark.slow
def test_what_is_trained_is_used_again(found: ExtrinsicStudy, shape: Path, folder: Path) -> None:
    """And a tagger that is there already stands beside those that are trained."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("metrics.json")}
    assert len(before) == 4
    ready = folder / "models" / "projected" / "seed-1"
    more = study(shape, folder, [*METHODS, Method("ready", tagger=str(ready))])
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("metrics.json")} == before
    table = rows(more)
    assert {key: value for key, value in table.items() if key[1] != "ready"} == rows(found)
    assert table["near", "ready"]["f1"] == found.runs["projected"][1].scores["near"].f1
    assert table["near", "ready"]["f1_deviation"] is None
    assert table["near", "ready"]["sentences"] is None
    assert len(more.comparisons) == 6
    same = [one for one in more.comparisons if (one.method, one.against) == ("ready", "projected")]
    assert all(one.p_holm >= one.p_randomization for one in more.comparisons)
    assert same[0].difference == pytest.approx(table["near", "ready"]["f1"] - table["near", "projected"]["f1"])


@pytest.mark.slow
def test_files(found: ExtrinsicStudy, tmp_path: Path) -> None:
    page = write_extrinsic_report(found, tmp_path / "report", view=viewer.view)
    names = {path.name for path in page.parent.iterdir()}
    plots = set(plot_names(f"{what}-{number}" for what in ("f1", "difference") for number in (1, 2)))
    tables = {"summary.csv", "comparisons.csv", "summary.md", "predictions-1.parquet", "predictions-2.parquet"}
    assert names == {"report.html", "view.html", *plots, *tables}
    text = page.read_text(encoding="utf-8")
    assert "<h2>Where the methods differ</h2>" in text
    assert text.count("<svg") == 4
    assert pacsv.read_csv(page.parent / "summary.csv").num_rows == 4
    shown = (page.parent / "summary.md").read_text(encoding="utf-8")
    assert shown == f"{markdown(found)}\n{found.signature}\n"
    assert re.search(r"\| near +\| projected +\| +2 \| +400 \| ", shown)
    predicted = io.read(page.parent / "predictions-1.parquet")
    again = evaluation.evaluate(predicted["gold_labels"], predicted["projected/seed-0"])
    assert again.f1 == found.runs["projected"][0].scores["near"].f1
    write_extrinsic_report(found, tmp_path / "again", view=viewer.view)
    assert (tmp_path / "again" / "report.html").read_bytes() == page.read_bytes()


@pytest.mark.slow
def test_what_was_found(found: ExtrinsicStudy) -> None:
    table = rows(found)
    near, far = findings(found)
    best = table["near", "projected"]
    assert near.startswith(f"On near, projected is best with an F1 of {best['f1']:.3f} (95 % interval ")
    lead = best["f1"] - table["near", "transfer"]["f1"]
    assert f"Its lead over transfer: +{lead:.3f}, 95 % interval +" in near
    assert near.endswith("p = 0.0020 after Holm's correction.")
    assert far.startswith("On far, transfer is best")
    assert "Its lead over projected: +" in far, "the comparison is the other way round"


@pytest.mark.slow
def test_data_and_signature(found: ExtrinsicStudy) -> None:
    """What scored, what was learnt from, what chose: by content. Another seed or number of samples is another study."""
    uses = {one.name: (one.rows, one.use) for one in found.data}
    assert uses == {
        "near": (200, "test"),
        "far": (200, "test"),
        "en": (400, "training of transfer"),
        "source": (60, "development of transfer"),
        "yo": (400, "training of projected"),
        "target": (60, "development of projected"),
    }
    assert len({one.digest for one in found.data}) == 6
    fewer = {name: list(some[:1]) for name, some in found.runs.items()}
    others = [replace(found, samples=501), replace(found, confidence=0.9), replace(found, runs=fewer)]
    others.append(replace(found, tests={"near": found.tests["far"], "far": found.tests["near"]}))
    assert len({one.signature for one in (found, *others)}) == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": []}, "there are no methods"),
        ({"methods": [METHODS[0], METHODS[0]]}, "methods: 'transfer' is there twice"),
        ({"seeds": (1, 1)}, "seeds: 1 is there twice"),
        ({"seeds": ()}, "there are no seeds"),
        ({"model": None}, "training needs a model to start from"),
    ],
)
def test_wrong_calls(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"methods": METHODS, "tests": TESTS, "folder": tmp_path, "model": "m"} | options
    with pytest.raises(Error, match=message):
        study_extrinsic(**given)


def test_methods() -> None:
    with pytest.raises(Error, match=r"method 'a/b': a name has letters, digits and \. \+ - _ only"):
        Method("a/b", tagger="t")
    with pytest.raises(Error, match="method 'a' needs either data to train on or a tagger"):
        Method("a")
    with pytest.raises(Error, match="method 'a' needs either data to train on or a tagger"):
        Method("a", tagger="t", teachers=["b"], text=ON_TARGET)
    with pytest.raises(Error, match="method 'a': teachers and text go together"):
        Method("a", teachers=["b"])
    with pytest.raises(Error, match="method 'a': hard_labels goes with teachers"):
        Method("a", tagger="t", hard_labels=True)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ([], [Method("t", tagger="m")], "its teacher 't' must stand before it"),
        ([Method("t", tagger=["m", "n", "o"])], [], "its teacher 't' has 3 runs for 2 seeds"),
    ],
)
def test_wrong_teachers(tmp_path: Path, before: list[Method], after: list[Method], message: str) -> None:
    student = Method("student", teachers=["t"], text=ON_TARGET)
    with pytest.raises(Error, match=f"method 'student': {message}"):
        study_extrinsic([*before, student, *after], TESTS, tmp_path, model="m", seeds=(0, 1))


def test_teachers_by_their_methods(tmp_path: Path) -> None:
    """Runs of the same seed, one ready tagger for all, or what is no method."""
    others = [METHODS[0], Method("one", tagger="m"), Method("two", tagger=["n", "o"])]
    student = Method("student", teachers=["transfer", "one", "two", "some/model"], text=ON_TARGET)
    found = _teachers(student, [*others, student], tmp_path, (3, 5))
    folders = [str(tmp_path / "models" / "transfer" / f"seed-{seed}") for seed in (3, 5)]
    assert found == [[folders[0], "m", "n", "some/model"], [folders[1], "m", "o", "some/model"]]


@pytest.mark.parametrize("loss", [None, "cross-entropy", "kl"])
def test_students_learn_by_the_loss_that_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: LossName | None
) -> None:
    """What the distillation is handed; by itself it takes `mse` for none."""
    asked: list[TrainingSettings] = []

    def noting(*_: Any, settings: TrainingSettings, **__: Any) -> Any:
        asked.append(settings)
        raise Error("asked")

    monkeypatch.setattr(methods, "distill", noting)
    student = Method("student", teachers=["some/model"], text=ON_TARGET)
    with pytest.raises(Error, match="asked"):
        study_extrinsic([student], TESTS, tmp_path, model="m", seeds=(3,), settings=TrainingSettings(loss=loss))
    assert asked == [TrainingSettings(loss=loss, seed=3)]


@pytest.mark.slow
def test_on_the_command_line(shape: Path, tmp_path: Path) -> None:
    io.write(world.source_table(TRAINING[:80]), tmp_path / "en.conll")
    io.write(world.projected_table(TRAINING[:80]), tmp_path / "yo.parquet")
    io.write(world.target_table(TEST[:50]), tmp_path / "test.conll")
    options = ("--model", str(shape), "--random-weights", "--device", "cpu", "--epochs", "2", "--learning-rate", "3e-3")
    methods = ("--train", "transfer=en.conll", "--train", "projected=yo.parquet", "--dev", "test.conll")
    runs = ("--test", "test.conll", "--seeds", "3,4", "--samples", "200")
    command = ("study", "extrinsic", *methods, *runs, *options)
    run = done(xner(*command, "-o", "study", cwd=tmp_path))
    assert run.stdout.startswith("On test.conll, ")
    assert re.search(r"\| test\.conll \| transfer +\| +2 \| +80 \| ", run.stdout)
    assert re.search(r"\| test\.conll \| projected +\| transfer +\| ", run.stdout)
    assert "<code>xner study extrinsic --train transfer=en.conll" in (tmp_path / "study" / "report.html").read_text()
    assert "projected, seed 4: epoch 2.00, step" in run.stderr
    assert "to look at: study/report.html" in run.stderr
    again = done(xner(*command, "-o", "study", cwd=tmp_path))
    assert again.stdout == run.stdout
    assert "epoch" not in again.stderr, "nothing is trained anew"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--train", "en.conll"), "--train 'en.conll': expected METHOD=FILE"),
        (("--train", "a=f", "--tagger", "a=m"), "the method a has --train and --tagger"),
        (("--train", "a=f", "--teacher", "a=m"), "the method a has --train and --teacher"),
        (("--teacher", "a=m"), "the method a has --teacher: give one --text of it"),
        (("--text", "a=f"), "--text: no --teacher has the method 'a'"),
        (("--tagger", "a=m", "--hard-labels", "a"), "--hard-labels: no --teacher has the method 'a'"),
        (("--train", "a=f", "--dev", "b=f"), "--dev: no --train has the method 'b'"),
        (("--train", "a=f", "--dev", "f", "--dev", "g"), "--dev: one file for all methods"),
        (("--train", "a=missing.conll"), "there is no file 'missing.conll'"),
        (("--train", "a=test.conll"), "--model is missing: the encoder that training starts from, for the method a"),
        ((), "there are no methods: --train METHOD=FILE or --tagger METHOD=MODEL names one"),
    ],
)
def test_wrong_use(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    io.write(world.target_table(TEST[:2]), tmp_path / "test.conll")
    run = xner("study", "extrinsic", *options, "--test", "test.conll", "-o", "study", cwd=tmp_path)
    assert run.returncode in {1, 2}
    assert message in " ".join(run.stderr.split())
