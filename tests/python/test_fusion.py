"""Weighted sums of scores: arrays, single sentences and record batches, against the reference."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import candidates, matching
from reference import fusion as reference
from strategies import Evidence, Sentence, evidence_for, many, sentences
from xner import schema
from xner._support.arrow import to_array
from xner.errors import DataError, Error
from xner.projection import Projection, ProjectionOptions, Projector, project
from xner.projection.fusion import SCORES, SUMS, fuse, parse_score, weights_of
from xner.projection.scores import score_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

Weights = dict[str, float]

weights = st.dictionaries(st.sampled_from(SCORES), st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=1).filter(
    lambda found: any(found.values())
)
scored = sentences(entities=4, words=8).flatmap(lambda sentence: st.tuples(st.just(sentence), evidence_for(sentence)))


def arguments(sentence: Sentence, evidence: Evidence) -> dict[str, Any]:
    return {
        "source_tokens": evidence.source_tokens,
        "ner_probabilities": np.array(evidence.tagged.probabilities),
        "hints": evidence.hints,
        "nmt_scores": evidence.nmt_scores,
        "link_scores": sentence.scores,
    }


def run(sentence: Sentence, evidence: Evidence, **options: Any) -> Projection:
    return project(
        sentence.tokens,
        sentence.entities,
        sentence.links,
        **arguments(sentence, evidence),
        nested="compete",
        **ProjectionOptions.where_they_apply({"ner_labels": evidence.tagged.labels, **options}).changes(),
    )


# --- The scores of all pairs ---


@many(4)
@given(
    row=scored,
    weights=weights,
    kind=st.sampled_from(["ngram", "aligned", "aligned_ends", "given"]),
    min_words=st.integers(1, 2),
    max_words=st.none() | st.integers(2, 4),
    order=st.randoms(use_true_random=False),
)
def test_pairs_are_the_reference(
    row: tuple[Sentence, Evidence], weights: Weights, kind: Any, min_words: int, max_words: int | None, order: Any
) -> None:
    sentence, evidence = row
    spans = candidates.ngram(sentence.tokens, min_words=min_words, max_words=max_words)
    entities = [(start, end) for start, end, _ in sentence.entities]
    given_spans = spans + spans[:2]
    order.shuffle(given_spans)
    own: dict[str, Callable[[tuple[int, int]], list[tuple[int, int]]]] = {
        "ngram": lambda _: spans,
        "aligned": lambda entity: candidates.aligned(spans, entity, sentence.links),
        "aligned_ends": lambda entity: candidates.aligned_ends(spans, entity, sentence.links),
        "given": lambda _: given_spans,
    }
    expected = reference.pairs(
        sentence, evidence, [own[kind](entity) for entity in entities], weights, by_span=kind != "given"
    )
    options = ProjectionOptions.where_they_apply(
        {
            "score": weights,
            "candidates": kind,
            "min_words": min_words,
            "max_words": max_words,
            "ner_labels": tuple(evidence.tagged.labels),
        }
    )
    found = score_pairs(
        sentence.tokens,
        sentence.entities,
        sentence.links,
        options,
        candidates=given_spans if kind == "given" else (),
        **arguments(sentence, evidence),
    )
    found = [pair for pair in found if pair.score > 1e-6]
    expected = [pair for pair in expected if pair[3] > 1e-6]
    assert [pair[:3] for pair in found] == [pair[:3] for pair in expected]
    assert [pair.score for pair in found] == pytest.approx([pair[3] for pair in expected], abs=1e-6)


# --- What is chosen ---


@pytest.mark.needs("exact")
@many(3)
@given(row=scored, weights=weights, n=st.integers(1, 2))
def test_choice_is_the_best_by_default(row: tuple[Sentence, Evidence], weights: Weights, n: int) -> None:
    """Whatever candidates the default takes: no choice among all spans has a higher total."""
    sentence, evidence = row
    spans = candidates.ngram(sentence.tokens)
    pairs = reference.pairs(sentence, evidence, [spans] * len(sentence.entities), weights, by_span=True)
    found = run(sentence, evidence, score=weights, n=n)
    if found.status != "not_proven":
        assert found.objective == pytest.approx(matching.cp_sat(pairs, n=n), abs=1e-6)
    assert run(sentence, evidence, score=weights, n=n, candidates="ngram").objective == pytest.approx(
        found.objective, abs=1e-9
    )


def test_hints_below_zero_can_make_a_longer_span_the_best() -> None:
    """Then the spans with linked ends, the default elsewhere, are not enough."""
    arguments: dict[str, Any] = {"target_tokens": ["a", "b"], "source_entities": [(1, 2, "PER")], "links": [(1, 1)]}
    found = project(**arguments, hints=[(0, 1, 2, -1.0)])
    assert [(entity.start, entity.end) for entity in found.entities] == [(0, 2)]
    assert found.objective == pytest.approx(2 / 3)
    assert project(**arguments, hints=[(0, 1, 2, -1.0)], candidates="aligned_ends").entities == ()
    rows = {
        "tokens": [["a", "b"]] * 2,
        "source_entities": [[{"start": 1, "end": 2, "label": "PER"}]] * 2,
        "links": [[{"source": 1, "target": 1}]] * 2,
        "hints": [[{"source": 0, "start": 1, "end": 2, "score": -1.0}], None],
    }
    assert Projector()(pa.record_batch(rows))["labels"].to_pylist() == [["B-PER", "I-PER"], ["O", "B-PER"]]
    explicit = Projector(candidates="aligned_ends")(pa.record_batch(rows))
    assert explicit["labels"].to_pylist() == [["O", "O"], ["O", "B-PER"]]


@pytest.mark.parametrize("matcher", ["exact", "greedy"])
def test_hints_near_the_end_of_the_range(matcher: Any) -> None:
    large = 3e38
    row: dict[str, Any] = {
        "target_tokens": ["a", "b", "c"],
        "source_entities": [(0, 1, "PER"), (1, 2, "LOC")],
        "links": [(0, 0), (1, 0), (1, 1)],
        "matcher": matcher,
    }
    with pytest.raises(
        DataError, match=r"column 'hints', value \[0, 1\): a source entity's scores for this span add up"
    ):
        project(**row, hints=[(0, 0, 1, large)] * 2)
    found = project(**row, hints=[(0, 0, 1, large), (1, 0, 1, large), (1, 0, 1, -large), (1, 1, 2, large)])
    assert found.labels == ["B-PER", "B-LOC", "O"]
    assert found.objective == pytest.approx(2 * large)
    assert all(0 < entity.margin <= np.finfo(np.float32).max for entity in found.entities)


@pytest.mark.needs("exact")
@pytest.mark.slow
@many(1)
@given(
    rows=st.lists(scored, min_size=1, max_size=4),
    score=st.sampled_from(["align", {"align": 1, "hints": 0.5}, {"hints": 2}]),
    lower=st.sampled_from([-0.25, -1.0, -3.0]),
)
def test_batches_with_hints_below_zero(rows: list[tuple[Sentence, Evidence]], score: Any, lower: float) -> None:
    """Each row has the best choice among all spans, whatever the other rows' hints and the number of threads."""

    def lowered(evidence: Evidence) -> Evidence:
        """Every second hint lower."""
        hints = [
            (e, start, end, value + lower * (place % 2)) for place, (e, start, end, value) in enumerate(evidence.hints)
        ]
        return replace(evidence, hints=hints)

    rows = [(sentence, lowered(evidence)) for sentence, evidence in rows]
    batch = batch_of([row_of(*row) for row in rows], None, schema.NER_PROBABILITIES_TYPE)
    repeated = to_array(np.arange(3 * 4096) % len(rows))
    found = [Projector(score=score, threads=threads, nested="compete")(batch.take(repeated)) for threads in (1, 2, 5)]
    assert found[0].equals(found[1])
    assert found[0].equals(found[2])
    alone = Projector(score=score, threads=1, nested="compete")(batch)
    assert found[0].column("labels").equals(alone.take(repeated).column("labels"))
    for row, (sentence, evidence) in zip(alone.to_pylist(), rows, strict=True):
        spans = candidates.ngram(sentence.tokens)
        weights = dict(weights_of(score))
        pairs = reference.pairs(sentence, evidence, [spans] * len(sentence.entities), weights, by_span=True)
        assert sum(entity["score"] for entity in row["entities"]) == pytest.approx(matching.cp_sat(pairs), abs=1e-5)
        assert row["labels"] == run(sentence, evidence, score=score).labels


