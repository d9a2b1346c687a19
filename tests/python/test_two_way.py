"""The two-way bootstrap, compared with a slow, plain one, and with what statistics say of it."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import two_way as slow
from xner.errors import Error
from xner.evaluation import two_way

TRIPLES = st.tuples(*[st.integers(0, 4)] * 3)
SEEDS = st.integers(0, 2**31 - 1)


@st.composite
def counts(draw: st.DrawFn) -> list[list[list[slow.Triple]]]:
    """Runs × texts × documents."""
    runs, texts, documents = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 6))
    one = st.lists(TRIPLES, min_size=documents, max_size=documents)
    return draw(st.lists(st.lists(one, min_size=texts, max_size=texts), min_size=runs, max_size=runs))


@given(counts(), st.integers(1, 5), SEEDS)
def test_as_a_slow_one(given_counts: list[list[list[slow.Triple]]], samples: int, seed: int) -> None:
    runs, texts, documents = len(given_counts), len(given_counts[0]), len(given_counts[0][0])
    drawn = np.concatenate(list(two_way.drawn_documents(documents, samples, seed)))
    shares = two_way.drawn_runs(runs, samples, seed)
    assert drawn.shape == (1 + samples, documents)
    assert (drawn[0] == 1).all()
    assert (drawn.sum(axis=1) == documents).all()
    assert shares[0] == pytest.approx(1 / runs)
    found = two_way.resampled_f1(np.array(given_counts), drawn)
    means = (found * two_way.run_weights(shares)[:, :, None]).sum(axis=1)
    for sample, times in enumerate(drawn.astype(int).tolist()):
        wanted = [[slow.f1_of(text, times) for text in run] for run in given_counts]
        assert found[sample] == pytest.approx(np.array(wanted))
        often = [round(runs * share) if sample else 1 for share in shares[sample].tolist()]
        for text in range(texts):
            mean = slow.mean_of_runs([run[text] for run in wanted], often)
            assert means[sample, text] == pytest.approx(mean)


@given(st.lists(st.integers(-3, 3).map(float), min_size=2, max_size=30))
def test_p_values(differences: list[float]) -> None:
    assert two_way.p_value_of(np.array(differences)) == pytest.approx(slow.p_value(differences[1:]))


def test_means_vary_as_those_of_new_runs() -> None:
    """Few runs, too: the standard error is their deviation by the root of their number."""
    for values in ([0.2, 0.4], [0.1, 0.5, 0.3, 0.8, 0.2]):
        means = two_way.run_weights(two_way.drawn_runs(len(values), 20_000, 1)) @ np.array(values)
        assert means[1:].std() == pytest.approx(statistics.stdev(values) / math.sqrt(len(values)), rel=0.03)
        assert means[0] == pytest.approx(statistics.fmean(values))


def test_no_difference_has_no_small_p_value() -> None:
    assert two_way.p_value_of(np.zeros(100)) == 1.0
    assert two_way.p_value_of(np.ones(100)) == 2 / 100
    assert two_way.p_value_of(np.full(100, 1e-16)) == 1.0, "rounding"


def test_nothing_to_draw_from() -> None:
    with pytest.raises(Error, match="there are no sentences to draw from"):
        next(two_way.drawn_documents(0, 10, 1))
