r"""CoNLL columns: one word and its tag a line, a blank line after each sentence.

Lines end in `\n` or `\r\n`, the last line end and a byte order mark are optional, and a line of spaces and
tabs alone is blank. Columns are separated either by single tabs, so that a word can hold spaces, or by runs
of spaces and tabs. Nothing else separates: no-break and ideographic spaces, joiners and line separators
belong to words.

**Comments.** A line that begins with `#` is a comment, unless it has both columns and a tag in that of labels (`O`,
`B-`, `I-`, `E-`, `S-` and so on with a class, what other lines have there, between tabs the name of a class), so that
`# O` is the word `#`. In files without labels, `#` and a blank make a comment. `# key = value` is one whatever the
value, and `# id = x` and `# sent_id = x` name the sentence, which begins there if no blank line is before it.

**Columns** are told by number or, where the first line names them, by name. Lines of CoNLL-U that are no words of their
own, ranges (`1-2`) and empty nodes (`8.1`), are left out where words are in another column than the first.

Blank lines alone end sentences: a file without any, whose first line names a column that tells them, is refused with
what makes another one of it. In the files of HIPE, whose first line names a column `MISC`, a sentence ends as well
where that says `EndOfSentence`.

**Rows are never lost.** A sentence without words, which the format has no way to say, is written as its `# id
= x` alone, and such a comment is read as a row without words. Other sentences get an id line only where the
id is not the row's number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from xner import schema
from xner._support.arguments import did_you_mean
from xner._support.arrow import joined_strings
from xner.errors import DataError, Error, FormatError
from xner.io._columns import Column, header_of, label_columns, survey, token_columns
from xner.io._commands import filtered, name_beside
from xner.io._lines import Block, list_column, read_blocks, rebatch, row_ids, string_array, tab_fields, words
from xner.io._rows import TextOutput, column, plain_words, write_rows
from xner.io._rows import ids as own_ids
from xner.io.other_tables import about_rows

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

__all__ = [
    "LANGUAGE_PREFIX",
    "ConllWriter",
    "is_treebank_without_labels",
    "iter_conll",
    "lines_of_row",
    "read_conll",
    "survey_conll",
    "write_conll",
]

_DOCUMENT = "-DOCSTART-"
_WEBANNO = b"#FORMAT=WebAnno TSV"
_TAG = re.compile(rb"O|[BIESLUM]-.+", re.DOTALL)
_CLASS = re.compile(rb"[A-Za-z][\w.-]*")
_ID = re.compile(rb" +(?:sent_)?id *= ?(.*)", re.DOTALL)
_NER = re.compile(r"(?:^|\|)NER=([^|]+)")
_KEY = re.compile(rb" *[\w.:-]+ *= ?.*", re.DOTALL)
_NO_WORD = re.compile(rb"\d+[-.]\d+(?:[ \t]|$)")
LANGUAGE_PREFIX = r"^[a-z]{2,3}(-[a-z-]+)?:"
"""What WikiANN has before each word."""
_WITH_OUTSIDE = r"sed 's/\t\(\r\{0,1\}\)$/\tO\1/'"
_FLAGS = "MISC"
_SENTENCE_END = b"EndOfSentence"
_OF_CONLLU = 10  # columns
_SAMPLE = 2000  # lines that columns are told by
_BLANKS = re.compile(rb"[ \t]+")


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the lines of a file are read; the arguments of `iter_conll`."""

    token_column: int
    label_column: int | None
    delimiter: str
    comment_prefix: bytes
    keep_docstart: bool
    empty_token: str | None
    strip_prefix: bool = False
    header_line: int = 0  # its number in the file, from 1; 0: there is none
    labels: frozenset[bytes] = frozenset()  # what the file's first lines have for tags
    skips_numbers: bool = False  # lines of CoNLL-U that are no words of their own
    width: int = 0  # how many columns the file's first line has; 0: not known yet
    flags_column: int | None = None  # HIPE's, which says where sentences end

    def fields(self, line: bytes) -> list[bytes]:
        """The columns of a line."""
        return line.split(b"\t") if self.delimiter == "\t" else _BLANKS.split(line.rstrip(b" \t"))

    def is_comment(self, line: bytes) -> bool:
        """Whether a line that begins with the prefix is a comment."""
        if self.has_key(line):
            return True
        if self.label_column is None:
            return line[len(self.comment_prefix) :][:1] in {b" ", b"\t"}
        columns = self.fields(line)
        both = (self.token_column, self.label_column)
        places = {column % len(columns) for column in both if -len(columns) <= column < len(columns)}
        if len(places) < 2:
            return True
        tag = columns[self.label_column]
        is_tag = _TAG.fullmatch(tag) or tag in self.labels or (self.delimiter == "\t" and _CLASS.fullmatch(tag))
        return not is_tag

    def has_key(self, line: bytes) -> bool:
        """Whether a line that begins with the prefix goes on as `key = value`, which no word's line does."""
        return _KEY.fullmatch(line, len(self.comment_prefix)) is not None

    def sentence_id(self, comment: bytes) -> str | None:
        """The id that a comment gives to its sentence."""
        match = _ID.fullmatch(comment, len(self.comment_prefix))
        return match[1].decode() if match else None


