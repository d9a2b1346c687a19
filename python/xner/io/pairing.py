"""Two corpora that belong together but are not in the same order, joined by id, text, similarity or a list of pairs."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np

from xner import schema
from xner._support.arguments import number
from xner._support.arrow import pylist
from xner.errors import DataError, Error, OptionError
from xner.io.parallel import are_row_numbers
from xner.io.sentence_alignment import align_sentences

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    import pyarrow as pa

__all__ = ["PAIRED_BY", "PairedBy", "Pairing", "fold_text", "pair"]

PairedBy = Literal["id", "text", "similarity"]
PAIRED_BY: Final[tuple[PairedBy, ...]] = get_args(PairedBy)

_SHOWN = 5
_SURE = 0.9


@dataclass(frozen=True, slots=True)
class Pairing:
    """Which rows of two tables belong together.

    Attributes:
        pairs: `(row of the first, row of the second)`, in the order of the first.
        alone: of either table, the rows that have no partner.
        twice: keys that are in a table more than once, with their number there; their rows are paired in order.
        scores: of pairs by similarity, how sure each is, from 0 to 1; None for others.
        least_score: that they had to reach.
        unsure: of the first table, the rows that probably have a partner, but no one that reaches it.
        unused: pairs of a list that have paired nothing: they name what is not there, or was paired before.
    """

    pairs: list[tuple[int, int]]
    alone: tuple[list[int], list[int]]
    twice: tuple[dict[str, int], dict[str, int]]
    scores: list[float] | None = None
    least_score: float = 0.0
    unsure: tuple[int, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"<Pairing: {len(self.pairs)} pairs, {len(self.alone[0])} and {len(self.alone[1])} rows alone>"

    def lines(self, names: tuple[str, str]) -> Iterator[str]:
        """What there is to say, of tables with these names."""
        if self.scores:
            doubtful = sum(one < _SURE for one in self.scores)
            mean = sum(self.scores) / len(self.scores)
            yield f"{len(self.pairs)} pairs, mean score {mean:.3f}, {doubtful} of them below {_SURE}"
        else:
            yield f"{len(self.pairs)} pairs"
        rows = min(len(self.pairs) + len(alone) for alone in self.alone)
        if self.scores is not None and 2 * len(self.pairs) < rows:
            yield (
                "that is less than half of the rows: similarity finds pairs in files of (mostly) the same order alone; "
                "look at some before you trust them"
            )
        if self.unused:
            more = ", ..." if len(self.unused) > _SHOWN else ""
            shown = ", ".join(f"{one[:40]!r} and {other[:40]!r}" for one, other in self.unused[:_SHOWN])
            why = "one side is not there, or was paired before"
            yield f"{len(self.unused)} pairs of the list pair nothing: {why}: {shown}{more}"
        if self.unsure:
            more = ", ..." if len(self.unsure) > _SHOWN else ""
            yield (
                f"{names[0]}: {len(self.unsure)} rows without a partner probably have one, but none with a score of "
                f"{self.least_score:g} or more: {', '.join(map(str, self.unsure[:_SHOWN]))}{more}"
            )
        for name, alone, twice in zip(names, self.alone, self.twice, strict=True):
            if alone:
                more = ", ..." if len(alone) > _SHOWN else ""
                yield f"{name}: {len(alone)} rows without a partner: {', '.join(map(str, alone[:_SHOWN]))}{more}"
            if twice:
                more = ", ..." if len(twice) > _SHOWN else ""
                shown = ", ".join(f"{key[:40]!r} {count} times" for key, count in list(twice.items())[:_SHOWN])
                yield f"{name}: {len(twice)} keys are there more than once, and are paired in order: {shown}{more}"


def fold_text(words: Sequence[str] | str) -> str:
    """A sentence's letters and digits alone, in one case: what stays of it however it is cut into words."""
    text = unicodedata.normalize("NFKC", words if isinstance(words, str) else "".join(words)).casefold()
    return "".join(letter for letter in text if unicodedata.category(letter)[0] in "LNM")