@pytest.mark.needs("exact")
@many(1)
@given(row=scored, weights=weights, constraint=st.sampled_from(["<=", "=", ">=", "<", ">"]), n=st.integers(0, 2))
def test_judges_agree_with_exact(row: tuple[Sentence, Evidence], weights: Weights, constraint: Any, n: int) -> None:
    exact, *judged = (
        run(*row, score=weights, constraint=constraint, n=n, matcher=matcher)
        for matcher in ("exact", "ortools", "milp")
    )
    for found in judged if exact.status != "not_proven" else ():
        assert found.status == exact.status
        assert found.objective == pytest.approx(exact.objective, abs=1e-5)
        assert found.objective == pytest.approx(sum(entity.score for entity in found.entities), abs=1e-6)
        assert len(found.labels) == len(row[0].tokens)
        assert sorted(found.entities, key=lambda entity: entity.start) == list(found.entities)


def row_of(sentence: Sentence, evidence: Evidence) -> dict[str, Any]:
    def hints(pairs: list[tuple[int, int, int, float]]) -> list[dict[str, float]]:
        return [dict(zip(("source", "start", "end", "score"), pair, strict=True)) for pair in pairs]

    return {
        schema.TOKENS: sentence.tokens,
        schema.SOURCE_TOKENS: evidence.source_tokens,
        schema.SOURCE_ENTITIES: [
            {"start": start, "end": end, "label": label} for start, end, label in sentence.entities
        ],
        schema.LINKS: [
            {"source": source, "target": target, "score": score}
            for (source, target), score in zip(sentence.links, sentence.scores, strict=True)
        ],
        schema.HINTS: hints(evidence.hints),
        schema.NMT_SCORES: hints(evidence.nmt_scores),
        schema.NER_PROBABILITIES: evidence.tagged.probabilities,
    }


