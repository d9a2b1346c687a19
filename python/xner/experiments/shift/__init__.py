"""Shifted corpora: perturbations that keep words and labels together, at five severities.

    shifted = shift(table, "characters", severity=2, seed=7)
    shifted.table, shifted.edits, print(shifted.summary)

Each kind of change is a module; `edits` carries the labels, for all of them.
"""

from __future__ import annotations

from xner._support.faces import listing
from xner.experiments.shift.edits import (
    EDITS_SCHEMA,
    KINDS,
    Applied,
    Edit,
    Kind,
    apply_edits,
    edits_from_table,
    edits_to_table,
)
from xner.experiments.shift.names import Name, read_lexicon, read_names
from xner.experiments.shift.options import SEVERITIES, UNITS, ShiftOptions
from xner.experiments.shift.shifting import Shifted, shift
from xner.experiments.shift.summary import Counts, ShiftSummary

__all__ = [
    "EDITS_SCHEMA",
    "KINDS",
    "SEVERITIES",
    "UNITS",
    "Applied",
    "Counts",
    "Edit",
    "Kind",
    "Name",
    "ShiftOptions",
    "ShiftSummary",
    "Shifted",
    "apply_edits",
    "edits_from_table",
    "edits_to_table",
    "read_lexicon",
    "read_names",
    "shift",
]

__dir__ = listing(__all__)
