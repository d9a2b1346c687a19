"""Choosing pairs of source entities and target spans so that no two chosen spans overlap."""

from __future__ import annotations

from xner.projection.matching.solving import Matcher, Matching, match, solutions, solve

__all__ = ["Matcher", "Matching", "match", "solutions", "solve"]