def iter_conll(
    path: str | os.PathLike[str],
    *,
    token_column: int | str = 0,
    label_column: int | str | None = -1,
    delimiter: str | None = None,
    comment_prefix: str = "#",
    keep_docstart: bool = False,
    empty_token: str | None = None,
    strip_prefix: bool = False,
    batch_rows: int = 16_384,
) -> Iterator[pa.RecordBatch]:
    r"""Reads sentences in batches, so that memory stays bounded.

    Args:
        path: UTF-8 text, or the same compressed (`.gz`).
        token_column: the column of words: its number from 0, or from -1 for the last, or its name in the first line.
            Where that names columns, the default is the one that it names so.
        label_column: the column of tags, likewise; `None` for a file without.
        delimiter: `"\t"`; `" "` for runs of spaces and tabs; `None` decides by whether the file's first line
            of words holds a tab.
        comment_prefix: how comments begin (see above); `""` for a file without comments.
        keep_docstart: read `-DOCSTART-` lines like others; the default drops them.
        empty_token: what to read for a missing word (a line such as `" O"`); by default such a line is an
            error.
        strip_prefix: leave out what WikiANN has before each word, the language and a colon (`de:Bonn`).
        batch_rows: rows a batch.

    Yields:
        Batches of `id`, `tokens` and, unless `label_column` is `None`, `labels` as they stand in the file.
        The `id` is the sentence's own or else the row's number, from 0. At least one batch.

    Raises:
        FormatError: not UTF-8, too few columns, columns counted from the end that are other ones in other lines, a
            missing word or tag, a column that numbers the words or holds no
            tags where none was chosen and another one does; the message names file and line, and the remedy.
        Error: an option that cannot be used.
    """
    if delimiter not in {None, "\t", " "}:
        raise Error(f"delimiter must be a tab, a space or None, not {delimiter!r}")
    if empty_token == "":
        raise Error("empty_token must not be empty itself")
    last = None if label_column is None else -1
    layout = _Layout(0, last, delimiter or "", comment_prefix.encode(), keep_docstart, empty_token, strip_prefix)
    return rebatch(_iter_conll(path, layout, (token_column, label_column)), batch_rows)


def read_conll(
    path: str | os.PathLike[str],
    *,
    token_column: int | str = 0,
    label_column: int | str | None = -1,
    delimiter: str | None = None,
    comment_prefix: str = "#",
    keep_docstart: bool = False,
    empty_token: str | None = None,
    strip_prefix: bool = False,
) -> pa.Table:
    """Reads all sentences of a file: a table of `id`, `tokens` and `labels`; see `iter_conll`."""
    return pa.Table.from_batches(
        iter_conll(
            path,
            token_column=token_column,
            label_column=label_column,
            delimiter=delimiter,
            comment_prefix=comment_prefix,
            keep_docstart=keep_docstart,
            empty_token=empty_token,
            strip_prefix=strip_prefix,
        )
    )


