from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from xner.models.network.windows import Window, windows


@given(st.data(), st.integers(1, 300), st.integers(2, 40))
def test_windows_cover_a_sentence_without_gaps(data: st.DataObject, pieces: int, capacity: int) -> None:
    overlap = data.draw(st.integers(0, capacity - 1))
    found = windows(pieces, capacity, overlap)
    kept = [piece for window in found for piece in range(window.keep_start, window.keep_end)]
    assert kept == list(range(pieces))
    for window in found:
        assert 0 <= window.start <= window.keep_start < window.keep_end <= window.end <= pieces
        assert window.end - window.start <= capacity
    for before, after in itertools.pairwise(found):
        shared = before.end - after.start
        assert shared >= overlap
        # A piece counts where it is farther from the edge.
        assert abs((before.end - before.keep_end) - (after.keep_start - after.start)) <= 1


def test_a_sentence_that_fits_has_one_window() -> None:
    assert windows(7, 7, 3) == [Window(0, 7, 0, 7)]
    assert len(windows(8, 7, 3)) == 2