HALVES = pa.list_(pa.list_(pa.float16()))
PROBABILITIES = [
    schema.NER_PROBABILITIES_TYPE,
    HALVES,
    pa.large_list(pa.large_list(pa.float32())),
    pa.list_(pa.list_(pa.float64())),
]


def batch_of(rows: list[dict[str, Any]], labels: list[str] | None, probabilities: pa.DataType) -> pa.RecordBatch:
    fields = [pa.field(name, schema.COLUMN_TYPES[name]) for name in rows[0] if name != schema.NER_PROBABILITIES]
    fields.append(
        schema.ner_probabilities_field(labels, probabilities)
        if labels is not None
        else pa.field(schema.NER_PROBABILITIES, probabilities)
    )
    arrays = [
        pa.array([row[field.name] for row in rows], schema.COLUMN_TYPES[field.name]).cast(field.type)
        for field in fields
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


@pytest.mark.needs("exact")
@many(1)
@given(
    rows=st.lists(scored, min_size=1, max_size=5),
    weights=weights,
    matcher=st.sampled_from(["exact", "greedy", "ortools"]),
    named_in=st.sampled_from(["option", "metadata"]),
    probabilities=st.sampled_from(PROBABILITIES),
    offset=st.integers(0, 1),
)
def test_rows_equal_sentences(
    rows: list[tuple[Sentence, Evidence]],
    weights: Weights,
    matcher: Any,
    named_in: str,
    probabilities: pa.DataType,
    offset: int,
) -> None:
    labels = rows[0][1].tagged.labels
    width = len(labels)

    def fitted(evidence: Evidence) -> Evidence:
        """One set of labels for all rows."""
        cut = [(row + [0.0] * width)[:width] for row in evidence.tagged.probabilities]
        return Evidence(type(evidence.tagged)(labels, cut), evidence.source_tokens, evidence.hints, evidence.nmt_scores)

    rows = [(sentence, fitted(evidence)) for sentence, evidence in rows]
    in_metadata = named_in == "metadata"
    batch = batch_of([row_of(*row) for row in rows], labels if in_metadata else None, probabilities).slice(offset)
    options: dict[str, Any] = {"score": weights, "matcher": matcher}
    named = ProjectionOptions.where_they_apply({**options, "ner_labels": None if in_metadata else tuple(labels)})
    found = [Projector(named, threads=threads, nested="compete")(batch) for threads in (1, 2)]
    assert found[0].equals(found[1])
    for row, (sentence, evidence) in zip(found[0].to_pylist(), rows[offset:], strict=True):
        expected = run(sentence, evidence, **options)
        assert row["labels"] == expected.labels
        assert row["status"] == expected.status
        assert [tuple(entity.values())[:3] for entity in row["entities"]] == [
            (entity.start, entity.end, entity.label) for entity in expected.entities
        ]
        assert [entity["score"] for entity in row["entities"]] == pytest.approx(
            [entity.score for entity in expected.entities]
        )


def test_dense_hints_are_those_of_given_candidates() -> None:
    spans = [(1, 2), (0, 1), (0, 2)]
    dense = np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 1.5]])
    options: dict[str, Any] = {"candidates": spans, "score": {"hints": 1}}
    entities = [(0, 1, "X"), (1, 2, "Y")]
    found = project(["a", "b"], entities, [], hints=dense, **options)
    sparse = [(0, 0, 1, 2.0), (1, 1, 2, 1.0), (1, 0, 2, 1.5)]
    assert found == project(["a", "b"], entities, [], hints=sparse, **options)
    assert found.labels == ["B-X", "B-Y"]
    assert found.objective == 3


