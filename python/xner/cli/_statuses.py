"""What commands say of rows that something is wrong with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pyarrow.compute as pc

from xner._arrow import frequencies

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

__all__ = ["show_statuses"]

_SHOWN = 5  # rows that are named for each status


def show_statuses(what: str, statuses: pa.Array | pa.ChunkedArray, meanings: Mapping[str, str]) -> None:
    """Say how often each status occurs, and of those other than `ok` what they mean and the first rows that have them.

    Args:
        what: has them: "translations".
        statuses: strings, one a row.
        meanings: by status.
    """
    counts = frequencies(statuses)
    click.echo(f"{what}: {', '.join(f'{count} {status}' for status, count in counts.items()) or 'none'}", err=True)
    for status in counts:
        if status != "ok":
            rows = pc.indices_nonzero(pc.equal(statuses, status)).slice(0, _SHOWN + 1).to_pylist()
            shown = ", ".join(map(str, rows[:_SHOWN])) + (", ..." if len(rows) > _SHOWN else "")
            click.echo(f"  {status}: {meanings.get(status, 'unknown')}; rows {shown}", err=True)
