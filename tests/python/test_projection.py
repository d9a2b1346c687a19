"""`project` on one sentence pair."""

from __future__ import annotations

import math
import random
import time
from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import candidates, heuristic, matching, scores
from strategies import Sentence, many, sentences
from xner import labels
from xner.errors import DataError, Error
from xner.projection import ProjectedEntity, Projection, ProjectionOptions, project

KINDS = ("ngram", "aligned", "aligned_ends")
Count = Literal["links", "words", "weighted"]


def run(sentence: Sentence, **options: Any) -> Projection:
    return project(
        sentence.tokens,
        sentence.entities,
        sentence.links,
        link_scores=sentence.scores,
        source_length=sentence.source_length,
        **{"nested": "compete", **options},
    )


def spelled(projection: Projection) -> list[tuple[int, int, str]]:
    """The entities that were projected, by position."""
    return sorted((entity.start, entity.end, entity.label) for entity in projection.entities)


# Candidates and matching


@pytest.mark.needs("exact")
@many(8)
@given(
    sentence=sentences(entities=4, words=6),
    count=st.sampled_from(["links", "words", "weighted"]),
    constraint=st.sampled_from(["<=", "<=", "=", ">=", "<", ">"]),
    n=st.integers(0, 3),
    max_words=st.none() | st.integers(1, 4),
)
def test_exact_is_the_optimum_over_ngrams(
    sentence: Sentence, count: Count, constraint: Any, n: int, max_words: int | None
) -> None:
    spans = candidates.ngram(sentence.tokens, max_words=max_words)
    pairs = scores.alignment(
        [(start, end) for start, end, _ in sentence.entities],
        spans,
        sentence.links,
        count=count,
        link_scores=sentence.scores,
    )
    judge = matching.cp_sat if len(pairs) > 12 else lambda *a, **options: matching.brute_force(*a, **options)[0]
    expected = judge(pairs, entities=len(sentence.entities), constraint=constraint, n=n)
    ask = {"count": count, "constraint": constraint, "n": n}
    for kind in (*KINDS, spans):
        found = run(sentence, candidates=kind, max_words=None if kind is spans else max_words, **ask)
        if found.status == "no_links":
            continue
        if expected == -math.inf:
            assert (found.status, found.entities) == ("infeasible", ())
            continue
        assert found.objective == pytest.approx(expected, abs=1e-7)
        assert found.bound == found.objective
        assert found.gap == 0


@many(4)
@given(
    sentence=sentences(),
    constraint=st.sampled_from(["<=", "=", ">=", "<", ">"]),
    n=st.integers(0, 3),
    min_words=st.integers(1, 2),
    max_words=st.none() | st.integers(2, 4),
)
def test_greedy_is_the_reference_over_ngrams(
    sentence: Sentence, constraint: Any, n: int, min_words: int, max_words: int | None
) -> None:
    """With `min_words` above 1 nothing stands in for the n-grams, so this covers them, too."""
    spans = candidates.ngram(sentence.tokens, min_words=min_words, max_words=max_words)
    entities = [(start, end) for start, end, _ in sentence.entities]
    pairs = scores.alignment(entities, spans, sentence.links)
    expected = [pairs[index] for index in matching.greedy(pairs, constraint=constraint, n=n)]
    found = run(
        sentence,
        candidates="ngram",
        matcher="greedy",
        constraint=constraint,
        n=n,
        min_words=min_words,
        max_words=max_words,
    )
    assert [(entity.source, entity.start, entity.end) for entity in found.entities] == [pair[:3] for pair in expected]
    assert [entity.score for entity in found.entities] == pytest.approx([pair[3] for pair in expected])


