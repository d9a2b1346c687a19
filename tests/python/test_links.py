"""Symmetrisation of two directional alignments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import symmetrize as reference
from strategies import many
from xner.alignment.links import SYMMETRIZATIONS, symmetrize
from xner.errors import Error

if TYPE_CHECKING:
    import random

links = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=15)
methods = st.sampled_from(sorted(SYMMETRIZATIONS))


@many(4)
@given(forward=links, reverse=links, method=methods)
def test_symmetrize_is_the_reference(forward: Any, reverse: Any, method: Any) -> None:
    assert symmetrize(forward, reverse, method) == reference.symmetrize(forward, reverse, method)


@given(forward=links, reverse=links, method=methods, order=st.randoms(use_true_random=False))
def test_order_and_repetitions_do_not_matter(forward: Any, reverse: Any, method: Any, order: random.Random) -> None:
    shuffled = [*forward, *forward[:3]]
    order.shuffle(shuffled)
    assert symmetrize(shuffled, reverse, method) == symmetrize(forward, reverse, method)


@given(forward=links, reverse=links)
def test_methods_are_nested(forward: Any, reverse: Any) -> None:
    results = [
        set(symmetrize(forward, reverse, method))
        for method in ("intersect", "grow-diag", "grow-diag-final-and", "grow-diag-final", "union")
    ]
    assert results[0] <= results[1] <= results[2] <= results[4]
    assert results[1] <= results[3] <= results[4]


def test_two_sides_that_agree() -> None:
    for method in SYMMETRIZATIONS:
        assert symmetrize([(1, 0), (0, 1)], [(0, 1), (1, 0)], method) == [(0, 1), (1, 0)]  # type: ignore[arg-type]  # a str of the parameters


def test_empty_sides() -> None:
    assert symmetrize([], [], "grow-diag-final") == []
    assert symmetrize([(3, 4)], [], "union") == [(3, 4)]
    assert symmetrize([(3, 4)], [], "grow-diag-final-and") == [(3, 4)]
    assert symmetrize([(3, 4)], [], "grow-diag") == []


def test_numpy_rows_are_links() -> None:
    assert symmetrize(np.array([[1, 2]]), np.array([[1, 2]]), "intersect") == [(1, 2)]


def test_far_apart_words() -> None:
    far = [(0, 0), (2**20 - 1, 2**20 - 1)]
    assert symmetrize(far, far, "grow-diag-final") == far


NO_LINK = "expected a pair of whole numbers, source and target word, and perhaps a score"


@pytest.mark.parametrize(
    ("forward", "reverse", "method", "message"),
    [
        ([(-1, 0)], [], "union", "forward link -1-0: word indices start at 0"),
        ([], [(0, -2)], "union", "reverse link 0--2: word indices start at 0"),
        ([(2**31 - 1, 0)], [], "union", "forward link 2147483647-0: a sentence has at most 1048576 words"),
        ([], [(0, 2**20)], "grow-diag", "reverse link 0-1048576: a sentence has at most 1048576 words"),
        (
            [(2**31, 0)],
            [],
            "union",
            "column 'forward', value (2147483648, 0): expected whole numbers of at most 31 bits",
        ),
        ([(1.5, 0)], [], "union", f"column 'forward', value (1.5, 0): {NO_LINK}"),
        ([(1, 2, "3")], [], "union", f"column 'forward', value (1, 2, '3'): {NO_LINK}"),
        ([], [7], "union", f"column 'reverse', value 7: {NO_LINK}"),
        (
            [],
            [],
            "both",
            (
                "method='both': expected one of 'intersect', 'union', 'grow-diag', 'grow-diag-final', "
                "'grow-diag-final-and'"
            ),
        ),
    ],
)
def test_bad_input(forward: Any, reverse: Any, method: Any, message: str) -> None:
    with pytest.raises(Error) as error:
        symmetrize(forward, reverse, method)
    assert str(error.value) == message
