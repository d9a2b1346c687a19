"""The files of a parallel corpus, read when they are needed: as a whole, or piece by piece in bounded memory."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xner import labels, schema
from xner._support.arrow import one_array
from xner._support.pieces import PIECE_ROWS, WholeNeededError
from xner._support.progress import logger
from xner.errors import DataError
from xner.io._lines import row_ids
from xner.io.formats import format_of, format_to_read
from xner.io.in_step import InStep
from xner.io.layout import AS_TOLD, Layout
from xner.io.own_options import OF_SOURCE, OF_TARGET, naming_options
from xner.io.parallel import apart, check_order, row_lengths
from xner.io.parquet import parquet_size
from xner.io.sides import (
    SCORE_COLUMNS,
    LinkBounds,
    add_scores,
    beside,
    check_links,
    is_table_of_links,
    links_apart,
    links_pieces,
    read_links,
    read_pairs,
    scores_apart,
    scores_pieces,
    source_pieces,
    target_pieces,
    with_scores,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from xner.io.parallel import Lengths
    from xner.io.pharaoh import OnError

__all__ = ["Pairs", "PairsReader", "scan_pairs"]

_SOURCE_COLUMNS = {schema.SOURCE_TOKENS, schema.SOURCE_ENTITIES, schema.LABELS}
_NUMBER = r"^(0|[1-9][0-9]*)$"


@dataclass(frozen=True, slots=True)
class Pairs:
    """The files of a parallel corpus, of which nothing has been read yet; see `scan_pairs`.

    Attributes:
        source: labelled sentences.
        target: as many sentences.
        source_format: None goes by the name.
        target_format: likewise.
        links: files of word links.
        one_based: whether those in Pharaoh format count words from 1.
        reverse: whether they say target-source.
        on_error: what becomes of wrong rows, and of wrong lines of links.
        scores: files with columns that scores need.
        scheme: of the source labels.
        read_labels: how strictly they are read.
        layout: of the columns of both files.
        told: gets a line that says what the source labels are.
        as_whole: whether pieces are cut from what is read as a whole, where that is known to be needed.
    """

    source: str | os.PathLike[str]
    target: str | os.PathLike[str]
    source_format: str | None = None
    target_format: str | None = None
    links: Sequence[str | os.PathLike[str]] = ()
    one_based: bool = False
    reverse: bool = False
    on_error: OnError = "raise"
    scores: Sequence[str | os.PathLike[str]] = ()
    scheme: labels.Scheme = "IOB2"
    read_labels: labels.Reading = "lenient"
    layout: Layout = field(default=AS_TOLD)
    told: Callable[[str], None] = logger.info
    as_whole: bool = False

    def read(self) -> tuple[pa.Table, list[pa.ChunkedArray[Any]]]:
        """The table of both sides, as `read_pairs` gives it, and each file's links.

        Raises:
            Error: as `read_pairs`; a file of links has another number of rows.
        """
        table = read_pairs(
            self.source,
            self.target,
            source_format=self.source_format,
            target_format=self.target_format,
            scores=(),
            scheme=self.scheme,
            read_labels=self.read_labels,
            layout=self.layout,
            on_error=self.on_error,
            told=self.told,
        )
        table = add_scores(table, self.scores)
        how: Any = {"one_based": self.one_based, "reverse": self.reverse, "on_error": self.on_error}
        found = [read_links(path, table.num_rows, **how) for path in self.links]
        for path, links in zip(self.links, found, strict=True):
            if not self.one_based:
                check_links(links, table, path)
        return table, found

    @property
    def reads_pieces(self) -> bool:
        """Whether `pieces` can read the files; formats and ways of reading for which rows are needed as a whole cannot.

        Raises:
            Error: a file's name tells no format.
        """
        return not self.read_as_wholes

    @property
    def read_as_wholes(self) -> list[str | os.PathLike[str]]:
        """The files that cannot be read piece by piece.

        Raises:
            Error: a file's name tells no format.
        """
        files: list[tuple[Layout, str | os.PathLike[str], str | None, Mapping[str, str]]] = [
            (self.layout, self.source, self.source_format, OF_SOURCE),
            (self.layout.of_target, self.target, self.target_format, OF_TARGET),
            *((AS_TOLD, path, None, {}) for path in self.scores),
        ]
        wholes = []
        for layout, path, kind, options in files:
            with naming_options(path, options):
                wholes += [] if layout.reads_pieces(path, kind) else [path]
        return wholes

    @property
    def files(self) -> dict[str, str | os.PathLike[str]]:
        """The files by what they are."""
        scores = {f"scores {number}": path for number, path in enumerate(self.scores)}
        links = {f"links {number}": path for number, path in enumerate(self.links)}
        return {"source": self.source, "target": self.target, **scores, **links}

    @property
    def how(self) -> list[str]:
        """What decides, beside the files' content, what is read of them."""
        with naming_options(self.source, OF_SOURCE):
            formats = [format_to_read(self.source, self.source_format)]
        with naming_options(self.target, OF_TARGET):
            formats.append(format_to_read(self.target, self.target_format))
        links = [f"{is_table_of_links(path)}" for path in self.links]
        labels_as = self.scheme, self.read_labels
        return [*formats, *links, repr((self.one_based, self.reverse, self.on_error, self.layout, labels_as))]

    @property
    def rows(self) -> int | None:
        """How many sentence pairs there are, where a file says so in front; None: that is not known."""
        sizes = [self._size(role) for role in ("target", "source")]
        return next((size[0] for size in sizes if size is not None), None)

    @property
    def piece_bytes(self) -> int | None:
        """About how large a piece is in memory, where all files say how large they are; None: that is not known."""
        found = [size for role in self.files if (size := self._size(role)) is not None]
        if len(found) < len(self.files):
            return None
        rows = max(rows for rows, _ in found)
        return sum(size for _, size in found) * PIECE_ROWS // max(rows, PIECE_ROWS)

    @contextmanager
    def naming_files(self) -> Iterator[None]:
        """Names, in errors about rows, the file that the rows are of, where the errors do not.

        Raises:
            DataError: the same one, of which the reason names the file.
        """
        try:
            yield
        except DataError as error:
            path = None if any(f"'{path}'" in error.reason for path in self.files.values()) else self._file_of(error)
            if path is None:
                raise
            line = f"line {error.row + 1} of " if path in self.links and not is_table_of_links(path) else "in "
            reason = f"{line}'{path}': {error.reason}"
            raise DataError(error.row, error.column, error.value, reason, row_id=error.row_id) from None

    def _file_of(self, error: DataError) -> str | os.PathLike[str] | None:
        """The file with what is wrong; None where that is not known."""
        if error.row < 0:
            return None
        if error.column == schema.LINKS:
            return self.links[0] if len(self.links) == 1 else self._file_of_link(error)
        if error.column in SCORE_COLUMNS and self.scores:
            return self.scores[0] if len(self.scores) == 1 else None
        return self.source if error.column in _SOURCE_COLUMNS else self.target

    def _file_of_link(self, error: DataError) -> str | os.PathLike[str] | None:
        """The first file that has a wrong link in its row."""
        for path in self.links:
            first = 0
            how: Any = {"one_based": self.one_based, "reverse": self.reverse, "on_error": self.on_error}
            for piece in links_pieces(path, rows=PIECE_ROWS, **how):
                if error.row < first + len(piece):
                    found = piece[error.row - first].as_py() or ()
                    if error.value in {f"{one['source']}-{one['target']}" for one in found}:
                        return path
                    break
                first += len(piece)
        return None

    def _size(self, role: str) -> tuple[int, int] | None:
        """A file's rows and bytes, if it says so in front."""
        path = self.files[role]
        given = {"source": self.source_format, "target": self.target_format}.get(role)
        if role.startswith("links"):
            is_parquet = is_table_of_links(path) and format_of(path) == "parquet"
        else:
            is_parquet = format_to_read(path, given) == "parquet"
        return parquet_size(path) if is_parquet else None

    def pieces(self, rows: int = PIECE_ROWS) -> PairsReader:
        """Reads the files piece by piece.

        Args:
            rows: of each piece but the last; there is at least one.
        """
        return _PiecesOfWhole(self, rows) if self.as_whole else PairsReader(self, rows)


