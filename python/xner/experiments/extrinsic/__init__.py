"""What labels are worth: taggers trained on them, compared on gold data."""

from __future__ import annotations

from xner._support.faces import listing
from xner.experiments.extrinsic.methods import Method
from xner.experiments.extrinsic.report import write_extrinsic_report
from xner.experiments.extrinsic.study import ExtrinsicStudy, study_extrinsic

__all__ = ["ExtrinsicStudy", "Method", "study_extrinsic", "write_extrinsic_report"]

__dir__ = listing(__all__)
