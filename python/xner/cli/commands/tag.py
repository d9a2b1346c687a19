"""`xner tag`: what a tagger makes of sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa
import pyarrow.compute as pc

from xner import evaluation, io, labels, schema
from xner._support.arrow import frequencies, one_array
from xner.cli.options.groups import Command, takes
from xner.cli.options.inputs import FORMAT_NAMES, existing_file, output_file
from xner.cli.options.layouts import layout_group
from xner.cli.options.pipelines import engine_group
from xner.cli.options.statuses import report_statuses
from xner.cli.options.taggers import ChosenTagger, tagger_group
from xner.io.sides import labels_as_gold, read_sentences
from xner.models.taggers.tagger import ROLES, STATUSES, TaggerStage
from xner.pipelines import runner
from xner.pipelines.checkpoints import checkpoints
from xner.pipelines.engines import LOCAL
from xner.pipelines.identity import fingerprint
from xner.pipelines.progress import progress_reporter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from xner.io.layout import Layout
    from xner.models.taggers.tagger import Role
    from xner.pipelines.engines import Engine

__all__ = ["command"]


@click.command(
    "tag",
    cls=Command,
    first=["model", "output", "roles"],
    epilog="\b\nExamples:\n"
    "  xner tag yo.txt --model masakhane/afroxlmr-large-ner-masakhaner-1.0_2.0 -o yo.conll\n"
    "      labels sentences; prints F1 as well where the input has labels\n"
    "  xner tag en.txt --model FacebookAI/xlm-roberta-large-finetuned-conll03-english --role source \\\n"
    "      --ignore-class MISC -o en.parquet\n"
    "  xner project --source en.parquet --target yo.txt -o yo.conll\n"
    "      projects what is found in the source sentences\n"
    "  xner tag de.txt --model spacy:de_core_news_lg --class-map LOC=GPE -o de.conll\n"
    "  xner tag yo.txt --model gliner:FOLDER --classes person,location --class-map person=PER -o yo.conll\n"
    "      the same by other libraries\n"
    "  xner tag yo.txt --model MODEL --role candidates --role scores -o yo.parquet\n"
    "  xner project --source en.conll --target yo.parquet --candidates given -o yo.conll\n"
    "  xner project --source en.conll --target yo.parquet --score align_ner -o yo.conll\n"
    "      chooses among the spans that the model finds, or by what it thinks of all spans\n\n"
    "\b\nAn interrupted run goes on where it stopped when the same command is given again.",
)
@click.argument("sentences", type=existing_file)
@click.option("--output", "-o", type=output_file, required=True, help="The sentences with what was found.")
@click.option("--format", "format_", type=click.Choice(FORMAT_NAMES), help="Of the output; by default its name tells.")
@click.option("--input-format", type=click.Choice(FORMAT_NAMES), help="Of the input, likewise.")
@click.option(
    "--role",
    "--as",
    "roles",
    type=click.Choice(list(ROLES)),
    multiple=True,
    help="What to make: labels; source, the entities that `xner project` takes for its --source; candidates, target "
    "spans for --candidates given; scores, probabilities for --score ner and others. May be given several times.  "
    "[default: labels]",
)
@click.option("--float16", is_flag=True, help="Store the probabilities of --role scores in half precision.")
@click.option(
    "--resume/--no-resume",
    default=True,
    show_default=True,
    help="Go on from an interrupted run's finished parts.",
)
@takes(tagger=tagger_group, layout=layout_group(classes=False), engine=engine_group)
def command(
    sentences: Path,
    output: Path,
    format_: str | None,
    input_format: str | None,
    roles: tuple[Role, ...],
    float16: bool,
    resume: bool,
    tagger: ChosenTagger,
    layout: Layout,
    engine: AbstractContextManager[Engine],
) -> None:
    """Tag the words of sentences by a token-classification model, a pipeline of spaCy, or a model of GLiNER.

    SENTENCES are words split by blanks (.txt), or columns; labels there count as gold. Every row keeps its place and
    its other columns. Classes that are ignored do not count in F1 either.
    """
    roles = roles or ("labels",)
    if float16 and "scores" not in roles:
        raise click.UsageError("--float16 goes with --role scores")
    _check_output(output, format_, roles)
    table = labels_as_gold(read_sentences(sentences, input_format, layout))
    if "labels" in roles and schema.ENTITIES in table.schema.names:
        table = table.drop_columns([schema.ENTITIES])  # they are those of the labels that were there
    loaded = tagger.load()
    stage = TaggerStage(loaded, roles, float16=float16)
    key = fingerprint(
        {"sentences": sentences},
        {
            "tagger": loaded.identity,
            "roles": stage.roles,
            "float16": float16,
            "input_format": input_format,
            "layout": repr(layout),
            "format": format_,
        },
    )
    with (
        checkpoints(output, key, resume=resume) as kept,
        progress_reporter() as report,
        engine as workers,
    ):

        def tag(batch: pa.RecordBatch) -> pa.RecordBatch:
            return stage(batch, progress=lambda _, done, total: report("sentences of this part", done, total))

        result = runner.run(
            table,
            tag if workers is LOCAL else stage,  # other processes cannot tell how far they are
            kept,
            format=format_,
            report=report,
            what="sentences",
            part_rows=runner.MODEL_PART_ROWS,
            engine=workers,
        )
    report_statuses(result.column(schema.STATUS), STATUSES)
    _report_entities(result, stage.roles)
    click.echo(f"written to {output}", err=True)
    click.echo(stage.signature, err=True)
    _print_scores(result, stage.roles, [old for old, new in tagger.classes.items() if new == "O"])


def _check_output(output: Path, format_: str | None, roles: Sequence[str]) -> None:
    written = io.format_of(output, format_)
    if written == "text":
        raise click.UsageError(
            "files of text hold words alone; .conll holds labels, .parquet and .jsonl all that is made"
        )
    if written == "conll" and tuple(roles) != ("labels",):
        raise click.UsageError("CoNLL files hold labels alone: --role labels, or write .parquet or .jsonl")


def _predicted(table: pa.Table, roles: Sequence[str]) -> pa.Array[Any] | None:
    """The labels of the words in `tokens`, None where the roles make none."""
    if "labels" in roles:
        return one_array(table.column(schema.LABELS))
    if "source" in roles and schema.SOURCE_TOKENS not in table.schema.names:
        return labels.encode_batch(*(one_array(table.column(name)) for name in (schema.SOURCE_ENTITIES, schema.TOKENS)))
    return None


def _report_entities(table: pa.Table, roles: Sequence[str]) -> None:
    """How many entities of which class were found."""
    if "labels" in roles:
        entities: pa.Array[Any] = labels.decode_batch(one_array(table.column(schema.LABELS)))
    elif "source" in roles:
        entities = one_array(table.column(schema.SOURCE_ENTITIES))
    else:
        return
    names = pc.struct_field(pc.list_flatten(entities), "label")
    counts = ", ".join(f"{count} {name}" for name, count in frequencies(names).items())
    click.echo(f"{len(names)} entities{': ' if counts else ''}{counts}", err=True)


def _print_scores(table: pa.Table, roles: Sequence[str], ignored: Sequence[str]) -> None:
    """F1 against gold labels, if there are any."""
    predicted = _predicted(table, roles)
    if predicted is not None and schema.GOLD_LABELS in table.schema.names:
        click.echo(evaluation.evaluate(table.column(schema.GOLD_LABELS), predicted, ignore=ignored).table())
