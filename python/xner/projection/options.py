"""What decides how labels are projected: every option, declared once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast, get_args

import xner._core as _core
from xner import schema
from xner._support.arguments import words
from xner._support.options import Choice, DeclaredOptions, Flag, Number, When, Whole, Words, option
from xner._version import __version__
from xner.errors import Error
from xner.projection.fusion import SCORES, SUMS, Weights, parse_score, weights_of
from xner.projection.matching.constraints import MATCHERS, RELATIONS, Constraint, Matcher

__all__ = [
    "HINT_COLUMNS",
    "Candidates",
    "Compat",
    "Constraint",
    "Count",
    "Matcher",
    "Method",
    "Policy",
    "ProjectionOptions",
    "Score",
    "Ties",
    "TopKOrder",
]

Method = Literal["candidates", "heuristic"]
Candidates = Literal["aligned_ends", "aligned", "ngram", "given"]
Compat = Literal["politov2025", "shkalikov2024"]
Count = Literal["links", "words", "weighted"]
Ties = Literal["first", "evidence"]
Policy = Literal["overwrite", "skip"]
Score: TypeAlias = str | Mapping[str, float]
TopKOrder = Literal["shortest", "longest"]

HINT_COLUMNS = {"hints": schema.HINTS, "nmt": schema.NMT_SCORES}
"""By score, the column of scores from elsewhere that it adds."""

_JUDGES = ("ortools", "milp")


@dataclass(frozen=True, slots=True)
class _Sum:
    """A weighted sum of scores: a name of `SUMS`, or weights by name."""

    metavar: str = "NAME|NAME=WEIGHT,..."

    def check(self, name: str, value: Any) -> str | Weights:
        weights_of(value)
        return value if isinstance(value, str) else Weights({one: value[one] for one in SCORES if one in value})

    def parse(self, name: str, text: str) -> str | Weights:
        return self.check(name, parse_score(text))

    def to_text(self, value: str | Weights) -> str:
        return value if isinstance(value, str) else ",".join(f"{name}={weight:g}" for name, weight in value.items())


@dataclass(frozen=True, slots=True)
class _NerLabels(Words):
    """The names of a tagger's labels."""

    def check(self, name: str, value: Any) -> tuple[str, ...]:
        labels = tuple(words(name, value))
        _core.NerLabels(labels)
        return labels


def _names(literal: object) -> Choice:
    return Choice(get_args(literal))


def _of(enumeration: Any) -> Any:
    """From a name to the value of one of the core's enumerations that is called the same."""
    return lambda name: getattr(enumeration, name)


_CHOOSES = When("method='candidates'", lambda o: o.method == "candidates")
_HEURISTIC = When("method='heuristic'", lambda o: o.method == "heuristic")
_FINDS = When("candidates other than 'given'", lambda o: o.candidates != "given")
_COUNTS_LINKS = When("a score of align", lambda o: "align" in o.weights)
_TAGS = When("a score of ner or ner_spans", lambda o: o.uses_ner)
_SPELLS = When("a score of characters", lambda o: "characters" in o.weights)
_NO_JUDGE = When("matcher='exact' or 'greedy'", lambda o: o.matcher not in _JUDGES)
_SKIPS = When("policy='skip'", lambda o: o.resolved_policy == "skip")
_KEEPS_SOME = When("top_k", lambda o: o.top_k is not None)

_SPANS, _SCORES, _RANGES = "Target spans", "Scores", "Heuristic"


