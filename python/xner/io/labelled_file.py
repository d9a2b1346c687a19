"""The labelled side of a corpus that has no other one yet, read when it is needed: as a whole, or piece by piece."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xner._support.pieces import PIECE_ROWS
from xner._support.progress import logger
from xner.io.layout import AS_TOLD, Layout
from xner.io.sides import read_source, source_pieces

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Generator

    import pyarrow as pa

    from xner import labels
    from xner.io.pharaoh import OnError

__all__ = ["LabelledFile"]


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """A file of labelled sentences, of which nothing has been read yet.

    Attributes:
        path: the file.
        format: None goes by the name.
        scheme: of the labels.
        read_labels: how strictly they are read.
        layout: of the file's columns.
        on_error: what becomes of wrong rows.
        told: gets a line that says what the labels are.
    """

    path: str | os.PathLike[str]
    format: str | None = None
    scheme: labels.Scheme = "IOB2"
    read_labels: labels.Reading = "lenient"
    layout: Layout = field(default=AS_TOLD)
    on_error: OnError = "raise"
    told: Callable[[str], None] = logger.info

    @property
    def reads_pieces(self) -> bool:
        """Whether `pieces` can read the file; formats and ways of reading for which it is needed as a whole cannot.

        Raises:
            Error: the file's name tells no format.
        """
        return self.layout.reads_pieces(self.path, self.format)

    def read(self) -> pa.Table:
        """The table that `read_source` gives.

        Raises:
            Error: as there.
        """
        return read_source(self.path, told=self.told, **self._how)

    def pieces(self, rows: int = PIECE_ROWS) -> Generator[pa.Table]:
        """The same piece by piece.

        Args:
            rows: of each piece but the last; there is at least one.

        Raises:
            Error: as there.
            WholeNeededError: what was read holds only for the rows so far.
        """
        tags = yield from source_pieces(self.path, rows=rows, **self._how)
        if tags is not None:
            self.told(f"{self.path}: {tags}")

    @property
    def _how(self) -> dict[str, Any]:
        labels_as = {"format": self.format, "scheme": self.scheme, "mode": self.read_labels}
        return {**labels_as, "layout": self.layout, "on_error": self.on_error}
