"""Trying settings: links, projection and evaluation of a corpus with gold labels, as fast as they go."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from xner import schema
from xner._support.arrow import one_array
from xner._support.options import declared
from xner.alignment.links.combination import COMBINATIONS, combine
from xner.alignment.options import AlignerOptions
from xner.errors import Error
from xner.evaluation.entities import evaluate
from xner.experiments.tuning.space import (
    Option,
    always,
    applying,
    projection_options,
    projection_values,
    score_options,
    values_of,
)
from xner.filters.catalogue import FILTERS
from xner.filters.stage import Filters
from xner.projection.fusion import SCORES
from xner.projection.memory import Memory, Vocabulary, project_with_memory
from xner.projection.projector import Projector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xner.alignment.aligner import Aligner
    from xner.experiments.tuning.search import Counts
    from xner.experiments.tuning.space import Setting

__all__ = ["LinkSource", "ProjectionTrials", "filters_of", "projector_options", "written_names"]

_LINK_OPTIONS: Final = ("decode", "threshold", "symmetrization", "combine")


def written_names() -> frozenset[str]:
    """The names of all options that tuning may write, whatever the corpus."""
    options = [*projection_options(memory=True), *score_options(list(SCORES))]
    return frozenset({*_LINK_OPTIONS, "filters", "score", *(one.name for one in options)} - set(SCORES))


class LinkSource:
    """Where the links of a corpus come from: a fitted aligner, other sets of links, or both.

    Args:
        source: the source sentences.
        target: the target sentences.
        aligner: aligns them, in ways to be tried; None for none.
        others: ready links of the same rows.

    Raises:
        Error: there is no source of links at all.
    """

    def __init__(
        self,
        source: pa.ChunkedArray[Any],
        target: pa.ChunkedArray[Any],
        aligner: Aligner | None = None,
        others: Sequence[pa.ChunkedArray[Any]] = (),
    ) -> None:
        if aligner is None and not others:
            raise Error("expected an aligner or links")
        self._sides = source, target
        self._aligner = aligner
        self._others = tuple(others)
        self._aligned: dict[tuple[Any, ...], pa.Array[Any]] = {}
        self._found: dict[tuple[Any, ...], pa.Array[Any]] = {}

    def __repr__(self) -> str:
        others = f" and {len(self._others)} other links" if self._others else ""
        return f"<LinkSource: {'no aligner' if self._aligner is None else self._aligner!r}{others}>"

    @property
    def options(self) -> list[Option]:
        """What can be tuned about them."""
        options = []
        if self._aligner is not None:
            counts = {
                "decode": always,
                "threshold": lambda setting: bool(setting["decode"] != "viterbi"),
                "symmetrization": lambda setting: bool(setting["decode"] == "viterbi"),
            }
            known = declared(AlignerOptions)
            options = [
                Option(name, _first(getattr(self._aligner.options, name), values_of(known[name])), matters)
                for name, matters in counts.items()
            ]
        if len(self._others) + (self._aligner is not None) > 1:
            options.append(Option("combine", tuple(COMBINATIONS)))
        return options

    def prepare(self, settings: Sequence[Setting], threads: int) -> None:
        """Find the links that settings want, all of them once."""
        for setting in settings:
            key = _key(setting)
            if key not in self._found:
                self._found[key] = self._find(setting, threads)

    def of(self, setting: Setting) -> pa.Array[Any]:
        """The links of a setting that was prepared."""
        return self._found[_key(setting)]

    def _find(self, setting: Setting, threads: int) -> pa.Array[Any]:
        columns: list[Any] = list(self._others)
        if self._aligner is not None:
            chosen = {name: setting[name] for name in ("decode", "threshold", "symmetrization")}
            decoding = {name: chosen[name] for name in AlignerOptions.applying(chosen) & chosen.keys()}
            key = tuple(chosen.values())
            if key not in self._aligned:
                self._aligned[key] = self._aligner.align(*self._sides, threads=threads, **decoding)
            columns.append(self._aligned[key])
        links = combine(columns, setting["combine"]) if len(columns) > 1 else columns[0]
        return one_array(links) if isinstance(links, pa.ChunkedArray) else links


def _first(default: Any, values: Sequence[Any]) -> tuple[Any, ...]:
    """The values, with the default at their head."""
    return (default, *(value for value in values if value != default))


def _key(setting: Setting) -> tuple[Any, ...]:
    return tuple(setting.get(name) for name in _LINK_OPTIONS)


def filters_of(setting: Setting) -> list[str]:
    """A setting's filters, as `xner.filters.parse` reads them."""
    chosen = {name: setting[name] for name in FILTERS if setting.get(name) is not None}
    return [name if value == "" else f"{name}={value:g}" for name, value in chosen.items()]


def projector_options(setting: Setting) -> dict[str, Any]:
    """A setting's arguments for `xner.Projector`: those that apply."""
    names = applying(setting)
    return {name: value for name, value in projection_values(setting).items() if name in names}


class ProjectionTrials:
    """Projects a corpus with any setting, and counts what is right.

    Args:
        table: the columns `tokens`, `source_tokens`, `source_entities` and `gold_labels`, and those that scores need.
        links: of its rows.
        fixed: options for `xner.Projector` that are the same in all settings.
        ignore: classes that do not count.
        threads: settings tried at once; the result does not depend on it.

    Raises:
        Error: a column is missing.
    """

    def __init__(
        self,
        table: pa.Table,
        links: LinkSource,
        *,
        fixed: Mapping[str, Any] | None = None,
        ignore: Sequence[str] = (),
        threads: int = 1,
    ) -> None:
        needed = (schema.TOKENS, schema.SOURCE_TOKENS, schema.SOURCE_ENTITIES, schema.GOLD_LABELS)
        schema.require_columns(table.schema, needed, "tuning")
        self._table = table.combine_chunks()
        self._links = links
        self._fixed = dict(fixed or {})
        self._ignore = tuple(ignore)
        self._threads = threads
        self._vocabulary = Vocabulary()
        for name in (schema.SOURCE_TOKENS, schema.TOKENS):  # here, as what follows is done by several threads
            self._vocabulary.number(one_array(self._table.column(name)))

    def __call__(self, settings: Sequence[Setting]) -> Iterator[Counts]:
        """The counts of each setting, in order; see `search`."""
        self._links.prepare(settings, self._threads)
        with ThreadPoolExecutor(self._threads) as pool:
            yield from pool.map(self._try, settings)

    def _try(self, setting: Setting) -> Counts:
        # Settings are compared on all entities, whichever of them a projection is to take later.
        projector = Projector(threads=1, nested="compete", **self._fixed, **projector_options(setting))
        table = self._table.append_column(schema.LINKS, self._links.of(setting))
        if setting.get("memory", False):
            table = project_with_memory(table, projector, Memory(vocabulary=self._vocabulary), threads=1)
        else:
            table = projector(table)
        filters = filters_of(setting)
        if filters:
            table = Filters(filters)(table)
        scores = evaluate(table.column(schema.GOLD_LABELS), table.column(schema.LABELS), ignore=self._ignore)
        return np.stack([side.sum(axis=1, dtype=np.int32) for side in (scores.tp, scores.fp, scores.fn)], axis=1)
