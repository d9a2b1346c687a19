"""Links out of similarity matrices."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reference import extraction as reference
from strategies import many
from xner import schema
from xner._support.arrow import pylist
from xner.alignment.links import METHODS, Links, extract, extract_batch
from xner.errors import DataError, Error

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Matrix = npt.NDArray[np.floating[Any]]

# Small whole numbers, so that ties are everywhere; and numbers at random.
ties = st.integers(-3, 3).map(float)
free = st.floats(-8, 8, width=16)
dtypes = st.sampled_from([np.float32, np.float16])


@st.composite
def matrices(draw: st.DrawFn, longest: int = 9) -> Matrix:
    """A similarity matrix, often with ties or of one row or column, as a view with any strides."""
    shape = draw(st.tuples(st.integers(1, longest), st.integers(1, longest)))
    cells = draw(hnp.arrays(np.float64, shape, elements=draw(st.sampled_from([ties, free]))))
    matrix = cells.astype(draw(dtypes))
    row_step, column_step = draw(st.tuples(st.sampled_from([1, 2, -1]), st.sampled_from([1, 3, -1])))
    if draw(st.booleans()):
        matrix = np.asfortranarray(matrix)
    spread = np.full((2 * shape[0], 3 * shape[1]), np.nan, dtype=matrix.dtype)
    view = spread[:: abs(row_step), :: abs(column_step)][: shape[0], : shape[1]]
    view = view[:: int(np.sign(row_step)), :: int(np.sign(column_step))]
    view[...] = matrix
    return view if draw(st.booleans()) else matrix


def rows_of(matrix: Matrix) -> list[list[float]]:
    return [[float(cell) for cell in row] for row in matrix]


def scored(links: Links) -> dict[tuple[int, int], float]:
    pairs = [(int(source), int(target)) for source, target in links.pairs]
    assert pairs == sorted(set(pairs))
    return dict(zip(pairs, links.scores.tolist(), strict=True))


@many(4)
@given(matrix=matrices(), method=st.sampled_from(["fwd", "rev", "inter"]))
def test_best_cells_are_the_reference(matrix: Matrix, method: Any) -> None:
    expected = {"fwd": reference.forward, "rev": reference.reverse, "inter": reference.intersect}[method]
    found = scored(extract(matrix, method))
    assert set(found) == expected(rows_of(matrix))
    assert all(score == matrix[link] for link, score in found.items())


@many(10)
@given(matrix=matrices(), max_count=st.integers(1, 5), alpha=st.sampled_from([0.9, 0.5, 0.25, 1.0, 0.7]))
def test_itermax_is_the_reference(matrix: Matrix, max_count: int, alpha: float) -> None:
    found = scored(extract(matrix, "itermax", max_count=max_count, alpha=alpha))
    assert set(found) == reference.itermax(rows_of(matrix), max_count, alpha)
    assert all(score == matrix[link] for link, score in found.items())


@many(4)
@given(matrix=matrices(longest=5))
def test_mwmf_has_the_highest_total(matrix: Matrix) -> None:
    found = scored(extract(matrix, "mwmf"))
    assert len(found) == min(matrix.shape)
    assert len({source for source, _ in found}) == len({target for _, target in found}) == len(found)
    assert all(score == matrix[link] for link, score in found.items())
    assert sum(found.values()) == pytest.approx(reference.best_total(rows_of(matrix)), abs=1e-9)


@pytest.mark.needs("exact")
@pytest.mark.parametrize("shape", [(40, 40), (17, 60), (60, 17), (1, 50), (200, 200)])
def test_mwmf_is_scipys(shape: tuple[int, int]) -> None:
    from scipy.optimize import linear_sum_assignment

    generator = np.random.default_rng(1)
    for matrix in (generator.random(shape), generator.integers(0, 3, shape), generator.normal(size=shape)):
        similarity = matrix.astype(np.float32)
        expected = similarity[linear_sum_assignment(similarity, maximize=True)].sum(dtype=float)
        links = extract(similarity, "mwmf")
        assert len(links) == min(shape)
        assert links.scores.sum(dtype=float) == pytest.approx(expected, abs=1e-9 * max(shape))


@many(4)
@given(
    matrix=matrices(),
    method=st.sampled_from(["softmax", "entmax15"]),
    threshold=st.sampled_from([None, 0.0, 0.001, 0.1, 0.3]),
    null=st.sampled_from([None, -20.0, -0.8, 0.3, 2.1, 20.0]),
)
def test_probabilities_are_the_reference(
    matrix: Matrix, method: Any, threshold: float | None, null: float | None
) -> None:
    distribution = {"softmax": reference.softmax, "entmax15": reference.entmax15}[method]
    found = scored(extract(matrix, method, threshold=threshold, null_threshold=null))
    if threshold is None:
        threshold = {"softmax": 0.001, "entmax15": 0.0}[method]
    for i, row in enumerate(reference.probable(rows_of(matrix), distribution, null)):
        for j, probability in enumerate(row):
            if (i, j) in found:
                assert found[i, j] == pytest.approx(probability, rel=1e-4, abs=1e-6)
            # Float32 decides otherwise only where it cannot tell the difference.
            if abs(probability - threshold) > 1e-6:
                assert ((i, j) in found) == (probability > threshold)


@given(shape=st.tuples(st.integers(1, 12), st.integers(1, 12)), scale=st.sampled_from([1, 100, 1e4, 1e8]))
def test_softmax_of_large_differences(shape: tuple[int, int], scale: float) -> None:
    matrix = (np.random.default_rng(shape).normal(size=shape) * scale).astype(np.float32)
    found = scored(extract(matrix, "softmax", threshold=0.25))
    for i, row in enumerate(reference.probable(rows_of(matrix), reference.softmax)):
        for j, probability in enumerate(row):
            if abs(probability - 0.25) > 1e-3:
                assert ((i, j) in found) == (probability > 0.25)


@pytest.mark.parametrize("method", ["softmax", "entmax15"])
def test_a_higher_threshold_keeps_the_higher_scores(method: Any) -> None:
    matrix = np.random.default_rng(0).normal(scale=3, size=(30, 40)).astype(np.float32)
    low, high = extract(matrix, method, threshold=0.01), extract(matrix, method, threshold=0.1)
    assert 0 < len(high) < len(low)
    assert low.pairs[low.scores > 0.1].tolist() == high.pairs.tolist()


def test_a_null_threshold_above_all_cells_leaves_no_links() -> None:
    matrix = np.eye(4, dtype=np.float32)
    for method in ("softmax", "entmax15"):
        assert len(extract(matrix, method, threshold=0.0, null_threshold=1.0)) == 0
        below = extract(matrix, method, threshold=0.0, null_threshold=0.99)
        assert below.pairs.tolist() == [[0, 0], [1, 1], [2, 2], [3, 3]]


@given(matrix=matrices(), method=st.sampled_from(["fwd", "rev", "inter", "itermax", "mwmf"]), factor=st.floats(0, 1))
def test_distortion_weighs_the_cells(matrix: Matrix, method: Any, factor: float) -> None:
    weighed = np.array(reference.distorted(rows_of(matrix), factor), dtype=np.float32)
    found, expected = extract(matrix, method, distortion=factor), extract(weighed, method)
    assert found.pairs.tolist() == expected.pairs.tolist()
    assert found.scores.tolist() == expected.scores.tolist()


@given(matrix=matrices(), method=st.sampled_from(sorted(METHODS)), data=st.data())
def test_words_take_the_best_of_their_pieces(matrix: Matrix, method: Any, data: st.DataObject) -> None:
    maps = [data.draw(st.none() | st.lists(st.integers(-1, 4), min_size=size, max_size=size)) for size in matrix.shape]
    found = extract(matrix, method, source_words=maps[0], target_words=maps[1])
    assert scored(found) == reference.unite_words(scored(extract(matrix, method)), *maps)


@many(0.5)
@given(
    similarities=st.lists(matrices(), max_size=40),
    method=st.sampled_from(sorted(METHODS)),
    threads=st.integers(1, 3),
    seed=st.integers(0, 9),
)
def test_batches_are_the_single_calls(similarities: list[Matrix], method: Any, threads: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    shapes = [matrix.shape for matrix in similarities]
    words = [[np.array(generator.integers(-1, 4, shape[axis]), dtype=np.int32) for shape in shapes] for axis in (0, 1)]
    expected = [
        scored(extract(matrix, method, source_words=source, target_words=target))
        for matrix, source, target in zip(similarities, *words, strict=True)
    ]
    batch = extract_batch(similarities, method, source_words=words[0], target_words=words[1], threads=threads)
    batch.validate(full=True)
    assert batch.type == schema.LINKS_TYPE
    found = [{(link["source"], link["target"]): link["score"] for link in row} for row in pylist(batch)]
    assert found == expected

    # The same padded to one size, with rubbish for filling, seen through a transposing and a reversing view.
    padded = np.full((len(shapes), 9, 9), np.nan, dtype=np.float32)
    for target, matrix in zip(padded, similarities, strict=True):
        target[: matrix.shape[0], : matrix.shape[1]] = matrix
    views = [padded, np.ascontiguousarray(padded.transpose(2, 0, 1)).transpose(1, 2, 0), padded[::-1].copy()[::-1]]
    for view in views:
        again = extract_batch(
            view,
            method,
            source_lengths=[shape[0] for shape in shapes],
            target_lengths=np.array([shape[1] for shape in shapes], dtype=np.int32),
            source_words=words[0],
            target_words=words[1],
        )
        assert again.equals(batch)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_empty_sides_have_no_links(method: Any) -> None:
    for shape in [(0, 5), (5, 0), (0, 0)]:
        links = extract(np.zeros(shape, dtype=np.float32), method)
        assert links.pairs.shape == (0, 2)
        assert links.pairs.dtype == np.int32
        assert links.scores.dtype == np.float32
    padded = np.zeros((2, 3, 4), dtype=np.float16)
    found = extract_batch(padded, method, source_lengths=[0, 3], target_lengths=[4, 0])
    assert found.to_pylist() == [[], []]
    assert pa.array([], schema.LINKS_TYPE).equals(extract_batch([], method))
    assert len(extract_batch(padded, method)) == 2


def test_every_float16_is_read_right() -> None:
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    finite = every[np.isfinite(every)]
    assert extract(finite[:, np.newaxis], "fwd").scores.tolist() == finite.astype(np.float32).tolist()
    for value in every[~np.isfinite(every)]:
        with pytest.raises(DataError, match=r"cell \(0, 0\) is not a finite number"):
            extract(np.array([[value]]), "fwd")


def test_misaligned_cells_are_read() -> None:
    record = np.zeros(6, dtype=np.dtype([("a", "i1"), ("b", np.float32)], align=False))
    record["b"] = [1, 2, 3, 6, 5, 4]
    assert extract(record["b"].reshape(2, 3), "fwd").pairs.tolist() == [[0, 2], [1, 0]]


@cache
def golden(folder: Path) -> Any:
    with np.load(folder / "golden" / "links.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def recorded(test_data: Path) -> list[dict[str, Any]]:
    """One dict a matrix of the recorded inputs and outputs."""
    arrays = golden(test_data)
    count = sum(name.endswith("_sim") for name in arrays)
    assert count == 300
    matrices: list[dict[str, Any]] = [{} for _ in range(count)]
    for name, array in arrays.items():
        number, _, what = name.partition("_")
        if number[:1] == "m" and number[1:].isdecimal():
            matrices[int(number[1:])][what] = array
    return matrices


RECORDED: dict[str, tuple[str, Any, dict[str, Any], bool]] = {
    "fwd": ("sim", "fwd", {}, False),
    "rev": ("sim", "rev", {}, False),
    "inter": ("sim", "inter", {}, False),
    "itermax": ("sim", "itermax", {}, False),
    "itermax3": ("sim", "itermax", {"max_count": 3}, False),
    "softmax": ("logits", "softmax", {"threshold": 0.001}, False),
    "itermax_words": ("sim", "itermax", {}, True),
    "softmax_words": ("logits", "softmax", {}, True),
}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_links(recorded: list[dict[str, Any]], name: str) -> None:
    matrix, method, options, of_words = RECORDED[name]
    words = [[row[side].astype(np.int32) for row in recorded] if of_words else None for side in ("wsrc", "wtgt")]
    batch = extract_batch(
        [row[matrix] for row in recorded], method, source_words=words[0], target_words=words[1], **options
    )
    for row, links in zip(recorded, pylist(batch), strict=True):
        assert [[link["source"], link["target"]] for link in links] == sorted(row[name].reshape(-1, 2).tolist())


def test_recorded_matchings(recorded: list[dict[str, Any]]) -> None:
    for row in recorded:
        total, count = row["mwmf_weight"]
        links = extract(row["sim"], "mwmf")
        assert len(links) == count
        assert links.scores.sum(dtype=float) == pytest.approx(total, abs=1e-5)


@pytest.mark.parametrize("method", ["fwd", "rev", "inter", "itermax", "mwmf"])
def test_recorded_distortion(recorded: list[dict[str, Any]], method: Any) -> None:
    for row in recorded:
        links, expected = extract(row["sim"], method, distortion=0.5), extract(row["dist05"], method)
        assert links.pairs.tolist() == expected.pairs.tolist()
        assert links.scores.tolist() == expected.scores.tolist()


SQUARE = np.zeros((2, 2), dtype=np.float32)
NAN = np.array([[0, 1], [2, np.nan]], dtype=np.float32)
INFINITE = np.array([[0, -np.inf]], dtype=np.float16)
ONE = np.zeros(1, dtype=np.int32)
PAIR = np.zeros(2, dtype=np.int32)
NO_ARRAY = "column 'similarities', value {}: expected a 2-dimensional array of float32 or float16"

# ruff: noqa: E501 - a table of cases reads best with one case a line
BAD: list[tuple[Any, dict[str, Any], str]] = [
    (NAN, {}, "column 'similarities', value nan: cell (1, 1) is not a finite number"),
    (INFINITE, {}, "column 'similarities', value -inf: cell (0, 1) is not a finite number"),
    (np.zeros((2, 2)), {}, NO_ARRAY.format("2-dimensional float64")),
    (np.zeros(2, dtype=np.float32), {}, NO_ARRAY.format("1-dimensional float32")),
    (SQUARE.astype(">f4"), {}, NO_ARRAY.format("2-dimensional >f4")),
    (SQUARE.astype(">f2"), {}, NO_ARRAY.format("2-dimensional >f2")),
    ([[0.5]], {}, NO_ARRAY.format("list")),
    (np.lib.stride_tricks.as_strided(SQUARE, (1, 2**20 + 1), (0, 0)), {}, "column 'similarities', value 1 x 1048577: a sentence has at most 1048576 pieces"),
    (SQUARE, {"method": "argmax"}, f"method='argmax': expected one of {', '.join(map(repr, METHODS))}"),
    (SQUARE, {"threshold": 0.1}, "threshold=0.1: the method 'fwd' takes only distortion"),
    (SQUARE, {"method": "mwmf", "max_count": 3}, "max_count=3: the method 'mwmf' takes only distortion"),
    (SQUARE, {"method": "itermax", "threshold": 0.1}, "threshold=0.1: the method 'itermax' takes only max_count, alpha, distortion"),
    (SQUARE, {"method": "softmax", "alpha": 1}, "alpha=1: the method 'softmax' takes only threshold, null_threshold"),
    (SQUARE, {"method": "itermax", "max_count": 0}, "max_count=0: expected a whole number from 1 to 2147483647"),
    (SQUARE, {"method": "itermax", "alpha": 0}, "alpha=0: expected a number above 0 and at most 1"),
    (SQUARE, {"method": "itermax", "alpha": "1"}, "alpha='1': expected a number above 0 and at most 1"),
    (SQUARE, {"distortion": 1.5}, "distortion=1.5: expected a number from 0 to 1"),
    (SQUARE, {"method": "softmax", "threshold": 1}, "threshold=1: expected a number of at least 0 and below 1"),
    (SQUARE, {"method": "entmax15", "threshold": float("nan")}, "threshold=nan: expected a number of at least 0 and below 1"),
    (SQUARE, {"method": "softmax", "null_threshold": 1e39}, "null_threshold=1e+39: expected a number of 32 bits"),
    (SQUARE, {"source_words": [0]}, "column 'source_words', value 1 pieces: the similarities have 2"),
    (SQUARE, {"target_words": [0, -2]}, "column 'target_words', value -2: piece 1 must have a word's index, or -1 for a piece of no word"),
    (SQUARE, {"target_words": [0.5, 1]}, "column 'target_words', value 1-dimensional float64: expected a list of whole numbers"),
    (SQUARE, {"target_words": [[0, 1]]}, "column 'target_words', value 2-dimensional int64: expected a list of whole numbers"),
    (SQUARE, {"source_words": [0, 2**31]}, "column 'source_words', value 2147483648: expected numbers of at most 31 bits"),
]  # fmt: skip


@pytest.mark.parametrize(("similarity", "options", "message"), BAD)
def test_bad_input(similarity: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(Error) as error:
        extract(similarity, **{"method": "fwd", **options})
    assert str(error.value) == message


BAD_BATCHES: list[tuple[Any, dict[str, Any], str]] = [
    ([SQUARE, NAN], {}, "row 1, column 'similarities', value nan: cell (1, 1) is not a finite number"),
    ([SQUARE, [[1]]], {}, "row 1, " + NO_ARRAY.format("list")),
    (SQUARE, {}, "column 'similarities', value 2-dimensional float32: expected a 3-dimensional array of float32 or float16"),
    ([SQUARE], {"source_lengths": [1]}, "source_lengths and target_lengths go with a padded array; matrices of a list have their own sizes"),
    (SQUARE[np.newaxis], {"source_lengths": [3]}, "row 0, column 'source_lengths', value 3: expected a length from 0 to 2"),
    (SQUARE[np.newaxis], {"target_lengths": [-1]}, "row 0, column 'target_lengths', value -1: expected a length from 0 to 2"),
    (SQUARE[np.newaxis], {"target_lengths": [1, 1]}, "target_lengths has 2 rows but there are 1 matrices"),
    ([SQUARE], {"source_words": []}, "source_words has 0 rows but there are 1 matrices"),
    ([SQUARE, SQUARE], {"source_words": [PAIR, ONE]}, "row 1, column 'source_words', value 1 pieces: the similarities have 2"),
    ([SQUARE], {"target_words": [[0, 0.5]]}, "row 0, column 'target_words', value 1-dimensional float64: expected a list of whole numbers"),
    ([SQUARE], {"target_words": [[0, 2**31]]}, "row 0, column 'target_words', value 2147483648: expected numbers of at most 31 bits"),
    ([SQUARE], {"target_words": [[0, -2]]}, "row 0, column 'target_words', value -2: piece 1 must have a word's index, or -1 for a piece of no word"),
    ([SQUARE], {"threads": -1}, "threads=-1: expected a whole number from 0 to 2147483647"),
]  # fmt: skip


@pytest.mark.parametrize(("similarities", "options", "message"), BAD_BATCHES)
def test_bad_batches(similarities: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(Error) as error:
        extract_batch(similarities, "inter", **options)
    assert str(error.value) == message
