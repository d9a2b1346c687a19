"""Readers and writers. Each turns a file into an Arrow table with the columns of the contract, or back.

A format is one line of the table `FORMATS`: how its files are named, how it is read batch by batch, and what
writes it. Rows are never lost, merged or reordered, as the files of a parallel corpus belong together line by
line.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import pyarrow as pa

from xner._support.arguments import file_path
from xner._support.registry import Registry
from xner.errors import Error
from xner.io._joining import join_bytes, join_parquet
from xner.io._rows import RowWriter, write_rows
from xner.io.annotation.argilla import ArgillaWriter, iter_argilla
from xner.io.annotation.docbin import DocBinWriter, iter_docbin
from xner.io.annotation.doccano import DoccanoWriter, iter_doccano
from xner.io.annotation.gliner import GlinerWriter, iter_gliner
from xner.io.annotation.label_studio import LabelStudioWriter, iter_label_studio
from xner.io.annotation.prodigy import ProdigyWriter, iter_prodigy
from xner.io.annotation.spacy import SpacyWriter, iter_spacy
from xner.io.annotation.webanno import WebAnnoWriter, iter_webanno
from xner.io.atomic import is_packed, replacing
from xner.io.conll import ConllWriter, iter_conll, read_conll, write_conll
from xner.io.hugging_face import read_hugging_face
from xner.io.inline import InlineWriter, iter_inline
from xner.io.jsonl import JsonlWriter, iter_jsonl, read_jsonl, write_jsonl
from xner.io.other_files import about_file
from xner.io.parallel import check_parallel
from xner.io.parquet import (
    ArrowWriter,
    ParquetWriter,
    iter_arrow,
    iter_parquet,
    read_arrow,
    read_parquet,
    write_arrow,
    write_parquet,
)
from xner.io.pharaoh import PharaohWriter, iter_pharaoh, read_pharaoh, write_pharaoh
from xner.io.text import TextWriter, iter_text, read_bitext, read_text, write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from xner._support.frames import TableLike

__all__ = [
    "FORMATS",
    "Format",
    "RowWriter",
    "check_parallel",
    "format_of",
    "format_to_read",
    "iter_batches",
    "iter_conll",
    "iter_jsonl",
    "iter_pharaoh",
    "iter_text",
    "open_writer",
    "read",
    "read_arrow",
    "read_bitext",
    "read_conll",
    "read_hugging_face",
    "read_jsonl",
    "read_parquet",
    "read_pharaoh",
    "read_text",
    "replacing",
    "write",
    "write_arrow",
    "write_conll",
    "write_jsonl",
    "write_parquet",
    "write_pharaoh",
    "write_text",
]


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file.

    Attributes:
        suffixes: endings of the names of such files, lower case; none for formats that are always named.
        iterate: reads a file: `(path, *, batch_rows, ...)` to an iterator of at least one batch.
        writer: makes a `RowWriter`: `(binary file, ...)`.
        read: reads a whole file, where that is another thing than its batches one after the other.
        is_text: whether the files may be compressed with gzip (`.gz` after the suffix).
        is_table: whether files hold all columns, so that rows that were dropped stay there and say so; None: those that
            are no text do.
        join: makes a file, byte for byte as one writer would have, of others of the same columns that follow on each
            other; writers of text are told how many rows come before, `rows_before`. None: there is no such way.
    """

    suffixes: tuple[str, ...]
    iterate: Callable[..., Iterator[pa.RecordBatch]]
    writer: Callable[..., RowWriter]
    read: Callable[..., pa.Table] | None = None
    is_text: bool = True
    is_table: bool | None = None
    join: Callable[[Sequence[Path], BinaryIO], None] | None = None

    @property
    def holds_good_rows_alone(self) -> bool:
        """Whether people and programs read files as training data, so that rows that were dropped are left out."""
        return self.is_text if self.is_table is None else not self.is_table


_OF_COLUMNS = (".conll", ".conll02", ".conll03", ".conllu", ".bio", ".iob", ".iob2", ".ner", ".tsv")

FORMATS: Final[Registry[Format]] = Registry(
    "xner.formats",
    "format",
    {
        "conll": Format(_OF_COLUMNS, iter_conll, ConllWriter, join=join_bytes),
        "text": Format((".txt",), iter_text, TextWriter),
        "jsonl": Format((".jsonl",), iter_jsonl, JsonlWriter, read_jsonl, join=join_bytes),
        "parquet": Format((".parquet",), iter_parquet, ParquetWriter, read_parquet, is_text=False, join=join_parquet),
        "arrow": Format((".arrow", ".feather"), iter_arrow, ArrowWriter, is_text=False),
        "pharaoh": Format((".pharaoh",), iter_pharaoh, PharaohWriter, join=join_bytes),
        "inline": Format((), iter_inline, InlineWriter),
        "doccano": Format((), iter_doccano, DoccanoWriter),
        "prodigy": Format((), iter_prodigy, ProdigyWriter),
        "spacy": Format((), iter_spacy, SpacyWriter),
        "docbin": Format((".spacy",), iter_docbin, DocBinWriter, is_text=False, is_table=False),
        "gliner": Format((), iter_gliner, GlinerWriter),
        "label-studio": Format((), iter_label_studio, LabelStudioWriter),
        "argilla": Format((), iter_argilla, ArgillaWriter),
        "webanno": Format((), iter_webanno, WebAnnoWriter),
    },
)
"""All formats by name. Distributions add theirs, each a `Format`, to the entry points `xner.formats`."""


