"""WebAnno TSV 3.3, which INCEpTION and WebAnno read and write: sentences of tokens, one a line.

    1-1   0-3   Ms.    PER[1]
    1-2   4-8   Haag   PER[1]|X[2]

Offsets are those of the whole document, in UTF-16 units. What a layer says of a token is in its column, `_` is nothing;
a number in brackets tells annotations apart that are of several tokens or of the same one. Of all layers one is read,
by default that of named entities; a row is a sentence.

Source: https://inception-project.github.io/releases/37.2/docs/user-guide.html#sect_webannotsv
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final

from xner import schema
from xner._support.progress import logger
from xner.errors import FormatError
from xner.io._lines import read_blocks
from xner.io.annotation.documents import Document, DocumentWriter, Joined, Span, batches_of
from xner.text.offsets import Utf16
from xner.text.word_splitting import Word

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

__all__ = ["FEATURE", "LAYER", "WebAnnoWriter", "iter_webanno", "webanno_documents"]

LAYER: Final = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
"""The layer of named entities."""
FEATURE: Final = "value"
"""Its feature that has the class."""

_FORMAT = "#FORMAT=WebAnno TSV 3"
_SPAN_LAYER = "#T_SP="
_LAYERS = (_SPAN_LAYER, "#T_CH=", "#T_RL=")
_TEXT = "#Text="
_ID = "#Sentence.id="
_UNIT = re.compile(r"\d+-\d+(\.\d+)?\t(\d+)-(\d+)\t([^\t]*)(?:\t|$)")
_STACKED = re.compile(r"(?:[^\\|]|\\.)+")
_VALUE = re.compile(r"((?:[^\\\[\]]|\\.)*)(?:\[(\d+)\])?")
_ESCAPED = re.compile(r"\\(.)")
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}
_IN_TEXT = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_IN_VALUES = _IN_TEXT | str.maketrans({character: f"\\{character}" for character in "[]|_;*"})


def iter_webanno(
    path: str | os.PathLike[str], *, layer: str = LAYER, feature: str | None = None, batch_rows: int = 16_384
) -> Iterator[pa.RecordBatch]:
    """Reads sentences with the annotations of one layer in batches.

    Args:
        path: WebAnno TSV 3, or the same compressed (`.gz`).
        layer: a span layer, by its whole name or what that ends in behind a dot: `NamedEntity`.
        feature: of the layer, which has the class; None takes `value`, or the only one that there is.
        batch_rows: rows a batch.

    Yields:
        Batches as `batches_of` describes them, with the tokens that the file has; an annotation that goes on in the
        next sentence is one in each.

    Raises:
        FormatError: something else, no such feature of the layer, or an annotation without a value; the message names
            file and line.
    """
    return batches_of(webanno_documents(path, layer=layer, feature=feature), path, batch_rows=batch_rows)


@dataclass(slots=True)
class _Sentence:
    """The lines of a sentence, with their numbers.

    Attributes:
        text: what stands behind `#Text=`.
        units: tokens and parts of tokens.
        id: None where it has none.
    """

    text: list[str] = field(default_factory=list)
    units: list[tuple[int, str]] = field(default_factory=list)
    id: str | None = None


def webanno_documents(
    path: str | os.PathLike[str], *, layer: str = LAYER, feature: str | None = None
) -> Iterator[Document]:
    """The sentences of a file with their spans, as they are; arguments and errors are those of `iter_webanno`."""
    column: int | None = None
    declared: list[str] = []
    in_header = True
    sentence = _Sentence()
    first = 0
    for number, line in _lines(path):
        if number == 1:
            if not line.startswith(_FORMAT):
                raise FormatError(f"{path}, line 1: expected {_FORMAT}.x, found {line[:60]!r}")
        elif line.startswith(_LAYERS) and in_header:
            declared.append(line)
        elif line:
            if in_header:
                column, in_header = _column(path, declared, layer, feature), False
            first = first or number
            _take(sentence, number, line)
        elif first:
            yield _document(f"{path}, line {first}", path, sentence, column)
            sentence, first = _Sentence(), 0
    if first:
        yield _document(f"{path}, line {first}", path, sentence, column)


def _lines(path: str | os.PathLike[str]) -> Iterator[tuple[int, str]]:
    for block in read_blocks(path):
        for line in range(len(block.starts)):
            yield block.first_line + line, block.line(line).decode()


def _take(sentence: _Sentence, number: int, line: str) -> None:
    if line.startswith(_TEXT):
        sentence.text.append(line.removeprefix(_TEXT))
    elif line.startswith(_ID):
        sentence.id = _plain(line.removeprefix(_ID))
    elif not line.startswith("#"):
        sentence.units.append((number, line))


def _column(path: str | os.PathLike[str], declared: Sequence[str], layer: str, feature: str | None) -> int | None:
    """Which of the columns behind the token's has a layer's feature; None where the file has no such layer.

    A document in which nothing is annotated has none, so that this is no error; the logger is told.
    """
    column = 0
    known = []
    for line in declared:
        name, *features = line.partition("=")[2].split("|")
        if line.startswith(_SPAN_LAYER):
            if layer in {name, name.rpartition(".")[2]}:
                return column + features.index(_feature(path, name, features, feature))
            known.append(name)
        column += max(len(features), 1)
    has = ", ".join(known) + "; `span_layer` names one" if known else "none"
    logger.warning("%s: nothing is annotated in the layer %s; the file's span layers are: %s", path, layer, has)
    return None


def _feature(path: str | os.PathLike[str], layer: str, features: Sequence[str], feature: str | None) -> str:
    """Which of a layer's features has the class."""
    has = [one for one in features if one]
    if feature is None and FEATURE not in has and len(has) == 1:
        return has[0]
    wanted = feature or FEATURE
    if wanted in has:
        return wanted
    listed = ", ".join(has) or "none"
    other = "; `span_feature` names one" if has else ""
    raise FormatError(f"{path}: the layer {layer} has no feature {wanted!r}; its features are: {listed}{other}")


