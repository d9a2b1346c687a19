"""Scores and candidates in every form that `solve` takes, and what it says of those it does not take."""

from __future__ import annotations

import extras

extras.need("exact")

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from forms import scored_forms, spans_forms
from strategies import many, spans
from xner.errors import Error
from xner.projection.matching import match, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

CANDIDATES = [(0, 2), (2, 3), (1, 3)]
SCORES = np.array([[1.0, 0.5, 0.25], [0.75, -1.0, 0.0]])


@st.composite
def matrices(draw: st.DrawFn) -> tuple[NDArray[np.float64], list[tuple[int, int]]]:
    """Scores that float32 holds as well, and candidates."""
    candidates = draw(st.lists(spans(9), max_size=8))
    entities = draw(st.integers(0, 5))
    score = st.sampled_from([-1.0, 0.0, 0.0, 0.25, 0.5, 0.75, 1.0])
    row = st.lists(score, min_size=len(candidates), max_size=len(candidates))
    rows = draw(st.lists(row, min_size=entities, max_size=entities))
    return np.array(rows, float).reshape(entities, len(candidates)), candidates


@many(2)
@given(problem=matrices(), matcher=st.sampled_from(["exact", "greedy"]))
def test_all_forms_give_the_same(problem: tuple[NDArray[np.float64], list[tuple[int, int]]], matcher: Any) -> None:
    scores, candidates = problem
    array = np.array(candidates, np.int64).reshape(-1, 2)
    expected = solve(scores, candidates, matcher=matcher)
    for form in (
        scores.astype(np.float32),
        scores.astype(np.float16),
        scores.astype(np.longdouble),
        scores.tolist(),
        tuple(map(tuple, scores)),
        list(scores),
        pa.array(scores.tolist(), pa.list_(pa.float32())),
        pa.chunked_array([pa.array([row], pa.list_(pa.float64(), len(candidates))) for row in scores.tolist()])
        if len(scores)
        else [],
        np.asfortranarray(scores),
        np.repeat(scores, 2, axis=1)[:, ::2],
        sparse.csr_matrix(scores),
        sparse.csr_array(scores.astype(np.float32)),
        sparse.csc_array(scores),
        sparse.coo_array(scores),
        unsorted(scores),
    ):
        assert solve(form, candidates, matcher=matcher) == expected
    for spans_form in (*spans_forms(candidates), np.asfortranarray(array)):
        assert solve(scores, spans_form, matcher=matcher) == expected
    pairs = [(e, *span, scores[e, c]) for e in range(len(scores)) for c, span in enumerate(candidates)]
    found = match(pairs, entities=len(scores), matcher=matcher)
    for pairs_form in scored_forms(pairs):
        assert match(pairs_form, entities=len(scores), matcher=matcher) == found
    assert tuple((entity, at % max(1, len(candidates))) for entity, at in found.pairs) == expected.pairs
    assert (found.objective, found.bound, found.margins) == (expected.objective, expected.bound, expected.margins)


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int64, np.uint64])
def test_whole_scores(kind: Any) -> None:
    whole = np.array([[4, 2, 1], [3, 0, 0]], kind)
    expected = solve(whole.astype(float), CANDIDATES)
    for form in (whole, whole.tolist(), pa.array(whole.tolist()), sparse.csr_array(whole), sparse.lil_array(whole)):
        assert solve(form, CANDIDATES) == expected


def unsorted(scores: NDArray[np.float64]) -> sparse.csr_array[np.float64]:
    """The matrix in CSR with each row's entries backwards, zeros stored."""
    rows, columns = scores.shape
    indices = np.tile(np.arange(columns)[::-1], rows)
    begin = np.arange(rows + 1) * columns
    return sparse.csr_array((scores[:, ::-1].ravel(), indices, begin), shape=scores.shape)


def test_forced_pairs_may_have_any_score() -> None:
    for form in (SCORES, sparse.csr_array(SCORES)):
        result = solve(form, CANDIDATES, forced=[(1, 2)])
        assert result.pairs == ((1, 2),)
        assert result.objective == 0
        assert solve(form, CANDIDATES, forced=[(1, 1)]).pairs == ((0, 0), (1, 1))
        assert solve(form, CANDIDATES, forced=[(1, 1)]).objective == 0
    assert solve(SCORES, CANDIDATES, forbidden=[(1, 2), (0, 0)]).pairs == ((0, 1), (1, 0))


