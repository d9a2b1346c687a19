"""`xner distill`: train a student on what teachers say of text that nobody has labelled."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xner.cli.options.groups import Command, Group, GroupedOption, takes
from xner.cli.options.layouts import layout_group
from xner.cli.options.training import (
    NewTagger,
    Runs,
    ScoringData,
    data_group,
    new_tagger_group,
    read_corpus,
    run_trainings,
    runs_group,
    settings_group,
)
from xner.errors import OptionError
from xner.io.sides import read_sentences
from xner.pipelines.progress import progress_reporter
from xner.training.distillation.distilling import distill
from xner.training.distillation.language_similarity import LanguageSimilarity
from xner.training.presets import DISTILLATION

if TYPE_CHECKING:
    from xner.io.layout import Layout
    from xner.training.settings import TrainingSettings

__all__ = ["command"]


def _weights(
    teacher_weights: str,
    teacher_texts: tuple[str, ...],
    similarity_model: str | None,
    model: str,
    format_: str | None,
    *,
    random_weights: bool,
) -> list[float] | LanguageSimilarity | None:
    """What `--teacher-weights` and the options that go with it say."""
    if teacher_weights != "similarity" and (teacher_texts or similarity_model):
        raise OptionError("--teacher-text and --similarity-model go with --teacher-weights similarity")
    if teacher_weights == "equal":
        return None
    if teacher_weights == "similarity":
        if not teacher_texts:
            raise OptionError("--teacher-weights similarity needs a --teacher-text for each --teacher")
        if similarity_model is None and random_weights:
            raise OptionError("--random-weights tell no languages: --similarity-model names another encoder")
        return LanguageSimilarity(
            [read_corpus(place, "train", format_, read=read_sentences) for place in teacher_texts],
            similarity_model or model,
        )
    try:
        return [float(weight) for weight in teacher_weights.split(",")]
    except ValueError:
        raise OptionError(
            f"--teacher-weights {teacher_weights!r}: expected 'equal', 'similarity', or numbers separated by commas"
        ) from None


_WEIGHTS = Group(
    [
        GroupedOption(
            ["--teacher-weights"],
            default="equal",
            show_default=True,
            metavar="equal|similarity|NUMBER,...",
            help="How much each of several teachers counts: numbers in their order, or by how similar a language "
            "identifier finds --text to each --teacher-text.",
            title="Teachers",
        ),
        GroupedOption(
            ["--teacher-text", "teacher_texts"],
            multiple=True,
            help="For similarity: sentences of the language that a teacher was trained on, one file each, in their "
            "order.",
            title="Teachers",
        ),
        GroupedOption(
            ["--similarity-model"],
            help="For similarity: the encoder whose embeddings tell languages.  [default: --model]",
            title="Teachers",
        ),
    ],
    _weights,
    also=["model", "random_weights", "format_"],
)


@click.command(
    "distill",
    cls=Command,
    first=["teachers", "text", "model", "output", "dev", "tests", "epochs", "seeds"],
    sections={"Teachers": ["min_confidence", "hard_labels", "steps"]},
    epilog="\b\nExamples:\n"
    "  xner distill --teacher en-ner --text yo.txt --model FacebookAI/xlm-roberta-base -o yo-ner\n"
    "      en-ner is a model of `xner train`, or any other for token classification; yo.txt has no labels\n"
    "  xner distill --teacher en-ner --text yo.txt --model en-ner --dev yo.dev.conll --test yo.test.conll -o yo-ner\n"
    "      the student begins as its teacher; labelled sentences choose the best checkpoint, and say how good it is\n"
    "  xner distill --teacher en-ner --teacher fr-ner --teacher-weights 2,1 ...\n"
    "  xner distill --teacher en-ner --teacher-text en.txt --teacher fr-ner --teacher-text fr.txt \\\n"
    "      --teacher-weights similarity ...\n"
    "      several teachers, one counts twice; or each as much as its language is like that of the text\n"
    "  xner distill ... --loss kl --temperature 2 --min-confidence 0.6\n"
    "      another loss; words of which the teachers are not sure are not learnt\n\n"
    "\b\nAn interrupted run goes on when the same command is given again, and the teachers' labels are kept: other\n"
    "settings of the student, or more --seeds, tag nothing anew.",
)
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    required=True,
    metavar="MODEL",
    help="Token-classification model, a name on the Hugging Face hub or a folder; may be given again.",
)
@click.option(
    "--text", required=True, help="Sentences of the target language, words split; labels there are not looked at."
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="Learn nothing of words whose most probable label, after mixing, has less.",
)
@click.option(
    "--hard-labels",
    is_flag=True,
    help="Learn each word's most probable label, after mixing, as if it were certain, and not the probabilities.",
)
@click.option(
    "--steps",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder in which the teachers' labels are kept, and from which they are taken as long as nothing that "
    "decides them has changed.  [default: OUTPUT.steps]",
)
@takes(
    into=new_tagger_group,
    weights=_WEIGHTS,
    scored=data_group,
    settings=settings_group(DISTILLATION.settings),
    runs=runs_group,
    layout=layout_group(classes=False),
)
def command(
    teachers: tuple[str, ...],
    text: str,
    min_confidence: float,
    hard_labels: bool,
    steps: Path | None,
    into: NewTagger,
    weights: list[float] | LanguageSimilarity | None,
    scored: ScoringData,
    settings: TrainingSettings,
    runs: Runs,
    layout: Layout,
) -> None:
    """Train a tagger on what others say of text in a language without labels (teacher-student learning).

    Each teacher tags the text and gives every word a distribution over its labels; a student learns the mean of these.
    It becomes about as good as its teachers on the target language, and better where it makes consistent what they say
    of many sentences; what no teacher can tell from the text it cannot learn.

    By default the student's loss is the mean squared error of probabilities, as in Wu et al. 2020; words of a class
    that some teacher does not know are learnt from the others.

    The output is as that of `xner train`; teachers and weights are in its `metrics.json` and card.
    """
    with progress_reporter() as report:
        learn = partial(
            distill,
            into.model,
            teachers,
            read_corpus(text, "train", scored.format, read=partial(read_sentences, layout=layout)),
            weights=weights,
            min_confidence=min_confidence,
            hard_labels=hard_labels,
            steps=steps or into.output.with_name(f"{into.output.name}.steps"),
            classes=scored.classes,
            report=report,
            told=partial(click.echo, err=True),
        )
        run_trainings(learn, into, settings, runs, **scored.read(layout))
