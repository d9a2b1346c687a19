"""`xner translate`: sentences into another language, as words."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click
import pyarrow as pa
import pyarrow.compute as pc

from xner import io, labels, schema
from xner._support.arrow import one_array, with_columns
from xner._support.pieces import map_pieces
from xner._support.progress import logger
from xner.cli.options.groups import Command, takes
from xner.cli.options.inputs import FORMAT_NAMES, existing_file, label_options, output_file
from xner.cli.options.layouts import layout_group
from xner.cli.options.pipelines import engine_group, markers_option, resume_option
from xner.cli.options.translators import ChosenTranslator, translator_group
from xner.errors import OptionError
from xner.io.sides import read_sentences, read_source, sentences_pieces, source_pieces
from xner.models.translators.translator import STATUSES
from xner.pipelines import runner
from xner.pipelines.checkpoints import alone, checkpoints
from xner.pipelines.engines import LOCAL
from xner.pipelines.identity import fingerprint
from xner.pipelines.progress import progress_reporter
from xner.pipelines.recipes import Direction, spread_over
from xner.pipelines.summaries import StatusCounts
from xner.text.word_splitting import SPLITTERS
from xner.translation.marked import REASONS
from xner.translation.stages import TargetTranslation, labelled_sample, outer_entities

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from xner.io.layout import Layout
    from xner.pipelines.engines import Engine

T = TypeVar("T")

__all__ = ["command"]


@click.command(
    "translate",
    cls=Command,
    first=["source", "source_language", "target_language", "model", "output", "markers"],
    epilog="\b\nExamples:\n"
    "  xner translate --source en.conll --source-language en --target-language yo \\\n"
    "      --model facebook/nllb-200-distilled-600M -o yo.parquet\n"
    "  xner project --source en.conll --target yo.parquet -o yo.conll\n"
    "      makes training data of a labelled corpus (as `xner project --translate-to` does in one go)\n"
    "  xner translate --source en.conll --markers tags ... -o yo.conll\n"
    "      labels by markers alone, auto: by those that hold; where they broke the sentence is left out\n\n"
    "\b\nAn interrupted run goes on where it stopped; what was translated once is not translated again (see --cache).",
)
@click.option(
    "--source", type=existing_file, required=True, help="Sentences: words split by blanks (.txt), or columns."
)
@click.option("--source-language", required=True, help="Their language: yor_Latn, yo, Yoruba, ...")
@click.option("--target-language", required=True, help="The language to translate into.")
@click.option("--output", "-o", type=output_file, required=True, help="The translations' words, row by row.")
@click.option("--format", "format_", type=click.Choice(FORMAT_NAMES), help="Of the output; by default its name tells.")
@click.option("--source-format", type=click.Choice(FORMAT_NAMES), help="Of the source file, likewise.")
@click.option(
    "--words",
    type=click.Choice(list(SPLITTERS)),
    help="How translations are split into words; by default as suits the language.",
)
@markers_option
@label_options
@click.option(
    "--keep-bad",
    is_flag=True,
    help="Keep the words of translations that are cut, looping or copies; else their rows are empty. Columns have the "
    "text in any case, as `translation`, with `translation_status`.",
)
@resume_option
@takes(translator=translator_group, layout=layout_group(), engine=engine_group)
def command(
    source: Path,
    source_language: str,
    target_language: str,
    output: Path,
    format_: str | None,
    source_format: str | None,
    words: str | None,
    markers: Any,
    scheme: Any,
    read_labels: Any,
    keep_bad: bool,
    resume: bool,
    translator: ChosenTranslator,
    layout: Layout,
    engine: AbstractContextManager[Engine],
) -> None:
    """Translate sentences, and split the translations into words.

    Every row keeps its place. What is wrong with a translation is counted and named: empty ones, those that repeat
    themselves, copies of the source, those that the limit on length ended.
    """
    is_training_data = io.FORMATS[io.format_of(output, format_)].holds_good_rows_alone
    into = Direction(translator.load(), source_language, target_language, cache=translator.cache)
    into.translate([])  # a language that the model does not know is told before its weights are read
    side = _Side(source, source_format, layout, None if markers is None else (scheme, read_labels))
    with engine as workers:
        if workers is not LOCAL and not into.can_spread:
            raise OptionError("engine='ray' goes with a --model that is one, or a program, not with a service")
        by_blanks = io.format_of(source, source_format) == "text"
        stage = TargetTranslation(spread_over(into, workers), words, by_blanks, keep_bad=keep_bad)
        if markers == "auto":
            with alone(output):
                tried = labelled_sample(side.run)
                markers = stage.choose_markers(tried, told=partial(click.echo, err=True))
        stage = replace(stage, markers=markers)
        options = {"stage": stage.identity, "read": side.how, "format": format_}

        def run(pieces: Iterable[pa.Table], is_whole: bool) -> _Counts:
            key = fingerprint({"source": source}, {**options, "whole": is_whole})
            with checkpoints(output, key, resume=resume) as kept, progress_reporter() as report:
                return runner.run_pieces(
                    pieces,
                    lambda rows: stage(rows, progress=report),
                    kept,
                    format=format_,
                    report=report,
                    what="sentences",
                    select=partial(_written, labels_markers=markers is not None and is_training_data),
                    count=_Counts.of,
                    counts=_Counts(),
                )

        counts = side.run(run, told=logger.info)
    _summarize(counts, output, keep_bad=keep_bad, lacks_broken=is_training_data)


_READ = (schema.ID, schema.SOURCE_TOKENS, schema.SOURCE_ENTITIES)


@dataclass(frozen=True, slots=True)
class _Side:
    """The file of sentences that are translated, which is read piece by piece where its format can be read so.

    Attributes:
        path: the file.
        format: None goes by its name.
        layout: of its columns.
        labelled: its scheme and how strictly its labels are read; None where they do not matter.
    """

    path: Path
    format: str | None
    layout: Layout
    labelled: tuple[Any, Any] | None

    @property
    def how(self) -> str:
        """What decides, beside the file's content, what is read of it."""
        return repr((io.format_of(self.path, self.format), self.layout, self.labelled))

    def run(
        self, run_over: Callable[[Iterable[pa.Table], bool], T], *, told: Callable[[str], None] = lambda _: None
    ) -> T:
        """See `runner.run_read`.

        Args:
            run_over: as there.
            told: gets a line that says what labels are.
        """
        reads_pieces = self.layout.reads_pieces(self.path, self.format)
        return runner.run_read(
            partial(self._pieces, told) if reads_pieces else None, partial(self._whole, told), run_over
        )

    def _pieces(self, told: Callable[[str], None], *, rows: int) -> Generator[pa.Table]:
        if self.labelled is None:
            yield from map_pieces(_as_source, sentences_pieces(self.path, self.format, self.layout, rows))
            return
        scheme, mode = self.labelled
        how: Any = {"format": self.format, "layout": self.layout, "rows": rows}
        tags = yield from map_pieces(_as_read, source_pieces(self.path, scheme=scheme, mode=mode, **how))
        if tags is not None:
            told(f"{self.path}: {tags}")

    def _whole(self, told: Callable[[str], None]) -> pa.Table:
        if self.labelled is None:
            return _as_source(read_sentences(self.path, self.format, self.layout))
        scheme, mode = self.labelled
        how: Any = {"format": self.format, "layout": self.layout, "told": told}
        return _as_read(read_source(self.path, scheme=scheme, mode=mode, **how))