def _iter_conll(
    path: str | os.PathLike[str], layout: _Layout, chosen: tuple[int | str, int | str | None]
) -> Iterator[pa.RecordBatch]:
    names = [schema.ID, schema.TOKENS, *([] if layout.label_column is None else [schema.LABELS])]
    types = [pa.string(), schema.WORDS_TYPE, schema.WORDS_TYPE]
    arrow_schema = pa.schema(list(zip(names, types, strict=False)))
    yield pa.RecordBatch.from_pylist([], schema=arrow_schema)
    rows = 0
    for block, found in _laid_out(path, layout, chosen):
        columns = _sentences(block, found, rows)
        if len(columns[0]):
            yield pa.RecordBatch.from_arrays(columns, schema=arrow_schema)
            rows += len(columns[0])


def _blocks(path: str | os.PathLike[str]) -> Iterator[Block]:
    """The blocks of a file.

    Raises:
        FormatError: it is of a format that looks alike, or not UTF-8.
    """
    for block in read_blocks(path, at_blank_lines=True):
        if block.first_line == 1 and block.data.startswith(_WEBANNO):
            raise FormatError(f"{path}, line 1: this is WebAnno's and INCEpTION's TSV; the format 'webanno' reads it")
        yield block


def _laid_out(
    path: str | os.PathLike[str], layout: _Layout, chosen: tuple[int | str, int | str | None]
) -> Iterator[tuple[Block, _Layout]]:
    """The blocks of a file, and how their lines are read."""
    blocks = _blocks(path)
    delimiter, ahead = _look_ahead(blocks, layout)
    layout = replace(layout, delimiter=layout.delimiter or delimiter)
    ahead = _more(blocks, ahead)
    layout = _with_columns(ahead, layout, *chosen)
    for block in chain(ahead, blocks):
        yield block, layout


def lines_of_row(
    path: str | os.PathLike[str],
    row: int,
    *,
    token_column: int | str = 0,
    label_column: int | str | None = -1,
    comment_prefix: str = "#",
    empty_token: str | None = None,
    strip_prefix: bool = False,
) -> list[int]:
    """The lines on which the words of a sentence stand, for messages.

    Args:
        path: of a file that `iter_conll` reads with the same options.
        row: number of the sentence, from 0.
        token_column: as for `iter_conll`, as are the others and the errors.
        label_column: likewise.
        comment_prefix: likewise.
        empty_token: likewise.
        strip_prefix: likewise.

    Returns:
        Numbers of lines, from 1, one a word; none where the file has no such row.
    """
    last = None if label_column is None else -1
    layout = _Layout(0, last, "", comment_prefix.encode(), keep_docstart=False, empty_token=empty_token)
    before = 0
    for block, found in _laid_out(path, replace(layout, strip_prefix=strip_prefix), (token_column, label_column)):
        lines, lengths, _ = _lines_of_rows(block, found)
        if row < before + len(lengths):
            first = int(lengths[: row - before].sum())
            return [block.first_line + line for line in lines[first : first + int(lengths[row - before])].tolist()]
        before += len(lengths)
    return []


def _with_columns(blocks: Sequence[Block], layout: _Layout, token: int | str, label: int | str | None) -> _Layout:
    """A layout with the numbers of its columns, told by a file's first blocks.

    Raises:
        FormatError: a name that the first line does not have; rows that are sentences, or words of sentences that a
            column tells; or columns by default that hold something else.
    """
    sentences, place = _sample(blocks, layout)
    if place is None:
        return replace(
            layout,
            token_column=token if isinstance(token, int) else 0,
            label_column=label if isinstance(label, int | None) else -1,
        )
    block, first_line = place
    first = sentences[0][0]
    header: tuple[str, ...] = ()
    if isinstance(token, str) or isinstance(label, str):
        header = tuple(field.strip() for field in first)
        for name in (token, label):
            if isinstance(name, str) and name not in header:
                near = did_you_mean(name, header)
                raise block.error(first_line, f"no column is named {name!r}{near}; there are {', '.join(header)}")
    else:
        header = header_of(first)
    if header:
        if len(sentences) == 1 and layout.delimiter == "\t" and (about := about_rows(block.path, separators="\t")):
            raise FormatError(f"{block.path}: {about}")
        del sentences[0][0]
        layout = replace(layout, header_line=block.first_line + first_line)
    columns = survey([sentence for sentence in sentences if sentence], header)
    by_default = (token, label) in {(0, -1), (0, None)}
    labels_by_default = label == -1 and isinstance(token, int)
    if by_default and header:
        token, label = _named(columns, label)
    token = header.index(token) if isinstance(token, str) else token
    label = header.index(label) if isinstance(label, str) else label
    if label is not None and -len(columns) <= label < len(columns):
        problem = _labels_in_pairs(columns[label], block.path)
        if problem is not None:
            raise block.error(first_line, problem)
    is_regular = len({len(fields) for sentence in sentences for fields in sentence}) == 1
    if (by_default or labels_by_default) and not header and is_regular:
        problem = _misread(columns, label, words_by_default=by_default)
        if problem is not None:
            raise block.error(first_line, problem)
    numbered = token not in {0, -len(columns)} and bool(columns) and columns[0].is_numbering
    return replace(
        layout,
        token_column=token,
        label_column=label,
        labels=_labels_of(sentences, label),
        skips_numbers=numbered,
        width=len(first),
        flags_column=header.index(_FLAGS) if _FLAGS in header else None,
    )