def test_links_are_not_needed_without_their_score() -> None:
    fields: list[pa.Field[Any]] = [
        pa.field(schema.TOKENS, schema.WORDS_TYPE),
        pa.field(schema.SOURCE_ENTITIES, schema.SOURCE_ENTITIES_TYPE),
        schema.ner_probabilities_field(["O", "B-X", "I-X"]),
    ]
    batch = pa.record_batch(
        [
            pa.array([["a", "b"], ["a"]], schema.WORDS_TYPE),
            pa.array([[{"start": 0, "end": 1, "label": "X"}]] * 2, schema.SOURCE_ENTITIES_TYPE),
            pa.array([[[0.25, 0.75, 0.0], [0.25, 0.0, 0.75]], None], schema.NER_PROBABILITIES_TYPE),
        ],
        schema=pa.schema(fields),
    )
    found = Projector(score="ner")(batch)
    assert found.column("labels").to_pylist() == [["B-X", "I-X"], ["O"]]
    assert found.column("status").to_pylist() == ["ok", "no_match"]
    assert found.column("entities")[0][0]["score"].as_py() == pytest.approx(0.75 * 1.15)


def test_a_class_that_the_tagger_lacks_scores_nothing() -> None:
    options: dict[str, Any] = {"ner_labels": ["O", "B-X", "I-X"], "ner_probabilities": [[0.0, 1.0, 0.0]]}
    assert project(["a"], [(0, 1, "Y")], [], score="ner", **options).status == "no_match"
    assert project(["a"], [(0, 1, "Y")], [], score={"ner_spans": 1}, **options).labels == ["B-Y"]


# --- Options ---


def test_presets() -> None:
    assert set(SUMS) == {
        "align", "ner", "nmt", "align_ner", "align_ner_spans", "align_nmt", "ner_spans_nmt", "all_fusion",
        "align_characters"
    }  # fmt: skip
    assert weights_of("all_fusion") == {"align": 0.5, "ner_spans": 0.5, "nmt": 1.0, "hints": 1.0}
    assert weights_of({"align": 2, "ner": 0}) == {"align": 2, "hints": 1}
    assert weights_of({"align": 2, "hints": 0}) == {"align": 2}
    assert parse_score("align_ner") == "align_ner"
    assert parse_score("align=0.5, ner=1") == {"align": 0.5, "ner": 1}


@pytest.mark.parametrize(
    ("score", "candidates", "signature"),
    [
        ("align", "aligned_ends", "align"),
        ({"align": 2.0}, "aligned_ends", "align=2"),
        ({"align": 1, "hints": 2}, "aligned_ends", "align=1,hints=2"),
        ("align_ner", "ngram", "align_ner"),
        ({"characters": 0.25, "nmt": 1}, "ngram", "nmt=1,characters=0.25"),
    ],
)
def test_signature_says_what_was_scored(score: Any, candidates: str, signature: str) -> None:
    parts = ProjectionOptions(score=score).signature.split("|")
    assert f"candidates:{candidates}" in parts
    assert f"score:{signature}" in parts