def _as_source(table: pa.Table) -> pa.Table:
    """Sentences as the source side."""
    return _as_read(table.rename_columns({schema.TOKENS: schema.SOURCE_TOKENS}))


def _as_read(table: pa.Table) -> pa.Table:
    return table.select([name for name in _READ if name in table.schema.names])


def _written(table: pa.Table, *, labels_markers: bool) -> pa.Table:
    """What is written of translated rows."""
    table = table.drop_columns([schema.SOURCE_TOKENS])
    return _labelled(table) if labels_markers else table


def _labelled(table: pa.Table) -> pa.Table:
    """The rows whose entities the markers gave, with labels."""
    table = table.filter(pc.is_valid(table.column(schema.MARKED_ENTITIES)))
    entities = outer_entities(table.column(schema.MARKED_ENTITIES))
    return with_columns(table, {schema.LABELS: labels.encode_batch(entities, one_array(table.column(schema.TOKENS)))})


@dataclass(slots=True)
class _Counts:
    """What there is to count of translated sentences.

    Attributes:
        statuses: of translations.
        problems: of markers, `ok` where they hold; None without markers.
    """

    statuses: StatusCounts = field(default_factory=StatusCounts)
    problems: StatusCounts | None = None

    @classmethod
    def of(cls, table: pa.Table) -> _Counts:
        found = cls(StatusCounts.of(table.column(schema.TRANSLATION_STATUS)))
        if schema.MARKER_PROBLEM in table.schema.names:
            found.problems = StatusCounts.of(table.column(schema.MARKER_PROBLEM).fill_null(pa.scalar("ok")))
        return found

    def add(self, other: _Counts) -> None:
        """See `runner.Counts`, as for the others."""
        self.statuses.add(other.statuses)
        if other.problems is not None:
            self.problems = self.problems or StatusCounts()
            self.problems.add(other.problems)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> _Counts:
        statuses, problems = values["statuses"], values["problems"]
        return cls(StatusCounts(**statuses), None if problems is None else StatusCounts(**problems))


def _summarize(counts: _Counts, output: Path, *, keep_bad: bool, lacks_broken: bool) -> None:
    for line in counts.statuses.lines(STATUSES, "sentences"):
        click.echo(line, err=True)
    bad = sum(counts.statuses.counts.values()) - counts.statuses.counts.get("ok", 0)
    if bad and not keep_bad:
        click.echo(f"  {bad} rows have no words in {output} for that; --keep-bad keeps them", err=True)
    if counts.problems is not None:
        for line in counts.problems.lines(REASONS, "sentences with markers"):
            click.echo(line, err=True)
        broken = counts.problems.rows - counts.problems.counts.get("ok", 0)
        if broken and lacks_broken:
            click.echo(f"  {broken} rows left out of {output} for that; `xner project` aligns such rows", err=True)
    click.echo(f"written to {output}", err=True)