def _labels_of(sentences: Sequence[Sequence[Sequence[str]]], column: int | None) -> frozenset[bytes]:
    """What lines have for tags."""
    if column is None:
        return frozenset()
    every = (fields for sentence in sentences for fields in sentence)
    return frozenset(
        fields[column].encode() for fields in every if len(fields) > 1 and -len(fields) <= column < len(fields)
    )


def survey_conll(path: str | os.PathLike[str]) -> list[Column]:
    """What the columns of a file look like, by its first lines.

    Raises:
        FormatError: not UTF-8.
    """
    layout = _Layout(0, None, "", b"#", keep_docstart=False, empty_token=None)
    blocks = _blocks(path)
    delimiter, ahead = _look_ahead(blocks, layout)
    sentences, _ = _sample(_more(blocks, ahead), replace(layout, delimiter=delimiter))
    header = header_of(sentences[0][0]) if sentences else ()
    if header:
        del sentences[0][0]
    return survey([sentence for sentence in sentences if sentence], header)


def is_treebank_without_labels(path: str | os.PathLike[str]) -> bool:
    """Whether a file is CoNLL-U, by its first lines, and none of its columns holds labels.

    Raises:
        FormatError: not UTF-8.
    """
    for block in read_blocks(path):
        for line in range(len(block.starts)):
            fields = block.line(line).split(b"\t")
            if len(fields) == _OF_CONLLU and fields[0][:1].isdigit():
                columns = survey_conll(path)
                are_labels = bool(label_columns(columns)) or _labels_in_pairs(columns[-1], str(path)) is not None
                return len(columns) == _OF_CONLLU and columns[0].is_numbering and not are_labels
            if fields != [b""] and not fields[0].startswith(b"#"):
                return False
    return False


def _more(blocks: Iterator[Block], ahead: list[Block]) -> list[Block]:
    """Blocks to tell columns by: those that were taken, and as many more as make a sample."""
    while sum(len(block.starts) for block in ahead) < _SAMPLE and (block := next(blocks, None)) is not None:
        ahead.append(block)
    return ahead


def _sample(blocks: Sequence[Block], layout: _Layout) -> tuple[list[list[list[str]]], tuple[Block, int] | None]:
    """The fields of some sentences, and the line that the first one begins on."""
    sentences: list[list[list[str]]] = [[]]
    first = None
    left = _SAMPLE
    for block in blocks:
        separators = block.is_blank() | _is_document_line(block)
        for line in range(min(len(separators), left)):
            text = block.line(line)
            if separators[line]:
                sentences.append([])
            elif not (layout.comment_prefix and text.startswith(layout.comment_prefix)):
                first = first or (block, line)
                sentences[-1].append([field.decode() for field in layout.fields(text)])
        if len(separators) > left and len(sentences) > 1:
            del sentences[-1]  # it goes on
        left -= len(separators)
        if left <= 0:
            break
    return [sentence for sentence in sentences if sentence], first


def _named(columns: Sequence[Column], label: int | str | None) -> tuple[int, int | str | None]:
    """The columns of words and of labels, by their names; what has no such name is where it is by default."""
    words = token_columns(columns)
    labels = [one for one in label_columns(columns) if one.number != (words[0].number if words else 0)]
    return words[0].number if words else 0, label if label is None or not labels else labels[0].number