def test_options_keep_their_weights() -> None:
    given_weights = {"align": 1.0}
    options = ProjectionOptions(score=given_weights)
    given_weights["ner"] = 1.0
    assert options.score == MappingProxyType({"align": 1.0})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"score": "sum"},
            (
                "score='sum': expected one of 'align', 'ner', 'nmt', 'align_ner', 'align_ner_spans', 'align_nmt', "
                "'ner_spans_nmt', 'all_fusion', 'align_characters'"
            ),
        ),
        (
            {"score": {"alignment": 1}},
            (
                "score='alignment': expected one of 'align', 'ner', 'ner_spans', 'nmt', 'characters', 'hints'; did you "
                "mean 'align'?"
            ),
        ),
        ({"score": {"align": -1}}, "score align=-1: expected a number from 0 on"),
        ({"score": {"align": 0}}, "score: expected at least one weight above 0; align has 0"),
        ({"score": {}}, "score: expected at least one weight above 0; there is none"),
        (
            {"score": "align_ner", "method": "heuristic"},
            "score='align_ner' goes with method='candidates'",
        ),
        (
            {"score": "align_ner", "compat": "politov2025"},
            "score='align_ner' with compat='politov2025': the published program knows only 'align'",
        ),
        ({"ner_alpha": 0}, "ner_alpha=0: expected a number above 0"),
        ({"ner_threshold": -1}, "ner_threshold=-1: expected a number from 0 on"),
        ({"character_threshold": "x"}, "character_threshold='x': expected a number from 0 on"),
        ({"ner_labels": ("O", "PER")}, "NER label 'PER': expected O, B-CLASS or I-CLASS, or None"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Error) as error:
        ProjectionOptions(**options)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"score": "align_ner"}, "score='align_ner' needs ner_probabilities and ner_labels"),
        (
            {"score": "align_ner", "ner_labels": ["O", "B-X", "I-X"], "ner_probabilities": [[0.0, 1.0]]},
            "expected ner_probabilities of the shape (1, 3) (words, labels), found (1, 2)",
        ),
        (
            {"score": "align_ner", "ner_labels": ["O", "B-X", "I-X"], "ner_probabilities": [[0.0, 1.0, 1.5]]},
            "column 'ner_probabilities', value 1.500000: word 0, label 2: not a probability",
        ),
        ({"score": {"characters": 1}}, "score={'characters': 1} needs source_tokens"),
        ({"source_tokens": ["a"], "source_length": 2}, "source_length=2 but there are 1 source_tokens"),
        ({"hints": [(0, 0, 1)]}, "column 'hints', value (0, 0, 1): expected (source entity, start, end, score)"),
        (
            {"hints": [(-1, 0, 1, 0.5)]},
            "column 'hints', value (-1, 0, 1, 0.5): expected whole numbers of at most 31 bits, the entity from 0 on",
        ),
        ({"hints": [(1, 0, 1, 0.5)]}, "column 'hints', value 1: no such source entity; the row has 1"),
        (
            {"hints": np.zeros((1, 2))},
            "column 'hints', value array of shape (1, 2): expected an array, entities x 0 candidates",
        ),
    ],
)
def test_bad_evidence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(Error) as error:
        project(["a"], [(0, 1, "X")], [(0, 0)], **arguments)
    assert str(error.value) == message


def tagged_batch(probabilities: Any, labels: list[str] | None = None, **columns: Any) -> pa.RecordBatch:
    row = {
        schema.TOKENS: ["a", "b"],
        schema.SOURCE_TOKENS: ["a"],
        schema.SOURCE_ENTITIES: [{"start": 0, "end": 1, "label": "X"}],
        schema.LINKS: [{"source": 0, "target": 0}],
        schema.NER_PROBABILITIES: probabilities,
        **columns,
    }
    return batch_of([row], labels, schema.NER_PROBABILITIES_TYPE)


