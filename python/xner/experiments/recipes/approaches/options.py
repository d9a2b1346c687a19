"""Which way labels take to the target sentences of a recipe, each option declared once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from xner._support.options import Choice, DeclaredOptions, Flag, Many, Text, When, Whole, declared, option
from xner.training.settings import TrainingSettings
from xner.translation.markers import STYLES, ChosenMarkers

__all__ = ["APPROACHES", "LESSONS", "TRAINING", "ApproachName", "ApproachOptions", "Lesson"]

ApproachName = Literal["projection", "translate-test", "model-transfer", "ensemble", "trained-tagger"]
APPROACHES: Final = get_args(ApproachName)
Lesson = Literal["projected", "source", "gold", "teacher"]
LESSONS: Final = get_args(Lesson)

TRAINING: Final = {name: its for name, its in declared(TrainingSettings).items() if name not in {"seed", "lora"}}
"""How a tagger is trained; `seeds` stand for the seed."""

_PROJECTS = When("an approach that projects", lambda o: o.approach in {"projection", "translate-test", "ensemble"})
_BACK = When("back_translate", lambda o: o.back_translate)
_ENSEMBLE = When("approach='ensemble'", lambda o: o.approach == "ensemble")
_TRAINS = When("approach='trained-tagger'", lambda o: o.approach == "trained-tagger")
_GROUP: Final = "Recipe"


@dataclass(frozen=True, slots=True)
class ApproachOptions(DeclaredOptions):
    """Which way labels take to the target sentences.

    Raises:
        Error: a value is none of its kind, or says nothing beside the others.
    """

    approach: ApproachName = option(
        "projection",
        Choice(APPROACHES),
        "projection: from labelled sentences onto their translations, which are there or are made. translate-test: "
        "target sentences are translated into the source language, tagged there, and the labels projected back. "
        "model-transfer: the tagger labels target sentences itself. ensemble: what translate-test says of each word, "
        "averaged with what other taggers say of it. trained-tagger: a tagger is trained, and labels target sentences.",
        group=_GROUP,
    )
    back_translate: bool = option(
        False,
        Flag(),
        "Translate the labelled sentences into the target language with markers around their entities, and align these "
        "with the target sentences, so that words of one language are linked.",
        when=[_PROJECTS],
        group=_GROUP,
    )
    back_translator: str | None = option(
        None,
        Text("MODEL"),
        "The model that translates back.",
        when=[_BACK],
        optional=True,
        default_text="the translator",
        group=_GROUP,
    )
    back_markers: ChosenMarkers = option(
        "brackets",
        Choice(("auto", *STYLES)),
        "What stands around entities on the way back.",
        when=[_BACK],
        group=_GROUP,
    )
    members: tuple[str, ...] = option(
        (),
        Many(Text("MODEL")),
        "Taggers of target words, by name or folder, whose distributions are averaged with those of translate-test: "
        "one that was trained on translations, say.",
        when=[_ENSEMBLE],
        group=_GROUP,
    )
    learn_from: Lesson = option(
        "projected",
        Choice(LESSONS),
        "What a tagger learns from, of the data for training. projected: labels projected onto target sentences. "
        "source: the labelled side itself. gold: gold labels of target sentences. teacher: what the tagger says of "
        "target sentences without labels, which is distillation.",
        when=[_TRAINS],
        group=_GROUP,
    )
    base_model: str | None = option(
        None,
        Text("MODEL"),
        "The encoder that training starts from, by name or folder.",
        when=[_TRAINS],
        optional=True,
        group=_GROUP,
    )
    random_weights: bool = option(
        False, Flag(), "Start from random weights instead of the encoder's.", when=[_TRAINS], group=_GROUP
    )
    seeds: tuple[int, ...] = option(
        (0,), Many(Whole(0)), "Of training: a tagger for each, and an output.", when=[_TRAINS], group=_GROUP
    )
