from __future__ import annotations

import extras

extras.need("train")

import json
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import two_languages as world
import xner
from xner import Error, OptionError
from xner._support.arrow import pylist
from xner.models.network.loading import load_config
from xner.models.taggers import Tagger
from xner.pipelines.checkpoints import alone
from xner.training.data import LabelledSentences, label_names, labelled_sentences
from xner.training.fine_tuning import Moment, last_checkpoint, note_digests
from xner.training.losses import CrossEntropy, WordTargets
from xner.training.network import load_network
from xner.training.noise import NoiseOptions
from xner.training.presets import TRAINING_PRESETS
from xner.training.report import TrainingReport
from xner.training.run import Corpus, Judged, train, train_on
from xner.training.seeds import train_seeds
from xner.training.settings import LoraSettings, TrainingSettings
from xner.training.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

TRAINING = world.pairs(800, seed=1)
DEVELOPMENT = world.pairs(100, seed=2)
TEST = world.pairs(300, seed=3)

ON_SOURCE = Corpus("source", world.source_table(TEST))
ON_TARGET = Corpus("target", world.target_table(TEST))
ON_DEVELOPMENT = Corpus("development", world.target_table(DEVELOPMENT))
FEW = Corpus("few", world.target_table(TRAINING[:100]))
"""For runs of which not the scores matter."""
BRIEF = TrainingSettings(epochs=3, batch_size=16, learning_rate=3e-3)


@pytest.fixture(scope="module")
def shape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.save_shape(tmp_path_factory.mktemp("shape"))


