"""A corpus's memory: how an entity was projected elsewhere, as evidence for where it is unclear.

Names recur. Where the links of one sentence lead an entity astray, the other sentences in which the same words were
projected usually know better. `Memory` collects what a first projection of a whole corpus found and turns it into
hints: scores that the next projection adds to those from the links.

    table = projector(table)
    memory = Memory()
    memory.remember(table)
    table = projector(memory.hint(table))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa

import xner._core as _core
from xner import schema
from xner._support.arguments import positive_number, whole_number
from xner._support.arrow import chunked, flattened, from_core, with_columns
from xner._support.faces import listing
from xner._support.frames import open_rows, to_table
from xner._support.sentences import with_values
from xner.errors import Error
from xner.text.normalization import normalize

if TYPE_CHECKING:
    from collections.abc import Callable

    from xner._support.arrow import Rows
    from xner._support.frames import TableLike

__all__ = ["Memory", "Vocabulary", "numbered", "project_with_memory"]

__dir__ = listing(__all__)


class Vocabulary:
    """Numbers for words: equal for words that fold alike, so that spellings in upper case and the like are one.

    Args:
        fold: from a word to its folded form.
    """

    def __init__(self, fold: Callable[[str], str] = normalize) -> None:
        self._fold = fold
        self._numbers: dict[str, int] = {}  # by folded form
        self._number_of_word: dict[str | None, int] = {}

    def number(self, sentences: pa.Array[Any], *, are_folded: bool = False) -> pa.Array[Any]:
        """Replace words (list<string>) by their numbers (list<int32>); a missing word counts as an empty one.

        Args:
            sentences: lists of words.
            are_folded: whether the words are folded ones already.
        """
        words = flattened(sentences).dictionary_encode(null_encoding="encode")
        distinct = words.dictionary.to_pylist()
        number: Callable[[Any], int] = self._number_of_folded if are_folded else self._number_of
        numbers = np.fromiter(map(number, distinct), np.int32, len(distinct))
        values = numbers[words.indices.to_numpy(zero_copy_only=False)] if len(words) else np.zeros(0, np.int32)
        return with_values(sentences, pa.array(values))

    def _number_of(self, word: str | None) -> int:
        known = self._number_of_word.get(word)
        if known is None:
            known = self._number_of_word[word] = self._number_of_folded(self._fold(word or ""))
        return known

    def _number_of_folded(self, word: str) -> int:
        return self._numbers.setdefault(word, len(self._numbers))


class Memory:
    """What entities were projected onto, over any number of tables.

    Args:
        least: how often a form must have been seen in other sentences to count.
        weight: score of a form that all other sentences agree on. 1 is the score of a span whose every word is linked
            once to the entity's.
        vocabulary: which words are the same. Several memories may share one, so that words are folded once.

    Raises:
        OptionError: a value is out of range.
    """

    def __init__(self, *, least: int = 2, weight: float = 1.0, vocabulary: Vocabulary | None = None) -> None:
        self.least = whole_number("least", least, 1)
        self.weight = positive_number("weight", weight)
        self._vocabulary = Vocabulary() if vocabulary is None else vocabulary
        self._memory = _core.ProjectionMemory()

    def __repr__(self) -> str:
        return f"Memory(least={self.least}, weight={self.weight:g}, {len(self)} source entities)"

    def __len__(self) -> int:
        """Number of different source entities remembered."""
        return len(self._memory)

    def remember(self, table: TableLike) -> None:
        """Take in a projected table.

        Args:
            table: of any kind; has the columns `tokens`, `source_tokens`, `source_entities` and `entities`.

        Raises:
            Error: columns missing or of another type.
            DataError: a span outside its sentence.
        """
        for batch in to_table(table).to_batches():
            self._memory.remember(numbered(batch, self._vocabulary))

    def hint(self, table: Rows, *, threads: int = 0) -> Rows:
        """Add the column `hints`: list<struct<source: int32, start: int32, end: int32, score: float32>>.

        A hint's score is `weight` times the share of its form among all projections of the entity in other rows. What a
        row itself contributed is left out.

        Args:
            table: as for `remember`; rows that were not remembered get hints too.
            threads: 0 for one a core; the result does not depend on it.

        Returns:
            The same kind of object.

        Raises:
            Error: columns missing or of another type.
        """
        opened = open_rows(table)
        hints = [
            from_core(
                self._memory.recall(
                    numbered(batch, self._vocabulary), least=self.least, weight=self.weight, threads=threads
                )
            ).cast(schema.HINTS_TYPE)
            for batch in opened.table.to_batches()
        ]
        column = chunked(hints, schema.HINTS_TYPE)
        return cast("Rows", opened.close(with_columns(opened.table, {schema.HINTS: column})))


def numbered(batch: pa.RecordBatch, vocabulary: Vocabulary) -> pa.RecordBatch:
    """What the core takes of a projected batch: its words as numbers, and both sides' entities.

    Raises:
        Error: columns missing or of another type.
    """
    needed = [schema.TOKENS, schema.SOURCE_TOKENS, schema.SOURCE_ENTITIES, schema.ENTITIES]
    schema.require_columns(batch.schema, needed, "the memory")
    columns = schema.conform(batch, needed)
    return pa.RecordBatch.from_arrays(
        [
            vocabulary.number(columns.column(schema.SOURCE_TOKENS)),
            vocabulary.number(columns.column(schema.TOKENS)),
            columns.column(schema.SOURCE_ENTITIES),
            columns.column(schema.ENTITIES),
        ],
        names=["source_words", "target_words", schema.SOURCE_ENTITIES, schema.ENTITIES],
    )


def project_with_memory(
    table: Rows, projector: Callable[[pa.Table], pa.Table], memory: Memory | None = None, *, threads: int = 0
) -> Rows:
    """Project a whole corpus twice, the second time with what the first one found.

    Args:
        table: as for `xner.Projector`, with `source_tokens`.
        projector: makes the columns `entities`, `labels` and `status`, and adds up `hints` where there are any.
        memory: where to remember; None for a new one.
        threads: as in `Memory.hint`.

    Returns:
        The second projection, as the same kind of object; its scores include the hints', and it has the column
        `hints`.

    Raises:
        Error: the table has `hints` already, which would be lost.
    """
    opened = open_rows(table)
    if schema.HINTS in opened.table.schema.names:
        raise Error(
            f"the memory makes the column '{schema.HINTS}', which the table has already: drop it, or call the "
            "projector alone, which adds up the scores that are there"
        )
    memory = Memory() if memory is None else memory
    first = projector(opened.table)
    memory.remember(first)
    hints = memory.hint(first, threads=threads).column(schema.HINTS)
    return cast("Rows", opened.close(projector(opened.table.append_column(schema.HINTS, hints))))
