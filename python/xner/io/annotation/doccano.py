"""doccano's JSON Lines: `{"id": 1, "text": ..., "label": [[start, end, class], ...]}`.

Spans are in the field `label`, `labels` or `entities`; in relation projects they are objects, `{"label",
"start_offset", "end_offset"}`. doccano gives each text a number of its own as its `id`, and keeps other fields: an id
that is to come back is written as `row_id` as well.

Source: https://doccano.github.io/doccano/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xner.io._json import Record, records_of
from xner.io.annotation.documents import Document, JsonWriter, Span, batches_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    import pyarrow as pa

    from xner.text.word_splitting import WordSplitter

__all__ = ["DoccanoWriter", "doccano_documents", "iter_doccano", "span_of"]

_SPANS = ("label", "labels", "entities")


def iter_doccano(
    path: str | os.PathLike[str], *, language: str | WordSplitter = "characters", batch_rows: int = 16_384
) -> Iterator[pa.RecordBatch]:
    """Reads texts with spans in batches.

    Args:
        path: JSON Lines or one list, or the same compressed (`.gz`).
        language: how words are found, see `batches_of`.
        batch_rows: rows a batch.

    Yields:
        Batches as `batches_of` describes them.

    Raises:
        FormatError: something else; the message names file, line and field.
    """
    return batches_of(doccano_documents(path), path, language=language, batch_rows=batch_rows)


def doccano_documents(path: str | os.PathLike[str]) -> Iterator[Document]:
    """The texts of a file with their spans, as they are; arguments and errors are those of `iter_doccano`."""
    return map(_document, records_of(path))


def _document(record: Record) -> Document:
    names = [name for name in _SPANS if record.values.get(name) is not None]
    if len(names) > 1:
        raise record.error(f"spans in more than one field: {', '.join(names)}")
    spans = None
    if names:
        spans = [
            span_of(Record(f"{record.where}, field '{names[0]}', item {number}", {"span": item}))
            for number, item in enumerate(record.items(names[0]))
        ]
    return Document(record.text("text"), spans, record.identifier("row_id", "id"), where=record.where)


def span_of(record: Record) -> Span:
    """A span in the field `span`: a list of start, end and class, or an object with these.

    Raises:
        FormatError: something else.
    """
    item = record.values["span"]
    if isinstance(item, dict):
        given = Record(record.where, item)
        start, end = ("start_offset", "end_offset") if "start_offset" in item else ("start", "end")
        return Span(given.whole(start), given.whole(end), given.text("label"), given.number("score"))
    if not isinstance(item, list) or len(item) != 3:
        raise record.error(f"expected [start, end, class], found {item!r}")
    values = Record(record.where, dict(zip(("start", "end", "label"), item, strict=True)))
    return Span(values.whole("start"), values.whole("end"), values.text("label"))


class DoccanoWriter(JsonWriter):
    """Writes one text a line; options are those of `DocumentWriter`."""

    def fields(self, document: Document) -> dict[str, Any]:
        """See `JsonWriter`."""
        label = [[span.start, span.end, span.label] for span in document.spans or ()]
        return {"id": document.id, "text": document.text, "label": label, "row_id": document.id}
