"""What a file of sentences holds, before anything is done with it: columns, labels, sentences, and what is odd."""

from __future__ import annotations

import math
import re
import shlex
import statistics
from collections import Counter
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from xner import labels, schema
from xner._support.arrow import is_lists, one_array, pylist
from xner._support.overlaps import overlapping_rows
from xner._support.phrases import number_of
from xner._support.tables import text_table
from xner.errors import Error, FormatError
from xner.io._columns import Column, label_columns, token_columns
from xner.io._lines import read_blocks
from xner.io.annotation.brat import read_brat
from xner.io.annotation.tools import TOOLS, looks_like
from xner.io.conll import survey_conll
from xner.io.formats import FORMATS, format_to_read
from xner.io.layout import AS_TOLD, TABLES, Layout
from xner.io.other_files import about_brat, about_file
from xner.io.other_json import about_json
from xner.io.wrong_rows import WrongRows
from xner.labels.tags import check_renamed, class_remarks

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

__all__ = ["Inspection", "inspect"]

LONG: Final = 256
"""Words of a sentence that is hardly one."""

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Inspection:
    """What `inspect` found.

    Attributes:
        path: the file.
        format: a name of `io.FORMATS`.
        columns: what its columns look like: lines of words of a file of columns, or the columns of a table.
        problem: why it cannot be read as it was asked for; None where it can.
        layout: that reads it right; None where none was found.
        options: of the command line that say so; empty where none are needed.
        table: the sentences, by that layout.
        tags: what their labels are; None where they have none.
        classes: how many entities there are of each class.
        remarks: on what is odd, the rows named.
    """

    path: str
    format: str
    columns: tuple[str, ...]
    problem: str | None
    layout: Layout | None
    options: tuple[str, ...]
    table: pa.Table | None
    tags: labels.Tags | None
    classes: dict[str, int]
    remarks: tuple[str, ...]

    def __repr__(self) -> str:
        rows = "unreadable" if self.table is None else f"{self.table.num_rows} sentences"
        return f"<Inspection: {self.path}, {self.format}, {rows}>"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def to_dict(self) -> dict[str, Any]:
        """What was found, as plain values that JSON can hold."""
        lengths = [] if self.table is None else _lengths(self.table)
        return {
            "path": self.path,
            "format": self.format,
            "columns": list(self.columns),
            "problem": self.problem,
            "options": list(self.options),
            "sentences": len(lengths),
            "words": sum(lengths),
            "scheme": None if self.tags is None else self.tags.scheme,
            "classes": self.classes,
            "remarks": list(self.remarks),
        }

    def lines(self) -> Iterator[str]:
        """Everything, a line each."""
        yield f"{self.path}: {self.format}"
        yield from (f"  {column}" for column in self.columns)
        if self.problem is not None and (self.layout is not None or self.table is None):
            yield f"as it is: {self.problem}"
        if self.table is None:
            yield "no way to read it was found"
            return
        but = "" if self.problem is None or self.options else ", but for the wrong rows below"
        how = " ".join(self.options) or "no options"
        yield f"read with: {how}{but}" if self.layout is not None else f"commands do not read it: {self.problem}"
        lengths = _lengths(self.table)
        yield (
            f"{len(lengths)} sentences, {sum(lengths)} words; words a sentence: {min(lengths, default=0)} to "
            f"{max(lengths, default=0)}, median {statistics.median(lengths) if lengths else 0:g}"
        )
        if self.tags is not None:
            yield f"labels: {self.tags.scheme}" + ("" if self.tags.is_canonical else f", as {_example(self.tags)}")
        if self.classes:
            yield text_table([["class", "entities"], *([name, str(count)] for name, count in self.classes.items())])
        yield from (f"note: {remark}" for remark in self.remarks)


def _example(tags: labels.Tags) -> str:
    return ", ".join(tag for tag, meant in tags.canonical.items() if meant != labels.tags.OUTSIDE)[:60]


