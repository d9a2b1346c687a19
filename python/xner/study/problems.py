"""Matching problems to be solved by several matchers: of the sentences of a corpus, and made up by size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from xner import candidates as spans
from xner import schema, scores
from xner.errors import Error

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import pyarrow as pa

    from xner.projection import Count

__all__ = ["CandidateSpans", "Problem", "corpus_problems", "synthetic_problem"]

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
    count: Count = "links",
    candidates: CandidateSpans = "ngram",
    max_words: int | None = None,
) -> Iterator[Problem]:
    """The problems of the rows that have source entities and links, by alignment score.

    Args:
        table: with `tokens`, `source_entities` and `links`.
        count: what the score counts, as in `xner.project`.
        candidates: `ngram`: every span; `aligned_ends`: spans whose first and last word are linked to an entity.
        max_words: longest candidate.

    Raises:
        Error: columns are missing, or links have no scores for `count="weighted"`.
        DataError: malformed spans or links.
    """
    schema.require_columns(table.schema, [schema.TOKENS, schema.SOURCE_ENTITIES, schema.LINKS], "the study")
    columns = table.select([schema.TOKENS, schema.SOURCE_ENTITIES, schema.LINKS]).to_pylist()
    for row, record in enumerate(columns):
        tokens, links = record[schema.TOKENS], record[schema.LINKS] or []
        entities = [(e["start"], e["end"], e["label"]) for e in record[schema.SOURCE_ENTITIES] or []]
        if not tokens or not entities or not links:
            continue
        if candidates == "ngram":
            wanted = spans.ngram(tokens, max_words=max_words)
        else:
            wanted = _linked_ends(entities, links, max_words)
        weights = [link.get("score") for link in links]
        if count == "weighted" and None in weights:
            raise Error(f"row {row}: the score 'weighted' needs links with scores")
        found = scores.alignment(
            tokens,
            entities,
            [(link["source"], link["target"]) for link in links],
            candidates=wanted,
            count=count,
            link_scores=weights if count == "weighted" else None,
        )
        place = {span: number for number, span in enumerate(wanted)}
        matrix = np.zeros((len(entities), len(wanted)))
        for pair in found:
            matrix[pair.entity, place[pair.start, pair.end]] = pair.score
        yield Problem(
            row,
            len(tokens),
            tuple(label for *_, label in entities),
            matrix,
            np.array(wanted, np.int32).reshape(-1, 2),
        )


def _linked_ends(
    entities: list[tuple[int, int, str]], links: list[dict[str, int]], max_words: int | None
) -> list[tuple[int, int]]:
    found = set()
    for start, end, _ in entities:
        words = sorted({link["target"] for link in links if start <= link["source"] < end})
        found |= {(a, b + 1) for a in words for b in words if a <= b and (max_words is None or b - a < max_words)}
    return sorted(found)


def synthetic_problem(words: int, entities: int, candidates: int, *, seed: int, longest: int = 8) -> Problem:
    """A made-up problem: every entity has its own candidates, spread over the whole sentence, with ties.

    Args:
        words: target words.
        entities: source entities.
        candidates: spans of each entity, at most; spans that are drawn twice count once.
        seed: of the draw.
        longest: span, in words.
    """
    draw = np.random.default_rng([words, entities, candidates, seed])
    lengths = draw.integers(1, min(longest, words) + 1, (entities, candidates))
    starts = (draw.random((entities, candidates)) * (words - lengths + 1)).astype(np.int64)
    pairs = np.stack([starts, starts + lengths], axis=-1).reshape(-1, 2)
    distinct, number = np.unique(pairs, axis=0, return_inverse=True)
    # Scores as alignment gives them: twice a few links over a few words.
    values = 2 * draw.integers(1, 5, number.shape) / draw.integers(2, 10, number.shape)
    matrix = np.zeros((entities, len(distinct)))
    matrix[np.repeat(np.arange(entities), candidates), number.reshape(-1)] = values.reshape(-1)
    return Problem(seed, words, ("X",) * entities, matrix, distinct.astype(np.int32))