@many(3)
@given(
    sentence=sentences(),
    kind=st.sampled_from(["aligned", "aligned_ends"]),
    constraint=st.sampled_from(["<=", ">=", "="]),
    min_words=st.integers(1, 3),
)
def test_greedy_over_aligned_spans(sentence: Sentence, kind: str, constraint: Any, min_words: int) -> None:
    """The spans as they are defined, also where they are not equivalent to n-grams."""
    spans = candidates.ngram(sentence.tokens, min_words=min_words)
    select = candidates.aligned if kind == "aligned" else candidates.aligned_ends
    pairs = [
        (index, *pair[1:])
        for index, (start, end, _) in enumerate(sentence.entities)
        for pair in scores.alignment([(start, end)], select(spans, (start, end), sentence.links), sentence.links)
    ]
    expected = [pairs[index][:3] for index in matching.greedy(pairs, constraint=constraint)]
    found = run(sentence, candidates=kind, matcher="greedy", constraint=constraint, min_words=min_words)
    assert [(entity.source, entity.start, entity.end) for entity in found.entities] == expected


@many(3)
@given(
    sentence=sentences(),
    matcher=st.sampled_from(["exact", "greedy"]),
    max_words=st.none() | st.integers(1, 4),
    stop_words=st.lists(st.sampled_from("abc!"), max_size=2),
    n=st.integers(1, 2),
    count=st.sampled_from(["links", "words", "weighted"]),
)
def test_aligned_spans_are_as_good_as_ngrams(
    sentence: Sentence, matcher: str, max_words: int | None, stop_words: list[str], n: int, count: Count
) -> None:
    options: dict[str, Any] = {
        "matcher": matcher,
        "max_words": max_words,
        "stop_words": stop_words,
        "n": n,
        "count": count,
    }
    first, *found = (run(sentence, candidates=kind, **options) for kind in KINDS)
    assert all(other == first for other in found)
    spans = candidates.ngram(sentence.tokens, max_words=max_words, stop_words=stop_words)
    limits = {"max_words", "stop_words"}  # the spans have met them
    others = {name: value for name, value in options.items() if name not in limits}
    over_spans = run(sentence, candidates=spans, **others)
    assert over_spans.objective == pytest.approx(first.objective, abs=1e-7)
    if matcher == "greedy":
        assert over_spans.labels == first.labels


@many(3)
@given(
    sentence=sentences(),
    options=st.sampled_from(
        [{}, {"ties": "first"}, {"n": 2}, {"count": "words"}, {"method": "heuristic"}, {"min_words": 2}]
    ),
    order=st.randoms(use_true_random=False),
)
def test_order_of_the_input_does_not_matter(sentence: Sentence, options: dict[str, Any], order: random.Random) -> None:
    entities = list(enumerate(sentence.entities))
    links = list(zip(sentence.links, sentence.scores, strict=True))
    order.shuffle(entities)
    order.shuffle(links)
    shuffled = replace(
        sentence,
        entities=[entity for _, entity in entities],
        links=[link for link, _ in links],
        scores=[score for _, score in links],
    )
    before = run(sentence, **options)
    after = run(shuffled, **options)
    assert after.labels == before.labels
    assert after.objective == pytest.approx(before.objective)
    assert spelled(after) == spelled(before)
    for entity in after.entities:
        start, end, label = shuffled.entities[entity.source]
        assert (start, end, label) in sentence.entities
        assert label == entity.label


@many(3)
@given(
    sentence=sentences(),
    method=st.sampled_from(["candidates", "heuristic"]),
    matcher=st.sampled_from(["exact", "greedy"]),
    policy=st.sampled_from([None, "overwrite"]),
    compat=st.sampled_from([None, "shkalikov2024"]),
    threshold=st.sampled_from([None, 0.0, 0.8]),
)
def test_labels_are_valid_and_say_what_the_entities_say(
    sentence: Sentence, method: str, matcher: str, policy: Any, compat: Any, threshold: float | None
) -> None:
    if policy == "overwrite" and compat is not None:
        policy = None
    options = ProjectionOptions.where_they_apply(
        {
            "method": method,
            "matcher": matcher,
            "policy": policy,
            "compat": compat,
            "length_ratio_threshold": threshold,
        }
    )
    found = run(sentence, **options.changes())
    assert len(found.labels) == len(sentence.tokens)
    assert heuristic.is_iob2(found.labels)
    assert labels.decode(found.labels, reading="validate") == spelled(found)
    for entity in found.entities:
        assert sentence.entities[entity.source][2] == entity.label
        # What others overwrite of an entity can leave it words that are linked to nothing.
        assert entity.score > 0 or (policy == "overwrite" and entity.score == 0)
    assert found.objective == pytest.approx(sum(entity.score for entity in found.entities), abs=1e-5)
    if not sentence.entities:
        assert found.status == "ok"
    elif not sentence.links:
        assert found.status == "no_links"
    else:
        assert found.status == ("ok" if found.entities else "no_match")


