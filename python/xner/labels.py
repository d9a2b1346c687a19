"""Word labels (IOB1, IOB2, BIOES) to entity spans and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pyarrow as pa

import xner._core as _core
from xner import schema
from xner._support.arguments import choose, whole_number, words
from xner._support.sentences import to_arrow, without_dictionary
from xner.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


def decode(labels: Sequence[str], *, scheme: Scheme = "IOB2", mode: Reading = "lenient") -> list[tuple[int, int, str]]:
    """Read the entities that the labels of one sentence spell.

    Args:
        labels: one label a word.
        scheme: what `strict` and `validate` hold the labels to; `lenient` reads all three alike.
        mode: `lenient` reads any sequence by conlleval's rules, the default of seqeval: `I-PER` after `O` begins an
            entity, and so does a label without a prefix (`PER`). `strict` counts only what the
            scheme allows. `validate` raises on what it does not allow.

    Returns:
        `(start, end, label)` in word indices, half-open, left to right.

    Raises:
        DataError: an empty label; with `strict` or `validate` a label that the scheme does not know; with `validate` a
            label where the scheme does not allow it.

    Source: Tjong Kim Sang, De Meulder 2003 (the CoNLL-2003 shared task's scorer).
    """
    return _core.decode_labels(
        words("labels", labels), scheme=choose("scheme", scheme, _SCHEMES), reading=choose("mode", mode, _READINGS)
    )


def decode_batch(
    labels: Sentences,
    *,
    scheme: Scheme = "IOB2",
    mode: Reading = "lenient",
    column: str = schema.LABELS,
    threads: int = 0,
) -> pa.ListArray:
    """`decode` for every row of a column of labels.

    Args:
        labels: lists of labels, or an Arrow array of list<string>, chunked or not, with any layout; a null row reads as
            a sentence without entities.
        scheme: as in `decode`.
        mode: as in `decode`.
        column: what errors call the array.
        threads: 0 for one a core.

    Returns:
        list<struct<start: int32, end: int32, label: string>>, one list a row.

    Raises:
        DataError: as in `decode`, with the row, or something else than lists of labels.
    """
    array = _core.decode_label_lists(
        without_dictionary(to_arrow(labels, column)),
        column=column,
        scheme=choose("scheme", scheme, _SCHEMES),
        reading=choose("mode", mode, _READINGS),
        threads=threads,
    )
    return pa.array(array)


def encode(entities: Iterable[tuple[int, int, str]], length: int) -> list[str]:
    """Write entities as IOB2 labels.

    Args:
        entities: `(start, end, label)` in any order; spans must not overlap.
        length: number of words.

    Returns:
        `length` labels, always valid IOB2.

    Raises:
        DataError: a span outside the sentence, an overlap, or an empty label.
    """
    labels = ["O"] * whole_number("length", length, 0)
    for start, end, label in entities:
        value = f"[{start}, {end})"
        if not 0 <= start < end <= length:
            raise DataError(-1, "entities", value, f"the span is outside the sentence, which has {length} words")
        if not label:
            raise DataError(-1, "entities", value, "the entity has no label")
        if any(tag != "O" for tag in labels[start:end]):
            raise DataError(-1, "entities", value, "the span overlaps another entity of the sentence")
        labels[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
    return labels


def encode_batch(
    entities: pa.Array, tokens: pa.Array, *, column: str = schema.ENTITIES, threads: int = 0
) -> pa.ListArray:
    """`encode` for every row.

    Args:
        entities: list<struct<start: int32, end: int32, label: string, ...>>.
        tokens: any list array of the same length; gives the number of words of each row.
        column: what errors call `entities`.
        threads: 0 for one a core.

    Returns:
        list<string>: IOB2 labels, one a word.

    Raises:
        DataError: as in `encode`, with the row.
    """
    return pa.array(_core.encode_label_lists(entities, tokens, column=column, threads=threads))
