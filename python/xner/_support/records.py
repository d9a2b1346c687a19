"""Links, spans and entities of a sentence from callers, in whatever form they come, as tuples of Python's own values.

Each may be a tuple or a list, a mapping or an Arrow struct with the names of `xner.schema`, or an object that has them
as attributes, such as a `ProjectedEntity`; all of them together a list, any other iterable, a NumPy or an Arrow array.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from numbers import Real
from operator import index
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import numpy as np
import pyarrow as pa

from xner._support.arguments import LARGEST_INT32, words
from xner._support.arrow import as_arrow
from xner.errors import DataError, Error

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = [
    "EntitiesLike",
    "LinksLike",
    "ScoredSpansLike",
    "SpansLike",
    "entity_tuples",
    "items_of",
    "link_tuples",
    "scored_links",
    "scored_span",
    "scored_spans",
    "span_array",
    "span_tuples",
]

LinksLike: TypeAlias = "Iterable[Any] | pa.Array[Any] | pa.ChunkedArray[Any]"
"""`(source, target)`, `(source, target, score)`, or what has these names."""
SpansLike: TypeAlias = "Iterable[Any] | pa.Array[Any] | pa.ChunkedArray[Any]"
"""`(start, end)`, an integer array, spans x 2, or what has these names; entities are spans, too."""
EntitiesLike: TypeAlias = "Iterable[Any] | pa.Array[Any] | pa.ChunkedArray[Any]"
"""`(start, end, label)`, or what has these names."""
ScoredSpansLike: TypeAlias = "Iterable[Any] | pa.Array[Any] | pa.ChunkedArray[Any]"
"""`(source entity, start, end, score)`, what has the names `source` or `entity`, `start`, `end` and `score`; where
candidates are given, a NumPy array, entities x candidates."""


_PAIR = "expected a pair of whole numbers"


def link_tuples(column: str, links: LinksLike) -> list[tuple[int, int, float | None]]:
    """Links as `(source, target, score)`, the score None where a link has none.

    Args:
        column: their name in error messages.
        links: in any form.

    Raises:
        DataError: something else than a pair of whole numbers of at most 31 bits, or a score that is no number.
    """
    result = []
    for item in items_of(column, links):
        try:
            source, target, score = _three(_values(item, "source", "target", "score"))
            link = index(source), index(target), None if score is None else _number(score)
        except (TypeError, ValueError):
            reason = "expected a pair of whole numbers, source and target word, and perhaps a score"
            raise DataError(-1, column, repr(item), reason) from None
        _check_size(column, item, link[:2])
        result.append(link)
    return result


def scored_links(
    column: str, links: LinksLike, scores: Iterable[float] | None = None
) -> tuple[list[tuple[int, int]], list[float] | None]:
    """Links as `(source, target)`, and their scores, None unless every link has one.

    Args:
        column: their name in error messages.
        links: in any form.
        scores: one a link, where the links have none of their own.

    Raises:
        DataError: as in `link_tuples`.
        Error: scores that are no numbers, not one a link, or beside links that have their own.
    """
    found = link_tuples(column, links)
    pairs = [link[:2] for link in found]
    own = [score for *_, score in found if score is not None]
    if scores is None:
        return pairs, own if own and len(own) == len(pairs) else None
    if own:
        raise Error("link_scores beside links that have scores of their own")
    try:
        given = [_number(score) for score in scores]
    except TypeError as error:
        raise Error(f"link_scores={scores!r}: expected one number a link ({error})") from None
    if len(given) != len(pairs):
        raise Error(f"{len(given)} link scores for {len(pairs)} links")
    return pairs, given


def entity_tuples(column: str, entities: EntitiesLike) -> list[tuple[int, int, str]]:
    """Entities as `(start, end, label)`.

    Args:
        column: their name in error messages.
        entities: in any form.

    Raises:
        DataError: one is not of two whole numbers of at most 31 bits and a text.
    """
    result = []
    for item in items_of(column, entities):
        if _is_plain_entity(item):
            result.append(item)
            continue
        try:
            start, end, label = _values(item, "start", "end", "label")
        except (TypeError, ValueError):
            label = None
        if not isinstance(label, str):
            raise DataError(-1, column, repr(item), "expected (start, end, label)")
        if not label.isascii():
            words(column, [label])
        result.append((*_span(column, item, start, end), label))
    return result


def _is_plain_entity(item: Any) -> TypeGuard[tuple[int, int, str]]:
    """Whether an entity is in the form that is kept, as nearly all are: nothing is left to look at."""
    if type(item) is not tuple or len(item) != 3:
        return False
    start, end, label = item
    return (
        type(start) is int
        and type(end) is int
        and type(label) is str
        and 0 <= start <= LARGEST_INT32
        and 0 <= end <= LARGEST_INT32
        and label.isascii()
    )


def span_tuples(column: str, spans: SpansLike) -> list[tuple[int, int]]:
    """Spans as `(start, end)`; those of entities, without their labels.

    Args:
        column: their name in error messages.
        spans: in any form.

    Raises:
        DataError: something else than a pair of whole numbers of at most 31 bits.
    """
    result = []
    for item in items_of(column, spans):
        try:
            start, end, label = _three(_values(item, "start", "end"))
        except (TypeError, ValueError):
            start = end = label = None
        if label is not None and not isinstance(label, str):
            raise DataError(-1, column, repr(item), _PAIR)
        result.append(_span(column, item, start, end))
    return result


def span_array(column: str, spans: SpansLike, length: int | None = None) -> npt.NDArray[np.int32]:
    """Spans as an array, spans x 2.

    Args:
        column: their name in error messages.
        spans: in any form.
        length: number of words of the sentence; None for any.

    Raises:
        DataError: something else than a pair of whole numbers, or a span that is empty or outside the sentence.
    """
    array = _plain_array(spans)
    if array is None:
        array = np.array(span_tuples(column, spans), np.int64).reshape(-1, 2)
    if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind not in "iu":
        raise DataError(-1, column, f"{array.dtype} array of shape {array.shape}", "expected integers, spans x 2")
    most = LARGEST_INT32 if length is None else length
    wrong = (array[:, 0] < 0) | (array[:, 0] >= array[:, 1]) | (array[:, 1] > most)
    if wrong.any():
        at = int(np.argmax(wrong))
        start, end = array[at].tolist()
        where = f"number {at} is not one" if length is None else f"of a sentence of {length} words"
        separator = ", " if length is None else " "
        raise DataError(-1, column, f"[{start}, {end})", f"expected a non-empty span{separator}{where}")
    return np.ascontiguousarray(array, dtype=np.int32)


def scored_span(item: object) -> tuple[int, int, int, float]:
    """A source entity and a target span with their score, as `(entity, start, end, score)`.

    Raises:
        TypeError: something else.
        ValueError: likewise.
    """
    if type(item) is tuple:
        entity, start, end, score = item
    elif (named := _named(item, "start", "end", "score", "entity", "source")) is not None:
        start, end, score, entity, source = named
        entity = source if entity is None else entity
    else:
        entity, start, end, score = _unnamed(item)
    return index(entity), index(start), index(end), score if type(score) is float else _number(score)


def scored_spans(
    column: str, scores: ScoredSpansLike, candidates: Sequence[tuple[int, int]]
) -> list[tuple[int, int, int, float]]:
    """Scores of source entities and target spans as `(entity, start, end, score)`.

    Args:
        column: their name in error messages.
        scores: in any form; of a NumPy array, entities x candidates, zeros are left out.
        candidates: `(start, end)`, for such an array.

    Raises:
        DataError: something else.
    """
    if isinstance(scores, np.ndarray) and scores.dtype.names is None:
        if scores.ndim != 2 or scores.shape[1] != len(candidates):
            expected = f"an array, entities x {len(candidates)} candidates"
            raise DataError(-1, column, f"array of shape {scores.shape}", f"expected {expected}")
        return [(e, *candidates[c], float(scores[e, c])) for e, c in zip(*scores.nonzero(), strict=True)]
    result = []
    for item in items_of(column, scores):
        try:
            found = scored_span(item)
        except (TypeError, ValueError):
            raise DataError(-1, column, repr(item), "expected (source entity, start, end, score)") from None
        entity, start, end, _ = found
        if not 0 <= entity <= LARGEST_INT32 or max(abs(start), abs(end)) > LARGEST_INT32:
            raise DataError(-1, column, repr(item), "expected whole numbers of at most 31 bits, the entity from 0 on")
        result.append(found)
    return result


def items_of(column: str, items: Any) -> Iterable[Any]:
    """What a sequence of records holds.

    Raises:
        DataError: it is no sequence.
    """
    if isinstance(items, list | tuple | np.ndarray):
        return items
    array = as_arrow(items)
    if array is not None:
        items = array.to_pylist()
    if isinstance(items, str | bytes | Mapping) or not isinstance(items, Iterable):
        raise DataError(-1, column, repr(items)[:60], f"expected a sequence, found {type(items).__name__}")
    return items


def _values(item: Any, *names: str) -> Sequence[Any]:
    """A record's values: those of these names where it has names, else all in order.

    Raises:
        TypeError: it is no record.
    """
    named = None if type(item) is tuple else _named(item, *names)
    return _unnamed(item) if named is None else named


def _named(item: Any, *names: str) -> list[Any] | None:
    """The values of these names, None for a missing one; None alone for what has not the first two."""
    if isinstance(item, pa.StructScalar):
        item = item.as_py()
    if isinstance(item, np.void) and item.dtype.names is not None:
        item = dict(zip(item.dtype.names, item.item(), strict=True))
    if isinstance(item, Mapping):
        return [item.get(name) for name in names]
    if hasattr(item, names[0]) and hasattr(item, names[1]):
        return [getattr(item, name, None) for name in names]
    return None


def _unnamed(item: Any) -> Sequence[Any]:
    """A record's values in order.

    Raises:
        TypeError: it has no order.
    """
    if isinstance(item, tuple | list):
        return item
    if isinstance(item, str | bytes | Set):
        raise TypeError
    return list(item)


def _three(values: Sequence[Any]) -> Sequence[Any]:
    """Two or three values, the third of two being None."""
    return [*values, None] if len(values) == 2 else values


def _number(value: Any) -> float:
    if isinstance(value, pa.Scalar):
        value = value.as_py()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _span(column: str, item: object, start: Any, end: Any) -> tuple[int, int]:
    try:
        span = index(start), index(end)
    except TypeError:
        raise DataError(-1, column, repr(item), _PAIR) from None
    _check_size(column, item, span)
    return span


def _check_size(column: str, item: object, pair: tuple[int, int]) -> None:
    if max(abs(pair[0]), abs(pair[1])) > LARGEST_INT32:
        raise DataError(-1, column, repr(item), "expected whole numbers of at most 31 bits")


def _plain_array(spans: Any) -> npt.NDArray[Any] | None:
    """Spans that are an array, or become one at once; None for those that need a closer look."""
    if isinstance(spans, np.ndarray) and spans.dtype.names is None:
        return spans.reshape(0, 2).astype(np.int32) if spans.size == 0 else spans
    if not isinstance(spans, list | tuple):
        return None
    try:
        array = np.asarray(spans)
    except (ValueError, OverflowError):
        return None
    return array if array.ndim == 2 and array.shape[1] == 2 and array.dtype.kind in "iu" else None
