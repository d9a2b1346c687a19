"""The built-in sample: English sentences with entities, their German and Spanish translations with gold labels."""

from __future__ import annotations

from xner._support.faces import listing
from xner.io.sample.corpus import LANGUAGES, load, path

__all__ = ["LANGUAGES", "load", "path"]

__dir__ = listing(__all__)