TWICE = sparse.csr_array((np.ones(2), np.array([1, 1]), np.array([0, 2])), shape=(1, 3))
FORM = (
    "scores: expected an array, rows of numbers or a SciPy matrix of shape (entities, 3), a column for each candidate; "
    "found "
)
LOSSY = "scores: expected numbers that float64 holds, found "
SPAN = "expected a non-empty span, number {} is not one"
BROKEN = sparse.csr_array((np.ones(2), np.array([0, 1]), np.array([0, 2])), shape=(1, 3))
BROKEN.indices = np.array([0, 3], np.int32)


@pytest.mark.parametrize(
    ("scores", "candidates", "options", "message"),
    [
        ([[2**53 + 1, 0, 0]], CANDIDATES, {}, LOSSY + "int64 of shape (1, 3)"),
        ([["1", "0", "0"]], CANDIDATES, {}, LOSSY + "<U1 of shape (1, 3)"),
        ([[None, 0.5, 0]], CANDIDATES, {}, LOSSY + "object of shape (1, 3)"),
        (SCORES > 0, CANDIDATES, {}, LOSSY + "bool of shape (2, 3)"),
        (SCORES.astype(complex), CANDIDATES, {}, LOSSY + "complex128 of shape (2, 3)"),
        (sparse.csr_array(SCORES > 0), CANDIDATES, {}, LOSSY + "bool of shape (4,)"),
        (SCORES[:, :2], CANDIDATES, {}, FORM + "(2, 2)"),
        (SCORES[0], CANDIDATES, {}, FORM + "(3,)"),
        (5, CANDIDATES, {}, FORM + "()"),
        (sparse.csr_array(SCORES[:, :2]), CANDIDATES, {}, FORM + "(2, 2)"),
        (
            BROKEN,
            CANDIDATES,
            {},
            "scores: indptr, indices and data do not make a CSR matrix of their shape",
        ),
        (TWICE, CANDIDATES, {}, "scores[0, 1] is stored twice; sum_duplicates() adds up what belongs together"),
        (np.array([[0, np.nan, 0]]), CANDIDATES, {}, "scores[0, 1] is nan: expected finite numbers"),
        (sparse.csr_array([[0, 0, np.inf]]), CANDIDATES, {}, "scores[0, 2] is inf: expected finite numbers"),
        (SCORES, [(0, 1), (2, 2), (0, 3)], {}, "column 'candidates', value [2, 2): " + SPAN.format(1)),
        (SCORES, [(0, 1), (0, 3), (-1, 2)], {}, "column 'candidates', value [-1, 2): " + SPAN.format(2)),
        (SCORES, [(0, 2**31), (0, 3), (1, 2)], {}, "column 'candidates', value [0, 2147483648): " + SPAN.format(0)),
        (SCORES, [(0.0, 1.0)] * 3, {}, "column 'candidates', value (0.0, 1.0): expected a pair of whole numbers"),
        (SCORES, [(0, 1, 2)] * 3, {}, "column 'candidates', value (0, 1, 2): expected a pair of whole numbers"),
        (SCORES, [(0, 1), (0, 1, 2)], {}, "column 'candidates', value (0, 1, 2): expected a pair of whole numbers"),
        (
            SCORES,
            np.zeros((3, 2)),
            {},
            "column 'candidates', value float64 array of shape (3, 2): expected integers, spans x 2",
        ),
        (SCORES, CANDIDATES, {"forced": [(2, 0)]}, "forced: (2, 0) is outside of 2 entities and 3 candidates"),
        (SCORES, CANDIDATES, {"forced": [3]}, "column 'forced', value 3: expected a pair of whole numbers"),
        (
            SCORES,
            CANDIDATES,
            {"forbidden": [(0, -1)]},
            "forbidden: (0, -1) is outside of 2 entities and 3 candidates",
        ),
        (SCORES, CANDIDATES, {"forced": [(0, 0), (1, 2)]}, "forced: (0, 0) and (1, 2) overlap"),
        (
            SCORES,
            CANDIDATES,
            {"forced": [(0, 0), (0, 1)]},
            "forced: 2 pairs of entity 0, more than the constraint '<=' 1 allows",
        ),
        (
            SCORES,
            CANDIDATES,
            {"forced": [(0, 0)], "forbidden": [(0, 0)]},
            "(0, 0) is both forced and forbidden",
        ),
    ],
)
def test_bad_arguments(scores: Any, candidates: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(Error) as error:
        solve(scores, candidates, **options)
    assert str(error.value) == message
