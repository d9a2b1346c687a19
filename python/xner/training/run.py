"""A run of training: from labelled sentences to a folder with a model, its scores and its card."""

from __future__ import annotations

import importlib.metadata
import json
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xner import evaluation, io, schema
from xner._support.extras import require
from xner._version import __version__
from xner.errors import Error
from xner.evaluation.error_kinds import analyse
from xner.labels.tags import check_renamed, read_tags
from xner.models.network.loading import import_transformers, load_config, model_identity, quiet
from xner.models.network.piece_network import longest_input
from xner.models.network.pieces import PieceTokenizer
from xner.models.taggers.tagger import Tagger
from xner.pipelines.checkpoints import alone
from xner.training.data import EncodedSentences, LabelledSentences, label_names, labelled_sentences
from xner.training.fine_tuning import WHAT, Development, Moment, fine_tune
from xner.training.losses import label_weights, make_loss
from xner.training.model_card import CARD, model_card
from xner.training.network import load_network, merged, with_lora
from xner.training.noise import NoiseOptions, normalized_weights, read_rows
from xner.training.report import TrainingReport
from xner.training.settings import TrainingSettings
from xner.training.workspace import METRICS, Workspace, finished_metrics, run_key

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from xner.training.losses import WordLoss

__all__ = ["Corpus", "Judged", "loss_of", "train", "train_on"]


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """A table of labelled sentences.

    Attributes:
        name: what it is called in reports: its file.
        table: `tokens` and `labels`, and what projection adds. Scores go by `gold_labels` where there are some.
    """

    name: str
    table: pa.Table


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Sentences with gold labels that a tagger is scored on.

    Attributes:
        name: what they are called in reports.
        sentences: with gold labels.
    """

    name: str
    sentences: LabelledSentences

    @classmethod
    def read(cls, corpus: Corpus, classes: Mapping[str, str]) -> Judged:
        """The sentences of a corpus, by their gold labels.

        Raises:
            Error: there are none, or they have no labels.
        """
        column = schema.GOLD_LABELS if schema.GOLD_LABELS in corpus.table.schema.names else schema.LABELS
        sentences = labelled_sentences(corpus.table, classes=classes, column=column)
        if not len(sentences):
            raise Error(f"'{corpus.name}' has no sentences to score on")
        return cls(corpus.name, sentences)

    @property
    def gold(self) -> list[list[str]]:
        """Labels of each sentence's words."""
        return [[label or "O" for label in labels] for labels in self.sentences.labels]


def train(
    model: str,
    training: Sequence[Corpus],
    output: str | os.PathLike[str],
    *,
    development: Corpus | None = None,
    tests: Sequence[Corpus] = (),
    settings: TrainingSettings | None = None,
    noise: NoiseOptions | None = None,
    classes: Mapping[str, str] | None = None,
    random_weights: bool = False,
    device: str = "auto",
    resume: bool = True,
    keep_checkpoints: bool = False,
    progress: Callable[[Moment], None] | None = None,
) -> TrainingReport:
    """Train a tagger on labelled sentences and write it with its scores, `metrics.json`, and a card, `README.md`.

    Args:
        model: name on the Hugging Face hub, or folder, of the encoder to start from.
        training: what is learnt from, all together.
        output: folder for the model; see `train_on`, as for all that is not named here.
        development: chooses the best checkpoint and stops training early.
        tests: what the trained tagger is scored on as well.
        settings: default `TrainingSettings()`.
        noise: what is done about doubtful labels of the training data; default `NoiseOptions()`.
        classes: what classes become, in all data; `O` for none, `*` for all that are not named.
        random_weights: as for `train_on`.
        device: likewise.
        resume: likewise.
        keep_checkpoints: likewise.
        progress: likewise.

    Raises:
        Error: as `train_on`; the training data have no entities.
        DataError: a wrong row of the data.
    """
    settings = (settings or TrainingSettings()).with_loss("cross-entropy")
    noise, classes = noise or NoiseOptions(), dict(classes or {})
    _check_classes(classes, [*training, *([] if development is None else [development]), *tests])
    sentences, data = _read_training(training, noise, classes)
    names = label_names(sentences.entity_counts())
    if names == ["O"]:
        raise Error(f"the training data, {', '.join(one.name for one in training)}, have no entities")

    return train_on(
        model,
        sentences,
        names,
        output,
        word_loss=loss_of(settings, names),
        development=None if development is None else Judged.read(development, classes),
        tests=[Judged.read(one, classes) for one in tests],
        settings=settings,
        details={"noise": asdict(noise), "classes": classes, "training": data},
        random_weights=random_weights,
        device=device,
        resume=resume,
        keep_checkpoints=keep_checkpoints,
        progress=progress,
    )


