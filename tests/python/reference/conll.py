"""Slow, plain reading of CoNLL columns: what `xner.io.read_conll` must return."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

TAG = re.compile(r"O|[BIESLUM]-.+", re.DOTALL)
KEY = re.compile(r"# *[\w.:-]+ *= ?.*", re.DOTALL | re.ASCII)
CLASS = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
ID = re.compile(r"# +(?:sent_)?id *= ?(.*)", re.DOTALL)


@dataclass
class Sentence:
    """Words and labels that belong together, and whether anything makes them a row."""

    words: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    name: str | None = None


def split_lines(text: str) -> list[str]:
    """Lines by newline alone, without a carriage return before it."""
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def split_columns(line: str, delimiter: str) -> list[str]:
    """Columns by single tabs, or by runs of blanks; a blank at the start has an empty column before it."""
    return line.split("\t") if delimiter == "\t" else re.split(r"[ \t]+", line.rstrip(" \t"))


def is_blank(line: str) -> bool:
    """Nothing but spaces and tabs."""
    return line.strip(" \t") == ""


def is_document(line: str) -> bool:
    """A `-DOCSTART-` line."""
    return re.fullmatch(r"-DOCSTART-([ \t].*)?", line, re.DOTALL) is not None


def read_conll(
    text: str, *, token_column: int = 0, label_column: int = -1, delimiter: str | None = None
) -> list[tuple[str, list[str], list[str]]]:
    """The rows of a file as (id, words, labels); a ValueError with the number of the line for a bad one."""
    lines = split_lines(text)
    if delimiter is None:
        filled = [line for line in lines if not is_blank(line) and not is_document(line)]
        sure = [line for line in filled if not line.startswith("#")]
        delimiter = "\t" if any("\t" in line for line in (sure or filled)[:1]) else " "
    split = [split_columns(line, delimiter) for line in lines if not is_blank(line) and not is_document(line)]
    known = {
        columns[label_column]
        for columns in split
        if not columns[0].startswith("#") and len(columns) > 1 and -len(columns) <= label_column < len(columns)
    }
    # Columns that are counted from the end are the same ones in all lines, or the file is wrong.
    widths = [len(columns) for columns in split if not columns[0].startswith("#")]
    width = widths[0] if widths and min(token_column, label_column) < 0 else None
    sentences = [Sentence()]
    for number, line in enumerate(lines, start=1):
        if is_blank(line) or is_document(line):
            sentences.append(Sentence())
            continue
        current = sentences[-1]
        columns = split_columns(line, delimiter)
        places = [column if column >= 0 else len(columns) + column for column in (token_column, label_column)]
        complete = all(0 <= place < len(columns) for place in places) and places[0] != places[1]
        tag = columns[places[1]] if complete else ""
        is_tag = TAG.fullmatch(tag) or tag in known or (delimiter == "\t" and CLASS.fullmatch(tag))
        is_word = complete and is_tag
        match = ID.fullmatch(line)
        if line.startswith("#") and (KEY.fullmatch(line) or (not current.words and not is_word)):
            if match and current.words:
                current = Sentence()
                sentences.append(current)
            if match:
                current.name = match[1]
            continue
        if not complete or "" in (columns[places[0]], columns[places[1]]) or len(columns) != (width or len(columns)):
            raise ValueError(number)
        current.words.append(columns[places[0]])
        current.labels.append(columns[places[1]])
    rows = [sentence for sentence in sentences if sentence.words or sentence.name is not None]
    return [(str(number) if row.name is None else row.name, row.words, row.labels) for number, row in enumerate(rows)]