def _misread(columns: Sequence[Column], label: int | str | None, *, words_by_default: bool) -> str | None:
    """Why the first column is not that of words, or the last one not that of labels, where others are."""
    if len(columns) < 2:
        return None
    words, labels = token_columns(columns), [] if label is None else label_columns(columns)
    wrong = []
    options = []
    if words_by_default and columns[0].is_numbering and words and len(columns) > 2:
        wrong.append(f"{columns[0]} numbers the words")
        options.append(f"`token_column={words[0].number}`")
    last = columns[-1]
    others = [one for one in labels if one.number != last.number and one.tags.has_outside]
    doubt = None if label is None or last.holds_labels else last.tags.doubt(last.values)
    both = len([one for one in labels if one.tags.spelling != "plain"]) > 1
    # A last column of O alone may be of labels, but hardly beside one that has some and numbers before the words.
    alone = not last.holds_labels and columns[0].is_numbering
    if others and (doubt or alone or (wrong and both)):
        wrong.append(f"{last} holds no labels ({doubt})" if doubt else _hold_labels(labels))
        options.append(f"`label_column={others[0].number}`")
        if others[0].number == 0 and words_by_default and words:
            options.insert(0, f"`token_column={words[0].number}`")
    return f"{'; '.join(wrong)}; read it with {' and '.join(options)}" if wrong else None


def _labels_in_pairs(column: Column, path: str) -> str | None:
    """What to do with a column that has labels among keys and values, as CoNLL-U's last one may have; else None."""
    example = next((match[1] for tag in column.tags.canonical if (match := _NER.search(tag))), None)
    if example is None:
        return None
    field = column.number + 1
    label = f'match(${field}, /NER=[^|]*/) ? substr(${field}, RSTART + 4, RLENGTH - 4) : "O"'
    program = f"awk -F'\\t' -v OFS='\\t' 'NF >= {field} {{${field} = {label}}} 1'"
    command = filtered(path, program, name_beside(path, "ner"))
    return f"column {column.number} has labels as NER={example} and more; `{command}` leaves the labels alone"


def _hold_labels(columns: Sequence[Column]) -> str:
    numbers = " and ".join(str(one.number) for one in sorted(columns, key=lambda one: one.number))
    return f"columns {numbers} hold labels" if len(columns) > 1 else f"column {numbers} holds labels"


def _is_document_line(block: Block) -> npt.NDArray[np.bool_]:
    mark = _DOCUMENT.encode()
    result = block.starts_with(mark)
    for line in np.flatnonzero(result).tolist():
        result[line] = block.line(line)[len(mark) :][:1] in {b"", b" ", b"\t"}
    return result


def _look_ahead(blocks: Iterator[Block], layout: _Layout) -> tuple[str, list[Block]]:
    """Decides the delimiter by the file's first line of words; also returns the blocks that it took.

    A line that may be a comment counts only where the file has no other.
    """
    taken = []
    unsure = b""
    for block in blocks:
        taken.append(block)
        filled = ~(block.is_blank() | _is_document_line(block))
        sure = filled & ~block.starts_with(layout.comment_prefix) if layout.comment_prefix else filled
        if sure.any():
            return ("\t" if b"\t" in block.line(int(np.argmax(sure))) else " "), taken
        if filled.any() and not unsure:
            unsure = block.line(int(np.argmax(filled)))
    return ("\t" if b"\t" in unsure else " "), taken


def _comments(
    block: Block, layout: _Layout, separators: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.bool_], dict[int, str]]:
    """Which lines are comments, and the ids that some of them give, by line."""
    comments = np.zeros(len(block.starts), dtype=np.bool_)
    ids: dict[int, str] = {}
    if not layout.comment_prefix:
        return comments, ids
    begins = block.starts_with(layout.comment_prefix) & ~separators
    for line in np.flatnonzero(begins).tolist():
        text = block.line(line)
        within = line > 0 and not (separators[line - 1] or comments[line - 1])
        if within:
            comments[line] = layout.has_key(text)
        else:
            comments[line] = layout.is_comment(text)
        sentence_id = layout.sentence_id(text) if comments[line] else None
        if sentence_id is not None:
            ids[line] = sentence_id
            separators[line] |= within  # a sentence begins here
    return comments, ids


