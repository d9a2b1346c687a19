"""Distillation: soft labels, how they are mixed and filtered, weights of teachers, and what students learn."""

from __future__ import annotations

import extras

extras.need("train")

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import two_languages as world
import xner
from reference import soft_labels as reference
from xner import Error, io, schema
from xner._support.arrow import pylist
from xner.models.network.loading import import_transformers
from xner.models.taggers import Tagger
from xner.pipelines import recipes
from xner.training.distillation import LanguageSimilarity, distill
from xner.training.distillation.distilling import taught_sentences
from xner.training.distillation.language_similarity import similarity_weights
from xner.training.distillation.soft_labels import SoftLabels, Teacher, mixed
from xner.training.run import Corpus, train
from xner.training.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xner.models.taggers.tagger import TaggedBatch
    from xner.training.fine_tuning import Moment
    from xner.training.report import TrainingReport

TEXT = Corpus("text", world.target_table(world.pairs(800, seed=4)))
FEW = Corpus("few", TEXT.table.slice(0, 60))
"""For runs of which not the scores matter."""
ON_TARGET = Corpus("target", world.target_table(world.pairs(300, seed=3)))
SETTINGS = TrainingSettings(epochs=10, batch_size=16, learning_rate=3e-3, loss="mse")
BRIEF = replace(SETTINGS, epochs=1)


def learn(shape: Path, output: Path, table: pa.Table, epochs: int = 8) -> TrainingReport:
    settings = replace(SETTINGS, epochs=epochs, loss="cross-entropy")
    return train(str(shape), [Corpus("training", table)], output, settings=settings, random_weights=True, device="cpu")


@pytest.fixture(scope="module")
def shape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.save_shape(tmp_path_factory.mktemp("shape"))


