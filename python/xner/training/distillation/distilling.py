"""Distillation: a student learns what teachers say of text in its language that nobody has labelled.

    report = distill("FacebookAI/xlm-roberta-base", ["en-ner", "de-ner"], Corpus("yo.txt", table), "yo-ner")

Each teacher gives the words of the text distributions over its labels, the distributions are mixed, and the student is
trained on them as it would be on labels. The teachers' data are not needed.

Source: Wu, Lin, Karlsson, Lou, Huang 2020 (arXiv 2004.12440).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from xner import io, schema
from xner._support.arguments import number, positive_number
from xner._support.arrow import list_lengths, one_array
from xner._support.extras import require
from xner._support.progress import silent
from xner.errors import Error, OptionError
from xner.models.network.loading import load_config
from xner.models.taggers.catalogue import TELL_NO_PROBABILITIES, tagger_name
from xner.pipelines import recipes
from xner.pipelines.identity import fingerprint
from xner.training.data import LabelledSentences
from xner.training.distillation.language_similarity import LanguageSimilarity
from xner.training.distillation.soft_labels import SoftLabels, Teacher, mixed
from xner.training.fine_tuning import WHAT
from xner.training.presets import DISTILLATION
from xner.training.run import Corpus, Judged, loss_of, train_on
from xner.training.settings import TrainingSettings

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from xner._support.progress import Reporter
    from xner.training.fine_tuning import Moment
    from xner.training.report import TrainingReport

__all__ = ["TaughtSentences", "distill", "taught_sentences"]

_WEIGHTS: Final = "weights.json"


def _unheard(message: str) -> None:
    """Say nothing."""


def distill(
    model: str,
    teachers: Sequence[str],
    text: Corpus,
    output: str | os.PathLike[str],
    *,
    weights: Sequence[float] | LanguageSimilarity | None = None,
    min_confidence: float = 0.0,
    hard_labels: bool = False,
    steps: str | os.PathLike[str] | None = None,
    development: Corpus | None = None,
    tests: Sequence[Corpus] = (),
    settings: TrainingSettings | None = None,
    classes: Mapping[str, str] | None = None,
    random_weights: bool = False,
    device: str = "auto",
    resume: bool = True,
    keep_checkpoints: bool = False,
    progress: Callable[[Moment], None] | None = None,
    report: Reporter = silent,
    told: Callable[[str], None] = _unheard,
) -> TrainingReport:
    """Train a student on what teachers say of text.

    What a teacher says is kept as `teacher-N.parquet` in the folder of steps: the text with a column
    `ner_probabilities` in half precision, which names its labels. It is taken from there as long as the teacher, its
    classes and the text are the same; an interrupted run goes on with the next part.

    Args:
        model: name on the Hugging Face hub, or folder, of the encoder that the student starts from; a teacher, say.
        teachers: names or folders of token-classification models. Where their classes differ: see `mixed`.
        text: sentences without labels, or whose labels are not looked at: `tokens`.
        output: folder for the student; see `train_on`, as for all that is not named here.
        weights: of the teachers, above 0, of any sum; None for the same for all.
        min_confidence: least probability of a word's most probable label, after mixing; of other words nothing is
            learnt, though the student sees them. It is words that are left out, not sentences, since nearly every
            sentence has one that is unsure.
        hard_labels: whether the student learns each word's most probable label, after mixing, as if it were certain,
            and not the probabilities.
        steps: folder for what the teachers say; None for one beside the output, `OUTPUT.steps`.
        development: chooses the best checkpoint and stops training early; without it the last one is taken.
        tests: what the student is scored on as well.
        settings: default `TrainingSettings()`; where they name no loss, it is `DISTILLATION`'s, the mean squared error
            of probabilities.
        classes: what classes become, of all teachers and in all data; `O` for none, `*` for all that are not named.
        random_weights: as for `train_on`.
        device: likewise; the teachers compute there as well.
        resume: likewise; what teachers have said is taken up in any case.
        keep_checkpoints: as for `train_on`.
        progress: likewise.
        report: told how far the labelling has come.
        told: gets a line for each teacher whose labels are taken from the folder of steps.

    Raises:
        Error: as `train_on`; a teacher cannot be used; the teachers' classes do not fit together; weights that are not
            one a teacher; text without words, or without a word that the teachers are sure of.
    """
    settings = (settings or TrainingSettings()).with_loss(DISTILLATION.settings["loss"])
    classes = dict(classes or {})
    number("min_confidence", min_confidence, "from 0 to below 1", lambda value: 0 <= value < 1)
    for teacher in teachers:
        if (kind := tagger_name(teacher)) in TELL_NO_PROBABILITIES:
            raise OptionError(
                f"teachers={teacher!r}: {kind} gives labels without the probabilities that a student learns; "
                "`xner tag` and `xner train` learn from labels"
            )
    if not teachers:
        raise OptionError("teachers=[]: expected at least one")
    _check_weights(weights, len(teachers))
    schema.require_columns(text.table.schema, [schema.TOKENS], "distillation")
    tokens = text.table.select([schema.TOKENS])
    if not list_lengths(one_array(tokens.column(schema.TOKENS))).any():
        raise Error(f"'{text.name}' has no words to learn from")
    target = Path(output)
    folder = target.with_name(f"{target.name}.steps") if steps is None else Path(steps)
    found = [Teacher.find(name, classes) for name in teachers]
    judged = [Judged.read(one, classes) for one in tests]
    judged_development = None if development is None else Judged.read(development, classes)
    process = require("accelerate", extra="train", what=WHAT).PartialState(cpu=device == "cpu")
    if not process.is_main_process:
        report, told = silent, _unheard
    # The others find what the main process has kept.
    with process.main_process_first():
        opinions = _opinions(found, tokens, folder, device=device, report=report, told=told)
        shares = _shares(weights, len(found), tokens, folder / _WEIGHTS, device=device)
    soft = mixed(opinions, shares)
    names = _order_of_labels(model, soft.names)
    taught = taught_sentences(tokens, SoftLabels(names, soft.under(names)), min_confidence=min_confidence)
    if not len(taught.sentences):
        raise OptionError(f"min_confidence={min_confidence}: the teachers are not sure of any word")
    learnt = replace(taught.sentences, distributions=None) if hard_labels else taught.sentences
    return train_on(
        model,
        learnt,
        names,
        target,
        word_loss=loss_of(settings, names),
        development=judged_development,
        tests=judged,
        settings=settings,
        details={
            "classes": classes,
            "training": [{"name": text.name, **taught.counts}],
            "distillation": {
                "teachers": [
                    {"model": one.model, "revision": one.revision, "weight": share}
                    for one, share in zip(found, shares, strict=True)
                ],
                "weights": _kind(weights),
                "min_confidence": min_confidence,
                **({"labels": "hard"} if hard_labels else {}),
            },
        },
        random_weights=random_weights,
        device=device,
        resume=resume,
        keep_checkpoints=keep_checkpoints,
        progress=progress,
    )


@dataclass(frozen=True, slots=True)
class TaughtSentences:
    """What a student learns from.

    Attributes:
        sentences: with distributions; words that the teachers are not sure of are without labels.
        counts: `rows` of the text, those that are `learnt`, `entities` in them by the most probable labels, and what is
            left out: `empty` and `unsure_sentences`, `unsure_words` of the sentences that are learnt.
    """

    sentences: LabelledSentences
    counts: dict[str, Any]


def taught_sentences(text: pa.Table, soft: SoftLabels, *, min_confidence: float = 0.0) -> TaughtSentences:
    """Sentences with what teachers say of their words.

    Args:
        text: has `tokens`.
        soft: of all words.
        min_confidence: as for `distill`.
    """
    tokens = text.column(schema.TOKENS).to_pylist()
    ends = np.cumsum(list_lengths(one_array(text.column(schema.TOKENS))))
    sure = soft.probabilities.max(axis=1) >= min_confidence
    likeliest = soft.probabilities.argmax(axis=1)
    sentences = LabelledSentences([], [], distributions=(distributions := []))
    empty = unsure_sentences = unsure_words = 0
    for words, end in zip(tokens, ends.tolist(), strict=True):
        if not words:
            empty += 1
            continue
        own = slice(end - len(words), end)
        if not sure[own].any():
            unsure_sentences += 1
            continue
        unsure_words += int((~sure[own]).sum())
        sentences.tokens.append(words)
        sentences.labels.append(
            [soft.names[label] if known else None for label, known in zip(likeliest[own], sure[own], strict=True)]
        )
        sentences.weights.append(1.0)
        distributions.append(soft.probabilities[own])
    counts = {
        "rows": len(tokens),
        "learnt": len(sentences),
        "entities": sentences.entity_counts(),
        "empty": empty,
        "unsure_sentences": unsure_sentences,
        "unsure_words": unsure_words,
    }
    return TaughtSentences(sentences, counts)


def _opinions(
    teachers: Sequence[Teacher],
    text: pa.Table,
    folder: Path,
    *,
    device: str,
    report: Reporter,
    told: Callable[[str], None],
) -> list[SoftLabels]:
    """What each teacher says of the words of a text; one teacher's step does not depend on the others."""
    steps = [teacher.step(f"teacher-{place}", device=device) for place, teacher in enumerate(teachers, 1)]
    return [SoftLabels.read(recipes.run(text, [step], folder, report=report, told=told)) for step in steps]