def _no_words(block: Block) -> npt.NDArray[np.bool_]:
    """Which lines are ranges or empty nodes: their first field is `1-2` or `8.1`."""
    inside = np.ones(len(block.starts), dtype=np.bool_)
    maybe = np.zeros(len(block.starts), dtype=np.bool_)
    for offset in range(12):
        places = block.starts + offset
        inside &= places < block.ends
        byte = block.array[np.minimum(places, len(block.array) - 1)]
        maybe |= inside & (offset > 0) & ((byte == ord("-")) | (byte == ord(".")))
        inside &= (byte >= ord("0")) & (byte <= ord("9"))
    for line in np.flatnonzero(maybe).tolist():
        maybe[line] = _NO_WORD.match(block.line(line)) is not None
    return maybe


def _sentences(block: Block, layout: _Layout, first_row: int) -> list[pa.Array[Any]]:
    """The columns of a block's sentences."""
    lines, lengths, ids = _lines_of_rows(block, layout)
    id_column = row_ids(first_row, len(lengths))
    if ids:
        texts = id_column.to_pylist()
        for row, text in ids.items():
            texts[row] = text
        id_column = pa.array(texts, pa.string())
    columns = _values(block, layout, lines)
    return [id_column, *(list_column(lengths, values) for values in columns)]


def _behind_ends(block: Block, layout: _Layout) -> npt.NDArray[np.int64]:
    """1 for each line before which a column of flags ends a sentence, else 0."""
    behind = np.zeros(len(block.starts) + 1, dtype=np.int64)
    if layout.flags_column is not None:
        for found in re.finditer(_SENTENCE_END, block.data):
            line = int(np.searchsorted(block.starts, found.start(), side="right")) - 1
            fields = layout.fields(block.line(line))
            if len(fields) > layout.flags_column and _SENTENCE_END in fields[layout.flags_column].split(b"|"):
                behind[line + 1] = 1
    return behind[:-1]


def _lines_of_rows(
    block: Block, layout: _Layout
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], dict[int, str]]:
    """The lines of a block that hold words, how many each of its sentences has, and the ids that some of these have."""
    separators = block.is_blank()
    if not layout.keep_docstart:
        separators |= _is_document_line(block)
    if block.first_line <= layout.header_line < block.first_line + len(separators):
        separators[layout.header_line - block.first_line] = True
    comments, ids = _comments(block, layout, separators)
    if layout.skips_numbers:
        comments |= _no_words(block)
    lines = np.flatnonzero(~(separators | comments))
    groups = np.cumsum(separators + _behind_ends(block, layout))
    lengths = np.bincount(groups[lines], minlength=groups[-1] + 1)
    is_row = lengths > 0
    is_row[groups[list(ids)]] = True
    rows = np.flatnonzero(is_row)
    return lines, lengths[rows], {int(np.searchsorted(rows, groups[line])): text for line, text in ids.items()}