def loss_of(settings: TrainingSettings, names: Sequence[str]) -> Callable[[EncodedSentences], WordLoss]:
    """The loss that settings ask for, as `train_on` takes it.

    Args:
        settings: of the training, which name a loss.
        names: the model's labels.
    """
    assert settings.loss is not None, "what trains names a loss where its caller does not"
    loss = settings.loss

    def make(learnt: EncodedSentences) -> WordLoss:
        return make_loss(
            loss,
            focal_gamma=settings.focal_gamma,
            gce_q=settings.gce_q,
            temperature=settings.temperature,
            class_weights=label_weights(settings.class_weights, names, learnt.label_counts().tolist()),
        )

    return make


def train_on(
    model: str,
    sentences: LabelledSentences,
    names: Sequence[str],
    output: str | os.PathLike[str],
    *,
    word_loss: Callable[[EncodedSentences], WordLoss],
    development: Judged | None = None,
    tests: Sequence[Judged] = (),
    settings: TrainingSettings,
    details: Mapping[str, Any],
    random_weights: bool = False,
    device: str = "auto",
    resume: bool = True,
    keep_checkpoints: bool = False,
    progress: Callable[[Moment], None] | None = None,
) -> TrainingReport:
    """Train a tagger on sentences with labels or distributions, whatever they come from, by any loss of words.

    The same arguments give the same scores on the same machine. A run that was interrupted goes on from its last
    checkpoint, see `Workspace`, and ends as an uninterrupted one; one that had ended is read back. Under `accelerate
    launch` all processes call this alike and one writes.

    Args:
        model: name on the Hugging Face hub, or folder, of the encoder to start from.
        sentences: to learn from.
        names: the model's labels: `O`, and `B-X` and `I-X` for each class, in any order.
        output: folder for the model, which is not there yet. With LoRA the matrices are added to the weights they
            belong to: it is a plain model in any case.
        word_loss: makes the loss for the sentences as the model sees them.
        development: chooses the best checkpoint and stops training early.
        tests: what the trained tagger is scored on as well.
        settings: how to train.
        details: what else decides the result, for the report, as plain values; `training` describes the data.
        random_weights: do not load the model's weights but start from random ones.
        device: `auto`, or `cpu` to leave GPUs alone.
        resume: whether to go on from a checkpoint of the same run.
        keep_checkpoints: whether the checkpoints stay, in the output's folder `checkpoints`.
        progress: called on the main process after each scoring, or epoch.

    Raises:
        Error: the extra `train` is not installed; the model cannot be used; the output is there already; the loss is
            not a finite number.
    """
    process = require("accelerate", extra="train", what=WHAT).PartialState(cpu=device == "cpu")
    config = load_config(model, kind="model", what=WHAT)
    described = {
        "xner": __version__,
        "model": model,
        "revision": model_identity(model, what=WHAT),
        "random_weights": random_weights,
        "labels": list(names),
        "settings": asdict(settings),
        "processes": process.num_processes,
        **details,
        "digest": sentences.digest(),
    }
    judged = [*([] if development is None else [development]), *tests]
    key = run_key(described | {"judged": [[one.name, one.sentences.digest()] for one in judged]})
    if resume and (done := finished_metrics(output, key)) is not None:
        if process.is_main_process:
            Workspace.clear(output)
        return TrainingReport(Path(output), done)
    with alone(output) if process.is_main_process else nullcontext():
        is_alone = process.num_processes == 1
        if resume and is_alone and (done := finished_metrics(output, key)) is not None:  # by another run meanwhile
            return TrainingReport(Path(output), done)
        with process.main_process_first():
            # What the main process has begun anew, the others go on with.
            workspace = Workspace.open(output, key, resume=resume or not process.is_main_process)

        tokenizer = PieceTokenizer.load(model, what=WHAT)
        network = load_network(model, config, names, random_weights=random_weights, seed=settings.seed)
        longest = longest_input(network.base_model, tokenizer)
        longest = min(longest, settings.longest or longest)
        if settings.lora is not None:
            network = with_lora(network, settings.lora, seed=settings.seed)

        def encoded(some: LabelledSentences) -> EncodedSentences:
            return EncodedSentences(some, tokenizer, names, longest=longest, overlap=settings.overlap)

        learnt = encoded(sentences)
        try:
            trained = fine_tune(
                network,
                learnt.examples,
                workspace.checkpoints,
                padding=tokenizer.padding,
                word_loss=word_loss(learnt),
                settings=settings,
                development=None
                if development is None
                else Development(encoded(development.sentences), development.gold),
                device=device,
                progress=progress,
            )
        except Error:
            workspace.remove()  # such input would fail again
            raise
        if process.is_main_process:
            result = workspace.new_result()
            with quiet(import_transformers(WHAT)):
                merged(trained.network).save_pretrained(result)
            tokenizer.save(result)
            # What is scored is what was saved, as it will be used.
            tagger = Tagger.load(str(result), device=str(process.device), dtype="float32", overlap=settings.overlap)
            scores = [_scored(one, tagger) for one in judged]
            metrics = {
                "run": key,
                **described,
                "windowed": learnt.windowed,
                "history": [asdict(moment) for moment in trained.history],
                "best_step": trained.best_step,
                "versions": _versions(settings),
                "development": None if development is None else scores.pop(0),
                "tests": scores,
            }
            with io.replacing(result / METRICS) as file:
                file.write(json.dumps(metrics, ensure_ascii=False, indent=2).encode())
            with io.replacing(result / CARD) as file:
                file.write(model_card(metrics).encode())
            workspace.finish(result, keep_checkpoints=keep_checkpoints)
        process.wait_for_everyone()
    return TrainingReport.read(output)


