"""Recipes that train a tagger: on projected labels, the labelled side, gold labels, or by a teacher."""

from __future__ import annotations

import extras

extras.need("train")

from typing import TYPE_CHECKING, Any

import pytest

import two_languages as world
from command_line import done, xner
from xner import io
from xner.errors import Error, OptionError
from xner.experiments.recipes import Recipe
from xner.training.report import TrainingReport
from xner.training.run import Corpus, train
from xner.training.settings import TrainingSettings

if TYPE_CHECKING:
    from pathlib import Path

    from xner.experiments.recipes import RecipeRun

BRIEF: dict[str, Any] = {"epochs": 1, "batch_size": 16, "learning_rate": 3e-3}


def write(folder: Path, count: int) -> None:
    """`shape`, an encoder, and files of both made-up languages: to learn from, with links, and to be labelled."""
    world.save_shape(folder / "shape")
    learnt, judged = world.pairs(count, seed=1), world.pairs(60, seed=2)
    io.write(world.source_table(learnt), folder / "en.train.conll")
    io.write(world.target_table(learnt), folder / "yo.train.conll")
    io.write(world.target_table(judged), folder / "yo.conll")
    links = [" ".join(f"{source}-{target}" for source, target in pair.links) for pair in learnt]
    (folder / "en-yo.train.pharaoh").write_text("\n".join(links) + "\n", encoding="utf-8")


def recipe(folder: Path, settings: dict[str, Any], **variants: dict[str, Any]) -> Recipe:
    data = {
        "target": str(folder / "{target}.conll"),
        "training_source": str(folder / "{source}.train.conll"),
        "training_target": str(folder / "{target}.train.conll"),
        "languages": "yo",
    }
    options = {"approach": "trained-tagger", "base_model": str(folder / "shape"), "random_weights": True, **settings}
    projects = any(its["learn_from"] == "projected" for its in variants.values())
    links = {"files": [str(folder / "{source}-{target}.train.pharaoh")] if projects else []}
    found = Recipe("mine", variants={name: {**options, **its} for name, its in variants.items()})
    return found.changed(data=data, links=links, evaluation={"samples": 20})


def f1(run: RecipeRun) -> dict[str, float]:
    return {row["variant"]: row["f1"] for row in run.results.to_pylist() if row["class"] == "micro"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, 40)
    return tmp_path


