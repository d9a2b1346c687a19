"""Greedy against exact matching: objectives, labels, F1 and time, sentence by sentence.

The question of Shkalikov 2024: what is lost when the best pair is taken again and again instead of the best choice of
all pairs. The study solves the same problems by several matchers and compares what they say.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from statistics import mean, median
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from xner import evaluation, labels, schema
from xner._version import __version__
from xner.errors import Error, InfeasibleError, NotSolvedError
from xner.experiments.matching.problems import CandidateSpans, Problem, Size, corpus_problems, synthetic_problem
from xner.projection.matching.solving import Matching, solve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xner.projection.matching.constraints import Constraint, Matcher

__all__ = ["GrowthPoint", "MatchingStudy", "Outcome", "Setting", "study_matching"]


PROBLEMS_A_SIZE = 200
"""How many made-up problems of one size a study solves."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the matchers are compared on: a corpus, a score and a constraint."""

    corpus: str
    score: str
    constraint: Constraint
    n: int

    def __str__(self) -> str:
        return f"{self.corpus}, {self.score}, {self.constraint} {self.n}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a matcher made of one problem.

    Attributes:
        matching: its choice; None where there is none.
        status: `ok`; `infeasible` where the constraint cannot be met; `not_solved` where no choice was found in time.
        seconds: that it took, through Python, margins included.
    """

    matching: Matching | None
    status: str
    seconds: float


@dataclass(frozen=True, slots=True)
class GrowthPoint:
    """Time and bound on made-up problems of one size.

    Attributes:
        varied: what varies along the curve: `words`, `candidates` or `entities`.
        words: target words.
        entities: source entities.
        candidates: of each entity.
        matcher: which one.
        seconds: median over the problems.
        slowest: of them.
        optimal: share of the problems proven optimal.
        gap: largest gap between bound and objective, as a share of the bound; None where the matcher bounds nothing.
    """

    varied: str
    words: int
    entities: int
    candidates: int
    matcher: str
    seconds: float
    slowest: float
    optimal: float
    gap: float | None


@dataclass(slots=True)
class MatchingStudy:
    """What the study found.

    Attributes:
        matchers: that were compared, the first one being the one the others are held against.
        corpora: the tables, by name.
        problems: by setting, the problems of its rows.
        outcomes: by setting and matcher, one a problem.
        growth: the curves.
    """

    matchers: tuple[str, ...]
    corpora: Mapping[str, pa.Table]
    problems: dict[Setting, list[Problem]] = field(default_factory=dict)
    outcomes: dict[tuple[Setting, str], list[Outcome]] = field(default_factory=dict)
    growth: list[GrowthPoint] = field(default_factory=list)

    @property
    def signature(self) -> str:
        """One line that tells how the figures were made."""
        settings = "; ".join(map(str, self.problems))
        return f"xner:{__version__}|matchers:{','.join(self.matchers)}|settings:{settings}"

    def labels(self, setting: Setting, matcher: str) -> list[list[str]]:
        """The labels of all rows of a setting's corpus."""
        words = pa.compute.list_value_length(self.corpora[setting.corpus].column(schema.TOKENS)).to_pylist()
        result = [["O"] * (count or 0) for count in words]
        for problem, outcome in zip(self.problems[setting], self.outcomes[setting, matcher], strict=True):
            if outcome.matching is not None:
                spans = problem.candidates.tolist()
                chosen = [
                    (spans[candidate][0], spans[candidate][1], problem.labels[entity])
                    for entity, candidate in outcome.matching.pairs
                ]
                result[problem.row] = labels.encode(chosen, len(result[problem.row]))
        return result

    def differing(self, setting: Setting, matcher: str) -> list[int]:
        """Rows on which a matcher's labels are not those of the first matcher."""
        first, other = self.labels(setting, self.matchers[0]), self.labels(setting, matcher)
        return [row for row, (a, b) in enumerate(zip(first, other, strict=True)) if a != b]

    def best_objectives(self, setting: Setting) -> list[float]:
        """For each problem the highest objective that any matcher reached; NaN where none has a solution."""
        found = zip(*(self.outcomes[setting, matcher] for matcher in self.matchers), strict=True)
        return [
            max((o.matching.objective for o in outcomes if o.matching is not None), default=float("nan"))
            for outcomes in found
        ]

    def summary(self) -> pa.Table:
        """A row for each setting and matcher.

        Returns:
            The columns `corpus`, `score`, `constraint`, `matcher` and `problems`, their number;
            `infeasible`, `optimal`: shares of the problems;
            `gap`: mean of what the objective is below the best known one, as a share of that;
            `below`: share of the problems where it is below at all;
            `differing`: share of the problems whose labels are not the first matcher's;
            `f1`, `f1_low`, `f1_high`: with 95 % bootstrap interval, null without gold labels;
            `median_us`, `mean_us`, `slowest_us`: microseconds a problem, through Python.
        """
        rows = []
        for setting, problems in self.problems.items():
            best = self.best_objectives(setting)
            for matcher in self.matchers:
                outcomes = self.outcomes[setting, matcher]
                solved = [(o.matching, b) for o, b in zip(outcomes, best, strict=True) if o.matching is not None]
                gaps = [max(0.0, b - m.objective) / b if b > 0 else 0.0 for m, b in solved]
                micro = [outcome.seconds * 1e6 for outcome in outcomes]
                rows.append(
                    {
                        "corpus": setting.corpus,
                        "score": setting.score,
                        "constraint": f"{setting.constraint} {setting.n}",
                        "matcher": matcher,
                        "problems": len(problems),
                        "infeasible": _share(outcome.status == "infeasible" for outcome in outcomes),
                        "optimal": _share(matching.optimal for matching, _ in solved),
                        "gap": mean(gaps) if gaps else 0.0,
                        "below": _share(gap > 1e-9 for gap in gaps),
                        "differing": len(self.differing(setting, matcher)) / max(1, len(problems)),
                        **self._f1(setting, matcher),
                        "median_us": median(micro) if micro else 0.0,
                        "mean_us": mean(micro) if micro else 0.0,
                        "slowest_us": max(micro, default=0.0),
                    }
                )
        return pa.Table.from_pylist(rows, schema=_SUMMARY)

    def _f1(self, setting: Setting, matcher: str) -> dict[str, float | None]:
        table = self.corpora[setting.corpus]
        if schema.GOLD_LABELS not in table.column_names:
            return {"f1": None, "f1_low": None, "f1_high": None}
        scores = evaluation.evaluate(table.column(schema.GOLD_LABELS), self.labels(setting, matcher))
        interval = evaluation.bootstrap(scores).micro.f1
        return {"f1": scores.f1, "f1_low": interval.low, "f1_high": interval.high}

    def confidence(self, setting: Setting, matcher: str, by: str) -> list[tuple[float, float]]:
        """How precise the most confident entities are.

        Args:
            setting: one whose corpus has gold labels.
            matcher: whose entities.
            by: `margin` or `score`.

        Returns:
            For each twentieth of the entities, the most confident first: the share of entities up to there, and
            the precision among them. Nothing where there is no entity or no gold label.
        """
        table = self.corpora[setting.corpus]
        if schema.GOLD_LABELS not in table.column_names:
            return []
        gold = [set(labels.decode(row or [])) for row in table.column(schema.GOLD_LABELS).to_pylist()]
        found = []
        for problem, outcome in zip(self.problems[setting], self.outcomes[setting, matcher], strict=True):
            if outcome.matching is None:
                continue
            pairs, margins = outcome.matching.pairs, outcome.matching.margins
            values = margins if by == "margin" else [float(problem.scores[pair]) for pair in pairs]
            for (entity, candidate), value in zip(pairs, values, strict=True):
                start, end = map(int, problem.candidates[candidate])
                found.append((value, (start, end, problem.labels[entity]) in gold[problem.row]))
        found.sort(key=lambda pair: -pair[0])
        steps = sorted({round(len(found) * k / 20) for k in range(1, 21)} - {0})
        return [(step / len(found), sum(right for _, right in found[:step]) / step) for step in steps]