def _values(block: Block, layout: _Layout, lines: npt.NDArray[np.int64]) -> list[pa.Array[Any]]:
    """The words, and the tags if there are any, of all lines that hold some."""
    fields = tab_fields(block) if layout.delimiter == "\t" else words(block, leading_blank_is_empty_word=True)
    counts = np.diff(fields.offsets)[lines]
    tokens, has_token = _resolve(layout.token_column, counts)
    wanted = [tokens]
    too_short = ~has_token
    if layout.label_column is not None:
        labels, has_label = _resolve(layout.label_column, counts)
        wanted.append(labels)
        same = ~too_short & (labels == tokens)
        too_short |= ~has_label | (same & (counts == 1))
        if (same & ~too_short).any():
            place = int(np.argmax(same & ~too_short))
            line = int(lines[place])
            remedy = "`token_column` says where the words are, `label_column` where the labels are"
            both = f"words and labels are both looked for in column {tokens[place]}"
            raise block.error(line, f"{both}; {remedy}: {block.text(line)}")
    if too_short.any():
        place = int(np.argmax(too_short))
        line = int(lines[place])
        number = "1 column" if counts[place] == 1 else f"{counts[place]} columns"
        unlabelled = counts[place] == 1 and layout.label_column is not None
        hint = " (with label_column=None, files without labels are read)" if unlabelled else ""
        raise block.error(line, f"{number}, too few for {_wanted(layout)}{hint}: {block.text(line)}")
    if len(wanted) > 1 and min(layout.token_column, layout.label_column or 0) < 0:
        _check_widths(block, layout, lines, counts)
    result = []
    for name, columns in zip(("word", "label"), wanted, strict=False):
        chosen = fields.offsets[:-1][lines] + columns
        starts, ends = fields.starts[chosen], fields.ends[chosen]
        values: pa.Array[Any] = string_array(block, starts, ends)
        if name == "word" and layout.strip_prefix:
            values = pc.replace_substring_regex(values, LANGUAGE_PREFIX, "")
            empty = pc.equal(values, pa.scalar("")).to_numpy(zero_copy_only=False)
        else:
            empty = starts == ends
        if empty.any():
            if name == "word" and layout.empty_token is not None:
                values = pc.if_else(pa.array(empty), layout.empty_token, values)
            else:
                line = int(lines[np.argmax(empty)])
                before = " (the option `empty_token` reads a word for it)" if name == "word" else ""
                command = filtered(block.path, _WITH_OUTSIDE, name_beside(block.path, "outside"))
                remedy = f"; where nothing stands for O, `{command}` writes it"
                after = remedy if name == "label" and layout.delimiter == "\t" else ""
                raise block.error(line, f"the {name} is empty{before}: {block.text(line)}{after}")
        result.append(values)
    return result


