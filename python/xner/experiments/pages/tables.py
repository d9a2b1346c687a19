"""Tables of studies, as HTML and as Markdown: columns that say what they are, numbers that can be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xner._support.pages import Html, element, lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Row = Mapping[str, Any]

__all__ = [
    "Column",
    "figure_column",
    "interval_column",
    "markdown_table",
    "number",
    "percent",
    "signed",
    "table_html",
    "text_column",
]

NONE = "–"
_MINUS = "\N{MINUS SIGN}"


def number(digits: int) -> Callable[[float], str]:
    """Writes a number with so many digits behind the point, and commas between thousands."""
    return lambda value: _plain_zero(f"{value:,.{digits}f}")


def signed(digits: int) -> Callable[[float], str]:
    """Likewise, with its sign; none for what is rounded to 0."""

    def write(value: float) -> str:
        text = f"{value:+,.{digits}f}"
        return _plain_zero(text) if text.strip("+-0.,") else text[1:]

    return write


def percent(digits: int) -> Callable[[float], str]:
    """Writes a share as so many per cent."""
    return lambda value: f"{number(digits)(100 * value)} %"


def _plain_zero(text: str) -> str:
    return (text if text.strip("-0.,") else text.lstrip("-")).replace("-", _MINUS)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        heading: its name, with the unit.
        meaning: what its values are, as a phrase.
        cell: a row's value as text.
        is_text: whether it stands to the left, as texts do; numbers stand to the right.
    """

    heading: str
    meaning: str
    cell: Callable[[Row], str]
    is_text: bool = False


def text_column(heading: str, key: str, meaning: str) -> Column:
    """A column of texts."""
    return Column(heading, meaning, lambda row: str(row[key]), is_text=True)


def figure_column(heading: str, key: str, write: Callable[[float], str], meaning: str) -> Column:
    """A column of numbers; a dash where a row has none."""
    return Column(heading, meaning, lambda row: NONE if row[key] is None else write(row[key]))


def interval_column(
    heading: str,
    key: str,
    write: Callable[[float], str],
    meaning: str,
    *,
    bounds: tuple[str, str] | None = None,
) -> Column:
    """A column of numbers with their intervals.

    Args:
        heading: of the column.
        key: of the number.
        write: writes it.
        meaning: of the column.
        bounds: keys of the interval's ends; by default the number's with `_low` and `_high`.
    """
    low, high = bounds or (f"{key}_low", f"{key}_high")

    def cell(row: Row) -> str:
        if row[key] is None or row[low] is None:
            return NONE
        return f"{write(row[key])} ({write(row[low])} to {write(row[high])})"

    return Column(heading, meaning, cell)


def markdown_table(rows: Iterable[Row], columns: Sequence[Column]) -> str:
    """Rows as a table in Markdown whose columns are aligned for readers of the plain text, too."""
    cells = [[column.heading for column in columns]]
    cells += [[column.cell(row).replace("|", r"\|") for column in columns] for row in rows]
    widths = [max(3, *map(len, values)) for values in zip(*cells, strict=True)]

    def line(values: Sequence[str]) -> str:
        padded = (
            value.ljust(width) if column.is_text else value.rjust(width)
            for value, width, column in zip(values, widths, columns, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    rule = [
        f"{'-' * width}" if c.is_text else f"{'-' * (width - 1)}:" for width, c in zip(widths, columns, strict=True)
    ]
    return "\n".join([line(cells[0]), line(rule), *map(line, cells[1:])]) + "\n"


def table_html(caption: str, help_: str, groups: Mapping[str, Sequence[Row]], columns: Sequence[Column]) -> Html:
    """Rows as a table of a page; the first column names the row.

    Args:
        caption: what the table shows.
        help_: a sentence that tells how to read it.
        groups: the rows under a heading of their own, by heading; a single group without a heading has the name "".
        columns: of the table.
    """
    head = element("tr", *(element("th", c.heading, scope="col", class_=_side(c)) for c in columns))
    bodies = []
    for name, rows in groups.items():
        heading = element("th", name, scope="rowgroup", colspan=len(columns), dir="auto")
        lines_ = [element("tr", heading, class_="group")] if name else []
        bodies.append(element("tbody", *lines_, *(_line(row, columns) for row in rows)))
    words = element("span", element("b", f"{caption}."), " ", help_)
    table = element("table", element("caption", words), element("thead", head), *bodies)
    meanings = (element("div", element("dt", c.heading), element("dd", c.meaning)) for c in columns)
    holder = element("div", table, class_="wide", tabindex=0, role="region", aria_label=caption)
    return element("div", lines([holder, element("dl", *meanings, class_="columns")]), class_="table")


def _side(column: Column) -> str | None:
    return "text" if column.is_text else None


def _line(row: Row, columns: Sequence[Column]) -> Html:
    first, *others = columns
    name = element("th", first.cell(row), scope="row", class_=_side(first), dir="auto" if first.is_text else None)
    return element("tr", name, *(element("td", c.cell(row), class_=_side(c)) for c in others))
