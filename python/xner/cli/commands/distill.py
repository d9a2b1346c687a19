"""`xner distill`: train a student on what teachers say of text that nobody has labelled."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xner.cli.options.groups import takes
from xner.cli.options.layouts import layout_group
from xner.cli.options.taggers import take_classes
from xner.cli.options.training import Training, data_options, model_options, read_corpus, run_options, settings_options
from xner.io.sides import read_sentences
from xner.pipelines.progress import progress_reporter
from xner.training.distillation.distilling import distill
from xner.training.distillation.language_similarity import LanguageSimilarity
from xner.training.presets import DISTILLATION

if TYPE_CHECKING:
    from xner.io.layout import Layout

__all__ = ["command"]


@click.command(
    "distill",
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
# Teachers and text
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
    "--teacher-weights",
    default="equal",
    show_default=True,
    metavar="equal|similarity|NUMBER,...",
    help="How much each of several teachers counts: numbers in their order, or by how similar a language "
    "identifier finds --text to each --teacher-text.",
)
@click.option(
    "--teacher-text",
    "teacher_texts",
    multiple=True,
    help="For similarity: sentences of the language that a teacher was trained on, one file each, in their order.",
)
@click.option(
    "--similarity-model",
    help="For similarity: the encoder whose embeddings tell languages.  [default: --model]",
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="Learn nothing of words whose most probable label, after mixing, has less.",
)
@click.option(
    "--steps",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder in which the teachers' labels are kept, and from which they are taken as long as nothing that "
    "decides them has changed.  [default: OUTPUT.steps]",
)
# The student
@model_options
@data_options
@settings_options
@run_options
@takes(layout=layout_group(classes=False))
def command(
    teachers: tuple[str, ...],
    text: str,
    teacher_weights: str,
    teacher_texts: tuple[str, ...],
    similarity_model: str | None,
    min_confidence: float,
    steps: Path | None,
    layout: Layout,
    **options: Any,
) -> None:
    """Train a tagger on what others say of text in a language without labels (teacher-student learning).

    Each teacher tags the text and gives every word a distribution over its labels; a student learns the mean of these.
    It becomes about as good as its teachers on the target language, and better where it makes consistent what they say
    of many sentences; what no teacher can tell from the text it cannot learn.

    By default the student's loss is the mean squared error of probabilities, as in Wu et al. 2020; words of a class
    that some teacher does not know are learnt from the others.

    The output is as that of `xner train`; teachers and weights are in its `metrics.json` and card.
    """
    classes = take_classes(options)
    format_, output = options["format_"], options["output"]
    shared = Training.take(options, defaults=DISTILLATION.settings, layout=layout)
    weights = _weights(teacher_weights, teacher_texts, similarity_model, format_, shared)
    with progress_reporter() as report:
        learn = partial(
            distill,
            shared.model,
            teachers,
            read_corpus(text, "train", format_, read=partial(read_sentences, layout=layout)),
            weights=weights,
            min_confidence=min_confidence,
            steps=steps or output.with_name(f"{output.name}.steps"),
            classes=classes,
            report=report,
            told=partial(click.echo, err=True),
        )
        shared.run(learn)


def _weights(
    wanted: str, texts: tuple[str, ...], similarity_model: str | None, format: str | None, student: Training
) -> list[float] | LanguageSimilarity | None:
    """What `--teacher-weights` and the options that go with it say."""
    if wanted != "similarity" and (texts or similarity_model):
        raise click.UsageError("--teacher-text and --similarity-model go with --teacher-weights similarity")
    if wanted == "equal":
        return None
    if wanted == "similarity":
        if not texts:
            raise click.UsageError("--teacher-weights similarity needs a --teacher-text for each --teacher")
        if similarity_model is None and student.options["random_weights"]:
            raise click.UsageError("--random-weights tell no languages: --similarity-model names another encoder")
        return LanguageSimilarity(
            [read_corpus(place, "train", format, read=read_sentences) for place in texts],
            similarity_model or student.model,
        )
    try:
        return [float(weight) for weight in wanted.split(",")]
    except ValueError:
        raise click.UsageError(
            f"--teacher-weights {wanted!r}: expected 'equal', 'similarity', or numbers separated by commas"
        ) from None
