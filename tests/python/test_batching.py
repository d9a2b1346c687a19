from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xner import Error
from xner.models.network.batching import batches_by_length


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 120))
def test_batches_hold_everything_once_and_stay_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = batches_by_length(lengths, budget)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[index] for index in batch)
        assert len(batch) == 1 or longest * len(batch) <= budget
    in_order = [lengths[index] for batch in batches for index in batch]
    assert in_order == sorted(in_order, reverse=True)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(50, 500))
def test_no_batch_has_room_for_the_next_sequence(lengths: list[int], budget: int) -> None:
    batches = batches_by_length(lengths, budget)
    for batch in batches[:-1]:
        assert lengths[batch[0]] * (len(batch) + 1) > budget


def test_a_budget_is_needed() -> None:
    with pytest.raises(Error, match="token_budget=0: expected a whole number from 1"):
        batches_by_length([1], 0)
