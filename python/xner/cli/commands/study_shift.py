"""`xner study shift`: how taggers that came about in different ways degrade under domain shift."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xner.cli.options.flags import given_command
from xner.cli.options.groups import Command, Group, GroupedOption, takes
from xner.cli.options.inputs import existing_file
from xner.cli.options.methods import FIRST, ChosenMethods, methods_group
from xner.cli.options.shifts import SEVERITIES_HELP
from xner.cli.options.taggers import classes_group
from xner.cli.options.training import read_corpus, seed_numbers, settings_group, show_moment
from xner.errors import OptionError
from xner.experiments.robustness import report as shift_report
from xner.experiments.robustness.report import write_shift_report
from xner.experiments.robustness.study import DEFAULT_KINDS, study_shift
from xner.experiments.robustness.texts import StudiedShift
from xner.experiments.shift.edits import KINDS
from xner.experiments.shift.names import read_lexicon, read_names
from xner.experiments.shift.options import MATERIAL
from xner.experiments.shift.search import SEARCHES
from xner.models.taggers.catalogue import load_tagger
from xner.pipelines.progress import progress_reporter

if TYPE_CHECKING:
    from xner.training.settings import TrainingSettings

__all__ = ["command"]

_SHIFTS = "Shifts"


def _shifts(
    kind: tuple[str, ...],
    names: Path | None,
    unseen_in: str | None,
    context_from: str | None,
    lexicon: Path | None,
    against: str | None,
    search: str,
    budget: int,
    severities: str,
    shift_seeds: str,
    format_: str | None,
    device: str,
) -> dict[str, Any]:
    """What `study_shift` takes of them."""
    material: dict[str, Any] = {}
    for name, place, read in (("names", names, read_names), ("lexicon", lexicon, read_lexicon)):
        if place is not None:
            material[name] = read(place)
    for name, corpus in (("unseen_in", unseen_in), ("context_from", context_from)):
        if corpus is not None:
            material[name] = read_corpus(corpus, "train", format_).table
    if against is not None:
        tagger = load_tagger(against, device=device, lazily=True)
        material.update(against=tagger, search=search, budget=budget)
    elif (search, budget) != ("worst", 8):
        raise click.UsageError("--search and --budget go with --against")
    shifts = [StudiedShift.parse(one, **material) for one in kind]
    shifts = [each for one in shifts for each in ([one.by_chance, _attack(one)] if one.is_attack else [one])]
    if unused := [name for name in material if not any(name in one.options for one in shifts)]:
        raise OptionError(f"{unused[0]} goes with --kind {MATERIAL[unused[0]]}")
    return {
        "shifts": shifts,
        "severities": seed_numbers(severities, "--severities"),
        "shift_seeds": seed_numbers(shift_seeds, "--shift-seeds"),
    }


def _attack(one: StudiedShift) -> StudiedShift:
    return replace(one, name=f"{one.name}, attacked")


_SHIFT_GROUP = Group(
    [
        GroupedOption(
            ["--kind"],
            metavar="KIND[:OPTION=VALUE...]",
            multiple=True,
            default=DEFAULT_KINDS,
            show_default=True,
            help=f"What is shifted: {', '.join(KINDS)}; with options of `xner shift`, as characters:where=context. "
            "Several times: several shifts, each studied.",
            title=_SHIFTS,
        ),
        GroupedOption(
            ["--severities"],
            default="1,2,3,4,5",
            show_default=True,
            help="How much is changed, from 1 to 5, separated by commas.",
            title=_SHIFTS,
        ),
        GroupedOption(
            ["--shift-seeds"],
            default="1",
            show_default=True,
            help="Of the shifts, separated by commas; figures are means over them.",
            title=_SHIFTS,
        ),
        GroupedOption(
            ["--names"],
            type=existing_file,
            help="For entities: names to choose among, as for `xner shift`.",
            title=_SHIFTS,
        ),
        GroupedOption(
            ["--unseen-in"], help="For entities: labelled sentences whose names are not chosen.", title=_SHIFTS
        ),
        GroupedOption(
            ["--context-from"],
            help="For context: labelled sentences that are taken in place of the test's.",
            title=_SHIFTS,
        ),
        GroupedOption(
            ["--lexicon"],
            type=existing_file,
            help="For code-switch: a word and its translation a line, with a tab between them.",
            title=_SHIFTS,
        ),
        GroupedOption(
            ["--against"],
            metavar="MODEL",
            help="A tagger: each shift is studied as it is, and again with those changes that cost it most; not for "
            "length.",
            title=_SHIFTS,
        ),
        GroupedOption(
            ["--search"],
            type=click.Choice(SEARCHES),
            default="worst",
            show_default=True,
            help="With --against: the worst of several shifts, or the changes that each do most harm alone (greedy).",
            title=_SHIFTS,
        ),
        GroupedOption(
            ["--budget"],
            type=click.IntRange(1),
            default=8,
            show_default=True,
            help="With --against: how many variants of a sentence it is asked about.",
            title=_SHIFTS,
        ),
    ],
    _shifts,
    also=["format_", "device"],
)


@click.command(
    "shift",
    cls=Command,
    first=[*FIRST, "output", "kind", "severities", "seeds", "epochs"],
    epilog="\b\nExamples:\n"
    "  xner study shift --model FacebookAI/xlm-roberta-base -o study --test yo.test.conll \\\n"
    "      --train transfer=en.train.conll --train projected=yo.projected.parquet --train gold=yo.train.conll \\\n"
    "      --teacher distilled=transfer --text distilled=yo.txt\n"
    "      what four kinds of shift cost taggers, compared with what they cost the transferred one\n"
    "  xner study shift --tagger a=MODEL --tagger b=MODEL --test test.conll -o study \\\n"
    "      --kind entities --kind context --kind characters:where=entities --kind characters:where=context\n"
    "      changes of entities against changes of what is around them\n\n" + SEVERITIES_HELP + "\n"
    "\b\nAn interrupted study goes on where it stopped when the same command is given again, and one with more\n"
    "methods, shifts or tests makes only what the folder has not.",
)
@click.option(
    "--output", "-o", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for what is found."
)
@click.option("--reference", metavar="METHOD", help="What the others are compared with.  [default: the first method]")
@click.option(
    "--seen-in",
    multiple=True,
    metavar="FILE",
    help="Labelled sentences that a --tagger has learnt from: their names, and those of --train, are not unseen.",
)
@click.option(
    "--documents", metavar="COLUMN", help="Column of the test data that names documents, which are drawn whole."
)
@click.option(
    "--collapse",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.5,
    show_default=True,
    help="A run has collapsed, and counts in no mean, whose F1 on the clean text is less than this share of its "
    "method's median.",
)
@takes(shifts=_SHIFT_GROUP, chosen=methods_group, renamed=classes_group, settings=settings_group(scores=False))
def command(
    output: Path,
    reference: str | None,
    seen_in: tuple[str, ...],
    documents: str | None,
    collapse: float,
    shifts: dict[str, Any],
    chosen: ChosenMethods,
    renamed: dict[str, str],
    settings: TrainingSettings,
) -> None:
    """How taggers of different origin degrade when the domain shifts.

    Makes a tagger by each method with each seed, as `xner study extrinsic` does, lets all of them label the test data
    as they are and shifted by each kind at each severity, and compares what that costs: drops of F1 with intervals of
    a two-way bootstrap over runs and documents, their differences with p-values after Holm's correction and the
    difference that could have been found, what is left at the same clean F1, entities against context, entities unseen
    in training, spans without classes, calibration.
    """
    with progress_reporter() as report:
        found = study_shift(
            chosen.methods,
            chosen.tests,
            output,
            reference=reference,
            seen_in=[read_corpus(place, "train", chosen.format) for place in seen_in],
            documents=documents,
            collapse=collapse,
            settings=settings,
            classes=renamed,
            progress=lambda method, seed, moment: show_moment(moment, f"{method}, seed {seed}: "),
            report=report,
            **shifts,
            **chosen.options,
        )
    page = write_shift_report(found, output, command=given_command())
    click.echo(shift_report.markdown(found), nl=False)
    click.echo(f"written to {output}; to look at: {page}", err=True)
