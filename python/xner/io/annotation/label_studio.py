"""Label Studio's JSON: a list of tasks with `data`, and `annotations` by people or `predictions` by models.

`label_studio_configuration` gives the labelling configuration that goes with what is written here. Label Studio numbers
tasks itself and keeps their data: an id that is to come back is in `data`.

Source: https://labelstud.io/guide/task_format, https://labelstud.io/guide/predictions
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeAlias

from xner import schema
from xner._support.arguments import choose
from xner._support.pages import Html, element
from xner._version import __version__
from xner.io._json import Record, list_of
from xner.io.annotation._choice import chosen
from xner.io.annotation.documents import Document, Joined, JsonListWriter, Span, batches_of
from xner.text.offsets import Utf16

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from xner.text.word_splitting import WordSplitter

__all__ = ["LabelStudioWriter", "SpansAs", "iter_label_studio", "label_studio_configuration", "label_studio_documents"]

SpansAs: TypeAlias = Literal["predictions", "annotations"]


def iter_label_studio(
    path: str | os.PathLike[str],
    *,
    language: str | WordSplitter = "characters",
    text_key: str = "text",
    annotator: str | None = None,
    batch_rows: int = 16_384,
) -> Iterator[pa.RecordBatch]:
    """Reads tasks in batches: the annotations that people made, or predictions where there are none.

    Annotations that were cancelled do not count; where there is a ground truth, it alone does.

    Args:
        path: what Label Studio exports as JSON (not JSON-MIN), or the same compressed (`.gz`).
        language: how words are found, see `batches_of`.
        text_key: the field of `data` that has the text.
        annotator: the person whose annotations count, by number or e-mail (`completed_by`); by default all must agree.
        batch_rows: rows a batch.

    Yields:
        Batches as `batches_of` describes them; tasks that nobody and no model has annotated have no spans.

    Raises:
        FormatError: something else, labels of what is no plain text, or annotations that do not agree; the message
            names file, task and field.
    """
    documents = label_studio_documents(path, text_key=text_key, annotator=annotator)
    return batches_of(documents, path, language=language, batch_rows=batch_rows)


def label_studio_documents(
    path: str | os.PathLike[str], *, text_key: str = "text", annotator: str | None = None, people_only: bool = False
) -> Iterator[Document]:
    """The texts of a file with their spans, as they are; arguments and errors are those of `iter_label_studio`.

    Args:
        path: the file.
        text_key: see `iter_label_studio`.
        annotator: likewise.
        people_only: do not read predictions.
    """
    read = partial(_document, text_key=text_key, annotator=annotator, people_only=people_only)
    return map(read, list_of(path, "task"))


def _document(task: Record, *, text_key: str, annotator: str | None, people_only: bool) -> Document:
    if "data" not in task.values:
        raise task.error("there is no field 'data'; export the project as JSON, not as JSON-MIN")
    data = task.record("data")
    text = data.text(text_key)
    own = data.identifier(schema.ID)
    spans = chosen(task, _by_person(task, text), annotator)
    predictions = [] if people_only or annotator is not None else task.records("predictions")
    if spans is None and predictions:
        spans = _spans(predictions[-1], text)
    return Document(text, spans, task.identifier(schema.ID) if own is None else own, where=task.where)


def _by_person(task: Record, text: str) -> dict[str, list[Span]]:
    """The spans that count, by who has marked them; of several annotations of one person the last."""
    given = [one for one in task.records("annotations") if not one.values.get("was_cancelled")]
    truth = [one for one in given if one.values.get("ground_truth")]
    return {_person(one, number): _spans(one, text) for number, one in enumerate(truth or given)}


def _person(annotation: Record, number: int) -> str:
    person = annotation.values.get("completed_by")
    if isinstance(person, dict):
        person = person.get("email") or person.get("id")
    return f"annotation {number}" if person is None else str(person)


def _spans(annotation: Record, text: str) -> list[Span]:
    """The regions of an annotation or prediction that are labels of characters."""
    found = []
    for region in annotation.records("result"):
        kind = region.values.get("type")
        if kind != "labels":
            if isinstance(kind, str) and kind.endswith("labels"):
                raise region.error(f"labels of the type {kind!r}; only those of plain text are read ('labels')")
            continue
        value = region.record("value")
        start, end = _offsets(value, text)
        for label in value.items("labels"):
            if not isinstance(label, str):
                raise value.error(f"field 'labels': expected texts, found {label!r}")
            found.append(Span(start, end, label, region.number("score")))
    return found


def _offsets(value: Record, text: str) -> tuple[int, int]:
    """A region's characters: code points, or UTF-16 units where those alone give the text that it says it has.

    Label Studio counted UTF-16 units up to version 1.4.
    """
    start, end, said = value.whole("start"), value.whole("end"), value.values.get("text")
    if isinstance(said, str) and text[start:end] != said:
        units = Utf16(text)
        if units.slice(start, end) == said:
            return units.character(start), units.character(end)
    return start, end


def label_studio_configuration(classes: Iterable[str]) -> str:
    """The labelling configuration of a project whose tasks are written with the writer's own names.

    Args:
        classes: that people may choose from.
    """
    labels = "".join(element("Label", value=name) for name in classes)
    return element(
        "View",
        element("Labels", Html(labels), name="label", toName="text"),
        element("Text", name="text", value="$text"),
    )


class LabelStudioWriter(JsonListWriter):
    """Writes each row as a task, with its spans as a prediction, which people see and correct, or as an annotation."""

    def __init__(
        self,
        file: BinaryIO,
        *,
        tokens: str = schema.TOKENS,
        spans: str | None = None,
        text: Joined = "blanks",
        spans_as: SpansAs = "predictions",
        from_name: str = "label",
        to_name: str = "text",
        text_key: str = "text",
    ) -> None:
        """Writes to an open binary file.

        Args:
            file: where to.
            tokens: see `DocumentWriter`.
            spans: likewise.
            text: likewise.
            spans_as: `predictions`, with scores, or `annotations`.
            from_name: name of the `Labels` tag in the labelling configuration.
            to_name: name of its `Text` tag.
            text_key: the field of `data` that has the text: `value="$text"`.
        """
        super().__init__(file, tokens=tokens, spans=spans, text=text)
        self._as = choose("spans_as", spans_as, {"predictions": spans_as, "annotations": spans_as})
        self._names = {"from_name": from_name, "to_name": to_name, "type": "labels"}
        self._text_key = text_key

    def fields(self, document: Document) -> dict[str, Any]:
        """See `JsonWriter`."""
        data: dict[str, Any] = {self._text_key: document.text, schema.ID: document.id}
        if document.spans is None:
            return {"data": data}
        margins = [span.margin for span in document.spans if span.margin is not None]
        if margins:
            data["margin"] = min(margins)
        return {"data": data, self._as: [self._result(document.text, document.spans)]}

    def _result(self, text: str, spans: Sequence[Span]) -> dict[str, Any]:
        regions = []
        for number, span in enumerate(spans):
            value = {"start": span.start, "end": span.end, "text": text[span.start : span.end], "labels": [span.label]}
            region = {"id": str(number), **self._names, "value": value}
            regions.append(region if span.score is None else {**region, "score": span.score})
        if self._as == "annotations":
            return {"result": regions}
        scores = [span.score for span in spans if span.score is not None]
        lowest = {"score": min(scores)} if scores else {}
        return {"model_version": f"xner {__version__}", **lowest, "result": regions}
