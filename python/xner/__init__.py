"""Annotation projection for cross-lingual named entity recognition, with a native core.

    table = xner.read_pairs("en.conll", "de.txt")
    run = xner.Pipeline(matcher="exact").run(table, "de.conll")

`project` moves entity labels across one sentence pair, `project_spans` character spans across texts, `Projector` labels
across record batches, `Aligner` finds the word links, `Pipeline` does all of it for files, `evaluate` compares labels
with gold labels, `view` shows them.

What stands here is loaded when it is first named: importing xner alone takes no time.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from xner import errors
from xner._support.faces import listing
from xner._version import __version__
from xner.errors import (
    DataError,
    Error,
    FormatError,
    InfeasibleError,
    MissingExtraError,
    NotSolvedError,
    OptionError,
    OutsideError,
    SolverError,
)

if TYPE_CHECKING:
    from xner import (
        evaluation,
        experiments,
        filters,
        io,
        labels,
        models,
        pipelines,
        schema,
        text,
        training,
        translation,
        viewer,
    )
    from xner.alignment import Aligner, links
    from xner.evaluation import evaluate
    from xner.io.pairs import scan_pairs
    from xner.io.sides import read_pairs
    from xner.models.aligners.encoder_aligner import EncoderAligner
    from xner.pipelines import recipes
    from xner.pipelines.projection_run import Pipeline
    from xner.projection import (
        ProjectedEntity,
        Projection,
        ProjectionOptions,
        Projector,
        candidates,
        fusion,
        matching,
        memory,
        project,
        scores,
    )
    from xner.projection.spans import project_spans
    from xner.viewer import view

__all__ = [
    "Aligner",
    "DataError",
    "EncoderAligner",
    "Error",
    "FormatError",
    "InfeasibleError",
    "MissingExtraError",
    "NotSolvedError",
    "OptionError",
    "OutsideError",
    "Pipeline",
    "ProjectedEntity",
    "Projection",
    "ProjectionOptions",
    "Projector",
    "SolverError",
    "__version__",
    "candidates",
    "errors",
    "evaluate",
    "evaluation",
    "experiments",
    "filters",
    "fusion",
    "io",
    "labels",
    "links",
    "matching",
    "memory",
    "models",
    "pipelines",
    "project",
    "project_spans",
    "read_pairs",
    "recipes",
    "scan_pairs",
    "schema",
    "scores",
    "text",
    "training",
    "translation",
    "view",
    "viewer",
]

__dir__ = listing(__all__)

_LATER = {
    "Aligner": "xner.alignment:Aligner",
    "EncoderAligner": "xner.models.aligners.encoder_aligner:EncoderAligner",
    "Pipeline": "xner.pipelines.projection_run:Pipeline",
    "ProjectedEntity": "xner.projection:ProjectedEntity",
    "Projection": "xner.projection:Projection",
    "ProjectionOptions": "xner.projection:ProjectionOptions",
    "Projector": "xner.projection:Projector",
    "candidates": "xner.projection.candidates",
    "evaluate": "xner.evaluation:evaluate",
    "evaluation": "xner.evaluation",
    "experiments": "xner.experiments",
    "filters": "xner.filters",
    "fusion": "xner.projection.fusion",
    "io": "xner.io",
    "labels": "xner.labels",
    "links": "xner.alignment.links",
    "matching": "xner.projection.matching",
    "memory": "xner.projection.memory",
    "models": "xner.models",
    "pipelines": "xner.pipelines",
    "project": "xner.projection:project",
    "project_spans": "xner.projection.spans:project_spans",
    "read_pairs": "xner.io.sides:read_pairs",
    "recipes": "xner.pipelines.recipes",
    "scan_pairs": "xner.io.pairs:scan_pairs",
    "schema": "xner.schema",
    "scores": "xner.projection.scores",
    "text": "xner.text",
    "training": "xner.training",
    "translation": "xner.translation",
    "view": "xner.viewer:view",
    "viewer": "xner.viewer",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'xner' has no attribute {name!r}")
    module, _, attribute = _LATER[name].partition(":")
    found = importlib.import_module(module)
    value = getattr(found, attribute) if attribute else found
    globals()[name] = value
    return value
