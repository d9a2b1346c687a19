"""The search for the best setting, with held-out folds.

What is chosen on some sentences does better on them than on others. So the search is done once more for every fold
of the sentences without looking at that fold's gold labels, and the figure to believe is that of the settings chosen
so, each on the fold it was chosen without (cross-validation of the whole search, not of the chosen setting alone).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from xner._support.arguments import whole_number
from xner.errors import Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt

    from xner.experiments.tuning.space import Setting, Space

__all__ = ["Counts", "Search", "f1", "search"]

Counts: TypeAlias = "npt.NDArray[np.int32]"
"""Sentences x 3: entities found, found in error, not found."""


class Trials(Protocol):
    """Tries settings."""

    def __call__(self, settings: Sequence[Setting]) -> Iterable[Counts]:
        """The counts of each setting, in order, all of the same number of sentences."""


def f1(totals: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Micro F1 of totals of counts (... x 3); 0 where nothing is there to find."""
    found, wrong, missed = np.moveaxis(np.asarray(totals, dtype=np.float64), -1, 0)
    result: npt.NDArray[np.float64] = 2 * found / np.maximum(2 * found + wrong + missed, 1)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What `search` tried and chose.

    Attributes:
        settings: all that were tried, the default first.
        counts: settings x sentences x 3: entities found, found in error, not found.
        folds: by sentence, its fold.
        chosen: number of the setting that is best on all sentences.
        chosen_without: by fold, the setting that was chosen without looking at it.
    """

    settings: list[Setting]
    counts: npt.NDArray[np.int32] = field(repr=False)
    folds: npt.NDArray[np.int64] = field(repr=False)
    chosen: int
    chosen_without: tuple[int, ...]

    @property
    def held_out(self) -> Counts:
        """Every sentence's counts by the setting that was chosen without its fold."""
        by_sentence = np.asarray(self.chosen_without)[self.folds]
        result: Counts = self.counts[by_sentence, np.arange(len(self.folds))]
        return result


class _View:
    """One search: the sentences that it may look at, and the settings that it has come upon."""

    def __init__(self, sentences: npt.NDArray[np.bool_]) -> None:
        self.sentences = sentences
        self.explored: set[int] = set()
        self._known: dict[int, tuple[float, tuple[int, ...]]] = {}  # by number of the setting: what is to be small

    def take(self, number: int, counts: Counts, distance: tuple[int, ...]) -> None:
        if number not in self._known:
            self._known[number] = (-float(f1(counts[self.sentences].sum(axis=0))), distance)

    def best(self) -> int:
        """Among equals the setting that is nearest to the default."""
        return min(self._known, key=self._known.__getitem__)


class _Book:
    """The settings tried so far, each tried once whoever asks for it."""

    def __init__(self, trials: Trials, budget: int, progress: Callable[[str, int, int], None]) -> None:
        self._trials = trials
        self._budget = budget
        self._progress = progress
        self._numbers: dict[tuple[Any, ...], int] = {}
        self.settings: list[Setting] = []
        self.counts: list[Counts] = []

    @property
    def left(self) -> int:
        return self._budget - len(self.settings)

    def knows(self, setting: Setting) -> bool:
        return tuple(setting.values()) in self._numbers

    def try_all(self, settings: Iterable[Setting]) -> list[int]:
        """Numbers of the settings, new ones tried as far as the budget goes; what is beyond it is left out."""
        wanted = []
        new: list[Setting] = []
        for setting in settings:
            key = tuple(setting.values())
            if key not in self._numbers:
                if len(new) >= self.left:
                    continue
                self._numbers[key] = len(self.settings) + len(new)
                new.append(setting)
            wanted.append(self._numbers[key])
        for setting, counts in zip(new, self._trials(new), strict=True):
            self.settings.append(setting)
            self.counts.append(counts)
            self._progress("settings", len(self.settings), self._budget)
        return list(dict.fromkeys(wanted))


def _silent(what: str, done: int, total: int) -> None:
    """Report nothing."""


def search(
    space: Space,
    trials: Trials,
    sentences: int,
    *,
    budget: int = 2000,
    folds: int = 5,
    seed: int = 1,
    progress: Callable[[str, int, int], None] = _silent,
) -> Search:
    """Look for the setting with the highest micro F1.

    Half of the settings are drawn at random; then come the neighbours of the best one, each differing from it in one
    option, and those of a better one among them, until none is better; then, while there are settings left to try, the
    same again. That is done on all sentences, and for each fold on the sentences of the other folds. The result depends
    on the seed alone.

    Args:
        space: of the settings.
        trials: tries them.
        sentences: how many there are.
        budget: how many settings to try at most, the default among them.
        folds: how many parts of the sentences are held out in turn.
        seed: of the random numbers.
        progress: called with a name, how many settings were tried, and their number.

    Raises:
        Error: fewer sentences than folds, or an argument out of range.
    """
    whole_number("trials", budget, 1)
    whole_number("folds", folds, 2)
    if sentences < folds:
        raise Error(f"{sentences} sentences cannot be split into {folds} folds")
    generator = np.random.default_rng(seed)
    fold_of = generator.permutation(np.arange(sentences) % folds)
    views = [_View(np.ones(sentences, np.bool_)), *(_View(fold_of != fold) for fold in range(folds))]
    book = _Book(trials, budget, progress)

    def show(views: Iterable[_View], numbers: Iterable[int]) -> None:
        for number in numbers:
            for view in views:
                view.take(number, book.counts[number], space.distance(book.settings[number]))

    show(views, book.try_all([space.default]))
    while book.left:
        drawn = _draws(space, generator, book, (book.left + 1) // 2)
        if not drawn:
            break
        show(views, book.try_all(drawn))
        for view in views:
            while (best := view.best()) not in view.explored and book.left:
                view.explored.add(best)
                show([view], book.try_all(space.neighbours(book.settings[best])))
    return Search(
        settings=book.settings,
        counts=np.stack(book.counts),
        folds=fold_of,
        chosen=views[0].best(),
        chosen_without=tuple(view.best() for view in views[1:]),
    )


def _draws(space: Space, generator: np.random.Generator, book: _Book, count: int) -> list[Setting]:
    """Different settings drawn at random, fewer in a space that has hardly more."""
    drawn: dict[tuple[Any, ...], Setting] = {}
    for _ in range(20 * count):
        if len(drawn) >= count:
            break
        setting = space.draw(generator)
        if not book.knows(setting):
            drawn.setdefault(tuple(setting.values()), setting)
    return list(drawn.values())
