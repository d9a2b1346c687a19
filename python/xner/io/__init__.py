"""Readers and writers. Each turns a file into an Arrow table with the columns of the contract, or back.

A format is one line of the table `FORMATS`: how its files are named, how it is read batch by batch, and what
writes it. Rows are never lost, merged or reordered, as the files of a parallel corpus belong together line by
line.
"""

from __future__ import annotations

from xner._support.faces import listing
from xner.io import datasets
from xner.io._rows import RowWriter
from xner.io.annotation.brat import read_brat, write_brat
from xner.io.annotation.docbin import from_docs, to_docs
from xner.io.atomic import replacing
from xner.io.conll import iter_conll, read_conll, write_conll
from xner.io.formats import FORMATS, Format, format_of, iter_batches, open_writer, read, write
from xner.io.hugging_face import read_hugging_face
from xner.io.inline import read_inline, write_inline
from xner.io.inspection import Inspection, inspect
from xner.io.jsonl import iter_jsonl, read_jsonl, write_jsonl
from xner.io.layout import Layout
from xner.io.pairing import Pairing, pair
from xner.io.parallel import check_parallel
from xner.io.parquet import read_arrow, read_parquet, write_arrow, write_parquet
from xner.io.pharaoh import iter_pharaoh, read_pharaoh, write_pharaoh
from xner.io.text import iter_text, read_bitext, read_text, write_text

__all__ = [
    "FORMATS",
    "Format",
    "Inspection",
    "Layout",
    "Pairing",
    "RowWriter",
    "check_parallel",
    "datasets",
    "format_of",
    "from_docs",
    "inspect",
    "iter_batches",
    "iter_conll",
    "iter_jsonl",
    "iter_pharaoh",
    "iter_text",
    "open_writer",
    "pair",
    "read",
    "read_arrow",
    "read_bitext",
    "read_brat",
    "read_conll",
    "read_hugging_face",
    "read_inline",
    "read_jsonl",
    "read_parquet",
    "read_pharaoh",
    "read_text",
    "replacing",
    "to_docs",
    "write",
    "write_arrow",
    "write_brat",
    "write_conll",
    "write_inline",
    "write_jsonl",
    "write_parquet",
    "write_pharaoh",
    "write_text",
]

__dir__ = listing(__all__)
