"""`xner align`: word links alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa
import pyarrow.compute as pc

from xner import io, runner, schema
from xner.alignment import Aligner
from xner.cli._inputs import FORMAT_NAMES, existing_file, output_file, read_sentences
from xner.links import SYMMETRIZATIONS

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command(
    "align",
    epilog="\b\nExamples:\n"
    "  xner align --source en.txt --target de.txt -o links.pharaoh --save-model m.safetensors\n"
    "  xner align --source new.en.txt --target new.de.txt --model m.safetensors -o new.pharaoh\n"
    "  xner align --source en.txt --target de.txt -o links.pharaoh --scores",
)
@click.option(
    "--source",
    type=existing_file,
    required=True,
    help="Source sentences, one a line, words split by blanks; or columns.",
)
@click.option("--target", type=existing_file, required=True, help="Their translations, row by row.")
@click.option(
    "--output",
    "-o",
    type=output_file,
    required=True,
    help="Links: i-j pairs, one line a sentence pair (.pharaoh), or a table (.parquet, .arrow, .jsonl).",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(io.FORMATS)),
    help="Format of the output; by default its name tells.",
)
@click.option("--source-format", type=click.Choice(FORMAT_NAMES), help="Format of the source file, likewise.")
@click.option("--target-format", type=click.Choice(FORMAT_NAMES), help="Format of the target file, likewise.")
@click.option("--model", type=existing_file, help="A saved aligner; without it, one is fitted on the input.")
@click.option("--save-model", type=output_file, help="Where to save the aligner.")
@click.option("--scores", is_flag=True, help="Write i-j:score.")
@click.option(
    "--decode",
    type=click.Choice(["posterior", "viterbi"]),
    help="Link what is probable enough (the default), or combine the best alignment of either direction.",
)
@click.option("--threshold", type=click.FloatRange(0, 1, max_open=True), help="Posterior: least probability of a link.")
@click.option(
    "--symmetrization", type=click.Choice(list(SYMMETRIZATIONS)), help="Viterbi: how two directions become one."
)
@click.option(
    "--threads",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="0: one a core. Never changes the output.",
)
def command(
    source: Path,
    target: Path,
    output: Path,
    format_: str | None,
    source_format: str | None,
    target_format: str | None,
    model: Path | None,
    save_model: Path | None,
    scores: bool,
    threads: int,
    **decoding: Any,
) -> None:
    """Link the words of sentences and their translations.

    The built-in aligner needs no model from elsewhere: it is fitted on the sentence pairs themselves. The more of
    them, the better; below ten it goes by spelling and position.
    """
    links_format = io.format_of(output, format_ or ("pharaoh" if output.suffix == "" else None))
    sides = read_sentences(source, source_format)
    other = read_sentences(target, target_format)
    source_tokens, tokens = sides.column(schema.TOKENS), other.column(schema.TOKENS)
    io.check_parallel(source_tokens, tokens, source_name=str(source), target_name=str(target))
    with runner.progress_reporter() as report:
        aligner = (
            Aligner.load(model)
            if model is not None
            else Aligner.fit(source_tokens, tokens, threads=threads, progress=report)
        )
        links = aligner.align(
            source_tokens,
            tokens,
            threads=threads,
            **{name: value for name, value in decoding.items() if value is not None},
        )
    if save_model is not None:
        aligner.save(save_model)
    table = pa.table({schema.SOURCE_TOKENS: source_tokens, schema.TOKENS: tokens, schema.LINKS: links})
    if schema.ID in other.column_names:
        table = table.add_column(0, schema.ID, other.column(schema.ID))
    options: dict[str, Any] = {"scores": scores} if links_format == "pharaoh" else {}
    io.write(table, output, links_format, **options)
    lengths = pc.list_value_length(links)
    unlinked = pc.sum(pc.equal(lengths, 0)).as_py() or 0
    click.echo(
        f"{table.num_rows} sentence pairs, {pc.sum(lengths).as_py() or 0} links, "
        f"{unlinked} pairs without links; written to {output}",
        err=True,
    )