@pytest.fixture(scope="module")
def taught(shape: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingReport:
    """A tagger that has learnt a little, for what is the same however good it is."""
    output = tmp_path_factory.mktemp("taught") / "model"
    return learn(shape, output, world.projected_table(TRAINING[:120]), epochs=4)


@pytest.fixture(scope="module")
def projected(shape: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingReport:
    """A good tagger of the target language."""
    return learn(shape, tmp_path_factory.mktemp("projected") / "model", world.projected_table(TRAINING))


def learn(
    shape: Path, output: Path, table: Any, development: Corpus = ON_DEVELOPMENT, *, epochs: int = 15, **options: Any
) -> TrainingReport:
    settings = TrainingSettings(epochs=epochs, batch_size=16, learning_rate=3e-3, patience=None)
    return train(
        str(shape),
        [Corpus("training", table)],
        output,
        development=development,
        tests=[ON_SOURCE, ON_TARGET],
        settings=settings,
        random_weights=True,
        device="cpu",
        **options,
    )


def briefly(shape: Path, output: Path, settings: TrainingSettings = BRIEF, **options: Any) -> TrainingReport:
    given: dict[str, Any] = {"development": ON_DEVELOPMENT, "random_weights": True, "training": [FEW]} | options
    return train(str(shape), output=output, settings=settings, device="cpu", **given)


@pytest.mark.slow
class TestTwoLanguages:
    """What training on projected data is worth, where it is known what can be learnt."""

    @pytest.mark.slow
    def test_projected_data_teach_what_transfer_cannot(
        self, projected: TrainingReport, shape: Path, tmp_path: Path
    ) -> None:
        on_source = Corpus("development", world.source_table(DEVELOPMENT))
        transfer = learn(shape, tmp_path / "model", world.source_table(TRAINING), on_source)
        # Everything can be told in a language that was learnt.
        assert transfer.f1("source") > 0.97
        assert projected.f1("target") > 0.97
        # For half of the names the other language's words alone tell the class: transfer guesses them.
        assert transfer.f1("target") < world.TRANSFER_LIMIT + 0.06

    def test_the_model_is_what_was_scored(self, taught: TrainingReport) -> None:
        tagger = Tagger.load(str(taught.folder), device="cpu")
        assert tagger.classes == ("LOC", "PER")
        predicted = [tagged.labels for tagged in tagger.tag(pylist(ON_TARGET.table["tokens"]))]
        scores = xner.evaluate(ON_TARGET.table["labels"], predicted)
        assert scores.f1 == taught.f1("target")
        found = next(one for one in taught.metrics["tests"] if one["name"] == "target")
        assert found["scores"] == scores.to_dict()
        assert sum(found["analysis"]["errors"].values()) >= scores.micro.fp

    def test_the_trainer_scores_as_the_tagger_does(self, taught: TrainingReport) -> None:
        best = max(moment["development"]["f1"] for moment in taught.metrics["history"])
        assert best == taught.f1("development")

    def test_the_report(self, taught: TrainingReport) -> None:
        assert TrainingReport.read(taught.folder) == taught
        (data,) = taught.metrics["training"]
        assert (data["name"], data["rows"], data["learnt"]) == ("training", 120, 120)
        header, *rows = taught.table().splitlines()
        assert header.split()[:4] == ["precision", "recall", "F1", "entities"]
        assert [row.split()[0] for row in rows] == ["development", "source", "target"]

    def test_the_card(self, taught: TrainingReport) -> None:
        card = (taught.folder / "README.md").read_text()
        assert "# Tagger of named entities: LOC, PER" in card
        assert f"| target | {taught.scored[2]['scores']['micro']['precision']:.3f} |" in card
        assert f"SHA-256 of what was learnt from: `{taught.metrics['digest']}`" in card
        assert "| learning_rate | `0.003` |" in card
        assert f"| torch | {torch.__version__} |" in card
        assert "| training | 120 | " in card

    def test_the_files(self, taught: TrainingReport) -> None:
        assert sorted(path.name for path in taught.folder.iterdir()) == [
            "README.md",
            "config.json",
            "metrics.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json",
        ]
        assert [path.name for path in taught.folder.parent.iterdir()] == ["model"]

    @pytest.mark.slow
    def test_a_pretrained_model_goes_on_learning(self, projected: TrainingReport, tmp_path: Path) -> None:
        few = Corpus("few", world.source_table(TRAINING[:50]))
        settings = replace(BRIEF, epochs=1, learning_rate=1e-4)
        report = briefly(projected.folder, tmp_path / "model", settings, training=[few], random_weights=False)
        # Its head was for the same labels, and stays.
        assert report.f1("development") > 0.9

    def test_a_head_for_other_labels_is_made_anew(self, taught: TrainingReport) -> None:
        model = str(taught.folder)

        def loaded(names: list[str], seed: int) -> tuple[torch.Tensor, torch.Tensor]:
            config = load_config(model, kind="model", what="a test")
            network = load_network(model, config, names, random_weights=False, seed=seed)
            assert list(network.config.id2label.values()) == names
            return network.classifier.weight, network.bert.encoder.layer[0].output.dense.weight

        names = taught.metrics["labels"]
        head, encoder = loaded(names, 0)
        assert torch.equal(head, loaded(names, 1)[0])
        # As many labels, in another order.
        for others in (names[::-1], [*names, "B-ORG", "I-ORG"]):
            new, same = loaded(others, 0)
            assert torch.equal(same, encoder)
            assert not torch.equal(new[:5], head)
            assert torch.equal(new, loaded(others, 0)[0])
            assert not torch.equal(new, loaded(others, 1)[0])

    def test_an_encoder_without_a_head_is_enough(self, tiny_xlm_roberta: Path, tmp_path: Path) -> None:
        report = briefly(tiny_xlm_roberta, tmp_path / "model", random_weights=False)
        losses = [moment["loss"] for moment in report.metrics["history"]]
        assert losses[-1] < losses[0]

    @pytest.mark.slow
    def test_lora_trains_small_matrices_and_leaves_a_plain_model(
        self, projected: TrainingReport, tmp_path: Path
    ) -> None:
        settings = replace(BRIEF, epochs=6, lora=LoraSettings(rank=8), learning_rate=5e-3, patience=None)
        training = [Corpus("source", world.source_table(TRAINING[:200]))]
        report = briefly(
            projected.folder,
            tmp_path / "model",
            settings,
            training=training,
            development=ON_SOURCE,
            random_weights=False,
        )
        before = projected.f1("source")
        assert report.f1("source") > before + 0.2
        assert Tagger.load(str(report.folder), device="cpu").classes == ("LOC", "PER")
        assert sorted(path.name for path in report.folder.iterdir()) == sorted(
            path.name for path in projected.folder.iterdir()
        )
        # The embeddings stay as they were; what has matrices has changed.
        from safetensors.torch import load_file

        old, new = (load_file(folder / "model.safetensors") for folder in (projected.folder, report.folder))
        assert old.keys() == new.keys()
        changed = {name for name in old if not torch.equal(old[name], new[name])}
        assert not any("embeddings" in name for name in changed)
        assert {name for name in old if name.endswith("query.weight")} <= changed
        assert {"classifier.weight", "classifier.bias"} <= changed
        assert report.metrics["versions"].keys() >= {"peft"}


class TestDeterminism:
    @pytest.mark.slow
    def test_the_same_seed_gives_the_same_model(self, shape: Path, tmp_path: Path) -> None:
        first, again, other = (
            briefly(shape, tmp_path / name, replace(BRIEF, epochs=1, seed=seed))
            for name, seed in (("a", 0), ("b", 0), ("c", 1))
        )
        assert first.metrics == again.metrics
        assert first.metrics["history"] != other.metrics["history"]
        weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in "abc"]
        assert weights[0] == weights[1] != weights[2]

    @pytest.mark.slow
    def test_batches_may_be_cut_up(self, tmp_path: Path) -> None:
        shape = world.save_shape(tmp_path, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        whole = briefly(shape, tmp_path / "a", replace(BRIEF, epochs=2, batch_size=20))
        parts = briefly(shape, tmp_path / "b", replace(BRIEF, epochs=2, batch_size=5, accumulation=4))
        for one, other in zip(whole.metrics["history"], parts.metrics["history"], strict=True):
            assert one["step"] == other["step"]
            assert one["loss"] == pytest.approx(other["loss"], rel=1e-3)

    @pytest.mark.slow
    def test_seeds_are_averaged(self, shape: Path, tmp_path: Path) -> None:
        def run(seed: int, folder: Path) -> TrainingReport:
            return briefly(shape, folder, replace(BRIEF, epochs=1, seed=seed))

        summary = train_seeds([3, 4], tmp_path / "seeds", run)
        runs = [TrainingReport.read(tmp_path / "seeds" / f"seed-{seed}").f1("development") for seed in (3, 4)]
        saved = json.loads((tmp_path / "seeds" / "summary.json").read_text())
        f1 = saved["scores"]["development"]["f1"]
        assert f1["runs"] == runs
        assert f1["mean"] == pytest.approx(np.mean(runs))
        assert f1["deviation"] == pytest.approx(np.std(runs, ddof=1))
        assert f"{np.mean(runs):.3f} ± {np.std(runs, ddof=1):.3f}" in summary.table()
        with pytest.raises(Error, match=r"seeds=\[3\]: expected at least two different ones"):
            train_seeds([3], tmp_path / "seeds", run)


class _InterruptedError(Exception):
    pass


class TestResume:
    @pytest.mark.slow
    def test_an_interrupted_run_ends_as_an_uninterrupted_one(self, shape: Path, tmp_path: Path) -> None:
        settings = replace(BRIEF, evaluate_steps=4)

        def interrupt(moment: Moment) -> None:
            if moment.step == 12:
                raise _InterruptedError

        steps: list[int] = []
        whole = briefly(shape, tmp_path / "whole", settings)
        with pytest.raises(_InterruptedError):
            briefly(shape, tmp_path / "model", settings, progress=interrupt)
        assert not (tmp_path / "model").exists()
        resumed = briefly(shape, tmp_path / "model", settings, progress=lambda moment: steps.append(moment.step))
        assert steps[0] == 12
        assert resumed.metrics == whole.metrics
        names = ("model.safetensors", "metrics.json", "README.md")
        assert [(tmp_path / "model" / n).read_bytes() for n in names] == [
            (tmp_path / "whole" / n).read_bytes() for n in names
        ]
        # Each update was seen once; the last ones are scored even where they fill no interval.
        assert [moment["step"] for moment in whole.metrics["history"]] == [4, 8, 12, 16, 20, 21]

    @pytest.mark.slow
    def test_a_run_that_had_stopped_early_is_not_trained_further(
        self, shape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Weights that hardly change: no scoring is better than the first.
        settings = replace(BRIEF, epochs=9, learning_rate=1e-9, patience=2)
        whole = briefly(shape, tmp_path / "whole", settings)
        assert [moment["step"] for moment in whole.metrics["history"]] == [7, 14, 21]
        assert whole.metrics["best_step"] == 7
        with monkeypatch.context() as patched:
            patched.setattr("xner.training.workspace.Workspace.new_result", _interrupt)
            with pytest.raises(_InterruptedError):
                briefly(shape, tmp_path / "model", settings)
        resumed = briefly(shape, tmp_path / "model", settings, progress=lambda moment: pytest.fail("trained further"))
        assert resumed.metrics == whole.metrics

    def test_a_finished_run_is_read_back(self, shape: Path, tmp_path: Path) -> None:
        settings = replace(BRIEF, epochs=1)
        report = briefly(shape, tmp_path / "model", settings)
        written = (tmp_path / "model" / "model.safetensors").stat().st_mtime_ns
        assert briefly(shape, tmp_path / "model", settings) == report
        assert (tmp_path / "model" / "model.safetensors").stat().st_mtime_ns == written
        with pytest.raises(Error, match=r"cannot write '.*model': it is there already, and not from this run"):
            briefly(shape, tmp_path / "model", replace(settings, seed=1))

    @pytest.mark.slow
    def test_what_another_run_has_left_is_not_taken_up(self, shape: Path, tmp_path: Path) -> None:
        def interrupt(moment: Moment) -> None:
            if moment.epoch > 1:
                raise _InterruptedError

        with pytest.raises(_InterruptedError):
            briefly(shape, tmp_path / "model", progress=interrupt)
        assert last_checkpoint(tmp_path / ".model.training" / "checkpoints") is not None
        steps: list[int] = []
        briefly(shape, tmp_path / "model", replace(BRIEF, epochs=1), progress=lambda moment: steps.append(moment.step))
        assert steps == [7]
        assert not (tmp_path / ".model.training").exists()

    def test_a_checkpoint_that_was_not_finished_is_none(self, tmp_path: Path) -> None:
        assert last_checkpoint(tmp_path / "nothing") is None
        for step, state in (
            (9, '{"log_history": [{}]}'),
            (10, '{"log_history": [{}]}'),
            (11, '{"log_hist'),
            (12, None),
        ):
            (tmp_path / f"checkpoint-{step}").mkdir()
            if state is not None:
                (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text(state)
        assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-10"

    @pytest.mark.parametrize("damaged", [9, 10, None])
    def test_a_damaged_checkpoint_is_none(self, tmp_path: Path, damaged: int | None) -> None:
        state = '{"log_history": [{}], "best_global_step": 9, "best_model_checkpoint": "checkpoint-9"}'
        for step in (8, 9, 10):
            folder = tmp_path / f"checkpoint-{step}"
            folder.mkdir()
            (folder / "trainer_state.json").write_text(state.replace("9", "8") if step == 8 else state)
            (folder / "model.safetensors").write_bytes(bytes(100))
            note_digests(folder)
        if damaged is not None:
            (tmp_path / f"checkpoint-{damaged}" / "model.safetensors").write_bytes(bytes(99) + b"\x01")
        whole = {9: 8, 10: 9, None: 10}[damaged]  # one whose best one is damaged is of no use
        assert last_checkpoint(tmp_path) == tmp_path / f"checkpoint-{whole}"

    def test_one_run_at_a_time(self, shape: Path, tmp_path: Path) -> None:
        with alone(tmp_path / "model"), pytest.raises(Error, match=r"model' is being written by process \d+ on"):
            briefly(shape, tmp_path / "model", replace(BRIEF, epochs=1))

    def test_a_run_that_was_killed_at_its_last_moves(self, tmp_path: Path) -> None:
        workspace = Workspace.open(tmp_path / "model", "k")
        workspace.checkpoints.mkdir()
        (workspace.checkpoints / "a").write_text("x")
        workspace.checkpoints.replace(workspace.new_result() / "checkpoints")
        result = Workspace.open(tmp_path / "model", "k").new_result()
        assert (workspace.checkpoints / "a").read_text() == "x", "which a run goes on from"
        result.replace(tmp_path / "model")
        (tmp_path / ".model.lock").write_text("process 1")
        Workspace.clear(tmp_path / "model")
        assert [path.name for path in tmp_path.iterdir()] == ["model"]

    def test_checkpoints_may_stay(self, shape: Path, tmp_path: Path) -> None:
        report = briefly(shape, tmp_path / "model", replace(BRIEF, epochs=1), keep_checkpoints=True)
        assert last_checkpoint(report.folder / "checkpoints") is not None


def _interrupt(*arguments: Any) -> Path:
    raise _InterruptedError


class TestSettings:
    def test_without_development_data_the_last_step_counts(self, shape: Path, tmp_path: Path) -> None:
        report = briefly(shape, tmp_path / "model", development=None, tests=[ON_TARGET])
        assert report.metrics["best_step"] is None
        assert report.metrics["development"] is None
        assert [moment["development"] for moment in report.metrics["history"]] == [{}] * 3
        assert "the last step's weights" in (report.folder / "README.md").read_text()

    def test_steps_may_be_bounded(self, shape: Path, tmp_path: Path) -> None:
        report = briefly(shape, tmp_path / "model", replace(BRIEF, max_steps=10))
        assert [moment["step"] for moment in report.metrics["history"]] == [7, 10]

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"bf16": True}, marks=pytest.mark.slow),
            pytest.param({"loss": "focal"}, marks=pytest.mark.slow),
            pytest.param({"loss": "generalized-cross-entropy"}, marks=pytest.mark.slow),
            pytest.param({"schedule": "cosine", "weight_decay": 0.0, "warmup": 0.0}, marks=pytest.mark.slow),
            pytest.param({"schedule": "constant"}, marks=pytest.mark.slow),
            pytest.param({"class_weights": "balanced"}, marks=pytest.mark.slow),
            {"longest": 8},
        ],
    )
    def test_all_learn(self, shape: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
        report = briefly(shape, tmp_path / "model", replace(BRIEF, **changes))
        losses = [moment["loss"] for moment in report.metrics["history"]]
        assert losses[-1] < losses[0]

    @pytest.mark.slow
    def test_the_candidates_preset_prefers_recall(self, shape: Path, tmp_path: Path) -> None:
        # Labels of which a third is missing, as after a projection that finds too little.
        rows = [
            (one.target, [found for k, found in enumerate(one.target_entities) if (k + len(one.target)) % 3])
            for one in TRAINING[:300]
        ]
        training = [Corpus("gaps", world.table(rows))]
        preset = TRAINING_PRESETS["candidates"]
        settings = replace(BRIEF, epochs=8, patience=None)
        plain, wide = (
            briefly(
                shape, tmp_path / name, replace(settings, **changes), training=training, classes=preset.classes
            ).scored[0]["scores"]["micro"]
            for name, changes in (("a", {}), ("b", preset.settings))
        )
        saved = TrainingReport.read(tmp_path / "b").metrics
        assert saved["labels"] == ["O", "B-CAND", "I-CAND"]
        assert saved["settings"]["class_weights"] == {"CAND": 5.0}
        assert wide["recall"] > plain["recall"] + 0.05

    def test_several_corpora_and_noise_are_told(self, shape: Path, tmp_path: Path) -> None:
        noise = NoiseOptions(row_weights="margin", min_margin=0.6, drop_incomplete=True)
        lossy = Corpus("lossy", world.projected_table(TRAINING[:100], lost_links=0.3))
        report = briefly(shape, tmp_path / "model", replace(BRIEF, epochs=1), training=[lossy, lossy], noise=noise)
        first, second = report.metrics["training"]
        assert first == second
        assert first["incomplete"] > 0
        assert first["masked_words"] > 0
        assert first["learnt"] == 100 - first["incomplete"]
        assert report.metrics["noise"] == asdict(noise)
        card = (report.folder / "README.md").read_text()
        assert f"{first['incomplete']} sentences with an entity without a target" in card

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"epochs": 0}, "epochs=0: expected a whole number from 1"),
            ({"max_steps": 0}, "max_steps=0: expected a whole number from 1"),
            ({"learning_rate": 0.0}, "learning_rate=0.0: expected a number above 0"),
            ({"warmup": 1.0}, "warmup=1.0: expected a number from 0 on and below 1"),
            ({"gce_q": 0.0}, "gce_q=0.0: expected a number above 0, up to 1"),
            ({"schedule": "step"}, "schedule='step': expected one of 'linear', 'cosine', 'constant'"),
            ({"loss": "hinge"}, "loss='hinge': expected one of 'cross-entropy', 'focal', 'generalized-cross-entropy'"),
            ({"class_weights": "auto"}, "class_weights='auto': expected one of 'none', 'balanced'"),
            ({"class_weights": {"PER": -1}}, r"class_weights\['PER'\]=-1: expected a number from 0 on"),
            ({"seed": -1}, "seed=-1: expected a whole number from 0"),
        ],
    )
    def test_unusable_ones(self, changes: dict[str, Any], message: str) -> None:
        with pytest.raises(Error, match=message):
            TrainingSettings(**changes)

    def test_unusable_lora(self) -> None:
        with pytest.raises(Error, match="rank=0: expected a whole number from 1"):
            LoraSettings(rank=0)
        with pytest.raises(Error, match=r"targets=\(\): expected names of layers, or 'all-linear'"):
            LoraSettings(targets=())


