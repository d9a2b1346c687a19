"""spaCy's JSON Lines, or one list: what `Doc.to_json` gives, or texts with `entities`, lists of start, end and class.

Training data of spaCy 2, `[text, {"entities": [...]}]` in a list, on each line or as `annotations` of an object, are
read as well.

A document of spaCy has `ents`, which do not overlap, and `spans`, groups that may; all of them are read, each once.

Source: https://spacy.io/api/doc#to_json, https://spacy.io/api/data-formats
"""

from __future__ import annotations

import shlex
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from xner.io._json import Record, records_of
from xner.io.annotation.doccano import span_of
from xner.io.annotation.documents import Document, JsonWriter, Span, batches_of
from xner.io.annotation.prodigy import tokens_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from xner.text.word_splitting import WordSplitter

__all__ = ["GROUP", "SpacyWriter", "iter_spacy", "spacy_documents", "text_of_pair"]

GROUP: Final = "sc"
"""The group of spans that overlap, by the name that spaCy's span categorizer gives it."""


def iter_spacy(
    path: str | os.PathLike[str], *, language: str | WordSplitter = "characters", batch_rows: int = 16_384
) -> Iterator[pa.RecordBatch]:
    """Reads texts with spans in batches.

    Args:
        path: JSON Lines or one list, or the same compressed (`.gz`).
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
    for record in records_of(path, as_object=text_of_pair):
        if "paragraphs" in record.values and "text" not in record.values:
            command = f"python -m spacy convert {shlex.quote(str(path))} . --converter json"
            raise record.error(f"paragraphs, as spaCy 2 has them; `{command}` makes a file of them that is read")
        if "annotations" in record.values and "text" not in record.values:
            texts = [text_of_pair(item) for item in record.items("annotations") if item is not None]
            yield from map(_document, Record(record.where, {"annotations": texts}).records("annotations"))
        else:
            yield _document(record)


def text_of_pair(item: Any) -> Any:
    """The fields of a text that stands beside them in a list; others as they are."""
    is_pair = isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) and isinstance(item[1], dict)
    return {"text": item[0], **item[1]} if is_pair else item


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