# The heuristic


@many(4)
@given(
    sentence=sentences(),
    threshold=st.sampled_from([0.0, 0.5, 0.8, 1.0]) | st.none(),
    merge_distance=st.integers(0, 3),
)
def test_heuristic_of_politov(sentence: Sentence, threshold: float | None, merge_distance: int) -> None:
    expected = heuristic.overwrite(
        len(sentence.tokens),
        sentence.entities,
        sentence.links,
        length_ratio_threshold=threshold,
        merge_distance=merge_distance,
    )
    found = run(
        sentence,
        method="heuristic",
        compat="politov2025",
        length_ratio_threshold=threshold,
        merge_distance=merge_distance,
    )
    assert found.labels == expected


@many(4)
@given(
    sentence=sentences(),
    threshold=st.sampled_from([0.0, 0.5, 0.8, 1.0]) | st.none(),
    merge_distance=st.integers(0, 3),
    top_k=st.none() | st.integers(0, 3),
    top_k_order=st.sampled_from(["shortest", "longest"]),
    only_i=st.booleans(),
)
def test_heuristic_of_shkalikov(
    sentence: Sentence,
    threshold: float | None,
    merge_distance: int,
    top_k: int | None,
    top_k_order: Any,
    only_i: bool,
) -> None:
    options: dict[str, Any] = {
        "length_ratio_threshold": threshold,
        "merge_distance": merge_distance,
        "top_k": top_k,
        "top_k_order": top_k_order,
        "only_i": only_i,
    }
    expected = heuristic.skip(len(sentence.tokens), sentence.entities, sentence.links, **options)
    applying = ProjectionOptions.where_they_apply({"method": "heuristic", **options}).changes()
    assert run(sentence, compat="shkalikov2024", **applying).labels == expected
    # By default it is the same, but entities of one length go by position and class.
    ordered = sorted(sentence.entities)
    expected = heuristic.skip(len(sentence.tokens), ordered, sentence.links, **options)
    assert run(sentence, **applying).labels == expected


def test_compatible_heuristic_writes_invalid_labels_and_the_default_does_not() -> None:
    tokens = ["a"] * 5
    entities = [(0, 5, "A"), (2, 3, "B")]
    links = [(word, word) for word in range(5)]
    options: dict[str, Any] = {"method": "heuristic", "nested": "compete"}
    published = project(tokens, entities, links, compat="politov2025", **options)
    assert published.labels == ["B-A", "I-A", "B-B", "I-A", "I-A"]
    overwritten = project(tokens, entities, links, policy="overwrite", **options)
    assert overwritten.labels == ["B-A", "I-A", "B-B", "B-A", "I-A"]
    assert spelled(overwritten) == [(0, 2, "A"), (2, 3, "B"), (3, 5, "A")]
    assert project(tokens, entities, links, **options).labels == ["O", "O", "B-B", "O", "O"]


def test_heuristic_scores_repeated_links_once() -> None:
    links = [(0, 0), (0, 0)]
    found = project(["a"], [(0, 1, "X")], links, method="heuristic")
    assert found.entities == (ProjectedEntity(0, 1, "X", 1.0, 1.0, 0),)
    published = project(["a"], [(0, 1, "X")], links, method="heuristic", compat="politov2025")
    assert published.entities[0].score == 2


# Options one by one


def test_exact_beats_greedy() -> None:
    tokens = ["a", "b", "c"]
    entities = [(0, 1, "A"), (1, 3, "B")]
    links = [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1)]
    greedy = project(tokens, entities, links, matcher="greedy")
    exact = project(tokens, entities, links)
    assert greedy.labels == ["B-B", "I-B", "O"]
    assert exact.objective >= greedy.objective


