"""`xner align`: word links alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa
import pyarrow.compute as pc

from xner import io, schema
from xner._support.arrow import frequencies
from xner.cli.commands import align_train
from xner.cli.options.aligners import aligning_group
from xner.cli.options.groups import takes
from xner.cli.options.inputs import existing_file, output_file, side_format_options
from xner.cli.options.layouts import layout_group
from xner.cli.options.pipelines import engine_group
from xner.io.sides import read_sentences
from xner.pipelines.checkpoints import checkpoints
from xner.pipelines.identity import fingerprint
from xner.pipelines.progress import progress_reporter
from xner.pipelines.recipes import StepRun

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from xner.io.layout import Layout
    from xner.pipelines.aligning import Aligning
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
    help="Format of the output; by default its name tells.",
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
@click.option(
    "--resume/--no-resume",
    default=True,
    show_default=True,
    help="Go on from an interrupted run's finished parts.",
)
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
    sides = read_sentences(source, source_format, layout)
    other = read_sentences(target, target_format, layout.of_target)
    source_tokens, tokens = sides.column(schema.TOKENS), other.column(schema.TOKENS)
    io.check_parallel(source_tokens, tokens, source_name=str(source), target_name=str(target))
    table = pa.table({schema.SOURCE_TOKENS: source_tokens, schema.TOKENS: tokens})
    settings = aligning(threads=threads)
    key = fingerprint(
        {"source": source, "target": target},
        {"formats": [source_format, target_format, repr(layout)], "aligner": settings.key},
    )
    with checkpoints(output, key, resume=resume) as kept, progress_reporter() as report, engine as workers:
        found = settings.link(table, StepRun(kept, report, partial(click.echo, err=True), workers))
        for name in found.column_names:
            table = table.append_column(name, found.column(name))
        if schema.ID in other.column_names:
            table = table.add_column(0, schema.ID, other.column(schema.ID))
        writing: dict[str, Any] = {"scores": scores} if links_format == "pharaoh" else {}
        io.write(table, output, links_format, **writing)
    _summarize(table, output)


command.add_command(align_train.command)


def _summarize(table: pa.Table, output: Path) -> None:
    lengths = pc.list_value_length(table.column(schema.LINKS))
    click.echo(
        f"{table.num_rows} sentence pairs, {pc.sum(lengths).as_py() or 0} links, "
        f"{pc.sum(pc.equal(lengths, pa.scalar(0))).as_py() or 0} pairs without links; written to {output}",
        err=True,
    )
    if schema.STATUS in table.column_names:
        statuses = frequencies(table.column(schema.STATUS))
        if set(statuses) - {"ok"}:
            click.echo("status: " + ", ".join(f"{count} {status}" for status, count in statuses.items()), err=True)
