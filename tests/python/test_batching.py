from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xner import Error
from xner.models.network.batching import batches_by_length
from xner.models.network.device import share_of_cores


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 120), st.booleans())
def test_batches_hold_everything_once_and_stay_within_the_budget(lengths: list[int], budget: int, pads: bool) -> None:
    batches = batches_by_length(lengths, budget, pads=pads)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        sizes = [lengths[index] for index in batch]
        assert len(batch) == 1 or (max(sizes) * len(batch) if pads else sum(sizes)) <= budget
    in_order = [lengths[index] for batch in batches for index in batch]
    assert in_order == sorted(in_order, reverse=True)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(50, 500), st.booleans())
def test_no_batch_has_room_for_the_next_sequence(lengths: list[int], budget: int, pads: bool) -> None:
    batches = batches_by_length(lengths, budget, pads=pads)
    for batch, following in itertools.pairwise(batches):
        sizes = [lengths[index] for index in [*batch, following[0]]]
        assert (sizes[0] * len(sizes) if pads else sum(sizes)) > budget


def test_a_budget_is_needed() -> None:
    with pytest.raises(Error, match="token_budget=0: expected a whole number from 1"):
        batches_by_length([1], 0)


@pytest.mark.parametrize(
    ("allowed", "cores", "devices", "expected"),
    [
        (None, 2, 1, 2),
        (None, 2, 2, 1),
        ("1", 2, 1, 1),
        ("1,4", 2, 1, 1),
        ("8", 2, 1, 2),
        ("0", 2, 1, 2),
        ("many", 2, 1, 2),
        ("", 3, 1, 3),
    ],
)
def test_shares_of_cores(
    allowed: str | None, cores: int, devices: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if allowed is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", allowed)
    assert share_of_cores(devices) == (expected, 1)