def test_fields_of_the_result() -> None:
    found = project(["das", "Haus"], [(0, 2, "LOC")], [(0, 0), (1, 1)])
    assert found.labels == ["B-LOC", "I-LOC"]
    (entity,) = found.entities
    assert entity == ProjectedEntity(0, 2, "LOC", 1.0, entity.margin, 0)
    assert entity.margin == pytest.approx(1 / 3)
    assert (found.status, found.objective, found.bound, found.gap) == ("ok", 1.0, 1.0, 0.0)


def test_source_index_is_the_callers() -> None:
    found = project(["a", "b"], [(1, 2, "B"), (0, 1, "A")], [(0, 0), (1, 1)])
    assert [(entity.label, entity.source) for entity in found.entities] == [("A", 1), ("B", 0)]


def test_nested_entities_share_a_sentence() -> None:
    found = project(["a", "b", "c"], [(0, 3, "ORG"), (1, 2, "LOC")], [(0, 0), (1, 1), (2, 2)], nested="compete")
    assert found.objective == pytest.approx(1.5)
    assert heuristic.is_iob2(found.labels)


def test_one_span_with_two_labels() -> None:
    """Both cannot have the words; which one does not depend on the order."""
    entities = [(0, 1, "B"), (0, 1, "A")]
    found, other = (project(["a", "b"], some, [(0, 0)], nested="compete") for some in (entities, entities[::-1]))
    assert found.labels == other.labels == ["B-A", "O"]
    assert found.entities[0].margin == 0


def test_ties_go_to_the_evidence() -> None:
    links = [(0, 0), (0, 4)]
    tokens = ["a", "b", "c", "d", "e"]
    options: dict[str, Any] = {"source_length": 5}
    assert project(tokens, [(0, 1, "X")], links, **options).labels[0] == "B-X"
    assert project(tokens, [(4, 5, "X")], [(4, 0), (4, 4)], **options).labels[4] == "B-X"
    assert project(tokens, [(4, 5, "X")], [(4, 0), (4, 4)], ties="first", **options).labels[0] == "B-X"
    likely = project(tokens, [(0, 1, "X")], links, link_scores=[0.1, 0.9])
    assert likely.labels[4] == "B-X"


def test_stop_words() -> None:
    tokens = ["a", "!", "b"]
    links = [(0, 0), (0, 1), (0, 2)]
    assert project(tokens, [(0, 1, "X")], links).labels == ["B-X", "O", "O"]
    assert project(tokens, [(0, 1, "X")], links, stop_words=()).labels == ["B-X", "I-X", "I-X"]
    assert project(tokens, [(0, 1, "X")], links, stop_words=tokens).status == "no_match"
    assert project(tokens, [(0, 1, "X")], links, candidates=[(0, 3)]).labels == ["B-X", "I-X", "I-X"]


def test_an_empty_stop_word_stops_an_empty_word() -> None:
    assert project([""], [(0, 1, "X")], [(0, 0)], stop_words=("",)).status == "no_match"


def test_length_limits() -> None:
    tokens = ["a", "b", "c"]
    links = [(0, 0), (1, 1), (2, 2)]
    entity = [(0, 3, "X")]
    assert project(tokens, entity, links, max_words=1).labels.count("O") == 2
    assert project(tokens, entity, links, min_words=3, max_words=3).labels == ["B-X", "I-X", "I-X"]
    assert project(tokens, entity, links, min_words=4).status == "no_match"
    ngrams = project(tokens, [(0, 1, "X")], [(0, 1)], candidates="ngram", min_words=2)
    assert ngrams.labels == ["B-X", "I-X", "O"]
    assert project(tokens, [(0, 1, "X")], [(0, 1)], min_words=2).status == "no_match"


