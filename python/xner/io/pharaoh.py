"""Word links in the Pharaoh format: one line a sentence pair, `i-j` separated by blanks, indices from 0.

`i-j:p` gives a link a score. `i?j` and `ipj` are possible links of hand-made alignments, which an error rate
treats apart from the sure ones. An empty line is a pair without links.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner._layouts import plain
from xner._support.arguments import choose
from xner._support.arrow import as_arrow
from xner._support.progress import logger
from xner.errors import DataError, Error, FormatError
from xner.io._lines import Block, list_column, read_blocks, rebatch, row_ids, string_array, words
from xner.io._rows import TextOutput, column, list_lengths
from xner.io.atomic import replacing

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

__all__ = ["ON_ERROR", "OnError", "PharaohWriter", "iter_pharaoh", "read_pharaoh", "write_pharaoh"]

Possible = Literal["keep", "drop", "only"]
OnError = Literal["raise", "skip"]
ON_ERROR: Final[Mapping[str, bool]] = {"raise": False, "skip": True}
"""Whether wrong rows are skipped."""

_SCHEMA = pa.schema([(schema.ID, pa.string()), (schema.LINKS, schema.LINKS_TYPE)])
_MAX_DIGITS = 9  # what surely fits int32; no sentence is that long
_COLON = ord(":")


def iter_pharaoh(
    path: str | os.PathLike[str],
    *,
    one_based: bool = False,
    reverse: bool = False,
    possible: Possible = "keep",
    on_error: OnError = "raise",
    batch_rows: int = 16_384,
) -> Iterator[pa.RecordBatch]:
    """Reads links in batches, so that memory stays bounded.

    Args:
        path: the file, plain or compressed (`.gz`); byte order mark and last line end are optional.
        one_based: the file counts words from 1.
        reverse: the file says `target-source`.
        possible: whether links marked as possible are kept like others, dropped, or the only ones kept.
        on_error: `skip` makes null of a line with something else than links, and logs how many there were.
        batch_rows: rows a batch.

    Yields:
        Batches of `id` (the row's number, from 0) and `links`, in the file's order and with its repetitions;
        the score of a link without one is null. At least one batch.

    Raises:
        FormatError: something else than a link; the message names file, line and item.
    """
    if possible not in {"keep", "drop", "only"}:
        raise Error(f"possible must be 'keep', 'drop' or 'only', not {possible!r}")
    skips = choose("on_error", on_error, ON_ERROR)
    return rebatch(_iter_pharaoh(path, one_based, reverse, possible, skips=skips), batch_rows)


def _iter_pharaoh(
    path: str | os.PathLike[str], one_based: bool, reverse: bool, possible: Possible, *, skips: bool
) -> Iterator[pa.RecordBatch]:
    yield pa.RecordBatch.from_pylist([], schema=_SCHEMA)
    rows = 0
    skipped: list[FormatError] = []
    for block in read_blocks(path):
        try:
            links = _block_links(block, one_based, reverse, possible)
        except FormatError:
            if not skips:
                raise
            links = _links_by_line(block, one_based, reverse, possible, skipped)
        yield pa.RecordBatch.from_arrays([row_ids(rows, len(links)), links], schema=_SCHEMA)
        rows += len(links)
    if skipped:
        logger.warning("%d lines without usable links were skipped; the first one is %s", len(skipped), skipped[0])


def read_pharaoh(
    path: str | os.PathLike[str],
    *,
    one_based: bool = False,
    reverse: bool = False,
    possible: Possible = "keep",
    on_error: OnError = "raise",
) -> pa.ListArray[Any]:
    """Reads the links of all sentence pairs.

    The sure links of a hand-made alignment are those with `possible="drop"`, its possible ones (which include
    the sure ones) those with the default.

    Args:
        path: the file; see `iter_pharaoh`, also for the errors.
        one_based: the file counts words from 1.
        reverse: the file says `target-source`.
        possible: whether links marked as possible are kept like others, dropped, or the only ones kept.
        on_error: as for `iter_pharaoh`.

    Returns:
        One list of links a line, of the type of the `links` column.
    """
    batches = iter_pharaoh(path, one_based=one_based, reverse=reverse, possible=possible, on_error=on_error)
    return cast("pa.ListArray[Any]", pa.concat_arrays([batch.column(schema.LINKS) for batch in batches]))


def _links_by_line(
    block: Block, one_based: bool, reverse: bool, possible: Possible, skipped: list[FormatError]
) -> pa.ListArray[Any]:
    """The links of a block, null for lines that hold something else, whose errors are noted."""
    found: list[pa.Array[Any]] = []
    for line in range(len(block.starts)):
        try:
            found.append(_block_links(block.only(line), one_based, reverse, possible))
        except FormatError as error:
            skipped.append(error)
            found.append(pa.nulls(1, schema.LINKS_TYPE))
    return cast("pa.ListArray[Any]", pa.concat_arrays(found))


def _block_links(block: Block, one_based: bool, reverse: bool, possible: Possible) -> pa.ListArray[Any]:
    items = words(block)
    # The first byte after each number, found for all items at once.
    stops = np.append(np.flatnonzero((block.array < ord("0")) | (block.array > ord("9"))), len(block.array))
    mark_at = stops[np.searchsorted(stops, items.starts)]
    second_at = np.minimum(mark_at + 1, items.ends)
    second_end = np.minimum(stops[np.searchsorted(stops, second_at)], items.ends)
    padded = np.append(block.array, 0)
    mark = padded[mark_at]
    scored = second_end < items.ends
    is_possible = (mark == ord("p")) | (mark == ord("?"))
    wrong = (
        (mark_at >= items.ends)
        | (mark_at == items.starts)
        | (second_end == second_at)
        | ~((mark == ord("-")) | is_possible)
        | (mark_at - items.starts > _MAX_DIGITS)
        | (second_end - second_at > _MAX_DIGITS)
        | (scored & (padded[second_end] != _COLON))
    )
    _raise_first(block, items.offsets, wrong, "is not a link; expected source-target, as in 0-2 or 0-2:0.75")
    first = _numbers(block, items.starts, mark_at) - one_based
    second = _numbers(block, second_at, second_end) - one_based
    _raise_first(block, items.offsets, (first < 0) | (second < 0), "has the index 0, but indices start at 1")
    scores = np.zeros(len(first), dtype=np.float32)
    if scored.any():
        texts = string_array(block, second_end[scored] + 1, items.ends[scored])
        is_number = pc.match_substring_regex(texts, r"^[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?$")
        wrong[scored] = ~is_number.to_numpy(zero_copy_only=False)
        if not wrong.any():
            scores[scored] = pc.cast(texts, pa.float32()).to_numpy()
        wrong |= ~np.isfinite(scores)
        _raise_first(block, items.offsets, wrong, "has a score that is not a number of 0 or more")
    lengths = np.diff(items.offsets)
    if possible != "keep":
        kept = is_possible if possible == "only" else ~is_possible
        lengths = np.bincount(np.repeat(np.arange(len(lengths)), lengths)[kept], minlength=len(lengths))
        first, second, scores, scored = first[kept], second[kept], scores[kept], scored[kept]
    source, target = (second, first) if reverse else (first, second)
    arrays = [
        pa.array(source.astype(np.int32)),
        pa.array(target.astype(np.int32)),
        pa.array(scores, mask=~scored),
    ]
    return list_column(lengths, pa.StructArray.from_arrays(arrays, type=schema.LINKS_TYPE.value_type))


def _numbers(block: Block, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Decimal numbers, digit by digit for all at once."""
    lengths = ends - starts
    result = np.zeros(len(starts), dtype=np.int64)
    for place in range(int(lengths.max(initial=0))):
        longer = lengths > place
        result[longer] = result[longer] * 10 + block.array[starts[longer] + place] - ord("0")
    return result


def _raise_first(block: Block, offsets: npt.NDArray[np.int64], wrong: npt.NDArray[np.bool_], reason: str) -> None:
    if wrong.any():
        item = int(np.argmax(wrong))
        line = int(np.searchsorted(offsets, item, side="right")) - 1
        found = words(block)
        text = block.data[found.starts[item] : found.ends[item]].decode()
        raise block.error(line, f"{text!r} {reason}")


class PharaohWriter:
    """Writes the links of each row as a line."""

    def __init__(
        self, file: BinaryIO, *, scores: bool = False, links: str = schema.LINKS, rows_before: int = 0
    ) -> None:
        """Writes to an open binary file.

        Args:
            file: where to.
            scores: write `i-j:p` where a link has a score; the default is `i-j`.
            links: name of the column of links.
            rows_before: rows that are in front of these, where the file is a part of another.
        """
        self._output = TextOutput(file, at_start=not rows_before)
        self._scores = scores
        self._column = links
        self._rows = rows_before

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends the links of a batch.

        Raises:
            DataError: a missing list of links or index, or a score that is not finite.
        """
        self.write_links(column(batch, self._column))

    def write_links(self, links: pa.Array[Any]) -> None:
        """Appends lists of links, one a row; see `write`."""
        schema.check_column(links, self._column)
        links = plain(links)
        lengths = list_lengths(links, self._column, self._rows)
        flat = pc.list_flatten(links)
        fields = ["source", "target", *(["score"] if self._scores else [])]
        if not pa.types.is_struct(flat.type) or any(flat.type.get_field_index(name) < 0 for name in fields):
            raise Error(f"column '{self._column}' must hold links with {', '.join(fields)}, not {links.type}")
        values = [pc.struct_field(flat, name) for name in fields]
        for name, array in zip(fields, values, strict=True):
            if not (
                pa.types.is_integer(array.type) or pa.types.is_floating(array.type) or pa.types.is_null(array.type)
            ):
                raise Error(f"column '{self._column}': the {name} must be a number, not {array.type}")
            usable = pc.fill_null(pc.is_finite(array), name == "score")
            if not pc.all(usable, min_count=0).as_py():
                item = int(pc.index(usable, False).as_py())
                row = self._rows + int(np.searchsorted(np.cumsum(lengths), item, side="right"))
                raise DataError(row, self._column, str(flat[item].as_py()), f"the {name} must be a number")
        texts = [pc.cast(array, pa.string()) for array in values]
        items = pc.binary_join_element_wise(texts[0], texts[1], "-")
        if self._scores:
            items = pc.binary_join_element_wise(items, texts[2], ":", null_handling="skip")
        lines: Any = pc.binary_join(list_column(lengths, items), " ")
        self._output.write("".join(f"{line}\n" for line in lines.to_pylist()))
        self._rows += len(links)

    def close(self) -> None:
        """Nothing is held back."""


def write_pharaoh(
    links: pa.Array[Any] | pa.ChunkedArray[Any], path: str | os.PathLike[str], *, scores: bool = False
) -> None:
    """Writes one line of links a row.

    Args:
        links: lists of links, of the type of the `links` column.
        path: the target; compressed if it ends in `.gz`.
        scores: write `i-j:p` where a link has a score; the default is `i-j`.

    Raises:
        DataError: a missing list of links or index, or a score that is not finite.
    """
    whole = as_arrow(links)
    if whole is None:
        raise Error(f"expected a column of links, found {type(links).__name__}")
    chunks = [whole]
    with replacing(path) as file:
        writer = PharaohWriter(file, scores=scores)
        for chunk in chunks:
            writer.write_links(chunk)
