"""The options of studies that compare ways to a tagger: what each learns from or is, test data, runs, resamples."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from xner.cli.options.groups import Group, GroupedOption
from xner.cli.options.inputs import FORMAT_NAMES
from xner.cli.options.training import read_corpus, seed_numbers
from xner.experiments.extrinsic.methods import Method
from xner.io.sides import read_sentences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xner.training.run import Corpus

__all__ = ["FIRST", "ChosenMethods", "methods_group"]

FIRST = ("training", "taggers", "teachers", "texts", "hard_labels", "development", "tests", "model")
"""What help lists before all others."""


@dataclass(frozen=True, slots=True)
class ChosenMethods:
    """Which ways to a tagger are compared, and on what.

    Attributes:
        methods: those that train, those that are there already, those that are distilled, each by first mention.
        tests: gold data.
        format: of the files; None goes by their names.
        options: of the study, by name.
    """

    methods: list[Method]
    tests: list[Corpus]
    format: str | None
    options: dict[str, Any]


def _chosen(
    training: tuple[str, ...],
    taggers: tuple[str, ...],
    development: tuple[str, ...],
    tests: tuple[str, ...],
    format_: str | None,
    classes: str | None,
    seeds: str,
    teachers: tuple[str, ...],
    texts: tuple[str, ...],
    hard_labels: tuple[str, ...],
    **options: Any,
) -> ChosenMethods:
    learnt = _by_method("--train", training)
    ready = _by_method("--tagger", taggers)
    taught, text = _by_method("--teacher", teachers), _by_method("--text", texts)
    given = {"--train": learnt, "--tagger": ready, "--teacher": taught}
    for flag, other in itertools.combinations(given, 2):
        if twice := sorted(set(given[flag]) & set(given[other])):
            raise click.UsageError(f"the method {twice[0]} has {flag} and {other}: give one of them")
    for flag, its in (("--text", text), ("--hard-labels", hard_labels)):
        if unknown := sorted(set(its) - set(taught)):
            raise click.UsageError(f"{flag}: no --teacher has the method {unknown[0]!r}")
    if without := sorted(name for name in taught if len(text.get(name, ())) != 1):
        raise click.UsageError(f"the method {without[0]} has --teacher: give one --text of it")
    chosen = {one.partition("=")[0]: one.partition("=")[2] for one in development if "=" in one}
    for_all = [one for one in development if "=" not in one]
    if len(for_all) > 1:
        raise click.UsageError("--dev: one file for all methods")
    if unknown := sorted(set(chosen) - {*learnt, *taught}):
        raise click.UsageError(f"--dev: no --train has the method {unknown[0]!r}")

    def dev(name: str) -> Corpus | None:
        place = chosen.get(name) or (for_all[0] if for_all else None)
        return None if place is None else read_corpus(place, "validation", format_)

    methods = [
        Method(name, [read_corpus(place, "train", format_) for place in places], development=dev(name))
        for name, places in learnt.items()
    ]
    methods += [Method(name, tagger=places) for name, places in ready.items()]
    methods += [
        Method(
            name,
            teachers=its,
            text=read_corpus(text[name][0], "train", format_, read=read_sentences),
            hard_labels=name in hard_labels,
            development=dev(name),
        )
        for name, its in taught.items()
    ]
    if not methods:
        raise click.UsageError("there are no methods: --train METHOD=FILE or --tagger METHOD=MODEL names one")
    if options["model"] is None and (trained := [*learnt, *taught]):
        raise click.UsageError(
            f"--model is missing: the encoder that training starts from, for the method {trained[0]}"
        )
    return ChosenMethods(
        methods,
        [read_corpus(place, "test", format_) for place in tests],
        format_,
        {
            "seeds": seed_numbers(seeds),
            "asked_classes": [name.strip() for name in classes.split(",")] if classes else (),
            **options,
        },
    )


def _by_method(option: str, texts: Sequence[str]) -> dict[str, list[str]]:
    """Files by method."""
    found: dict[str, list[str]] = {}
    for text in texts:
        name, equals, place = text.partition("=")
        if not (name and equals and place):
            raise click.UsageError(f"{option} {text!r}: expected METHOD=FILE")
        found.setdefault(name, []).append(place)
    return found


methods_group = Group(
    [
        GroupedOption(
            ["--train", "training"],
            metavar="METHOD=FILE",
            multiple=True,
            help="Labelled sentences that a method learns from; `hf:NAME` for a data set. Several of a method are "
            "learnt together. Methods are in the order of their first mention, those with --train first.",
        ),
        GroupedOption(
            ["--tagger", "taggers"],
            metavar="METHOD=MODEL",
            multiple=True,
            help="A tagger that is there already, as a method: a token-classification model, spacy:NAME, gliner:NAME; "
            "ready:FOLDER for files that another system has labelled. Several of a method are its runs.",
        ),
        GroupedOption(
            ["--teacher", "teachers"],
            metavar="METHOD=MODEL",
            multiple=True,
            help="What a method is distilled from: another method, by its run of the same seed, or a tagger. Several "
            "of a method teach together.",
        ),
        GroupedOption(
            ["--text", "texts"],
            metavar="METHOD=FILE",
            multiple=True,
            help="Sentences of which a method's teachers say what it learns; labels there are not looked at.",
        ),
        GroupedOption(
            ["--hard-labels"],
            metavar="METHOD",
            multiple=True,
            help="A method with teachers that learns their labels alone, and not their probabilities.",
        ),
        GroupedOption(
            ["--classes"],
            metavar="NAME,...",
            help="The classes that models of GLiNER are asked for, by names: person,location.",
        ),
        GroupedOption(
            ["--dev", "development"],
            metavar="[METHOD=]FILE",
            multiple=True,
            help="Labelled sentences that choose a method's best checkpoint; without a method's name, that of all "
            "others.",
        ),
        GroupedOption(
            ["--test", "tests"],
            metavar="FILE",
            multiple=True,
            required=True,
            help="Gold labels that the taggers are scored on. Several, of other domains, say, are each scored on.",
        ),
        GroupedOption(
            ["--format", "format_"], type=click.Choice(FORMAT_NAMES), help="Format of the files; by default by name."
        ),
        GroupedOption(["--model"], help="Encoder to start from: name on the Hugging Face hub, or folder."),
        GroupedOption(["--random-weights"], is_flag=True, help="Take the model's configuration and tokenizer alone."),
        GroupedOption(
            ["--seeds"],
            default="0,1,2",
            show_default=True,
            help="Of the runs of each method that trains, separated by commas.",
        ),
        GroupedOption(
            ["--device"],
            type=click.Choice(["auto", "cpu"]),
            default="auto",
            show_default=True,
            help="Where to compute.",
        ),
        GroupedOption(
            ["--samples"],
            type=click.IntRange(1),
            default=10_000,
            show_default=True,
            help="Resamples for intervals and p-values.",
        ),
        GroupedOption(
            ["--confidence"],
            type=click.FloatRange(0, 1, min_open=True, max_open=True),
            default=0.95,
            show_default=True,
            help="Confidence of the intervals.",
        ),
        GroupedOption(
            ["--resume/--no-resume"], default=True, show_default=True, help="Go on with interrupted trainings."
        ),
    ],
    _chosen,
)
