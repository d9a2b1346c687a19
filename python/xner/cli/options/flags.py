"""Options in messages, as they are on the command line."""

from __future__ import annotations

import re

__all__ = ["with_flags"]


def with_flags(message: str) -> str:
    """A message that names options of files as the command line does: `--label-column 2` for `label_column=2`."""
    return re.sub(
        r"`(\w+_(?:column|names|token|from|prefix|map|counts)|nested)(?:=([^`]*))?`",
        lambda match: f"--{match[1].replace('_', '-')}{f' {match[2]}' if match[2] else ''}",
        message,
    )
