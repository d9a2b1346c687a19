"""Label Studio's JSON: a list of tasks with `data`, and `annotations` by people or `predictions` by models.

`label_studio_configuration` gives the labelling configuration that goes with what is written here. Label Studio numbers
tasks itself and keeps their data: an id that is to come back is in `data`.

Source: https://labelstud.io/guide/task_format, https://labelstud.io/guide/predictions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeAlias

from xner import schema
from xner._support.arguments import choose
from xner._support.pages import Html, element
from xner._version import __version__
from xner.io._json import Record, list_of
from xner.io.annotation._choice import Choice, text_of
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
    text_key: str | None = None,
    annotator: str | None = None,
    batch_rows: int = 16_384,
) -> Iterator[pa.RecordBatch]:
    """Reads tasks in batches: the annotations that people made, or predictions in a file without any.

    Annotations that were cancelled do not count; where there is a ground truth, it alone does.

    Args:
        path: what Label Studio exports as JSON (not JSON-MIN), or the same compressed (`.gz`).
        language: how words are found, see `batches_of`.
        text_key: the field of `data` that has the text; None: `text`, or the only field with a text that is no id.
        annotator: the person whose annotations count, by number or e-mail (`completed_by`); by default all must agree.
        batch_rows: rows a batch.

    Yields:
        Batches as `batches_of` describes them; tasks without annotations that count have no spans.

    Raises:
        FormatError: something else, labels of what is no plain text, spans that do not have the text that they say,
            annotations that do not agree, or none by the `annotator`; the message names file, task and field.
    """
    documents = label_studio_documents(path, text_key=text_key, annotator=annotator)
    return batches_of(documents, path, language=language, batch_rows=batch_rows)


def label_studio_documents(
    path: str | os.PathLike[str],
    *,
    text_key: str | None = None,
    annotator: str | None = None,
    people_only: bool = False,
) -> Iterator[Document]:
    """The texts of a file with their spans, as they are; arguments and errors are those of `iter_label_studio`.

    Args:
        path: the file.
        text_key: see `iter_label_studio`.
        annotator: likewise.
        people_only: do not read predictions.
    """
    tasks = list(list_of(path, "task"))
    people = [_person(one, number) for task in tasks for number, one in enumerate(task.records("annotations"))]
    choice = Choice(path, annotator, people_only, people)
    for task in tasks:
        if "data" not in task.values:
            raise task.error("there is no field 'data'; export the project as JSON, not as JSON-MIN")
        data = task.record("data")
        text = text_of(data, text_key, path, "data")
        spans, unsaid = _chosen(task, text, choice)
        own = data.identifier(schema.ID)
        name = task.identifier(schema.ID) if own is None else own
        yield Document(text, spans, name, where=task.where, unsaid=unsaid)
    choice.tell()


def _chosen(task: Record, text: str, choice: Choice) -> tuple[Sequence[Span] | None, str]:
    """The spans that count, or why there are none."""
    annotations = sorted(enumerate(task.records("annotations")), key=lambda one: _changed(one[1]))
    counting = [(number, one) for number, one in annotations if not one.values.get("was_cancelled")]
    truth = [(number, one) for number, one in counting if one.values.get("ground_truth")]
    given = [(_person(one, number), _spans(one, text)) for number, one in truth or counting]
    spans = choice.of(task, given)
    if spans is not None:
        return spans, ""
    predictions = [] if given else task.records("predictions")
    if predictions and choice.takes_suggestion(task):
        return _spans(predictions[-1], text), ""
    return None, choice.unsaid("skipped" for _ in annotations)


def _changed(annotation: Record) -> str:
    """When an annotation was changed last; empty where that is not said."""
    return str(annotation.values.get("updated_at") or annotation.values.get("created_at") or "")


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

    Raises:
        FormatError: neither gives that text.
    """
    start, end, said = value.whole("start"), value.whole("end"), value.values.get("text")
    if not isinstance(said, str) or text[start:end] == said:
        return start, end
    units = Utf16(text)
    if units.slice(start, end) == said:
        return units.character(start), units.character(end)
    if 0 <= start < end <= len(text) and _words(text[start:end]) != _words(said):
        has = f"the text has {text[start:end]!r} at [{start}, {end}); was it changed after it was annotated?"
        raise value.error(f"field 'text': the span is {said!r}, but {has}")
    return start, end


def _words(text: str) -> list[str]:
    """What is between white space, of which Label Studio writes line ends as two characters."""
    return text.replace("\\n", " ").split()


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