class TestTrainOn:
    """What distillation is made of."""

    @pytest.mark.slow
    def test_distributions_teach_as_labels_do(self, shape: Path, tmp_path: Path) -> None:
        names = label_names(["PER", "LOC"])
        sentences = labelled_sentences(world.target_table(TRAINING[:200]))
        judged = Judged("development", labelled_sentences(ON_DEVELOPMENT.table))
        one_hot = [np.eye(5, dtype=np.float32)[[names.index(x or "O") for x in row]] for row in sentences.labels]
        soft = LabelledSentences(sentences.tokens, sentences.labels, distributions=one_hot)
        found = [
            train_on(
                str(shape),
                some,
                names,
                tmp_path / name,
                word_loss=lambda learnt: CrossEntropy(),
                development=judged,
                settings=replace(BRIEF, epochs=2),
                details={"training": []},
                random_weights=True,
                device="cpu",
            ).metrics["history"]
            for name, some in (("hard", sentences), ("soft", soft))
        ]
        for hard, other in zip(*found, strict=True):
            assert hard["loss"] == pytest.approx(other["loss"], rel=1e-3)

    def test_a_loss_sees_the_words_that_are_learnt(self, shape: Path, tmp_path: Path) -> None:
        seen: list[tuple[torch.Tensor, WordTargets]] = []

        def loss(logits: torch.Tensor, targets: WordTargets) -> torch.Tensor:
            seen.append((logits, targets))
            return CrossEntropy()(logits, targets)

        sentences = LabelledSentences([["yw0", "Baix", "ywper0"]], [["O", "B-PER", None]], [2.0])
        report = train_on(
            str(shape),
            sentences,
            ["O", "B-PER", "I-PER"],
            tmp_path / "model",
            word_loss=lambda learnt: loss,
            settings=replace(BRIEF, epochs=1),
            details={"training": []},
            random_weights=True,
            device="cpu",
        )
        (logits, targets), *_ = seen
        assert logits.shape == (2, 3)
        assert targets.labels.tolist() == [0, 1]
        assert targets.distributions is None
        mean = CrossEntropy()(logits, targets).mean().item()
        assert report.metrics["history"][0]["loss"] == pytest.approx(2 * mean)


