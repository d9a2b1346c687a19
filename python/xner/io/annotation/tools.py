"""Annotation tools by name: what hands texts out to their users, and reads back what these have made of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from xner.errors import Error
from xner.io._json import records_of
from xner.io._lines import read_blocks
from xner.io._rows import write_rows
from xner.io.annotation.argilla import ArgillaWriter, argilla_documents
from xner.io.annotation.brat import brat_documents, write_brat
from xner.io.annotation.doccano import DoccanoWriter, doccano_documents
from xner.io.annotation.gliner import GlinerWriter, gliner_documents
from xner.io.annotation.label_studio import LabelStudioWriter, label_studio_documents
from xner.io.annotation.prodigy import ProdigyWriter, prodigy_documents
from xner.io.annotation.spacy import SpacyWriter, spacy_documents, text_of_pair
from xner.io.annotation.webanno import WebAnnoWriter, webanno_documents

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping

    import pyarrow as pa

    from xner.io._rows import RowWriter
    from xner.io.annotation.documents import Document

__all__ = ["TOOLS", "Tool", "looks_like"]


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


def looks_like(path: str | os.PathLike[str]) -> tuple[tuple[str, ...], str]:
    """Which tools may have written a file, by its first text.

    Args:
        path: a file, or a folder.

    Returns:
        Names of `TOOLS`, none where it looks like no tool's; and what there is to see of it, in words.
    """
    if Path(path).is_dir() or Path(path).suffix.lower() == ".ann":
        return ("brat",), "a folder" if Path(path).is_dir() else "annotations beside a text"
    begin = next((bytes(block.line(0)) for block in read_blocks(path) if len(block.starts)), b"")
    if begin.startswith(b"#FORMAT=WebAnno TSV"):
        return ("webanno",), "a file of columns that says so"
    shown = f"a file that begins with {begin[:40].decode(errors='replace')!r}" if begin else "an empty file"
    is_list = begin.lstrip().startswith(b"[")
    try:
        found = next(records_of(path, as_object=text_of_pair)).values
    except (Error, StopIteration):
        return (), shown
    fields = ", ".join(map(str, found)) or "none"
    return _by_fields(found), f"{'a list of objects' if is_list else 'an object a line'}, with the fields {fields}"


_BY_FIELD: Final = {
    "data": ("label-studio", dict),
    "fields": ("argilla", dict),
    "tokenized_text": ("gliner", list),
    "paragraphs": ("spacy", list),
}


def _has_regions(value: object) -> bool:
    """Whether a field has spans as Label Studio's JSON-MIN has them."""
    return isinstance(value, list) and any(isinstance(one, dict) and {"start", "labels"} <= set(one) for one in value)


def _by_fields(found: Mapping[str, Any]) -> tuple[str, ...]:
    """The tools whose texts have such fields."""
    for name, (tool, kind) in _BY_FIELD.items():
        if isinstance(found.get(name), kind):
            return (tool,)
    if any(map(_has_regions, found.values())):
        return ("label-studio",)
    if "text" not in found:
        return ("spacy",) if isinstance(found.get("annotations"), list) else ()
    if {"answer", "_task_hash", "_input_hash"} & set(found) or isinstance(found.get("spans"), list):
        return ("prodigy",)
    if "ents" in found or isinstance(found.get("spans"), dict):
        return ("spacy",)
    if {"label", "labels"} & set(found):
        return ("doccano",)
    if "entities" in found:
        return ("doccano", "spacy")
    return ("prodigy", "spacy") if "tokens" in found else ("doccano", "prodigy", "spacy")
