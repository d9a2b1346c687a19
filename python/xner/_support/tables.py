"""Tables as lines of text, and for notebooks."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["html_table", "text_table"]


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Columns two blanks apart, the first one to the left, the others to the right.

    Args:
        rows: cells, as many in each; the first row is the header.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def html_table(rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """A table as a notebook shows it, with the columns of `text_table`; everything is escaped.

    Args:
        rows: cells, as many in each; the first row is the header.
        caption: a line below the table.
    """
    lines = []
    for number, row in enumerate(rows):
        tag = "td" if number else "th"
        cells = (
            f'<{tag} style="text-align:{"right" if column else "left"}">{html.escape(cell)}</{tag}>'
            for column, cell in enumerate(row)
        )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    below = f'<caption style="caption-side:bottom">{html.escape(caption)}</caption>' if caption else ""
    return f"<table>{below}<thead>{lines[0]}</thead><tbody>{''.join(lines[1:])}</tbody></table>"
