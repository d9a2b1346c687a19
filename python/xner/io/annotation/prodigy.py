"""Prodigy's JSON Lines: texts with `tokens` and `spans`, both with character offsets.

Spans have the numbers of their first and last token as well, the last one included, and here the score and margin of
a projection, which Prodigy keeps. Of an example that was rejected or ignored no spans are read.

Source: https://prodi.gy/docs/api-interfaces
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from xner.io._json import Record, records_of
from xner.io.annotation.documents import UNSAID, Document, JsonWriter, Span, batches_of
from xner.text.word_splitting import Word

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    import pyarrow as pa

    from xner.text.word_splitting import WordSplitter

__all__ = ["ProdigyWriter", "iter_prodigy", "prodigy_documents", "tokens_of"]

_ANSWERS: Final = {"reject": "rejected", "ignore": "ignored"}


def iter_prodigy(
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
    return batches_of(prodigy_documents(path), path, language=language, batch_rows=batch_rows)


def prodigy_documents(path: str | os.PathLike[str]) -> Iterator[Document]:
    """The texts of a file with their spans, as they are; arguments and errors are those of `iter_prodigy`."""
    return map(_document, records_of(path))


def _document(record: Record) -> Document:
    text = record.text("text")
    answer = record.values.get("answer")
    spans = None
    if answer == "accept" or (answer is None and record.values.get("spans") is not None):
        spans = [
            Span(one.whole("start"), one.whole("end"), one.text("label"), one.number("score"), one.number("margin"))
            for one in record.records("spans")
        ]
    unsaid = _ANSWERS.get(str(answer), UNSAID)
    return Document(text, spans, record.identifier("id"), tokens_of(record, text), record.where, unsaid)


def tokens_of(record: Record, text: str) -> list[Word] | None:
    """The words of the field `tokens`, without those of white space; None where there is no such field.

    Args:
        record: has them as objects with `start`, `end` and perhaps `text`.
        text: that they are of.

    Raises:
        FormatError: they are not slices of the text, in order.
    """
    if record.values.get("tokens") is None:
        return None
    words: list[Word] = []
    for token in record.records("tokens"):
        start, end = token.whole("start"), token.whole("end")
        if not (words[-1].end if words else 0) <= start < end <= len(text):
            raise token.error(f"[{start}, {end}) is not behind the token before and within the text")
        word = text[start:end]
        if token.values.get("text", word) != word:
            raise token.error(f"the token is {token.values['text']!r}, but the text has {word!r} at [{start}, {end})")
        if word.strip():
            words.append(Word(word, start, end))
    return words


class ProdigyWriter(JsonWriter):
    """Writes one text a line; options are those of `DocumentWriter`."""

    def fields(self, document: Document) -> dict[str, Any]:
        """See `JsonWriter`."""
        words = [word for word in document.words or () if word.text]
        starts = {word.start: number for number, word in enumerate(words)}
        ends = {word.end: number for number, word in enumerate(words)}
        tokens = [
            {
                "text": word.text,
                "start": word.start,
                "end": word.end,
                "id": number,
                "ws": document.text[word.end : word.end + 1] == " ",
            }
            for number, word in enumerate(words)
        ]
        spans = [
            {
                "start": span.start,
                "end": span.end,
                "token_start": starts[span.start],
                "token_end": ends[span.end],
                "label": span.label,
            }
            | {name: value for name in ("score", "margin") if (value := getattr(span, name)) is not None}
            for span in document.spans or ()
        ]
        found: dict[str, Any] = {"id": document.id, "text": document.text, "tokens": tokens}
        return found if document.spans is None else {**found, "spans": spans}
