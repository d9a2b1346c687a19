"""Fitting an aligner: at once, or block by block where the corpus is too large for that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final

import xner._core as _core
from xner._support.memory import available_memory, memory_size
from xner._support.progress import logger
from xner._version import __version__
from xner.alignment._blocks import fit_blocks
from xner.alignment._model_file import Fitted, TrainedOn, core_options
from xner.alignment._pairs import EMPTY, blocks_of
from xner.alignment._vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xner._support.progress import Reporter
    from xner.alignment._blocks import Engine
    from xner.alignment._pairs import Pairs
    from xner.alignment.lexicon import Lexicon
    from xner.alignment.options import AlignerOptions

__all__ = ["fit"]

# Measured: what a fit takes for a cell, and an expected link that is kept while what blocks teach is added up.
_BYTES_PER_CELL: Final = 56
_BYTES_PER_ENTRY: Final = 32
_SHARE_OF_A_BLOCK: Final = 0.6


@dataclass(frozen=True, slots=True)
class _Limits:
    """What fits into memory.

    Attributes:
        memory: in all, in bytes.
        cells: of a block.
        entries: expected links that are kept on a level.
    """

    memory: int
    cells: int
    entries: int

    @classmethod
    def of(cls, max_memory: int | str | None, levels: int) -> _Limits:
        size = available_memory() // 2 if max_memory is None else memory_size("max_memory", max_memory)
        block = int(size * _SHARE_OF_A_BLOCK)
        return cls(size, max(1, block // _BYTES_PER_CELL), max(1, (size - block) // (_BYTES_PER_ENTRY * levels)))


def fit(
    parts: Iterable[Pairs],
    options: AlignerOptions,
    *,
    max_memory: int | str | None,
    threads: int,
    progress: Reporter,
    lexicon: Lexicon | None = None,
    engine: Engine | None = None,
) -> Fitted:
    """Learn from a corpus that comes in parts.

    Args:
        parts: of the corpus; nothing of one is needed when the next one is asked for, unless they are small.
        options: of the aligner.
        max_memory: bytes, or a size like `2GB`; None for half of what is free.
        threads: 0 for one per core.
        progress: told `fit`, the iterations done, and their total so far.
        lexicon: what is known of the languages beforehand.
        engine: works on the blocks where there are several; None for this process.
    """
    vocabulary = Vocabulary(options, lexicon)
    limits = _Limits.of(max_memory, vocabulary.sides[0].levels)
    blocks = blocks_of(parts, limits.cells)
    first, second = next(blocks, EMPTY), next(blocks, None)
    if second is None:
        source, target = vocabulary.number(first)
        model = _core.fit_aligner(
            vocabulary.corpus(source, target), core_options(options), threads=threads, progress=partial(progress, "fit")
        )
        trained_on = TrainedOn(len(source.offsets) - 1, len(source.words), len(target.words), __version__)
    else:
        model, trained_on, vocabulary = fit_blocks(
            chain([first, second], blocks),
            options,
            vocabulary,
            most_entries=limits.entries,
            memory=limits.memory,
            threads=threads,
            progress=progress,
            engine=engine,
        )
    if vocabulary.is_turned:
        logger.warning("lexicon: no entry is in the sentences from source to target: it is turned round")
    if lexicon is not None:
        trained_on = replace(trained_on, lexicon=(len(lexicon.entries), vocabulary.hits))
    forms = ([_core.TextIndex.of(side.forms(level, 0)) for level in range(side.levels)] for side in vocabulary.sides)
    return Fitted(model, options, trained_on, [*zip(*forms, strict=True)])
