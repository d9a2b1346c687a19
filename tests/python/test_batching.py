from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xner import Error
from xner.models.network.batching import batches_by_length
from xner.models.network.device import share_of_cores


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 120), st.booleans(), st.booleans())
def test_batches_hold_everything_once_and_stay_within_the_budget(
    lengths: list[int], budget: int, pads: bool, at_once: bool
) -> None:
    batches = batches_by_length(lengths, budget, pads=pads, at_once=at_once)
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


@given(st.lists(st.integers(1, 60), min_size=1, max_size=200), st.integers(4, 200), st.integers(1, 4))
def test_those_who_compute_at_once_end_at_about_the_same_time(lengths: list[int], budget: int, workers: int) -> None:
    ends = [0] * workers  # of each, who takes the next batch when it is done with one
    for batch in batches_by_length(lengths, budget, pads=False, at_once=True):
        ends[ends.index(min(ends))] += sum(lengths[index] for index in batch)
    assert max(ends) - min(ends) <= max(budget // 4, *lengths)


def test_only_the_last_batches_are_smaller() -> None:
    sizes = [len(batch) for batch in batches_by_length([1] * 10_000, 512, at_once=True)]
    assert sizes == [*[512] * 16, 452, 339, 254, 190, 143, *[128] * 3, 46]
    assert [len(batch) for batch in batches_by_length([1] * 200, 512, at_once=True)] == [128, 72]


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
