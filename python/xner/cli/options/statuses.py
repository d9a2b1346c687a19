"""What commands say of rows that have a status other than `ok`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pyarrow as pa
import pyarrow.compute as pc

from xner._support.arrow import frequencies

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["report_statuses"]

_SHOWN = 5  # rows that are named for each status


def report_statuses(statuses: pa.Array | pa.ChunkedArray, meanings: Mapping[str, str], what: str = "sentences") -> None:
    """Count statuses on standard error, and name the rows of those other than `ok`.

    Args:
        statuses: strings, one a row.
        meanings: what they say, of those that have something to say.
        what: has them.
    """
    counts = frequencies(statuses)
    shown = ", ".join(f"{count} {status}" for status, count in counts.items())
    click.echo(f"{len(statuses)} {what}: {shown or 'none'}", err=True)
    texts = statuses.cast(pa.string())
    for status in counts:
        if status != "ok":
            places = pc.indices_nonzero(pc.equal(texts, status))[: _SHOWN + 1].to_pylist()
            rows = ", ".join(map(str, places[:_SHOWN])) + (", ..." if len(places) > _SHOWN else "")
            click.echo(f"  {status}: {meanings.get(status, 'from an earlier stage')}; rows {rows}", err=True)
