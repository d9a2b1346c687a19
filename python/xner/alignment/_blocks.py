"""Fitting an aligner block by block, here or on an engine."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count, islice
from typing import TYPE_CHECKING, Protocol

import xner._core as _core
from xner._version import __version__
from xner.alignment._model_file import TrainedOn, core_options
from xner.alignment._pairs import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from xner._support.progress import Reporter
    from xner.alignment._folding import NewWords
    from xner.alignment._pairs import Pairs
    from xner.alignment._vocabulary import Vocabulary
    from xner.alignment.options import AlignerOptions

__all__ = ["Engine", "fit_blocks"]


class Engine(Protocol):
    """What works on blocks; those of `xner.pipelines.engines` do."""

    def map(self, stage: Learn, pieces: Iterable[Pairs], *, memory: int | None = None) -> Iterator[Taught]:
        """What a stage makes of each piece, in order; pieces are read as they are needed.

        Args:
            stage: can be pickled.
            pieces: blocks.
            memory: what one takes, in bytes.
        """

    def threads(self, wanted: int) -> int:
        """How many threads a piece is worked on with."""


@dataclass(frozen=True, slots=True)
class Taught:
    """What a block teaches.

    Attributes:
        statistics: words and types of what it goes on from come first.
        new: by side, the words that this does not have.
        sentences: how many there are.
        words: by side, how many there are.
    """

    statistics: _core.AlignerStatistics
    new: tuple[NewWords, NewWords]
    sentences: int
    words: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Learn:
    """Fits a block, which goes on from what others have taught, and changes nothing of that."""

    options: AlignerOptions
    past: _core.AlignerStatistics
    vocabulary: Vocabulary
    threads: int
    progress: Callable[[int, int], None] | None

    def __call__(self, block: Pairs) -> Taught:
        vocabulary = self.vocabulary.copy()
        source, target = vocabulary.number(block)
        corpus, options = vocabulary.corpus(source, target), core_options(self.options)
        statistics = self.past.fit(corpus, options, threads=self.threads, progress=self.progress)
        one, other = (own.since(past) for own, past in zip(vocabulary.sides, self.vocabulary.sides, strict=True))
        return Taught(statistics, (one, other), len(source.offsets) - 1, (len(source.words), len(target.words)))


class _Ahead:
    """Blocks, of which it is known whether there are more, and how far the fit has come in them."""

    def __init__(self, blocks: Iterator[Pairs], options: AlignerOptions, progress: Reporter) -> None:
        self._blocks = blocks
        self._next = next(blocks, None)
        self._progress = progress
        self._iterations = options.ibm1_iterations + options.hmm_iterations
        self._done = 0

    def __iter__(self) -> Iterator[Pairs]:
        while self._next is not None:
            block, self._next = self._next, next(self._blocks, None)
            yield block

    def report(self, done: int, total: int) -> None:
        """So many iterations of a block are done; those of one more are to come unless it is the last."""
        self._iterations = total
        self._progress("fit", self._done + done, self._done + total * (1 if self._next is None else 2))

    def end_block(self) -> None:
        """A block is done."""
        self._done += self._iterations
        self._progress("fit", self._done, self._done + (0 if self._next is None else self._iterations))


def fit_blocks(
    blocks: Iterator[Pairs],
    options: AlignerOptions,
    vocabulary: Vocabulary,
    *,
    most_entries: int,
    memory: int,
    threads: int,
    progress: Reporter,
    engine: Engine | None,
) -> tuple[_core.AlignerModel, TrainedOn, Vocabulary]:
    """Learn from blocks in rounds of 1, 1, 2, 4, 8, ...: those of a round go on from all rounds before it.

    What a round's blocks teach is added one by one, in their order: where and when each is worked on does not matter.

    Args:
        blocks: of a corpus, at least one.
        options: of the aligner.
        vocabulary: without words yet.
        most_entries: expected links that are kept on a level.
        memory: what a block takes, in bytes.
        threads: for each block; 0 for one a core.
        progress: told `fit`, the iterations done, and their total so far.
        engine: works on the blocks; None for this process.

    Returns:
        The model, what it was fitted on, and the vocabulary with all words.
    """
    sums = _core.AlignerStatistics()
    sentences = words = other_words = number = 0
    ahead = _Ahead(blocks, options, progress)
    following = iter(ahead)
    threads = threads if engine is None else engine.threads(threads)
    for done in count():
        learn = Learn(options, sums, vocabulary, threads, ahead.report if engine is None else None)
        sums, vocabulary = sums.copy(), vocabulary.copy()
        before = number
        in_round = islice(following, 1 << max(0, done - 1))
        for taught in map(learn, in_round) if engine is None else engine.map(learn, in_round, memory=memory):
            source, target = (side.take_in(new) for side, new in zip(vocabulary.sides, taught.new, strict=True))
            sums.add(
                taught.statistics,
                source_words=source.words,
                target_words=target.words,
                types=[*zip(source.types, target.types, strict=True)],
                most_entries=most_entries,
            )
            sentences += taught.sentences
            words += taught.words[0]
            other_words += taught.words[1]
            number += 1
            ahead.end_block()
        if number == before:
            break
        last = vocabulary.corpus(*vocabulary.number(EMPTY))  # looks up once what those that are copied would
    return (
        sums.model(core_options(options), last),
        TrainedOn(sentences, words, other_words, __version__, number),
        vocabulary,
    )
