from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import link_sets as reference
from xner import DataError, Error, schema
from xner._support.arrow import pylist
from xner.alignment import links

LINK = st.tuples(st.integers(0, 4), st.integers(0, 4))
SCORED = st.dictionaries(LINK, st.integers(-4, 8).map(lambda eighths: eighths / 8), max_size=8)
ROWS = st.integers(1, 4)


def column(rows: list[reference.Scored]) -> pa.Array[Any]:
    return pa.array(
        [[{"source": s, "target": t, "score": score} for (s, t), score in row.items()] for row in rows],
        schema.LINKS_TYPE,
    )


@given(st.data(), st.sampled_from(["union", "intersect", "vote", "mean"]), st.integers(1, 4), ROWS)
def test_combinations_are_those_of_the_reference(data: st.DataObject, method: Any, sets: int, rows: int) -> None:
    columns = [data.draw(st.lists(SCORED, min_size=rows, max_size=rows)) for _ in range(sets)]
    weights, threshold = [1.0] * sets, 0.5
    options: dict[str, Any] = {}
    if method in {"vote", "mean"}:
        weights = data.draw(st.lists(st.integers(1, 4).map(float), min_size=sets, max_size=sets))
        threshold = data.draw(st.sampled_from([0.0, 0.25, 0.5, 1.0]))
        options = {"weights": weights, "threshold": threshold}
    combined = links.combine([column(rows) for rows in columns], method, **options)
    assert combined.type == schema.LINKS_TYPE
    for row, found in enumerate(pylist(combined)):
        expected = reference.combine([one[row] for one in columns], method, weights, threshold)
        pairs = [(link["source"], link["target"]) for link in found]
        assert pairs == sorted(expected)
        assert [link["score"] for link in found] == pytest.approx([expected[pair] for pair in pairs])


def test_a_link_given_twice_counts_with_its_best_score() -> None:
    twice = pa.array(
        [[{"source": 1, "target": 0, "score": score} for score in (-0.5, -0.25)] + [{"source": 0, "target": 9}]],
        schema.LINKS_TYPE,
    )
    assert links.combine([twice]).to_pylist() == [
        [{"source": 0, "target": 9, "score": 1.0}, {"source": 1, "target": 0, "score": -0.25}]
    ]


def test_pairs_chunks_and_missing_rows() -> None:
    lists = [[(0, 1), (0, 1)], []]
    chunks = pa.chunked_array([column([{(0, 1): 0.5}]), column([{(2, 2): 0.25}])])
    missing = pa.array([[{"source": 3, "target": 3}], None], pa.large_list(schema.LINKS_TYPE.value_type))
    assert links.combine([lists, chunks, missing]).to_pylist() == [
        [{"source": 0, "target": 1, "score": 1.0}, {"source": 3, "target": 3, "score": 1.0}],
        [{"source": 2, "target": 2, "score": 0.25}],
    ]
    assert links.combine([[]]).to_pylist() == []


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ([], {}, r"link_columns=\[\]: expected at least one set of links"),
        ([[[]], [[], []]], {}, "set 0 has 1 rows but set 1 has 2"),
        ([[[]]], {"method": "all"}, "method='all': expected one of 'union', 'intersect', 'vote', 'mean'"),
        ([[[]]], {"threshold": 0.5}, "weights and threshold go with 'vote' and 'mean', not with method='union'"),
        ([[[]]], {"method": "vote", "weights": [1, 2]}, "2 weights for 1 sets of links"),
        ([[[]]], {"method": "vote", "weights": [0]}, "weights: at least one must be above 0"),
        ([[[]]], {"method": "mean", "threshold": 2}, "threshold=2: expected a number from 0 to 1"),
        ([[[(1,)]]], {}, r"row 0, column 'links', value \(1,\): set 0: expected a pair of whole numbers"),
        ([[[]], [[(0, -1)]]], {}, "row 0, column 'links', value -1: set 1: word indices start at 0"),
        ([[[(2**31 - 1, 2**31 - 1)]] * 3], {}, "3 rows with words up to 2147483647 and 2147483647 are too many"),
        ([pa.array([[1]])], {}, "row 0, column 'links', value 1: set 0: expected a pair of whole numbers"),
    ],
)
def test_bad_input(columns: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(Error, match=message):
        links.combine(columns, **options)


def test_a_link_without_an_end() -> None:
    broken = pa.array([[], [{"source": 1, "target": None}]], schema.LINKS_TYPE)
    with pytest.raises(DataError, match="row 1, column 'links', value null: set 0: a link's target is missing"):
        links.combine([broken])