def _check_widths(block: Block, layout: _Layout, lines: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> None:
    """That columns which are counted from the end are the same ones in every line.

    Raises:
        FormatError: a line has more or fewer columns than the file's first one.
    """
    differs = counts != layout.width
    if layout.width and differs.any():
        place = int(np.argmax(differs))
        number = "1 column" if counts[place] == 1 else f"{counts[place]} columns"
        line = int(lines[place])
        raise block.error(
            line,
            f"{number} where the first line has {layout.width}: {block.text(line)}; a word with blanks in it, or a "
            f"column too many? (with {_from_the_front(layout)}, what is behind these is not looked at)",
        )


def _from_the_front(layout: _Layout) -> str:
    """The options by which columns are counted from the first one."""
    numbers = {"token_column": layout.token_column, "label_column": layout.label_column}
    counted = {name: number % layout.width for name, number in numbers.items() if number is not None and number < 0}
    return " and ".join(f"`{name}={number}`" for name, number in counted.items())


def _resolve(column_number: int, counts: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The place of a column in each line, counted from the line's first, and whether the line has it."""
    places = np.full(len(counts), column_number) if column_number >= 0 else counts + column_number
    return places, (places >= 0) & (places < counts)


def _wanted(layout: _Layout) -> str:
    separated = "tabs" if layout.delimiter == "\t" else "blanks"
    if layout.label_column is None:
        return f"the word in column {layout.token_column}, separated by {separated}"
    return (
        f"the word in column {layout.token_column} and the label in column {layout.label_column}, "
        f"separated by {separated}"
    )


class ConllWriter:
    """Writes sentences in columns."""

    def __init__(
        self,
        file: BinaryIO,
        *,
        columns: Sequence[str] = (schema.TOKENS, schema.LABELS),
        delimiter: str = "\t",
        rows_before: int = 0,
    ) -> None:
        r"""Writes to an open binary file.

        Args:
            file: where to.
            columns: names of the list<string> columns, words first; the last one is what a reader takes for
                labels.
            delimiter: `"\t"` or `" "`.
            rows_before: rows that are in front of these, where the file is a part of another.

        Raises:
            Error: an option that cannot be used.
        """
        if delimiter not in {"\t", " "}:
            raise Error(f"delimiter must be a tab or a space, not {delimiter!r}")
        if not columns or isinstance(columns, str):
            raise Error(f"columns must be a sequence of column names, not {columns!r}")
        self._output = TextOutput(file, at_start=not rows_before)
        self._columns = tuple(columns)
        self._delimiter = delimiter
        # A reader of a single column cannot know that blanks in it belong to words.
        self._blanks = "\t" if delimiter == "\t" and len(columns) > 1 else " \t"
        self._layout = _Layout(0, -1 if len(columns) > 1 else None, delimiter, b"#", False, None)
        self._rows = rows_before

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends a batch's sentences.

        Raises:
            DataError: a word or label that would be read back as something else or not at all, or a row whose
                columns differ in length; the message names row, column and value.
            Error: a missing column.
        """
        flat: list[pa.Array[Any]] = []
        lengths = np.zeros(0, dtype=np.int64)
        for name in self._columns:
            column_lengths, values = plain_words(column(batch, name), name, self._rows, blanks=self._blanks)
            if not flat:
                lengths = column_lengths
            elif (lengths != column_lengths).any():
                row = int(np.argmax(lengths != column_lengths))
                raise DataError(
                    self._rows + row,
                    name,
                    f"{column_lengths[row]} values",
                    f"column '{self._columns[0]}' has {lengths[row]} words in this row",
                )
            flat.append(values.cast(pa.string()))
        lines = joined_strings(*flat, self._delimiter) if len(flat) > 1 else flat[0]
        self._check_first_words(lengths, flat[0], lines)
        sentences: Any = pc.binary_join(list_column(lengths, lines), "\n")
        ids = self._id_lines(batch, lengths)
        self._output.write(
            "".join(
                f"{id_line}{sentence}\n\n" if sentence else f"{id_line}\n"
                for id_line, sentence in zip(ids, sentences.to_pylist(), strict=True)
            )
        )
        self._rows += len(lengths)

    def _id_lines(self, batch: pa.RecordBatch, lengths: npt.NDArray[np.int64]) -> list[str]:
        numbers = row_ids(self._rows, len(lengths))
        own = own_ids(batch)
        ids = numbers if own is None else pc.coalesce(own, numbers)
        unusable = pc.match_substring_regex(ids, "[\r\n]")
        if pc.any(unusable).as_py():
            row = int(pc.index(unusable, True).as_py())
            raise DataError(self._rows + row, schema.ID, repr(ids[row].as_py()), "an id cannot hold a line end")
        needed = pc.or_(pc.not_equal(ids, numbers), pa.array(lengths == 0))
        lines = pc.if_else(needed, joined_strings("# id = ", ids, "\n", ""), "")
        return [str(line) for line in lines.to_pylist()]

    def _check_first_words(self, lengths: npt.NDArray[np.int64], words_: pa.Array[Any], lines: pa.Array[Any]) -> None:
        """Words that a reader would take for the start of a document or for a comment are an error."""
        first_of_row = np.cumsum(lengths) - lengths
        for place in np.flatnonzero(pc.equal(words_, pa.scalar(_DOCUMENT)).to_numpy(zero_copy_only=False)).tolist():
            row = self._rows + int(np.searchsorted(first_of_row, place, side="right")) - 1
            raise DataError(row, self._columns[0], repr(_DOCUMENT), "this word marks documents in CoNLL files")
        first = set(first_of_row[lengths > 0].tolist())
        for place in np.flatnonzero(pc.starts_with(words_, "#").to_numpy(zero_copy_only=False)).tolist():
            line = lines[place].as_py()
            is_comment = self._layout.is_comment if place in first else self._layout.has_key
            if is_comment(line.encode()):
                row = self._rows + int(np.searchsorted(first_of_row, place, side="right")) - 1
                raise DataError(row, self._columns[0], repr(line), "the line would be read as a comment")

    def close(self) -> None:
        """Nothing is held back."""


def write_conll(
    table: pa.Table,
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str] = (schema.TOKENS, schema.LABELS),
    delimiter: str = "\t",
) -> None:
    r"""Writes sentences in columns; see `ConllWriter`, also for the errors.

    Args:
        table: the rows; an `id` that is not the row's number is written as a comment.
        path: the target; compressed if it ends in `.gz`.
        columns: names of the list<string> columns, words first.
        delimiter: `"\t"` or `" "`.
    """
    write_rows(table, path, lambda file: ConllWriter(file, columns=columns, delimiter=delimiter))
