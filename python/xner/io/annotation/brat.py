"""brat's standoff format: a folder with a text and its annotations, `ID.txt` and `ID.ann`, for each document.

    T1	PER 0 5	Frank

Annotations that have words of their own are read, `T` and a number; relations, events, attributes and notes are not. A
span in several pieces, with nothing but white space between them, is one.

Source: https://brat.nlplab.org/standoff.html
"""

from __future__ import annotations

import re
import secrets
import shutil
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import quote, unquote

import pyarrow as pa

from xner import schema
from xner._support.arguments import choose
from xner._support.progress import logger
from xner.errors import DataError, Error, FormatError
from xner.io.annotation.documents import Document, Joined, Span, batches_of, documents_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from xner.text.word_splitting import WordSplitter

__all__ = ["Discontinuous", "Rows", "brat_documents", "read_brat", "write_brat"]

Rows: TypeAlias = Literal["documents", "lines"]
Discontinuous: TypeAlias = Literal["refuse", "cover", "drop"]

_SPAN = re.compile(r"T\S*\t(\S+) (\d+ \d+(?:;\d+ \d+)*)(?:\t(.*))?")


def read_brat(
    path: str | os.PathLike[str],
    *,
    language: str | WordSplitter = "characters",
    rows: Rows = "documents",
    discontinuous: Discontinuous = "refuse",
) -> pa.Table:
    """Reads texts with spans.

    Args:
        path: a folder, of which all documents are read, those of folders within it as well, in the order of their
            names; or one `.txt` or `.ann` file of a document.
        language: how words are found, see `batches_of`.
        rows: what is one: a document, whose name is its id, with the folders in between (`news/1`); or a line of one,
            with the name and its number, from 0, as `name:3`.
        discontinuous: what becomes of spans with other words between their pieces: an error, the span that covers all
            of them, or nothing; what is not an error is counted, and the logger told.

    Returns:
        A table as `batches_of` describes it. A text without annotations, that is without an `.ann` file, has no spans.

    Raises:
        FormatError: something else, annotations that do not go with the text, or a discontinuous span; the message
            names file and line.
        Error: there are no such files.
    """
    documents = brat_documents(path, rows=rows, discontinuous=discontinuous)
    return pa.Table.from_batches(batches_of(documents, path, language=language))


def brat_documents(
    path: str | os.PathLike[str], *, rows: Rows = "documents", discontinuous: Discontinuous = "refuse"
) -> Iterator[Document]:
    """Texts with their spans, as they are; arguments and errors are those of `read_brat`."""
    choose("rows", rows, {"documents": None, "lines": None})
    choose("discontinuous", discontinuous, {"refuse": None, "cover": None, "drop": None})
    given = Path(path)
    folder = given if given.is_dir() else given.parent
    found = given.rglob("*.txt") if given.is_dir() else [given.with_suffix(".txt")]
    texts = sorted(found, key=lambda one: _by_number(_name(one, folder)))
    if not texts or not texts[0].is_file():
        raise Error(f"'{path}': there are no texts; brat's documents are pairs of files, NAME.txt and NAME.ann")
    annotations = given.rglob("*.ann") if given.is_dir() else ()
    alone = sorted({_name(one, folder) for one in annotations} - {_name(one, folder) for one in texts})
    if alone:
        raise Error(f"'{path}': '{alone[0]}.ann' has annotations of a text '{alone[0]}.txt' that is not there")
    pieces = _Pieces(discontinuous)
    for text in texts:
        document = _document(text, folder, pieces)
        yield from [document] if rows == "documents" else _lines_of(document)
    if pieces.count:
        what = "left out" if discontinuous == "drop" else "read as all that lies between their ends"
        logger.warning("%s: %d discontinuous spans are %s; first %s", path, pieces.count, what, pieces.first)


class _Pieces:
    """What becomes of discontinuous spans, and how many there were."""

    def __init__(self, kind: Discontinuous) -> None:
        self.kind = kind
        self.count = 0
        self.first = ""

    def take(self, where: str, shown: str) -> bool:
        """Note a discontinuous span; whether it is kept."""
        if self.kind == "refuse":
            remedy = "`discontinuous=cover` reads all that lies between, `discontinuous=drop` leaves it out"
            raise FormatError(f"{where}: the span {shown} has other words between its pieces; {remedy}")
        self.count += 1
        self.first = self.first or f"{where}, {shown}"
        return self.kind == "cover"


def _name(path: Path, folder: Path) -> str:
    """A document's name, with the folders within one that it is in."""
    return path.relative_to(folder).with_suffix("").as_posix()


