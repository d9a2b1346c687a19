"""The stage that scores pairs of source entities and target spans by a translation model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pyarrow as pa

import xner._core as _core
from xner import schema
from xner._support.arrow import with_columns
from xner._support.frames import open_rows
from xner._support.progress import Reporter, silent
from xner._support.stages import identity_of, run_stage
from xner.errors import DataError, OptionError
from xner.projection._pair_search import PairSearch, Pruning, ScoredSpan, pruning_for
from xner.projection._sentence_pair import columns_of, pair_of_row
from xner.text.detokenization import detokenize

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from xner._support.arrow import Rows
    from xner.models.scorers.nmt_score import NmtScorer
    from xner.projection.options import ProjectionOptions

__all__ = ["NmtStage", "PairCounts", "required_columns"]

_WHAT = "scoring translations"
_SCORE_FIELDS = ("source", "start", "end", "score")


@dataclass(slots=True)
class PairCounts:
    """What became of pairs of an entity and a candidate.

    Attributes:
        pairs: all of them.
        scored: by the model, or out of its cache.
        skipped: because they cannot be chosen, whatever their score.
    """

    pairs: int = 0
    scored: int = 0
    skipped: int = 0


def required_columns(options: ProjectionOptions) -> list[str]:
    """The columns that scoring for a projection with these options needs.

    Raises:
        Error: its score does not use `nmt`.
    """
    if "nmt" not in options.weights:
        raise OptionError(f"{options.shown_score} does not use nmt: a sum with it is 'align_nmt' or 'all_fusion'")
    needed, _ = columns_of(options)
    by_links = options.resolved_candidates in {"aligned", "aligned_ends"}
    columns = [*needed, schema.SOURCE_TOKENS, *([schema.LINKS] if by_links else [])]
    return [name for name in dict.fromkeys(columns) if name != schema.NMT_SCORES]


class NmtStage:
    """Adds the column `nmt_scores`, which projection with the score `nmt` reads, to record batches and tables.

    Scored is what projection may choose, by the text of entity and span: `xner.text.detokenization` joins their words.
    Pairs that cannot be chosen any more are skipped, as `xner.projection._pair_search.PairSearch` says. Sentences
    are gone through in rounds, the most promising pairs of every entity first, twice as many in each round, and all
    sentences' pairs of a round are one call of the scorer. What is scored in one sentence depends on that one alone.

    Args:
        scorer: of texts.
        options: of the projection that will use the scores: they say what candidates there are, what the other scores
            are, and so what may be skipped.
        prune: False scores all pairs: for exact margins, or for other options later.

    Attributes:
        counts: of the pairs so far.

    Raises:
        Error: `options` are for a score without `nmt`.
    """

    writes: Final = (schema.NMT_SCORES,)

    def __init__(self, scorer: NmtScorer, options: ProjectionOptions, *, prune: bool = True) -> None:
        self.counts = PairCounts()
        self._scorer = scorer
        self._options = options
        self._required = required_columns(options)
        self._gain = options.weights["nmt"] * scorer.cap
        self._pruning: Pruning = pruning_for(options) if prune else "none"

    @property
    def signature(self) -> str:
        """One line that tells how the scores were made."""
        return f"{self._scorer.signature}|skipped:{self._pruning} for {'|'.join(self._decides)}"

    @property
    def _decides(self) -> list[str]:
        """The options of the projection, on which it depends what is scored."""
        options = self._options
        more = {"stop_words": sorted(options.stop_words), "ner_labels": options.ner_labels or []}
        return [options.signature, *(f"{name}:{','.join(values)}" for name, values in more.items() if values)]

    @property
    def identity(self) -> str:
        """Tells what decides the scores, the weights' content above all, from all others."""
        return identity_of("nmt", self._scorer.identity, self._pruning, *self._decides)

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that the candidates and the other scores of the sum need, and the words."""
        return tuple(self._required)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"counts": PairCounts()}

    def __repr__(self) -> str:
        return f"NmtStage({self._scorer!r}, score={self._options.shown_score!r})"

    def __call__(self, rows: Rows, *, progress: Reporter = silent) -> Rows:
        """Add the column `nmt_scores`, in place of one that may be there.

        Args:
            rows: a record batch, or a table, whose batches are done one after the other: with the columns `tokens`,
                `source_tokens`, `source_entities`, and what the other scores of the sum need, as for `xner.Projector`.
            progress: told what is counted, how much of it is done, and how much there is: after each batch sentences,
                after each round the pairs of a batch that are scored or skipped, within a round probabilities.

        Returns:
            The same kind of object with the column; scores of 0 are left out. The field's metadata have the signature.

        Raises:
            DataError: a wrong row.
            Error: a column is missing, or the model cannot score.
        """
        opened = open_rows(rows)
        sentences = 0

        def score(piece: pa.RecordBatch) -> pa.RecordBatch:
            nonlocal sentences
            scored = self._score(piece, progress)
            sentences += piece.num_rows
            progress("sentences", sentences, opened.table.num_rows)
            return scored

        return cast("Rows", opened.close(run_stage(score, opened.table)))

    def _score(self, batch: pa.RecordBatch, progress: Reporter) -> pa.RecordBatch:
        schema.require_columns(batch.schema, self._required, _WHAT)
        rows = _Rows(batch, self._options, self._required)
        searches = [rows.search(row, self._gain, self._pruning) for row in range(batch.num_rows)]
        total = sum(search.pairs for search in searches)
        per_entity = 1
        while True:
            progress("pairs of these sentences", total - sum(search.open for search in searches), total)
            asked = [(row, pair) for row, search in enumerate(searches) for pair in search.most_promising(per_entity)]
            if not asked:
                break
            texts = [rows.texts(row, pair) for row, pair in asked]
            scores = self._scorer.score(texts, progress=partial(progress, "probabilities of these pairs"))
            found: dict[int, list[tuple[int, int, int, float]]] = {}
            for (row, pair), score in zip(asked, scores.tolist(), strict=True):
                found.setdefault(row, []).append((*pair, score))
            for row, scored in found.items():
                searches[row].add(scored)
            per_entity *= 2
        self.counts.pairs += total
        self.counts.scored += sum(len(search.scored) for search in searches)
        self.counts.skipped += sum(search.skipped for search in searches)
        return _with_scores(batch, searches, self.signature)


class _Rows:
    """The rows of a batch as plain values."""

    def __init__(self, batch: pa.RecordBatch, options: ProjectionOptions, required: Sequence[str]) -> None:
        optional = [name for name in (schema.LINKS, schema.HINTS) if name not in required]
        columns = schema.conform(batch, [*required, *(name for name in optional if name in batch.schema.names)])
        self._rows: list[dict[str, Any]] = columns.to_pylist()
        for row in self._rows:
            row.update({side: row[side] or [] for side in (schema.TOKENS, schema.SOURCE_TOKENS)})
        if schema.NER_PROBABILITIES in required and options.ner_labels is None:
            labels = schema.ner_label_names(batch.schema.field(schema.NER_PROBABILITIES))
            options = replace(options, ner_labels=labels)
        self._options = options
        self._core = options.to_core()
        self._texts: dict[tuple[int, str, int, int], str] = {}

    def search(self, row: int, gain: float, pruning: Pruning) -> PairSearch:
        """The search for the pairs of a row that need a score.

        Raises:
            DataError: the row is wrong.
        """
        values = self._rows[row]

        def sums(scores: Sequence[ScoredSpan]) -> list[tuple[int, int, int, float]]:
            scored = [dict(zip(_SCORE_FIELDS, score, strict=True)) for score in scores]
            return _core.score_pairs(pair_of_row(values | {schema.NMT_SCORES: scored}, self._options), self._core)

        try:
            if schema.NER_PROBABILITIES in values:
                values[schema.NER_PROBABILITIES] = self._probabilities(values)
            spans = _core.entity_candidates(pair_of_row(values, self._options), self._core)
            lengths = [entity["end"] - entity["start"] for entity in values[schema.SOURCE_ENTITIES] or ()]
            return PairSearch(sums, spans, lengths, len(values[schema.TOKENS]), gain=gain, pruning=pruning)
        except DataError as error:
            raise DataError(row, error.column, error.value, error.reason) from None

    def texts(self, row: int, pair: tuple[int, int, int]) -> tuple[str, str]:
        """The text of an entity and that of a span."""
        entity, start, end = pair
        source = self._rows[row][schema.SOURCE_ENTITIES][entity]
        return (
            self._text(row, schema.SOURCE_TOKENS, source["start"], source["end"]),
            self._text(row, schema.TOKENS, start, end),
        )

    def _text(self, row: int, column: str, start: int, end: int) -> str:
        place = row, column, start, end
        if place not in self._texts:
            self._texts[place] = detokenize(self._rows[row][column][start:end])
        return self._texts[place]

    def _probabilities(self, values: dict[str, Any]) -> npt.NDArray[np.float32]:
        """Words × labels; zeros where the row has none."""
        shape = (len(values[schema.TOKENS]), len(self._options.ner_labels or []))
        given = values[schema.NER_PROBABILITIES]
        if not given:
            return np.zeros(shape, np.float32)
        lengths = {len(word or []) for word in given}
        if len(given) != shape[0] or lengths != {shape[1]}:
            found = f"{len(given)} words with {'/'.join(map(str, sorted(lengths)))} probabilities"
            raise DataError(-1, schema.NER_PROBABILITIES, found, f"expected {shape[0]} with {shape[1]}")
        return np.array(given, np.float32)


def _with_scores(batch: pa.RecordBatch, searches: Sequence[PairSearch], signature: str) -> pa.RecordBatch:
    rows = [
        [dict(zip(_SCORE_FIELDS, pair, strict=True)) for pair in sorted(search.scored) if pair[3] > 0]
        for search in searches
    ]
    metadata = {b"signature": signature.encode()}
    field = pa.field(schema.NMT_SCORES, schema.HINTS_TYPE, metadata=metadata)
    column = pa.array(rows, schema.HINTS_TYPE)
    return with_columns(batch, {field: column})