def pair(
    first: pa.Table,
    second: pa.Table,
    *,
    on: PairedBy | Sequence[tuple[str, str]] = "id",
    least_score: float = 0.5,
    names: tuple[str, str] = ("the first table", "the second table"),
) -> Pairing:
    """Which rows of two tables of sentences belong together.

    Args:
        first: with `tokens`, and `id` where that is needed.
        second: likewise.
        on: `id`; `text`, the same sentence on both sides, letters and digits folded; `similarity`, for two languages:
            sentences in mostly the same order, by their lengths and words (`xner.io.sentence_alignment`); or pairs of
            what is in the first and in the second table, ids or texts.
        least_score: of pairs by similarity: how sure they are to belong together, a probability, at least 0.5.
        names: of the tables, for messages.

    Raises:
        OptionError: an unknown way, or a least score out of its range.
        DataError: a row without an id.
        Error: a column that is missing; ids that are no more than the rows' numbers on both sides.
    """
    keys: tuple[list[Hashable], list[Hashable]]
    if isinstance(on, str):
        if on not in PAIRED_BY:
            raise OptionError(f"on={on!r}: expected one of {', '.join(map(repr, PAIRED_BY))}, or pairs")
        if on == "similarity":
            return _by_similarity(first, second, least_score, names)
        keys = _keys(first, on, names[0]), _keys(second, on, names[1])
        if on == "id" and all(are_row_numbers(side) for side in keys):
            raise OptionError(
                f"on='id': the ids of '{names[0]}' and '{names[1]}' are the numbers of their rows, as where files name "
                "none; that does not tell which rows belong together: on='similarity', 'text', or pairs"
            )
    else:
        keys = _listed(first, second, on)
    places: dict[Hashable, list[int]] = defaultdict(list)
    for row, key in enumerate(keys[1]):
        if key is not None:
            places[key].append(row)
    left = {key: iter(rows) for key, rows in places.items()}
    pairs = []
    for row, key in enumerate(keys[0]):
        partner = next(left.get(key, iter(())), None) if key is not None else None
        if partner is not None:
            pairs.append((row, partner))
    taken = {one for one, _ in pairs}, {other for _, other in pairs}
    alone = [[row for row in range(len(side)) if row not in rows] for side, rows in zip(keys, taken, strict=True)]
    used = {keys[0][one] for one, _ in pairs}
    unused = () if isinstance(on, str) else tuple(both for place, both in enumerate(on) if place not in used)
    return Pairing(pairs, (alone[0], alone[1]), (_repeated(keys[0]), _repeated(keys[1])), unused=unused)


def _by_similarity(first: pa.Table, second: pa.Table, least_score: float, names: tuple[str, str]) -> Pairing:
    least = number("least_score", least_score, "from 0.5 to 1", lambda value: 0.5 <= value <= 1)
    sides = []
    for table, name in zip((first, second), names, strict=True):
        schema.require_columns(table.schema, [schema.TOKENS], f"'{name}'")
        sides.append([[word for word in words or () if word] for words in pylist(table[schema.TOKENS])])
    found = align_sentences(sides[0], sides[1], least_score=least)
    alone = [
        np.setdiff1d(np.arange(len(side)), rows).tolist()
        for side, rows in zip(sides, (found.first, found.second), strict=True)
    ]
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    return Pairing(pairs, (alone[0], alone[1]), ({}, {}), found.scores.tolist(), least, tuple(found.unsure.tolist()))


def _keys(table: pa.Table, on: PairedBy, name: str) -> list[Hashable]:
    schema.require_columns(table.schema, [schema.ID if on == "id" else schema.TOKENS], f"'{name}'")
    if on == "text":
        return [fold_text(words or ()) or None for words in pylist(table[schema.TOKENS])]
    ids = pylist(table[schema.ID])
    for row, one in enumerate(ids):
        if one is None:
            raise DataError(row, schema.ID, "null", f"'{name}' has no id for this row")
    return [str(one) for one in ids]


def _listed(
    first: pa.Table, second: pa.Table, pairs: Sequence[tuple[str, str]]
) -> tuple[list[Hashable], list[Hashable]]:
    """For each row of the tables the number of the pair that names it, by id or by text."""
    sides = [_spelled(table, [both[side] for both in pairs]) for side, table in enumerate((first, second))]
    there = [set(rows) for rows, _ in sides]
    if not any(key in known for known, (_, keys) in zip(there, sides, strict=True) for key in keys):
        raise Error("no pair of the list names an id or a sentence of the tables")
    # Those of which one side is missing take no row from others.
    whole = [place for place in range(len(pairs)) if all(sides[side][1][place] in there[side] for side in (0, 1))]
    found: list[list[Hashable]] = []
    for rows, keys in sides:
        places: dict[str, list[int]] = defaultdict(list)
        for place in whole:
            places[keys[place]].append(place)
        left = {key: iter(some) for key, some in places.items()}
        found.append([next(left.get(row, iter(())), None) if row else None for row in rows])
    return found[0], found[1]


def _spelled(table: pa.Table, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The rows' ids and these names, or the rows' texts and these names folded: whatever more rows and names share."""
    schema.require_columns(table.schema, [schema.TOKENS], "the tables")
    ways = [([fold_text(words or ()) for words in pylist(table[schema.TOKENS])], list(map(fold_text, names)))]
    if schema.ID in table.schema.names:
        ways.insert(0, (list(map(str, pylist(table[schema.ID]))), list(names)))
    return max(ways, key=lambda way: len(set(way[0]) & set(way[1])))


def _repeated(keys: list[Hashable]) -> dict[str, int]:
    counts: dict[Hashable, int] = defaultdict(int)
    for key in keys:
        if key is not None:
            counts[key] += 1
    return {str(key): count for key, count in counts.items() if count > 1}
