"""The options of a pipeline beside those of its projector, aligners, tagger and translator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from xner._support.options import (
    Choice,
    DeclaredOptions,
    Flag,
    Many,
    MemorySize,
    ReadFile,
    Text,
    When,
    Whole,
    option,
)
from xner.errors import OptionError
from xner.filters.base import Filter
from xner.filters.catalogue import parse, to_text
from xner.filters.stage import Filters
from xner.pipelines.aligning import AligningOptions
from xner.pipelines.engines import ENGINES, EngineName
from xner.pipelines.tagging import TaggingOptions
from xner.pipelines.translating import TranslatingOptions
from xner.projection.nested import NESTED, Nested
from xner.projection.options import ProjectionOptions
from xner.translation.markers import STYLES, ChosenMarkers

__all__ = ["PARTS", "BrokenMarkers", "RunOptions"]

BrokenMarkers = Literal["align", "drop"]

_WITH_MARKERS = When("markers", lambda o: o.markers is not None)
_FILTERED = When("filters", lambda o: bool(o.filters))
_FILTERING = "Filters"
_CLUSTER = "Cluster"


@dataclass(frozen=True, slots=True)
class _Filter:
    """A filter, or the text of one."""

    metavar: str = "NAME[=VALUE][,OPTION=VALUE...][:row]"

    def check(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            parse(value)
        elif not hasattr(value, "apply"):
            raise OptionError(f"{name}={value!r}: expected a filter, or the text of one")
        return value

    def parse(self, name: str, text: str) -> Any:
        return self.check(name, text)

    def to_text(self, value: Any) -> str:
        return value if isinstance(value, str) else to_text(value)


@dataclass(frozen=True, slots=True)
class RunOptions(DeclaredOptions):
    """What a pipeline does beside linking, projecting, tagging and translating.

    Raises:
        Error: a value is unknown, or goes with another that is not given.
    """

    translate_to: str | None = option(
        None,
        Text("LANGUAGE"),
        "Translate the source sentences into this language, where there are no target sentences.",
        optional=True,
        group="Translation",
    )
    source_language: str | None = option(
        None,
        Text("LANGUAGE"),
        "Language of the source side: for encoders that mark sentences with it (nllb-encoder), as eng_Latn, and for "
        "translation, whose default is en.",
        optional=True,
        group="Languages",
    )
    target_language: str | None = option(
        None,
        Text("LANGUAGE"),
        "Language of the target side, likewise; translation has no default.",
        optional=True,
        group="Languages",
    )
    markers: ChosenMarkers | None = option(
        None,
        Choice(("auto", *STYLES)),
        "Put markers around the entities that are translated, and read them off the translation; auto tries every "
        "style on 50 labelled sentences, and takes the one that comes back whole most often.",
        optional=True,
        group="Translation",
    )
    broken_markers: BrokenMarkers = option(
        "align",
        Choice(("align", "drop")),
        "Sentences whose markers broke are translated without any and aligned, or dropped.",
        when=[_WITH_MARKERS],
        group="Translation",
    )
    memory: bool | None = option(
        None,
        Flag(),
        "Project twice: where links leave an entity unclear, go by how the corpus projected it elsewhere. Files are "
        "read once more for that.",
        optional=True,
        default_text="with an aligner, not with ready links alone or the heuristic, where rows stand for themselves",
    )
    names_memory: str = option(
        "500MB",
        MemorySize(),
        "Corpus's memory, of files that are projected piece by piece: about how much memory counting names may take; "
        "what is more is sorted on the disk, beside the output. Never changes the output.",
        when=[When("the memory", lambda o: o.memory is not False)],
    )
    filters: tuple[str | Filter, ...] = option(
        (),
        Many(_Filter()),
        "Drop projected entities, or change their spans: each filter sees what those before it left. With :row, the "
        "whole row goes where an entity does not pass.",
        flags=["--filter"],
        group=_FILTERING,
    )
    drop_rows: bool = option(
        False,
        Flag(),
        "As if every filter ended in :row. Rows that go are left out of CoNLL, JSONL and text; Parquet and Arrow keep "
        "them without entities and say why.",
        when=[_FILTERED],
        group=_FILTERING,
    )
    nested: Nested = option(
        "error",
        Choice(NESTED),
        "Source entities that share words: an error, each projected by itself (Parquet, Arrow and JSONL hold all of "
        "them, labels the longer ones), the outermost or innermost ones alone, or all compete for the words, as in "
        "published programs.",
    )
    corrections: str | None = option(
        None,
        ReadFile(),
        "What `xner import` has made of people's corrections: the rows that they have looked at keep their entities, "
        "and count in the corpus's memory. Rows are found by id, else by number, for which files are read once more.",
        optional=True,
    )
    on_error: Literal["raise", "skip"] = option(
        "raise", Choice(("raise", "skip")), "Stop at a wrong row, or leave it without entities and go on."
    )
    threads: int = option(0, Whole(0), "0: one a core. Never changes the output.")
    engine: EngineName = option(
        "local",
        Choice(ENGINES),
        "Where pieces of the corpus are worked on: here, or by the workers of a Ray cluster. Never changes the output.",
        group=_CLUSTER,
    )
    address: str | None = option(
        None,
        Text("ADDRESS"),
        "Of a Ray cluster that is there, as HOST:6379, or auto for the one that this machine is part of.",
        when=[When("engine='ray'", lambda o: o.engine == "ray")],
        optional=True,
        default_text="one is started here, for the run",
        group=_CLUSTER,
    )

    def made_filters(self) -> Filters | None:
        """The stage that filters; None without filters."""
        return Filters(self.filters, drop="row" if self.drop_rows else "entity") if self.filters else None


PARTS: tuple[type[DeclaredOptions], ...] = (
    ProjectionOptions,
    RunOptions,
    AligningOptions,
    TaggingOptions,
    TranslatingOptions,
)
"""The options of a pipeline; no two of them have the same name."""
