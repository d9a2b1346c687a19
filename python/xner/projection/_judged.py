"""Projection with a solver in the core's place: the core scores the pairs, OR-Tools or HiGHS chooses among them.

To judge exact matching by, on whole corpora and with everything that projecting does around it. Three orders of
magnitude slower.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

import xner._core as _core
from xner import labels, schema
from xner.errors import InfeasibleError, NotSolvedError
from xner.projection import matching
from xner.projection._sentence_pair import pair_of_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xner.projection.options import ProjectionOptions

__all__ = ["Chosen", "choose_anew", "choose_batch_anew"]

# Of the core's exact matching: what says that there was something to choose from.
_SOLVABLE = ("ok", "not_proven", "infeasible", "not_solved")


class Chosen(NamedTuple):
    """What was chosen for one sentence pair, as the core's `project_sentence` says it."""

    labels: list[str]
    entities: list[tuple[int, int, str, float, float, int]]
    status: str
    objective: float
    bound: float


def choose_anew(
    exact: Chosen,
    pair: _core.SentencePair,
    classes: Sequence[str],
    options: ProjectionOptions,
    core: _core.ProjectOptions,
) -> Chosen:
    """Choose by another solver where the core has chosen by exact matching.

    Args:
        exact: the core's result.
        pair: the sentence pair.
        classes: of its source entities.
        options: how it was projected.
        core: `options` as the core takes them.

    Raises:
        Error: the solver is not installed.
    """
    if exact.status not in _SOLVABLE:
        return exact
    pairs = _core.score_pairs(pair, core)
    nothing = Chosen(["O"] * len(exact.labels), [], "infeasible", 0.0, 0.0)
    try:
        found = matching.match(
            pairs, entities=len(classes), constraint=options.constraint, n=options.n, matcher=options.matcher
        )
    except InfeasibleError:
        return nothing
    except NotSolvedError:
        return nothing._replace(status="not_solved", bound=math.inf)
    entities = []
    for (entity, position), margin in zip(found.pairs, found.margins, strict=True):
        _, start, end, score = pairs[position]
        entities.append((start, end, classes[entity], score, margin, entity))
    entities.sort()
    words = labels.encode([entity[:3] for entity in entities], len(exact.labels))
    return Chosen(words, entities, "ok" if found.optimal else "not_proven", found.objective, found.bound)


def choose_batch_anew(
    columns: pa.RecordBatch, result: pa.RecordBatch, options: ProjectionOptions, core: _core.ProjectOptions
) -> pa.RecordBatch:
    """`choose_anew` for every row of a batch that the core has projected.

    Args:
        columns: what was projected.
        result: `entities`, `labels` and `status` by exact matching.
        options: how.
        core: `options` as the core takes them.
    """
    names = [field.name for field in schema.ENTITIES_TYPE.value_type]
    rows: dict[str, list[Any]] = {schema.ENTITIES: [], schema.LABELS: [], schema.STATUS: []}
    for row, exact in zip(columns.to_pylist(), result.to_pylist(), strict=True):
        words, entities, status = exact[schema.LABELS], exact[schema.ENTITIES], exact[schema.STATUS]
        if status in _SOLVABLE:
            classes = [entity["label"] for entity in row[schema.SOURCE_ENTITIES]]
            chosen = choose_anew(Chosen(words, [], status, 0.0, 0.0), pair_of_row(row, options), classes, options, core)
            words, status = chosen.labels, chosen.status
            entities = [dict(zip(names, entity, strict=True)) for entity in chosen.entities]
        for name, value in ((schema.ENTITIES, entities), (schema.LABELS, words), (schema.STATUS, status)):
            rows[name].append(value)
    arrays = {name: pa.array(values).cast(result.schema.field(name).type) for name, values in rows.items()}
    return pa.RecordBatch.from_pydict(arrays)