def _check_weights(weights: Sequence[float] | LanguageSimilarity | None, teachers: int) -> None:
    """Raise an error where there is not one for each teacher."""
    if weights is None:
        return
    of = weights.texts if isinstance(weights, LanguageSimilarity) else weights
    what = "texts of the teachers' languages" if isinstance(weights, LanguageSimilarity) else "weights"
    if len(of) != teachers:
        raise OptionError(f"{len(of)} {what} for {teachers} teachers: expected one each")
    if not isinstance(weights, LanguageSimilarity):
        for place, weight in enumerate(weights, 1):
            positive_number(f"weight of teacher {place}", weight)


def _kind(weights: Sequence[float] | LanguageSimilarity | None) -> str:
    if weights is None:
        return "equal"
    return f"similarity by {weights.model}" if isinstance(weights, LanguageSimilarity) else "given"


def _shares(
    weights: Sequence[float] | LanguageSimilarity | None,
    teachers: int,
    text: pa.Table,
    kept: Path,
    *,
    device: str,
) -> list[float]:
    """The teachers' weights, of sum 1; those by similarity are kept, so that a run that goes on has the same."""
    if not isinstance(weights, LanguageSimilarity):
        given = [1.0] * teachers if weights is None else [float(weight) for weight in weights]
        return [weight / sum(given) for weight in given]
    key = fingerprint({}, {"text": text.column(schema.TOKENS).to_pylist(), "similarity": weights.key, "device": device})
    if kept.is_file():
        found = json.loads(kept.read_text(encoding="utf-8"))
        if found.get("key") == key:
            shares: list[float] = found["weights"]
            return shares
    shares = weights.weights(text, device=device)
    with io.replacing(kept) as file:
        file.write(json.dumps({"key": key, "weights": shares}).encode())
    return shares


def _order_of_labels(model: str, names: Sequence[str]) -> tuple[str, ...]:
    """The labels in the order of the model's own head where it has the same ones, so that it can go on with that."""
    labels = load_config(model, kind="model", what=WHAT).id2label
    own = [labels[number] for number in sorted(labels)]
    return tuple(own if sorted(own) == sorted(names) else names)