def _by_number(name: str) -> list[tuple[int, str]]:
    """Names in the order of the numbers in them: 2 before 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", name)]


def _read(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise FormatError(f"{path}: byte {problem.start + 1} is not UTF-8 ({problem.reason})") from problem


def _document(path: Path, folder: Path, pieces: _Pieces) -> Document:
    text = _read(path)
    annotations = path.with_suffix(".ann")
    spans = _spans(annotations, text, pieces) if annotations.is_file() else None
    return Document(text, spans, unquote(_name(path, folder)), where=str(annotations if spans else path))


def _spans(path: Path, text: str, pieces: _Pieces) -> list[Span]:
    found = []
    for number, line in enumerate(_read(path).split("\n"), 1):
        if not line.startswith("T"):
            continue
        where = f"{path}, line {number}"
        parts = _SPAN.fullmatch(line.rstrip("\r"))
        if parts is None:
            raise FormatError(f"{where}: expected T1, class and offsets, and the text, found {line[:60]!r}")
        ranges = sorted(tuple(map(int, one.split(" "))) for one in parts[2].split(";"))
        start, end = ranges[0][0], ranges[-1][1]
        if not all(0 <= first < last <= len(text) for first, last in ranges):
            raise FormatError(f"{where}: {parts[2]} is not within the text, of {len(text)} characters")
        covered = " ".join(text[first:last] for first, last in ranges)
        if parts[3] is not None and _words(parts[3]) != _words(covered):
            raise FormatError(f"{where}: the annotation is of {parts[3]!r}, but the text has {covered!r} there")
        apart = any(text[last:first].strip() for (_, last), (first, _) in pairwise(ranges))
        if not apart or pieces.take(where, f"{parts[2]} {covered!r}"):
            found.append(Span(start, end, parts[1]))
    return found


def _words(text: str) -> list[str]:
    """What two texts have in common that differ in white space."""
    return text.split()


def _lines_of(document: Document) -> Iterator[Document]:
    """The lines of a document, each with its spans."""
    lines = document.text.removesuffix("\n").split("\n")
    start = 0
    left = sorted(document.spans or (), key=lambda span: span.start)
    for number, line in enumerate(lines):
        end = start + len(line)
        inside = [span for span in left if start <= span.start < end + 1]
        for span in inside:
            if span.end > end:
                reason = f"the span [{span.start}, {span.end}) {span.label} goes on in the next line"
                raise FormatError(f"{document.where}: {reason}; rows='documents' reads it")
        spans = [Span(span.start - start, span.end - start, span.label) for span in inside]
        name = f"{document.id}:{number}"
        yield Document(line.removesuffix("\r"), None if document.spans is None else spans, name, None, document.where)
        start = end + 1


def write_brat(
    table: pa.Table,
    path: str | os.PathLike[str],
    *,
    tokens: str = schema.TOKENS,
    spans: str | None = None,
    text: Joined = "blanks",
) -> None:
    """Writes each row as a document of a new folder, with an `annotation.conf` that names the classes.

    Files are called by the rows' ids, with `%` and two digits for what may not be in a file's name. A span's score and
    margin are in a note, which brat shows.

    Args:
        table: the rows.
        path: a folder that does not exist, or is empty.
        tokens: the column of words.
        spans: the column of entities, or of labels; by default `entities` where there is one, else `labels`.
        text: how words become a text: with `blanks` between them, or `detokenized`.

    Raises:
        Error: the folder has something in it, or cannot be made.
        DataError: two rows of one id, a class with a blank, or a line end within an entity; see also `documents_of`.
    """
    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Error(f"cannot write '{path}': it exists and is no empty folder")
    if not folder.resolve().parent.is_dir():
        raise Error(f"cannot write '{path}': the folder '{folder.resolve().parent}' does not exist")
    aside = folder.resolve().with_name(f".{folder.name}.{secrets.token_hex(6)}.tmp")
    aside.mkdir()
    try:
        _write_all(table, aside, {"tokens": tokens, "spans": spans, "text": text})
        if folder.is_dir():
            folder.rmdir()
        aside.rename(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _write_all(table: pa.Table, folder: Path, options: dict[str, Any]) -> None:
    classes: dict[str, None] = {}
    seen: dict[str, int] = {}
    row = 0
    for batch in table.to_batches():
        for document in documents_of(batch, row, **options):
            name = quote(str(document.id), safe=" ").replace(".", "%2E")
            if not name or name in seen:
                other = f"row {seen[name]} has it, too" if name else "it is empty"
                raise DataError(row, schema.ID, repr(document.id), f"cannot be a file's name: {other}")
            seen[name] = row
            classes.update(dict.fromkeys(span.label for span in document.spans or ()))
            (folder / f"{name}.txt").write_bytes(document.text.encode())
            lines = _annotation_lines(document, row)
            (folder / f"{name}.ann").write_bytes("".join(f"{line}\n" for line in lines).encode())
            row += 1
    sections = ["[entities]", *classes, "[relations]", "[events]", "[attributes]"]
    (folder / "annotation.conf").write_bytes("".join(f"{line}\n" for line in sections).encode())


def _annotation_lines(document: Document, row: int) -> Sequence[str]:
    lines: list[str] = []
    notes: list[str] = []
    for number, span in enumerate(document.spans or (), 1):
        covered = document.text[span.start : span.end]
        if re.search(r"\s", span.label):
            raise DataError(row, "label", repr(span.label), "a class in this format cannot hold white space")
        if "\n" in covered or "\r" in covered:
            raise DataError(row, "tokens", repr(covered), "an entity in this format cannot hold a line end")
        lines.append(f"T{number}\t{span.label} {span.start} {span.end}\t{covered}")
        figures = [(name, getattr(span, name)) for name in ("score", "margin")]
        said = ", ".join(f"{name} {value:g}" for name, value in figures if value is not None)
        if said:
            notes.append(f"#{len(notes) + 1}\tAnnotatorNotes T{number}\t{said}")
    return lines + notes
