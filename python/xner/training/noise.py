"""Training on projected labels, some of which are wrong: rows weighed by confidence, doubtful ones left out.

What decides is what projection says of its own entities: `score`, what the word links make of a span, and `margin`,
what the whole sentence would lose without it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from xner import schema
from xner._support.options import Choice, DeclaredOptions, Flag, Number, When, option
from xner.errors import DataError
from xner.training.data import LabelledSentences, labelled_sentences

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

__all__ = ["NoiseOptions", "ReadRows", "normalized_weights", "read_rows"]

RowWeights = Literal["none", "score", "margin"]
BelowMargin = Literal["mask", "drop-row"]

_LEAST_CONFIDENCE = 0.05
_GROUP = "Labels that may be wrong"
_HAS_MARGIN = When("min_margin", lambda o: o.min_margin is not None)


@dataclass(frozen=True, slots=True)
class NoiseOptions(DeclaredOptions):
    """What is done about labels that may be wrong.

    Raises:
        OptionError: a value is unknown or out of range, or says nothing beside another.
    """

    row_weights: RowWeights = option(
        "none",
        Choice(get_args(RowWeights)),
        "Multiply a sentence's loss by the mean score or margin of its projected entities.",
        more="Each is brought into [0.05, 1]; rows without entities have 1. Weights are then divided by their mean "
        "over the rows, so that it is 1.",
        group=_GROUP,
    )
    min_margin: float | None = option(
        None,
        Number(),
        "Do not learn from projected entities with a smaller margin.",
        more="Margins compare with what else could have been chosen: parts of a long entity are good choices too, so "
        "that even one of n words that all have links has 1 / (2n - 1) at most where candidates are n-grams.",
        optional=True,
        group=_GROUP,
    )
    below_margin: BelowMargin = option(
        "mask",
        Choice(get_args(BelowMargin)),
        "What becomes of these: learn from the rest of their sentence, and of their words neither that they are an "
        "entity nor that they are none (mask); or leave the sentence out (drop-row).",
        when=[_HAS_MARGIN],
        group=_GROUP,
    )
    drop_incomplete: bool = option(
        False, Flag(), "Leave sentences out in which a source entity has found no target.", group=_GROUP
    )

    @property
    def needs_entities(self) -> bool:
        """Whether the column `entities` decides something."""
        return self.row_weights != "none" or self.min_margin is not None or self.drop_incomplete


@dataclass(frozen=True, slots=True)
class ReadRows:
    """The rows of a table that are learnt from.

    Attributes:
        sentences: of these rows.
        rows: in the table.
        filtered: rows that a filter has dropped, or whose source sentence nobody has labelled.
        incomplete: rows left out for a source entity without a target.
        below_margin: rows left out for an entity's margin.
        masked: words of which nothing is learnt.
    """

    sentences: LabelledSentences
    rows: int
    filtered: int = 0
    incomplete: int = 0
    below_margin: int = 0
    masked: int = 0


def read_rows(
    table: pa.Table,
    noise: NoiseOptions | None = None,
    *,
    classes: Mapping[str, str] | None = None,
    column: str = schema.LABELS,
) -> ReadRows:
    """The rows of a table that are to be learnt from, with their weights.

    Rows that filters have dropped as a whole, and those that nobody has labelled, are left out in any case.

    Args:
        table: as for `labelled_sentences`; for all options but the default ones with the projection's `entities`, and
            `source_entities` for `drop_incomplete`. Their weights are not divided by their mean yet.
        noise: what is done about doubtful labels.
        classes: what classes become.
        column: of the labels.

    Raises:
        Error: a column is missing.
        DataError: an entity has no score or margin where that decides.
    """
    noise = noise or NoiseOptions()
    sentences = labelled_sentences(table, classes=classes, column=column)
    if noise.needs_entities:
        schema.require_columns(table.schema, [schema.ENTITIES], "weighing projected labels")
    if noise.drop_incomplete:
        schema.require_columns(table.schema, [schema.SOURCE_ENTITIES], "leaving out incomplete projections")
    rows = len(sentences)
    dropped = np.zeros(rows, np.bool_)
    if schema.STATUS in table.schema.names:
        dropped = schema.is_left_out(table).to_numpy()
    incomplete = below = masked = 0
    kept = []
    entity_lists = table.column(schema.ENTITIES).to_pylist() if noise.needs_entities else [None] * rows
    source_lists = table.column(schema.SOURCE_ENTITIES).to_pylist() if noise.drop_incomplete else [None] * rows
    for row in np.flatnonzero(~dropped).tolist():
        entities = entity_lists[row] or []
        if noise.drop_incomplete and {entity["source"] for entity in entities} < set(
            range(len(source_lists[row] or []))
        ):
            incomplete += 1
            continue
        if noise.min_margin is not None:
            doubtful = [one for one in entities if _figure(row, one, "margin") < noise.min_margin]
            if doubtful and noise.below_margin == "drop-row":
                below += 1
                continue
            for entity in doubtful:
                masked += entity["end"] - entity["start"]
                sentences.labels[row][entity["start"] : entity["end"]] = [None] * (entity["end"] - entity["start"])
        if noise.row_weights != "none":
            sentences.weights[row] = _confidence([_figure(row, one, noise.row_weights) for one in entities])
        kept.append(row)
    chosen = LabelledSentences(*([values[row] for row in kept] for values in _parts(sentences)))
    return ReadRows(chosen, rows, int(dropped.sum()), incomplete, below, masked)


def _parts(sentences: LabelledSentences) -> tuple[list[Any], ...]:
    return sentences.tokens, sentences.labels, sentences.weights


def _confidence(figures: list[float]) -> float:
    """A row's, from its entities'; in (0, 1]."""
    return sum(min(max(figure, _LEAST_CONFIDENCE), 1.0) for figure in figures) / len(figures) if figures else 1.0


def _figure(row: int, entity: dict[str, Any], name: str) -> float:
    """An entity's score or margin."""
    value = entity.get(name)
    if value is None or math.isnan(value):
        span = f"[{entity['start']}, {entity['end']})"
        reason = f"the entity has no {name}; heuristic projection and markers give none"
        raise DataError(row, schema.ENTITIES, span, reason)
    return float(value)


def normalized_weights(weights: list[float]) -> list[float]:
    """Weights divided by their mean."""
    mean = sum(weights) / len(weights) if weights else 1.0
    return [weight / mean for weight in weights]
