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
from xner.cli.options.inputs import (
    FORMAT_NAMES,
    OUTPUT_FORMAT_HELP,
    existing_files,
    label_options,
    output_file_or_folder,
)
from xner.cli.options.layouts import layout_group
from xner.cli.options.pipelines import engine_group, is_folder, kind_of_files, markers_option, resume_option, run_files
from xner.cli.options.translators import ChosenTranslator, translator_group
from xner.errors import OptionError
from xner.io.formats import format_to_read
from xner.io.labelled_file import LabelledFile
from xner.io.sides import read_sentences, sentences_pieces
from xner.models.translators.translator import STATUSES
from xner.pipelines import runner
from xner.pipelines.checkpoints import alone, checkpoints
from xner.pipelines.engines import LOCAL
from xner.pipelines.identity import fingerprint
from xner.pipelines.progress import progress_reporter
from xner.pipelines.recipes import Direction, spread_over
from xner.pipelines.shard_names import check_formats, left_out_lines, names_of, shard_files
from xner.pipelines.shards import Shard
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
    "  xner translate --source en/ ... -o yo/\n"
    "      translates each file of a folder by itself\n"
    "  xner translate --source en.conll --markers tags ... -o yo.conll\n"
    "      labels by markers alone, auto: by those that hold; where they broke the sentence is left out\n\n"
    "\b\nAn interrupted run goes on where it stopped; what was translated once is not translated again (see --cache).",
)
@click.option(
    "--source",
    type=existing_files,
    required=True,
    help="Sentences: words split by blanks (.txt), or columns. Or several files, a folder or a pattern in quotes "
    "('en-*.txt'), each of which is translated by itself.",
)
@click.option("--source-language", required=True, help="Their language: yor_Latn, yo, Yoruba, ...")
@click.option("--target-language", required=True, help="The language to translate into.")
@click.option(
    "--output",
    "-o",
    type=output_file_or_folder,
    required=True,
    help="The translations' words, row by row. Of several files: one file, if its name tells a format, else a folder, "
    "which says in manifest.json what is there.",
)
@click.option("--format", "format_", type=click.Choice(FORMAT_NAMES), help=OUTPUT_FORMAT_HELP)
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
    several = shard_files(source)
    files = several or [source]
    if several is not None and source_format is None:
        check_formats(source, several, "source_format")
    for line in left_out_lines([source]):
        click.echo(line, err=True)
    if is_apart := several is not None or is_folder(output):
        kind = kind_of_files(output, format_, of_folders=format_to_read(files[0], source_format))
    else:
        kind = io.format_of(output, format_)
    is_training_data = io.FORMATS[kind].holds_good_rows_alone
    into = Direction(translator.load(), source_language, target_language, cache=translator.cache)
    into.translate([])  # a language that the model does not know is told before its weights are read
    labelled = None if markers is None else (scheme, read_labels)
    sides = [_Side(path, source_format, layout, labelled) for path in files]
    with engine as workers:
        if workers is not LOCAL and not into.can_spread:
            raise OptionError("engine='ray' goes with a --model that is one, or a program, not with a service")
        by_blanks = io.format_of(files[0], source_format) == "text"
        stage = TargetTranslation(spread_over(into, workers), words, by_blanks, keep_bad=keep_bad)
        if markers == "auto":
            with alone(output):
                markers = stage.choose_markers(labelled_sample(sides[0].run), told=partial(click.echo, err=True))
        job = _Job(replace(stage, markers=markers), kind, resume=resume)
        if not is_apart:
            counts = job.run(sides[0], output)
        else:
            names = names_of(files, kind)
            shards = [
                Shard({"source": side.path}, name, partial(job.key_of, side), partial(job.run, side))
                for side, name in zip(sides, names, strict=True)
            ]
            how: Any = {"signature": job.stage.signature, "resume": resume}
            counts = run_files(shards, output, kind, counts=_Counts(), **how)
    _summarize(counts, output, keep_bad=keep_bad, lacks_broken=is_training_data)


@dataclass(frozen=True, slots=True)
class _Job:
    """Translates files.

    Attributes:
        stage: that translates.
        kind: the format of what is written.
        resume: whether to go on from finished parts.
    """

    stage: TargetTranslation
    kind: str
    resume: bool

    def key_of(self, side: _Side, *, is_whole: bool = False) -> str:
        """Tells everything that decides what becomes of a file; parts of it differ where it is read as a whole."""
        options = {"stage": self.stage.identity, "read": side.how, "format": self.kind, "whole": is_whole}
        return fingerprint({"source": side.path}, options)

    def run(self, side: _Side, output: Path) -> _Counts:
        """Translate a file into another one."""

        def run(pieces: Iterable[pa.Table], is_whole: bool) -> _Counts:
            key = self.key_of(side, is_whole=is_whole)
            with checkpoints(output, key, resume=self.resume) as kept, progress_reporter() as report:
                return runner.run_pieces(
                    pieces,
                    lambda rows: self.stage(rows, progress=report),
                    kept,
                    format=self.kind,
                    report=report,
                    what="sentences",
                    select=self._written,
                    count=_Counts.of,
                    counts=_Counts(),
                )

        return side.run(run, told=logger.info)

    def _written(self, table: pa.Table) -> pa.Table:
        """What is written of translated rows."""
        table = table.drop_columns([schema.SOURCE_TOKENS])
        is_training_data = io.FORMATS[self.kind].holds_good_rows_alone
        return _labelled(table) if self.stage.markers is not None and is_training_data else table


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
        yield from map_pieces(_as_read, self._file(told).pieces(rows))

    def _whole(self, told: Callable[[str], None]) -> pa.Table:
        if self.labelled is None:
            return _as_source(read_sentences(self.path, self.format, self.layout))
        return _as_read(self._file(told).read())

    def _file(self, told: Callable[[str], None]) -> LabelledFile:
        assert self.labelled is not None, "labels matter"
        scheme, reading = self.labelled
        return LabelledFile(self.path, self.format, scheme, reading, self.layout, told=told)


def _as_source(table: pa.Table) -> pa.Table:
    """Sentences as the source side."""
    return _as_read(table.rename_columns({schema.TOKENS: schema.SOURCE_TOKENS}))


def _as_read(table: pa.Table) -> pa.Table:
    return table.select([name for name in _READ if name in table.schema.names])


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

    @property
    def rows(self) -> int:
        return self.statuses.rows

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
