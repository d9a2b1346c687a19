"""`xner links`: combine sets of word links, and score them against hand-made ones."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xner import io, schema
from xner.alignment import links
from xner.cli.options.inputs import OUTPUT_FORMAT_HELP, OutputFile, existing_file, output_file
from xner.cli.options.resampling import resampling_options
from xner.evaluation import links as link_scores
from xner.evaluation.significance import bootstrap, paired_bootstrap
from xner.io.in_step import InStep
from xner.io.sides import links_apart, links_pieces, read_links, read_links_unchecked
from xner.pipelines import runner
from xner.pipelines.checkpoints import checkpoints
from xner.pipelines.identity import fingerprint

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from pathlib import Path

__all__ = ["command"]

_COUNTS = ("found", "sure", "sure_hits", "possible_hits")


@click.group("links")
def command() -> None:
    """Combine sets of word links, and score them against hand-made ones."""


_one_based = click.option("--one-based", is_flag=True, help="The links files count words from 1.")
_reverse = click.option("--reverse", is_flag=True, help="The links files say target-source.")


@command.command(
    "combine",
    epilog="\b\nExamples:\n"
    "  xner links combine builtin.pharaoh labse.pharaoh -o both.pharaoh\n"
    "  xner links combine a.pharaoh b.pharaoh c.pharaoh --method vote --threshold 0.5 -o majority.pharaoh\n"
    "  xner links combine a.parquet b.parquet --method mean --weight 2 --weight 1 --scores -o mean.pharaoh",
)
@click.argument("files", type=existing_file, nargs=-1, required=True, metavar="LINKS...")
@click.option(
    "--method",
    type=click.Choice(list(links.COMBINATIONS)),
    default="union",
    show_default=True,
    help="Links of any file, of all files, of more than a share of them, or with more than a mean score.",
)
@click.option("--weight", "weights", type=float, multiple=True, help="vote, mean: of a file, one for each in order.")
@click.option(
    "--threshold", type=click.FloatRange(0, 1), help="vote, mean: share or mean score to be exceeded.  [default: 0.5]"
)
@click.option("--output", "-o", type=output_file, required=True, help="The combined links (.pharaoh, .parquet, ...).")
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(io.FORMATS)),
    help=OUTPUT_FORMAT_HELP,
)
@click.option("--scores", is_flag=True, help="Pharaoh: write i-j:score.")
@_one_based
@_reverse
def combine(
    files: Sequence[Path],
    method: Any,
    weights: Sequence[float],
    threshold: float | None,
    output: Path,
    format_: str | None,
    scores: bool,
    one_based: bool,
    reverse: bool,
) -> None:
    """Make one set of links out of several of the same sentence pairs."""
    links_format = io.format_of(output, format_)
    how: Any = {"one_based": one_based, "reverse": reverse}
    combining: Any = {"method": method, "weights": weights or None, "threshold": threshold}
    writing: Any = {"scores": scores} if links_format == "pharaoh" else {}

    def combined(sets: pa.RecordBatch) -> pa.RecordBatch:
        return sets.append_column(schema.LINKS, links.combine(sets.columns, **combining))

    def run(pieces: Iterable[pa.Table], is_whole: bool) -> _LinkCounts:
        roles = dict(zip(_set_names(files), files, strict=True))
        options = {**how, **combining, **writing, "format": links_format, "whole": is_whole}
        with checkpoints(output, fingerprint(roles, options)) as kept:
            return runner.run_pieces(
                pieces,
                combined,
                kept,
                format=links_format,
                select=lambda rows: rows.select([schema.LINKS]),
                count=_LinkCounts.of,
                counts=_LinkCounts(),
                **writing,
            )

    counts = runner.run_read(partial(_pieces, files, **how), partial(_whole, files, **how), run)
    *of_files, made = counts.links
    shown = ", ".join(f"{count} of {path}" for path, count in zip(files, of_files, strict=True))
    click.echo(f"{made} links out of {shown}; written to {output}", err=True)


@command.command(
    "score",
    epilog="\b\nExamples:\n"
    "  xner links score --gold enfr.gold --gold-one-based links.pharaoh\n"
    "  xner links score --gold enfr.gold --gold-one-based new.pharaoh old.pharaoh\n"
    "      is the difference between the two more than luck?\n\n"
    "\b\nIn a gold file i-j is a sure link; ipj and i?j are possible ones, which are neither wanted nor wrong.",
)
@click.argument("files", type=existing_file, nargs=-1, required=True, metavar="LINKS...")
@click.option("--gold", type=existing_file, required=True, help="Hand-made links of the same sentence pairs.")
@click.option("--gold-one-based", is_flag=True, help="The gold file counts words from 1.")
@click.option("--gold-reverse", is_flag=True, help="The gold file says target-source.")
@_one_based
@_reverse
@click.option(
    "--counts",
    type=OutputFile(takes_format=False),
    help="Where to write the counts of every sentence pair (.parquet, .arrow, .jsonl).",
)
@resampling_options
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON.")
def score(
    files: Sequence[Path],
    gold: Path,
    gold_one_based: bool,
    gold_reverse: bool,
    one_based: bool,
    reverse: bool,
    counts: Path | None,
    samples: int,
    confidence: float,
    seed: int,
    as_json: bool,
) -> None:
    """Precision, recall, F1 and alignment error rate of links.

    With several files, the first one is compared with each of the others by paired bootstrap.
    """
    sure, possible = (
        read_links_unchecked(gold, one_based=gold_one_based, reverse=gold_reverse, possible=kind)
        for kind in ("drop", "keep")
    )
    columns = [read_links(path, len(sure), one_based=one_based, reverse=reverse) for path in files]
    scores = {
        str(path): link_scores.score(sure, column, possible=possible)
        for path, column in zip(files, columns, strict=True)
    }
    drawing: dict[str, Any] = {"samples": samples, "seed": seed, "confidence": confidence}
    resampled = samples > 0 and len(sure) > 0
    intervals = {name: bootstrap(one, **drawing) for name, one in scores.items()} if resampled else {}
    first, *others = scores
    comparisons = {name: paired_bootstrap(scores[first], scores[name], **drawing) for name in others if resampled}
    if counts is not None:
        io.write(_counts_table(scores), counts)
    if as_json:
        results = {
            name: one.to_dict()
            | ({"intervals": intervals[name].to_dict()} if name in intervals else {})
            | ({"comparison": comparisons[name].to_dict()} if name in comparisons else {})
            for name, one in scores.items()
        }
        click.echo(json.dumps(results, ensure_ascii=False, indent=2))
        return
    width = max(map(len, scores))
    click.echo(f"{'':{width}}  precision  recall     F1    AER  links   sure")
    for name, one in scores.items():
        figures = f"{one.precision:9.3f} {one.recall:7.3f} {one.f1:6.3f} {one.aer:6.3f}"
        click.echo(f"{name:{width}}  {figures} {one.found.sum():6d} {one.sure.sum():6d}")
        if name in intervals:
            click.echo(f"{'':{width}}  {100 * confidence:g} % interval of the AER {intervals[name].aer}")
    for name, comparison in comparisons.items():
        aer = comparison.aer
        click.echo(
            f"AER of {first} against {name}: {aer.value:+.3f}, {100 * confidence:g} % interval {aer.interval}, "
            f"p = {aer.p_value:.3f} (paired bootstrap)"
        )


def _set_names(files: Sequence[Path]) -> list[str]:
    """The names of columns that files of links are in."""
    return [f"set {number}" for number in range(len(files))]


def _whole(files: Sequence[Path], *, one_based: bool, reverse: bool) -> pa.Table:
    """The links of all files, a column each."""
    first = read_links_unchecked(files[0], one_based=one_based, reverse=reverse)
    others = [read_links(path, len(first), one_based=one_based, reverse=reverse) for path in files[1:]]
    return pa.table(dict(zip(_set_names(files), [first, *others], strict=True)))


def _pieces(files: Sequence[Path], *, one_based: bool, reverse: bool, rows: int) -> Generator[pa.Table]:
    """What `_whole` gives, piece by piece."""

    def check(place: int, first: int, count: int) -> None:
        if count != first:
            raise links_apart(files[place], count, first)

    how: Any = {"one_based": one_based, "reverse": reverse, "on_error": "raise", "rows": rows}
    names = _set_names(files)
    for found in InStep([links_pieces(path, **how) for path in files], check):
        yield pa.table(dict(zip(names, found, strict=True)))


@dataclass(slots=True)
class _LinkCounts:
    """How many links each file has, and the combined set, which is the last one."""

    links: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, sets: pa.Table) -> _LinkCounts:
        return cls([pc.sum(pc.list_value_length(column)).as_py() or 0 for column in sets.columns])

    def add(self, other: _LinkCounts) -> None:
        """See `runner.Counts`, as for the others."""
        self.links = [*map(sum, zip(self.links, other.links, strict=True))] if self.links else other.links

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> _LinkCounts:
        return cls(**values)


def _counts_table(scores: dict[str, link_scores.LinkScores]) -> pa.Table:
    columns: dict[str, Any] = {
        "file": pa.array([name for name, one in scores.items() for _ in range(one.sentences)], pa.string()),
        "row": np.concatenate([np.arange(one.sentences) for one in scores.values()]),
    }
    for count in _COUNTS:
        columns[count] = np.concatenate([getattr(one, count) for one in scores.values()])
    return pa.table(columns)
