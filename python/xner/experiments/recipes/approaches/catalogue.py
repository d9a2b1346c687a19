"""The approaches by name, and the one that options ask for."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from xner._support.options import declared
from xner.experiments.recipes.approaches.ensemble import Ensemble
from xner.experiments.recipes.approaches.model_transfer import ModelTransfer
from xner.experiments.recipes.approaches.options import TRAINING, ApproachOptions
from xner.experiments.recipes.approaches.projection import Projection, TranslateTest
from xner.experiments.recipes.approaches.trained_tagger import TrainedTagger
from xner.pipelines.projection_run import Pipeline
from xner.pipelines.run_options import PARTS
from xner.training.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xner._support.options import Declared
    from xner.experiments.recipes.approaches.base import Approach
    from xner.experiments.recipes.approaches.options import ApproachName

__all__ = ["OPTIONS", "approach_of"]

_APPROACHES: Final[Mapping[ApproachName, type[Approach]]] = {
    "projection": Projection,
    "translate-test": TranslateTest,
    "model-transfer": ModelTransfer,
    "ensemble": Ensemble,
    "trained-tagger": TrainedTagger,
}

OPTIONS: Final[Mapping[str, Declared]] = MappingProxyType(
    {name: its for part in (*PARTS, ApproachOptions) for name, its in declared(part).items()} | TRAINING
)
"""All that a variant may say: which way, how a tagger is trained, and what the pipeline does."""


def approach_of(options: Mapping[str, Any]) -> Approach:
    """The approach that a variant's options ask for.

    Args:
        options: by name, of `OPTIONS`.

    Raises:
        OptionError: options that do not go with each other, or one that is missing.
    """

    def some(names: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in options.items() if name in names}

    way, training = ApproachOptions(**some(declared(ApproachOptions))), TrainingSettings(**some(TRAINING))
    rest = {n: value for n, value in options.items() if n not in TRAINING and n not in declared(ApproachOptions)}
    return _APPROACHES[way.approach](way, Pipeline(**rest), training)
