"""Which units are changed: in random order, until as many are as a severity wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xner.experiments.shift._draws import Draws, keys_of
from xner.experiments.shift.base import State

if TYPE_CHECKING:
    from xner.experiments.shift.base import Change, Shift
    from xner.experiments.shift.edits import Corpus
    from xner.experiments.shift.options import ShiftOptions

__all__ = ["plan", "wanted"]


def wanted(units: int, options: ShiftOptions) -> int:
    """How many of so many units are to change."""
    return int(options.share * units + 0.5)


def plan(corpus: Corpus, made: Shift, options: ShiftOptions, *, variant: int = 0) -> list[Change]:
    """Changes of as many units as are to change, or as can be.

    Args:
        corpus: that is shifted.
        made: how.
        options: severity and seed.
        variant: 0 for the shift itself; others are as random as that one.
    """
    count = len(made.units)
    most = wanted(count, options)
    keys = keys_of(options.seed, f"{options.kind}{variant or ''}", count)
    state = State(corpus, count)
    changes = []
    changed = 0
    for number in np.argsort(keys, kind="stable").tolist():
        if changed >= most:
            break
        if not state.is_free(number):
            continue
        change = made.change(number, Draws(int(keys[number])), state)
        if change is not None:
            state.make(change)
            changes.append(change)
            changed += len(change.units)
    return changes
