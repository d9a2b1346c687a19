"""What a file of separated values is that no reader takes: what its rows are, and what makes another file of them."""

from __future__ import annotations

import csv
import json
import re
import shlex
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final, Literal

from xner.errors import FormatError
from xner.io._columns import label_named, words_named
from xner.io._commands import name_beside
from xner.io._lines import read_blocks

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

__all__ = ["about_rows", "about_table"]

_LINES = 200  # that are looked at
_SEPARATORS: Final = {",": "commas", ";": "semicolons", "|": "bars", "\t": "tabs"}
_OF_SENTENCES: Final = re.compile(
    r"(?:sentences?|sent|sätze|satz)(?:[ _.-]?(?:#|ids?|no|nr|num|number|idx|index))?", re.I
)
_TEXTS: Final = ("sentence", "sentences", "satz", "phrase", "content")


@dataclass(frozen=True, slots=True)
class _Table:
    """The first rows of a file of separated values.

    Attributes:
        path: the file.
        separator: between values.
        header: names of columns; empty where the first row has none.
        rows: of values, without empty ones.
        has_blank_lines: whether there are empty ones between.
    """

    path: str
    separator: str
    header: tuple[str, ...]
    rows: list[list[str]]
    has_blank_lines: bool

    def values(self, name: str) -> list[str]:
        """Those of a column."""
        place = self.header.index(name)
        return [row[place] for row in self.rows if place < len(row)]

    @property
    def words(self) -> str | None:
        """The column of words, or of texts."""
        texts = (name for name in self.header if name.lower() in _TEXTS and _have_blanks(self.values(name)))
        return next(chain(filter(words_named, self.header), texts), None)

    @property
    def labels(self) -> str | None:
        """The column of labels."""
        return label_named([name for name in self.header if name != self.words])

    @property
    def sentences(self) -> str | None:
        """The column that tells sentences apart, by another value in each."""
        named = (name for name in self.header if name != self.words and _OF_SENTENCES.fullmatch(name))
        return next((name for name in named if len({*self.values(name)} - {""}) > 1), None)


def about_table(path: str | os.PathLike[str]) -> str:
    """What table of separated values a file is, and what makes JSONL or columns with tabs of it; empty for others.

    Args:
        path: UTF-8 text, or the same compressed (`.gz`).
    """
    try:
        table = _table(path)
    except FormatError:
        return ""
    if table is None:
        return ""
    return about_rows(path) or _about_columns(table)


def about_rows(path: str | os.PathLike[str], *, separators: str = "".join(_SEPARATORS)) -> str:
    """The same of a table with names of columns whose rows are sentences, or words of sentences that a column tells.

    Args:
        path: as for `about_table`.
        separators: that are looked for.

    Raises:
        FormatError: the file is not UTF-8.
    """
    table = _table(path, separators)
    if table is None or table.words is None or table.has_blank_lines:
        return ""
    words, labels = table.words, table.labels
    if _are_sentences(table):
        columns = {"tokens": words, **({} if labels is None else {"labels": labels})}
        made = ", ".join(f"{new}=t[{old!r}]{_split(table.values(old))}" for new, old in columns.items())
        code = f"t.assign({made})[{list(columns)}]"
        return f"a row is a sentence, in the column {words!r}; {_by_pandas(table, code)}"
    if table.sentences is None or labels is None:
        return ""
    key = f"t[{table.sentences!r}]"
    code = (
        f"t.groupby({key}.where({key} != '').ffill(), sort=False)[{[words, labels]}].agg(list)"
        ".set_axis(['tokens', 'labels'], axis=1)"
    )
    return f"a row is a word, and the column {table.sentences!r} tells the sentences; {_by_pandas(table, code)}"


def _table(path: str | os.PathLike[str], separators: str = "".join(_SEPARATORS)) -> _Table | None:
    lines = [line for line, _ in zip(_lines(path), range(_LINES), strict=False)]
    while lines and not lines[-1].strip():
        lines.pop()
    for separator in separators:
        try:
            rows = list(csv.reader(lines, delimiter=separator, quoting=_quoting(separator), strict=True))
        except csv.Error:
            continue
        full = [row for row in rows if any(row)]
        if len(full) > 1 and len(full[0]) > 1 and len({len(row) for row in full}) == 1:
            names = tuple(name.strip() for name in full[0])
            header = names if _is_header(names) else ()
            return _Table(str(path), separator, header, full[1:] if header else full, len(full) < len(rows))
    return None


def _quoting(separator: str) -> Literal[0, 3]:
    """How values are quoted that have a separator; between tabs a quotation mark is one."""
    return csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL


def _lines(path: str | os.PathLike[str]) -> Iterator[str]:
    for block in read_blocks(path):
        for line in range(len(block.starts)):
            yield block.line(line).decode()


def _is_header(names: Sequence[str]) -> bool:
    has_words = any(words_named(name) or name.lower() in _TEXTS for name in names)
    return has_words and len({*names}) == len(names)


def _have_blanks(values: Sequence[str]) -> bool:
    return bool(values) and sum(" " in value.strip() for value in values) * 2 >= len(values)


def _are_sentences(table: _Table) -> bool:
    """Whether rows are sentences: most have several words, and as many labels where they have labels."""
    if table.words is None or not _have_blanks(table.values(table.words)):
        return False
    return table.labels is None or _have_blanks(table.values(table.labels))


def _split(values: Sequence[str]) -> str:
    """What makes lists of a column's texts."""
    return ".map(ast.literal_eval)" if all(value.startswith("[") for value in values) else ".str.split()"


def _by_pandas(table: _Table, code: str) -> str:
    modules = "ast, pandas" if "ast." in code else "pandas"
    return (
        f"in Python `import {modules}; t = {_read_by_pandas(table)}; "
        f"{code}.to_json({name_beside(table.path, suffix='.jsonl')!r}, orient='records', lines=True)` makes JSONL of it"
    )


def _read_by_pandas(table: _Table) -> str:
    quoting = ", quoting=3" if _quoting(table.separator) == csv.QUOTE_NONE else ""
    return f"pandas.read_csv({table.path!r}, sep={table.separator!r}{quoting}, dtype=str, keep_default_na=False)"


def _about_columns(table: _Table) -> str:
    """What makes columns with tabs of columns with something else between."""
    blank = "" if table.has_blank_lines else ", if a blank line is put behind each sentence"
    if table.separator == "\t":
        return f"it has columns with tabs between, which the format 'conll' reads{blank}"
    file, separator = (json.dumps(one, ensure_ascii=False) for one in (table.path, table.separator))
    opened = f'open({file}, encoding="utf-8-sig", newline="")'
    program = f'import csv; print(*map("\\t".join, csv.reader({opened}, delimiter={separator})), sep="\\n")'
    made = shlex.quote(name_beside(table.path, suffix=".conll"))
    return (
        f"it has columns with {_SEPARATORS[table.separator]} between; `python -c {shlex.quote(program)} > {made}` "
        f"makes columns with tabs of them, which the format conll reads{blank}"
    )
