"""Whether two sides of a parallel corpus belong together, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from xner.errors import Error
from xner.io._commands import filtered, name_beside

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Lengths", "apart", "are_row_numbers", "check_order", "check_parallel", "row_lengths"]

Lengths = npt.NDArray[np.int64]

_EMPTY_COST = 4.0  # a sentence beside an empty line, as against at most 1 for two sentences of odd lengths
_MAX_SHIFT = 32  # beyond so many missing rows, they are taken for one gap


def check_parallel(
    source: pa.Array[Any] | pa.ChunkedArray[Any],
    target: pa.Array[Any] | pa.ChunkedArray[Any],
    *,
    source_name: str = "source",
    target_name: str = "target",
) -> None:
    """Raises an error unless two columns of lists have equally many rows.

    The error also names the row from which the sides have probably come apart. That is the start of the first
    gap in the best alignment of the two columns of lengths: rows are matched in order, a pair costs more the
    further its length ratio is from that of the whole, and the longer column leaves out as many rows as it
    has more. Where lengths say nothing against it, the end of the shorter side is taken to be cut off.

    Args:
        source: lists, usually of words.
        target: likewise, of the other side.
        source_name: what the message calls the side, such as its file's name.
        target_name: likewise.

    Raises:
        Error: different numbers of rows; the message has both numbers, the first suspicious row, and the remedy.
    """
    if len(source) != len(target):
        raise apart({source_name: row_lengths(source), target_name: row_lengths(target)})


def apart(sides: Mapping[str, Lengths]) -> Error:
    """What `check_parallel` raises.

    Args:
        sides: by name, source and target: how long each row is.
    """
    (source_name, source), (target_name, target) = sides.items()
    row = _first_gap(sides[source_name], sides[target_name])
    words = ", ".join(
        f"{name} {'has no such row' if row >= len(lengths) else f'{lengths[row]} words'}"
        for name, lengths in sides.items()
    )
    (longer, rows), (_, fewer) = sorted(sides.items(), key=lambda side: -len(side[1]))
    remedy = "`xner pair --on similarity` leaves out what has no partner"
    if row >= len(fewer) and not rows[len(fewer) :].any():
        reason = f"the last {len(rows) - len(fewer)} rows of '{longer}' are empty, as blank lines are"
        command = f"head -n {len(fewer)}"
        command = filtered(longer, command, name_beside(longer, "cut")) if Path(longer).is_file() else command
        remedy = f"`{command}` leaves out those at the end of a text"
    elif row >= len(fewer):
        reason = "up to there the sentence lengths agree, so the end of the shorter one is probably missing"
    else:
        reason = "from there on the sentence lengths agree better when one side is shifted against the other"
    return Error(
        f"'{source_name}' has {len(source)} rows but '{target_name}' has {len(target)}; "
        f"first suspicious row, counted from 0: {row} ({words}); {reason}; {remedy}"
    )


def are_row_numbers(ids: Sequence[Any]) -> bool:
    """Whether ids are no more than the numbers of their rows, as where a file names none."""
    return all(str(one) == str(row) for row, one in enumerate(ids))


def check_order(source: Sequence[Any], target: Sequence[Any], *, source_name: str, target_name: str) -> None:
    """Raises an error where ids of two sides say that their sentences are in another order.

    Sides whose ids have nothing to do with each other pass, and so does one that has none of its own beside others.

    Args:
        source: ids, as many as of the other side.
        target: likewise.
        source_name: what the message calls the side.
        target_name: likewise.

    Raises:
        Error: a row's id is another row's on the other side; the message names both, and the remedy.
    """
    sides = [list(map(str, ids)) for ids in (source, target)]
    if any(map(are_row_numbers, sides)) and set(sides[0]) != set(sides[1]):
        return
    rows = {one: row for row, one in enumerate(sides[0])}
    for row, (one, other) in enumerate(zip(*sides, strict=True)):
        if one != other and other in rows:
            raise Error(
                f"row {row}, column 'id': '{source_name}' has {one!r} and '{target_name}' has {other!r}, which is row "
                f"{rows[other]} of '{source_name}'; `xner pair --on id` puts the sentences in order"
            )


def row_lengths(lists: pa.Array[Any] | pa.ChunkedArray[Any]) -> Lengths:
    """How long each row is; a missing one is empty."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    return np.asarray(lengths.to_numpy(), dtype=np.int64)


def _first_gap(source: Lengths, target: Lengths) -> int:
    """The first row that the shorter side leaves out, in the cheapest alignment.

    With `k` rows left out so far, row `i` of the shorter side stands beside row `i + k` of the longer one.
    The best cost of the first `i` rows is, for each `k`, a sum of pair costs plus the best that `k - 1` had
    anywhere before, which is a running minimum: O(rows x gaps), without a loop over rows.
    """
    longer, shorter = (source, target) if len(source) > len(target) else (target, source)
    rows = len(shorter)
    missing = len(longer) - rows
    shifts = range(missing + 1) if missing <= _MAX_SHIFT else (0, missing)
    ratio = np.log((longer.sum() / len(longer) + 1) / (shorter.sum() / rows + 1)) if rows else 0.0
    best = np.zeros(rows + 1)
    opened: list[npt.NDArray[np.int64]] = []  # for each shift, where its gap opens when i rows are matched
    for shift in shifts:
        beside = longer[shift : shift + rows]
        cost = np.minimum(1.0, (np.log((beside + 1) / (shorter + 1)) - ratio) ** 2)
        cost[(beside == 0) != (shorter == 0)] = _EMPTY_COST
        total = np.concatenate([[0.0], np.cumsum(cost)])
        if shift == 0:
            best = total
            continue
        # Differences of rounding size are no evidence: without evidence, the later gap is taken.
        gain = np.round(best - total, 9)
        running = np.minimum.accumulate(gain)
        where = np.where(gain == running, np.arange(rows + 1), 0)
        opened.append(np.maximum.accumulate(where))
        best = total + running
    row = rows
    for places in reversed(opened):
        row = int(places[row])
    return row
