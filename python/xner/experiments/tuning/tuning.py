"""Tuning: the settings that suit a corpus best, found on a sample of it with gold labels.

`tune` searches; what it returns says what was chosen and how much that is worth on sentences it was not chosen on.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from xner import schema
from xner._support.tables import html_records
from xner._version import __version__
from xner.evaluation.entities import Scores
from xner.evaluation.significance import bootstrap, paired_bootstrap
from xner.experiments.tuning.search import Search, f1, search
from xner.experiments.tuning.space import (
    Setting,
    Space,
    filter_options,
    projection_options,
    score_options,
    score_weights,
)
from xner.experiments.tuning.trials import LinkSource, ProjectionTrials, filters_of
from xner.filters.catalogue import FILTERS
from xner.projection.fusion import SCORES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from xner.evaluation.intervals import Difference, Interval
    from xner.experiments.tuning.search import Counts

__all__ = ["Figure", "LinkSource", "OptionWorth", "Setting", "Tuning", "scores_for", "tune"]

_COLUMN_OF = {
    "ner": schema.NER_PROBABILITIES,
    "ner_spans": schema.NER_PROBABILITIES,
    "nmt": schema.NMT_SCORES,
    "hints": schema.HINTS,
    "characters": schema.SOURCE_TOKENS,
}


def scores_for(table: pa.Table) -> list[str]:
    """The scores beside `align` that a table has the columns for."""
    return [name for name in SCORES if name in _COLUMN_OF and _COLUMN_OF[name] in table.schema.names]


@dataclass(frozen=True, slots=True)
class Figure:
    """Micro F1 with its bootstrap interval."""

    f1: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class OptionWorth:
    """What one option of the chosen setting is worth.

    Attributes:
        name: of the option.
        default: its default.
        value: what was chosen.
        folds: in how many of the folds' searches the same was chosen.
        f1_at_default: on all sentences, F1 of the chosen setting with this option at its default; None where that was
            not tried.
    """

    name: str
    default: Any
    value: Any
    folds: int
    f1_at_default: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """The result of `tune`.

    Attributes:
        space: of all settings.
        search: what was tried, and chosen.
        seed: of the search and of the bootstrap.
        samples: resamples of the bootstrap.
        confidence: share of the resamples within an interval.
    """

    space: Space
    search: Search
    seed: int
    samples: int
    confidence: float

    def __repr__(self) -> str:
        return (
            f"<Tuning: f1={self.held_out.f1:.3f} held out, {self.default.f1:.3f} by default, "
            f"{len(self.search.settings)} settings on {len(self.search.folds)} sentences>"
        )

    def _repr_html_(self) -> str:
        found = f"held-out F1 {self.held_out.f1:.3f} {self.held_out.interval}, {self.default.f1:.3f} by default"
        return html_records(map(asdict, self.options), f"{found}; {self.signature}")

    @property
    def setting(self) -> Setting:
        """What was chosen on all sentences."""
        return self.search.settings[self.search.chosen]

    @property
    def default(self) -> Figure:
        """What the defaults reach."""
        return self._figure(self.search.counts[0])

    @property
    def held_out(self) -> Figure:
        """What tuning reaches on sentences that it has not seen: the figure to report."""
        return self._figure(self.search.held_out)

    @property
    def tuned_on(self) -> Figure:
        """What the chosen setting reaches on the sentences it was chosen on: too good to be true of others."""
        return self._figure(self.search.counts[self.search.chosen])

    @property
    def gain(self) -> Difference:
        """Held-out F1 minus the defaults' on the same sentences."""
        sides = _scores(self.search.held_out), _scores(self.search.counts[0])
        return paired_bootstrap(*sides, samples=self.samples, seed=self.seed, confidence=self.confidence).f1

    @property
    def options(self) -> list[OptionWorth]:
        """The options that are not at their defaults in the chosen setting, with what each is worth."""
        numbers = {tuple(setting.values()): number for number, setting in enumerate(self.search.settings)}
        by_fold = [self.search.settings[number] for number in self.search.chosen_without]
        result = []
        for name, value in self.space.changes(self.setting).items():
            default = self.space.default[name]
            without = self.space.normal({**self.setting, name: default})
            number = numbers.get(tuple(without.values()))
            result.append(
                OptionWorth(
                    name=name,
                    default=default,
                    value=value,
                    folds=sum(setting[name] == value for setting in by_fold),
                    f1_at_default=None if number is None else float(f1(self.search.counts[number].sum(axis=0))),
                )
            )
        return result

    @property
    def signature(self) -> str:
        """One line that tells how the figures were made."""
        folds = len(self.search.chosen_without)
        return (
            f"xner:{__version__}|tune:{len(self.search.settings)}|folds:{folds}|seed:{self.seed}"
            f"|sentences:{len(self.search.folds)}|bootstrap:{self.samples}|confidence:{self.confidence:g}"
        )

    def project_options(self) -> dict[str, Any]:
        """The chosen setting as options of `xner project`, by name, with the defaults among what matters in it."""
        relevant = self.space.relevant(self.setting)
        named = {*SCORES, *FILTERS}
        options = {name: value for name, value in relevant.items() if name not in named and value is not None}
        options["filters"] = filters_of(relevant)
        if options["method"] == "candidates":
            weights = score_weights(relevant)
            options["score"] = ",".join(f"{name}={weight:g}" for name, weight in weights.items())
        return options

    def to_json(self) -> str:
        """The chosen setting and all figures."""
        figures = {
            name: {"f1": figure.f1, "interval": [figure.interval.low, figure.interval.high]}
            for name, figure in (("default", self.default), ("held_out", self.held_out), ("tuned_on", self.tuned_on))
        }
        return json.dumps(
            {
                "options": self.project_options(),
                "f1": {**figures, "gain": self.gain.to_dict()},
                "signature": self.signature,
            },
            indent=2,
        )

    def _figure(self, counts: Counts) -> Figure:
        scores = _scores(counts)
        intervals = bootstrap(scores, samples=self.samples, seed=self.seed, confidence=self.confidence)
        return Figure(scores.f1, intervals.micro.f1)