@pytest.fixture(scope="module")
def transfer(shape: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger that has learnt some of the source language, and knows the target's words but not their order."""
    output = tmp_path_factory.mktemp("transfer") / "teacher"
    return transferred(shape, output, pairs=100, epochs=2)


def transferred(shape: Path, output: Path, *, pairs: int = 600, epochs: int = 8) -> Path:
    learn(shape, output, world.source_table(world.pairs(pairs, seed=1)), epochs)
    return world.share_embeddings(output)


@pytest.fixture(scope="module")
def native(shape: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tagger that has learnt some of the target language."""
    output = tmp_path_factory.mktemp("native") / "teacher"
    learn(shape, output, world.target_table(world.pairs(200, seed=2)), epochs=4)
    return output


def teach(
    shape: Path, output: Path, teachers: Sequence[Path], text: Corpus = FEW, settings: Any = BRIEF, **options: Any
) -> TrainingReport:
    given: dict[str, Any] = {"random_weights": True, "device": "cpu"} | options
    return distill(str(shape), [str(one) for one in teachers], text, output, settings=settings, **given)


def labels_of(folder: Path) -> list[list[str]]:
    tagger = Tagger.load(str(folder), device="cpu")
    return [tagged.labels for tagged in tagger.tag(pylist(ON_TARGET.table[schema.TOKENS]))]


def f1(folder: Path) -> float:
    return xner.evaluate(ON_TARGET.table[schema.LABELS], labels_of(folder)).f1


class TestTwoLanguages:
    """What can be learnt from a teacher is known where it is known what the teacher can tell.

    Students start from random weights and see no label, so all that they can do comes from the teacher. The class of
    half of the names is a coin's, and stands in a word that `transfer` looks for on the wrong side: neither it nor its
    student can do more than guess.
    """

    @pytest.mark.slow
    def test_a_student_reaches_a_teacher_that_was_transferred(self, shape: Path, tmp_path: Path) -> None:
        transfer = transferred(shape, tmp_path / "teacher")
        teacher = f1(transfer)
        report = teach(shape, tmp_path / "student", [transfer], TEXT, SETTINGS, tests=[ON_TARGET])
        assert 0.5 < teacher < world.TRANSFER_LIMIT + 0.06
        assert report.f1("target") > teacher - 0.02
        assert report.f1("target") < world.TRANSFER_LIMIT + 0.06

    @pytest.mark.slow
    def test_a_student_reaches_a_teacher_that_can_tell_everything(self, shape: Path, tmp_path: Path) -> None:
        native = tmp_path / "teacher"
        learn(shape, native, world.target_table(world.pairs(600, seed=2)))
        settings = replace(SETTINGS, loss="kl", temperature=2.0)
        report = teach(shape, tmp_path / "student", [native], TEXT, settings, tests=[ON_TARGET])
        assert f1(native) > 0.9
        assert report.f1("target") > f1(native) - 0.02


def opinion(names: Sequence[str], *rows: Sequence[float]) -> SoftLabels:
    return SoftLabels(tuple(names), np.array(rows, np.float32))


NAMES = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]


@st.composite
def opinions(draw: st.DrawFn) -> tuple[list[dict[str, float]], list[float]]:
    """What some teachers say of a word, in any order of labels; one at least knows all classes."""
    classes = ["A", "B", "C"][: draw(st.integers(1, 3))]
    found = []
    for place in range(draw(st.integers(1, 4))):
        known = classes if place == 0 else draw(st.lists(st.sampled_from(classes), min_size=1, unique=True))
        labels = draw(st.permutations(["O", *(f"{prefix}-{name}" for name in known for prefix in "BI")]))
        shares = draw(st.lists(st.integers(0, 9), min_size=len(labels), max_size=len(labels)).filter(any))
        found.append({label: share / sum(shares) for label, share in zip(labels, shares, strict=True)})
    order = draw(st.permutations(range(len(found))))
    weights = draw(st.lists(st.integers(1, 5), min_size=len(found), max_size=len(found)))
    return [found[place] for place in order], [weight / sum(weights) for weight in weights]


class TestMixing:
    @given(opinions())
    def test_against_the_reference(self, case: tuple[list[dict[str, float]], list[float]]) -> None:
        said, weights = case
        found = mixed([opinion(list(one), list(one.values())) for one in said], weights)
        expected = reference.mixed(said, weights)
        assert set(found.names) == set(expected)
        row = dict(zip(found.names, found.probabilities[0].tolist(), strict=True))
        assert row == pytest.approx(expected, abs=1e-6)

    def test_labels_are_told_by_name(self) -> None:
        one = opinion(NAMES, [0.1, 0.2, 0.3, 0.4, 0.0])
        other = opinion(["I-PER", "O", "B-PER", "I-LOC", "B-LOC"], [0.0, 0.1, 0.4, 0.3, 0.2])
        found = mixed([other, one], [0.5, 0.5])
        assert list(found.names) == NAMES
        np.testing.assert_allclose(found.probabilities, one.probabilities, rtol=1e-6)

    def test_weights(self) -> None:
        found = mixed([opinion(["O", "B-X", "I-X"], [1, 0, 0]), opinion(["O", "B-X", "I-X"], [0, 1, 0])], [0.25, 0.75])
        np.testing.assert_allclose(found.probabilities, [[0.25, 0.75, 0]])

    def test_a_class_that_a_teacher_does_not_know_is_learnt_from_the_others(self) -> None:
        knows = opinion(["O", "B-DATE", "I-DATE", "B-PER", "I-PER"], [0.1, 0.9, 0, 0, 0], [0, 0, 0, 1, 0])
        does_not = opinion(["O", "B-PER", "I-PER"], [0.8, 0.2, 0], [0.5, 0.5, 0])
        found = mixed([knows, does_not], [0.5, 0.5])
        # Its O is a date as far as the other says so; where the other sees neither, O it stays.
        np.testing.assert_allclose(found.probabilities, [[0.09, 0.81, 0, 0.1, 0], [0.25, 0, 0, 0.75, 0]], atol=1e-6)

    def test_no_teacher_knows_all_classes(self) -> None:
        row = [1, 0, 0]
        with pytest.raises(Error, match=r"none of the teachers knows all classes \(LOC; PER\): rename or ignore"):
            mixed([opinion(["O", "B-LOC", "I-LOC"], row), opinion(["O", "B-PER", "I-PER"], row)], [0.5, 0.5])


class TestConfidence:
    TEXT = pa.table({schema.TOKENS: pa.array([["a", "b"], [], ["c"], None, ["d"]], schema.WORDS_TYPE)})
    SOFT = opinion(["O", "B-X", "I-X"], [0.9, 0.1, 0], [0.3, 0.5, 0.2], [0.4, 0.3, 0.3], [0, 0.8, 0.2])

    def test_unsure_words_are_not_learnt(self) -> None:
        taught = taught_sentences(self.TEXT, self.SOFT, min_confidence=0.6)
        assert taught.sentences.tokens == [["a", "b"], ["d"]]
        assert taught.sentences.labels == [["O", None], ["B-X"]]
        assert taught.sentences.distributions is not None
        np.testing.assert_array_equal(
            np.concatenate(taught.sentences.distributions), self.SOFT.probabilities[[0, 1, 3]]
        )
        assert taught.counts == {
            "rows": 5,
            "learnt": 2,
            "entities": {"X": 1},
            "empty": 2,
            "unsure_sentences": 1,
            "unsure_words": 1,
        }

    def test_all_words_are_learnt_by_default(self) -> None:
        taught = taught_sentences(self.TEXT, self.SOFT)
        assert taught.sentences.labels == [["O", "B-X"], ["O"], ["B-X"]]
        assert taught.counts["unsure_words"] == taught.counts["unsure_sentences"] == 0

    @pytest.mark.slow
    def test_hard_labels_alone(self, native: Path, shape: Path, tmp_path: Path) -> None:
        """They are those of the teachers' probabilities; the run is another one, and says so."""
        soft, hard = (
            teach(shape, tmp_path / name, [native], FEW, BRIEF, steps=tmp_path / "steps", hard_labels=name == "hard")
            for name in ("soft", "hard")
        )
        assert soft.metrics["run"] != hard.metrics["run"]
        assert soft.metrics["training"] == hard.metrics["training"]
        assert hard.metrics["distillation"]["labels"] == "hard"
        losses = [report.metrics["history"][-1]["loss"] for report in (soft, hard)]
        assert losses[0] != losses[1]

    @pytest.mark.slow
    def test_the_report_and_the_card_say_what_was_left_out(self, native: Path, shape: Path, tmp_path: Path) -> None:
        report = teach(shape, tmp_path / "student", [native], min_confidence=0.9)
        (data,) = report.metrics["training"]
        assert data["rows"] == 60
        assert data["unsure_words"] > 0
        assert report.metrics["distillation"]["min_confidence"] == 0.9
        card = (report.folder / "README.md").read_text()
        assert f"{data['unsure_words']} unsure words" in card
        assert "Words are unsure whose most probable label has less than 0.9." in card
        assert f"| `{native}` | `{Teacher.find(str(native)).revision}` | 1.000 |" in card


def reordered(folder: Path, output: Path, order: Sequence[int]) -> Path:
    """The same tagger with its labels in another order."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(folder, output)
    weights = load_file(output / "model.safetensors")
    for name in ("classifier.weight", "classifier.bias"):
        weights[name] = weights[name][list(order)].contiguous()
    save_file(weights, output / "model.safetensors", {"format": "pt"})
    config = import_transformers("a test").AutoConfig.from_pretrained(output)
    config.id2label = {place: config.id2label[old] for place, old in enumerate(order)}
    config.label2id = {name: place for place, name in config.id2label.items()}
    config.save_pretrained(output)
    return output


class TestTeachers:
    def test_what_they_say_is_kept_in_half_precision(self, native: Path, shape: Path, tmp_path: Path) -> None:
        teach(shape, tmp_path / "student", [native])
        kept = io.read(tmp_path / "student.steps" / "teacher-1.parquet")
        field = kept.schema.field(schema.NER_PROBABILITIES)
        assert field.type.value_type.value_type == pa.float16()
        assert schema.ner_label_names(field) == tuple(NAMES)
        assert kept[schema.TOKENS].to_pylist() == FEW.table[schema.TOKENS].to_pylist()
        tagger = Tagger.load(str(native), device="cpu")
        exact = tagger.tag_batch(FEW.table[schema.TOKENS]).probabilities
        np.testing.assert_allclose(SoftLabels.read(kept).probabilities, exact, atol=1e-3)

    def test_the_order_of_labels_does_not_matter(self, native: Path, shape: Path, tmp_path: Path) -> None:
        other = reordered(native, tmp_path / "other", [3, 0, 4, 2, 1])
        alone = teach(shape, tmp_path / "a", [native])
        both = teach(shape, tmp_path / "b", [other, native], weights=[3.0, 1.0])
        assert both.metrics["labels"] == alone.metrics["labels"] == NAMES
        assert [one["weight"] for one in both.metrics["distillation"]["teachers"]] == [0.75, 0.25]
        assert both.metrics["distillation"]["weights"] == "given"
        for one, two in zip(alone.metrics["history"], both.metrics["history"], strict=True):
            assert one["loss"] == pytest.approx(two["loss"], rel=1e-3)

    def test_a_student_may_begin_as_its_teacher(self, native: Path, tmp_path: Path) -> None:
        other = reordered(native, tmp_path / "other", [3, 0, 4, 2, 1])
        settings = replace(BRIEF, max_steps=1, learning_rate=1e-9)
        report = teach(other, tmp_path / "student", [other], settings=settings, random_weights=False)
        # It goes on with the teacher's head, whose labels stay where they are.
        assert report.metrics["labels"] == ["B-PER", "O", "I-PER", "I-LOC", "B-LOC"]
        assert labels_of(report.folder) == labels_of(native)
        assert report.metrics["history"][0]["loss"] < 0.01

    def test_classes_may_be_renamed_or_ignored(self, native: Path, shape: Path, tmp_path: Path) -> None:
        assert Teacher.find(str(native), {"*": "X", "PER": "O", "DATE": "O"}).classes == {"LOC": "X", "PER": "O"}
        report = teach(shape, tmp_path / "student", [native], classes={"PER": "O"}, tests=[ON_TARGET])
        assert report.metrics["labels"] == ["O", "B-LOC", "I-LOC"]
        assert report.scored[0]["entities"].keys() == {"LOC"}

    def test_no_such_teacher(self, shape: Path, tmp_path: Path) -> None:
        with pytest.raises(Error, match="cannot load the token-classification model '"):
            teach(shape, tmp_path / "student", [tmp_path / "nothing"])
        with pytest.raises(Error, match=r"the labels of '.*shape.*' have no names"):
            teach(shape, tmp_path / "student", [shape])

    def test_a_column_without_names_of_labels(self) -> None:
        table = pa.table({schema.NER_PROBABILITIES: pa.array([[[1.0]]], schema.NER_PROBABILITIES_TYPE)})
        with pytest.raises(Error, match="the column 'ner_probabilities' does not name its labels"):
            SoftLabels.read(table)


class TestSimilarity:
    def test_what_is_like_a_language_gets_its_weight(self) -> None:
        draw = torch.Generator().manual_seed(1)
        centres = torch.randn(3, 16, generator=draw)

        def sentences(centre: torch.Tensor) -> torch.Tensor:
            return centre + 0.5 * torch.randn(100, 16, generator=draw)

        languages = [sentences(centre) for centre in centres]
        for place, centre in enumerate(centres):
            weights = similarity_weights(languages, sentences(centre))
            assert sum(weights) == pytest.approx(1)
            assert weights.index(max(weights)) == place
            assert max(weights) > 0.6
        first, second, third = similarity_weights(languages, sentences(0.7 * centres[0] + 0.3 * centres[1]))
        assert first > second > third

    def test_languages_that_are_one_weigh_the_same(self) -> None:
        sentences = torch.randn(50, 8, generator=torch.Generator().manual_seed(2))
        assert similarity_weights([sentences, sentences], sentences) == pytest.approx([0.5, 0.5], abs=0.05)

    @pytest.mark.slow
    def test_texts_of_two_languages(self, shape: Path, tmp_path: Path) -> None:
        transfer = transferred(shape, tmp_path / "teacher")
        source = Corpus("source", world.source_table(world.pairs(100, seed=5)))
        target = Corpus("target", world.target_table(world.pairs(80, seed=6)))
        similarity = LanguageSimilarity([source, target], str(transfer), sentences=60)
        found = similarity.weights(FEW.table, device="cpu")
        assert found == similarity.weights(FEW.table, device="cpu")
        assert found[1] > 0.6
        # In a distillation they are kept with the teachers' labels.
        settings = replace(BRIEF, max_steps=1)
        reports = [
            teach(
                shape,
                tmp_path / name,
                [transfer, transfer],
                weights=similarity,
                steps=tmp_path / "s",
                settings=settings,
            )
            for name in "ab"
        ]
        for report in reports:
            assert [one["weight"] for one in report.metrics["distillation"]["teachers"]] == found
            assert report.metrics["distillation"]["weights"] == f"similarity by {transfer}"
        assert sorted(path.name for path in (tmp_path / "s").iterdir()) == [
            "teacher-1.parquet",
            "teacher-2.parquet",
            "weights.json",
        ]

    def test_a_text_without_words(self, transfer: Path) -> None:
        empty = Corpus("empty", FEW.table.slice(0, 0))
        with pytest.raises(Error, match="'empty' has no sentences to tell its language by"):
            LanguageSimilarity([empty, FEW], str(transfer)).weights(FEW.table, device="cpu")


class _InterruptedError(Exception):
    pass


class TestResume:
    @pytest.mark.slow
    def test_nothing_is_tagged_twice(
        self, native: Path, shape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupt(moment: Moment) -> None:
            raise _InterruptedError

        whole = teach(shape, tmp_path / "whole", [native])
        with pytest.raises(_InterruptedError):
            teach(shape, tmp_path / "student", [native], progress=interrupt)
        loads: list[str] = []
        load = Tagger.load

        def counted(model: str, **options: Any) -> Tagger:
            loads.append(model)
            return load(model, **options)

        monkeypatch.setattr(Tagger, "load", counted)
        told: list[str] = []
        resumed = teach(shape, tmp_path / "student", [native], told=told.append)
        assert told == [f"teacher-1: taken from {tmp_path / 'student.steps' / 'teacher-1.parquet'}"]
        # No teacher, and the student once it is to be scored.
        assert loads == [str(tmp_path / ".student.training" / "result")]
        assert resumed.metrics == whole.metrics
        # Another text is tagged.
        other = Corpus("other", FEW.table.slice(0, 30))
        teach(shape, tmp_path / "more", [native], other, steps=tmp_path / "student.steps")
        assert loads.count(str(native)) == 1

    def test_a_part_that_was_tagged_is_not_tagged_again(
        self, native: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tagged: list[int] = []
        tag = Tagger.tag_batch

        def counted(tagger: Tagger, sentences: Any, **options: Any) -> TaggedBatch:
            if sum(tagged) == 40 and len(tagged) == 2:
                tagged.append(0)
                raise _InterruptedError
            tagged.append(len(sentences))
            return tag(tagger, sentences, **options)

        monkeypatch.setattr(Tagger, "tag_batch", counted)
        step = Teacher.find(str(native)).step("teacher-1", device="cpu", part_rows=20)
        table = FEW.table.select([schema.TOKENS])
        with pytest.raises(_InterruptedError):
            recipes.run(table, [step], tmp_path)
        found = recipes.run(table, [step], tmp_path)
        assert tagged == [20, 20, 0, 20]
        assert found.num_rows == 60
        assert SoftLabels.read(found).names == tuple(NAMES)


class TestBadInput:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"weights": [0.5, 0.5]}, "2 weights for 1 teachers: expected one each"),
            ({"weights": [0.0]}, "weight of teacher 1=0.0: expected a number above 0"),
            (
                {"weights": LanguageSimilarity([], "m")},
                "0 texts of the teachers' languages for 1 teachers: expected one",
            ),
            ({"min_confidence": 1.0}, "min_confidence=1.0: expected a number from 0 to below 1"),
            ({"min_confidence": 0.99999}, "min_confidence=0.99999: the teachers are not sure of any word"),
            ({"teachers": []}, r"teachers=\[\]: expected at least one"),
            ({"text": Corpus("empty", FEW.table.slice(0, 0))}, "'empty' has no words to learn from"),
            (
                {"text": Corpus("none", pa.table({"a": [1]}))},
                r"distillation needs the column\(s\) tokens; the table has: a",
            ),
            ({"development": Corpus("dev", FEW.table.select(["tokens"]))}, r"needs the column\(s\) labels"),
        ],
    )
    def test_it_is_named(
        self, options: dict[str, Any], message: str, transfer: Path, shape: Path, tmp_path: Path
    ) -> None:
        given: dict[str, Any] = {"teachers": [transfer], "text": FEW} | options
        with pytest.raises(Error, match=message):
            teach(shape, tmp_path / "student", **given)
        assert not (tmp_path / "student").exists()

    def test_the_temperature(self) -> None:
        with pytest.raises(Error, match=r"temperature=0\.0: expected a number above 0"):
            TrainingSettings(temperature=0.0)
