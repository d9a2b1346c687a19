"""Errors about a file name its own options: `target_label_column`, where it has the target sentences."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from xner.errors import DataError, Error

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["OF_SOURCE", "OF_TARGET", "naming_options"]

OF_SOURCE: Final = {"format": "source_format"}
"""Options of the file of source sentences, by those that it shares with others."""

OF_TARGET: Final = {
    "token_column": "target_token_column",
    "label_column": "target_label_column",
    "format": "target_format",
}
"""Options of the file of target sentences, likewise."""

_READS: Final = re.compile(r"the format '([\w-]+)' reads")


@contextmanager
def naming_options(
    path: str | os.PathLike[str], own: Mapping[str, str], *, shared: Iterable[str] = ()
) -> Iterator[None]:
    """Names, in errors about a file, its own options in place of those that hold for other files as well.

    Args:
        path: of the file, which is named in errors about its rows.
        own: the file's, by the names of those that others share.
        shared: names of shared ones that were given and hold for the file: errors about columns say which are its own.

    Raises:
        Error: the same one, whose advice names the file's options.
    """
    try:
        yield
    except DataError as error:
        reason = error.reason if f"'{path}'" in error.reason else f"in '{path}': {error.reason}"
        reason = _renamed(reason, own, shared)
        raise DataError(error.row, error.column, error.value, reason, row_id=error.row_id) from None
    except Error as error:
        error.args = tuple(_renamed(one, own, shared) if isinstance(one, str) else one for one in error.args)
        raise


def _renamed(message: str, own: Mapping[str, str], shared: Iterable[str]) -> str:
    if "format" in own:
        message = _READS.sub(lambda found: f"`{own['format']}={found[1]}` reads", message)
    found = re.sub(r"`(\w+)(?==|`)", lambda found: f"`{own.get(found[1], found[1])}", message)
    ours = [own[name] for name in shared if name in own]
    if ours and found == message and "column" in message:
        found += f"; {' and '.join(f'`{name}`' for name in ours)} holds for this file alone"
    return found
