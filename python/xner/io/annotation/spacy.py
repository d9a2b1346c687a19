"""spaCy's JSON Lines: what `Doc.to_json` gives, or texts with `entities`, lists of start, end and class.

A document of spaCy has `ents`, which do not overlap, and `spans`, groups that may; all of them are read, each once.

Source: https://spacy.io/api/doc#to_json, https://spacy.io/api/data-formats
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from xner.io._json import Record, lines_of
from xner.io.annotation.doccano import span_of
from xner.io.annotation.documents import Document, JsonWriter, Span, batches_of
from xner.io.annotation.prodigy import tokens_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from xner.text.word_splitting import WordSplitter

__all__ = ["GROUP", "SpacyWriter", "iter_spacy", "spacy_documents"]

GROUP: Final = "sc"
"""The group of spans that overlap, by the name that spaCy's span categorizer gives it."""


def iter_spacy(
    path: str | os.PathLike[str], *, language: str | WordSplitter = "characters", batch_rows: int = 16_384
) -> Iterator[pa.RecordBatch]:
    """Reads texts with spans in batches.

    Args:
        path: JSON Lines, or the same compressed (`.gz`).
        language: how words are found where a text has no tokens, see `batches_of`.
        batch_rows: rows a batch.

    Yields:
        Batches as `batches_of` describes them; tokens of white space are left out.

    Raises:
        FormatError: something else; the message names file, line and field.
    """
    return batches_of(spacy_documents(path), path, language=language, batch_rows=batch_rows)


def spacy_documents(path: str | os.PathLike[str]) -> Iterator[Document]:
    """The texts of a file with their spans, as they are; arguments and errors are those of `iter_spacy`."""
    return map(_document, lines_of(path))


def _document(record: Record) -> Document:
    text = record.text("text")
    given = any(record.values.get(name) is not None for name in ("ents", "entities", "spans"))
    spans = list(dict.fromkeys(_spans(record))) if given else None
    return Document(text, spans, record.identifier("id"), tokens_of(record, text), record.where)


def _spans(record: Record) -> Iterator[Span]:
    groups = record.record("spans")
    for holder, name in ((record, "ents"), (record, "entities"), *((groups, name) for name in groups.values)):
        for number, item in enumerate(holder.items(name)):
            yield span_of(Record(f"{holder.where}, field '{name}', item {number}", {"span": item}))


class SpacyWriter(JsonWriter):
    """Writes one document a line, as `Doc.from_json` reads it; options are those of `DocumentWriter`."""

    def fields(self, document: Document) -> dict[str, Any]:
        """See `JsonWriter`."""
        words = [word for word in document.words or () if word.text]
        tokens = [{"id": number, "start": word.start, "end": word.end} for number, word in enumerate(words)]
        found: dict[str, Any] = {"id": document.id, "text": document.text, "tokens": tokens}
        if document.spans is None:
            return found
        spans = [{"start": span.start, "end": span.end, "label": span.label} for span in document.spans]
        if not _overlap(document.spans):
            return {**found, "ents": spans}
        return {**found, "ents": [], "spans": {GROUP: [{**span, "kb_id": ""} for span in spans]}}


def _overlap(spans: Sequence[Span]) -> bool:
    places = sorted((span.start, span.end) for span in spans)
    return any(end > start for (_, end), (start, _) in pairwise(places))
