"""Settings by name for what taggers are trained for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DISTILLATION", "TRAINING_PRESETS", "Preset"]


@dataclass(frozen=True, slots=True)
class Preset:
    """What a preset changes of the defaults.

    Attributes:
        settings: fields of `TrainingSettings`.
        classes: what classes become.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)


TRAINING_PRESETS: Final[Mapping[str, Preset]] = {
    "ner": Preset(),
    "candidates": Preset(
        settings={"class_weights": {"CAND": 5.0}, "f_beta": 2.0},
        classes={"*": "CAND"},
    ),
}
"""`ner` changes nothing. `candidates` makes an extractor of candidate spans, which a projection then chooses from: all
classes become one, and finding an entity is worth more than not taking something else for one.

Source: Politov, Shkalikov, Jäkel, Färber 2025, whose repository has such an extractor; the numbers are our own.
"""

DISTILLATION: Final = Preset(settings={"loss": "mse"})
"""For a student.

Source: Wu, Lin, Karlsson, Lou, Huang 2020 (arXiv 2004.12440), section 3.2.
"""
