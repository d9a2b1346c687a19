"""Intervals and comparisons of the scores of entities and of links."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import numpy as np
import pytest

from reference import evaluation as slow
from xner.errors import Error
from xner.evaluation import (
    Interval,
    _resampling,
    approximate_randomization,
    bootstrap,
    evaluate,
    holm,
    links,
    paired_bootstrap,
    pool,
)

Labels = list[list[str]]


def noisy(gold: Labels, share: float, seed: int) -> Labels:
    rng = random.Random(seed)
    return [["O" if rng.random() < share else label for label in row] for row in gold]


def corpus(sentences: int) -> Labels:
    rng = random.Random(5)
    kinds = [["B-PER", "I-PER", "O"], ["O"], ["O", "B-LOC"], ["B-ORG", "O", "B-PER"], ["O", "O", "O"]]
    return [rng.choice(kinds) for _ in range(sentences)]


def test_bootstrap_intervals_are_those_of_plain_resampling() -> None:
    gold = corpus(200)
    predicted = noisy(gold, 0.2, 1)
    scores = evaluate(gold, predicted)
    found = bootstrap(scores, samples=20_000, seed=7)
    rows = [slow.sentence_counts(*row, "lenient", ()) for row in zip(gold, predicted, strict=True)]
    resamples = slow.bootstrap_f1(rows, 2000, 3)
    assert found.micro.f1.low == pytest.approx(resamples[50], abs=0.01)
    assert found.micro.f1.high == pytest.approx(resamples[1949], abs=0.01)
    assert found.micro.f1.low < scores.f1 < found.micro.f1.high
    assert set(found.per_class) == set(scores.classes)
    for name, one in found.per_class.items():
        assert one.recall.low < scores.per_class[name].recall < one.recall.high
    assert found.signature == f"{scores.signature}|bootstrap:20000|seed:7|confidence:0.95"


def test_bootstrap_is_repeatable_and_narrows_with_confidence() -> None:
    gold = corpus(50)
    scores = evaluate(gold, noisy(gold, 0.3, 2))
    assert bootstrap(scores, seed=3) == bootstrap(scores, seed=3)
    assert bootstrap(scores, seed=3) != bootstrap(scores, seed=4)
    wide, narrow = (bootstrap(scores, confidence=confidence).micro.f1 for confidence in (0.99, 0.5))
    assert wide.low < narrow.low < narrow.high < wide.high
    assert json.dumps(bootstrap(scores).to_dict())


def test_bootstrap_of_constant_counts_has_no_width() -> None:
    scores = evaluate([["B-PER"]] * 5, [["B-PER"]] * 5)
    assert bootstrap(scores, samples=20).micro.f1 == Interval(1.0, 1.0)
    nothing = evaluate([["O"]], [["O"]])
    assert bootstrap(nothing, samples=20).micro.f1 == Interval(0.0, 0.0)


def test_resamples_in_blocks_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    gold = corpus(60)
    scores = evaluate(gold, noisy(gold, 0.3, 2))
    expected = bootstrap(scores, samples=50)
    monkeypatch.setattr(_resampling, "_BLOCK_CELLS", 7)
    assert bootstrap(scores, samples=50) == expected


def test_paired_bootstrap_tells_a_better_system() -> None:
    gold = corpus(400)
    good, bad = evaluate(gold, noisy(gold, 0.1, 1)), evaluate(gold, noisy(gold, 0.3, 2))
    result = paired_bootstrap(good, bad)
    assert result.f1.value == pytest.approx(good.f1 - bad.f1)
    assert 0 < result.f1.interval.low < result.f1.value < result.f1.interval.high
    assert result.f1.p_value == 1 / 1001
    swapped = paired_bootstrap(bad, good)
    assert swapped.f1.value == -result.f1.value
    assert swapped.f1.p_value == 1 / 1001
    assert result.signature == f"{good.signature}|paired-bootstrap:1000|seed:1|confidence:0.95"
    assert json.dumps(result.to_dict())


def test_randomization_is_that_of_all_exchanges() -> None:
    """With few sentences all exchanges can be looked at."""
    gold = corpus(9)
    first, second = evaluate(gold, noisy(gold, 0.2, 1)), evaluate(gold, noisy(gold, 0.6, 5))
    sides = [np.stack([one.tp.sum(1), one.fp.sum(1), one.fn.sum(1)], 1) for one in (first, second)]

    def f1(counts: Any) -> float:
        tp, fp, fn = counts.sum(0)
        return float(2 * tp / max(2 * tp + fp + fn, 1))

    differences = []
    for exchanged in itertools.product([False, True], repeat=9):
        swap = np.array(exchanged)[:, None]
        differences.append(f1(np.where(swap, sides[1], sides[0])) - f1(np.where(swap, sides[0], sides[1])))
    observed = first.f1 - second.f1
    exact = sum(abs(one) >= abs(observed) - 1e-12 for one in differences) / len(differences)
    found = approximate_randomization(first, second, samples=50_000)
    assert 0 < exact < 1, "else there is nothing to be seen"
    assert found.p_value["f1"] == pytest.approx(exact, abs=0.01)
    assert found.difference["f1"] == pytest.approx(observed)
    assert approximate_randomization(second, first, samples=50_000).p_value["f1"] == pytest.approx(exact, abs=0.01)


def test_randomization_of_equals_and_of_a_better_system() -> None:
    gold = corpus(400)
    good, bad = evaluate(gold, noisy(gold, 0.1, 1)), evaluate(gold, noisy(gold, 0.3, 2))
    same = approximate_randomization(good, good, samples=99)
    assert (same.difference["f1"], same.p_value["f1"]) == (0, 1)
    assert approximate_randomization(good, bad, samples=999).p_value["f1"] == 1 / 1000
    assert approximate_randomization(good, bad, seed=3) == approximate_randomization(good, bad, seed=3)
    with pytest.raises(Error, match="samples must be at least 1, not 0"):
        approximate_randomization(good, bad, samples=0)


def test_pooled_runs_count_what_their_sentences_count_together() -> None:
    gold = corpus(30)
    runs = [evaluate(gold, noisy(gold, 0.3, seed)) for seed in (1, 2)]
    both = pool(runs)
    assert (both.micro.tp, both.micro.fp) == (sum(r.micro.tp for r in runs), sum(r.micro.fp for r in runs))
    assert both.sentences == 30
    together = evaluate(gold * 2, noisy(gold, 0.3, 1) + noisy(gold, 0.3, 2))
    assert both.f1 == together.f1
    assert both.per_class == together.per_class
    assert pool(runs[:1]).f1 == runs[0].f1
    with pytest.raises(Error, match="there are no scores to pool"):
        pool([])
    with pytest.raises(Error, match="not scored alike: sentences 30 and 29"):
        pool([runs[0], evaluate(gold[1:], gold[1:])])


def test_paired_bootstrap_of_equals_and_of_near_equals() -> None:
    gold = corpus(400)
    one = evaluate(gold, noisy(gold, 0.2, 1))
    same = paired_bootstrap(one, one)
    assert (same.f1.value, same.f1.p_value, same.f1.interval) == (0.0, 1.0, Interval(0.0, 0.0))
    near = paired_bootstrap(one, evaluate(gold, noisy(gold, 0.2, 2)))
    assert near.f1.interval.low < 0 < near.f1.interval.high
    assert near.f1.p_value > 0.025


def test_paired_bootstrap_keeps_the_sentences_paired() -> None:
    # The systems differ in one sentence alone: unpaired resamples would often have either one ahead.
    gold = [["B-PER", "O", "B-PER"] if row % 2 else ["B-PER"] for row in range(100)]
    worse = [["O", "O", "O"] if row % 2 else ["O"] for row in range(100)]
    better = [["B-PER", "O", "O"] if row == 1 else labels for row, labels in enumerate(worse)]
    result = paired_bootstrap(evaluate(gold, better), evaluate(gold, worse), samples=4000)
    # The sentence is not drawn in (1 - 1/100)^100 of the resamples, and only then is there no difference.
    assert result.recall.p_value == pytest.approx(0.99**100, abs=0.03)
    assert result.recall.interval.low == 0


def test_scores_that_cannot_be_compared() -> None:
    one = evaluate([["B-PER"], ["O"]], [["O"], ["O"]])
    with pytest.raises(Error, match="the two systems were not scored alike: sentences 2 and 1"):
        paired_bootstrap(one, evaluate([["O"]], [["O"]]))
    with pytest.raises(Error, match="the two systems were not scored alike: mode lenient and strict"):
        paired_bootstrap(one, evaluate([["B-PER"], ["O"]], [["O"], ["O"]], mode="strict"))
    with pytest.raises(Error, match=r"the two systems were not scored alike: ignore \(\) and \('X',\)"):
        paired_bootstrap(one, evaluate([["B-PER"], ["O"]], [["O"], ["O"]], ignore=["X"]))
    with pytest.raises(
        Error, match="not scored on the same gold labels: sentence 1 has 0 gold entities for the first and 1"
    ):
        paired_bootstrap(one, evaluate([["B-PER"], ["B-PER"]], [["O"], ["O"]]))


def test_bad_options() -> None:
    scores = evaluate([["O"]], [["O"]])
    with pytest.raises(Error, match="samples must be at least 1, not 0"):
        bootstrap(scores, samples=0)
    with pytest.raises(Error, match=r"confidence must be between 0 and 1, not 95"):
        bootstrap(scores, confidence=95)
    for nothing in (evaluate([], []), links.score([], [])):
        with pytest.raises(Error, match="there are no sentences to draw from"):
            bootstrap(nothing)


GOLD_LINKS = [[(k, k) for k in range(5)]] * 80
GOOD_ROWS, BAD_ROWS = (
    [row[: most - number % steps] for number, row in enumerate(GOLD_LINKS)] for most, steps in ((5, 2), (3, 3))
)
GOOD_LINKS, BAD_LINKS = (links.score(GOLD_LINKS, rows) for rows in (GOOD_ROWS, BAD_ROWS))


def test_intervals_hold_the_figures_and_a_better_aligner_is_told() -> None:
    interval = bootstrap(GOOD_LINKS)
    assert interval.aer.low <= GOOD_LINKS.aer <= interval.aer.high
    assert interval == bootstrap(GOOD_LINKS)
    compared = paired_bootstrap(GOOD_LINKS, BAD_LINKS)
    assert compared.aer.value < 0
    assert compared.aer.p_value == 1 / 1001
    assert json.dumps([compared.to_dict(), interval.to_dict(), GOOD_LINKS.to_dict()])


def test_randomization_of_links() -> None:
    found = approximate_randomization(GOOD_LINKS, BAD_LINKS, samples=999)
    assert found.difference["aer"] == pytest.approx(GOOD_LINKS.aer - BAD_LINKS.aer)
    assert found.p_value["aer"] == 1 / 1000
    same = approximate_randomization(GOOD_LINKS, GOOD_LINKS, samples=99)
    assert (same.difference["aer"], same.p_value["aer"]) == (0, 1)


def test_pooled_links_count_what_their_sentences_count_together() -> None:
    both = pool([GOOD_LINKS, BAD_LINKS])
    assert both.sentences == 80
    twice = links.score(GOLD_LINKS * 2, GOOD_ROWS + BAD_ROWS)
    assert (both.precision, both.recall, both.aer) == (twice.precision, twice.recall, twice.aer)
    assert pool([BAD_LINKS]).aer == BAD_LINKS.aer
    assert (pool([GOOD_LINKS] * 3).found == 3 * GOOD_LINKS.found).all()


def test_links_that_cannot_be_compared() -> None:
    with pytest.raises(Error, match="not scored against the same sure links"):
        paired_bootstrap(links.score([[(0, 0)]], [[]]), links.score([[]], [[]]))
    with pytest.raises(Error, match="not scored against the same sure links"):
        pool([GOOD_LINKS, links.score([[]], [[]])])
    with pytest.raises(Error, match="LinkScores and Scores cannot be compared"):
        approximate_randomization(GOOD_LINKS, evaluate([["O"]] * 80, [["O"]] * 80))


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
