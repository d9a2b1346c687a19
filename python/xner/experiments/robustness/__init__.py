"""How taggers that came about in different ways degrade under domain shift."""

from __future__ import annotations

from xner._support.faces import listing
from xner.experiments.robustness.report import write_shift_report
from xner.experiments.robustness.study import ShiftStudy, study_shift
from xner.experiments.robustness.texts import StudiedShift

__all__ = ["ShiftStudy", "StudiedShift", "study_shift", "write_shift_report"]

__dir__ = listing(__all__)
