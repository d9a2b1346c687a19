"""Figures that papers report, in `published.toml`, and which rows of results they are comparable with."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from xner._support.pages import asset
from xner._support.toml_tables import parsed_toml
from xner.experiments.recipes.approaches.catalogue import OPTIONS
from xner.experiments.recipes.options import EvaluationOptions
from xner.experiments.recipes.recipe import Recipe, recipe_names
from xner.experiments.recipes.runs import variant_options
from xner.models.aligners import ENCODER_PRESETS
from xner.pipelines.projection_run import plain_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xner.experiments.recipes.runs import Output

__all__ = ["FROM_FILES", "MEAN", "PublishedFigure", "changes_of", "compared_with", "published_figures"]

MEAN: Final = "mean"
"""What stands for the language in means over several."""
FROM_FILES: Final = "files"
"""What stands for the aligner where links came in files: nobody has said whose they are."""

_TEST: Final = "test"
_MODELS: Final = ("tagger", "aligner_model")
# What says which models compute, where and how fast, or of which languages, but not how labels are made with them.
_NO_METHOD: Final = frozenset(
    {"aligner", "aligner_model", "aligner_memory", "aligner_device", "aligner_engine", "aligner_dtype"}
    | {"aligner_token_budget", "aligner_compile", "tagger", "tagger_device", "translator", "translations", "base_url"}
    | {"translator_timeout", "translator_engine", "translator_device", "translator_dtype", "cache", "back_translator"}
    | {"members", "base_model", "seeds", "source_language", "target_language", "names_memory", "threads", "engine"}
    | {"address", "on_error"}
)


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """A figure of a paper.

    Attributes:
        paper: that has it.
        table: where in it.
        dataset: by name, as in `xner.io.datasets`.
        language: `MEAN` for the mean over several.
        languages: how many these are; 1 for a single one.
        method: as the paper calls it.
        f1: entity-level micro F1, from 0 to 1.
        recipe: that does the same; empty where none does.
        variants: of it, that do.
        aligner: whose links it is of; empty where it needs none.
    """

    paper: str
    table: str
    dataset: str
    language: str
    languages: int
    method: str
    f1: float
    recipe: str
    variants: tuple[str, ...]
    aligner: str

    def is_of(self, row: Mapping[str, Any]) -> bool:
        """Whether a row of results is of the same data set and method; links of files may be of any aligner."""
        return bool(
            self.dataset == row["dataset"]
            and self.recipe == row["recipe"]
            and row["variant"] in self.variants
            and (not self.aligner or row["aligner"] in {self.aligner, FROM_FILES})
        )


def published_figures() -> list[PublishedFigure]:
    """All figures, in the order of their file."""
    found = []
    for source in tomllib.loads(asset("xner.experiments.reports", "published.toml")).values():
        for one in source["figures"]:
            about = {
                "paper": source["paper"],
                "table": source["table"],
                "method": one["method"],
                "recipe": one.get("recipe", ""),
                "variants": tuple(one.get("variants", ())),
                "aligner": one.get("aligner", ""),
            }
            for dataset, figures in one.get("f1", {}).items():
                for language, f1 in figures.items():
                    found.append(PublishedFigure(dataset=dataset, language=language, languages=1, f1=f1, **about))
            for dataset, f1 in one.get("mean", {}).items():
                count = source["languages"][dataset]
                found.append(PublishedFigure(dataset=dataset, language=MEAN, languages=count, f1=f1, **about))
    return found


@cache
def _shipped(name: str) -> dict[str, Any]:
    """A recipe of the package, as the file of a run has it; empty where there is none of that name."""
    return parsed_toml(name, Recipe.read(name).to_toml()) if name in recipe_names() else {}


def changes_of(output: Output) -> tuple[str, ...]:
    """In what a run's output differs from the package's recipe whose name it has, so that papers say nothing of it.

    Returns:
        Names of options, of `mode` and `ignore` of the evaluation, and `split`; empty for other recipes. Models are the
        same whose names are, wherever they are.
    """
    row = output.rows[0]
    shipped = _shipped(row["recipe"])
    if not shipped:
        return ()
    sides = output.options, variant_options(shipped, row["variant"])
    options = [name for name in OPTIONS if name not in _NO_METHOD and len({_said(name, its) for its in sides}) > 1]
    known = EvaluationOptions(**shipped.get("evaluation", {}))
    options += [name for name in _MODELS if _models(name, sides[0]) - _models(name, sides[1])]
    counted = [name for name in ("mode", "ignore") if getattr(known, name) != getattr(output.evaluation, name)]
    return (*options, *counted, *(["split"] if row["split"] not in {_TEST, None, ""} else []))


def _said(name: str, options: Mapping[str, Any]) -> str:
    """An option's value, or its default, in a form that can be compared."""
    default = OPTIONS[name].default
    return repr(options.get(name, "none" if default is None else plain_value(default)))


def _models(name: str, options: Mapping[str, Any]) -> set[str]:
    """The models that an option names, without their places; not those that an aligner has anyway."""
    given = options.get(name, [])
    values = [given] if isinstance(given, str) else given
    found = {PurePath(one.rpartition("=")[2]).name for one in values if one != "none"}
    return (
        found - {PurePath(one.encoder).name for one in ENCODER_PRESETS.values()} if name == "aligner_model" else found
    )


def compared_with(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Published figures beside the rows that are of the same data set, language and method.

    The verdict is `reproduced` where the published figure lies within the row's interval, else `above` or `below`,
    which says where the row's F1 is. The mean over languages has an interval as of figures that vary independently:
    its halves are the roots of the sums of the squares of the languages', by their number.

    Args:
        rows: of results, for all classes, with `run`, `method` and `aligner`.
    """
    scored = [row for row in rows if row["f1"] is not None]
    methods = list(dict.fromkeys((row["dataset"], row["method"]) for row in scored))
    for figure in published_figures():
        for dataset, method in methods:
            own = [row for row in scored if (row["dataset"], row["method"]) == (dataset, method) and figure.is_of(row)]
            if figure.language != MEAN:
                own = [row for row in own if row["language"] == figure.language]
            if len(own) == figure.languages:
                yield _beside(figure, own)


def _beside(figure: PublishedFigure, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    f1 = math.fsum(row["f1"] for row in rows) / len(rows)
    below, above = (
        math.sqrt(math.fsum((row[end] - row["f1"]) ** 2 for row in rows)) / len(rows) for end in ("f1_low", "f1_high")
    )
    low, high = f1 - below, f1 + above
    return {
        "dataset": figure.dataset,
        "language": figure.language,
        "method": rows[0]["method"],
        "aligner": rows[0]["aligner"],
        "f1": f1,
        "f1_low": low,
        "f1_high": high,
        "published_method": figure.method,
        "published_f1": figure.f1,
        "verdict": "above" if low > figure.f1 else "below" if high < figure.f1 else "reproduced",
        "paper": figure.paper,
        "table": figure.table,
    }