def test_number_of_projections() -> None:
    tokens = ["a", "b", "c"]
    links = [(0, 0), (0, 2)]
    entity = [(0, 1, "X")]
    twice = ["B-X", "O", "B-X"]
    assert project(tokens, entity, links, n=2).labels == twice
    assert project(tokens, entity, links, n=2**31 - 1).labels == twice
    assert project(tokens, entity, links, constraint="<", n=3).labels == twice
    assert project(tokens, entity, links, constraint=">", n=0, matcher="greedy").labels == twice
    assert project(tokens, entity, links, constraint="<", n=2).labels == ["B-X", "O", "O"]
    for none in ({"n": 0}, {"constraint": "<", "n": 1}, {"constraint": "=", "n": 0}):
        assert project(tokens, entity, links, **none).status == "no_match"
    assert project(tokens, entity, links, constraint="<", n=0).status == "infeasible"
    required: list[dict[str, Any]] = [{"constraint": "=", "n": 2}, {"constraint": ">="}, {"constraint": ">"}]
    for ask in required:
        found = project(tokens, entity, links, **ask)
        assert (found.labels, found.status, found.gap) == (twice, "ok", 0)
    once = project(tokens, entity, links, n=2, matcher="greedy", compat="shkalikov2024")
    assert once.labels == ["B-X", "O", "O"]


def test_required_projections() -> None:
    """Exact keeps lower bounds: an entity gives way to another one, or the row says that it cannot."""
    tokens, entities = ["a", "b"], [(0, 1, "X"), (1, 2, "Y")]
    links = [(0, 0), (0, 1), (1, 0)]
    free = project(tokens, entities, links, n=2)
    assert free.labels == ["B-X", "B-X"]
    each = project(tokens, entities, links, constraint="=")
    assert each.labels == ["B-Y", "B-X"]
    assert [entity.margin for entity in each.entities] == [math.inf, math.inf]
    neither = project(tokens, entities, links, constraint=">=", n=2)
    assert neither == Projection(["O", "O"], (), "infeasible", 0.0, 0.0)
    assert project(tokens, [*entities, (2, 3, "Z")], links, constraint="=").status == "infeasible"
    assert project(tokens, entities, links, constraint=">=", n=2, matcher="greedy").labels == ["B-X", "I-X"]


def test_given_candidates_may_overlap_and_repeat() -> None:
    spans = [(0, 2), (1, 3), (0, 2), (0, 3)]
    found = project(["a", "b", "c"], [(0, 2, "X")], [(0, 0), (1, 1)], candidates=spans)
    assert found.labels == ["B-X", "I-X", "O"]
    assert found.entities[0].margin == 0
    assert project(["a"], [(0, 1, "X")], [(0, 0)], candidates=[]).status == "no_match"


def test_counts() -> None:
    tokens = ["a", "b"]
    links = [(0, 0), (0, 1), (1, 0), (1, 1)]
    entity = [(0, 2, "X")]
    assert project(tokens, entity, links).objective == 2
    assert project(tokens, entity, links, count="words").objective == 1
    weighted = project(tokens, entity, links, count="weighted", link_scores=[0.25] * 4)
    assert weighted.objective == 0.5


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (([], [], []), "empty_target"),
        (([], [(0, 1, "X")], []), "empty_target"),
        ((["a"], [], []), "ok"),
        ((["a"], [(0, 1, "X")], []), "no_links"),
        ((["a"], [(0, 1, "X")], [(1, 0)]), "no_match"),
    ],
)
@pytest.mark.parametrize("method", ["candidates", "heuristic"])
def test_statuses(arguments: Any, status: str, method: Any) -> None:
    found = project(*arguments, method=method)
    assert (found.labels, found.entities) == (["O"] * len(arguments[0]), ())
    assert (found.status, found.objective) == (status, 0.0)


def test_empty_source() -> None:
    assert project(["a"], [], [], source_length=0).status == "empty_source"


def test_labels_with_odd_characters() -> None:
    label = "Ä-\0\n B-"
    found = project(["a", "b"], [(0, 2, label)], [(0, 0), (1, 1)])
    assert found.labels == [f"B-{label}", f"I-{label}"]
    assert labels.decode(found.labels, reading="validate") == [(0, 2, label)]


# Large inputs


def test_long_sentence() -> None:
    words = 600
    entities = [(start, start + 2, "X") for start in range(0, words, 20)]
    links = [(word, word) for word in range(words)]
    for options in (
        {},
        {"matcher": "greedy"},
        {"method": "heuristic"},
        {"candidates": "ngram", "min_words": 2},
    ):
        found = project([f"w{i}" for i in range(words)], entities, links, **options)
        assert spelled(found) == entities


