"""`xner import`: what people have made of exported sentences, put back into their table."""

from __future__ import annotations

from pathlib import Path

import click

from xner import io, schema
from xner._support.overlaps import overlapping_rows
from xner._support.phrases import number_of
from xner.cli.options.inputs import FORMAT_NAMES, OUTPUT_FORMAT_HELP, existing_file, output_file
from xner.errors import Error, FormatError
from xner.evaluation.review import CHANGES, Review, apply_corrections
from xner.io.annotation.tools import TOOLS, looks_like
from xner.io.layout import require_words
from xner.pipelines.summaries import overlap_lines

__all__ = ["command"]

_SHOWN = 5  # spans that are named


@click.command(
    "import",
    epilog="\b\nExamples:\n"
    "  xner export de.parquet --to label-studio --sample 200 -o tasks.json\n"
    "  xner import corrected.json --from label-studio --onto de.parquet -o de.corrected.parquet\n"
    "  xner project --source en.conll --target de.txt --corrections de.corrected.parquet -o de.better.parquet\n"
    "      keeps what people have said, and goes by it elsewhere\n"
    "  xner import corrected.json --from label-studio --onto de.parquet --only-reviewed -o de.gold.conll\n"
    "  xner import doubtful --from brat --onto de.parquet -o de.corrected.conll",
)
@click.argument("corrected", type=click.Path(exists=True, path_type=Path))
@click.option("--from", "tool", type=click.Choice(list(TOOLS)), required=True, help="The tool that wrote it.")
@click.option("--onto", "table", type=existing_file, required=True, help="The table that was exported.")
@click.option("--output", "-o", type=output_file, required=True, help="The table with the corrections.")
@click.option(
    "--annotator",
    help="Whose annotations count, where several people have annotated one text and do not agree: label-studio, "
    "argilla.",
)
@click.option(
    "--discontinuous",
    type=click.Choice(["cover", "drop"]),
    help="What becomes of spans of brat with other words between their pieces: the span that covers all of them, or "
    "nothing.  [default: an error]",
)
@click.option("--format", "format_", type=click.Choice(FORMAT_NAMES), help=OUTPUT_FORMAT_HELP)
@click.option("--table-format", type=click.Choice(FORMAT_NAMES), help="Of the table, likewise.")
@click.option(
    "--only-reviewed", is_flag=True, help="Write the sentences alone that people have looked at: gold, to tune on."
)
def command(
    corrected: Path,
    tool: str,
    table: Path,
    output: Path,
    annotator: str | None,
    discontinuous: str | None,
    format_: str | None,
    table_format: str | None,
    only_reviewed: bool,
) -> None:
    """Put corrections by people back into the table that they were exported from, and say how much was corrected.

    CORRECTED is what the tool exports: a file, or for brat the folder. Sentences are found by their ids, and their
    words have to be those of the table. Sentences that nobody has annotated stay as they are.
    """
    io.format_of(output, format_)
    if annotator is not None and not TOOLS[tool].tells_people:
        raise click.UsageError(f"--annotator: {tool} does not tell who has annotated what")
    if discontinuous is not None and tool != "brat":
        raise click.UsageError(f"--discontinuous: {tool} has no spans in several pieces")
    given = {"annotator": annotator, "discontinuous": discontinuous}
    options = {name: value for name, value in given.items() if value is not None}
    onto = io.read(table, table_format)
    require_words(onto, table)
    try:
        review = apply_corrections(onto, TOOLS[tool].documents(corrected, **options))
    except (Error, IsADirectoryError) as error:
        _check_tool(corrected, tool, f"{error}; " if isinstance(error, Error) else "")
        raise
    if not review.rows:
        _check_tool(corrected, tool, "")
    result = review.table
    written = result.filter(result.column(schema.REVIEWED)) if only_reviewed else result
    io.write(written, output, format_)
    overlapping = len(overlapping_rows(written.column(schema.ENTITIES)))
    for line in [*_report(review), *overlap_lines(overlapping, output, format_)]:
        click.echo(line, err=True)
    click.echo(f"written to {output}", err=True)


def _check_tool(path: Path, tool: str, reason: str) -> None:
    """Raises an error, which begins with a reason, where a file does not look like one of the tool."""
    tools, seen = looks_like(path)
    if tool not in tools:
        like = f", and looks like one of {' or '.join(tools)}: --from {tools[0]}" if tools else ""
        raise FormatError(f"{reason}'{path}' does not look like a file of {tool}: it is {seen}{like}")


def _report(review: Review) -> list[str]:
    """What was corrected."""
    rows = f"{len(review.rows)} of {review.table.num_rows} sentences were looked at"
    lines = [rows, review.counts()]
    lines += [f"  {kind}: {meaning}" for kind, meaning in CHANGES.items() if review.changes[kind]]
    if review.suggested:
        kept = f"{review.changes['kept']} of {review.suggested} suggestions"
        lines.append(f"precision {review.precision:.3f} ({review.interval()}, Wilson, 95%): {kept} were right")
        lines.append(
            "sentences chosen --by random speak for the rest, too; those with small margins are worse than the rest"
        )
    if review.snapped:
        lines.append(f"{number_of(review.snapped, 'span')} with ends within words, read as the whole words")
    if review.blank:
        shown = "; ".join(review.blank[:_SHOWN]) + ("; ..." if len(review.blank) > _SHOWN else "")
        lines.append(f"{number_of(len(review.blank), 'span')} of white space alone, left out: {shown}")
    return lines
