"""Annotation projection: candidates, scores, matching, and the stage that does it for whole corpora."""

from __future__ import annotations

from xner._support.faces import listing
from xner.projection.memory import Memory, project_with_memory
from xner.projection.options import (
    Candidates,
    Compat,
    Constraint,
    Count,
    Matcher,
    Method,
    Policy,
    ProjectionOptions,
    Score,
    Ties,
)
from xner.projection.projector import Projector
from xner.projection.sentence import ProjectedEntity, Projection, project

__all__ = [
    "Candidates",
    "Compat",
    "Constraint",
    "Count",
    "Matcher",
    "Memory",
    "Method",
    "Policy",
    "ProjectedEntity",
    "Projection",
    "ProjectionOptions",
    "Projector",
    "Score",
    "Ties",
    "project",
    "project_with_memory",
]

__dir__ = listing(__all__)
