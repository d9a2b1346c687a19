"""Sentence pairs as the core takes them for single calls, from plain lists and from rows of a table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import xner._core as _core
from xner import schema
from xner._support.arguments import whole_number, words
from xner._support.records import entity_tuples, scored_links, scored_spans, span_tuples
from xner.errors import DataError, Error
from xner.projection.options import HINT_COLUMNS, ProjectionOptions
from xner.text.normalization import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from xner._support.records import EntitiesLike, LinksLike, ScoredSpansLike, SpansLike

__all__ = [
    "columns_of",
    "pair_of_row",
    "scored_rows",
    "sentence_pair",
]


def sentence_pair(
    target_tokens: Sequence[str],
    source_entities: EntitiesLike,
    links: LinksLike,
    options: ProjectionOptions,
    *,
    candidates: SpansLike = (),
    link_scores: Iterable[float] | None = None,
    source_length: int | None = None,
    source_tokens: Sequence[str] | None = None,
    ner_probabilities: npt.ArrayLike | None = None,
    hints: ScoredSpansLike = (),
    nmt_scores: ScoredSpansLike = (),
) -> _core.SentencePair:
    """One sentence pair as the core takes it: checked for shape, not yet for range.

    Raises:
        DataError: an entity, link, candidate or score is not of the form that `project` documents.
        Error: words as one string, scores that do not go with what they are for, or something that the score needs
            and is missing.
    """
    tokens = words("tokens", target_tokens)
    pairs, scores = scored_links("links", links, link_scores)
    spans = span_tuples("candidates", candidates)
    if options.count == "weighted" and scores is None and pairs:
        raise Error("count='weighted' needs link_scores")
    source = None if source_tokens is None else words("source_tokens", source_tokens)
    if source is not None and source_length not in {None, len(source)}:
        raise Error(f"source_length={source_length} but there are {len(source)} source_tokens")
    if source is not None:
        source_length = len(source)
    uses_characters = "characters" in options.weights
    if uses_characters and source is None:
        raise Error(f"{options.shown_score} needs source_tokens")
    return _core.SentencePair(
        tokens=tokens,
        entities=entity_tuples("source_entities", source_entities),
        links=pairs,
        link_scores=scores or [],
        candidates=spans,
        source_words=-1 if source_length is None else whole_number("source_length", source_length, 0),
        hints=_weighted("hints", hints, spans, options) + _weighted("nmt_scores", nmt_scores, spans, options),
        probabilities=_word_probabilities(ner_probabilities, len(tokens), options),
        source_text=[normalize(word) for word in source or ()] if uses_characters else [],
        target_text=[normalize(word) for word in tokens] if uses_characters else [],
    )


def _weighted(
    column: str, scores: ScoredSpansLike, candidates: list[tuple[int, int]], options: ProjectionOptions
) -> list[tuple[int, int, int, float]]:
    """Scores from elsewhere, with their weight in the sum."""
    weight = {column: options.weights.get(name, 0.0) for name, column in HINT_COLUMNS.items()}[column]
    if not weight:
        return []
    return [
        (entity, start, end, weight * score) for entity, start, end, score in scored_spans(column, scores, candidates)
    ]


def _word_probabilities(
    probabilities: npt.ArrayLike | None, target_words: int, options: ProjectionOptions
) -> npt.NDArray[np.float32]:
    """Words x labels where the score needs them, else nothing."""
    if not options.weights.keys() & {"ner", "ner_spans"}:
        return np.zeros(0, np.float32)
    if probabilities is None or options.ner_labels is None:
        raise Error(f"{options.shown_score} needs ner_probabilities and ner_labels")
    array = np.ascontiguousarray(probabilities, dtype=np.float32)
    shape = (target_words, len(options.ner_labels))
    if array.shape != shape and (target_words or array.size):
        raise Error(f"expected ner_probabilities of the shape {shape} (words, labels), found {array.shape}")
    return array


def pair_of_row(row: Mapping[str, Any], options: ProjectionOptions) -> _core.SentencePair:
    """A row of a batch as single calls take it; the row has been projected, so that it is known to be sound."""

    def tuples(column: str) -> list[tuple[Any, ...]]:
        return [tuple(item.values()) for item in row.get(column) or ()]

    links = row.get(schema.LINKS) or ()
    scores = [link.get("score") for link in links]
    return sentence_pair(
        row[schema.TOKENS],
        [tuple_[:3] for tuple_ in tuples(schema.SOURCE_ENTITIES)],
        [(link["source"], link["target"]) for link in links],
        options,
        candidates=tuples(schema.CANDIDATES),
        link_scores=None if None in scores else scores,
        source_tokens=row.get(schema.SOURCE_TOKENS),
        ner_probabilities=row.get(schema.NER_PROBABILITIES),
        hints=tuples(schema.HINTS),
        nmt_scores=tuples(schema.NMT_SCORES),
    )


def columns_of(options: ProjectionOptions) -> tuple[list[str], list[str]]:
    """Columns that projection needs, and those that it reads if they are there."""
    weights = options.weights
    uses = {
        schema.TOKENS: True,
        schema.SOURCE_ENTITIES: True,
        schema.LINKS: options.uses_links,
        schema.CANDIDATES: options.method == "candidates" and options.candidates == "given",
        schema.NER_PROBABILITIES: bool(weights.keys() & {"ner", "ner_spans"}),
        schema.NMT_SCORES: "nmt" in weights,
        schema.SOURCE_TOKENS: "characters" in weights,
    }
    needed = [name for name, used in uses.items() if used]
    return needed, [name for name in (schema.LINKS, schema.SOURCE_TOKENS, schema.HINTS) if name not in needed]


def scored_rows(
    table: pa.Table, options: ProjectionOptions
) -> Iterator[tuple[int, dict[str, Any], list[tuple[int, int, int, float]]]]:
    """The pairs with a positive score of every row that has target words.

    Args:
        table: the columns that projecting with these options needs.
        options: what is scored, and over which candidates.

    Yields:
        The row's number, its values, and its pairs: entity, start and end of the span, score.

    Raises:
        Error: columns or something that the score needs is missing.
        DataError: a wrong row.
    """
    needed, optional = columns_of(options)
    schema.require_columns(table.schema, needed, "scoring")
    names = needed + [name for name in optional if name in table.schema.names]
    if schema.NER_PROBABILITIES in names and options.ner_labels is None:
        options = replace(options, ner_labels=schema.ner_label_names(table.schema.field(schema.NER_PROBABILITIES)))
    core = options.to_core()
    first = 0
    for batch in table.to_batches():
        for row, record in enumerate(schema.conform(batch, names).to_pylist(), first):
            if not record[schema.TOKENS]:
                continue
            try:
                pairs = _core.score_pairs(pair_of_row(record, options), core)
            except DataError as error:
                raise DataError(row, error.column, error.value, error.reason) from None
            except Error as error:
                raise Error(f"row {row}: {error}") from None
            yield row, record, pairs
        first += batch.num_rows
