"""One self-contained HTML page to look at projections: both sentences, word links, entity spans, scores.

`template.html` with `style.css`, `script.js` and the rows (as JSON) put in: the page loads nothing, so it
opens from a file, in a mail attachment or on a machine without network. What a row holds reaches the page
only through the JSON block and, from there, only as text: no token, label or id is ever read as markup.
"""

from __future__ import annotations

import html
import json
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from xner import labels as iob
from xner._layouts import plain
from xner._support.arrow import frequencies
from xner._support.frames import to_table
from xner._support.pages import asset, class_colours, colours, fill, framed
from xner.errors import DataError, Error
from xner.io.atomic import replacing
from xner.schema import (
    ADJUSTED,
    COLUMN_TYPES,
    DROPPED,
    ENTITIES,
    GOLD_LABELS,
    ID,
    LABELS,
    LINKS,
    ROW_PROBLEM,
    SOURCE_ENTITIES,
    SOURCE_TOKENS,
    STATUS,
    TOKENS,
    check_column,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from xner._support.frames import TableLike

__all__ = ["Page", "render", "view"]

DEFAULT_TITLE = "Projected entities"
DEFAULT_MAX_ROWS = 5000
FRAME_HEIGHT = 560

Row = dict[str, Any]
Span = list[Any]  # [start, end, label]; a projected entity has score, margin, source too, a dropped one also a reason


def render(table: TableLike, *, open_row: int = 0, title: str = DEFAULT_TITLE, max_rows: int = DEFAULT_MAX_ROWS) -> str:
    """Renders rows as one HTML page without any outside resource.

    Args:
        table: of any kind (Arrow, pandas, polars, `datasets`): rows with `tokens` (list<string>, the target words).
            Shown where present and not null: `id`, `source_tokens`, `source_entities`, `links`, `entities`, `labels`,
            `gold_labels`, `status`, `row_problem`, and what filters `dropped` and `adjusted`. A row without `entities`
            shows the spans of its `labels`.
        open_row: the row that the page opens with (0-based); `#row=N` in the page's address overrides it.
        title: heading of the page.
        max_rows: the most rows that the page holds. A larger table is cut to the rows around `open_row`,
            and the page says so; its summary still counts the whole table.

    Returns:
        The page, to be stored as UTF-8.

    Raises:
        DataError: a row's span or link lies outside its sentence, or its labels are not one a word.
        Error: `tokens` is missing, a column has another type, the table is empty, or `open_row` is not in it.
    """
    table = _plain_columns(to_table(table))
    _check(table, open_row, max_rows)
    total = table.num_rows
    count = min(total, max_rows)
    first = min(max(0, open_row - count // 2), total - count)
    shown = table.select([name for name in _COLUMNS if name in table.column_names]).slice(first, count)
    summary = _summary(table)
    rows = [_row(record, first + k) for k, record in enumerate(shown.to_pylist())]
    payload = {
        "open_row": open_row,
        "first_row": first,
        "total_rows": total,
        "missing": [name for name in _COLUMNS if name not in (*table.column_names, *_OF_FEW)],
        "summary": summary,
        "colours": class_colours({*summary["classes"], *_classes(rows)}),
        "rows": rows,
    }
    parts = {
        "title": html.escape(title),
        "colours": colours(),
        "style": asset("xner.viewer", "style.css"),
        "script": asset("xner.viewer", "script.js"),
        "data": _json(payload),
    }
    return fill(asset("xner.viewer", "template.html"), parts)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of `view`; at the end of a notebook's cell it shows itself.

    Attributes:
        html: the page.
        rows: how many rows it was made of.
    """

    html: str
    rows: int

    def __repr__(self) -> str:
        return f"<Page: {self.rows} rows; write(path) stores it>"

    def _repr_html_(self) -> str:
        return framed(self.html, FRAME_HEIGHT)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the page to a file, aside first and then moved into place.

        Args:
            path: the HTML file; an existing one is replaced only by a complete one.

        Raises:
            Error: the file cannot be written.
        """
        try:
            with replacing(path) as file:
                file.write(self.html.encode())
        except OSError as error:
            raise Error(f"cannot write '{path}': {error.strerror}") from error


def view(
    table: TableLike,
    path: str | os.PathLike[str] | None = None,
    *,
    open_row: int = 0,
    title: str = DEFAULT_TITLE,
    max_rows: int = DEFAULT_MAX_ROWS,
) -> Page:
    """Shows rows as one page: both sentences, word links, entities, what is doubtful and why.

    Args:
        table: see `render`.
        path: an HTML file to write, whole or not at all. Without one nothing is written: a notebook shows the page.
        open_row: see `render`.
        title: see `render`.
        max_rows: see `render`.

    Returns:
        The page.

    Raises:
        DataError: see `render`.
        Error: see `render`; or the file cannot be written.
    """
    table = to_table(table)
    page = Page(render(table, open_row=open_row, title=title, max_rows=max_rows), table.num_rows)
    if path is not None:
        page.write(path)
    return page


# -- what the table must look like ---------------------------------------------------------------------------


def _is_text(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.DictionaryType):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _values(kind: pa.DataType) -> pa.DataType | None:
    """The type of a list's values; None for what is not a list."""
    lists = (pa.ListType, pa.LargeListType, pa.ListViewType, pa.LargeListViewType, pa.FixedSizeListType)
    return kind.value_type if isinstance(kind, lists) else None


def _is_words(kind: pa.DataType) -> bool:
    values = _values(kind)
    # Lists that are all empty come out of pyarrow as list<null>.
    return values is not None and (_is_text(values) or pa.types.is_null(values))


def _is_structs(
    required: Mapping[str, Callable[[pa.DataType], bool]], optional: Sequence[str] = ()
) -> Callable[[pa.DataType], bool]:
    """A test for lists of structs with the required fields; the optional ones hold numbers."""

    def test(kind: pa.DataType) -> bool:
        values = _values(kind)
        if values is None or not pa.types.is_struct(values):
            return values is not None and pa.types.is_null(values)
        fields = {field.name: field.type for field in values}
        return all(name in fields and good(fields[name]) for name, good in required.items()) and all(
            _is_number(fields[name]) or pa.types.is_null(fields[name]) for name in optional if name in fields
        )

    return test


_SPAN = {"start": pa.types.is_integer, "end": pa.types.is_integer, "label": _is_text}
_RECORD = _SPAN | {"reason": _is_text}
_NUMBERS = ("score", "margin", "source")
_LINK = {"source": pa.types.is_integer, "target": pa.types.is_integer}

# Every column that the page shows, with the test of its type: wider than the schema's types, as integers and
# floats may have any width and structs may lack the numbers that a table of another origin does not know.
_COLUMNS: dict[str, Callable[[pa.DataType], bool]] = {
    ID: _is_text,
    TOKENS: _is_words,
    SOURCE_TOKENS: _is_words,
    SOURCE_ENTITIES: _is_structs(_SPAN),
    LINKS: _is_structs(_LINK, ["score"]),
    ENTITIES: _is_structs(_SPAN, _NUMBERS),
    LABELS: _is_words,
    GOLD_LABELS: _is_words,
    STATUS: _is_text,
    DROPPED: _is_structs(_RECORD, _NUMBERS),
    ADJUSTED: _is_structs(_RECORD, _NUMBERS),
    ROW_PROBLEM: _is_text,
}
_OF_FEW = (DROPPED, ADJUSTED, ROW_PROBLEM)  # without which there is nothing to miss


def _plain_columns(table: pa.Table) -> pa.Table:
    """The columns that are shown, checked and in plain layouts; ids as texts."""
    for index, name in enumerate(table.column_names):
        if name not in _COLUMNS:
            continue
        chunks = []
        for chunk in table.column(index).chunks:
            check_column(chunk, name)
            chunks.append(plain(chunk))
        if chunks:
            column = pa.chunked_array(chunks)
            is_number = name == ID and pa.types.is_integer(column.type)
            table = table.set_column(index, name, column.cast(pa.string()) if is_number else column)
    return table


def _check(table: pa.Table, open_row: int, max_rows: int) -> None:
    if TOKENS not in table.column_names:
        found = ", ".join(table.column_names) or "none"
        raise Error(f"nothing to view: the table has no column '{TOKENS}' (columns found: {found})")
    for name, test in _COLUMNS.items():
        if table.column_names.count(name) > 1:
            raise Error(f"column '{name}' is there more than once")
        if name not in table.column_names:
            continue
        kind = table.schema.field(name).type
        if not test(kind) and not (pa.types.is_null(kind) and name != TOKENS):
            raise Error(f"column '{name}' must be {COLUMN_TYPES[name]}, not {kind}")
    if table.num_rows == 0:
        raise Error("nothing to view: the table has no rows")
    if not 0 <= open_row < table.num_rows:
        rows = "1 row (0)" if table.num_rows == 1 else f"{table.num_rows} rows (0 to {table.num_rows - 1})"
        raise Error(f"cannot open row {open_row}: the table has {rows}")
    if max_rows < 1:
        raise Error(f"max_rows must be at least 1, not {max_rows}")


# -- what the page is given ----------------------------------------------------------------------------------


def _summary(table: pa.Table) -> Row:
    """Counts over the whole table, also over rows that the page does not hold."""
    classes: Counter[str] = Counter()
    mean_score = None
    without_entities = None
    if ENTITIES in table.column_names and not pa.types.is_null(table.schema.field(ENTITIES).type):
        column = table.column(ENTITIES)
        without_entities = pc.is_null(column)
        flat = pc.list_flatten(column)
        if pa.types.is_struct(flat.type):
            classes.update(frequencies(pc.struct_field(flat, "label")))
            if flat.type.get_field_index("score") >= 0:
                mean_score = pc.mean(pc.struct_field(flat, "score")).as_py()
    if LABELS in table.column_names and _values(table.schema.field(LABELS).type) is not None:
        column = table.column(LABELS)
        tags = column if without_entities is None else column.filter(without_entities)
        if len(tags) > 0:
            decoded = iob.decode_batch(tags.cast(pa.list_(pa.string())).combine_chunks())
            classes.update(frequencies(pc.struct_field(pc.list_flatten(decoded), "label")))
    return {
        "classes": dict(sorted(classes.items())),
        "statuses": frequencies(table.column(STATUS)) if STATUS in table.column_names else {},
        "dropped": _reasons(table),
        "mean_score": _number(mean_score),
    }


def _reasons(table: pa.Table) -> dict[str, int]:
    """Why filters dropped entities."""
    if DROPPED not in table.column_names:
        return {}
    records = pc.list_flatten(table.column(DROPPED))
    return frequencies(pc.struct_field(records, "reason")) if pa.types.is_struct(records.type) else {}


def _row(record: Row, index: int) -> Row:
    """One row as the page's script reads it; a column that is missing or null here is null there."""
    words = _words(record, TOKENS, index)
    source = _words(record, SOURCE_TOKENS, index)
    labelled = _decoded(record, LABELS, index, words)
    entities = _spans(record, ENTITIES, index, words, _NUMBERS)
    source_entities = _spans(record, SOURCE_ENTITIES, index, source)
    for entity in entities or ():
        if entity[5] is not None and source_entities is not None and entity[5] >= len(source_entities):
            reason = f"no source entity {entity[5]}: the row has {len(source_entities)}"
            raise _bad(record, ENTITIES, index, entity, reason)
    return {
        "id": record.get(ID),
        "status": record.get(STATUS),
        "problem": record.get(ROW_PROBLEM),
        "tokens": words,
        "source_tokens": source,
        "source_entities": source_entities,
        "links": _links(record, index, source, words),
        "entities": labelled if entities is None else entities,
        "from_labels": entities is None and labelled is not None,
        # Overwriting methods keep entities that the labels no longer show: worth a word on the page.
        "labels_differ": entities is not None
        and labelled is not None
        and sorted(span[:3] for span in entities) != sorted(labelled),
        "dropped": _filter_records(record, DROPPED, index, words),
        "adjusted": _filter_records(record, ADJUSTED, index, words),
        "gold": _decoded(record, GOLD_LABELS, index, words),
        "null": [name for name in record if record[name] is None and name not in (ID, STATUS, ROW_PROBLEM)],
    }


def _classes(rows: Sequence[Row]) -> Iterator[str]:
    """The classes of the entities of both sides and of the gold labels."""
    return (span[2] for row in rows for name in ("entities", "source_entities", "gold") for span in row[name] or ())


def _bad(record: Row, column: str, index: int, value: object, reason: str) -> DataError:
    return DataError(index, column, str(value), reason, row_id=record.get(ID))


def _words(record: Row, column: str, index: int) -> list[str] | None:
    words: list[str] | None = record.get(column)
    if words is not None and None in words:
        raise _bad(record, column, index, None, f"word {words.index(None)} is null")  # type: ignore[arg-type]  # null is what is looked for
    return words


def _decoded(record: Row, column: str, index: int, words: list[str] | None) -> list[Span] | None:
    tags = _words(record, column, index)
    if tags is None or words is None:
        return None
    if len(tags) != len(words):
        reason = f"every word has one label, and the sentence's length is {len(words)}"
        raise _bad(record, column, index, f"{len(tags)} labels", reason)
    try:
        return [list(span) for span in iob.decode(tags)]
    except DataError as error:
        raise _bad(record, column, index, error.value, error.reason) from None


def _spans(
    record: Row, column: str, index: int, words: list[str] | None, numbers: tuple[str, ...] = ()
) -> list[Span] | None:
    structs: list[Row | None] | None = record.get(column)
    if structs is None or words is None:
        return None
    spans: list[Span] = []
    for struct in structs:
        if struct is None or None in (struct["start"], struct["end"], struct["label"]):
            raise _bad(record, column, index, struct, "an entity needs start, end and label")
        start, end, label = struct["start"], struct["end"], struct["label"]
        if not 0 <= start < end <= len(words):
            reason = f"not a span of the sentence, whose length is {len(words)}"
            raise _bad(record, column, index, f"[{start}, {end}) {label}", reason)
        spans.append([start, end, label, *(_number(struct.get(name)) for name in numbers)])
    return spans


def _filter_records(record: Row, column: str, index: int, words: list[str] | None) -> list[Span] | None:
    """Spans of entities that filters dropped or changed, each with the reason at its end."""
    spans = _spans(record, column, index, words, _NUMBERS)
    return spans and [[*span, struct["reason"]] for span, struct in zip(spans, record[column], strict=True)]


def _links(
    record: Row, index: int, source: list[str] | None, target: list[str] | None
) -> list[list[int | float | str | None]] | None:
    structs: list[Row | None] | None = record.get(LINKS)
    if structs is None or source is None or target is None:
        return None
    links: list[list[int | float | str | None]] = []
    for struct in structs:
        if struct is None or None in (struct["source"], struct["target"]):
            raise _bad(record, LINKS, index, struct, "a link needs source and target")
        i, j = struct["source"], struct["target"]
        if not (0 <= i < len(source) and 0 <= j < len(target)):
            reason = f"the sentences' lengths are {len(source)} (source) and {len(target)} (target)"
            raise _bad(record, LINKS, index, f"{i}-{j}", reason)
        links.append([i, j, _number(struct.get("score"))])
    return links


def _number(value: float | None) -> int | float | str | None:
    """A number for JSON: six digits (float32 has no more); JSON has neither infinities nor NaN."""
    if value is None or math.isnan(value):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value if isinstance(value, int) else float(f"{value:.6g}")


def _json(payload: Row) -> str:
    """JSON that is safe inside a script element: without `<` no token can close it or open a comment."""
    text = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
