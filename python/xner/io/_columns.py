"""What the columns of a file look like: which one holds words, which one labels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xner.labels.tags import OUTSIDE, Tags, read_tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Column", "header_of", "label_columns", "label_named", "survey", "token_columns", "words_named"]

_TOKEN_NAMES = (
    *("token", "tokens", "word", "words", "form", "text"),
    *("wort", "wörter", "mot", "mots", "palabra", "palabras", "parola", "parole", "palavra", "woord", "ord", "słowo"),
    *("слово", "слова", "λέξη", "sözcük", "kelime", "词", "詞", "单词", "単語", "단어", "शब्द", "كلمة", "neno", "ọ̀rọ̀"),
)
_LABEL_NAMES = (
    *("ner_tags", "ner_tag", "ner-tag", "ner", "ne", "ne-coarse-lit", "labels", "label", "tags", "tag", "entity"),
    *(
        "named_entity",
        "iob",
        "bio",
        "class",
        "klasse",
        "clase",
        "classe",
        "étiquette",
        "etiqueta",
        "etichetta",
        "etikett",
    ),
    *("entität", "entitaet", "entité", "entite", "entidad", "entità", "entidade", "entiteit", "entitet", "varlık"),
    *("тег", "метка", "标签", "標籤", "ラベル", "레이블"),
)
_HEADER_NAME = re.compile(r"[^\W\d][\w .:/#-]*")
_TAG = re.compile(r"O|[BIESLUMW]-.+", re.DOTALL)
_WORD_NUMBER = re.compile(r"\d+([-.]\d+)?")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file, as some of its lines have it.

    Attributes:
        number: from 0.
        name: in the header; None where there is none.
        values: how many were looked at.
        examples: the first different ones.
        tags: what they are as labels.
        is_numbering: whether they number the words of each sentence.
    """

    number: int
    name: str | None
    values: int
    examples: tuple[str, ...]
    tags: Tags
    is_numbering: bool

    @property
    def holds_labels(self) -> bool:
        """Whether they are labels that cannot well be something else."""
        is_told = self.tags.has_outside or self.tags.spelling not in {"plain", "untyped"}
        return self.tags.scheme != "none" and is_told and self.tags.doubt(self.values) is None

    def __str__(self) -> str:
        named = f"{self.number}" if self.name is None else f"{self.number} ({self.name})"
        return f"column {named}: {', '.join(self.examples)}"


def header_of(fields: Sequence[str]) -> tuple[str, ...]:
    """The names of columns, if a file's first line has them: one for words, and no label; else nothing."""
    names = [field.strip() for field in fields]
    is_header = (
        len(names) > 1
        and len(set(names)) == len(names)
        and any(name.lower() in _TOKEN_NAMES for name in names)
        and all(_HEADER_NAME.fullmatch(name) and not _TAG.fullmatch(name) for name in names)
        and any(name.lower() in _LABEL_NAMES or "ne" in re.split(r"[-_ ]", name.lower()) for name in names)
    )
    return tuple(names) if is_header else ()


def words_named(name: str) -> bool:
    """Whether a column is named as those of words are."""
    return name.lower() in _TOKEN_NAMES


def label_named(names: Iterable[str]) -> str | None:
    """The column that is named most as those of labels are; None where none is."""
    known = [name for name in names if name.lower() in _LABEL_NAMES]
    return min(known, key=lambda name: _LABEL_NAMES.index(name.lower()), default=None)


MOST_COLUMNS = 64
"""Columns that are looked at: a file with more is one of something else."""


def survey(sentences: Sequence[Sequence[Sequence[str]]], header: Sequence[str] = ()) -> list[Column]:
    """What the columns of some sentences look like, the first `MOST_COLUMNS` of them.

    Args:
        sentences: of each its words' fields.
        header: names of the columns, if they have any.
    """
    if _is_numbering([[fields[0] for fields in sentence] for sentence in sentences]):
        sentences = [[fields for fields in sentence if fields[0].isdecimal()] for sentence in sentences]
    width = max((len(fields) for sentence in sentences for fields in sentence), default=0)
    columns = []
    for number in range(min(width, MOST_COLUMNS)):
        rows = [[fields[number] for fields in sentence if number < len(fields)] for sentence in sentences]
        values = [value for row in rows for value in row]
        columns.append(
            Column(
                number=number,
                name=header[number] if number < len(header) else None,
                values=len(values),
                examples=tuple(dict.fromkeys(values))[:3],
                tags=read_tags([values])[1],
                is_numbering=_is_numbering(rows),
            )
        )
    return columns


def _is_numbering(rows: Sequence[Sequence[str]]) -> bool:
    """Whether values count the words of each sentence, ranges and empty nodes of CoNLL-U among them."""
    values = [value for row in rows for value in row]
    if len(values) < 2 or not all(map(_WORD_NUMBER.fullmatch, values)):
        return False
    plain = [[int(value) for value in row if value.isdecimal()] for row in rows]
    return all(row in (list(range(len(row))), list(range(1, len(row) + 1))) for row in plain)


def label_columns(columns: Sequence[Column]) -> list[Column]:
    """The columns that hold labels, the likeliest first: by name, with prefixes, from the left."""

    def likelihood(column: Column) -> tuple[int, bool, int]:
        name = (column.name or "").lower()
        named = len(_LABEL_NAMES) - _LABEL_NAMES.index(name) if name in _LABEL_NAMES else 0
        entities = sum(1 for tag in column.tags.canonical if tag != OUTSIDE)
        return named, column.tags.spelling != "plain", min(entities, 1)

    return sorted((one for one in columns if one.holds_labels), key=likelihood, reverse=True)


def token_columns(columns: Sequence[Column]) -> list[Column]:
    """The columns that can hold words, the likeliest first: by name, with more than one value, from the left."""
    words = [one for one in columns if not (one.is_numbering or one.holds_labels or one.tags.scheme == "none")]

    def unlikely(column: Column) -> tuple[bool, bool, int]:
        is_constant = len(column.examples) < 2 and column.values > 1
        return (column.name or "").lower() not in _TOKEN_NAMES, is_constant, column.number

    return sorted(words, key=unlikely)
