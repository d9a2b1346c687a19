"""`xner shift`: a labelled corpus, perturbed, with labels that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xner import io, labels, schema
from xner.cli.options.groups import Command, takes
from xner.cli.options.inputs import FORMAT_NAMES, OUTPUT_FORMAT_HELP, OutputFile, existing_file, output_file
from xner.cli.options.layouts import layout_group
from xner.cli.options.shifts import SEVERITIES_HELP, ChosenShift, shift_group
from xner.experiments.shift.shifting import shift

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from xner.io.layout import Layout

__all__ = ["command"]

_TABLES = ("jsonl", "parquet", "arrow")


@click.command(
    "shift",
    cls=Command,
    first=["kind", "severity", "seed", "output", "edits"],
    epilog="\b\nExamples:\n"
    "  xner shift test.conll --kind characters --characters keyboard,ocr --severity 2 --seed 7 -o typos.conll\n"
    "  xner shift test.conll --kind entities --unseen-in train.conll --severity 5 -o unseen.conll\n"
    "  xner shift test.conll --kind code-switch --lexicon en-de.tsv -o mixed.conll --edits edits.jsonl\n"
    "  xner tag typos.conll --model MODEL -o tagged.conll\n"
    "      what the shift costs a tagger: F1 against the labels that followed\n\n" + SEVERITIES_HELP,
)
@click.argument("corpus", type=existing_file)
@click.option("--output", "-o", type=output_file, required=True, help="The shifted corpus.")
@click.option(
    "--edits",
    type=OutputFile(takes_format=False),
    help="Where to write the edits, which rebuild it from CORPUS: JSONL, Parquet, Arrow.",
)
@click.option("--format", "format_", type=click.Choice(FORMAT_NAMES), help=OUTPUT_FORMAT_HELP)
@click.option("--input-format", type=click.Choice(FORMAT_NAMES), help="Of CORPUS, likewise.")
@takes(chosen=shift_group, layout=layout_group())
def command(
    corpus: Path,
    output: Path,
    edits: Path | None,
    format_: str | None,
    input_format: str | None,
    chosen: ChosenShift,
    layout: Layout,
) -> None:
    """Perturb a labelled corpus, so that its labels stay right: names, context, spelling, words, language, length.

    Labels follow the words by construction: the corpus is changed by edits alone, and entities keep their number, order
    and classes. The same seed gives the same corpus, and a higher severity changes what a lower one does, and more.
    """
    if io.format_of(output, format_) == "text":
        raise click.UsageError("files of text hold words alone; .conll holds labels, .parquet and .jsonl all columns")
    if edits is not None and io.format_of(edits) not in _TABLES:
        raise click.UsageError(f"--edits {edits}: edits need JSONL, Parquet or Arrow")
    table = _labelled(corpus, input_format, layout)
    shifted = shift(table, **chosen.arguments(lambda path: _labelled(path, None, layout, all_classes=False)))
    io.write(shifted.table, output, format_)
    click.echo(str(shifted.summary), err=True)
    if left_out := [name for name in table.schema.names if name not in shifted.table.schema.names]:
        click.echo(f"columns left out, as they are of the words before: {', '.join(left_out)}", err=True)
    if edits is not None:
        io.write(shifted.edits_table(), edits)
        click.echo(f"edits written to {edits}", err=True)
    click.echo(f"written to {output}", err=True)
    click.echo(shifted.summary.signature, err=True)


def _labelled(path: Path, format: str | None, layout: Layout, *, all_classes: bool = True) -> pa.Table:
    """A file's sentences, with what it labels as labels alone; whether it must have all classes to be renamed."""
    found = layout.labelled(layout.read(path, format), path, all_classes=all_classes)
    encoded = labels.encode_batch(found.entities, found.table[schema.TOKENS])
    left = [name for name in (schema.LABELS, schema.ENTITIES) if name in found.table.schema.names]
    return found.table.drop_columns(left).append_column(schema.LABELS, encoded)
