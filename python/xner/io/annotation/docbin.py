"""spaCy's documents in memory, `Doc`, and in its binary files, `DocBin` (`.spacy`), which `spacy train` reads.

A document has `ents`, which do not overlap, and `spans`, groups that may; all of them are read, each once. Tokens of
white space are left out. The files have no place for a document's id, so that rows are numbered.

A file is compressed msgpack, in which there is no code. What users have attached to documents (`user_data`) is neither
read nor written.

Source: https://spacy.io/api/docbin, https://spacy.io/api/doc
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import pyarrow as pa

from xner import schema
from xner._support.arguments import choose
from xner._support.extras import require
from xner._support.frames import to_table
from xner.errors import Error, FormatError
from xner.io.annotation.documents import Document, Span, batches_of, documents_of, without_nested
from xner.io.annotation.spacy import GROUP
from xner.io.unpacking import check_zlib
from xner.text.word_splitting import Word

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    from xner._support.frames import TableLike
    from xner.io.annotation.documents import Joined

__all__ = ["DocBinWriter", "from_docs", "iter_docbin", "to_docs"]

_WHAT: Final = "spaCy's documents"


def iter_docbin(path: str | os.PathLike[str], *, batch_rows: int = 16_384) -> Iterator[pa.RecordBatch]:
    """Reads the documents of a `DocBin` in batches.

    Args:
        path: the file.
        batch_rows: rows a batch.

    Yields:
        Batches as `batches_of` describes them, with the tokens that the file has.

    Raises:
        Error: the extra `spacy` is not installed.
        FormatError: something else than a `DocBin`, or one that unpacks to too much.
    """
    return batches_of(_documents(_stored(path), str(path)), path, batch_rows=batch_rows)


def _stored(path: str | os.PathLike[str]) -> Iterator[Any]:
    spacy = _spacy()
    check_zlib(path)
    try:
        kept = spacy.tokens.DocBin(store_user_data=False).from_bytes(Path(path).read_bytes())
        kept.user_data = [None] * len(kept)  # else it is read, whatever `store_user_data` says
        yield from kept.get_docs(spacy.vocab.Vocab())
    except OSError:
        raise
    except Exception as error:  # of decompression, of msgpack, of arrays, of fields that are not there
        reason = str(error).partition("\n")[0]
        raise FormatError(f"{path}: not a DocBin of spaCy, or a damaged one: {reason}") from error


def from_docs(docs: Iterable[Any], ids: Sequence[str] | None = None) -> pa.Table:
    """Documents of spaCy as a table.

    Args:
        docs: of type `spacy.tokens.Doc`.
        ids: of the rows; None numbers them from 0.

    Returns:
        `id`, `tokens`, `entities` and `labels`, as `xner.io.read` gives them for other formats of annotation tools;
        entities and labels are null for documents that nobody has annotated.

    Raises:
        Error: something else than a document, or another number of ids.
    """
    given = list(docs)
    for number, doc in enumerate(given):
        if not hasattr(doc, "has_annotation"):
            raise Error(f"docs: expected documents of spaCy, found {type(doc).__name__} in place {number}")
    names = None if ids is None else list(ids)
    if names is not None and len(names) != len(given):
        raise Error(f"ids: expected one a document, {len(given)}, found {len(names)}")
    documents = _documents(given, "docs")
    if names is not None:
        documents = (replace(document, id=name) for document, name in zip(documents, names, strict=True))
    return pa.Table.from_batches(batches_of(documents, "docs"))


def _documents(docs: Iterable[Any], where: str) -> Iterator[Document]:
    for number, doc in enumerate(docs):
        words = [Word(one.text, one.idx, one.idx + len(one.text)) for one in doc if not one.text.isspace()]
        groups = [list(doc.spans[name]) for name in doc.spans]
        given = doc.has_annotation("ENT_IOB") or any(groups)
        found = [Span(one.start_char, one.end_char, one.label_) for spans in (list(doc.ents), *groups) for one in spans]
        spans = list(dict.fromkeys(found)) if given else None
        yield Document(doc.text, spans, None, words, f"{where}, document {number}")


def to_docs(
    table: TableLike,
    vocab: Any = None,
    *,
    tokens: str = schema.TOKENS,
    spans: str | None = None,
    text: Joined = "blanks",
) -> list[Any]:
    """A table as documents of spaCy.

    Args:
        table: of any kind, with words, and perhaps entities or labels.
        vocab: that the documents share, `nlp.vocab`; None makes one.
        tokens: the column of words.
        spans: the column of entities, or of labels; by default `entities` where there is one, else `labels`.
        text: how words become a text: with `blanks` between them, or `detokenized`.

    Returns:
        A `spacy.tokens.Doc` for each row. Its `ents` are the row's entities. Where some overlap, all of them are in the
        group of spans `sc`, and in `ents` those that no longer one overlaps. A row without entities or labels gives a
        document that is not annotated.

    Raises:
        DataError: a row that cannot be a document: a missing or empty word, an entity outside its sentence.
        Error: the extra `spacy` is not installed, or there is no such column.
    """
    spacy = _spacy()
    shared = spacy.vocab.Vocab() if vocab is None else vocab
    found = []
    first_row = 0
    for batch in to_table(table).to_batches():
        documents = documents_of(batch, first_row, tokens=tokens, spans=spans, text=text)
        found += [_doc(document, shared, spacy) for document in documents]
        first_row += batch.num_rows
    return found


def _doc(document: Document, vocab: Any, spacy: Any) -> Any:
    words = [word for word in document.words or () if word.text]
    spaces = [word.end < after.start for word, after in pairwise(words)] + [False] * bool(words)
    doc = spacy.tokens.Doc(vocab, words=[word.text for word in words], spaces=spaces)
    if document.spans is None:
        return doc
    starts = {word.start: number for number, word in enumerate(words)}
    stops = {word.end: number + 1 for number, word in enumerate(words)}
    found = [(starts[span.start], stops[span.end], span.label) for span in document.spans]
    flat = sorted(without_nested(found))
    doc.set_ents([spacy.tokens.Span(doc, *one) for one in flat], default="outside")
    if len(flat) < len(found):
        doc.spans[GROUP] = [spacy.tokens.Span(doc, *one) for one in found]
    return doc


class DocBinWriter:
    """Writes a `DocBin`, at its end: documents are kept in memory until then. See `to_docs` for what they hold."""

    def __init__(
        self, file: BinaryIO, *, tokens: str = schema.TOKENS, spans: str | None = None, text: Joined = "blanks"
    ) -> None:
        """Writes to an open binary file; options are those of `to_docs`."""
        choose("text", text, {"blanks": None, "detokenized": None})
        self._file = file
        self._columns: dict[str, Any] = {"tokens": tokens, "spans": spans, "text": text}
        self._spacy = _spacy()
        self._vocab = self._spacy.vocab.Vocab()
        self._kept = self._spacy.tokens.DocBin(attrs=["ENT_IOB", "ENT_TYPE"], store_user_data=False)
        self._rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends a batch's rows.

        Raises:
            DataError: see `to_docs`.
        """
        for document in documents_of(batch, self._rows, **self._columns):
            self._kept.add(_doc(document, self._vocab, self._spacy))
        self._rows += batch.num_rows

    def close(self) -> None:
        """Writes the file."""
        self._file.write(self._kept.to_bytes())


def _spacy() -> Any:
    return require("spacy", extra="spacy", what=_WHAT)
