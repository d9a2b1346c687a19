"""How a tagger is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from xner._support.arguments import choose, number, number_from_zero, positive_number, whole_number
from xner.errors import OptionError
from xner.training.losses import LOSSES, LossName

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CLASS_WEIGHTS", "SCHEDULES", "LoraSettings", "Schedule", "TrainingSettings"]

Schedule = Literal["linear", "cosine", "constant"]
SCHEDULES: Final[Mapping[str, str]] = {
    "linear": "linear",
    "cosine": "cosine",
    "constant": "constant_with_warmup",
}
"""By the name that they have here, the name that transformers has for them."""
CLASS_WEIGHTS: Final = dict.fromkeys(("none", "balanced"))


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """Which small matrices are trained in place of a model's own weights.

    Attributes:
        rank: of the matrices.
        alpha: what they are scaled by, times `rank`.
        dropout: before them.
        targets: names of the layers that get them, or `all-linear` for all.

    Source: Hu et al. 2022 (LoRA), section 4.1.
    """

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.05
    targets: tuple[str, ...] = ("all-linear",)

    def __post_init__(self) -> None:
        whole_number("lora rank", self.rank, 1)
        positive_number("lora alpha", self.alpha)
        _share("lora dropout", self.dropout)
        if not self.targets:
            raise OptionError("lora targets=(): expected names of layers, or 'all-linear'")


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How a tagger is trained.

    Attributes:
        epochs: passes over the data, unless `max_steps` ends them.
        max_steps: updates of the weights at most; None goes by the epochs.
        batch_size: sentences that one device computes at once.
        accumulation: such batches an update.
        learning_rate: at its peak.
        schedule: how it falls after the warm-up: to 0 by a line or a cosine, or not at all.
        warmup: share of the updates in which it rises.
        weight_decay: of AdamW.
        loss: what is made small, a name of `LOSSES`.
        focal_gamma: of the focal loss.
        gce_q: of the generalized cross-entropy.
        temperature: of `kl`, the Kullback-Leibler divergence.
        class_weights: what the loss of a word is multiplied by: `none`; `balanced`, inversely to how frequent its
            label is, so that the mean over the words is 1; or a number by label (`B-PER`) or class (`PER`, `O`), 1 for
            those that are not named.
        evaluate_steps: updates between two scorings on the development data, each with a checkpoint; None for once an
            epoch.
        patience: scorings without a better one after which training stops; None for never.
        f_beta: which figure of the development data chooses the best checkpoint: F1, or with a beta above 1 one that
            minds recall more.
        bf16: whether to compute in bfloat16; the weights stay in float32.
        lora: train small matrices instead of all weights; None for all weights.
        longest: most word pieces that are seen at once, special ones included; None for as many as the model takes.
        overlap: word pieces that neighbouring windows over a longer sentence share.
        seed: of everything random: new weights, the order of the sentences, dropout.
    """

    epochs: int = 10
    max_steps: int | None = None
    batch_size: int = 32
    accumulation: int = 1
    learning_rate: float = 2e-5
    schedule: Schedule = "linear"
    warmup: float = 0.1
    weight_decay: float = 0.01
    loss: LossName = "cross-entropy"
    focal_gamma: float = 2.0
    gce_q: float = 0.7
    temperature: float = 1.0
    class_weights: Literal["none", "balanced"] | Mapping[str, float] = "none"
    evaluate_steps: int | None = None
    patience: int | None = 3
    f_beta: float = 1.0
    bf16: bool = False
    lora: LoraSettings | None = None
    longest: int | None = None
    overlap: int = 128
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "accumulation"):
            whole_number(name, getattr(self, name), 1)
        for name in ("max_steps", "evaluate_steps", "patience"):
            if getattr(self, name) is not None:
                whole_number(name, getattr(self, name), 1)
        for name in ("seed", "overlap"):
            whole_number(name, getattr(self, name), 0)
        if self.longest is not None:
            whole_number("longest", self.longest, 3)
        for name in ("learning_rate", "f_beta", "temperature"):
            positive_number(name, getattr(self, name))
        for name in ("weight_decay", "focal_gamma"):
            number_from_zero(name, getattr(self, name))
        _share("warmup", self.warmup)
        number("gce_q", self.gce_q, "above 0, up to 1", lambda value: 0 < value <= 1)
        choose("schedule", self.schedule, SCHEDULES)
        choose("loss", self.loss, LOSSES)
        if isinstance(self.class_weights, str):
            choose("class_weights", self.class_weights, CLASS_WEIGHTS)
        else:
            for name, weight in self.class_weights.items():
                number_from_zero(f"class_weights[{name!r}]", weight)


def _share(option: str, value: object) -> None:
    number(option, value, "from 0 to below 1", lambda found: 0 <= found < 1)