_SUMMARY = pa.schema(
    [
        *((name, pa.string()) for name in ("corpus", "score", "constraint", "matcher")),
        ("problems", pa.int64()),
        *((name, pa.float64()) for name in ("infeasible", "optimal", "gap", "below", "differing")),
        *((name, pa.float64()) for name in ("f1", "f1_low", "f1_high", "median_us", "mean_us", "slowest_us")),
    ]
)


def _share(flags: Any) -> float:
    values = list(flags)
    return sum(values) / len(values) if values else 0.0


def study_matching(
    corpora: Mapping[str, pa.Table],
    *,
    sizes: Sequence[Size] = (),
    scores: Sequence[str] = ("links",),
    constraints: Sequence[tuple[Constraint, int]] = (("<=", 1),),
    matchers: Sequence[Matcher] = ("exact", "greedy"),
    candidates: CandidateSpans = "ngram",
    max_words: int | None = None,
    time_limit: float | None = None,
    growth: bool = True,
    progress: Callable[[str, int, int], None] | None = None,
) -> MatchingStudy:
    """Solve the problems of corpora by several matchers.

    Args:
        corpora: tables with `tokens`, `source_entities` and what the scores need, by name; `gold_labels` where there
            are any.
        sizes: of made-up problems to study as well, `PROBLEMS_A_SIZE` of each.
        scores: as for `corpus_problems`; made-up problems have their own.
        constraints: numbers of projections, as relation and n.
        matchers: the first one is what the others are held against.
        candidates: which spans.
        max_words: longest span.
        time_limit: seconds a problem for the matchers that take one.
        growth: whether to measure how time grows on made-up problems.
        progress: called with the name of the work, what is done, and how much there is.

    Raises:
        Error: no corpus, score, constraint or matcher; a table lacks columns.
        DataError: malformed rows.
    """
    for name, given in (
        ("corpora", [*corpora, *sizes]),
        ("scores", scores),
        ("constraints", constraints),
        ("matchers", matchers),
    ):
        if not given:
            raise Error(f"{name}: at least one is needed")
    made_up = {f"made up, {size}": size for size in sizes}
    tables = {name: _made_up_table(size) for name, size in made_up.items()}
    study = MatchingStudy(tuple(matchers), {**corpora, **tables})

    def solve_all(corpus: str, score: str, problems: list[Problem]) -> None:
        for constraint, n in constraints:
            setting = Setting(corpus, score, constraint, n)
            study.problems[setting] = problems
            for matcher in matchers:
                outcomes = study.outcomes[setting, matcher] = []
                for problem in problems:
                    outcomes.append(_solve(problem, matcher, constraint, n, time_limit))
                    if progress is not None:
                        progress(f"{setting}: {matcher}", len(outcomes), len(problems))

    for corpus, table in corpora.items():
        for score in scores:
            found = corpus_problems(table, score=score, candidates=candidates, max_words=max_words)
            solve_all(corpus, score, list(found))
    for corpus, size in made_up.items():
        solve_all(corpus, "made up", [synthetic_problem(size, seed=seed) for seed in range(PROBLEMS_A_SIZE)])
    if growth:
        study.growth = _measure_growth(matchers, time_limit, progress)
    return study


