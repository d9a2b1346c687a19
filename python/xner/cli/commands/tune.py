"""`xner tune`: the settings that suit a corpus, found on a sample with gold labels."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from xner import io, schema
from xner._support.overlaps import overlapping_rows
from xner._support.tables import text_table
from xner.cli.options.aligners import aligning_group
from xner.cli.options.declared import declared_options
from xner.cli.options.groups import Command, Group, takes
from xner.cli.options.inputs import check_ignored, existing_file, link_flags, output_file, side_format_options
from xner.cli.options.layouts import layout_group
from xner.cli.options.pipelines import scores_option
from xner.errors import Error
from xner.experiments.tuning.trials import LinkSource
from xner.experiments.tuning.tuning import tune
from xner.io.sides import read_links, read_pairs
from xner.pipelines.aligning import BUILTIN
from xner.pipelines.checkpoints import checkpoints
from xner.pipelines.identity import fingerprint
from xner.pipelines.progress import progress_reporter
from xner.pipelines.recipes import StepRun
from xner.projection.nested import NESTED, choose_nested
from xner.projection.options import ProjectionOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from xner.experiments.tuning.tuning import Tuning
    from xner.io.layout import Layout
    from xner.pipelines.aligning import Aligning
    from xner.projection.nested import Nested

__all__ = ["command"]


# What the tables say, and is not to be tuned.
_FIXED: Group[dict[str, Any]] = Group(
    declared_options(ProjectionOptions, only=["ner_labels", "ner_alpha"], titles={"Scores": ""}), dict
)


@click.command(
    "tune",
    cls=Command,
    epilog="\b\nExamples:\n"
    "  xner tune --source en.dev.conll --target de.dev.conll -o tuned.json\n"
    "      a few hundred sentences with gold labels on both sides; fits the built-in aligner on them\n"
    "  xner project --source en.conll --target de.txt --tuned tuned.json -o de.conll\n"
    "      labels the rest with what was found\n"
    "  xner tune --source en.dev.conll --target de.dev.conll --links a.pharaoh --aligner builtin -o tuned.json\n"
    "      how link sets combine is tuned as well\n\n"
    "\b\nThe figure to report is that of `tuned, held out`: for each fold, settings are searched on the other folds.",
)
@click.option("--source", type=existing_file, required=True, help="Labelled sentences.")
@click.option(
    "--target", type=existing_file, required=True, help="Their translations, row by row, with gold labels to tune on."
)
@click.option(
    "--output",
    "-o",
    type=output_file,
    required=True,
    help="Where to write the settings and figures (JSON), for `xner project --tuned`.",
)
@side_format_options
@click.option(
    "--links",
    type=existing_file,
    multiple=True,
    help="Word links, as for `xner project`; with several sets, how they combine is tuned.",
)
@link_flags
@scores_option
@click.option(
    "--nested",
    type=click.Choice(NESTED),
    default="error",
    show_default=True,
    help="As for `xner project`. Labels are compared, which hold the longer ones: keep finds what outermost does.",
)
@takes(aligning=aligning_group, fixed=_FIXED, layout=layout_group(two_sides=True))
@click.option("--trials", type=click.IntRange(1), default=2000, show_default=True, help="Settings to try at most.")
@click.option(
    "--folds", type=click.IntRange(2), default=5, show_default=True, help="Parts of the sentences held out in turn."
)
@click.option(
    "--ignore", multiple=True, metavar="CLASS", help="A class to leave out on both sides; may be given again."
)
@click.option("--bootstrap", "samples", type=click.IntRange(1), default=1000, show_default=True, help="Resamples.")
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Confidence of the intervals.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of search and resamples.")
@click.option(
    "--threads", type=click.IntRange(0), default=0, show_default=True, help="0: one a core. Never changes the output."
)
def command(
    source: Path,
    target: Path,
    output: Path,
    source_format: str | None,
    target_format: str | None,
    links: tuple[Path, ...],
    one_based: bool,
    reverse: bool,
    trials: int,
    folds: int,
    ignore: tuple[str, ...],
    samples: int,
    confidence: float,
    seed: int,
    threads: int,
    nested: Nested,
    scores: tuple[Path, ...],
    aligning: Callable[..., Aligning],
    fixed: dict[str, Any],
    layout: Layout,
) -> None:
    """Find the settings that suit a corpus, on a sample of it with gold labels.

    Tries combinations of how links are decoded and combined, what scores weigh, how labels are projected, and what is
    filtered, and says what the best one is worth on sentences that it was not chosen on.
    """
    table = read_pairs(
        source, target, source_format=source_format, target_format=target_format, scores=scores, layout=layout
    )
    if schema.GOLD_LABELS not in table.schema.names:
        raise Error(f"the target file '{target}' has no gold labels to tune on")
    check_ignored(ignore, layout.classes_in(table))
    if overlapping_rows(table[schema.SOURCE_ENTITIES]):
        table, left_out = choose_nested(table, "outermost" if nested == "keep" else nested)
        if left_out:
            told = f"{left_out} source entities share words with others and are left out"
            click.echo(f"{told} (nested={nested})", err=True)
    found = [read_links(path, table.num_rows, one_based=one_based, reverse=reverse) for path in links]
    settings = aligning(others=found, threads=threads)
    _refuse_what_is_tuned(settings)
    files = {"source": source, "target": target}
    formats = [source_format, target_format, repr(layout)]
    key = fingerprint(files, {"aligner": settings.key, "formats": formats, "nested": nested})
    with checkpoints(output, key) as kept, progress_reporter() as report:
        run = StepRun(kept, report, partial(click.echo, err=True))
        encoders = [
            settings.encode(name, table, run).column(schema.LINKS) for name in settings.names if name != BUILTIN
        ]
        aligner = settings.fit(table, run) if BUILTIN in settings.names else None
        tuning = tune(
            table,
            LinkSource(table.column(schema.SOURCE_TOKENS), table.column(schema.TOKENS), aligner, [*found, *encoders]),
            memory=bool(settings.names),
            trials=trials,
            folds=folds,
            ignore=ignore,
            fixed=fixed,
            seed=seed,
            samples=samples,
            confidence=confidence,
            threads=threads or os.cpu_count() or 1,
            progress=report,
        )
    click.echo(_summary(tuning))
    with io.replacing(output) as file:
        file.write((tuning.to_json() + "\n").encode())
    click.echo(f"written to {output}, for xner project --tuned {output}", err=True)
    click.echo(tuning.signature, err=True)


def _refuse_what_is_tuned(aligning: Aligning) -> None:
    for name in ("decode", "symmetrization", "combine"):
        if getattr(aligning.options, name) is not None:
            raise click.UsageError(f"--{name} is among what is tuned")
    if aligning.options.threshold is not None and not aligning.options.encoders:
        raise click.UsageError("--threshold is among what is tuned, other than for encoders")


def _summary(tuning: Tuning) -> str:
    gain = tuning.gain
    rows: list[Sequence[str]] = [
        ["", "F1", f"{tuning.confidence:.0%} interval"],
        ["defaults", *_cells(tuning.default)],
        ["tuned, held out", *_cells(tuning.held_out)],
        ["tuned, on what it was chosen on", *_cells(tuning.tuned_on)],
    ]
    interval = f"{gain.interval.low:+.3f} to {gain.interval.high:+.3f}"
    lines = [
        text_table(rows),
        f"held out, tuning gains {gain.value:+.3f} ({interval}), p = {gain.p_value:.3f}",
        "",
    ]
    if not tuning.options:
        return "\n".join([*lines, "no setting is better than the defaults"])
    folds = len(tuning.search.chosen_without)
    rows = [["option", "default", "chosen", f"in folds, of {folds}", "F1 with its default"]]
    for option in tuning.options:
        worth = "" if option.f1_at_default is None else f"{option.f1_at_default:.3f}"
        rows.append([option.name, _shown(option.default), _shown(option.value), str(option.folds), worth])
    return "\n".join([*lines, text_table(rows)])


def _cells(figure: Any) -> list[str]:
    return [f"{figure.f1:.3f}", str(figure.interval)]


def _shown(value: Any) -> str:
    names = {None: "none", True: "yes", False: "no", "": "yes"}
    return names[value] if value is None or value == "" or isinstance(value, bool) else str(value)
