"""`xner tag`: what a tagger makes of sentences."""

from __future__ import annotations

import base64
import zlib
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xner import evaluation, io, labels, schema
from xner._support.arrow import by_frequency, occurrences, one_array
from xner._support.pieces import map_pieces
from xner.cli.options.groups import Command, takes
from xner.cli.options.inputs import FORMAT_NAMES, OUTPUT_FORMAT_HELP, existing_file, output_file
from xner.cli.options.layouts import layout_group
from xner.cli.options.pipelines import engine_group, resume_option
from xner.cli.options.taggers import ChosenTagger, tagger_group
from xner.errors import DataError
from xner.io.layout import require_words
from xner.io.sides import labels_as_gold
from xner.models.taggers.tagger import ROLES, STATUSES, TaggerStage
from xner.pipelines import runner
from xner.pipelines.checkpoints import checkpoints
from xner.pipelines.engines import LOCAL
from xner.pipelines.identity import fingerprint
from xner.pipelines.progress import progress_reporter
from xner.pipelines.summaries import StatusCounts, add_counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import numpy.typing as npt

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
@click.option("--format", "format_", type=click.Choice(FORMAT_NAMES), help=OUTPUT_FORMAT_HELP)
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
@resume_option
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
    ready = partial(_ready, makes_labels="labels" in roles, path=sentences)
    loaded = tagger.load()
    stage = TaggerStage(loaded, roles, float16=float16)
    ignored = [old for old, new in tagger.classes.items() if new == "O"]
    options = {
        "tagger": loaded.identity,
        "roles": stage.roles,
        "float16": float16,
        "input_format": input_format,
        "layout": repr(layout),
        "format": format_,
    }
    with engine as workers:

        def run(pieces: Iterable[pa.Table], is_whole: bool) -> _Counts:
            key = fingerprint({"sentences": sentences}, {**options, "whole": is_whole})
            with checkpoints(output, key, resume=resume) as kept, progress_reporter() as report:

                def tag(batch: pa.RecordBatch) -> pa.RecordBatch:
                    return stage(batch, progress=lambda _, done, total: report("sentences of this part", done, total))

                return runner.run_pieces(
                    pieces,
                    tag if workers is LOCAL else stage,  # other processes cannot tell how far they are
                    kept,
                    model_rows=runner.MODEL_PART_ROWS,
                    report=report,
                    what="sentences",
                    engine=workers,
                    format=format_,
                    count=lambda rows: _Counts.of(rows, stage.roles, ignored),
                    counts=_Counts(),
                )

        counts = runner.run_read(
            (lambda rows: map_pieces(ready, layout.pieces(sentences, input_format, rows=rows)))
            if layout.reads_pieces(sentences, input_format)
            else None,
            lambda: ready(layout.read(sentences, input_format)),
            run,
            part_rows=runner.MODEL_PART_ROWS,
        )
    for line in counts.statuses.lines(STATUSES, "sentences"):
        click.echo(line, err=True)
    if counts.entities is not None:
        shown = ", ".join(f"{count} {name}" for name, count in by_frequency(counts.entities).items())
        click.echo(f"{sum(counts.entities.values())} entities{': ' if shown else ''}{shown}", err=True)
    click.echo(f"written to {output}", err=True)
    click.echo(stage.signature, err=True)
    if (scores := counts.scores()) is not None:
        click.echo(scores.table())


def _ready(table: pa.Table, *, makes_labels: bool, path: Path) -> pa.Table:
    """Sentences as they are tagged."""
    require_words(table, path)
    table = labels_as_gold(table)
    if makes_labels and schema.ENTITIES in table.schema.names:
        table = table.drop_columns([schema.ENTITIES])  # they are those of the labels that were there
    return table


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


def _found(table: pa.Table, roles: Sequence[str]) -> pa.Array[Any] | None:
    """The entities that were found, None where the roles make none."""
    if "labels" in roles:
        return labels.decode_batch(one_array(table.column(schema.LABELS)))
    return one_array(table.column(schema.SOURCE_ENTITIES)) if "source" in roles else None


@dataclass(slots=True)
class _Counts:
    """What there is to count of tagged sentences.

    Attributes:
        statuses: of sentences.
        entities: that were found, by class; None where none are made.
        parts: counts against gold labels, as `Scores` has them, piece by piece: how many sentences, the classes, and
            the numbers in base 64.
        ignored: classes that do not count there.
        wrong: what is wrong with gold labels, as of a `DataError`; the output does not depend on it.
    """

    statuses: StatusCounts = field(default_factory=StatusCounts)
    entities: dict[str, int] | None = None
    parts: list[tuple[int, Sequence[str], str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    wrong: list[Any] | None = None

    @classmethod
    def of(cls, table: pa.Table, roles: Sequence[str], ignored: Sequence[str]) -> _Counts:
        counts = cls(StatusCounts.of(table.column(schema.STATUS)), ignored=list(ignored))
        found, predicted = _found(table, roles), _predicted(table, roles)
        if found is not None:
            counts.entities = occurrences(pc.struct_field(pc.list_flatten(found), "label"))
        if predicted is not None and schema.GOLD_LABELS in table.schema.names:
            try:
                scores = evaluation.evaluate(table.column(schema.GOLD_LABELS), predicted, ignore=ignored)
            except DataError as error:
                counts.wrong = [error.row, error.column, error.value, error.reason]
            else:
                counts.parts = [(scores.sentences, scores.classes, _packed(scores.counts_by_class()))]
        return counts

    def add(self, other: _Counts) -> None:
        """See `runner.Counts`, as for the others."""
        if self.wrong is None and other.wrong is not None:
            self.wrong = [self.statuses.rows + other.wrong[0], *other.wrong[1:]]
        self.statuses.add(other.statuses)
        if other.entities is not None:
            self.entities = self.entities or {}
            add_counts(self.entities, other.entities)
        self.parts += other.parts
        self.ignored = other.ignored

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> _Counts:
        return cls(**{**values, "statuses": StatusCounts(**values["statuses"])})

    def scores(self) -> evaluation.Scores | None:
        """Figures against gold labels; None where there are none.

        Raises:
            DataError: of gold labels that are none.
        """
        if self.wrong is not None:
            raise DataError(*self.wrong)
        parts = [_unpacked(*one, self.ignored) for one in self.parts]
        return evaluation.Scores.joined(parts) if parts else None


def _packed(counts: npt.NDArray[np.int32]) -> str:
    return base64.b64encode(zlib.compress(counts.tobytes(), 1)).decode()


def _unpacked(sentences: int, classes: Sequence[str], packed: str, ignored: Sequence[str]) -> evaluation.Scores:
    counts = np.frombuffer(zlib.decompress(base64.b64decode(packed)), np.int32)
    tp, fp, fn = np.moveaxis(counts.reshape(sentences, 3, len(classes)), 1, 0)
    return evaluation.Scores(tuple(classes), tp, fp, fn, "lenient", tuple(sorted(set(ignored))))
