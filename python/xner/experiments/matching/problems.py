"""Matching problems to be solved by several matchers: of the sentences of a corpus, and made up by size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np

from xner import schema
from xner.errors import Error
from xner.projection._sentence_pair import scored_rows
from xner.projection.fusion import parse_score
from xner.projection.options import Count, ProjectionOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import pyarrow as pa

__all__ = ["CandidateSpans", "Problem", "Size", "corpus_problems", "synthetic_problem"]

CandidateSpans = Literal["ngram", "aligned_ends"]


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """One sentence pair's matching problem.

    Attributes:
        row: of the corpus, or the number of a made-up one.
        words: target words.
        labels: the class of each source entity.
        scores: (entities × candidates) float64; 0 where a pair cannot be chosen.
        candidates: (candidates × 2) int32, half-open spans of target words.
    """

    row: int
    words: int
    labels: tuple[str, ...]
    scores: npt.NDArray[np.float64]
    candidates: npt.NDArray[np.int32]

    @property
    def entities(self) -> int:
        """The number of source entities."""
        return len(self.labels)


def corpus_problems(
    table: pa.Table,
    *,
    score: str = "links",
    candidates: CandidateSpans = "ngram",
    min_words: int = 1,
    max_words: int | None = None,
) -> Iterator[Problem]:
    """The problems of the rows that have source entities and pairs with a score.

    Args:
        table: with `tokens`, `source_entities`, and what the score needs: `links`, ...; see `xner.Projector`.
        score: `links`, `words` or `weighted`: the alignment score, by what it counts; or a sum of scores: a name of
            `xner.fusion.SUMS`, or weights as `align=1,characters=0.5`.
        candidates: `ngram`: every span; `aligned_ends`: spans whose first and last word are linked to an entity.
        min_words: shortest candidate.
        max_words: longest candidate; None for no limit.

    Raises:
        Error: an unknown score; lengths that are none; columns are missing, or links have no scores for `weighted`.
        DataError: malformed spans or links.
    """
    chosen: dict[str, Any] = {"candidates": candidates, "min_words": min_words, "max_words": max_words}
    if score in get_args(Count):
        options = ProjectionOptions(count=cast("Count", score), **chosen)
    else:
        options = ProjectionOptions(score=parse_score(score), **chosen)
    for row, record, pairs in scored_rows(table, options):
        classes = tuple(entity["label"] for entity in record[schema.SOURCE_ENTITIES] or ())
        wanted = sorted({(start, end) for _, start, end, _ in pairs})
        if not wanted:
            continue
        place = {span: number for number, span in enumerate(wanted)}
        matrix = np.zeros((len(classes), len(wanted)))
        for entity, start, end, value in pairs:
            matrix[entity, place[start, end]] = value
        yield Problem(row, len(record[schema.TOKENS]), classes, matrix, np.array(wanted, np.int32).reshape(-1, 2))


@dataclass(frozen=True, slots=True)
class Size:
    """How large made-up problems are.

    Attributes:
        words: target words.
        entities: source entities.
        candidates: spans of each entity, at most: with the words, how dense the problem is.
    """

    words: int
    entities: int
    candidates: int

    @classmethod
    def parse(cls, text: str) -> Size:
        """Reads `25x5x40`: words, entities, candidates of each.

        Raises:
            Error: something else, or a number below 1.
        """
        found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)x([1-9]\d*)", text.strip())
        if found is None:
            raise Error(f"size {text!r}: expected WORDSxENTITIESxCANDIDATES, such as 25x5x40")
        return cls(*map(int, found.groups()))

    @property
    def spelled(self) -> str:
        """What `parse` reads."""
        return f"{self.words}x{self.entities}x{self.candidates}"

    def __str__(self) -> str:
        return f"{self.words} words, {self.entities} entities, {self.candidates} candidates each"


def synthetic_problem(size: Size, *, seed: int, longest: int = 8) -> Problem:
    """A made-up problem: every entity has its own candidates, spread over the whole sentence, with ties.

    Args:
        size: of the problem; spans that are drawn twice count once.
        seed: of the draw.
        longest: span, in words.
    """
    words, entities = size.words, size.entities
    draw = np.random.default_rng([words, entities, size.candidates, seed])
    lengths = draw.integers(1, min(longest, words) + 1, (entities, size.candidates))
    starts = (draw.random((entities, size.candidates)) * (words - lengths + 1)).astype(np.int64)
    pairs = np.stack([starts, starts + lengths], axis=-1).reshape(-1, 2)
    distinct, number = np.unique(pairs, axis=0, return_inverse=True)
    # Scores as alignment gives them: twice a few links over a few words.
    values = 2 * draw.integers(1, 5, number.shape) / draw.integers(2, 10, number.shape)
    matrix = np.zeros((entities, len(distinct)))
    matrix[np.repeat(np.arange(entities), size.candidates), number.reshape(-1)] = values.reshape(-1)
    return Problem(seed, words, ("X",) * entities, matrix, distinct.astype(np.int32))
