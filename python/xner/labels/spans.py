"""Word labels (IOB1, IOB2, BIOES, BILOU, BMEWO, plain classes) to entity spans and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

import xner._core as _core
from xner import schema
from xner._layouts import plain
from xner._support.arguments import choose, whole_number, words
from xner._support.arrow import as_arrow, from_core, pylist
from xner._support.records import entity_tuples
from xner._support.sentences import to_arrow, without_dictionary
from xner.errors import DataError
from xner.labels.tags import OUTSIDE, canonical_labels, has_prefix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xner._support.records import EntitiesLike
    from xner._support.sentences import Sentences

__all__ = ["Reading", "Scheme", "decode", "decode_batch", "encode", "encode_batch"]

Scheme = Literal["IOB1", "IOB2", "BIOES"]
Reading = Literal["lenient", "strict", "validate"]

_SCHEMES = {"IOB1": _core.Scheme.IOB1, "IOB2": _core.Scheme.IOB2, "BIOES": _core.Scheme.BIOES}
_READINGS = {
    "lenient": _core.Reading.lenient,
    "strict": _core.Reading.strict,
    "validate": _core.Reading.validate,
}


def decode(
    labels: Sequence[str], *, scheme: Scheme = "IOB2", reading: Reading = "lenient"
) -> list[tuple[int, int, str]]:
    """Read the entities that the labels of one sentence spell.

    Args:
        labels: one label a word: texts, or an Arrow or NumPy array of them.
        scheme: what `strict` and `validate` hold the labels to; `lenient` reads all three alike.
        reading: `lenient` reads any sequence by conlleval's rules, the default of seqeval: `I-PER` after `O` begins an
            entity, and so does a label without a prefix (`PER`); spellings such as `PER-B` and `B_PER` are told from
            all labels together, see `xner.labels.tags`. `strict` counts only what the
            scheme allows. `validate` raises on what it does not allow.

    Returns:
        `(start, end, label)` in word indices, half-open, left to right.

    Raises:
        DataError: an empty label; with `strict` or `validate` a label that the scheme does not know; with `validate` a
            label where the scheme does not allow it.

    Source: Tjong Kim Sang, De Meulder 2003 (the CoNLL-2003 shared task's scorer).
    """
    texts = words("labels", labels)
    if reading == "lenient" and not all(tag == OUTSIDE or (has_prefix(tag) and tag[2:] != OUTSIDE) for tag in texts):
        texts = pylist(canonical_labels([texts], schema.LABELS))[0]
    return _core.decode_labels(
        texts,
        scheme=choose("scheme", scheme, _SCHEMES),
        reading=choose("reading", reading, _READINGS),
    )


def decode_batch(
    labels: Sentences,
    *,
    scheme: Scheme = "IOB2",
    reading: Reading = "lenient",
    column: str = schema.LABELS,
    threads: int = 0,
) -> pa.ListArray[Any]:
    """`decode` for every row of a column of labels.

    Args:
        labels: lists of labels, or an Arrow array of list<string>, chunked or not, with any layout; a null row reads as
            a sentence without entities.
        scheme: as in `decode`.
        reading: as in `decode`.
        column: what errors call the array.
        threads: 0 for one a core.

    Returns:
        list<struct<start: int32, end: int32, label: string>>, one list a row.

    Raises:
        DataError: as in `decode`, with the row, or something else than lists of labels.
    """
    lists = canonical_labels(labels, column) if reading == "lenient" else without_dictionary(to_arrow(labels, column))
    array = _core.decode_label_lists(
        lists,
        column=column,
        scheme=choose("scheme", scheme, _SCHEMES),
        reading=choose("reading", reading, _READINGS),
        threads=threads,
    )
    return from_core(array)


def encode(entities: EntitiesLike, length: int) -> list[str]:
    """Write entities as IOB2 labels.

    Args:
        entities: `(start, end, label)`, or what has these names (dictionaries, `ProjectedEntity`, a row of a column of
            entities), in any order; spans must not overlap.
        length: number of words.

    Returns:
        `length` labels, always valid IOB2.

    Raises:
        DataError: something else than an entity, a span outside the sentence, an overlap, or an empty label.
    """
    labels = ["O"] * whole_number("length", length, 0)
    for start, end, label in entity_tuples("entities", entities):
        value = f"[{start}, {end})"
        if not 0 <= start < end <= length:
            raise DataError(-1, "entities", value, f"the span is outside the sentence, which has {length} words")
        if not label:
            raise DataError(-1, "entities", value, "the entity has no label")
        if labels[start:end].count("O") != end - start:
            raise DataError(-1, "entities", value, "the span overlaps another entity of the sentence")
        labels[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
    return labels


def encode_batch(
    entities: Iterable[EntitiesLike | None] | pa.Array[Any] | pa.ChunkedArray[Any],
    tokens: Sentences,
    *,
    column: str = schema.ENTITIES,
    threads: int = 0,
) -> pa.ListArray[Any]:
    """`encode` for every row.

    Args:
        entities: an Arrow array of list<struct<start, end, label, ...>>, chunked or not, or rows of entities in any
            form that `encode` takes; a missing row has none.
        tokens: as many rows of words; or any Arrow array of lists, which give the number of words of each row.
        column: what errors call `entities`.
        threads: 0 for one a core.

    Returns:
        list<string>: IOB2 labels, one a word.

    Raises:
        DataError: as in `encode`, with the row.
        Error: an Arrow array of another type, or different numbers of rows.
    """
    array = as_arrow(entities)
    lists = _entity_lists(entities, column) if array is None else array
    words = as_arrow(tokens)
    encoded = _core.encode_label_lists(
        schema.conform_column(lists, schema.SOURCE_ENTITIES, column),
        to_arrow(tokens, schema.TOKENS) if words is None else plain(words),
        column=column,
        threads=threads,
    )
    return from_core(encoded)


def _entity_lists(rows: Any, column: str) -> pa.Array[Any]:
    """Rows of entities as an Arrow array."""
    if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
        raise DataError(-1, column, repr(rows)[:60], "expected the entities of each sentence")
    lists: list[list[dict[str, Any]]] = []
    for number, row in enumerate(rows):
        try:
            found = [] if row is None else entity_tuples(column, row)
        except DataError as error:
            raise DataError(number, column, error.value, error.reason) from None
        lists.append([{"start": start, "end": end, "label": label} for start, end, label in found])
    return pa.array(lists, schema.SOURCE_ENTITIES_TYPE)
