"""A corpus that is projected piece by piece: its files, and what has to be known of it as a whole."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from xner._support.pieces import WholeNeededError, ahead
from xner.io.parquet import parquet_size
from xner.pipelines import recipes
from xner.pipelines.identity import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    import pyarrow as pa

    from xner.io.pairs import Pairs
    from xner.pipelines.checkpoints import Checkpoints
    from xner.pipelines.corrections import Reviewed
    from xner.projection.name_counts import KnownNames

__all__ = ["Prepared", "StepFile", "StepReader", "noting_wholes", "quiet", "tables_of"]


def tables_of(files: list[Pairs]) -> Iterator[pa.Table]:
    """The sides of all files, piece by piece, without a word about them."""
    for place in range(len(files)):
        with noting_wholes(files, place):
            for table, _ in quiet(files[place]).pieces():
                yield table


@contextmanager
def noting_wholes(files: list[Pairs], place: int) -> Iterator[None]:
    """Names a file in errors about its rows; one that turns out to be needed as a whole is read so the next time."""
    with files[place].naming_files():
        try:
            yield
        except WholeNeededError:
            files[place] = replace(files[place], as_whole=True)
            raise


def quiet(pairs: Pairs) -> Pairs:
    """The same files, of which nothing is told."""
    return replace(pairs, told=lambda _: None)


@dataclass(frozen=True, slots=True)
class StepFile:
    """The output of steps that lead to links, read piece by piece as `Pairs` are."""

    path: Path
    as_whole: bool = False

    @property
    def rows(self) -> int | None:
        """How many there are."""
        size = parquet_size(self.path)
        return None if size is None else size[0]

    def pieces(self, rows: int) -> StepReader:
        """Its rows, so many at a time."""
        return StepReader(recipes.pieces_of_file(self.path, rows))


class StepReader:
    """See `PairsReader`; nothing is wrong with files of what was written here."""

    def __init__(self, pieces: Generator[pa.Table]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[tuple[pa.Table, list[pa.Array[Any]]]]:
        with closing(ahead(self._pieces)) as pieces:
            for piece in pieces:
                yield piece, []

    def check_rest(self, *, links: bool) -> None:
        """Nothing is to be said."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What is known of a corpus as a whole before its pieces are projected.

    Attributes:
        key: tells its files and the options.
        files: of the corpus.
        kept: where what was found is.
        first: what tags, links and projects some rows, for the corpus's memory or as they stay.
        piece_rows: rows of pieces.
        part_rows: of the parts that models work on together; None: there are no models.
        reviewed: what people have decided; None without corrections.
        names: what a first projection has projected names onto; None without the corpus's memory.
    """

    key: str
    files: list[Pairs]
    kept: Checkpoints
    first: Callable[[pa.RecordBatch], pa.RecordBatch]
    piece_rows: int
    part_rows: int | None = None
    reviewed: Reviewed | None = None
    names: KnownNames | None = None

    def place_of(self, pairs: Pairs) -> int:
        """The number of a file of the corpus."""
        return next(place for place, one in enumerate(self.files) if one.files == pairs.files)

    def key_of(self, pairs: Pairs) -> str:
        """Tells what is written of a file of the corpus from all else: the whole corpus decides it."""
        return fingerprint({}, {"corpus": self.key, "file": self.place_of(pairs)})
