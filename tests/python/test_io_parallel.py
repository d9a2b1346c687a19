from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xner import io
from xner.errors import Error

if TYPE_CHECKING:
    from pathlib import Path


def lists(lengths: list[int]) -> pa.Array[Any]:
    return pa.array([["w"] * length for length in lengths], pa.list_(pa.string()))


def suspicious_row(source: pa.Array[Any] | pa.ChunkedArray[Any], target: pa.Array[Any] | pa.ChunkedArray[Any]) -> int:
    with pytest.raises(Error, match="first suspicious row") as caught:
        io.check_parallel(source, target)
    match = re.search(r"counted from 0: (\d+)", str(caught.value))
    assert match is not None
    return int(match[1])


def slow_costs(longer: list[int], shorter: list[int]) -> list[float]:
    """The cost of the cheapest alignment for each row at which its first gap can be."""
    ratio = np.log((sum(longer) / len(longer) + 1) / (sum(shorter) / len(shorter) + 1))

    def pair(row: int, shift: int) -> float:
        a, b = longer[row + shift], shorter[row]
        return 4.0 if (a == 0) != (b == 0) else min(1.0, (np.log((a + 1) / (b + 1)) - ratio) ** 2)

    @cache
    def rest(row: int, shift: int) -> float:
        left_out = [rest(row, shift + 1)] if shift < len(longer) - len(shorter) else []
        matched = [pair(row, shift) + rest(row + 1, shift)] if row < len(shorter) else []
        return min(left_out + matched, default=0.0)

    return [sum(pair(before, 0) for before in range(row)) + rest(row, 1) for row in range(len(shorter) + 1)]


def test_equal_numbers_of_rows_pass() -> None:
    io.check_parallel(lists([1, 2, 3]), lists([9, 0, 1]))
    io.check_parallel(lists([]), lists([]))


def test_the_message_says_what_and_where() -> None:
    source = [4, 12, 7, 30, 2, 15, 9, 22, 3, 17]
    target = source[:4] + source[5:]
    with pytest.raises(Error) as caught:
        io.check_parallel(lists(source), lists(target), source_name="en.conll", target_name="de.txt")
    assert str(caught.value) == (
        "'en.conll' has 10 rows but 'de.txt' has 9; first suspicious row, counted from 0: 4 "
        "(en.conll 2 words, de.txt 15 words); "
        "from there on the sentence lengths agree better when one side is shifted against the other; "
        "`xner pair --on similarity` leaves out what has no partner"
    )
    with pytest.raises(Error) as caught:
        io.check_parallel(lists(source), lists(source[:7]))
    assert str(caught.value) == (
        "'source' has 10 rows but 'target' has 7; first suspicious row, counted from 0: 7 "
        "(source 22 words, target has no such row); "
        "up to there the sentence lengths agree, so the end of the shorter one is probably missing; "
        "`xner pair --on similarity` leaves out what has no partner"
    )


@pytest.mark.parametrize(
    ("source", "target", "row"),
    [
        ([], [3, 4], 0),
        ([5] * 9, [5] * 8, 8),
        ([9, 3, 20, 6], [3, 20, 6], 0),
        ([3, 0, 20, 6], [3, 20, 6], 1),
        ([3, 20, 6], [3, 20, 0, 6], 2),
        ([3, 9, 20, 2, 6, 31, 8], [3, 20, 6, 31, 8], 1),
    ],
)
def test_small_cases(source: list[int], target: list[int], row: int) -> None:
    assert suspicious_row(lists(source), lists(target)) == row


def test_many_missing_rows_are_taken_for_one_gap() -> None:
    lengths = np.random.default_rng(1).integers(1, 40, 300).tolist()
    assert suspicious_row(lists(lengths), lists(lengths[:50] + lengths[150:])) == 50


@given(longer=st.lists(st.integers(0, 30), min_size=2, max_size=12), data=st.data())
def test_the_alignment_is_the_cheapest(longer: list[int], data: st.DataObject) -> None:
    shorter = data.draw(st.lists(st.integers(0, 30), min_size=1, max_size=len(longer) - 1))
    costs = slow_costs(longer, shorter)
    row = suspicious_row(lists(shorter), lists(longer))
    assert costs[row] == pytest.approx(min(costs), abs=1e-6)
    assert row == suspicious_row(lists(longer), lists(shorter))


def test_europarl_with_a_row_missing(test_data: Path) -> None:
    source, target = (
        io.read(test_data / f"europarl-ner/{side}-europarl.test.conll02")["tokens"] for side in ("en", "de")
    )
    for row in (0, 100, 399, 700):
        kept = pa.array(np.arange(799) != row)
        assert abs(suspicious_row(source, target.filter(kept)) - row) <= 2
