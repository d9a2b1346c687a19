"""What a finished run has to say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xner._support.tables import text_table
from xner.evaluation.error_kinds import KINDS
from xner.training.workspace import METRICS

if TYPE_CHECKING:
    import os

__all__ = ["TrainingReport"]


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """The result of a training.

    Attributes:
        folder: with the model.
        metrics: the content of its `metrics.json`: model, data, settings, history, scores.
    """

    folder: Path
    metrics: dict[str, Any]

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> TrainingReport:
        """The report of a folder that training has left."""
        return cls(Path(folder), json.loads((Path(folder) / METRICS).read_text(encoding="utf-8")))

    @property
    def scored(self) -> list[dict[str, Any]]:
        """What was scored: the development data, if there are any, and the test data."""
        development = self.metrics["development"]
        return [*([] if development is None else [development]), *self.metrics["tests"]]

    def f1(self, name: str) -> float:
        """Micro-averaged F1 on the data of a name."""
        return float({one["name"]: one for one in self.scored}[name]["scores"]["micro"]["f1"])

    def table(self) -> str:
        """Scores and numbers of errors by kind, a line for each of the data."""
        rows = [["", "precision", "recall", "F1", "entities", *KINDS]]
        for one in self.scored:
            micro = one["scores"]["micro"]
            figures = [f"{micro[name]:.3f}" for name in ("precision", "recall", "f1")]
            errors = [str(one["analysis"]["errors"][kind]) for kind in KINDS]
            rows.append([one["name"], *figures, str(micro["support"]), *errors])
        return text_table(rows)