def inspect(path: str | os.PathLike[str], format: str | None = None, layout: Layout = AS_TOLD) -> Inspection:
    """Look at a file: how it is laid out, what its labels are, and which options read it right.

    Args:
        path: the file; or a folder of brat's documents.
        format: a name of `io.FORMATS`; None goes by the file's name.
        layout: what is known of it.

    Raises:
        FormatError: it cannot be read at all: not UTF-8, say.
        Error: an unknown format; a folder without brat's documents.
    """
    failed: Error | None = None
    if Path(path).is_dir():
        return _folder(Path(path))
    try:
        found = _looked_at(path, format_to_read(path, format), layout)
        tools = looks_like(path)[0] if found.format == "text" else ()
        if format is not None or (found.table is not None and not tools):
            return found
        problem = f"its text is that of a tool, such as '{tools[0]}'" if tools else str(found.problem)
    except Error as error:
        if format is not None:
            raise
        problem = str(error) if isinstance(error, FormatError) else "its name does not tell its format"
        failed = error
    refused: Inspection | None = None
    for other in _formats_like(path):
        try:
            better = _looked_at(path, other, layout)
        except Error:
            continue
        if better.table is None and other in TOOLS and looks_like(path)[0] == (other,):
            refused = replace(better, options=("--format", other))
        is_likely = other != "conll" or better.tags is not None
        if better.table is not None and any(_lengths(better.table)) and is_likely:
            remarks = (*better.remarks, _OTHER_NAMES)
            options = ("--format", other, *better.options)
            return replace(better, problem=problem, options=options, remarks=remarks)
    if refused is not None:
        return refused
    about = about_json(path) if failed is None else about_file(path, most_bytes=math.inf)
    if failed is not None:
        raise FormatError(f"'{path}': {about}") if about else failed
    return replace(found, problem=about) if about and found.table is None else found


_OTHER_NAMES: Final = "commands with several files have an option for each, --source-format or --gold-format, say"


