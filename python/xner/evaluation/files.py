"""Labels in files against gold labels in files, read piece by piece where their formats can be."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner._support.phrases import number_of, of_normalization
from xner._support.pieces import PIECE_ROWS, WholeNeededError, behind, files_first, pieces_of
from xner._support.progress import each_once, logger
from xner.errors import DataError, Error
from xner.evaluation.entities import Mode, Scores, evaluate
from xner.io.in_step import InStep
from xner.io.other_files import of_tool
from xner.io.own_options import naming_options
from xner.io.parallel import apart, row_lengths

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import numpy.typing as npt

    from xner.io.layout import Layout

__all__ = ["LabelFiles", "LabelledFile"]


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """A file with labels to compare.

    Attributes:
        path: of the file.
        layout: of its columns.
        format: None goes by the name.
        column: that has the labels; None: `gold_labels` where there is such a column, else `labels`.
        own_options: options that hold for this file, by those that hold for others as well, for errors.
        shared: names of the latter that were given and hold for it.
    """

    path: Path
    layout: Layout
    format: str | None
    column: str | None = schema.LABELS
    own_options: Mapping[str, str] = field(default_factory=dict)
    shared: Sequence[str] = ()

    @property
    def reads_pieces(self) -> bool:
        """Whether the file can be read piece by piece."""
        with self._naming():
            return self.layout.reads_pieces(self.path, self.format)

    def _naming(self) -> AbstractContextManager[None]:
        return naming_options(self.path, self.own_options, shared=self.shared)

    def pieces(self, classes: set[str], *, is_whole: bool) -> Generator[pa.Table]:
        """The file's rows, with labels that can be compared.

        Args:
            classes: gets the names that classes have in the file, where the layout has other names for some.
            is_whole: whether it is read as a whole.

        Raises:
            Error: as `Layout.read_for_scores`.
            WholeNeededError: what was read holds only for the rows so far.
        """
        with self._naming():
            if not is_whole:
                yield from self.layout.pieces_for_scores(self.path, self.format, rows=PIECE_ROWS, classes=classes)
                return
            if self.layout.class_map:
                classes.update(self.layout.classes_in(self.layout.read(self.path, self.format)))
            yield from pieces_of(self.layout.read_for_scores(self.path, self.format), PIECE_ROWS)

    def labels(self, table: pa.Table) -> pa.ChunkedArray[Any]:
        """The labels of some rows.

        Raises:
            Error: there is no such column.
        """
        name = self.column or (schema.GOLD_LABELS if schema.GOLD_LABELS in table.column_names else schema.LABELS)
        if name not in table.column_names:
            names = ", ".join(table.column_names)
            tool = of_tool(self.path) if self.format is None else ""
            with self._naming():
                raise Error(f"'{self.path}' has no column '{name}', only: {names}{tool}")
        return table.column(name)


class LabelFiles:
    """Files whose labels are compared, in memory that does not depend on what is in their sentences.

    Args:
        gold: with gold labels; where it is the one with predicted labels, that is read once.
        systems: with labels of the same sentences.
        mode: how labels are read, see `evaluate`.
        ignore_words: whether words may differ from those of the gold data.
    """

    def __init__(
        self, gold: LabelledFile, systems: list[LabelledFile], *, mode: Mode = "lenient", ignore_words: bool = False
    ) -> None:
        self._gold, self._systems = gold, systems
        self._mode: Mode = mode
        self._ignore_words = ignore_words
        first, *_ = systems
        self._is_one_table = (gold.path, gold.layout, gold.format) == (first.path, first.layout, first.format)
        self.classes: set[str] = set()
        """The names that classes have in the files; see `LabelledFile.pieces`."""
        self._unlabelled: list[int] = []

    def scores(self) -> list[Scores]:
        """The scores of each system.

        Sentences without gold labels are not scored, and the logger is told how many these are.

        Raises:
            Error: a file cannot be read, or does not have the gold data's sentences.
            DataError: a row has other words than in the gold data, another number of labels, or gold labels alone.
        """
        with each_once():
            found = self._all_scores()
        if self._unlabelled:
            what = f"{number_of(len(self._unlabelled), 'sentence')} without gold labels, not scored"
            logger.warning("%s: %s; first row %d", self._gold.path, what, self._unlabelled[0])
        return found

    def _all_scores(self) -> list[Scores]:
        if all(one.reads_pieces for one in self._files):
            with suppress(WholeNeededError):
                return self._scores(is_whole=False)
        return self._scores(is_whole=True)

    @property
    def _files(self) -> list[LabelledFile]:
        """Each once, the first system's first."""
        first, *others = self._systems
        return [first, *([] if self._is_one_table else [self._gold]), *others]

    def _scores(self, *, is_whole: bool) -> list[Scores]:
        found: list[list[Scores]] = [[] for _ in self._systems]
        self._unlabelled.clear()
        first = 0
        try:
            for tables in InStep([one.pieces(self.classes, is_whole=is_whole) for one in self._files], _check_counts):
                with behind(first):
                    gold = tables[0 if self._is_one_table else 1]
                    systems = [tables[0], *tables[1 if self._is_one_table else 2 :]]
                    expected = self._gold.labels(gold)
                    self._unlabelled += [first + int(row) for row in np.flatnonzero(~_are_there(expected))]
                    for place, scores in enumerate(self._scores_of(gold, systems)):
                        found[place].append(scores)
                first += len(gold)
                del tables, gold, systems
        except Error:
            self._look_again(is_whole=is_whole)
            raise
        return [Scores.joined(one) for one in found]

    def _scores_of(self, gold: pa.Table, systems: list[pa.Table]) -> Iterator[Scores]:
        expected = self._gold.labels(gold)
        for file, table in zip(self._systems, systems, strict=True):
            labels = file.labels(table)
            if table is not gold:
                self._check_words(gold, table, file)
            _check_lengths(expected, self._gold, labels, file)
            _check_there(expected, labels, file)
            yield self._evaluated(expected, labels)

    def _evaluated(self, gold: pa.ChunkedArray[Any], labels: pa.ChunkedArray[Any]) -> Scores:
        """The scores of the sentences that have gold labels."""
        are_there = _are_there(gold)
        if are_there.all():
            return evaluate(gold, labels, mode=self._mode)
        kept = pa.array(are_there)
        try:
            return evaluate(gold.filter(kept), labels.filter(kept), mode=self._mode)
        except DataError as error:
            row = int(np.flatnonzero(are_there)[error.row])
            raise DataError(row, error.column, error.value, error.reason, row_id=error.row_id) from None

    def _look_again(self, *, is_whole: bool) -> None:
        """Look at one thing after the other, so that what is wrong is named in this order, not in that of rows.

        Raises:
            Error: what is wrong first.
        """
        first, *others = self._systems
        self._read_alone(first, is_whole=is_whole)
        if not self._is_one_table:
            self._read_alone(self._gold, is_whole=is_whole)
            self._compare(first, is_whole=is_whole, lengths=False)
        for one in others:
            self._read_alone(one, is_whole=is_whole)
            self._compare(one, is_whole=is_whole, lengths=False)
            self._compare(one, is_whole=is_whole, lengths=True)
        self._compare(first, is_whole=is_whole, lengths=True)

    def _read_alone(self, file: LabelledFile, *, is_whole: bool) -> None:
        for table in file.pieces(set(), is_whole=is_whole):
            file.labels(table)
            if self._is_one_table and file is self._systems[0]:
                self._gold.labels(table)

    def _compare(self, file: LabelledFile, *, is_whole: bool, lengths: bool) -> None:
        """That a file has as many rows as the gold data, then the words there, or as many labels."""
        if file is self._systems[0] and self._is_one_table:
            return

        def check(place: int, rows: int, count: int) -> None:
            if rows != count:
                raise self._apart(file, rows, count, is_whole=is_whole)

        first = 0
        files = InStep([one.pieces(set(), is_whole=is_whole) for one in (self._gold, file)], check)
        with closing(iter(files)) as pieces, files_first(pieces):
            for gold, table in pieces:
                with behind(first):
                    if lengths:
                        _check_lengths(self._gold.labels(gold), self._gold, file.labels(table), file)
                    else:
                        self._check_words(gold, table, file)
                first += len(gold)

    def _apart(self, file: LabelledFile, rows: int, count: int, *, is_whole: bool) -> Error:
        sides: dict[str, Any] = {}
        for one in (self._gold, file):
            tables = one.pieces(set(), is_whole=is_whole)
            words = [row_lengths(table[schema.TOKENS]) for table in tables if schema.TOKENS in table.column_names]
            sides[str(one.path)] = np.concatenate(words) if words else None
        if any(one is None for one in sides.values()):
            return Error(f"'{self._gold.path}' has {rows} sentences but '{file.path}' has {count}")
        return apart(sides)

    def _check_words(self, gold: pa.Table, table: pa.Table, file: LabelledFile) -> None:
        """That two files have the same sentences in the same order."""
        if self._ignore_words or any(schema.TOKENS not in one.column_names for one in (gold, table)):
            return
        sides = gold.column(schema.TOKENS), table.column(schema.TOKENS)
        if sides[0].equals(sides[1]):
            return
        expected, found = (side.to_pylist() for side in sides)
        row = next((row for row, (one, other) in enumerate(zip(expected, found, strict=True)) if one != other), None)
        if row is not None:
            word, one, other = _first_difference(expected[row], found[row])
            remedy = of_normalization(one or "", other or "") or (
                "; the sentences are others or in another order (`xner pair` puts them in order, --ignore-words scores "
                "them as they are)"
            )
            raise DataError(
                row,
                schema.TOKENS,
                repr(other),
                f"'{self._gold.path}' has {one!r} for word {word}{remedy}",
            )