def test_each_lesson_is_learnt_once(folder: Path) -> None:
    train(
        str(folder / "shape"),
        [Corpus("yo", io.read(folder / "yo.train.conll"))],
        folder / "teacher",
        settings=TrainingSettings(**BRIEF),
        random_weights=True,
    )
    lessons: dict[str, dict[str, Any]] = {one: {"learn_from": one} for one in ("source", "projected", "gold")}
    lessons["projected"]["seeds"] = [1, 2]
    lessons["teacher"] = {"learn_from": "teacher", "tagger": str(folder / "teacher")}
    lessons["named"] = {**lessons["teacher"], "loss": "cross-entropy"}
    mine = recipe(folder, BRIEF, **lessons)
    plan = str(mine.plan())
    assert f"data for training: en to yo: {folder}/en.train.conll, {folder}/yo.train.conll\n" in plan
    assert "stages: link words (files), then project (candidates), then train" in plan
    assert "on the projected labels, seeds 1, 2, then tag the target words, then evaluate" in plan
    assert f"have the target words told by a teacher ({folder}/teacher), then train" in plan
    assert plan.splitlines()[-4:] == [
        f"model calls: {folder}/shape, training for 1 epochs: 240 sentences",
        "model calls: the trained tagger, tagging: 360 sentences",
        f"model calls: {folder}/teacher, tagging: 40 sentences",
        "outputs: 6",
    ]
    short = str(mine.changed(options={"max_steps": 3}).plan())
    assert f"model calls: {folder}/shape, training for 1 epochs or 3 steps: 240 sentences" in short
    run = mine.run(folder / "run")
    assert [one.job.variant for one in run.done] == [
        "source",
        "projected-seed1",
        "projected-seed2",
        "gold",
        "teacher",
        "named",
    ]
    models = {path.name.rpartition(".")[0]: path for path in (folder / "run/models").iterdir()}
    assert set(models) == {f"yo.{one.job.variant}" for one in run.done}
    metrics = {name: TrainingReport.read(path).metrics for name, path in models.items()}
    assert [metrics[f"yo.projected-seed{seed}"]["settings"]["seed"] for seed in (1, 2)] == [1, 2]
    by_mse = {name for name, one in metrics.items() if one["settings"]["loss"] == "mse"}
    assert by_mse == {"yo.teacher"}, "a student's, unless another loss is named"
    assert metrics["yo.teacher"]["distillation"]["teachers"][0]["model"] == str(folder / "teacher")
    # The same words are learnt, whoever has labelled them; links are right, so that what is projected is gold.
    assert metrics["yo.gold"]["training"][0]["entities"] == metrics["yo.projected-seed1"]["training"][0]["entities"]
    assert all(row["sentences"] == 60 and row["to_project"] is None for row in run.results.to_pylist())
    signatures = {row["variant"]: row["signature"] for row in run.results.to_pylist()}
    assert "|seeds:2|epochs:1|" in signatures["projected-seed2"]
    before = {path: path.stat().st_mtime_ns for path in (folder / "run").rglob("*.safetensors")}
    results = (folder / "run/results.parquet").read_bytes()
    again = mine.run(folder / "run")
    assert all(one.kept for one in again.done)
    assert (folder / "run/results.parquet").read_bytes() == results
    assert before == {path: path.stat().st_mtime_ns for path in (folder / "run").rglob("*.safetensors")}
    # Other settings are another model, which takes the place of the one before.
    changed = recipe(folder, {**BRIEF, "epochs": 2}, gold={"learn_from": "gold"})
    changed.run(folder / "run", overwrite=True)
    assert len(list((folder / "run/models").glob("yo.gold.*"))) == 1
    assert not models["yo.gold"].exists()


@pytest.mark.slow
def test_the_ranking_that_the_languages_imply(tmp_path: Path) -> None:
    write(tmp_path, 600)
    enough = {"epochs": 12, "batch_size": 16, "learning_rate": 3e-3}
    lessons = {one: {"learn_from": one} for one in ("source", "projected", "gold")}
    found = f1(recipe(tmp_path, enough, **lessons).run(tmp_path / "run"))
    assert found["source"] < world.TRANSFER_LIMIT + 0.08
    assert found["gold"] > 0.9
    assert abs(found["projected"] - found["gold"]) < 0.05


def test_what_is_missing(folder: Path) -> None:
    gold = recipe(folder, BRIEF, gold={"learn_from": "gold"})
    with pytest.raises(OptionError, match="learn_from='gold' needs training_target, the file of what is learnt"):
        Recipe("mine", options=gold.variants["gold"]).changed(data={"target": "x", "languages": "yo"}).plan()
    with pytest.raises(Error, match=r"there is no target file '.*/no\.conll'"):
        gold.changed(data={"training_target": str(folder / "no.conll")}).plan()
    (folder / "yo.train.conll").write_text("ya\nyb\n", encoding="utf-8")
    with pytest.raises(Error, match="gold labels"):
        gold.run(folder / "run")


def test_on_the_command_line(folder: Path) -> None:
    (folder / "mine.toml").write_text(recipe(folder, BRIEF, gold={"learn_from": "gold"}).to_toml(), encoding="utf-8")
    told = done(xner("run", "mine.toml", "-o", "out", "--set", "gold.seeds=3", "--set", "gold.seeds=4", cwd=folder))
    assert "| gold-seed3 |" in told.stdout
    assert "yo, gold-seed4: " in told.stderr
    assert len(list((folder / "out/models").iterdir())) == 2
