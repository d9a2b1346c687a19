"""The same training with several seeds: how much of a score is luck."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xner import io
from xner._support.tables import text_table
from xner.errors import OptionError
from xner.training.fine_tuning import is_main_process

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from xner.training.report import TrainingReport

__all__ = ["SUMMARY", "SeedSummary", "train_seeds"]

SUMMARY = "summary.json"
_FIGURES = ("precision", "recall", "f1")


@dataclass(frozen=True, slots=True)
class SeedSummary:
    """Scores of several runs.

    Attributes:
        seeds: of the runs.
        scores: by the name of the data, then by figure, one value a run.
    """

    seeds: list[int]
    scores: dict[str, dict[str, list[float]]]

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain values that JSON can hold: means, standard deviations, and each run's."""
        return {
            "seeds": self.seeds,
            "scores": {
                name: {
                    figure: {"mean": statistics.fmean(values), "deviation": statistics.stdev(values), "runs": values}
                    for figure, values in figures.items()
                }
                for name, figures in self.scores.items()
            },
        }

    def table(self) -> str:
        """Means and standard deviations as lines of text."""
        rows = [["", "precision", "recall", "F1"]]
        rows += [
            [name, *(f"{statistics.fmean(values):.3f} ± {statistics.stdev(values):.3f}" for values in figures.values())]
            for name, figures in self.scores.items()
        ]
        return f"{text_table(rows)}\nmean ± standard deviation of {len(self.seeds)} seeds"


def train_seeds(
    seeds: Sequence[int], output: str | os.PathLike[str], train: Callable[[int, Path], TrainingReport]
) -> SeedSummary:
    """Train with several seeds, each into a folder `seed-N` of the output, and write `summary.json` beside them.

    Runs that have ended are not repeated, and one that was interrupted goes on.

    Args:
        seeds: at least two.
        output: folder, which may be there from an interrupted call.
        train: trains with a seed into a folder.

    Raises:
        Error: fewer than two seeds, or one twice.
    """
    if len(seeds) < 2 or len(set(seeds)) < len(seeds):
        raise OptionError(f"seeds={list(seeds)}: expected at least two different ones")
    folder = Path(output)
    folder.mkdir(exist_ok=True)
    reports = [train(seed, folder / f"seed-{seed}") for seed in seeds]
    scores = {
        one["name"]: {
            figure: [report.scored[place]["scores"]["micro"][figure] for report in reports] for figure in _FIGURES
        }
        for place, one in enumerate(reports[0].scored)
    }
    summary = SeedSummary(list(seeds), scores)
    if is_main_process():
        with io.replacing(folder / SUMMARY) as file:
            file.write(json.dumps(summary.to_dict(), ensure_ascii=False, indent=2).encode())
    return summary
