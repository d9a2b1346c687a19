"""Projection of record batches of millions of sentence pairs."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import xner._core as _core
from xner import schema
from xner._support.arguments import choose, whole_number
from xner._support.arrow import pylist, to_array, with_columns
from xner._support.options import check_names
from xner._support.overlaps import overlapping_rows
from xner._support.progress import Reporter, silent
from xner._support.records import entity_tuples
from xner._support.sentences import map_words
from xner._support.stages import identity_of, merge_status, run_stage
from xner.errors import DataError, Error, OptionError
from xner.labels.tags import check_classes, rows_of_no_class
from xner.projection._sentence_pair import columns_of
from xner.projection.nested import NESTED, Nested, check_overlaps, project_layers
from xner.projection.options import ProjectionOptions
from xner.text.normalization import normalize

if TYPE_CHECKING:
    from typing import Unpack

    from xner._support.arrow import Rows
    from xner.projection._keywords import ProjectionKeywords

__all__ = ["Projector"]

# Words recur from batch to batch.
_normalize = lru_cache(maxsize=1 << 16)(normalize)


_RESULTS = (schema.ENTITIES, schema.LABELS, schema.STATUS)


class Projector:
    """Projects record batches: `tokens`, `source_entities` and `links` in, `entities`, `labels` and `status` out.

    Args:
        options: how to project; keyword arguments override single fields, so that
            `Projector(method="heuristic")` works alone.
        threads: threads to use, 0 for one a core; the output does not depend on it.
        on_error: `raise` stops at the first wrong row; `skip` gives wrong rows the status `invalid` and no
            entities.
        nested: rows in which source entities share words are wrong ones (`error`); or each of these entities is
            projected by itself (`keep`; `labels` has the longer ones), or the outermost or innermost ones alone, or all
            at once compete for words (`compete`), as in published programs.
    """

    def __init__(
        self,
        options: ProjectionOptions | None = None,
        *,
        threads: int = 0,
        on_error: Literal["raise", "skip"] = "raise",
        nested: Nested = "error",
        **overrides: Unpack[ProjectionKeywords],
    ) -> None:
        check_names(overrides, ProjectionOptions)
        if not isinstance(options, ProjectionOptions | None):
            what = f"found {type(options).__name__}; rows are what a projector is called with: `Projector()(rows)`"
            raise OptionError(f"options: expected ProjectionOptions, {what}")
        changes: dict[str, Any] = dict(overrides)
        self.options = replace(options or ProjectionOptions(), **changes)
        self.threads = whole_number("threads", threads, 0)
        self.on_error = on_error
        self._skips_invalid = choose("on_error", on_error, {"raise": False, "skip": True})
        self.nested = choose("nested", nested, {one: one for one in NESTED})
        self._needed, self._optional = columns_of(self.options)
        self._core_options = self.options.to_core()
        self._folds = "characters" in self.options.weights
        self._asks_for_ner_labels = self.options.uses_ner and self.options.ner_labels is None

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, (self.options, self.threads, self.on_error, self.nested)

    def __repr__(self) -> str:
        changes = [f"{name}={value!r}" for name, value in self.options.changes().items()]
        changes += ["on_error='skip'"] if self._skips_invalid else []
        changes += [f"nested={self.nested!r}"] if self.nested != "error" else []
        return f"Projector({', '.join(changes)})"

    @property
    def signature(self) -> str:
        """One line that tells how the results were made: every option that decides them."""
        nested = "" if self.nested == "error" else f"|nested:{self.nested}"
        return f"{self.options.signature}|on_error:{self.on_error}{nested}"

    @property
    def identity(self) -> str:
        """What tells this stage from those that give other results."""
        return identity_of("projector", self.signature)

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that it needs."""
        return tuple(self._needed)

    @property
    def writes(self) -> tuple[str, ...]:
        """The columns that it adds or replaces."""
        return _RESULTS

    def __call__(self, rows: Rows, *, progress: Reporter = silent) -> Rows:
        """Add the columns `entities`, `labels` and `status`; every row stays where it is.

        Args:
            rows: a record batch or table with the columns of `xner.schema`: `tokens`, `source_entities`, `links`
                (unless neither method nor score needs them), for given candidates `candidates`, and, if there,
                `source_tokens` (to check spans and links against), `hints` (scores to be added, see `xner.memory`),
                `row_problem` (what is wrong with rows, null for good ones) and `id` (to name rows in errors). The
                scores `ner` and `ner_spans` need `ner_probabilities`, whose labels the option `ner_labels` or the
                field's metadata name (`xner.schema.ner_probabilities_field`); `nmt` needs `nmt_scores`; `characters`
                needs `source_tokens`. What a row of these columns does not have counts as 0. A `status` other than `ok`
                that the batch brings along is kept where projecting went well.
            progress: told how many rows are done.

        Returns:
            The same kind of object, with the three columns added or replaced.

        Raises:
            DataError: a wrong row, with `on_error="raise"`.
            Error: columns missing or of another type.
        """
        return run_stage(self._project, rows, progress=progress, what="projecting")

    def _project(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self.nested in {"error", "compete"}:
            return self._project_flat(batch)
        schema.require_columns(batch.schema, self._needed, "projection")
        by_entity = [
            name
            for name in (schema.SOURCE_ENTITIES, schema.HINTS, schema.NMT_SCORES)
            if name in batch.schema.names and name in {*self._needed, *self._optional}
        ]
        usual = {name: schema.conform_column(batch.column(name), name) for name in by_entity}
        found: pa.RecordBatch = project_layers(with_columns(batch, usual), self._project_flat, self.nested)
        return with_columns(found, {name: batch.column(name) for name in by_entity})

    def _project_flat(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        schema.require_columns(batch.schema, self._needed, "projection")
        names = batch.schema.names
        needed = self._needed + [name for name in self._optional if name in names]
        columns = schema.conform(batch, needed, for_core=not self._folds)
        columns, is_wrong = self._without_wrong_entities(columns, _problems(batch))
        if self._folds:
            for name, words_ in ((schema.SOURCE_TOKENS, "folded_source_tokens"), (schema.TOKENS, "folded_tokens")):
                columns = columns.append_column(words_, map_words(columns.column(name), _normalize))
        options = self.options
        if self._asks_for_ner_labels:
            options = replace(options, ner_labels=self._labels_of(batch.schema.field(schema.NER_PROBABILITIES)))
        result = self._run(columns, options)
        if is_wrong is not None:
            status = pc.if_else(is_wrong, "invalid", result.column(schema.STATUS).cast(pa.string()))
            result = with_columns(result, {schema.STATUS: status.dictionary_encode().cast(schema.STATUS_TYPE)})
        if schema.STATUS in batch.schema.names:
            before = schema.conform_column(batch.column(schema.STATUS), schema.STATUS)
            merged = merge_status(before, result.column(schema.STATUS), _is_outdated(before))
            result = with_columns(result, {schema.STATUS: merged.dictionary_encode().cast(schema.STATUS_TYPE)})
        batch = batch.drop_columns([name for name in (schema.DROPPED, schema.ADJUSTED) if name in names])
        return with_columns(batch, {name: result.column(name) for name in _RESULTS})

    def _without_wrong_entities(
        self, columns: pa.RecordBatch, problems: dict[int, str]
    ) -> tuple[pa.RecordBatch, pa.Array[Any] | None]:
        """Columns without the entities of rows in which some share words or have no class; and which rows those are.

        Args:
            columns: what is projected.
            problems: of rows that are known to be wrong.

        Raises:
            DataError: there is such a row, and none are skipped.
        """
        entities = columns.column(schema.SOURCE_ENTITIES)
        overlapping = overlapping_rows(entities) if self.nested == "error" else ()
        rows = {*problems, *rows_of_no_class(entities), *overlapping}
        if not rows:
            return columns, None
        if not self._skips_invalid:
            if min(rows) in problems:
                reason = "the row is wrong; `on_error` decides: raise, or skip such rows"
                raise DataError(min(rows), schema.ROW_PROBLEM, repr(problems[min(rows)]), reason)
            found = entity_tuples(schema.SOURCE_ENTITIES, entities[min(rows)])
            check_classes(found, schema.SOURCE_ENTITIES, min(rows))
            check_overlaps(found, min(rows))
        is_wrong = np.zeros(len(entities), np.bool_)
        is_wrong[list(rows)] = True
        wrong = to_array(is_wrong)
        return with_columns(columns, {schema.SOURCE_ENTITIES: pc.if_else(wrong, None, entities)}), wrong

    def _run(self, columns: pa.RecordBatch, options: ProjectionOptions) -> pa.RecordBatch:
        core = self._core_options if options is self.options else options.to_core()
        result = pa.record_batch(
            _core.project_batch(columns, core, threads=self.threads, skip_invalid=self._skips_invalid)
        )
        if options.is_judged:
            from xner.projection._judged import choose_batch_anew

            result = choose_batch_anew(columns, result, options, core)
        return result

    def _labels_of(self, probabilities: pa.Field[Any]) -> tuple[str, ...]:
        """The names of the labels in the column of probabilities."""
        labels = schema.ner_label_names(probabilities)
        if labels is None:
            raise Error(
                f"{self.options.shown_score} needs the names of the labels in the column "
                f"'{schema.NER_PROBABILITIES}': give ner_labels, or name them in the field's metadata"
            )
        return labels


def _problems(batch: pa.RecordBatch) -> dict[int, str]:
    """What is known to be wrong with rows of a batch."""
    if schema.ROW_PROBLEM not in batch.schema.names:
        return {}
    column = pylist(schema.conform_column(batch.column(schema.ROW_PROBLEM), schema.ROW_PROBLEM))
    return {row: problem for row, problem in enumerate(column) if problem is not None}


def _make(options: ProjectionOptions, threads: int, on_error: Literal["raise", "skip"], nested: Nested) -> Projector:
    """What a pickle of a projector calls."""
    return Projector(options, threads=threads, on_error=on_error, nested=nested)


def _is_outdated(status: pa.Array[Any]) -> pa.Array[Any]:
    """Whether a status is what an earlier projection, or filters after it, said of the row."""
    known = pa.array([*_core.STATUS_NAMES, schema.FILTERED])
    outdated: pa.Array[Any] = pc.or_(pc.is_in(status.cast(pa.string()), value_set=known), schema.is_row_dropped(status))
    return outdated
