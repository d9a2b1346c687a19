"""Projection of one sentence pair on plain lists."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import xner._core as _core
from xner._support.arguments import choose
from xner._support.calls import explained
from xner._support.options import check_names, documented
from xner._support.pages import element, marked
from xner._support.records import entity_tuples, link_tuples, scored_spans, span_tuples
from xner._support.tables import html_table
from xner.errors import Error
from xner.labels.tags import check_classes
from xner.projection._sentence_pair import sentence_pair
from xner.projection.nested import NESTED, check_overlaps, layers_for, merged_status
from xner.projection.options import ProjectionOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Unpack

    import numpy.typing as npt

    from xner._support.records import EntitiesLike, LinksLike, ScoredSpansLike, SpansLike
    from xner.projection._keywords import SentenceKeywords
    from xner.projection.nested import Nested
    from xner.projection.options import Candidates

__all__ = ["ProjectedEntity", "Projection", "project"]


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
        tokens: the target words, as they were given.
    """

    labels: list[str]
    entities: tuple[ProjectedEntity, ...]
    status: str
    objective: float
    bound: float
    tokens: Sequence[str] = field(default=(), repr=False, compare=False)

    def _repr_html_(self) -> str:
        tokens = list(map(str, self.tokens))
        rows = [["entity", "class", "score", "margin", "source entity"]]
        for one in sorted(self.entities, key=lambda entity: entity.start):
            words = " ".join(tokens[one.start : one.end])
            rows.append([words, one.label, f"{one.score:.3g}", f"{one.margin:.3g}", str(one.source)])
        bound = f", no choice above {self.bound:.6g}" if self.gap > 0 and math.isfinite(self.bound) else ""
        caption = f"{self.status}; objective {self.objective:.6g}{bound}"
        sentence = marked(tokens, [(one.start, one.end, one.label) for one in self.entities])
        return element("p", sentence) + html_table(rows, caption)

    @property
    def gap(self) -> float:
        """How much the objective may be below the optimum; 0 when it is proven."""
        return self.bound - self.objective


@lru_cache(maxsize=256)
def _known_options(given: tuple[tuple[str, type, Any], ...]) -> tuple[ProjectionOptions, _core.ProjectOptions]:
    """Options and what they are in the core; callers mostly give the same ones again and again.

    Types are among what is given, as True is no whole number and yet equal to 1.
    """
    options = ProjectionOptions(**{name: value for name, _, value in given})
    return options, options.to_core()


def _options_of(given: dict[str, Any]) -> tuple[ProjectionOptions, _core.ProjectOptions]:
    check_names(given, ProjectionOptions)
    try:
        return _known_options(tuple((name, type(value), value) for name, value in given.items()))
    except TypeError:  # a value that has no hash, such as a list of stop words
        options = ProjectionOptions(**given)
        return options, options.to_core()


@explained(
    tables="`xner.Pipeline().run(table)` links its sentences and projects them, `xner.Projector()(table)` those that "
    "have links",
    lacking={
        "links": "which words mean the same, as [(0, 0), (2, 1)], source and target; `xner.Aligner.fit` learns them of "
        "sentences, as `xner.Pipeline().run(table)` does by itself",
    },
)
@documented(ProjectionOptions, without=["candidates"])
def project(
    target_tokens: Sequence[str],
    source_entities: EntitiesLike,
    links: LinksLike,
    *,
    candidates: Candidates | SpansLike | None = None,
    link_scores: Iterable[float] | None = None,
    source_length: int | None = None,
    source_tokens: Sequence[str] | None = None,
    ner_probabilities: npt.ArrayLike | None = None,
    hints: ScoredSpansLike = (),
    nmt_scores: ScoredSpansLike = (),
    nested: Nested = "error",
    **options: Unpack[SentenceKeywords],
) -> Projection:
    """Project the entities of a source sentence onto the words of its translation.

    Args:
        target_tokens: the target words.
        source_entities: `(start, end, label)` over source words, half-open, in any order: tuples, dictionaries, objects
            or Arrow rows with these values, as all that follow.
        links: `(source, target)` word indices from 0, or with a score each, such as a row that an aligner gives.
        candidates: a name, see below, or a list of `(start, end)` to choose from.
        link_scores: one score a link, such as its probability; used by `ties="evidence"` and `count="weighted"`.
        source_length: number of source words; with it spans and links are checked against the source sentence, and
            position counts as evidence.
        source_tokens: the source words, for `characters`; they also tell `source_length`. Without either, the sentence
            is taken to be as long as its entities and links say.
        ner_probabilities: for `ner` and `ner_spans`: a tagger's class probabilities, target words x labels; for
            instance from `xner.scores.word_probabilities`.
        hints: scores from anywhere, added with the weight of `hints` (1 unless `score` names another):
            `(source entity, start, end, score)`, whose spans become candidates of their entities, or with a list of
            candidates an array, entities x candidates.
        nmt_scores: for `nmt`, likewise.
        nested: what to do with source entities that share words: `error`; `keep`, each is projected by itself, where
            `labels` has the longer ones, `objective` the sum; `outermost` or `innermost`, the others are left out;
            `compete`, all at once compete for the target words, as in published programs.
        **options: those of `ProjectionOptions`.

    Returns:
        The target labels and the entities with score, margin and source entity.

    Raises:
        DataError: a span, link or candidate outside its sentence, an entity without a label, or with the label of a
            word, entities that share words with `nested="error"`; names column and value.
        Error: unknown or contradictory options, or something that the score needs and is missing.

    Source: Politov et al. 2025 (arXiv 2501.18750), section 3; García-Ferrero et al. 2022 for the heuristic; Shkalikov
        2024 for `policy="skip"` and the sums of scores. Exact matching replaces Shkalikov's Gurobi model.
    """
    given: SpansLike = ()
    kind: str | None = "given"
    if candidates is None or isinstance(candidates, str):
        kind = candidates
    else:
        given = candidates
    if candidates == "given":
        raise Error("candidates='given' is for record batches; pass a list of (start, end) spans here")
    chosen, core = _options_of({"candidates": kind, **options})
    entities = entity_tuples("source_entities", source_entities)
    check_classes(entities, "source_entities")
    choose("nested", nested, {one: one for one in NESTED})
    if nested == "error":
        check_overlaps(entities)
    pair = _Pair(
        target_tokens,
        entities,
        links,
        given,
        link_scores,
        source_length,
        source_tokens,
        ner_probabilities,
        hints,
        nmt_scores,
    )
    layers = layers_for([(start, end) for start, end, _ in entities], nested)
    return _projected_by_layers(pair, layers, chosen, core) if any(layers) else _projected(pair, chosen, core)


