"""The built-in sample: 170 English sentences with entities, and their German and Spanish translations with gold labels.

CoNLL columns (word, tab, IOB2 label), classes PER, ORG, LOC and MISC, written for this package under its licence.
Sentence k of one language translates sentence k of the others.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from xner import io
from xner.errors import Error

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LANGUAGES", "load", "path"]

LANGUAGES = ("en", "de", "es")


def path(language: str) -> Path:
    """The sample's file in a language.

    Args:
        language: one of `LANGUAGES`.

    Raises:
        Error: the sample does not have the language.
    """
    if language not in LANGUAGES:
        raise Error(f"the sample has no language {language!r}, only {', '.join(LANGUAGES)}")
    return Path(str(resources.files("xner.io.sample") / f"{language}.conll"))


def load(language: str) -> pa.Table:
    """The sample in a language: a table of `id`, `tokens` and `labels`.

    Args:
        language: one of `LANGUAGES`.

    Raises:
        Error: the sample does not have the language.
    """
    return io.read_conll(path(language))