def _document(where: str, path: str | os.PathLike[str], sentence: _Sentence, column: int | None) -> Document:
    text = _plain("\n".join(sentence.text))
    units = Utf16(text)
    words: list[Word] = []
    found: dict[object, Span] = {}
    begin = None
    for number, line in sentence.units:
        place = f"{path}, line {number}"
        unit = _UNIT.match(line)
        if unit is None:
            raise FormatError(f"{place}: expected a token, its offsets and its text, found {line[:60]!r}")
        begin = int(unit[2]) if begin is None else begin
        start, end = units.character(int(unit[2]) - begin), units.character(int(unit[3]) - begin)
        if text[start:end] != _plain(unit[4]):
            raise FormatError(f"{place}: the token is {unit[4]!r}, but the sentence has {text[start:end]!r} there")
        if unit[1] is None:
            words.append(Word(text[start:end], start, end))
        cells = line.split("\t")[3:]
        if column is None:
            continue
        if len(cells) <= column:
            raise FormatError(f"{place}: expected {column + 1} columns behind the token at least, found {len(cells)}")
        for key, label in _annotations(place, cells[column]):
            span = found.get(key, Span(start, end, label))
            found[key] = Span(min(start, span.start), max(end, span.end), label)
    return Document(text, list(found.values()), sentence.id, words, where)


def _annotations(place: str, cell: str) -> Iterator[tuple[object, str]]:
    """The annotations of a cell, by what tells them apart from others, with their classes."""
    if cell == "_":
        return
    for number, item in enumerate(_STACKED.findall(cell)):
        value = _VALUE.fullmatch(item)
        if value is None:
            raise FormatError(f"{place}: expected annotations, found {cell!r}")
        if value[1] in {"*", ""}:
            raise FormatError(f"{place}: the annotation {item!r} has no value; give it a class, or delete it")
        yield value[2] or (place, number), _plain(value[1])


def _plain(text: str) -> str:
    """A text without escapes."""
    return _ESCAPED.sub(lambda found: _CONTROLS.get(found[1], found[1]), text)


class WebAnnoWriter(DocumentWriter):
    """Writes each row as a sentence, with its spans in one layer."""

    def __init__(
        self,
        file: BinaryIO,
        *,
        tokens: str = schema.TOKENS,
        spans: str | None = None,
        text: Joined = "blanks",
        layer: str = LAYER,
        feature: str = FEATURE,
    ) -> None:
        """Writes to an open binary file.

        Args:
            file: where to.
            tokens: see `DocumentWriter`.
            spans: likewise.
            text: likewise.
            layer: a span layer, which the project that reads the file has to have.
            feature: of the layer, which has the class.
        """
        super().__init__(file, tokens=tokens, spans=spans, text=text)
        self.opening = f"{_FORMAT}.3\n{_SPAN_LAYER}{layer}|{feature}\n\n"
        self._sentences = 0
        self._begin = 0
        self._annotations = 0

    def encode(self, document: Document) -> str:
        """See `DocumentWriter`."""
        self._sentences += 1
        units = Utf16(document.text)
        words = [word for word in document.words or () if word.text]
        cells = self._cells(words, document.spans or ())
        lines = ["", f"{_ID}{(document.id or '').translate(_IN_TEXT)}"]
        lines += [_TEXT + line.translate(_IN_TEXT) for line in document.text.split("\n")]
        for number, (word, cell) in enumerate(zip(words, cells, strict=True), 1):
            start, end = (self._begin + units.unit(place) for place in (word.start, word.end))
            lines.append(f"{self._sentences}-{number}\t{start}-{end}\t{word.text.translate(_IN_TEXT)}\t{cell}")
        self._begin += units.unit(len(document.text)) + 1
        return "\n".join(lines) + "\n"

    def _cells(self, words: Sequence[Word], spans: Sequence[Span]) -> list[str]:
        """What the layer says of each word."""
        inside = [[number for number, word in enumerate(words) if _touches(span, word)] for span in spans]
        stacked = Counter(word for some in inside for word in some)
        cells: list[list[str]] = [[] for _ in words]
        for span, some in zip(spans, inside, strict=True):
            value = span.label.translate(_IN_VALUES).replace("->", r"\->")
            if len(some) > 1 or stacked[some[0]] > 1:
                self._annotations += 1
                value += f"[{self._annotations}]"
            for word in some:
                cells[word].append(value)
        return ["|".join(cell) or "_" for cell in cells]


def _touches(span: Span, word: Word) -> bool:
    return span.start < word.end and word.start < span.end