def _check_counts(place: int, rows: int, count: int) -> None:
    if rows != count:
        raise Error(f"file {place} has {count} sentences and not {rows}")  # said better when looked at again


def _check_lengths(
    gold: pa.ChunkedArray[Any], gold_file: LabelledFile, labels: pa.ChunkedArray[Any], file: LabelledFile
) -> None:
    """That two files have as many labels in each sentence, whatever their words are."""
    lengths = [pc.list_value_length(side) for side in (gold, labels)]
    if lengths[0].equals(lengths[1]):
        return
    for row, (expected, found) in enumerate(zip(*(side.to_pylist() for side in lengths), strict=True)):
        if None not in {expected, found} and expected != found:
            reason = f"'{file.path}' has as many in this row, and '{gold_file.path}' has {expected}"
            raise DataError(row, schema.LABELS, f"{found} labels", reason)


def _are_there(labels: pa.ChunkedArray[Any]) -> npt.NDArray[np.bool_]:
    """Whether sentences have labels."""
    return labels.is_valid().to_numpy()


def _check_there(gold: pa.ChunkedArray[Any], labels: pa.ChunkedArray[Any], file: LabelledFile) -> None:
    """That a file labels each sentence that has gold labels."""
    lacking = np.flatnonzero(_are_there(gold) & ~_are_there(labels))
    if len(lacking):
        reason = f"'{file.path}' does not label this sentence, which has gold labels; label it, or leave it out of both"
        raise DataError(int(lacking[0]), file.column or schema.LABELS, "null", reason)


def _first_difference(expected: list[str] | None, found: list[str] | None) -> tuple[int, str | None, str | None]:
    """The first word that differs: its number, and what both sides have, None beyond a sentence's end."""
    pairs = zip_longest(expected or (), found or ())
    return next((number, one, other) for number, (one, other) in enumerate(pairs) if one != other)
