"""Annotation tools by name: what hands texts out to their users, and reads back what these have made of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from xner.io._rows import write_rows
from xner.io.annotation.argilla import ArgillaWriter, argilla_documents
from xner.io.annotation.brat import brat_documents, write_brat
from xner.io.annotation.doccano import DoccanoWriter, doccano_documents
from xner.io.annotation.gliner import GlinerWriter, gliner_documents
from xner.io.annotation.label_studio import LabelStudioWriter, label_studio_documents
from xner.io.annotation.prodigy import ProdigyWriter, prodigy_documents
from xner.io.annotation.spacy import SpacyWriter, spacy_documents
from xner.io.annotation.webanno import WebAnnoWriter, webanno_documents

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from xner.io._rows import RowWriter
    from xner.io.annotation.documents import Document

__all__ = ["TOOLS", "Tool"]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool.

    Attributes:
        write: writes a table to a file, or a folder: `(table, path, *, tokens, spans, text)`, in part for some.
        documents: reads what people have said of its texts; those that nobody has annotated have no spans, where the
            tool tells.
        tells_people: whether the tool tells annotations from suggestions, and people from each other: `annotator`.
    """

    write: Callable[..., None]
    documents: Callable[..., Iterator[Document]]
    tells_people: bool = False


def _written(writer: Callable[..., RowWriter]) -> Callable[..., None]:
    """Writes a file by a writer of rows."""

    def write(table: pa.Table, path: str | os.PathLike[str], **options: object) -> None:
        write_rows(table, path, lambda file: writer(file, **options))

    return write


TOOLS: Final = {
    "label-studio": Tool(_written(LabelStudioWriter), partial(label_studio_documents, people_only=True), True),
    "argilla": Tool(_written(ArgillaWriter), partial(argilla_documents, people_only=True), True),
    "doccano": Tool(_written(DoccanoWriter), doccano_documents),
    "prodigy": Tool(_written(ProdigyWriter), prodigy_documents),
    "brat": Tool(write_brat, brat_documents),
    "webanno": Tool(_written(WebAnnoWriter), webanno_documents),
    "spacy": Tool(_written(SpacyWriter), spacy_documents),
    "gliner": Tool(_written(GlinerWriter), gliner_documents),
}
"""All tools by name."""
