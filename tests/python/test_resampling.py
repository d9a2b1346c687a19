from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xner.evaluation import _resampling


@given(counts=st.lists(st.lists(st.sampled_from([0, 1, 2, 2**30]), min_size=3, max_size=3), min_size=1, max_size=30))
def test_distinct_rows(counts: list[list[int]]) -> None:
    patterns, multiplicity = _resampling._distinct_rows(np.array(counts))
    rebuilt = [tuple(row) for row, times in zip(patterns.tolist(), multiplicity, strict=True) for _ in range(times)]
    assert sorted(rebuilt) == sorted(map(tuple, counts))


def test_a_difference_on_every_resample() -> None:
    found = _resampling.difference(0.2, np.array([0.1, 0.2, 0.3, -0.1]), 0.5)
    assert found.value == 0.2
    assert found.p_value == 2 / 5
    assert 0 < found.interval.low < found.interval.high < 0.3