@dataclass(frozen=True, slots=True)
class ProjectionOptions(DeclaredOptions):
    """What decides how labels are projected; `help(xner.project)` says what each option means.

    Raises:
        Error: a value is unknown or out of range, does not go with another, or says nothing beside another.
    """

    method: Method = option(
        "candidates",
        _names(Method),
        "Choose among target spans by score, or take the linked words (heuristic).",
        core=("project", "method"),
        to_core=_of(_core.Method),
        tried=["heuristic"],
    )
    score: Score = option(
        "align",
        _Sum(),
        f"What spans are chosen by: a known sum ({', '.join(SUMS)}), or weights of {', '.join(SCORES)}, as "
        "align=1,characters=0.5.",
        more="In Python a name, or a mapping from names to weights; see `xner.fusion`. Hints, where there are any, "
        "count with the weight 1 unless another is given.",
        when=[_CHOOSES],
        group=_SCORES,
    )
    candidates: Candidates | None = option(
        None,
        _names(Candidates),
        "Target spans to choose from: every span (ngram), those between linked words (aligned), those whose first and "
        "last word are linked (aligned_ends), or a column `candidates` (given).",
        more="With score='align' the first three give the same result, aligned_ends the fastest, greedy with =, >= and "
        "> apart; with other scores the latter two leave spans out.",
        when=[_CHOOSES],
        optional=True,
        resolve=lambda o: o.resolved_candidates,
        default_text="aligned_ends for align, ngram for other scores and hints below 0",
        group=_SPANS,
    )
    matcher: Matcher = option(
        "exact",
        _names(Matcher),
        "Best total score (exact), or best pair first (greedy); ortools and milp find the best total with OR-Tools and "
        "HiGHS (extra `exact`), to judge exact by, a thousand times as slowly.",
        when=[_CHOOSES],
        core=("project", "matcher"),
        to_core=MATCHERS.__getitem__,
        tried=["greedy"],
    )
    constraint: Constraint = option(
        "<=",
        _names(Constraint),
        "Projections of an entity, against n.",
        more="Greedy takes =, >= and > as the published program does: they set the upper limit or lift it, the lower "
        "one is not guaranteed.",
        when=[_CHOOSES],
        core=("project", "relation"),
        to_core=RELATIONS.__getitem__,
    )
    n: int = option(1, Whole(0), "See constraint.", when=[_CHOOSES], flags=["-n"])
    min_words: int = option(
        1,
        Whole(1),
        "Shortest candidate, in words.",
        when=[_CHOOSES, _FINDS],
        group=_SPANS,
        core=("score", "min_words"),
    )
    max_words: int | None = option(
        None,
        Whole(1),
        "Longest candidate, in words; no limit by default.",
        when=[_CHOOSES, _FINDS],
        optional=True,
        group=_SPANS,
        core=("score", "max_words"),
        tried=[15, 10, 6],
    )
    stop_words: tuple[str, ...] = option(
        ("!", "?"),
        Words(),
        "Words that no candidate may hold.",
        when=[_CHOOSES, _FINDS],
        group=_SPANS,
        core=("project", "stop_words"),
        to_core=list,
    )
    count: Count = option(
        "links",
        _names(Count),
        "What the score align counts: twice the links between entity and span, the linked words of both (words), or "
        "the scores of links (weighted), over the words of both.",
        more="words is not doubled, and at most 1.",
        when=[_CHOOSES, _COUNTS_LINKS],
        group=_SCORES,
        core=("score", "count"),
        to_core=_of(_core.Count),
        tried=["words", "weighted"],
    )
    ner_labels: tuple[str, ...] | None = option(
        None,
        _NerLabels(),
        "The labels of ner_probabilities: O, and B-X and I-X for every class, in any order; by default the column "
        "names them.",
        more="An entity of a class that they lack has the ner score 0.",
        when=[_CHOOSES, _TAGS],
        optional=True,
        group=_SCORES,
        core=("score", "ner_labels"),
        to_core=lambda labels: list(labels or ()),
    )
    ner_alpha: float = option(
        1.15,
        Number(positive=True),
        "What a span that the tagger predicts gains with every word after its first.",
        when=[_CHOOSES, _TAGS],
        group=_SCORES,
        core=("score", "ner_alpha"),
    )
    ner_threshold: float = option(
        0.05,
        Number(),
        "Scores ner and ner_spans of at most this count as 0.",
        when=[_CHOOSES, _TAGS],
        group=_SCORES,
        core=("score", "ner_threshold"),
        tried=[0.0, 0.2, 0.5],
    )
    character_threshold: float = option(
        0.7,
        Number(),
        "Scores characters of at most this count as 0.",
        when=[_CHOOSES, _SPELLS],
        group=_SCORES,
        core=("score", "character_threshold"),
        tried=[0.5, 0.6, 0.8],
    )
    ties: Ties | None = option(
        None,
        _names(Ties),
        "What decides between equal scores: link scores, source words covered and relative position (evidence), or the "
        "first entity, then the first span (first).",
        when=[_CHOOSES, _NO_JUDGE],
        optional=True,
        resolve=lambda o: o.resolved_ties,
        default_text="evidence for exact, first for greedy and with compat",
        core=("score", "ties"),
        to_core=_of(_core.Ties),
        tried=["evidence", "first"],
    )
    length_ratio_threshold: float | None = option(
        0.8,
        Number(),
        "A range is kept when its words over the entity's words are strictly more; 0 keeps all.",
        when=[_HEURISTIC],
        optional=True,
        group=_RANGES,
        core=("project", "length_ratio_threshold"),
        tried=[0.0, 0.4, 0.6, 1.0],
    )
    merge_distance: int = option(
        1,
        Whole(0),
        "Ranges with at most so many words between them become one.",
        when=[_HEURISTIC],
        group=_RANGES,
        core=("project", "merge_distance"),
        tried=[0, 2, 3],
    )
    policy: Policy | None = option(
        None,
        _names(Policy),
        "What happens to a range on words that have a label: skip it, or overwrite the label.",
        when=[_HEURISTIC],
        optional=True,
        resolve=lambda o: o.resolved_policy,
        default_text="overwrite with compat politov2025, else skip",
        group=_RANGES,
        core=("project", "policy"),
        to_core=_of(_core.OverlapPolicy),
        tried=["skip", "overwrite"],
    )
    top_k: int | None = option(
        None,
        Whole(0),
        "Keep so many ranges an entity; all by default.",
        when=[_HEURISTIC, _SKIPS],
        optional=True,
        group=_RANGES,
        core=("project", "top_k"),
    )
    top_k_order: TopKOrder = option(
        "shortest",
        _names(TopKOrder),
        "Which ranges top_k keeps first; the reference program keeps the shortest.",
        when=[_HEURISTIC, _SKIPS, _KEEPS_SOME],
        group=_RANGES,
        core=("project", "top_k_order"),
        to_core=_of(_core.TopKOrder),
    )
    only_i: bool = option(
        False,
        Flag(),
        "Never merge a range that starts at a word linked to the entity's first word.",
        when=[_HEURISTIC, _SKIPS],
        group=_RANGES,
        core=("project", "only_i"),
    )
    compat: Compat | None = option(
        None,
        _names(Compat),
        "Follow a published program to the letter.",
        more="Entities in the given order, repeated links counted, first of equals; the heuristic of politov2025 "
        "overwrites and so can write an I- label that follows none of its class; the greedy matcher of shkalikov2024 "
        "projects an entity at most once for every <= n.",
        optional=True,
    )

    def check_together(self) -> None:
        """See `DeclaredOptions`."""
        if self.max_words is not None and self.max_words < self.min_words:
            raise Error(f"max_words={self.max_words!r}: expected a whole number from min_words={self.min_words} on")
        if not self.uses_only_alignment and self.compat == "politov2025":
            raise Error(f"{self.shown_score} with compat='politov2025': the published program knows only 'align'")

    @property
    def shown_score(self) -> str:
        """The option as messages show it."""
        return f"score={self.score!r}"

    @property
    def weights(self) -> Mapping[str, float]:
        """The weight of every score that counts, `hints` among them."""
        return weights_of(self.score)

    @property
    def uses_only_alignment(self) -> bool:
        """Whether no score but that from the links counts, hints aside."""
        return self.weights.keys() <= {"align", "hints"}

    @property
    def uses_links(self) -> bool:
        """Whether the result depends on links, beyond ties."""
        return self.method == "heuristic" or "align" in self.weights

    @property
    def uses_ner(self) -> bool:
        """Whether a tagger's probabilities count."""
        return bool(self.weights.keys() & {"ner", "ner_spans"})

    @property
    def is_judged(self) -> bool:
        """Whether a solver from elsewhere chooses instead of the core."""
        return self.method == "candidates" and self.matcher in _JUDGES

    @property
    def resolved_candidates(self) -> Candidates:
        """`candidates`, or their default: `aligned_ends` where they give the result of `ngram`, else `ngram`.

        By default, sentences with hints below 0 have `ngram` in any case.
        """
        return cast("Candidates", self._score_to_core().candidates.name)

    @property
    def resolved_ties(self) -> Ties:
        """`ties`, or its default: `evidence` for exact matching, `first` for greedy and compatible modes."""
        if self.ties is not None:
            return self.ties
        return "first" if self.matcher == "greedy" or self.compat is not None else "evidence"

    @property
    def resolved_policy(self) -> Policy:
        """`policy`, or its default: `overwrite` for `politov2025`, else `skip`."""
        if self.policy is not None:
            return self.policy
        return "overwrite" if self.compat == "politov2025" else "skip"

    @property
    def signature(self) -> str:
        """One line that tells how a result was made, for tables and papers: every option that applies."""
        return "|".join([f"xner:{__version__}", *self.signature_parts()])

    @property
    def _effective_n(self) -> int:
        """`n`, but 1 where Shkalikov's greedy program stops after an entity's first projection for any `<= n`."""
        one_only = self.compat == "shkalikov2024" and self.matcher == "greedy" and self.constraint == "<="
        return min(self.n, 1) if one_only else self.n

    def _score_to_core(self) -> _core.ScoreOptions:
        weights = self.weights
        summed: dict[str, Any] = {name: weights.get(name, 0.0) for name in ("ner", "ner_spans", "characters", "nmt")}
        return _core.ScoreOptions(
            candidates=None if self.candidates is None else getattr(_core.CandidateKind, self.candidates),
            alignment=weights.get("align", 0.0),
            links_are_a_set=self.compat is None,
            **summed,
            **self.core_arguments("score"),
        )

    def to_core(self) -> _core.ProjectOptions:
        """The options as the core takes them."""
        weights = self.weights
        return _core.ProjectOptions(
            **self.core_arguments("project"),
            n=self._effective_n,
            score=self._score_to_core(),
            hint_columns=[(column, weights[name]) for name, column in HINT_COLUMNS.items() if name in weights],
            canonical_order=self.compat is None and (self.method == "heuristic" or self.matcher != "greedy"),
        )