def _made_up_table(size: Size) -> pa.Table:
    """Target sentences for made-up problems; their words are numbers."""
    return pa.table({schema.TOKENS: [[str(word) for word in range(1, size.words + 1)]] * PROBLEMS_A_SIZE})


def _solve(problem: Problem, matcher: Matcher, constraint: Constraint, n: int, time_limit: float | None) -> Outcome:
    start = time.perf_counter()
    matching, status = None, "ok"
    try:
        matching = solve(
            problem.scores,
            problem.candidates,
            constraint=constraint,
            n=n,
            matcher=matcher,
            time_limit=time_limit,
            # The judges search again for each margin, which would be another comparison.
            margins=matcher in {"exact", "greedy"},
        )
    except InfeasibleError:
        status = "infeasible"
    except NotSolvedError:
        status = "not_solved"
    return Outcome(matching, status, time.perf_counter() - start)


# What varies, and what stays the same: words, entities, candidates an entity.
_WORDS = (10, 20, 40, 80, 150, 300, 600)
_ENTITIES = (1, 2, 4, 8, 12, 20, 40)
_CANDIDATES = (5, 10, 20, 40, 80, 160)
_CURVES = {
    "words": [Size(words, 6, 20) for words in _WORDS],
    "entities": [Size(100, entities, 20) for entities in _ENTITIES],
    "candidates": [Size(100, 6, candidates) for candidates in _CANDIDATES],
}
_PROBLEMS_A_POINT = 5


def _measure_growth(
    matchers: Sequence[Matcher], time_limit: float | None, progress: Callable[[str, int, int], None] | None
) -> list[GrowthPoint]:
    points = []
    total = len(matchers) * sum(map(len, _CURVES.values()))
    for varied, sizes in _CURVES.items():
        for size in sizes:
            problems = [synthetic_problem(size, seed=seed) for seed in range(_PROBLEMS_A_POINT)]
            for matcher in matchers:
                outcomes = [_solve(problem, matcher, "<=", 1, time_limit) for problem in problems]
                solved = [outcome.matching for outcome in outcomes if outcome.matching is not None]
                points.append(
                    GrowthPoint(
                        varied,
                        size.words,
                        size.entities,
                        size.candidates,
                        matcher,
                        median(outcome.seconds for outcome in outcomes),
                        max(outcome.seconds for outcome in outcomes),
                        _share(matching.optimal for matching in solved),
                        max((m.gap / m.bound for m in solved if 0 < m.bound < math.inf), default=None),
                    )
                )
                if progress is not None:
                    progress("growth", len(points), total)
    return points
