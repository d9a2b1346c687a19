"""`xner export`: sentences worth a look, for the users of an annotation tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import click
import pyarrow as pa
import pyarrow.compute as pc

from xner import io, schema
from xner._support.arrow import with_columns
from xner.cli.options.inputs import FORMAT_NAMES, STANDARD_OUTPUT, OutputFile, existing_file, shown
from xner.evaluation.review import By, choose_rows
from xner.io.annotation.documents import Joined, documents_of
from xner.io.annotation.label_studio import label_studio_configuration
from xner.io.annotation.tools import TOOLS
from xner.io.layout import require_words

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command(
    "export",
    epilog="\b\nExamples:\n"
    "  xner export de.parquet --to label-studio --sample 200 -o tasks.json\n"
    "  xner export de.parquet --to brat --below-margin 0.2 -o doubtful\n"
    "  xner export de.parquet --to argilla --sample 300 --by random -o records.json\n"
    "  xner import corrected.json --from label-studio --onto de.parquet -o de.corrected.parquet",
)
@click.argument("table", type=existing_file)
@click.option("--to", "tool", type=click.Choice(list(TOOLS)), required=True, help="The tool.")
@click.option(
    "--output",
    "-o",
    type=OutputFile(or_folder=True, takes_format=False),
    required=True,
    help="The file for the tool; for brat, a new folder.",
)
@click.option(
    "--below-margin",
    type=click.FloatRange(0, min_open=True),
    help="Only sentences with an entity whose margin is smaller.",
)
@click.option("--sample", type=click.IntRange(1), help="How many sentences at most; by default all.")
@click.option(
    "--by",
    type=click.Choice(get_args(By)),
    default="uncertainty",
    show_default=True,
    help="Which ones: those with the smallest margins, or any, so that what people find holds for all.",
)
@click.option("--seed", type=click.IntRange(0), help="Of a random choice.  [default: 1]")
@click.option(
    "--text",
    type=click.Choice(get_args(Joined)),
    default="blanks",
    show_default=True,
    help="Words with blanks between them, or as they are written.",
)
@click.option("--format", "format_", type=click.Choice(FORMAT_NAMES), help="Of the table; by default its name tells.")
def command(
    table: Path,
    tool: str,
    output: Path,
    below_margin: float | None,
    sample: int | None,
    by: By,
    seed: int | None,
    text: Joined,
    format_: str | None,
) -> None:
    """Hand projected sentences to people, the doubtful ones first, with entities and scores as suggestions.

    TABLE is what `xner project --format parquet` (or arrow, jsonl) wrote. `xner import` reads back what people have
    made of the sentences, and finds these by their ids.
    """
    if seed is not None and by != "random":
        raise click.UsageError("--seed is for a choice --by random")
    if tool == "gliner" and text != "blanks":
        raise click.UsageError("--text: gliner has words and no text")
    if tool == "brat" and output.stem == STANDARD_OUTPUT:
        raise click.UsageError(f"--output {shown(output)}: brat takes a folder")
    rows = io.read(table, format_)
    require_words(rows, table)
    chosen = choose_rows(rows, below_margin=below_margin, sample=sample, by=by, seed=1 if seed is None else seed)
    if not len(chosen):
        raise click.ClickException(f"there is nothing to export: none of the {rows.num_rows} sentences is chosen")
    options = {} if tool == "gliner" else {"text": text}
    TOOLS[tool].write(_with_ids(rows).take(chosen), output, **options)
    click.echo(f"{len(chosen)} of {rows.num_rows} sentences written to {output}", err=True)
    if tool == "label-studio":
        click.echo(f"labelling configuration: {label_studio_configuration(_classes(rows))}", err=True)


def _classes(rows: pa.Table) -> list[str]:
    """The classes of a table, sorted."""
    with_words = rows.filter(pc.is_valid(rows.column(schema.TOKENS)))
    documents = (document for batch in with_words.to_batches() for document in documents_of(batch))
    return sorted({span.label for document in documents for span in document.spans or ()})


def _with_ids(rows: pa.Table) -> pa.Table:
    """The table with its rows' numbers as ids where it has none, so that they are found again."""
    if schema.ID in rows.schema.names:
        return rows
    return with_columns(rows, {schema.ID: pa.array([str(row) for row in range(rows.num_rows)], pa.string())})