def _scores(counts: Counts) -> Scores:
    """Counts of entities of whatever class, for the bootstrap."""
    found, wrong, missed = (counts[:, column : column + 1] for column in range(3))
    return Scores(classes=("all",), tp=found, fp=wrong, fn=missed, mode="lenient", ignore=())


def tune(
    table: pa.Table,
    links: LinkSource,
    *,
    scores: Sequence[str] | None = None,
    memory: bool = True,
    trials: int = 2000,
    folds: int = 5,
    ignore: Sequence[str] = (),
    fixed: Mapping[str, Any] | None = None,
    seed: int = 1,
    samples: int = 1000,
    confidence: float = 0.95,
    threads: int = 1,
    progress: Callable[[str, int, int], None] | None = None,
) -> Tuning:
    """Look for the setting of links, scores, projection and filters with the highest micro F1 on gold labels.

    Args:
        table: the columns `tokens`, `source_tokens`, `source_entities`, `gold_labels`, and those of scores.
        links: of its rows.
        scores: what may be weighed beside the word links; None for all that the table has columns for.
        memory: whether the corpus's memory is on by default.
        trials: settings to try at most.
        folds: parts of the sentences that are held out in turn.
        ignore: classes that do not count.
        fixed: options for `xner.Projector` that are not to be tuned.
        seed: of the search and of the bootstrap.
        samples: resamples of the bootstrap.
        confidence: share of the resamples within an interval.
        threads: settings tried at once; the result does not depend on it.
        progress: called with a name, how many settings were tried, and their number.

    Raises:
        Error: columns missing, fewer sentences than folds, or an argument out of range.
        DataError: a wrong row.
    """
    weighted = scores_for(table) if scores is None else list(scores)
    default = None if schema.HINTS in table.schema.names else memory
    options = [*links.options, *projection_options(memory=default), *score_options(weighted), *filter_options()]
    space = Space(options)
    project = ProjectionTrials(table, links, fixed=fixed, ignore=ignore, threads=threads)
    report = {} if progress is None else {"progress": progress}
    found = search(space, project, table.num_rows, budget=trials, folds=folds, seed=seed, **report)
    return Tuning(space, found, seed, samples, confidence)
