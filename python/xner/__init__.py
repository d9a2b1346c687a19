"""Annotation projection for cross-lingual named entity recognition, with a native core.

`project` moves entity labels across one sentence pair, `Projector` across record batches, `Aligner` finds the word
links, `evaluate` compares labels with gold labels.
"""

from __future__ import annotations

from xner import errors, evaluation, filters, io, labels, schema
from xner._version import __version__
from xner.alignment import Aligner, links
from xner.errors import (
    DataError,
    Error,
    FormatError,
    InfeasibleError,
    MissingExtraError,
    NotSolvedError,
    OptionError,
    SolverError,
)
from xner.evaluation import evaluate
from xner.io.sides import read_pairs
from xner.models.aligners.encoder_aligner import EncoderAligner
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
    "filters",
    "fusion",
    "io",
    "labels",
    "links",
    "matching",
    "memory",
    "project",
    "read_pairs",
    "schema",
    "scores",
]