LABELS = ["O", "B-X", "I-X"]
FINE = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("batch", "score", "message"),
    [
        (
            tagged_batch(FINE),
            "ner",
            (
                "score='ner' needs the names of the labels in the column 'ner_probabilities': give ner_labels, or name "
                "them in the field's metadata"
            ),
        ),
        (
            tagged_batch(FINE[:1], LABELS),
            "ner",
            "row 0, column 'ner_probabilities', value 1 words: the target sentence has 2",
        ),
        (
            tagged_batch([FINE[0], [0.5, 0.5]], LABELS),
            "ner",
            "row 0, column 'ner_probabilities', value 2 probabilities: word 1: there are 3 labels",
        ),
        (
            tagged_batch([FINE[0], None], LABELS),
            "ner",
            "row 0, column 'ner_probabilities', value 0 probabilities: word 1: there are 3 labels",
        ),
        (
            tagged_batch([FINE[0], [0.5, None, 0.5]], LABELS),
            "ner",
            "row 0, column 'ner_probabilities', value null: a null stands where a value is needed",
        ),
        (
            tagged_batch([FINE[0], [0.5, -0.5, 0.5]], LABELS),
            "ner",
            "row 0, column 'ner_probabilities', value -0.500000: word 1, label 1: not a probability",
        ),
        (
            tagged_batch(FINE, LABELS, nmt_scores=[{"source": 0, "start": 0, "end": 3, "score": 1.0}]),
            "nmt",
            (
                "row 0, column 'nmt_scores', value [0, 3): a score is for a non-empty span; "
                "the target sentence has 2 words"
            ),
        ),
    ],
)
def test_bad_rows(batch: pa.RecordBatch, score: str, message: str) -> None:
    with pytest.raises(Error) as error:
        Projector(score=score)(batch)
    assert str(error.value) == message


def test_missing_columns() -> None:
    batch = tagged_batch(FINE, LABELS)
    for score, column in (("nmt", schema.NMT_SCORES), ("ner", schema.NER_PROBABILITIES), ("align", schema.LINKS)):
        with pytest.raises(Error, match=f"needs the column.s. {column}"):
            Projector(score=score)(batch.drop_columns([column] if column in batch.schema.names else []))


def test_wrong_rows_can_be_skipped() -> None:
    batch = tagged_batch(FINE[:1], LABELS)
    assert Projector(score="ner", on_error="skip")(batch).column("status").to_pylist() == ["invalid"]
    with pytest.raises(DataError) as error:
        Projector(score="ner")(batch)
    assert (error.value.row, error.value.column) == (0, schema.NER_PROBABILITIES)


def test_label_names_in_metadata() -> None:
    field = schema.ner_probabilities_field(LABELS, HALVES)
    assert field.type == HALVES
    assert schema.ner_label_names(field) == tuple(LABELS)
    assert schema.ner_label_names(pa.field("x", HALVES)) is None
    with pytest.raises(Error, match="expected a JSON list of strings"):
        schema.ner_label_names(pa.field("x", HALVES, metadata={"labels": "O,B-X"}))


# --- Arrays ---


def test_fuse() -> None:
    align, ner = [[1.0, 0.0]], np.array([[0.5, 0.25]])
    assert fuse({"align": align, "ner": ner}).tolist() == [[1.5, 0.25]]
    assert fuse({"align": align, "ner": ner}, "align_ner").tolist() == [[0.75, 0.125]]
    assert fuse({"a": align, "b": ner}, {"a": 2, "b": -1}).tolist() == [[1.5, -0.25]]


@pytest.mark.parametrize(
    ("scores", "weights", "message"),
    [
        ({"align": [1]}, "align_ner", "scores ['align'] and weights ['align', 'ner'] do not have the same names"),
        ({}, None, "scores [] and weights [] do not have the same names"),
        ({"a": [1], "b": [1, 2]}, None, "scores must have one shape, found {'a': (1,), 'b': (2,)}"),
        ({"a": [1]}, {"a": float("inf")}, "weight a=inf: expected a number that is finite"),
    ],
)
def test_fuse_needs_what_goes_together(scores: Any, weights: Any, message: str) -> None:
    with pytest.raises(Error) as error:
        fuse(scores, weights)
    assert str(error.value) == message


def test_parse_score_names_what_is_wrong() -> None:
    with pytest.raises(Error) as error:
        parse_score("align=1,ner=x")
    assert str(error.value) == "score 'align=1,ner=x': expected NAME=WEIGHT,..., found 'ner=x'"


@pytest.mark.parametrize("size", [1e3, 1e6, 1e9, 1e10])
def test_evidence_between_ties_never_outweighs_a_difference(size: float) -> None:
    """Two places tie for the first entity, and evidence is for the one that the second entity needs."""
    found = project(
        ["a", "b", "c"],
        [(0, 1, "PER"), (1, 2, "LOC")],
        [(1, 0)],
        hints=[(0, 0, 1, size), (0, 2, 3, size)],
        source_length=2,
    )
    assert {(entity.start, entity.end, entity.label) for entity in found.entities} == {(2, 3, "PER"), (0, 1, "LOC")}