def scan_pairs(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    links: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    **how: Any,
) -> Pairs:
    """A labelled side, the side to be labelled and their links, which `Pipeline.run` reads when it needs them.

    Where links are ready and nothing needs the corpus as a whole, this is piece by piece, in memory that does not
    depend on the number of rows.

    Args:
        source: labelled sentences, as for `read_pairs`.
        target: as many sentences, likewise.
        links: a file of word links, or several.
        **how: further attributes of `Pairs`: formats, `one_based`, `reverse`, `on_error`, `scores`, `scheme`,
            `read_labels`, `layout`, `told`.
    """
    several = (links,) if isinstance(links, str | os.PathLike) else tuple(links)
    return Pairs(source, target, links=several, **how)


class PairsReader:
    """Reads the files of a corpus piece by piece, each in a thread of its own.

    Args:
        pairs: the files.
        rows: of each piece but the last.
    """

    def __init__(self, pairs: Pairs, rows: int) -> None:
        self._pairs, self._rows = pairs, rows
        self._tags: labels.Tags | None = None
        self._ids = _Ids()
        self._has_ended = False

    def __iter__(self) -> Iterator[tuple[pa.Table, list[pa.Array[Any]]]]:
        """Tables of both sides, as `read_pairs` gives them, and each file's links.

        Raises:
            Error: as `Pairs.read`, of what comes first; all of the source comes before the target, and so on.
            WholeNeededError: what was read holds only for the rows so far, as where later labels have another spelling.
        """
        with self._noting_ends(), closing(iter(InStep(self._readers(), self._check_count))) as files:
            for found in files:
                after = 2 + len(self._pairs.scores)
                table = self._beside(*found[:2])
                for path, scores in zip(self._pairs.scores, found[2:after], strict=True):
                    table = with_scores(table, scores, path)
                    del scores
                yield table, found[after:]
                del table, found  # they are not held here while the next ones are made
            self._check_end()

    def check_rest(self, *, links: bool) -> None:
        """Read what was not asked for, so as to see whether it is sound; for runs that something else has stopped.

        Args:
            links: whether some are wrong, which may be as they are counted from 1.

        Raises:
            Error: as reading does.
        """
        if self._has_ended and not links:
            return
        pairs = self._pairs
        bounds = [LinkBounds(path) for path in pairs.links] if links and not pairs.one_based else []
        for table, found in PairsReader(pairs, self._rows):
            for one, column in zip(bounds, found, strict=False):
                one.look_at(column, table)
        for one in bounds:
            one.check()

    @contextmanager
    def _noting_ends(self) -> Iterator[None]:
        """Notes that there is nothing more to be found by reading; not where nobody has asked for the rest."""
        try:
            yield
        except GeneratorExit:
            raise
        except BaseException:
            self._has_ended = True
            raise
        self._has_ended = True

    def _readers(self) -> list[Generator[Any]]:
        pairs, rows = self._pairs, self._rows
        how: Any = {"one_based": pairs.one_based, "reverse": pairs.reverse, "on_error": pairs.on_error, "rows": rows}
        scores = [scores_pieces(path, rows=rows) for path in pairs.scores]
        return [self._source(), self._target(), *scores, *(links_pieces(path, **how) for path in pairs.links)]

    def _source(self) -> Generator[pa.Table]:
        pairs = self._pairs
        labels_as: Any = {"scheme": pairs.scheme, "mode": pairs.read_labels}
        how: Any = {"layout": pairs.layout, "on_error": pairs.on_error, "rows": self._rows}
        self._tags = yield from source_pieces(pairs.source, format=pairs.source_format, **labels_as, **how)

    def _target(self) -> Generator[pa.Table]:
        pairs = self._pairs
        how: Any = {"layout": pairs.layout, "on_error": pairs.on_error, "rows": self._rows}
        return target_pieces(pairs.target, format=pairs.target_format, **how)

    def _check_count(self, place: int, rows: int, count: int) -> None:
        """That a file has as many rows as the source."""
        pairs = self._pairs
        if place == 0:
            self._tell_tags()
        elif rows == count:
            return
        elif place == 1:
            raise apart({str(pairs.source): self._lengths(0), str(pairs.target): self._lengths(1)})
        elif place < 2 + len(pairs.scores):
            raise scores_apart(pairs.scores[place - 2], count, rows)
        else:
            raise links_apart(pairs.links[place - 2 - len(pairs.scores)], count, rows)

    def _tell_tags(self) -> None:
        if self._tags is not None:
            self._pairs.told(f"{self._pairs.source}: {self._tags}")
            self._tags = None

    def _lengths(self, place: int) -> Lengths:
        """How many words each sentence of a side has."""
        name = (schema.SOURCE_TOKENS, schema.TOKENS)[place]
        again = PairsReader(self._pairs, self._rows)
        return np.concatenate([row_lengths(piece[name]) for piece in again._readers()[place]])

    def _beside(self, source: pa.Table, target: pa.Table) -> pa.Table:
        takes_source_ids = False
        if schema.ID in source.schema.names and schema.ID in target.schema.names:
            takes_source_ids = self._ids.look_at(source[schema.ID], target[schema.ID])
        return beside(source, target, takes_source_ids=takes_source_ids)

    def _check_end(self) -> None:
        """What can be said once all was read."""
        pairs = self._pairs
        if self._ids.may_be_in_another_order:
            again = PairsReader(pairs, self._rows)
            sides = ([one for piece in side for one in piece[schema.ID].to_pylist()] for side in again._readers()[:2])
            check_order(*sides, source_name=str(pairs.source), target_name=str(pairs.target))
        self._tell_tags()


