"""`xner align`: word links alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa
import pyarrow.compute as pc

from xner import io, schema
from xner._support.arrow import by_frequency, occurrences, one_array, with_columns
from xner._support.pieces import PIECE_ROWS, pieces_of
from xner._support.progress import each_once
from xner.cli.commands import align_train
from xner.cli.options.aligners import aligning_group
from xner.cli.options.groups import takes
from xner.cli.options.inputs import OUTPUT_FORMAT_HELP, existing_file, output_file, side_format_options
from xner.cli.options.layouts import layout_group
from xner.cli.options.pipelines import engine_group, resume_option
from xner.io.sides import read_sentence_pairs, sentence_pairs_pieces
from xner.pipelines import runner
from xner.pipelines.checkpoints import checkpoints
from xner.pipelines.identity import fingerprint
from xner.pipelines.progress import progress_reporter
from xner.pipelines.recipes import StepRun
from xner.pipelines.summaries import add_counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from xner.io.layout import Layout
    from xner.pipelines.aligning import Aligning, Corpus
    from xner.pipelines.engines import Engine

__all__ = ["command"]


@click.group(
    "align",
    invoke_without_command=True,
    subcommand_metavar="| train ...",
    epilog="\b\nExamples:\n"
    "  xner align --source en.txt --target de.txt -o links.pharaoh --save-aligner m.safetensors\n"
    "  xner align --source new.en.txt --target new.de.txt --aligner-model m.safetensors -o new.pharaoh\n"
    "  xner align --source en.txt --target de.txt -o links.pharaoh --scores\n"
    "  xner align --source en.txt --target yo.txt --aligner awesome-mbert -o links.pharaoh\n"
    "      an encoder from the Hugging Face hub; --aligner-model names another one, or its folder\n"
    "  xner align --source en.txt --target yo.txt --aligner builtin --aligner labse --combine union -o links.pharaoh",
)
@click.option(
    "--source",
    type=existing_file,
    help="Source sentences, one a line, words split by blanks; or columns.",
)
@click.option("--target", type=existing_file, help="Their translations, row by row.")
@click.option(
    "--output",
    "-o",
    type=output_file,
    help="Links: i-j pairs, one line a sentence pair (.pharaoh), or a table (.parquet, .arrow, .jsonl).",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(io.FORMATS)),
    help=OUTPUT_FORMAT_HELP,
)
@side_format_options
@takes(aligning=aligning_group, layout=layout_group(classes=False, two_sides=True), engine=engine_group)
@click.option("--scores", is_flag=True, help="Write i-j:score.")
@click.option(
    "--threads",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="0: one a core. Never changes the output.",
)
@resume_option
@click.pass_context
def command(
    context: click.Context,
    /,
    source: Path | None,
    target: Path | None,
    output: Path | None,
    format_: str | None,
    source_format: str | None,
    target_format: str | None,
    scores: bool,
    threads: int,
    resume: bool,
    aligning: Callable[..., Aligning],
    layout: Layout,
    engine: AbstractContextManager[Engine],
) -> None:
    """Link the words of sentences and their translations.

    The built-in aligner needs no model from elsewhere: it is fitted on the sentence pairs themselves. The more of
    them, the better; below ten it goes by spelling and position. Multilingual encoders know their languages
    beforehand and need no other pairs.
    """
    if context.invoked_subcommand is not None:
        return
    # Not `required` of the options themselves: `xner align train` does without them.
    if source is None or target is None or output is None:
        missing = next(f"--{name}" for name in ("source", "target", "output") if context.params[name] is None)
        raise click.UsageError(f"Missing option '{missing}'.")
    links_format = io.format_of(output, format_ or ("pharaoh" if output.suffix == "" else None))
    settings = aligning(threads=threads)
    options = {"formats": [source_format, target_format, links_format, scores, repr(layout)], "aligner": settings.key}
    reading: Any = {"source_format": source_format, "target_format": target_format, "layout": layout}
    writing: Any = {"scores": scores} if links_format == "pharaoh" else {}
    told = partial(click.echo, err=True)
    with engine as workers, each_once():
        is_in_pieces = layout.reads_pieces(source, source_format) and layout.of_target.reads_pieces(
            target, target_format
        )

        def run(pieces: Iterable[pa.Table], is_whole: bool) -> _PairCounts:
            key = fingerprint({"source": source, "target": target}, {**options, "whole": is_whole})
            with checkpoints(output, key, resume=resume) as kept, progress_reporter() as report:
                # An aligner is fitted before anything is linked: the files are read twice then.
                corpus: Corpus = partial(sentence_pairs_pieces, source, target, rows=PIECE_ROWS, **reading)
                if is_whole:
                    corpus = pa.concat_tables(pieces)
                    pieces = pieces_of(corpus, runner.piece_rows(settings.part_rows))
                return runner.run_pieces(
                    pieces,
                    partial(_linked, settings.linker(corpus, StepRun(kept, report, told, workers))),
                    kept,
                    engine=workers,
                    model_rows=settings.part_rows,
                    format=links_format,
                    report=report,
                    what="sentence pairs",
                    count=_PairCounts.of,
                    counts=_PairCounts(),
                    threads=threads,
                    **writing,
                )

        read_pieces = partial(sentence_pairs_pieces, source, target, **reading) if is_in_pieces else None
        counts = runner.run_read(
            read_pieces, partial(read_sentence_pairs, source, target, **reading), run, part_rows=settings.part_rows
        )
    _summarize(counts, output)


command.add_command(align_train.command)


def _linked(link: Callable[[pa.Table], pa.Table], rows: pa.RecordBatch) -> pa.RecordBatch:
    found = link(pa.Table.from_batches([rows]))
    return with_columns(rows, {name: one_array(column) for name, column in _columns(found).items()})


def _columns(table: pa.Table) -> dict[str, pa.ChunkedArray[Any]]:
    return dict(zip(table.schema.names, table.columns, strict=True))


@dataclass(slots=True)
class _PairCounts:
    """What there is to count of linked sentence pairs.

    Attributes:
        pairs: how many there are.
        links: that they have.
        without: pairs that have none.
        statuses: of pairs, where an aligner says some.
    """

    pairs: int = 0
    links: int = 0
    without: int = 0
    statuses: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, table: pa.Table) -> _PairCounts:
        lengths = pc.list_value_length(table.column(schema.LINKS))
        without: int = pc.sum(pc.equal(lengths, pa.scalar(0))).as_py() or 0
        statuses = occurrences(table.column(schema.STATUS)) if schema.STATUS in table.schema.names else {}
        return cls(table.num_rows, pc.sum(lengths).as_py() or 0, without, statuses)

    def add(self, other: _PairCounts) -> None:
        """See `runner.Counts`, as for the others."""
        self.pairs += other.pairs
        self.links += other.links
        self.without += other.without
        add_counts(self.statuses, other.statuses)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> _PairCounts:
        return cls(**values)


def _summarize(counts: _PairCounts, output: Path) -> None:
    click.echo(
        f"{counts.pairs} sentence pairs, {counts.links} links, {counts.without} pairs without links; "
        f"written to {output}",
        err=True,
    )
    if set(counts.statuses) - {"ok"}:
        shown = ", ".join(f"{count} {status}" for status, count in by_frequency(counts.statuses).items())
        click.echo(f"status: {shown}", err=True)