class TestBadInput:
    def test_no_entities(self, shape: Path, tmp_path: Path) -> None:
        with pytest.raises(Error, match="the training data, few, have no entities"):
            briefly(shape, tmp_path / "model", classes={"*": "O"})

    def test_no_class_of_a_name(self, shape: Path, tmp_path: Path) -> None:
        with pytest.raises(OptionError, match="no class 'PRE' to rename; the classes are LOC, PER"):
            briefly(shape, tmp_path / "model", classes={"LOC": "O", "PRE": "X", "*": "Y"})

    def test_no_sentences_to_score_on(self, shape: Path, tmp_path: Path) -> None:
        empty = Corpus("empty", ON_TARGET.table.slice(0, 0))
        with pytest.raises(Error, match="'empty' has no sentences to score on"):
            briefly(shape, tmp_path / "model", tests=[empty])

    def test_no_such_model(self, tmp_path: Path) -> None:
        with pytest.raises(Error, match="cannot load the model '"):
            briefly(tmp_path / "nothing", tmp_path / "model")

    def test_a_model_without_weights(self, shape: Path, tmp_path: Path) -> None:
        with pytest.raises(
            Error, match=r"cannot load the model '.*'.* \(weights are read from safetensors files only\)"
        ):
            briefly(shape, tmp_path / "model", random_weights=False)

    def test_a_model_that_lacks_weights(self, taught: TrainingReport, tmp_path: Path) -> None:
        from safetensors.torch import load_file, save_file

        broken = shutil.copytree(taught.folder, tmp_path / "broken")
        weights = load_file(broken / "model.safetensors")
        del weights["bert.encoder.layer.0.output.dense.bias"]
        save_file(weights, broken / "model.safetensors", {"format": "pt"})
        with pytest.raises(
            Error, match=r"its files lack 1 of its weights, as 'bert.encoder.layer.0.output.dense.bias'"
        ):
            briefly(broken, tmp_path / "model", random_weights=False)

    def test_a_loss_that_is_not_finite(self, shape: Path, tmp_path: Path) -> None:
        with pytest.raises(Error, match=r"step \d+: the loss is not a finite number; a lower learning rate may help"):
            briefly(shape, tmp_path / "model", replace(BRIEF, learning_rate=1e30))
        # Such input would fail again: nothing stays of it.
        assert not (tmp_path / ".model.training").exists()

    def test_class_weights_of_no_class(self, shape: Path, tmp_path: Path) -> None:
        with pytest.raises(Error, match="class_weights: 'ORG' is none of the labels and classes B-LOC, B-PER, I-LOC"):
            briefly(shape, tmp_path / "model", replace(BRIEF, class_weights={"ORG": 2.0}))

    def test_no_folder_for_the_output(self, shape: Path, tmp_path: Path) -> None:
        with pytest.raises(Error, match=r"cannot write '.*': the folder '.*nowhere' does not exist"):
            briefly(shape, tmp_path / "nowhere" / "model")

    def test_lora_on_layers_that_are_not_there(self, shape: Path, tmp_path: Path) -> None:
        with pytest.raises(Error, match="'nothing': the model has no such layer; its linear ones are query, key"):
            briefly(shape, tmp_path / "model", replace(BRIEF, lora=LoraSettings(targets=("nothing",))))


def test_torch_is_not_imported_with_the_module() -> None:
    heavy = "{'torch', 'transformers', 'peft', 'datasets'}"
    code = f"import sys, xner.training, xner.cli.commands.train; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
