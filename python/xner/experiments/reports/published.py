"""Figures that papers report, in `published.toml`, and which rows of results they are comparable with."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from xner._support.pages import asset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["FROM_FILES", "MEAN", "PublishedFigure", "compared_with", "published_figures"]

MEAN: Final = "mean"
"""What stands for the language in means over several."""
FROM_FILES: Final = "files"
"""What stands for the aligner where links came in files: nobody has said whose they are."""


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
