"""Tuning: the settings that suit a corpus best, found on a sample of it with gold labels."""

from __future__ import annotations

from xner._support.faces import listing
from xner.experiments.tuning.tuning import Figure, LinkSource, OptionWorth, Setting, Tuning, scores_for, tune

__all__ = ["Figure", "LinkSource", "OptionWorth", "Setting", "Tuning", "scores_for", "tune"]

__dir__ = listing(__all__)