_BEGINNINGS: Final = {
    "parquet": (b"PAR1",),
    "arrow": (b"ARROW1",),
    "docbin": (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"),  # of what zlib has packed
}


def _formats_like(path: str | os.PathLike[str]) -> Iterator[str]:
    """Formats of files that begin as one does, the likeliest first.

    Raises:
        Error: a file of brat, whose texts are in another one.
    """
    if Path(path).suffix.lower() == ".ann":
        raise Error(f"'{path}': {about_brat(path)}")
    with Path(path).open("rb") as file:
        begin = file.read(8)
    for name, marks in _BEGINNINGS.items():
        if begin.startswith(marks):
            yield name
            return
    yield from (tool for tool in looks_like(path)[0] if tool in FORMATS)
    if not about_json(path):  # whose one line would be many columns
        yield from ("inline", "conll", "jsonl")


def _looked_at(path: str | os.PathLike[str], kind: str, layout: Layout) -> Inspection:
    """What is found in a file that is read as one of a format."""
    wrong = WrongRows(skips=True)
    columns = survey_conll(path) if kind == "conll" else []
    problem = None
    found: tuple[Layout, pa.Table, labels.Tags | None] | None = None
    try:
        found = _read(path, kind, layout)
    except Error as error:
        problem = str(error)
        if isinstance(error, FormatError) and kind in TABLES:
            layout = replace(layout, **layout.other_columns(path, kind, error))  # type: ignore[arg-type]  # names
    for other in () if found is not None else [layout, *_layouts(columns, layout)]:
        wrong = WrongRows(skips=True)
        try:
            found = _read(path, kind, other, wrong)
            break
        except Error:
            continue
    if found is None:
        return Inspection(str(path), kind, _shown(columns), problem, None, (), None, None, {}, ())
    chosen, table, tags = found
    shown = tuple(f"{field.name}: {field.type}" for field in table.schema) if not columns else _shown(columns)
    return Inspection(
        path=str(path),
        format=kind,
        columns=shown,
        problem=problem,
        layout=chosen,
        options=_options(chosen),
        table=table,
        tags=tags,
        classes=_classes(table, chosen),
        remarks=(
            *_wrong(wrong),
            *_remarks(table, tags, columns),
            *_of_commas(columns),
            *_of_other_columns(tags, columns),
            *(_of_lines(path, kind) if kind in {"conll", "text", "inline"} else _of_line_ends(table)),
            *_of_brat(path, kind),
        ),
    )


def _read(
    path: str | os.PathLike[str], format: str | None, layout: Layout, wrong: WrongRows | None = None
) -> tuple[Layout, pa.Table, labels.Tags | None]:
    table = layout.read(path, format, wrong=wrong)
    tags = None
    names = table.schema.names
    if not {schema.TOKENS, schema.SOURCE_TOKENS} & set(names):
        if not table.num_rows:
            raise Error(f"'{path}' has no rows")
        others = f"; the columns are {', '.join(names)}"
        if tools := looks_like(Path(path))[0] if "text" in names else ():
            others += f"; the format of a tool, such as '{tools[0]}', reads texts with spans of characters"
        raise Error(f"there is no column of words, which `token_column` names{others}")
    if layout.class_map:
        check_renamed(layout.class_map, layout.classes_in(table))
    if schema.ENTITIES in names:
        table = table.set_column(names.index(schema.ENTITIES), schema.ENTITIES, layout.mapped(table[schema.ENTITIES]))
    if schema.LABELS in names:
        with layout.naming_lines(path, format):
            column, tags = layout.tags_of(table, schema.LABELS, path, all_classes=False)
        table = table.set_column(names.index(schema.LABELS), schema.LABELS, column)
    (wrong or WrongRows()).take(layout.contradictions(table, path))
    return layout, table, tags


def _layouts(columns: list[Column], layout: Layout) -> Iterator[Layout]:
    """Layouts to try, the likeliest first."""
    yield replace(layout, strip_prefix=True)
    if layout.empty_token is None:  # a language alone, without a word
        yield replace(layout, strip_prefix=True, empty_token=_NO_WORD)
    words = [one.number for one in token_columns(columns)] or [0]
    # Where lines have more columns than others, a column of plain classes may as well be a part of a word.
    is_regular = len({one.values for one in columns}) < 2
    told = [one for one in label_columns(columns) if is_regular or one.tags.spelling != "plain"]
    tags: list[int | None] = [one.number for one in told]
    for token, label in product(words, tags or [None]):
        if token != label:
            for strip in (False, True):
                yield replace(layout, token_column=token, label_column=label, strip_prefix=strip)


_NO_WORD: Final = "_"
_TOLD: Final = (
    *("token_column", "label_column", "comment", "empty_token", "labels_from"),
    *("span_layer", "span_feature", "annotator"),
)


def _options(layout: Layout) -> tuple[str, ...]:
    """What says on the command line how a file is laid out."""
    given: list[str] = []
    for name in _TOLD:
        value = getattr(layout, name)
        if value is not None:
            given += [f"--{name.replace('_', '-')}", str(value)]
    return (*given, *(["--strip-prefix"] if layout.strip_prefix else []))


def _shown(columns: list[Column]) -> tuple[str, ...]:
    lines = []
    for one in columns:
        kind = "numbers the words" if one.is_numbering else str(one.tags) if one.holds_labels else ""
        lines.append(f"{one}{f'  ({kind})' if kind else ''}")
    return tuple(lines)


def _lengths(table: pa.Table) -> list[int]:
    name = schema.TOKENS if schema.TOKENS in table.schema.names else schema.SOURCE_TOKENS
    return [length or 0 for length in pylist(pc.list_value_length(table[name]))]


def _classes(table: pa.Table, layout: Layout = AS_TOLD) -> dict[str, int]:
    """How many entities there are of each class, the most first."""
    names = table.schema.names
    if schema.ENTITIES in names and not (schema.LABELS in names and layout.decides == "labels"):
        rows: Any = pylist(table[schema.ENTITIES])
    elif schema.LABELS in names:
        rows = pylist(labels.decode_batch(table[schema.LABELS]))
    else:
        return {}
    return dict(Counter(one["label"] for row in rows for one in row or ()).most_common())


def _remarks(table: pa.Table, tags: labels.Tags | None, columns: list[Column]) -> Iterator[str]:
    lengths = _lengths(table)
    for name, words in ((schema.ENTITIES, schema.TOKENS), (schema.SOURCE_ENTITIES, schema.SOURCE_TOKENS)):
        if name in table.schema.names and words in table.schema.names:
            yield from _of_spans(table, name, words)
    if not sum(lengths):
        yield "no words at all"
    yield from _remark("empty sentences", [row for row, length in enumerate(lengths) if not length])
    yield from _remark(f"more than {LONG} words", [row for row, length in enumerate(lengths) if length > LONG])
    if lengths and statistics.median(lengths) <= 1:
        question = "are blank lines between all words" if columns else "are they split into words"
        yield f"most sentences have one word: {question}?"
    yield from _of_words(table)
    if tags is None and not {schema.ENTITIES, schema.SOURCE_ENTITIES} & set(table.schema.names):
        others = [
            field.name for field in table.schema if is_lists(field.type) and field.name not in schema.COLUMN_TYPES
        ]
        if others:
            yield f"no labels, which `label_column` names; lists are in {', '.join(others)}"
    if schema.ID in table.schema.names:
        seen: Counter[str] = Counter()
        twice = []
        for row, row_id in enumerate(pylist(table[schema.ID])):
            seen[str(row_id)] += 1
            if seen[str(row_id)] == 2:
                twice.append(row)
        yield from _remark("ids that were there before", twice)
    classes = _classes(table)
    for name in classes:
        if name and " " in name.strip():
            renamed = shlex.quote(f"{name}={name.replace(' ', '_')}")
            yield f"the class {name!r} has blanks, which files of columns cannot hold; `class_map={renamed}` renames it"
    yield from class_remarks(classes) if tags is None else tags.remarks()
    if tags is not None and tags.spelling in {"prefix", "suffix"}:
        starts = [row for row, tags in enumerate(pylist(table[schema.LABELS])) if _begins_inside(tags or ())]
        yield from _remark("an entity begins with I-, as in IOB1", starts)


def _wrong(wrong: WrongRows) -> Iterator[str]:
    """What is wrong with rows in themselves: of each kind the first row, and how many there are."""
    by_reason: dict[str, list[int]] = {}
    for error in wrong.errors:
        by_reason.setdefault(f"column '{error.column}': {error.reason}", []).append(error.row)
    for reason, rows in by_reason.items():
        yield from _remark(reason, rows)


def _of_spans(table: pa.Table, name: str, words: str) -> Iterator[str]:
    """What is odd about entities: those that are no spans of words, and those that share words."""
    lengths = pylist(pc.list_value_length(table[words]))
    outside, empty, overlapping = [], [], overlapping_rows(table[name])
    for row, (spans, length) in enumerate(zip(pylist(table[name]), lengths, strict=True)):
        places = [(one["start"], one["end"]) for one in spans or () if one["start"] is not None is not one["end"]]
        if any(start < 0 or end > (length or 0) for start, end in places):
            outside.append(row)
        elif any(start >= end for start, end in places):
            empty.append(row)
    yield from _remark(f"spans of '{name}' outside of the sentence, whose words count from 0", outside)
    yield from _remark(f"spans of '{name}' without words: the end is one past the last word", empty)
    yield from _remark(f"entities of '{name}' that share words, of which `nested` of a projection decides", overlapping)


def _of_words(table: pa.Table) -> Iterator[str]:
    """What is odd about words: empty ones, and those of a single word alone that have blanks."""
    yield from _words_that("empty words", table, lambda words: pc.equal(pc.utf8_trim_whitespace(words), pa.scalar("")))
    yield from _words_like("words with blanks in them", table, r"\S[ \t]+\S")


def _words_like(what: str, table: pa.Table, pattern: str) -> Iterator[str]:
    yield from _words_that(what, table, lambda words: pc.match_substring_regex(words, pattern))


def _words_that(what: str, table: pa.Table, are_odd: Callable[[pa.Array[Any]], pa.Array[Any]]) -> Iterator[str]:
    """The rows that have words of which something holds."""
    for name in (schema.TOKENS, schema.SOURCE_TOKENS):
        if name in table.schema.names:
            column = one_array(table[name])
            rows = pc.list_parent_indices(column).filter(are_odd(pc.list_flatten(column)))
            yield from _remark(what, sorted({int(row) for row in rows.to_numpy()}))


_LINE_ENDS: Final = r"[\r\n\v\f\x1c-\x1e\x{85}\x{2028}\x{2029}]"
_LINE_END_BYTES: Final = re.compile(rb"\r(?!\n|\Z)|[\v\f\x1c-\x1e]|\xc2\x85|\xe2\x80[\xa8\xa9]")
_MARKED: Final = re.compile(rb"\[[^][\n]+\]\([A-Za-z][\w-]*\)|<([A-Za-z][\w-]*)>[^<\n]+</\1>")


def _of_line_ends(table: pa.Table) -> Iterator[str]:
    """Line ends within the words of a table."""
    yield from _words_like("words with line ends in them", table, _LINE_ENDS)


def _of_lines(path: str | os.PathLike[str], kind: str) -> Iterator[str]:
    """What is odd about the lines of a text: line ends of other kinds in them, and entities that are marked there."""
    kinds = [("other line ends, read as parts of words", _LINE_END_BYTES)]
    if kind == "text":
        what = "marks around entities, read as words; the formats inline and doccano, among others, hold labels"
        kinds.append((what, _MARKED))
    for what, pattern in kinds:
        places = []
        for block in read_blocks(path):
            found = [(match.start(), match[0].decode()) for match in pattern.finditer(block.data)]
            places += [(block.first_line + block.data.count(b"\n", 0, place), text) for place, text in found]
        if places:
            line, text = places[0]
            shown = f"U+{ord(text):04X}" if len(text) == 1 else repr(text)
            yield f"{what}: {len(places)} (the first one in line {line}: {shown})"


def _of_brat(path: str | os.PathLike[str], kind: str) -> Iterator[str]:
    """Whether the entities of a text are in a file of brat beside it."""
    other = Path(path).with_suffix(".ann")
    if kind == "text" and other.is_file():
        yield f"brat's annotations of it are in '{other}'; {about_brat(other.parent)}"


def _folder(folder: Path) -> Inspection:
    """What is found in a folder of brat's documents, which Python reads.

    Raises:
        Error: there are none.
    """
    if next(folder.rglob("*.ann"), None) is None:
        raise Error(f"'{folder}' is a folder without brat's documents; name one of its files")
    table = read_brat(folder)
    remarks = tuple(_remarks(table, None, []))
    shown = tuple(f"{field.name}: {field.type}" for field in table.schema)
    how = about_brat(folder)
    return Inspection(str(folder), "brat", shown, how, None, (), table, None, _classes(table), remarks)


def _of_commas(columns: list[Column]) -> Iterator[str]:
    """Whether a file that is read as one of words alone is in fact one of values with commas or semicolons between."""
    for mark in (",", ";"):
        if len(columns) == 1 and columns[0].values > 1 and all(mark in tag[1:-1] for tag in columns[0].tags.canonical):
            yield f"each line has a {mark!r}: are these columns? tabs or blanks separate them here"


def _of_other_columns(tags: labels.Tags | None, columns: list[Column]) -> Iterator[str]:
    """Whether there are labels in another column than the one that is read, which has no entities."""
    others = [one for one in label_columns(columns) if one.tags.classes and one.tags.spelling != "plain"]
    if tags is not None and not tags.classes and others:
        number, names = others[0].number, ", ".join(others[0].tags.classes[:_SHOWN])
        yield f"no entities, but column {number} has labels ({names}): `label_column={number}` reads it"


def _begins_inside(tags: Any) -> bool:
    """Whether an entity begins with I-, which IOB2 does not allow."""
    before = labels.tags.OUTSIDE
    for tag in tags:
        if tag.startswith("I-") and before[1:] != tag[1:]:
            return True
        before = tag
    return False


def _remark(what: str, rows: list[int]) -> Iterator[str]:
    if rows:
        more = ", ..." if len(rows) > _SHOWN else ""
        yield f"{what}: {number_of(len(rows), 'row')} ({', '.join(map(str, rows[:_SHOWN]))}{more})"
