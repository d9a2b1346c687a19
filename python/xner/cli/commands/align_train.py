"""`xner align train`: fine-tune an encoder on parallel text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from xner import io, schema
from xner.cli.options.declared import declared_options
from xner.cli.options.groups import Group, takes
from xner.cli.options.inputs import FORMAT_NAMES, existing_file
from xner.cli.options.layouts import layout_group
from xner.io.sides import read_sentences
from xner.models.aligners.training import EncoderTrainingOptions, train_encoder
from xner.pipelines.progress import progress_reporter

if TYPE_CHECKING:
    from xner.io.layout import Layout

__all__ = ["command"]

_SETTINGS = Group(declared_options(EncoderTrainingOptions), EncoderTrainingOptions)


@click.command(
    "train",
    epilog="\b\nExamples:\n"
    "  xner align train --model google-bert/bert-base-multilingual-cased --source en.txt --target yo.txt -o en-yo\n"
    "  xner align --aligner awesome-mbert --model en-yo --source en.txt --target yo.txt -o links.pharaoh\n"
    "  accelerate launch -m xner align train ...      on several GPUs\n\n"
    "\b\nAn interrupted run goes on from its last checkpoint when the same command is given again.",
)
@click.option("--model", required=True, help="Model to start from: name on the Hugging Face hub, or folder.")
@click.option("--source", type=existing_file, required=True, help="Source sentences, one a line; or columns.")
@click.option("--target", type=existing_file, required=True, help="Their translations, row by row.")
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for the trained model, which `xner align --model` takes.",
)
@click.option("--source-format", type=click.Choice(FORMAT_NAMES), help="Format of the source file.")
@click.option("--target-format", type=click.Choice(FORMAT_NAMES), help="Format of the target file.")
@click.option("--device", type=click.Choice(["auto", "cpu"]), default="auto", show_default=True, help="Where to train.")
@click.option(
    "--resume/--no-resume", default=True, show_default=True, help="Go on from an interrupted run's checkpoint."
)
@takes(settings=_SETTINGS, layout=layout_group(classes=False))
def command(
    model: str,
    source: Path,
    target: Path,
    output: Path,
    source_format: str | None,
    target_format: str | None,
    device: str,
    resume: bool,
    settings: EncoderTrainingOptions,
    layout: Layout,
) -> None:
    """Fine-tune an encoder on sentence pairs so that it aligns their languages better.

    Needs no word links, only parallel text. The result is a model like the one it started from.
    """
    sides = [
        read_sentences(path, name, layout).column(schema.TOKENS)
        for path, name in ((source, source_format), (target, target_format))
    ]
    io.check_parallel(*sides, source_name=str(source), target_name=str(target))
    with progress_reporter() as report:
        done = train_encoder(model, sides[0], sides[1], output, settings, device=device, resume=resume, progress=report)
    skipped = f", {done.left_out} left out (a side is empty, or both are longer than the encoder takes)"
    click.echo(f"{done.pairs} sentence pairs{skipped if done.left_out else ''}", err=True)
    for objective, losses in done.losses.items():
        tenth = max(1, len(losses) // 10)
        first, last = sum(losses[:tenth]) / tenth, sum(losses[-tenth:]) / tenth
        click.echo(
            f"{objective}: mean loss {first:.4f} in the first tenth of the steps, {last:.4f} in the last", err=True
        )
    click.echo(f"written to {output}", err=True)
