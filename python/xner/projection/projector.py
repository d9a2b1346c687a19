"""Annotation projection: source entities and word links in, labelled target words out.

`project` does one sentence pair on plain lists; `Projector` does record batches of millions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import xner._core as _core
from xner import schema
from xner._support.arguments import choose, number_from_zero, positive_number, scored_spans, whole_number, words
from xner._support.arrow import with_columns
from xner._support.sentences import map_words
from xner._support.stages import merge_status, run_stage
from xner._version import __version__
from xner.alignment.aligner import normalize
from xner.errors import Error
from xner.projection._sentence_pair import HINT_COLUMNS, ScoredSpans, as_entities, columns_of, sentence_pair
from xner.projection.fusion import weights_of
from xner.projection.matching.constraints import MATCHERS, RELATIONS, Constraint, Matcher

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "Candidates",
    "Compat",
    "Constraint",
    "Count",
    "Matcher",
    "Method",
    "Policy",
    "ProjectedEntity",
    "Projection",
    "ProjectionOptions",
    "Projector",
    "Score",
    "Ties",
    "project",
]

Method = Literal["candidates", "heuristic"]
Candidates = Literal["aligned_ends", "aligned", "ngram", "given"]
Compat = Literal["politov2025", "shkalikov2024"]
Count = Literal["links", "words", "weighted"]
Ties = Literal["first", "evidence"]
Policy = Literal["overwrite", "skip"]
Score: TypeAlias = str | Mapping[str, float]
TopKOrder = Literal["shortest", "longest"]

_METHODS = {"candidates": _core.Method.candidates, "heuristic": _core.Method.heuristic}
_CANDIDATES = {
    "aligned_ends": _core.CandidateKind.aligned_ends,
    "aligned": _core.CandidateKind.aligned,
    "ngram": _core.CandidateKind.ngram,
    "given": _core.CandidateKind.given,
}
_JUDGES = ("ortools", "milp")
_COUNTS = {"links": _core.Count.links, "words": _core.Count.words, "weighted": _core.Count.weighted}
_TIES = {"first": _core.Ties.first, "evidence": _core.Ties.evidence}
_POLICIES = {"overwrite": _core.OverlapPolicy.overwrite, "skip": _core.OverlapPolicy.skip}
_TOP_K_ORDERS = {"shortest": _core.TopKOrder.shortest, "longest": _core.TopKOrder.longest}
_COMPATS = {"politov2025": "overwrite", "shkalikov2024": "skip"}


@dataclass(frozen=True, slots=True)
class ProjectionOptions:
    """What decides how labels are projected; see `project` for the meaning of each.

    Raises:
        Error: a value is unknown, out of range, or does not go with another.
    """

    method: Method = "candidates"
    score: Score = "align"
    candidates: Candidates | None = None
    matcher: Matcher = "exact"
    constraint: Constraint = "<="
    n: int = 1
    min_words: int = 1
    max_words: int | None = None
    stop_words: tuple[str, ...] = ("!", "?")
    count: Count = "links"
    ner_labels: tuple[str, ...] | None = None
    ner_alpha: float = 1.15
    ner_threshold: float = 0.05
    character_threshold: float = 0.7
    ties: Ties | None = None
    length_ratio_threshold: float | None = 0.8
    merge_distance: int = 1
    policy: Policy | None = None
    top_k: int | None = None
    top_k_order: TopKOrder = "shortest"
    only_i: bool = False
    compat: Compat | None = None

    def __post_init__(self) -> None:
        choices: list[tuple[str, object, Mapping[str, object]]] = [
            ("method", self.method, _METHODS),
            ("matcher", self.matcher, MATCHERS),
            ("constraint", self.constraint, RELATIONS),
            ("count", self.count, _COUNTS),
            ("top_k_order", self.top_k_order, _TOP_K_ORDERS),
        ]
        optional: list[tuple[str, object, Mapping[str, object]]] = [
            ("candidates", self.candidates, _CANDIDATES),
            ("ties", self.ties, _TIES),
            ("policy", self.policy, _POLICIES),
            ("compat", self.compat, _COMPATS),
        ]
        for option, value, table in choices + [choice for choice in optional if choice[1] is not None]:
            choose(option, value, table)
        for option, number, least in (
            ("n", self.n, 0),
            ("min_words", self.min_words, 1),
            ("max_words", self.max_words, self.min_words),
            ("merge_distance", self.merge_distance, 0),
            ("top_k", self.top_k, 0),
        ):
            if number is not None:
                whole_number(option, number, least)
        threshold = self.length_ratio_threshold
        if threshold is not None and not (isinstance(threshold, int | float) and threshold >= 0):
            raise Error(f"length_ratio_threshold={threshold!r}: expected a number from 0 on, or None for no threshold")
        words("stop_words", self.stop_words)
        self._check_score()
        if self.resolved_policy == "overwrite" and (self.top_k is not None or self.only_i):
            raise Error("top_k and only_i go with policy='skip', not with policy='overwrite'")

    def _check_score(self) -> None:
        weights_of(self.score)
        if not isinstance(self.score, str):
            object.__setattr__(self, "score", MappingProxyType(dict(self.score)))
        positive_number("ner_alpha", self.ner_alpha)
        number_from_zero("ner_threshold", self.ner_threshold)
        number_from_zero("character_threshold", self.character_threshold)
        if self.ner_labels is not None:
            _core.NerLabels(words("ner_labels", self.ner_labels))
        if not self.uses_only_alignment and self.method == "heuristic":
            raise Error(f"{self.shown_score} goes with method='candidates'; the heuristic goes by links alone")
        if not self.uses_only_alignment and self.compat == "politov2025":
            raise Error(f"{self.shown_score} with compat='politov2025': the published program knows only 'align'")

    @property
    def shown_score(self) -> str:
        """The option as messages show it."""
        return f"score={(self.score if isinstance(self.score, str) else dict(self.score))!r}"

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
    def is_judged(self) -> bool:
        """Whether a solver from elsewhere chooses instead of the core."""
        return self.method == "candidates" and self.matcher in _JUDGES

    @property
    def resolved_candidates(self) -> Candidates:
        """`candidates`, or their default: `aligned_ends` where they give the result of `ngram`, else `ngram`."""
        if self.candidates is not None:
            return self.candidates
        return "aligned_ends" if self.uses_only_alignment else "ngram"

    def for_hints(self, lowest: float) -> ProjectionOptions:
        """The options to use with hints of which the lowest is this.

        A hint below 0 can make a span worse than a longer one, so that the default candidates would leave out the best.
        """
        by_default = self.method == "candidates" and self.candidates is None
        return replace(self, candidates="ngram") if by_default and lowest < 0 else self

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
        """One line that tells how a result was made, for tables and papers."""
        parts = [f"xner:{__version__}", f"method:{self.method}"]
        if self.method == "heuristic":
            parts += [
                f"ratio:{self.length_ratio_threshold}",
                f"merge:{self.merge_distance}",
                f"policy:{self.resolved_policy}",
            ]
            if self.top_k is not None:
                parts.append(f"top_k:{self.top_k},{self.top_k_order}")
            if self.only_i:
                parts.append("only_i:yes")
        else:
            lengths = f"{self.min_words}-{self.max_words or 'all'}"
            parts += [
                f"candidates:{self.resolved_candidates}",
                f"words:{lengths}",
                f"score:{self._score_signature}",
                f"matcher:{self.matcher}",
                f"constraint:{self.constraint}{self.n}",
                f"ties:{'any' if self.matcher in _JUDGES else self.resolved_ties}",
            ]
        parts.append(f"compat:{self.compat or 'none'}")
        return "|".join(parts)

    @property
    def _score_signature(self) -> str:
        """The sum of scores, and what each depends on: `0.5*align-links+0.5*ner-1.15>0.05`."""
        details = {
            "align": f"align-{self.count}",
            "ner": f"ner-{self.ner_alpha:g}>{self.ner_threshold:g}",
            "ner_spans": f"ner_spans-{self.ner_alpha:g}>{self.ner_threshold:g}",
            "characters": f"characters>{self.character_threshold:g}",
        }
        # Hints of the weight 1 are added wherever there are any, with every sum.
        named = {name: weight for name, weight in self.weights.items() if (name, weight) != ("hints", 1)}
        return "+".join(
            ("" if weight == 1 else f"{weight:g}*") + details.get(name, name) for name, weight in named.items()
        )

    @property
    def _effective_n(self) -> int:
        """`n`, but 1 where Shkalikov's greedy program stops after an entity's first projection for any `<= n`."""
        one_only = self.compat == "shkalikov2024" and self.matcher == "greedy" and self.constraint == "<="
        return min(self.n, 1) if one_only else self.n

    def _score_to_core(self) -> _core.ScoreOptions:
        weights = self.weights
        return _core.ScoreOptions(
            candidates=_CANDIDATES[self.resolved_candidates],
            min_words=self.min_words,
            max_words=self.max_words,
            alignment=weights.get("align", 0.0),
            ner=weights.get("ner", 0.0),
            ner_spans=weights.get("ner_spans", 0.0),
            characters=weights.get("characters", 0.0),
            count=_COUNTS[self.count],
            links_are_a_set=self.compat is None,
            ner_labels=list(self.ner_labels or ()),
            ner_alpha=self.ner_alpha,
            ner_threshold=self.ner_threshold,
            character_threshold=self.character_threshold,
            ties=_TIES[self.resolved_ties],
        )

    def to_core(self) -> _core.ProjectOptions:
        """The options as the core takes them."""
        weights = self.weights
        return _core.ProjectOptions(
            method=_METHODS[self.method],
            matcher=MATCHERS[self.matcher],
            relation=RELATIONS[self.constraint],
            n=self._effective_n,
            score=self._score_to_core(),
            hint_columns=[(column, weights[name]) for name, column in HINT_COLUMNS.items() if name in weights],
            stop_words=list(self.stop_words),
            length_ratio_threshold=self.length_ratio_threshold,
            merge_distance=self.merge_distance,
            policy=_POLICIES[self.resolved_policy],
            top_k=self.top_k,
            top_k_order=_TOP_K_ORDERS[self.top_k_order],
            only_i=self.only_i,
            canonical_order=self.compat is None and (self.method == "heuristic" or self.matcher != "greedy"),
        )


@dataclass(frozen=True, slots=True)
class ProjectedEntity:
    """An entity on the target side.

    Attributes:
        start: its first word.
        end: one past its last word.
        label: its class, without a prefix.
        score: of the source entity and this span.
        margin: objective lost when this pair is forbidden and everything else chosen anew. Small: another span was
            nearly as good. Infinite where the constraint cannot be met then. For the heuristic, which chooses nothing,
            the score itself.
        source: index of the source entity it came from, in the caller's order.
    """

    start: int
    end: int
    label: str
    score: float
    margin: float
    source: int


@dataclass(frozen=True, slots=True)
class Projection:
    """What projecting one sentence pair gave.

    Attributes:
        labels: IOB2, one a target word.
        entities: exact: by position; greedy: in the order of choice; heuristic: by position.
        status: `ok`, or why there is no result: `empty_target`, `empty_source`, `no_links`, `no_match`, `infeasible`
            (no choice meets the constraint), `not_solved` (none was found within the search limit, none ruled out);
            `not_proven` for a result that exact matching could not prove optimal within its search limit.
        objective: sum of the entities' scores.
        bound: no choice has a higher objective; equal to `objective` when that is proven, infinite where nothing is
            known, as mostly for greedy and always for the heuristic.
    """

    labels: list[str]
    entities: tuple[ProjectedEntity, ...]
    status: str
    objective: float
    bound: float

    @property
    def gap(self) -> float:
        """How much the objective may be below the optimum; 0 when it is proven."""
        return self.bound - self.objective


def project(
    target_tokens: Sequence[str],
    source_entities: Iterable[tuple[int, int, str]],
    links: Iterable[tuple[int, int]],
    *,
    method: Method = "candidates",
    score: Score = "align",
    candidates: Candidates | Iterable[tuple[int, int]] | None = None,
    matcher: Matcher = "exact",
    constraint: Constraint = "<=",
    n: int = 1,
    min_words: int = 1,
    max_words: int | None = None,
    stop_words: Sequence[str] = ("!", "?"),
    count: Count = "links",
    ner_labels: Sequence[str] | None = None,
    ner_alpha: float = 1.15,
    ner_threshold: float = 0.05,
    character_threshold: float = 0.7,
    ties: Ties | None = None,
    length_ratio_threshold: float | None = 0.8,
    merge_distance: int = 1,
    policy: Policy | None = None,
    top_k: int | None = None,
    top_k_order: TopKOrder = "shortest",
    only_i: bool = False,
    compat: Compat | None = None,
    link_scores: Sequence[float] | None = None,
    source_length: int | None = None,
    source_tokens: Sequence[str] | None = None,
    ner_probabilities: npt.ArrayLike | None = None,
    hints: ScoredSpans = (),
    nmt_scores: ScoredSpans = (),
) -> Projection:
    """Project the entities of a source sentence onto the words of its translation.

    Args:
        target_tokens: the target words.
        source_entities: `(start, end, label)` over source words, half-open, in any order.
        links: `(source, target)` word indices from 0.
        method: `candidates` chooses among target spans by score; `heuristic` takes the ranges of words that an
            entity's words are linked to.
        score: what entities and spans are scored by: a name of `xner.fusion.PRESETS` (`align`, `ner`, `nmt`,
            `align_ner`, `align_ner_spans`, `align_nmt`, `ner_spans_nmt`, `all_fusion`), or weights by names of
            `xner.fusion.SCORES`: `{"align": 1, "characters": 0.5}`.
        candidates: which spans: `ngram` every span; `aligned` those between an entity's leftmost and rightmost linked
            word; `aligned_ends` those whose first and last word are linked to it; or a list of `(start, end)`. With
            `score="align"` the first three give the same result, `aligned_ends` fastest, greedy with `=`, `>=` and `>`
            apart; with other scores the second and third leave spans out. None: `aligned_ends` for `align`, `ngram`
            for other scores and for hints below 0.
        matcher: `exact` finds the choice with the highest total score; `greedy` takes the best pair again and again;
            `ortools` and `milp` find the highest total score with OR-Tools CP-SAT and HiGHS (extra `exact`), to judge
            `exact` by: much slower, and any choice of several equally good ones.
        constraint: number of projections of every entity against `n`. `greedy` takes `=`, `>=` and `>` as the published
            program does: they set the upper limit or lift it, the lower one is not guaranteed.
        n: see `constraint`.
        min_words: shortest candidate, in words.
        max_words: longest candidate, in words; None for no limit.
        stop_words: words that no candidate may hold; given spans are not held to it.
        count: `align` is twice the number of links between entity and span (`links`), or of linked words
            of both (`words`, not doubled, at most 1), or the sum of link scores (`weighted`), over the words of both.
        ner_labels: `ner` and `ner_spans`: names of the labels in `ner_probabilities`: `O`, and `B-X` and `I-X` for
            every class, in any order. An entity of a class that they lack has the `ner` score 0.
        ner_alpha: see `xner.scores.ner`.
        ner_threshold: `ner` and `ner_spans` of at most this count as 0.
        character_threshold: `characters` of at most this count as 0.
        ties: what decides between equal scores: `evidence` (link scores, source words covered, relative
            position) or `first` (the first entity, then the first span). None: `evidence` for exact matching, `first`
            for greedy and with `compat`.
        length_ratio_threshold: heuristic: a range is kept when its words over the entity's words are strictly more.
            None keeps all.
        merge_distance: heuristic: ranges with at most so many words between them become one.
        policy: heuristic: what happens to a range on words that have a label: `skip` it, or `overwrite` the label.
        top_k: heuristic with `skip`: keep so many ranges an entity.
        top_k_order: which ones: `shortest` first, as the reference program does, or `longest` first.
        only_i: heuristic with `skip`: do not merge a range that starts at a word linked to the entity's first word.
        compat: `politov2025` or `shkalikov2024` follow the published programs to the letter: entities in the given
            order, repeated links counted, first of equals; the heuristic of `politov2025` overwrites and so can write
            an `I-` label that follows none of its class; the greedy matcher of `shkalikov2024` projects an entity at
            most once for every `<= n`.
        link_scores: one score a link, such as its probability; used by `ties="evidence"` and `count="weighted"`.
        source_length: number of source words; with it spans and links are checked against the source sentence, and
            position counts as evidence.
        source_tokens: the source words, for `characters`; they also tell `source_length`.
        ner_probabilities: for `ner` and `ner_spans`: a tagger's class probabilities, target words x labels; for
            instance from `xner.scores.word_probabilities`.
        hints: scores from anywhere, added with the weight of `hints` (1 unless `score` names another):
            `(source entity, start, end, score)`, whose spans become candidates of their entities, or with a list of
            candidates an array, entities x candidates.
        nmt_scores: for `nmt`, likewise.

    Returns:
        The target labels and the entities with score, margin and source entity.

    Raises:
        DataError: a span, link or candidate outside its sentence, an entity without a label; names column and value.
        Error: unknown or contradictory options, or something that the score needs and is missing.

    Source: Politov et al. 2025 (arXiv 2501.18750), section 3; García-Ferrero et al. 2022 for the heuristic; Shkalikov
        2024 for `policy="skip"` and the sums of scores. Exact matching replaces Shkalikov's Gurobi model.
    """
    given: Iterable[tuple[int, int]] = ()
    kind: Candidates | None
    if candidates is None or isinstance(candidates, str):
        if candidates == "given":
            raise Error("candidates='given' is for record batches; pass a list of (start, end) spans here")
        kind = candidates
    else:
        given = candidates
        kind = "given"
    options = ProjectionOptions(
        method=method,
        score=score,
        candidates=kind,
        matcher=matcher,
        constraint=constraint,
        n=n,
        min_words=min_words,
        max_words=max_words,
        stop_words=tuple(words("stop_words", stop_words)),
        count=count,
        ner_labels=None if ner_labels is None else tuple(words("ner_labels", ner_labels)),
        ner_alpha=ner_alpha,
        ner_threshold=ner_threshold,
        character_threshold=character_threshold,
        ties=ties,
        length_ratio_threshold=length_ratio_threshold,
        merge_distance=merge_distance,
        policy=policy,
        top_k=top_k,
        top_k_order=top_k_order,
        only_i=only_i,
        compat=compat,
    )
    entities = as_entities(source_entities)
    if kind is None:
        hints = scored_spans("hints", hints, [])
        options = options.for_hints(min((score for *_, score in hints), default=0.0))
    pair = sentence_pair(
        target_tokens,
        entities,
        links,
        options,
        candidates=given,
        link_scores=link_scores,
        source_length=source_length,
        source_tokens=source_tokens,
        ner_probabilities=ner_probabilities,
        hints=hints,
        nmt_scores=nmt_scores,
    )
    core = options.to_core()
    found = _core.project_sentence(pair, core)
    if options.is_judged:
        from xner.projection._judged import Chosen, choose_anew

        classes = [label for *_, label in entities]
        found = choose_anew(Chosen(*found), pair, classes, options, core)
    labels, projected, status, objective, bound = found
    return Projection(labels, tuple(ProjectedEntity(*entity) for entity in projected), status, objective, bound)


# Words recur from batch to batch.
_normalize = lru_cache(maxsize=1 << 16)(normalize)


class Projector:
    """Projects record batches: `tokens`, `source_entities` and `links` in, `entities`, `labels` and `status` out.

    Args:
        options: how to project; keyword arguments override single fields, so that
            `Projector(method="heuristic")` works alone.
        threads: threads to use, 0 for one a core; the output does not depend on it.
        on_error: `raise` stops at the first wrong row; `skip` gives wrong rows the status `invalid` and no
            entities.
    """

    def __init__(
        self,
        options: ProjectionOptions | None = None,
        *,
        threads: int = 0,
        on_error: Literal["raise", "skip"] = "raise",
        **overrides: object,
    ) -> None:
        try:
            self.options = replace(options or ProjectionOptions(), **overrides)  # type: ignore[arg-type]  # checked by replace
        except TypeError as error:
            raise Error(f"unknown option: {error}") from error
        self.threads = whole_number("threads", threads, 0)
        self.skip_invalid = choose("on_error", on_error, {"raise": False, "skip": True})
        self._needed, self._optional = columns_of(self.options)
        self._core_options = self.options.to_core()
        self._uses_ner = bool(self.options.weights.keys() & {"ner", "ner_spans"})
        self._uses_characters = "characters" in self.options.weights

    @property
    def signature(self) -> str:
        """One line that tells how the results were made."""
        return self.options.signature

    def __call__(self, batch: pa.RecordBatch | pa.Table) -> pa.RecordBatch | pa.Table:
        """Add the columns `entities`, `labels` and `status`; every row stays where it is.

        Args:
            batch: a record batch or table with the columns of `xner.schema`: `tokens`, `source_entities`, `links`
                (unless neither method nor score needs them), for given candidates `candidates`, and, if there,
                `source_tokens` (to check spans and links against), `hints` (scores to be added, see `xner.memory`) and
                `id` (to name rows in errors). The scores `ner` and `ner_spans` need `ner_probabilities`, whose labels
                the option `ner_labels` or the field's metadata name (`xner.schema.ner_probabilities_field`);
                `nmt` needs `nmt_scores`; `characters` needs `source_tokens`. What a row of these columns
                does not have counts as 0. A `status` other than `ok` that the batch brings along is kept where
                projecting went well.

        Returns:
            The same kind of object, with the three columns added or replaced.

        Raises:
            DataError: a wrong row, with `on_error="raise"`.
            Error: columns missing or of another type.
        """
        return run_stage(self._project, batch)

    def _project(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        schema.require_columns(batch.schema, self._needed, "projection")
        names = batch.schema.names
        columns = schema.conform(batch, self._needed + [name for name in self._optional if name in names])
        if self._uses_characters:
            for name, words_ in ((schema.SOURCE_TOKENS, "folded_source_tokens"), (schema.TOKENS, "folded_tokens")):
                columns = columns.append_column(words_, map_words(columns.column(name), _normalize))
        options = self.options
        if self._uses_ner and options.ner_labels is None:
            options = replace(options, ner_labels=self._labels_of(batch.schema.field(schema.NER_PROBABILITIES)))
        result = self._with_hints_below_zero(columns, options, self._run(columns, options))
        if schema.STATUS in batch.schema.names:
            before = batch.column(schema.STATUS)
            merged = merge_status(before, result.column(schema.STATUS), _is_outdated(before))
            result = with_columns(result, {schema.STATUS: merged.dictionary_encode().cast(schema.STATUS_TYPE)})
        batch = batch.drop_columns([name for name in (schema.DROPPED, schema.ADJUSTED) if name in names])
        return with_columns(
            batch, {name: result.column(name) for name in (schema.ENTITIES, schema.LABELS, schema.STATUS)}
        )

    def _run(self, columns: pa.RecordBatch, options: ProjectionOptions) -> pa.RecordBatch:
        core = self._core_options if options is self.options else options.to_core()
        result = pa.record_batch(
            _core.project_batch(columns, core, threads=self.threads, skip_invalid=self.skip_invalid)
        )
        if options.is_judged:
            from xner.projection._judged import choose_batch_anew

            result = choose_batch_anew(columns, result, options, core)
        return result

    def _with_hints_below_zero(
        self, columns: pa.RecordBatch, options: ProjectionOptions, result: pa.RecordBatch
    ) -> pa.RecordBatch:
        """The result with the rows projected anew that have hints for which the default candidates do not do."""
        if schema.HINTS not in columns.schema.names or options.for_hints(-1) is options:
            return result
        hints = columns.column(schema.HINTS)
        below = pc.less(pc.struct_field(pc.list_flatten(hints), "score"), 0)
        rows = pc.unique(pc.list_parent_indices(hints).filter(below))
        if not len(rows):
            return result
        anew = self._run(columns.take(rows), options.for_hints(-1))
        places = np.arange(len(columns))
        places[rows.to_numpy()] = len(columns) + np.arange(len(rows))
        both = pa.Table.from_batches([result]).cast(anew.schema), pa.Table.from_batches([anew])
        table = pa.concat_tables(both).unify_dictionaries().combine_chunks().take(pa.array(places))
        return table.combine_chunks().to_batches()[0]

    def _labels_of(self, probabilities: pa.Field) -> tuple[str, ...]:
        """The names of the labels in the column of probabilities."""
        labels = schema.ner_label_names(probabilities)
        if labels is None:
            raise Error(
                f"{self.options.shown_score} needs the names of the labels in the column "
                f"'{schema.NER_PROBABILITIES}': give ner_labels, or name them in the field's metadata"
            )
        return labels


def _is_outdated(status: pa.Array) -> pa.Array:
    """Whether a status is what an earlier projection, or filters after it, said of the row."""
    known = pa.array([*_core.STATUS_NAMES, schema.FILTERED])
    return pc.or_(pc.is_in(status.cast(pa.string()), value_set=known), schema.is_row_dropped(status))
