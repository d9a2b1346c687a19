"""Choosing pairs of source entities and target spans so that no two chosen spans overlap."""

from __future__ import annotations

from xner._support.faces import listing
from xner.projection.matching.constraints import MATCHERS, RELATIONS, Constraint, Matcher
from xner.projection.matching.solving import Matching, match, solutions, solve

__all__ = ["MATCHERS", "RELATIONS", "Constraint", "Matcher", "Matching", "match", "solutions", "solve"]

__dir__ = listing(__all__)
