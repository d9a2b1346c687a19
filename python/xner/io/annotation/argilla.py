"""Argilla's records as JSON: what `dataset.records.to_json` writes and `from_json` reads.

Spans are the answer to a span question about a text field: by people in `responses`, by models in `suggestions`, with a
score each.

    rg.Settings(fields=[rg.TextField("text")], questions=[rg.SpanQuestion("spans", field="text", labels=[...])])

are settings that go with what is written here.

Source: https://docs.argilla.io/latest/reference/argilla/records/records
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final

from xner import schema
from xner._version import __version__
from xner.io._json import Record, list_of
from xner.io.annotation._choice import Choice, text_of
from xner.io.annotation.documents import Document, Joined, JsonListWriter, Span, batches_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from xner.text.word_splitting import WordSplitter

__all__ = ["ArgillaWriter", "argilla_documents", "iter_argilla"]

_QUESTION: Final = "spans"
_GIVEN: Final = ("submitted", None)  # the status of responses that count


def iter_argilla(
    path: str | os.PathLike[str],
    *,
    language: str | WordSplitter = "characters",
    text_field: str | None = None,
    question: str | None = None,
    annotator: str | None = None,
    batch_rows: int = 16_384,
) -> Iterator[pa.RecordBatch]:
    """Reads records in batches: the responses of people, or suggestions in a file without any.

    Responses that are drafts or were discarded do not count.

    Args:
        path: a list of records, or the same compressed (`.gz`).
        language: how words are found, see `batches_of`.
        text_field: the field that has the text; None: `text`, or the only field with a text.
        question: the span question; None: `spans`, or the only one that was answered.
        annotator: the person whose responses count, by user id; by default all must agree.
        batch_rows: rows a batch.

    Yields:
        Batches as `batches_of` describes them; records without responses that count have no spans.

    Raises:
        FormatError: something else, responses that do not agree, or none by the `annotator`; the message names file,
            record and field.
    """
    documents = argilla_documents(path, text_field=text_field, question=question, annotator=annotator)
    return batches_of(documents, path, language=language, batch_rows=batch_rows)


def argilla_documents(
    path: str | os.PathLike[str],
    *,
    text_field: str | None = None,
    question: str | None = None,
    annotator: str | None = None,
    people_only: bool = False,
) -> Iterator[Document]:
    """The texts of a file with their spans, as they are; arguments and errors are those of `iter_argilla`.

    Args:
        path: the file.
        text_field: see `iter_argilla`.
        question: likewise.
        annotator: likewise.
        people_only: do not read suggestions.
    """
    records = list(list_of(path, "record"))
    people = [person for record in records for person, _ in _responses(record, _asked(record, question))]
    choice = Choice(path, annotator, people_only, people)
    for record in records:
        spans, unsaid = _chosen(record, _asked(record, question), choice)
        text = text_of(record.record("fields"), text_field, path, "fields")
        yield Document(text, spans, record.identifier(schema.ID), where=record.where, unsaid=unsaid)
    choice.tell()


def _asked(record: Record, question: str | None) -> str:
    """The question whose answers are spans."""
    if question is not None:
        return question
    return _span_question(record, {**record.record("suggestions").values, **record.record("responses").values})


def _responses(record: Record, question: str) -> list[tuple[str, Record]]:
    """What people have responded to a question, and who."""
    responses = enumerate(record.record("responses").records(question))
    return [(str(response.values.get("user_id", number)), response) for number, response in responses]


def _chosen(record: Record, question: str, choice: Choice) -> tuple[Sequence[Span] | None, str]:
    """The spans that count, or why there are none."""
    responses = _responses(record, question)
    given = [(person, _spans(one, None)) for person, one in responses if _counts(one)]
    spans = choice.of(record, given)
    if spans is not None:
        return spans, ""
    suggestion = record.record("suggestions").record(question)
    if not given and suggestion.values.get("value") is not None and choice.takes_suggestion(record):
        return _spans(suggestion, suggestion.values.get("score")), ""
    return None, choice.unsaid(str(one.values["status"]) for _, one in responses if one.values.get("status"))


def _counts(response: Record) -> bool:
    return response.values.get("value") is not None and response.values.get("status") in _GIVEN


def _span_question(record: Record, answers: Mapping[str, Any]) -> str:
    """The one that the writer names so, or the only one whose answers are spans."""
    if _QUESTION in answers:
        return _QUESTION
    found = [
        name for name, given in answers.items() if any(map(_has_spans, given if isinstance(given, list) else [given]))
    ]
    if len(found) > 1:
        raise record.error(f"several questions have spans: {', '.join(found)}; export those of one alone")
    return found[0] if found else _QUESTION


def _has_spans(answer: object) -> bool:
    value = answer.get("value") if isinstance(answer, dict) else None
    return isinstance(value, list) and any(isinstance(one, dict) and "label" in one for one in value)


def _spans(answer: Record, scores: Any) -> list[Span]:
    """The spans of an answer; scores are a list, one a span, or a number for all of them."""
    given = answer.records("value")
    if isinstance(scores, list) and len(scores) != len(given):
        raise answer.error(f"{len(scores)} scores for {len(given)} spans")
    found = []
    for number, one in enumerate(given):
        score = one.number("score")
        if score is None:
            score = Record(one.where, {"score": scores[number] if isinstance(scores, list) else scores}).number("score")
        found.append(Span(one.whole("start"), one.whole("end"), one.text("label"), score))
    return found


class ArgillaWriter(JsonListWriter):
    """Writes each row as a record, with its spans as a suggestion."""

    def __init__(
        self,
        file: BinaryIO,
        *,
        tokens: str = schema.TOKENS,
        spans: str | None = None,
        text: Joined = "blanks",
        text_field: str = "text",
        question: str = _QUESTION,
    ) -> None:
        """Writes to an open binary file.

        Args:
            file: where to.
            tokens: see `DocumentWriter`.
            spans: likewise.
            text: likewise.
            text_field: the field that has the text.
            question: the span question.
        """
        super().__init__(file, tokens=tokens, spans=spans, text=text)
        self._text_field = text_field
        self._question = question

    def fields(self, document: Document) -> dict[str, Any]:
        """See `JsonWriter`."""
        suggestions = {}
        if document.spans is not None:
            value = [{"start": span.start, "end": span.end, "label": span.label} for span in document.spans]
            scores = [span.score for span in document.spans]
            score = None if None in scores or not scores else scores
            suggestions[self._question] = {"value": value, "score": score, "agent": f"xner {__version__}"}
        return {
            "id": document.id,
            "fields": {self._text_field: document.text},
            "metadata": {},
            "suggestions": suggestions,
            "responses": {},
            "vectors": {},
        }
