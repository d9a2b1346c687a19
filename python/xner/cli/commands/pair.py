"""`xner pair`: two corpora that are not in the same order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa

from xner import io, schema
from xner.cli.options.groups import Command, takes
from xner.cli.options.inputs import existing_file, output_file, shown, side_format_options
from xner.cli.options.layouts import layout_group
from xner.errors import Error
from xner.io.pairing import PAIRED_BY, pair
from xner.io.sides import read_target

if TYPE_CHECKING:
    from xner.io.layout import Layout

__all__ = ["command"]

_PAIR_SCORE = "pair_score"


@click.command(
    "pair",
    cls=Command,
    epilog="\b\nExamples:\n"
    "  xner pair en.conll de.conll --on id -o pairs.parquet\n"
    "  xner project --source pairs.parquet --target pairs.parquet -o de.conll\n"
    "  xner pair en.conll de.txt --on sentences.tsv -o pairs.parquet\n"
    "      sentences.tsv has an English and a German sentence, or their ids, a line, with a tab between them\n"
    "  xner pair en.conll de.txt --on similarity --least-score 0.9 -o pairs.parquet\n"
    "      translations in mostly the same order, of which some are missing; column pair_score says how sure each is",
)
@click.argument("source", type=existing_file)
@click.argument("target", type=existing_file)
@click.option(
    "--on",
    required=True,
    metavar="id|text|similarity|FILE",
    help="By what the rows are joined: their ids; their text, however it is spelled and cut into words; similarity, "
    "which is for two languages: sentences in mostly the same order, by lengths, by words that both have, and by "
    "translations that the corpora themselves teach; or a file of pairs of ids or texts, with a tab between them.",
)
@click.option(
    "--least-score",
    type=click.FloatRange(0.5, 1.0),
    help="With --on similarity: leave out pairs that are less sure to belong together; a probability.  [default: 0.5]",
)
@click.option("--output", "-o", type=output_file, required=True, help="The pairs: Parquet, Arrow or JSONL.")
@click.option(
    "--alone",
    type=output_file,
    help="Where to write the rows that have no partner: JSONL, Parquet or Arrow, with the `file` that they are from.",
)
@side_format_options
@takes(layout=layout_group(two_sides=True))
def command(
    source: Path,
    target: Path,
    on: str,
    least_score: float | None,
    output: Path,
    alone: Path | None,
    source_format: str | None,
    target_format: str | None,
    layout: Layout,
) -> None:
    """Put two corpora that belong together into the same order.

    Writes the rows that have a partner, in the order of SOURCE, as `xner project` takes them for --source and --target;
    labels of TARGET count as gold. Says what has no partner, and which ids or texts are there more than once. Pairs by
    similarity have a column `pair_score`, how sure each is: `--least-score` leaves out those that are less so.
    """
    if least_score is not None and on != "similarity":
        raise click.UsageError(f"--least-score goes with --on similarity, and not with --on {on}")
    for path in (output, *([] if alone is None else [alone])):
        if io.FORMATS[io.format_of(path)].holds_good_rows_alone and io.format_of(path) != "jsonl":
            raise click.UsageError(f"'{path}': pairs need Parquet, Arrow or JSONL")
    first = layout.read(source, source_format)
    has_entities = {schema.LABELS, schema.ENTITIES, schema.SOURCE_ENTITIES} & set(first.schema.names)
    labelled = layout.labelled(first, source) if has_entities else None
    first = first if labelled is None else labelled.table
    second = read_target(target, format=target_format, layout=layout)
    names = shown(source), shown(target)
    found = pair(first, second, on=_way(on), least_score=least_score or 0.5, names=names)
    rows = [one for one, _ in found.pairs], [other for _, other in found.pairs]
    columns: dict[str, Any] = {}
    if schema.ID in first.schema.names:
        columns[schema.ID] = first[schema.ID].take(pa.array(rows[0], pa.int64()))
    columns[schema.SOURCE_TOKENS] = first[schema.TOKENS].take(pa.array(rows[0], pa.int64()))
    if labelled is not None:
        columns[schema.SOURCE_ENTITIES] = labelled.entities.take(pa.array(rows[0], pa.int64()))
    others = second.take(pa.array(rows[1], pa.int64()))
    columns |= {name: others[name] for name in others.schema.names if name not in columns}
    if found.scores is not None:
        columns[_PAIR_SCORE] = pa.array(found.scores, pa.float32())
    io.write(pa.table(columns), output)
    if alone is not None:
        sides = zip(names, (first, second), found.alone, strict=True)
        left = [_alone(name, table, numbers) for name, table, numbers in sides]
        io.write(pa.concat_tables(left, promote_options="default"), alone)
    for line in found.lines(names):
        click.echo(line, err=True)
    click.echo(f"written to {output}", err=True)


def _way(on: str) -> Any:
    """What `--on` says: a way by name, or the pairs of a file."""
    if on in PAIRED_BY:
        return on
    path = Path(on)
    if not path.is_file():
        raise click.UsageError(f"--on {on}: expected {', '.join(PAIRED_BY)}, or a file of pairs; there is no such file")
    pairs = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        fields = line.split("\t")
        if not line.strip():
            continue
        if len(fields) != 2:
            raise Error(f"'{path}', line {number}: expected two fields with a tab between them, found {len(fields)}")
        pairs.append((fields[0], fields[1]))
    return pairs


def _alone(name: str, table: pa.Table, rows: list[int]) -> pa.Table:
    """Rows of a table, its words and id alone, and the file that they are from."""
    kept = [one for one in (schema.ID, schema.TOKENS) if one in table.schema.names]
    some = table.select(kept).take(pa.array(rows, pa.int64()))
    numbers = pa.array(rows, pa.int64())
    return some.append_column("file", pa.array([name] * len(rows), pa.string())).append_column("row", numbers)
