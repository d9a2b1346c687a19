"""GLiNER's training data as JSON Lines: `{"tokenized_text": [...], "ner": [[first, last, class], ...]}`.

The last word of a span is included.

Source: https://github.com/urchade/GLiNER
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from xner import schema
from xner.io._json import Record, records_of
from xner.io.annotation.documents import Document, JsonWriter, Span, batches_of, joined

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from xner.text.word_splitting import Word

__all__ = ["GlinerWriter", "gliner_documents", "iter_gliner"]


def iter_gliner(path: str | os.PathLike[str], *, batch_rows: int = 16_384) -> Iterator[pa.RecordBatch]:
    """Reads sentences with spans in batches.

    Args:
        path: JSON Lines or one list, or the same compressed (`.gz`).
        batch_rows: rows a batch.

    Yields:
        Batches as `batches_of` describes them, with the words that the file has.

    Raises:
        FormatError: something else; the message names file, line and field.
    """
    return batches_of(gliner_documents(path), path, batch_rows=batch_rows)


def gliner_documents(path: str | os.PathLike[str]) -> Iterator[Document]:
    """The texts of a file with their spans, as they are; arguments and errors are those of `iter_gliner`."""
    return map(_document, records_of(path))


def _document(record: Record) -> Document:
    tokens = record.items("tokenized_text")
    if "tokenized_text" not in record.values or not all(isinstance(token, str) and token for token in tokens):
        raise record.error("field 'tokenized_text': expected a list of words, none of them empty")
    text, words = joined(tokens, "blanks")
    given = record.values.get("ner") is not None
    spans = [
        _span(Record(f"{record.where}, field 'ner', item {number}", {}), item, words)
        for number, item in enumerate(record.items("ner"))
    ]
    return Document(text, spans if given else None, record.identifier("id"), words, record.where)


def _span(where: Record, item: Any, words: Sequence[Word]) -> Span:
    if not isinstance(item, list) or len(item) != 3:
        raise where.error(f"expected [first word, last word, class], found {item!r}")
    values = Record(where.where, dict(zip(("first", "last", "label"), item, strict=True)))
    first, last, label = values.whole("first"), values.whole("last"), values.text("label")
    if not 0 <= first <= last < len(words):
        raise where.error(f"words {first} to {last} are not within the sentence, of {len(words)} words")
    return Span(words[first].start, words[last].end, label)


class GlinerWriter(JsonWriter):
    """Writes one sentence a line."""

    def __init__(self, file: BinaryIO, *, tokens: str = schema.TOKENS, spans: str | None = None) -> None:
        """Writes to an open binary file; see `DocumentWriter`. Words stay words."""
        super().__init__(file, tokens=tokens, spans=spans)

    def fields(self, document: Document) -> dict[str, Any]:
        """See `JsonWriter`."""
        words = document.words or ()
        starts = {word.start: number for number, word in enumerate(words)}
        ends = {word.end: number for number, word in enumerate(words)}
        ner = [[starts[span.start], ends[span.end], span.label] for span in document.spans or ()]
        return {"id": document.id, "tokenized_text": [word.text for word in words], "ner": ner}