class _PiecesOfWhole(PairsReader):
    """Reads the files of a corpus as a whole, and gives that piece by piece as `PairsReader` does.

    Args:
        pairs: the files.
        rows: of each piece but the last.
    """

    def __iter__(self) -> Iterator[tuple[pa.Table, list[pa.Array[Any]]]]:
        """See `PairsReader`.

        Raises:
            Error: as `Pairs.read`.
        """
        table, links = self._pairs.read()
        for first in range(0, max(1, table.num_rows), self._rows):
            yield table.slice(first, self._rows), [one_array(one.slice(first, self._rows)) for one in links]

    def check_rest(self, *, links: bool) -> None:
        """Nothing is left to be read."""


class _Ids:
    """What the ids of two sides say, piece by piece: whose count, and whether they may be in another order."""

    def __init__(self) -> None:
        self._rows = 0
        self._are_equal = True
        self._are_numbers = [True, True]  # no more than those of their rows
        self._have_names = [False, False]  # some are no numbers at all
        self._chosen: bool | None = None

    def look_at(self, source: pa.ChunkedArray[Any], target: pa.ChunkedArray[Any]) -> bool:
        """Look at the next rows; whether their ids are the source's.

        Raises:
            WholeNeededError: they are, of those before they were not, or the other way round.
        """
        sides = [one.cast(pa.string()) for one in (source, target)]
        numbers = pa.chunked_array([row_ids(self._rows, len(source))])
        self._rows += len(source)
        for side, ids in enumerate(sides):
            self._are_numbers[side] = self._are_numbers[side] and ids.equals(numbers)
        if self._chosen is not None and self._chosen is not self._are_numbers[1]:
            raise WholeNeededError
        if sides[0].equals(sides[1]):
            return False  # either side's will do
        self._are_equal = False
        for side, ids in enumerate(sides):
            is_number: Any = pc.match_substring_regex(ids, _NUMBER).fill_null(False)
            self._have_names[side] = self._have_names[side] or not pc.all(is_number, min_count=0).as_py()
        self._chosen = self._are_numbers[1]
        return self._chosen

    @property
    def may_be_in_another_order(self) -> bool:
        """Whether ids differ, and not just because one side has numbers where the other one has names."""
        if self._are_equal:
            return False
        return not any(self._are_numbers[side] and self._have_names[1 - side] for side in (0, 1))