@pytest.mark.parametrize("options", [{}, {"matcher": "greedy"}, {"method": "heuristic"}])
def test_every_word_linked_with_every_word(options: dict[str, Any]) -> None:
    words = 60
    entities = [(start, start + 12, "X") for start in range(0, words, 12)]
    links = [(source, target) for source in range(words) for target in range(words)]
    found = project(["w"] * words, entities, links, **options)
    assert found.labels[0] == "B-X"
    assert "O" not in found.labels
    if not options:
        assert found.objective == pytest.approx(words)
        assert found.status == "ok"


def test_one_word() -> None:
    entities = [(0, 1, "A"), (0, 1, "B"), (0, 1, "A")]
    for options in ({}, {"matcher": "greedy"}, {"method": "heuristic"}):
        found = project(["a"], entities, [(0, 0)], nested="compete", **options)  # type: ignore[arg-type]  # of several types
        assert found.labels == ["B-A"]


@pytest.mark.slow
@pytest.mark.needs("exact")
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))])
def test_twenty_five_entities_in_one_component(seed: int) -> None:
    generator = random.Random(seed)
    entities = [(3 * i, 3 * i + 3, "X") for i in range(25)]
    links = [(word, generator.randrange(200)) for word in range(75) for _ in range(3)]
    begin = time.perf_counter()
    found = project(["w"] * 200, entities, links)
    # Made for 50 ms; a busy machine and sanitizers take longer.
    assert time.perf_counter() - begin < 5
    assert found.bound >= found.objective
    assert found.status == ("ok" if found.bound == found.objective else "not_proven")
    pairs = scores.alignment(
        [(start, end) for start, end, _ in entities],
        [span for start, end, _ in entities for span in linked_ends((start, end), links)],
        links,
    )
    optimum = matching.cp_sat(list(dict.fromkeys(pairs)))
    assert found.objective <= optimum + 1e-6
    assert found.bound >= optimum - 1e-6


def linked_ends(entity: tuple[int, int], links: list[tuple[int, int]]) -> list[tuple[int, int]]:
    linked = sorted(candidates.linked_words(entity, links))
    return [(first, last + 1) for first in linked for last in linked if first <= last]


def test_scores_are_double_in_the_objective() -> None:
    found = project(["a"] * 7, [(0, 2, "X")], [(0, 0)])
    assert found.objective == 2 / 3


# Bad input


