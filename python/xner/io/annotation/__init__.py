"""The formats of annotation tools: texts with character spans, read as rows of words with entities, and written."""

from __future__ import annotations

from xner._support.faces import listing
from xner.io.annotation.argilla import ArgillaWriter, iter_argilla
from xner.io.annotation.brat import read_brat, write_brat
from xner.io.annotation.docbin import DocBinWriter, from_docs, iter_docbin, to_docs
from xner.io.annotation.doccano import DoccanoWriter, iter_doccano
from xner.io.annotation.documents import Document, DocumentWriter, Span, batches_of, documents_of
from xner.io.annotation.gliner import GlinerWriter, iter_gliner
from xner.io.annotation.label_studio import LabelStudioWriter, iter_label_studio
from xner.io.annotation.prodigy import ProdigyWriter, iter_prodigy
from xner.io.annotation.spacy import SpacyWriter, iter_spacy
from xner.io.annotation.webanno import WebAnnoWriter, iter_webanno

__all__ = [
    "ArgillaWriter",
    "DocBinWriter",
    "DoccanoWriter",
    "Document",
    "DocumentWriter",
    "GlinerWriter",
    "LabelStudioWriter",
    "ProdigyWriter",
    "SpacyWriter",
    "Span",
    "WebAnnoWriter",
    "batches_of",
    "documents_of",
    "from_docs",
    "iter_argilla",
    "iter_docbin",
    "iter_doccano",
    "iter_gliner",
    "iter_label_studio",
    "iter_prodigy",
    "iter_spacy",
    "iter_webanno",
    "read_brat",
    "to_docs",
    "write_brat",
]

__dir__ = listing(__all__)
