"""What is skipped changes no choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import LABELS, Sentence, many, sentences
from xner import project
from xner.projection import ProjectionOptions, candidates
from xner.projection._pair_search import PairSearch, Pruning, pruning_for
from xner.projection.scores import score_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Costly = dict[tuple[int, int, int], float]

NER_LABELS = ("O", *(f"{prefix}-{label}" for label in LABELS for prefix in "BI"))
SCORES = ["nmt", "align_nmt", "ner_spans_nmt", "all_fusion", {"align": 1, "characters": 0.5, "nmt": 0.3}]


def search_for(
    sentence: Sentence, options: ProjectionOptions, pruning: Pruning, *, cap: float = 1.0, **evidence: Any
) -> PairSearch:
    def sums(scores: Sequence[tuple[int, int, int, float]]) -> Any:
        return score_pairs(sentence.tokens, sentence.entities, sentence.links, options, nmt_scores=scores, **evidence)

    spans = np.array(candidates.ngram(sentence.tokens), np.int32).reshape(-1, 2)
    lengths = [end - start for start, end, _ in sentence.entities]
    gain = options.weights["nmt"] * cap
    return PairSearch(sums, [spans] * len(lengths), lengths, len(sentence.tokens), gain=gain, pruning=pruning)


def run(search: PairSearch, costly: Callable[[tuple[int, int, int]], float], step: int = 1) -> list[Any]:
    while asked := search.most_promising(step):
        search.add([(*pair, costly(pair)) for pair in asked])
        step *= 2
    assert search.open == 0
    assert search.skipped + len(search.scored) == search.pairs
    return search.scored


@st.composite
def cases(draw: st.DrawFn) -> tuple[Sentence, Costly, dict[str, Any], float]:
    """A sentence pair, a costly score for every pair of entity and n-gram, and what other scores need."""
    sentence = draw(sentences(entities=4, words=8))
    cap = draw(st.sampled_from([0.5, 1.0, 1.5]))
    # None so small that adding it to a sum changes nothing: the matcher takes such sums for equal.
    kinds = [
        st.floats(0.125, cap, width=32),
        st.sampled_from([0.0, cap / 2, cap]),
        st.just(0.0) | st.floats(0.125, cap),
    ]
    value = draw(st.sampled_from(kinds))
    spans = candidates.ngram(sentence.tokens)
    costly = {(e, *span): draw(value) for e in range(len(sentence.entities)) for span in spans}
    seed = draw(st.integers(0, 2**32 - 1))
    hint = st.tuples(
        st.integers(0, max(0, len(sentence.entities) - 1)),
        st.integers(0, len(sentence.tokens) - 1),
        st.sampled_from([-1.0, -0.25, 0.25, 0.5, 1.0]),
    )
    found = draw(st.lists(hint, max_size=4)) if sentence.entities else []
    evidence = {
        "ner_probabilities": np.random.default_rng(seed).dirichlet([0.1] * 9, len(sentence.tokens)),
        "source_tokens": ["b"] * sentence.source_length,
        "link_scores": sentence.scores,
        "hints": [(entity, start, start + 1, score) for entity, start, score in found],
    }
    return sentence, costly, evidence, cap


@many(5)
@given(case=cases(), score=st.sampled_from(SCORES), step=st.integers(1, 5))
@pytest.mark.parametrize("matcher", ["exact", "greedy"])
def test_projection_is_that_with_all_scores(matcher: Any, case: Any, score: Any, step: int) -> None:
    sentence, costly, evidence, cap = case
    options = ProjectionOptions.where_they_apply({"score": score, "matcher": matcher, "ner_labels": NER_LABELS})
    search = search_for(sentence, options, pruning_for(options), cap=cap, **evidence)
    scored = run(search, costly.__getitem__, step)
    some, every = (
        project(
            sentence.tokens,
            sentence.entities,
            sentence.links,
            nmt_scores=scores,
            nested="compete",
            **options.changes(),
            **evidence,
        )
        for scores in (scored, [(*pair, value) for pair, value in costly.items()])
    )
    assert some.status == every.status
    assert some.objective == pytest.approx(every.objective)
    if matcher == "exact" and any(entity.margin < 1e-9 for entity in every.entities):
        return  # another choice is as good
    assert some.labels == every.labels
    chosen = [[(e.start, e.end, e.label, e.score, e.source) for e in one.entities] for one in (some, every)]
    assert chosen[0] == chosen[1]
    for ours, exact in zip(some.entities, every.entities, strict=True):
        assert matcher == "greedy" or ours.margin >= exact.margin - 1e-6


@given(case=cases())
def test_without_pruning_all_pairs_are_scored(case: Any) -> None:
    sentence, costly, evidence, cap = case
    search = search_for(sentence, ProjectionOptions(score="align_nmt"), "none", cap=cap, **evidence)
    scored = run(search, costly.__getitem__)
    assert sorted(scored) == sorted((*pair, value) for pair, value in costly.items())
    assert search.skipped == 0


ONE_TO_ONE = Sentence(["w"] * 6, 3, [(0, 2, "PER")], [(0, 2), (1, 3)], [1.0, 1.0])


def test_the_most_promising_pairs_come_first() -> None:
    search = search_for(ONE_TO_ONE, ProjectionOptions(score="align_nmt"), "none")
    assert search.pairs == 21
    assert search.most_promising(3) == [(0, 2, 4), (0, 1, 4), (0, 2, 5)]
    # Of those without links, the ones of two words as the entity has.
    assert search.most_promising(21)[15:17] == [(0, 0, 2), (0, 4, 6)]


def test_one_good_score_rules_out_the_others() -> None:
    """One entity: what cannot reach the best sum is skipped wherever it stands."""
    search = search_for(ONE_TO_ONE, ProjectionOptions(score="align_nmt"), "choice")
    search.add([(0, 2, 4, 1.0)])  # 0.5 * 1 + 1, which no other span reaches
    assert search.open == 0
    assert search.skipped == 20


def test_only_spans_around_it_are_skipped_inside() -> None:
    search = search_for(ONE_TO_ONE, ProjectionOptions(score="align_nmt"), "inside")
    search.add([(0, 2, 4, 1.0)])
    around = [(start, end) for start in range(3) for end in range(4, 7) if (start, end) != (2, 4)]
    assert search.skipped == len(around)
    assert not {(0, *span) for span in around} & set(search.most_promising(21))


def test_nothing_is_skipped_on_equal_terms() -> None:
    """A span that could still be as good as the best stays."""
    search = search_for(ONE_TO_ONE, ProjectionOptions(score="nmt"), "choice")
    search.add([(0, 2, 4, 1.0)])
    assert search.skipped == 0


def test_another_entity_may_want_the_span() -> None:
    """The best span of one entity rules out no other one while the other entity might take it."""
    both = Sentence(["w"] * 2, 2, [(0, 1, "PER"), (1, 2, "LOC")], [], [])
    search = search_for(both, ProjectionOptions(score="nmt"), "choice")
    search.add([(0, 0, 1, 0.9), (1, 0, 1, 0.8), (1, 1, 2, 0.2)])
    assert (0, 1, 2) in search.most_promising(9)
    assert search.skipped == 0


@pytest.mark.parametrize(
    ("options", "pruning"),
    [
        ({}, "choice"),
        ({"matcher": "ortools"}, "choice"),
        ({"matcher": "greedy"}, "inside"),
        ({"n": 2}, "none"),
        ({"constraint": "="}, "none"),
        ({"constraint": ">=", "matcher": "greedy"}, "none"),
    ],
)
def test_what_may_be_skipped(options: dict[str, Any], pruning: str) -> None:
    assert pruning_for(ProjectionOptions(score="align_nmt", **options)) == pruning
