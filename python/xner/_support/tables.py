"""Tables as lines of text, and for notebooks."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["html_records", "html_table", "text_table"]


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


def html_records(records: Iterable[Mapping[str, Any]], caption: str = "") -> str:
    """Records as `html_table` shows them: a column for each field, figures with three digits, nothing for None."""
    rows = [list(record.items()) for record in records]
    header = [name for name, _ in rows[0]] if rows else [""]
    return html_table([header, *([_cell(value) for _, value in row] for row in rows)], caption)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
