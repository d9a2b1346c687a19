"""Edits of a labelled corpus, and the one way in which words and entities follow them.

    applied = apply_edits(table, edits)

A corpus is shifted by nothing else, so that labels are valid, no entity is lost and the list of edits tells all.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

import pyarrow as pa

from xner import labels, schema
from xner._support.arguments import choose
from xner._support.arrow import is_lists, one_array
from xner._support.frames import to_table
from xner._support.sentences import to_arrow, word_lists
from xner.errors import DataError, Error
from xner.io.layout import AS_TOLD
from xner.io.wrong_rows import check_lengths

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xner._support.frames import TableLike

__all__ = [
    "EDITS_SCHEMA",
    "KINDS",
    "Applied",
    "Corpus",
    "Edit",
    "Entity",
    "Kind",
    "Sentence",
    "apply_edits",
    "apply_to",
    "edit_sentences",
    "edits_from_table",
    "edits_to_table",
    "is_word",
    "read_corpus",
]

Kind = Literal["entities", "context", "characters", "words", "code-switch", "transliterate", "length"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

Entity = tuple[int, int, str]

_WHAT = "edits"
_LENGTH: Final = "length"
EDITS_SCHEMA: Final = pa.schema(
    [
        ("row", pa.int32()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("replaced", schema.WORDS_TYPE),
        ("words", schema.WORDS_TYPE),
        ("labels", schema.WORDS_TYPE),
        ("kind", pa.string()),
        ("change", pa.string()),
    ]
)
"""Columns of a table of edits: the fields of `Edit`."""


def is_word(text: str) -> bool:
    """Whether a text can be put in as a word: it is not empty, and without white space."""
    return text.split() == [text]


@dataclass(frozen=True, slots=True)
class Edit:
    """Words put in the place of others.

    Attributes:
        row: of the original corpus, from 0.
        start: the first word that is replaced, in the original row.
        end: one past the last one; `start` where words are put in and none goes, which is outside of entities unless
            the place is within one.
        replaced: the words `[start, end)`.
        words: that take their place; each has a character, and no white space.
        kind: of the shift. With `length`, no word changes: the edit stands for a border between sentences, put before
            the word `start`, or taken away behind the row where `start` is its number of words.
        change: what was done, in the kind's own terms: "keyboard", "swap", "join".
        labels: of `words` in the shifted corpus, IOB2; they depend on the sentence's other edits as well.

    Raises:
        DataError: a span or a word that cannot be.
    """

    row: int
    start: int
    end: int
    replaced: tuple[str, ...]
    words: tuple[str, ...]
    kind: Kind
    change: str
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        choose("kind", self.kind, dict.fromkeys(KINDS))
        span = f"[{self.start}, {self.end})"
        if self.row < 0 or not 0 <= self.start <= self.end or self.end - self.start != len(self.replaced):
            raise DataError(self.row, _WHAT, span, f"no span of the {len(self.replaced)} words that it replaces")
        for word in self.words:
            if not is_word(word):
                raise DataError(self.row, _WHAT, repr(word), "expected a word, not empty and without white space")
        if self.kind == _LENGTH and (self.replaced or self.words):
            raise DataError(self.row, _WHAT, span, "an edit of the kind 'length' replaces no words")

    @property
    def is_border(self) -> bool:
        """Whether it is a border between sentences that changes."""
        return self.kind == _LENGTH


class Sentence(NamedTuple):
    """Words, and entities `(start, end, class)` in their order that do not overlap."""

    words: list[str]
    entities: list[Entity]

    def regions(self) -> list[int]:
        """For each word the number of its entity, -1 outside of entities."""
        found = [-1] * len(self.words)
        for number, (start, end, _) in enumerate(self.entities):
            found[start:end] = [number] * (end - start)
        return found


@dataclass(frozen=True, slots=True)
class Corpus:
    """A labelled corpus.

    Attributes:
        sentences: one a row.
        others: columns that stay what they are when words change: `id`, and what is neither a list nor known to belong
            to the words.
        missing: rows that are null in the table; they have no words.
    """

    sentences: list[Sentence]
    others: pa.Table
    missing: frozenset[int] = frozenset()


def read_corpus(table: TableLike, name: str = "the table") -> Corpus:
    """Sentences with their entities.

    Args:
        table: of any kind, with `tokens` and `labels` or `entities`, or `source_tokens` and `source_entities`.
        name: what errors call it.

    Raises:
        Error: there are no words, or neither labels nor entities.
        DataError: labels that are none or not one a word, entities that overlap or reach beyond the sentence.
    """
    rows = to_table(table)
    check_lengths(rows)
    found = AS_TOLD.labelled(rows, name)
    column = found.table[schema.TOKENS]
    tokens = to_arrow(column, schema.TOKENS)
    words = word_lists(tokens, schema.TOKENS)
    labels.encode_batch(found.entities, tokens, column=schema.ENTITIES)  # which raises where they cannot be labels
    sentences = [
        Sentence(row, sorted((one["start"], one["end"], one["label"]) for one in its or ()))
        for row, its in zip(words, found.entities.to_pylist(), strict=True)
    ]
    kept = [
        field.name
        for field in found.table.schema
        if field.name == schema.ID or not (field.name in schema.COLUMN_TYPES or is_lists(field.type))
    ]
    nulls = one_array(column).is_null().to_pylist() if column.null_count else []
    return Corpus(sentences, found.table.select(kept), frozenset(row for row, null in enumerate(nulls) if null))


@dataclass(frozen=True, slots=True)
class Applied:
    """What edits make of a corpus.

    Attributes:
        table: `id` if the corpus has it, `tokens`, `labels` (IOB2) and the corpus's other columns.
        sentences: its rows.
        edits: as given, by row and place, with the labels of the words put in.
    """

    table: pa.Table
    sentences: list[Sentence]
    edits: tuple[Edit, ...]


def apply_edits(table: TableLike, edits: Sequence[Edit] | TableLike) -> Applied:
    """Edit a labelled corpus.

    Args:
        table: the original, as for `read_corpus`.
        edits: of it, a list in any order, or a table of them (`edits_to_table`).

    Returns:
        The shifted corpus. Rows stay where they are, but for edits of the kind `length`: a longer sentence has the id
        and other columns of its first one; what is cut off has them, too, with `/2`, `/3` behind the id.

    Raises:
        DataError: an edit that is not of this corpus, that overlaps another, reaches over an entity's border, or takes
            all of an entity's words; see `read_corpus`.
    """
    return apply_to(read_corpus(table), edits_from_table(edits))


def apply_to(corpus: Corpus, edits: Iterable[Edit]) -> Applied:
    """As `apply_edits`, of a corpus that was read already."""
    sentences, origins, done = edit_sentences(corpus.sentences, edits)
    return Applied(_table(corpus, sentences, origins), sentences, tuple(done))


def edit_sentences(
    sentences: Sequence[Sentence], edits: Iterable[Edit]
) -> tuple[list[Sentence], list[tuple[int, int]], list[Edit]]:
    """Sentences after edits; of each the row that it begins in and which part of that it is; the edits with labels.

    Raises:
        DataError: as `apply_edits`.
    """
    by_row: defaultdict[int, list[Edit]] = defaultdict(list)
    for edit in edits:
        by_row[edit.row].append(edit)
    for row in by_row:
        if not row < len(sentences):
            raise DataError(row, _WHAT, f"row {row}", f"the corpus has {len(sentences)} rows")
    found: list[Sentence] = []
    origins: list[tuple[int, int]] = []
    done: list[Edit] = []
    goes_on = False
    for row, sentence in enumerate(sentences):
        its = sorted(by_row.get(row, ()), key=lambda one: (one.start, one.end, one.is_border))
        edited, finished, cuts = _edited(row, sentence, its) if its else (sentence, [], [])
        done += finished
        for part, piece in enumerate(_pieces(edited, cuts)):
            if goes_on and part == 0:
                found[-1] = _joined(found[-1], piece)
            else:
                found.append(piece)
                origins.append((row, part))
        goes_on = any(one.is_border and one.start == len(sentence.words) for one in its)
    if goes_on:
        raise DataError(len(sentences) - 1, _WHAT, "join", "no sentence follows the last one")
    return found, origins, done


def _edited(row: int, sentence: Sentence, edits: Sequence[Edit]) -> tuple[Sentence, list[Edit], list[int]]:
    """A sentence after all its edits, these with labels, and the places in it where sentences begin.

    This is what carries labels: an entity begins and ends where its first and last words, or what stands for them, are.
    """
    words: list[str] = []
    at = 0
    places: list[tuple[int, int]] = []
    for edit in edits:
        _check(row, sentence, edit, at)
        words += sentence.words[at : edit.start]
        places.append((len(words), len(words) + len(edit.words)))
        words += edit.words
        at = edit.end
    words += sentence.words[at:]
    growths = [(edit.start, edit.end, len(edit.words) - len(edit.replaced)) for edit in edits]
    entities = []
    for start, end, label in sentence.entities:
        moved = start + sum(growth for _, other, growth in growths if other <= start)
        # What is put in right behind an entity is no part of it.
        last = end + sum(growth for first, other, growth in growths if other <= end and first < end)
        if moved >= last:
            value = " ".join(sentence.words[start:end])
            raise DataError(row, _WHAT, repr(value), f"all words of the entity [{start}, {end}) {label} are dropped")
        entities.append((moved, last, label))
    spelled = labels.encode(entities, len(words))
    finished = [replace(edit, labels=tuple(spelled[a:b])) for edit, (a, b) in zip(edits, places, strict=True)]
    cuts = [
        a for edit, (a, _) in zip(edits, places, strict=True) if edit.is_border and edit.start < len(sentence.words)
    ]
    return Sentence(words, entities), finished, cuts


def _check(row: int, sentence: Sentence, edit: Edit, at: int) -> None:
    """That an edit is one of this sentence, behind those before it.

    Raises:
        DataError: it is not.
    """
    found = tuple(sentence.words[edit.start : edit.end])
    value = f"[{edit.start}, {edit.end})"
    if edit.end > len(sentence.words) or found != edit.replaced:
        raise DataError(row, _WHAT, value, f"expected the words {list(edit.replaced)}, the corpus has {list(found)}")
    if edit.start < at:
        raise DataError(row, _WHAT, value, "two edits overlap")
    for start, end, label in sentence.entities:
        if edit.start < start < edit.end or edit.start < end < edit.end:
            raise DataError(row, _WHAT, value, f"the edit reaches over a border of the entity [{start}, {end}) {label}")
        if edit.is_border and start < edit.start < end:
            raise DataError(row, _WHAT, value, f"a sentence would begin within the entity [{start}, {end}) {label}")
    if edit.is_border and edit.start == 0:
        raise DataError(row, _WHAT, value, "a sentence begins there already")


def _pieces(sentence: Sentence, cuts: Sequence[int]) -> list[Sentence]:
    """The parts of a sentence between cuts."""
    if not cuts:
        return [sentence]
    bounds = [0, *cuts, len(sentence.words)]
    return [
        Sentence(
            sentence.words[first:last],
            [(a - first, b - first, label) for a, b, label in sentence.entities if first <= a and b <= last],
        )
        for first, last in pairwise(bounds)
    ]


def _joined(first: Sentence, second: Sentence) -> Sentence:
    by = len(first.words)
    moved = [(start + by, end + by, label) for start, end, label in second.entities]
    return Sentence([*first.words, *second.words], [*first.entities, *moved])


def _table(corpus: Corpus, sentences: list[Sentence], origins: list[tuple[int, int]]) -> pa.Table:
    """The columns of a corpus whose words were edited."""
    rows = [row for row, _ in origins]
    is_missing = [row in corpus.missing and not one.words for row, one in zip(rows, sentences, strict=True)]
    lists = [None if null else one.words for null, one in zip(is_missing, sentences, strict=True)]
    tokens = pa.array(lists, schema.WORDS_TYPE)
    spans = [
        [{"start": start, "end": end, "label": label} for start, end, label in sentence.entities]
        for sentence in sentences
    ]
    encoded = labels.encode_batch(pa.array(spans, schema.SOURCE_ENTITIES_TYPE), tokens)
    others = corpus.others
    if rows != list(range(others.num_rows)):
        others = others.take(pa.array(rows, pa.int64()))
    columns: dict[str, Any] = {name: others[name] for name in others.schema.names if name != schema.ID}
    head: dict[str, Any] = {schema.TOKENS: tokens, schema.LABELS: encoded}
    if schema.ID in others.schema.names:
        own = others[schema.ID]
        head = {schema.ID: _ids(own.cast(pa.string()), origins) if any(part for _, part in origins) else own, **head}
    return pa.table({**head, **columns})


def _ids(own: pa.ChunkedArray[Any], origins: list[tuple[int, int]]) -> pa.Array[Any]:
    """Ids of the rows, those of parts that were cut off being told apart."""
    names = own.to_pylist()
    taken = {name for name, (_, part) in zip(names, origins, strict=True) if part == 0}
    found = []
    for name, (_, part) in zip(names, origins, strict=True):
        one = name
        if part and name is not None:
            one = f"{name}/{part + 1}"
            while one in taken:
                one += "'"
            taken.add(one)
        found.append(one)
    return pa.array(found, pa.string())


def edits_to_table(edits: Iterable[Edit]) -> pa.Table:
    """Edits as a table, a row each, with the columns of `EDITS_SCHEMA`."""
    names = EDITS_SCHEMA.names
    listed = list(edits)
    return pa.table({name: [getattr(edit, name) for edit in listed] for name in names}, schema=EDITS_SCHEMA)


def edits_from_table(edits: Sequence[Edit] | TableLike) -> list[Edit]:
    """Edits of a table of them, as `edits_to_table` makes it; a list or tuple of edits as it is.

    Raises:
        Error: a column is missing, or something else than edits.
        DataError: a row that is no edit.
    """
    if isinstance(edits, list | tuple):
        for one in edits:
            if not isinstance(one, Edit):
                raise Error(f"expected edits, found {type(one).__name__}")
        return list(edits)
    table = to_table(edits)
    needed = [name for name in EDITS_SCHEMA.names if name != schema.LABELS]
    schema.require_columns(table.schema, needed, "the table of edits")
    found = []
    for number, row in enumerate(table.select(needed).to_pylist()):
        for name, value in row.items():
            if value is None:
                raise DataError(number, name, "null", "an edit needs a value")
        row.update({name: tuple(row[name]) for name in ("replaced", "words")})
        found.append(Edit(**row))
    return found