def format_of(path: str | os.PathLike[str], name: str | None = None) -> str:
    """The format of a file: a name of `FORMATS`.

    Args:
        path: the file; need not exist.
        name: the format, if it is given by name; by default the file's suffix tells it.

    Raises:
        Error: an unknown suffix or format.
    """
    file_path("path", path)
    packed = is_packed(path)
    if name is not None:
        if not isinstance(name, str) or name not in FORMATS:
            raise Error(f"unknown format '{name}'; the formats are {', '.join(FORMATS)}")
        if packed and not FORMATS[name].is_text:
            raise Error(f"'{path}': files of the format '{name}' are compressed inside, not with gzip")
        return name
    suffix = (Path(path).with_suffix("") if packed else Path(path)).suffix.lower()
    for known, its in FORMATS.items():
        if suffix in its.suffixes and (its.is_text or not packed):
            return known
    raise Error(f"{_untold(path)}; `format` names it, or use one of these: {_listed()}")


def _untold(path: str | os.PathLike[str]) -> str:
    return f"cannot tell the format of '{path}' from its name"


def _listed() -> str:
    """All formats that names tell, with their endings."""
    return "; ".join(
        f"{known}: {' '.join(its.suffixes)}{' (also with .gz)' if its.is_text else ''}"
        for known, its in FORMATS.items()
        if its.suffixes
    )


def format_to_read(path: str | os.PathLike[str], name: str | None = None) -> str:
    """The format of a file that is read: as `format_of`, but a missing file is told before a name that tells no format.

    Raises:
        FileNotFoundError: there is no such file, and its name tells no format.
        Error: an unknown suffix or format; of a suffix, the message says what the file's content is.
    """
    file_path("path", path)
    try:
        return format_of(path, name)
    except Error:
        if name is not None:
            raise
        if not os.path.lexists(path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(path)) from None
        about = about_file(path) or f"`format` says what it is, or use one of these: {_listed()}"
        raise Error(f"{_untold(path)}; {about}") from None


def iter_batches(
    path: str | os.PathLike[str], format: str | None = None, *, batch_rows: int = 16_384, **options: Any
) -> Iterator[pa.RecordBatch]:
    """Reads a file batch by batch, so that memory stays bounded.

    Args:
        path: the file.
        format: a name of `FORMATS`; by default the file's suffix tells it.
        batch_rows: rows a batch.
        **options: those of the format's own reader.

    Yields:
        At least one batch; without rows, if the file has none.

    Raises:
        Error: an unknown suffix or format.
        FormatError: content that does not follow the format.
    """
    return FORMATS[format_to_read(path, format)].iterate(path, batch_rows=batch_rows, **options)


def read(path: str | os.PathLike[str], format: str | None = None, **options: Any) -> pa.Table:
    """Reads a whole file; arguments and errors are those of `iter_batches`."""
    known = FORMATS[format_to_read(path, format)]
    if known.read is not None:
        return known.read(path, **options)
    return pa.Table.from_batches(known.iterate(path, **options))


@contextmanager
def open_writer(path: str | os.PathLike[str], format: str | None = None, **options: Any) -> Iterator[RowWriter]:
    """Opens a file to which batches are written one after the other.

    The file takes its name when the block ends; after an exception there is no new file, and an old one of
    the same name is untouched.

    Args:
        path: the target; its folder must exist.
        format: a name of `FORMATS`; by default the suffix tells it.
        **options: those of the format's own writer.

    Yields:
        A writer with `write(batch)`.

    Raises:
        Error: an unknown suffix or format, or a target that cannot be written.
    """
    known = FORMATS[format_of(path, format)]
    with replacing(path) as file:
        writer = known.writer(file, **options)
        yield writer
        writer.close()


def write(table: TableLike, path: str | os.PathLike[str], format: str | None = None, **options: Any) -> None:
    """Writes a whole table of any kind (Arrow, pandas, polars, `datasets`).

    Other arguments, and errors, are those of `open_writer`.
    """
    known = FORMATS[format_of(path, format)]
    write_rows(table, path, lambda file: known.writer(file, **options))
