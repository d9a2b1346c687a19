"""Shifts that are made against a tagger: those changes that cost it most of its confidence in the right labels.

Edits that were found with one tagger are the same for all others, so that what they cost these tells whether the
weakness is shared.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xner import labels, schema
from xner._support.arguments import choose, whole_number
from xner.errors import OptionError
from xner.experiments.shift._draws import Draws, keys_of
from xner.experiments.shift.base import State
from xner.experiments.shift.edits import edit_sentences
from xner.experiments.shift.planning import plan, wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xner.experiments.shift.base import Change, Shift
    from xner.experiments.shift.edits import Corpus, Edit, Sentence
    from xner.experiments.shift.options import ShiftOptions
    from xner.models.taggers.tagger import WordTagger

__all__ = ["SEARCHES", "Search", "confidences", "harmful", "mean_confidence"]

Search = Literal["worst", "greedy"]
SEARCHES: Final = get_args(Search)

_LEAST: Final = 1e-9  # a probability, and that of labels that a tagger does not know
_TOGETHER: Final = 4096  # sentences that a tagger is handed at once


def confidences(tagger: WordTagger, sentences: Sequence[Sentence]) -> npt.NDArray[np.float64]:
    """How sure a tagger is of the right labels of sentences.

    Args:
        tagger: that is asked.
        sentences: with the right entities.

    Returns:
        For each the mean logarithm of its words' probabilities, at most 0; 0 for a sentence without words.
    """
    numbers = {name: number for number, name in enumerate(tagger.label_names)}
    found = np.zeros(len(sentences))
    for first in range(0, len(sentences), _TOGETHER):
        some = sentences[first : first + _TOGETHER]
        tagged = tagger.tag_batch(pa.array([one.words for one in some], schema.WORDS_TYPE))
        right = [numbers.get(name, -1) for one in some for name in labels.encode(one.entities, len(one.words))]
        columns = np.array(right, np.int64)
        probabilities = np.asarray(tagged.probabilities, np.float64)
        chosen = np.where(columns >= 0, probabilities[np.arange(len(columns)), columns], 0.0)
        sums = np.concatenate([[0.0], np.cumsum(np.log(np.maximum(chosen, _LEAST)))])
        lengths = np.array([len(one.words) for one in some], np.int64)
        ends = np.cumsum(lengths)
        found[first : first + _TOGETHER] = (sums[ends] - sums[ends - lengths]) / np.maximum(lengths, 1)
    return found


def mean_confidence(tagger: WordTagger, sentences: Sequence[Sentence]) -> float:
    """The mean of `confidences`; 0 without sentences."""
    return float(confidences(tagger, sentences).mean()) if sentences else 0.0


def harmful(
    corpus: Corpus, made: Shift, options: ShiftOptions, tagger: WordTagger, search: Search, budget: int
) -> list[Edit]:
    """Edits that cost a tagger confidence.

    Args:
        corpus: that is shifted.
        made: how.
        options: severity and seed.
        tagger: that is asked.
        search: see `shift`.
        budget: how many variants of a sentence it is asked about.

    Raises:
        OptionError: a search that there is not, no budget, or a kind whose rows change in number.
    """
    choose("search", search, dict.fromkeys(SEARCHES))
    whole_number("budget", budget, 1)
    if options.kind == "length":
        raise OptionError("against: goes with every kind but 'length'")
    find = _worst if search == "worst" else _greedy
    return find(corpus, made, options, tagger, budget)


def _worst(corpus: Corpus, made: Shift, options: ShiftOptions, tagger: WordTagger, budget: int) -> list[Edit]:
    """Of several shifts of the whole corpus, each sentence's worst one."""
    by_row = []
    costs = []
    for variant in range(budget):
        edits = [edit for change in plan(corpus, made, options, variant=variant) for edit in change.edits]
        own: defaultdict[int, list[Edit]] = defaultdict(list)
        for edit in edits:
            own[edit.row].append(edit)
        by_row.append(own)
        costs.append(confidences(tagger, edit_sentences(corpus.sentences, edits)[0]))
    worst = np.argmin(np.stack(costs), axis=0) if corpus.sentences else []
    return [edit for row, variant in enumerate(worst) for edit in by_row[int(variant)][row]]


class _Trial(NamedTuple):
    """A change that is tried alone."""

    row: int
    change: Change


def _greedy(corpus: Corpus, made: Shift, options: ShiftOptions, tagger: WordTagger, budget: int) -> list[Edit]:
    """The changes of each sentence that do most harm alone, as far as they go together."""
    keys = keys_of(options.seed, options.kind, len(made.units))
    of_row: defaultdict[int, list[int]] = defaultdict(list)
    for number in np.argsort(keys, kind="stable").tolist():
        of_row[made.units[number].row].append(number)
    untouched = State(corpus, len(made.units))
    trials = [
        _Trial(row, change)
        for row, numbers in sorted(of_row.items())
        for change in _candidates(made, numbers, keys, untouched, budget)
    ]
    alone = [corpus.sentences[one.row] for one in trials]
    variants, _, _ = edit_sentences(alone, _renumbered(one.change.edits for one in trials))
    before = confidences(tagger, corpus.sentences)
    harm = np.array([before[one.row] for one in trials]) - confidences(tagger, variants)
    left = {row: max(1, wanted(len(numbers), options)) for row, numbers in of_row.items()}
    state = State(corpus, len(made.units))
    edits: list[Edit] = []
    for place in np.argsort(-harm, kind="stable").tolist():
        row, change = trials[place]
        if harm[place] > 0 and left[row] >= len(change.units) and state.fits(change):
            state.make(change)
            left[row] -= len(change.units)
            edits += change.edits
    return edits


def _candidates(
    made: Shift, numbers: Sequence[int], keys: npt.NDArray[np.uint64], state: State, budget: int
) -> list[Change]:
    """Up to so many different changes of a sentence: of all its units, then others of the same ones."""
    found: dict[tuple[Any, ...], Change] = {}
    for attempt in range(budget):
        for number in numbers:
            change = made.change(number, Draws(int(keys[number]) ^ attempt), state)
            if change is not None:
                found.setdefault(change.edits, change)
            if len(found) == budget:
                return list(found.values())
        if not found:
            break
    return list(found.values())


def _renumbered(groups: Iterable[Sequence[Edit]]) -> list[Edit]:
    """Edits of as many rows as there are groups."""
    return [replace(edit, row=row) for row, edits in enumerate(groups) for edit in edits]