@dataclass(frozen=True, slots=True)
class _Pair:
    """A sentence pair as callers give it; see `project`."""

    target_tokens: Sequence[str]
    entities: list[tuple[int, int, str]]
    links: LinksLike
    candidates: SpansLike
    link_scores: Iterable[float] | None
    source_length: int | None
    source_tokens: Sequence[str] | None
    ner_probabilities: npt.ArrayLike | None
    hints: ScoredSpansLike
    nmt_scores: ScoredSpansLike


def _projected_by_layers(
    pair: _Pair, layers: list[int], options: ProjectionOptions, core: _core.ProjectOptions
) -> Projection:
    """Project the entities of each layer by themselves."""
    spans = span_tuples("candidates", pair.candidates)
    pair = replace(
        pair,
        candidates=spans,
        links=link_tuples("links", pair.links),
        link_scores=None if pair.link_scores is None else list(pair.link_scores),
        hints=scored_spans("hints", pair.hints, spans),
        nmt_scores=scored_spans("nmt_scores", pair.nmt_scores, spans),
    )
    found = []
    for layer in range(max(layers) + 1):
        places = [place for place, one in enumerate(layers) if one == layer]
        its = replace(
            pair,
            entities=[pair.entities[place] for place in places],
            hints=_of_layer(pair.hints, layers, layer),
            nmt_scores=_of_layer(pair.nmt_scores, layers, layer),
        )
        one = _projected(its, options, core)
        found.append(
            replace(one, entities=tuple(replace(entity, source=places[entity.source]) for entity in one.entities))
        )
    merged = tuple(entity for one in found for entity in one.entities)
    return replace(
        found[0],
        entities=merged,
        status=merged_status([one.status for one in found], has_entities=bool(merged)),
        objective=sum(one.objective for one in found),
        bound=sum(one.bound for one in found),
    )


def _of_layer(scores: ScoredSpansLike, layers: list[int], layer: int) -> list[tuple[int, int, int, float]]:
    """Scores of a layer's entities, which have other numbers there; what names no entity stays, for an error."""
    numbers = {place: number for number, place in enumerate(one for one, its in enumerate(layers) if its == layer)}
    return [
        (numbers.get(entity, entity), start, end, score)
        for entity, start, end, score in scores
        if entity in numbers or entity >= len(layers)
    ]


def _projected(pair: _Pair, options: ProjectionOptions, core: _core.ProjectOptions) -> Projection:
    """Project all entities of a sentence pair at once."""
    made = sentence_pair(
        pair.target_tokens,
        pair.entities,
        pair.links,
        options,
        candidates=pair.candidates,
        link_scores=pair.link_scores,
        source_length=pair.source_length,
        source_tokens=pair.source_tokens,
        ner_probabilities=pair.ner_probabilities,
        hints=pair.hints,
        nmt_scores=pair.nmt_scores,
    )
    found = _core.project_sentence(made, core)
    if options.is_judged:
        from xner.projection._judged import Chosen, choose_anew

        classes = [label for *_, label in pair.entities]
        found = choose_anew(Chosen(*found), made, classes, options, core)
    labels, entities, status, objective, bound = found
    return Projection(
        labels, tuple(ProjectedEntity(*entity) for entity in entities), status, objective, bound, pair.target_tokens
    )
