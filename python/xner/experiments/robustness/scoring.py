"""What runs make of the versions of test data, counted: the table that everything else follows from."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from xner.evaluation.entities import ClassScores
from xner.experiments.extrinsic.methods import run_name
from xner.experiments.robustness.measures import (
    MEASURES,
    calibration_error,
    counted,
    entities_of,
    entity_confidences,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    import numpy.typing as npt

    from xner.experiments.extrinsic.methods import MadeTagger
    from xner.experiments.robustness.labelling import Labelled
    from xner.experiments.robustness.measures import Entities
    from xner.experiments.robustness.texts import Text

__all__ = ["RUNS_SCHEMA", "Scored", "ScoredRun", "scored"]

_RUNS: Final[list[tuple[str, pa.DataType]]] = [
    ("test", pa.string()),
    ("method", pa.string()),
    ("run", pa.string()),
    ("seed", pa.int64()),
    ("shift", pa.string()),
    ("severity", pa.int64()),
    ("shift_seed", pa.int64()),
    ("unit", pa.string()),
    ("share_asked", pa.float64()),
    ("share_changed", pa.float64()),
    ("precision", pa.float64()),
    ("recall", pa.float64()),
    ("f1", pa.float64()),
    ("tp", pa.int64()),
    ("fp", pa.int64()),
    ("fn", pa.int64()),
    ("unseen_f1", pa.float64()),
    ("unseen_entities", pa.int64()),
    ("agnostic_f1", pa.float64()),
    ("calibration_error", pa.float64()),
    ("collapsed", pa.bool_()),
    ("tagger", pa.string()),
    ("text", pa.string()),
    ("labels", pa.string()),
]
RUNS_SCHEMA: Final = pa.schema(_RUNS)
"""A row for each of the test data, run and text.

`share_changed` is counted after the shift, of `unit`; `unseen_f1` is of entities whose words are no name in the
training data (null where there are none, or these are not known), `unseen_entities` is their number in the gold labels;
`agnostic_f1` is of spans; `calibration_error` is that of entities, null for taggers without probabilities; `tagger` is
the run's identity; `text` and `labels` are files in the study's folder.
"""


@dataclass(frozen=True, slots=True, eq=False)
class ScoredRun:
    """A run, counted.

    Attributes:
        method: its name.
        seed: see `MadeTagger`.
        identity: likewise.
        counts: by measure, texts × documents × 3: entities found, too much, missed.
        calibration: of each text, None where the tagger tells no probabilities.
        files: of each text's labels.
    """

    method: str
    seed: int | None
    identity: str
    counts: dict[str, npt.NDArray[np.int32]]
    calibration: Sequence[float | None]
    files: Sequence[str]

    @property
    def name(self) -> str:
        """`METHOD`, or `METHOD/seed-N`."""
        return run_name(self.method, self.seed)

    def scores(self, measure: str, text: int) -> ClassScores:
        """Counts of a whole text, with precision, recall and F1."""
        return ClassScores(*self.counts[measure][text].sum(axis=0, dtype=np.int64).tolist())


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What runs make of test data.

    Attributes:
        test: the data's name.
        texts: their versions, the clean one first.
        documents: how many are drawn from.
        runs: in the order of the methods.
        knows_training: whether it is known which names were seen in training.
        collapse: a run has collapsed whose F1 on the clean text is less than this share of its method's median, or 0.
    """

    test: str
    texts: Sequence[Text]
    documents: int
    runs: Sequence[ScoredRun]
    knows_training: bool
    collapse: float

    def has_unseen(self, text: int) -> bool:
        """Whether a text has entities that are known to be unseen in training."""
        return self.knows_training and self.runs[0].scores("unseen", text).support > 0

    @property
    def methods(self) -> list[str]:
        """Their names in their order."""
        return list(dict.fromkeys(run.method for run in self.runs))

    def has_collapsed(self, run: ScoredRun) -> bool:
        """Whether a run does not count in means: what learnt nothing cannot lose it."""
        clean = [one.scores("f1", 0).f1 for one in self.runs if one.method == run.method]
        own = run.scores("f1", 0).f1
        return own == 0 or own < self.collapse * statistics.median(clean)

    def of(self, method: str) -> list[int]:
        """The numbers of a method's runs that have not collapsed."""
        return [number for number, run in enumerate(self.runs) if run.method == method and not self.has_collapsed(run)]

    def rows(self) -> Iterable[dict[str, Any]]:
        """Rows of `RUNS_SCHEMA`."""
        for run in self.runs:
            collapsed = self.has_collapsed(run)
            for place, text in enumerate(self.texts):
                all_, unseen, agnostic = (run.scores(measure, place) for measure in MEASURES)
                yield {
                    "test": self.test,
                    "method": run.method,
                    "run": run.name,
                    "seed": run.seed,
                    "shift": text.shift,
                    "severity": text.severity,
                    "shift_seed": text.seed,
                    "unit": text.unit,
                    "share_asked": text.asked,
                    "share_changed": text.changed,
                    "precision": all_.precision,
                    "recall": all_.recall,
                    "f1": all_.f1,
                    "tp": all_.tp,
                    "fp": all_.fp,
                    "fn": all_.fn,
                    "unseen_f1": unseen.f1 if self.has_unseen(place) else None,
                    "unseen_entities": unseen.support if self.knows_training else None,
                    "agnostic_f1": agnostic.f1,
                    "calibration_error": run.calibration[place],
                    "collapsed": collapsed,
                    "tagger": run.identity,
                    "text": text.file,
                    "labels": run.files[place],
                }


def scored(
    made: MadeTagger,
    texts: Sequence[Text],
    said: Sequence[Labelled],
    gold: Sequence[Entities],
    documents: npt.NDArray[np.int64],
    seen: Collection[str],
) -> ScoredRun:
    """Count what a run says of texts.

    Args:
        made: the run's tagger.
        texts: versions of test data.
        said: of each of them.
        gold: the right entities of each.
        documents: that of each row of the clean text, from 0 without gaps.
        seen: names of the training data.
    """
    count = int(documents.max()) + 1
    counts: dict[str, list[npt.NDArray[np.int32]]] = {measure: [] for measure in MEASURES}
    calibration = []
    for text, one, wanted in zip(texts, said, gold, strict=True):
        predicted = entities_of(text.tokens, one.labels, seen)
        found, right = counted(wanted, predicted, documents[text.origin], count)
        for measure, its in found.items():
            counts[measure].append(its)
        confidences = entity_confidences(predicted, one.probabilities)
        calibration.append(None if confidences is None else calibration_error(confidences, right))
    stacked = {measure: np.stack(its) for measure, its in counts.items()}
    return ScoredRun(made.method, made.seed, made.identity, stacked, calibration, [one.file for one in said])
