"""What commands say of rows that have a status other than `ok`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from xner.pipelines.summaries import status_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

__all__ = ["report_statuses"]


def report_statuses(
    statuses: pa.Array[Any] | pa.ChunkedArray[Any], meanings: Mapping[str, str], what: str = "sentences"
) -> None:
    """Say on standard error what `status_lines` has to say."""
    for line in status_lines(statuses, meanings, what):
        click.echo(line, err=True)
