"""All shipped recipes on two made-up languages: the report ranks them as the languages' making implies."""

from __future__ import annotations

import extras

extras.need("train")

import time
from typing import TYPE_CHECKING, Any

import pytest

import recipe_matrix as matrix
import two_languages as world
from near_and_far import FAR, NEAR
from xner import io
from xner.experiments import Method, StudiedShift, study_shift
from xner.experiments.recipes import recipe_names
from xner.experiments.reports.findings import ranking
from xner.experiments.reports.plots import micro_rows
from xner.training.run import Corpus
from xner.training.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xner.experiments.reports import Report

pytestmark = pytest.mark.slow

# Right labels of the source side, right links.
LINKED = [
    *(f"politov2025-heuristic:{one}" for one in ("compat", "default")),
    *(f"politov2025-ngram:{one}" for one in ("compat", "compat-max10", "default")),
    *(f"shkalikov2024-align:{one}" for one in ("exact", "greedy", "default")),
    *(f"shkalikov2024-heuristic:{one}" for one in ("compat", "default")),
]
# Taggers that have learnt the same labels of the same target sentences, wherever these came from.
TRAINED = [
    "chen2023-easyproject:default",
    "thennal2026-labelpigeon:default",
    "trained-tagger:projected",
    "trained-tagger:gold",
]
# A tagger of the source language reads translations of the target sentences.
THERE = [
    "ebing2025-ensemble:translate-test",
    *(f"politov2025-{name}:{one}" for name in ("translate-test", "back-translation") for one in ("heuristic", "ngram")),
]
# It reads the target sentences itself, in part: finds the candidates, or is one of two opinions.
IN_PART = [
    "ebing2025-ensemble:ensemble",
    *(f"politov2025-ner-candidates:{one}" for one in ("awesome", "simalign")),
    *(f"politov2025-{name}:ner-candidates" for name in ("translate-test", "back-translation")),
    "shkalikov2024-ner:align_ner",
]
# It does all, or a student has learnt what it says.
TRANSFERRED = ["politov2025-model-transfer:default", "ebing2025-ensemble:model-transfer", "wu2020-distillation:teacher"]
GUESSES = [*TRANSFERRED, "wu2020-distillation:student", "shkalikov2024-ner:ner"]
# It has seen no word of the target language.
BLIND = ["trained-tagger:source"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("matrix")


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    began = time.process_time()
    found = matrix.run(folder, told=lambda line: None)
    assert time.process_time() - began < 10 * 60
    return found


def f1(report: Report, language: str) -> dict[str, float]:
    return {row["method"]: row["f1"] for row in micro_rows(report) if row["language"] == language}


def differences(report: Report, language: str) -> dict[frozenset[str], dict[str, Any]]:
    rows = [row for row in report.differences.to_pylist() if row["language"] == language]
    return {frozenset((row["method"], row["against"])): row for row in rows}


def test_every_recipe_is_in_the_report(report: Report, folder: Path) -> None:
    names = {name.replace("/", "-") for name in recipe_names()} | {matrix.OWN}
    assert {row["run"] for row in micro_rows(report)} == names
    assert sorted([*LINKED, *TRAINED, *THERE, *IN_PART, *GUESSES, *BLIND]) == sorted(f1(report, FAR))
    assert f1(report, FAR).keys() == f1(report, NEAR).keys()
    assert "<svg" in (folder / "report.html").read_text(encoding="utf-8")


def test_the_ranking_where_the_source_language_misleads(report: Report) -> None:
    found = f1(report, FAR)

    def of(names: Sequence[str]) -> list[float]:
        return [found[name] for name in names]

    assert set(of(LINKED)) == {1.0}
    assert len(set(of(TRAINED))) == 1
    assert len(set(of(TRANSFERRED))) == 1
    assert min(of([*TRAINED, *THERE])) > 0.88
    assert max(of(GUESSES)) < world.TRANSFER_LIMIT + 0.06
    assert max(of(GUESSES)) + 0.05 < min(of(IN_PART))
    assert max(of(IN_PART)) < 1
    assert max(of(BLIND)) < min(of(GUESSES)) - 0.1
    sure = differences(report, FAR)
    for better, worse in ((LINKED[0], TRAINED[0]), (TRAINED[0], GUESSES[0]), (THERE[0], GUESSES[0])):
        one = sure[frozenset((better, worse))]
        assert (one["difference"] > 0) == (one["method"] == better)
        assert one["p_value"] < 0.05


def test_the_ranking_where_the_source_language_is_alike(report: Report) -> None:
    """A tagger that was transferred is as good as those that learnt the language, and the test finds no difference."""
    found = f1(report, NEAR)
    assert {found[name] for name in LINKED} == {1.0}
    assert min(found[name] for name in found.keys() - BLIND) > 0.88
    assert found[BLIND[0]] < 0.5
    sure = differences(report, NEAR)
    for one in TRANSFERRED:
        assert abs(found[one] - found[TRAINED[0]]) < 0.05
        assert sure[frozenset((one, TRAINED[0]))]["p_holm"] > 0.05


def test_the_best_of_both_languages_come_first(report: Report) -> None:
    ranked = [name for name, _ in ranking(micro_rows(report))]
    assert set(ranked[: len(LINKED)]) == set(LINKED)
    assert set(ranked[-len(GUESSES) - 1 :]) == {*GUESSES, *BLIND}
    assert ranked[-1] == BLIND[0]


def test_what_is_there_is_not_made_again(report: Report, folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/outputs/*")}
    for name, recipe in matrix.recipes(folder).items():
        again = recipe.run(folder / "runs" / name.replace("/", "-"), steps=folder / "steps", told=lambda line: None)
        assert all(one.kept for one in again.done), name
    assert {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/outputs/*")} == before


@pytest.mark.parametrize("language", [FAR, NEAR])
def test_shifts_cost_what_the_making_implies(report: Report, folder: Path, tmp_path: Path, language: str) -> None:
    """Words of the target language become the source's, but for the names.

    The transferred tagger has the same embedding for both, so that it loses nothing at all; taggers that have learnt
    the target language alone do. Names in other contexts cost nobody, and the same training with other seeds is no
    other method.
    """
    letter = world.TARGET_WORDS[0][0] if language == FAR else matrix.near_words()[0][0]
    lexicon = {letter + word[1:]: word for word in world.SOURCE_WORDS}
    shifts = [StudiedShift("code-switch", {"lexicon": lexicon}), StudiedShift("context")]
    learnt = [Corpus("gold", io.read(folder / f"{language}.train.conll"))]
    test = Corpus(language, io.read(folder / f"{language}.conll"))
    given: dict[str, Any] = {
        "shifts": shifts,
        "severities": (5,),
        "samples": 2000,
        "model": str(folder / "shape"),
        "random_weights": True,
        "settings": TrainingSettings(**matrix.TRAINING),
        "device": "cpu",
    }
    study_shift([Method("gold", learnt)], [test], tmp_path / "other", seeds=(2, 3), **given)
    again = [str(tmp_path / "other" / "models" / "gold" / f"seed-{seed}") for seed in (2, 3)]
    methods = [
        Method("gold", learnt),
        Method("transfer", tagger=str(folder / "transferred")),
        Method("again", tagger=again),
    ]
    study = study_shift(methods, [test], tmp_path / "study", seeds=(0, 1), **given)
    lost = {(row["method"], row["shift"]): row for row in study.drops.to_pylist()}
    assert lost["transfer", "code-switch"]["drop"] == 0
    for name in ("gold", "again"):
        assert lost[name, "code-switch"]["drop_low"] > 0.05
    for row in study.comparisons.to_pylist():
        if (row["method"], row["shift"]) == ("transfer", "code-switch"):
            assert row["difference_high"] < 0
            assert row["p_holm"] < 0.05
        elif row["method"] == "again" or row["shift"] == "context":
            assert row["p_holm"] > 0.05