def _check_classes(classes: Mapping[str, str], corpora: Sequence[Corpus]) -> None:
    """That there are the classes that are to become others.

    Raises:
        OptionError: no corpus has one of them.
    """
    columns = [
        corpus.table[name]
        for corpus in corpora
        for name in (schema.LABELS, schema.GOLD_LABELS)
        if name in corpus.table.schema.names
    ]
    known = {one for column in columns for one in read_tags(column)[1].classes}
    check_renamed({old: new for old, new in classes.items() if old != "*"}, known)


def _read_training(
    training: Sequence[Corpus], noise: NoiseOptions, classes: Mapping[str, str]
) -> tuple[LabelledSentences, list[dict[str, Any]]]:
    """What is learnt from, and what the report says of it."""
    sentences = LabelledSentences([], [])
    described = []
    for corpus in training:
        read = read_rows(corpus.table, noise, classes=classes)
        described.append(
            {
                "name": corpus.name,
                "rows": read.rows,
                "learnt": len(read.sentences),
                "entities": read.sentences.entity_counts(),
                "filtered": read.filtered,
                "incomplete": read.incomplete,
                "below_margin": read.below_margin,
                "masked_words": read.masked,
            }
        )
        sentences.extend(read.sentences)
    sentences.weights = normalized_weights(sentences.weights)
    return sentences, described


def _scored(judged: Judged, tagger: Tagger) -> dict[str, Any]:
    """How well a tagger does, as plain values."""
    predicted = [tagged.labels for tagged in tagger.tag(judged.sentences.tokens)]
    return {
        "name": judged.name,
        "digest": judged.sentences.digest(),
        "entities": judged.sentences.entity_counts(),
        "scores": evaluation.evaluate(judged.gold, predicted).to_dict(),
        "analysis": analyse(judged.gold, predicted).to_dict(),
    }


def _versions(settings: TrainingSettings) -> dict[str, str]:
    """Of what computes."""
    names = ("torch", "transformers", "accelerate", *(() if settings.lora is None else ("peft",)))
    return {name: importlib.metadata.version(name) for name in names}