NO_LINK = "expected a pair of whole numbers, source and target word, and perhaps a score"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target_tokens": "abc"}, "tokens='abc': expected a sequence of words, not one string"),
        ({"target_tokens": ["a", None]}, "column 'tokens', value None: word 1 is not a string"),
        (
            {"source_entities": [(0, 3, "X")], "source_length": 2},
            "column 'source_entities', value [0, 3): the source sentence has 2 words",
        ),
        (
            {"source_entities": [(1, 1, "X")]},
            "column 'source_entities', value [1, 1): an entity's start is at least 0 and below its end",
        ),
        (
            {"source_entities": [(2, 1, "X")]},
            "column 'source_entities', value [2, 1): an entity's start is at least 0 and below its end",
        ),
        (
            {"source_entities": [(-1, 1, "X")]},
            "column 'source_entities', value [-1, 1): an entity's start is at least 0 and below its end",
        ),
        (
            {"source_entities": [(0, 2**31 - 1, "X")]},
            (
                "column 'source_entities', value [0, 2147483647): a source sentence of unknown length has at "
                "most "
                "1048576 words"
            ),
        ),
        (
            {"source_entities": [(0, 1, "")]},
            "column 'source_entities', value [0, 1): the entity has no label",
        ),
        (
            {"source_entities": [(0, 1)]},
            "column 'source_entities', value (0, 1): expected (start, end, label)",
        ),
        ({"source_entities": [7]}, "column 'source_entities', value 7: expected (start, end, label)"),
        (
            {"source_entities": [(0, 1, 7)]},
            "column 'source_entities', value (0, 1, 7): expected (start, end, label)",
        ),
        (
            {"source_entities": [(0.0, 1, "X")]},
            "column 'source_entities', value (0.0, 1, 'X'): expected a pair of whole numbers",
        ),
        (
            {"source_entities": [(0, 1, "\udfff")]},
            "column 'source_entities', value '\\udfff': word 0 is not valid Unicode text",
        ),
        ({"links": [(0, 2)]}, "column 'links', value 0-2: the target sentence has 2 words"),
        (
            {"links": [(2, 0)], "source_length": 2},
            "column 'links', value 2-0: the source sentence has 2 words",
        ),
        (
            {"links": [(2, 0)], "source_length": 1, "source_entities": []},
            "column 'links', value 2-0: the source sentence has 1 word",
        ),
        ({"links": [(0, -1)]}, "column 'links', value 0--1: word indices start at 0"),
        ({"links": [(-1, 0)]}, "column 'links', value -1-0: word indices start at 0"),
        (
            {"links": [(2**31 - 1, 0)]},
            ("column 'links', value 2147483647-0: a source sentence of unknown length has at most 1048576 words"),
        ),
        (
            {"links": [(2**31, 0)]},
            "column 'links', value (2147483648, 0): expected whole numbers of at most 31 bits",
        ),
        ({"links": [0]}, f"column 'links', value 0: {NO_LINK}"),
        ({"links": ["0-0"]}, f"column 'links', value '0-0': {NO_LINK}"),
        ({"links": [(0, 0, 1, 1)]}, f"column 'links', value (0, 0, 1, 1): {NO_LINK}"),
        ({"links": [(0, 0.5)]}, f"column 'links', value (0, 0.5): {NO_LINK}"),
        ({"link_scores": [1.0, 1.0]}, "2 link scores for 1 links"),
        (
            {"link_scores": ["high"]},
            "link_scores=['high']: expected one number a link ('high' is not a number)",
        ),
        (
            {"link_scores": [float("inf")]},
            "column 'links', value 0-0: the link's score is inf; scores must be finite",
        ),
        (
            {"link_scores": [0.0], "count": "weighted"},
            ("column 'links', value 0-0: the link's score is 0.000000; weighted scores take finite scores above 0"),
        ),
        (
            {"link_scores": [-0.5], "count": "weighted"},
            ("column 'links', value 0-0: the link's score is -0.500000; weighted scores take finite scores above 0"),
        ),
        ({"count": "weighted"}, "count='weighted' needs link_scores"),
        (
            {"candidates": [(0, 3)]},
            ("column 'candidates', value [0, 3): a candidate is a non-empty span; the target sentence has 2 words"),
        ),
        (
            {"candidates": [(1, 1)]},
            ("column 'candidates', value [1, 1): a candidate is a non-empty span; the target sentence has 2 words"),
        ),
        ({"candidates": [1]}, "column 'candidates', value 1: expected a pair of whole numbers"),
        (
            {"candidates": "given"},
            "candidates='given' is for record batches; pass a list of (start, end) spans here",
        ),
        (
            {"candidates": "all"},
            "candidates='all': expected one of 'aligned_ends', 'aligned', 'ngram', 'given', or None",
        ),
        ({"source_length": -1}, "source_length=-1: expected a whole number from 0 to 2147483647"),
        ({"source_length": "2"}, "source_length='2': expected a whole number from 0 to 2147483647"),
    ],
)
@pytest.mark.parametrize("method", ["candidates", "heuristic"])
def test_bad_sentences(arguments: dict[str, Any], message: str, method: Any) -> None:
    good: dict[str, Any] = {
        "target_tokens": ["a", "b"],
        "source_entities": [(0, 1, "X")],
        "links": [(0, 0)],
    }
    if method == "heuristic" and "count" in arguments:
        message = "count='weighted' goes with method='candidates'"
    elif method == "heuristic" and isinstance(arguments.get("candidates"), list):
        message = "candidates='given' goes with method='candidates'"
    with pytest.raises(Error) as error:
        project(**{**good, **arguments}, method=method)
    assert str(error.value) == message
    if message.startswith("column"):
        assert isinstance(error.value, DataError)
        assert error.value.row == -1
        assert error.value.column in message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "guess"}, "method='guess': expected one of 'candidates', 'heuristic'"),
        ({"matcher": "best"}, "matcher='best': expected one of 'exact', 'greedy', 'ortools', 'milp'"),
        ({"matcher": None}, "matcher=None: expected one of 'exact', 'greedy', 'ortools', 'milp'"),
        ({"constraint": "<>"}, "constraint='<>': expected one of '<=', '=', '>=', '<', '>'"),
        ({"ties": "last"}, "ties='last': expected one of 'first', 'evidence', or None"),
        ({"policy": "merge"}, "policy='merge': expected one of 'overwrite', 'skip', or None"),
        (
            {"compat": "2025"},
            "compat='2025': expected one of 'politov2025', 'shkalikov2024'; did you mean 'politov2025'?",
        ),
        ({"top_k_order": "any"}, "top_k_order='any': expected one of 'shortest', 'longest'"),
        ({"n": -1}, "n=-1: expected a whole number from 0 to 2147483647"),
        ({"n": 2**31}, "n=2147483648: expected a whole number from 0 to 2147483647"),
        ({"n": "1"}, "n='1': expected a whole number from 0 to 2147483647"),
        ({"n": True}, "n=True: expected a whole number from 0 to 2147483647"),
        ({"min_words": 0}, "min_words=0: expected a whole number from 1 to 2147483647"),
        ({"min_words": 3, "max_words": 2}, "max_words=2: expected a whole number from min_words=3 on"),
        ({"merge_distance": -1}, "merge_distance=-1: expected a whole number from 0 to 2147483647"),
        ({"top_k": -1}, "top_k=-1: expected a whole number from 0 to 2147483647, or None"),
        (
            {"length_ratio_threshold": float("nan")},
            "length_ratio_threshold=nan: expected a number from 0 on, or None",
        ),
        (
            {"length_ratio_threshold": "0.8"},
            "length_ratio_threshold='0.8': expected a number from 0 on, or None",
        ),
        ({"stop_words": "!?"}, "stop_words='!?': expected a sequence of words, not one string"),
        ({"stop_words": (1,)}, "column 'stop_words', value 1: word 0 is not a string"),
        ({"method": "heuristic", "policy": "overwrite", "top_k": 1}, "top_k=1 goes with policy='skip'"),
        ({"method": "heuristic", "compat": "politov2025", "only_i": True}, "only_i=True goes with policy='skip'"),
        ({"method": "heuristic", "top_k_order": "longest"}, "top_k_order='longest' goes with top_k"),
        (
            {"method": "heuristic", "matcher": "greedy", "max_words": 3},
            "matcher='greedy' goes with method='candidates'",
        ),
        ({"top_k": 1}, "top_k=1 goes with method='heuristic'"),
        ({"ner_alpha": 2.0}, "ner_alpha=2.0 goes with a score of ner or ner_spans"),
        ({"matcher": "milp", "ties": "first"}, "ties='first' goes with matcher='exact' or 'greedy'"),
        ({"only_i": "no"}, "only_i='no': expected True or False"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Error) as error:
        project(["a"], [], [], **options)
    assert str(error.value) == message
    with pytest.raises(Error) as error:
        ProjectionOptions(**options)
    assert str(error.value) == message


def test_what_equals_an_option_is_none() -> None:
    assert project(["a"], [], [], n=1).status == "ok"
    for wrong in (True, 1.0):  # both equal 1, and have its hash
        with pytest.raises(Error, match="expected a whole number"):
            project(["a"], [], [], n=wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_signature_names_what_decides() -> None:
    assert ProjectionOptions().signature.endswith(
        "|method:candidates|score:align|candidates:aligned_ends|matcher:exact|constraint:<=|n:1|min_words:1|"
        "max_words:none|stop_words:! ?|count:links|ties:evidence|compat:none"
    )
    signature = ProjectionOptions(method="heuristic", top_k=2, only_i=True).signature
    assert signature.endswith(
        "|method:heuristic|length_ratio_threshold:0.8|merge_distance:1|policy:skip|top_k:2|top_k_order:shortest|"
        "only_i:yes|compat:none"
    )
