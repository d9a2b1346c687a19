"""How a tagger is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, Self, get_args

from xner._support.arguments import choose, number_from_zero
from xner._support.options import Choice, DeclaredOptions, Flag, Kind, Many, Number, Text, When, Whole, option
from xner.errors import OptionError
from xner.training.losses import LossName

__all__ = ["LORA", "SCHEDULES", "LoraSettings", "Schedule", "TrainingSettings"]

Schedule = Literal["linear", "cosine", "constant"]
SCHEDULES: Final[Mapping[str, str]] = {
    "linear": "linear",
    "cosine": "cosine",
    "constant": "constant_with_warmup",
}
"""By the name that they have here, the name that transformers has for them."""

LORA: Final = "Small matrices (LoRA)"
"""What the options of `LoraSettings` are listed under."""
_LENGTH, _UPDATES, _LOSS = "Length", "Updates", "Loss"
_FOCAL = When("loss='focal'", lambda o: o.loss == "focal")
_GENERALIZED = When("loss='generalized-cross-entropy'", lambda o: o.loss == "generalized-cross-entropy")
_KL = When("loss='kl'", lambda o: o.loss == "kl")


@dataclass(frozen=True, slots=True)
class _ClassWeights(Many):
    """A way to find weights, or a mapping from classes and labels to numbers; as texts, `CLASS=NUMBER` each."""

    each: Kind = field(default_factory=lambda: Text("none|balanced|CLASS=NUMBER"))

    def check(self, name: str, value: Any) -> Any:
        """See `Kind`."""
        if isinstance(value, str):
            choose(name, value, dict.fromkeys(("none", "balanced")))
            return value
        if not isinstance(value, Mapping):
            return self.of_texts(name, value)
        for which, weight in value.items():
            number_from_zero(f"{name}[{which!r}]", weight)
        return dict(value)

    def parse(self, name: str, text: str) -> Any:
        """See `Kind`."""
        return self.of_texts(name, text.split(","))

    def of_texts(self, name: str, texts: Iterable[str]) -> Any:
        """What texts stand for."""
        several = list(texts)
        if len(several) == 1 and several[0] in {"none", "balanced"}:
            return several[0]
        weights: dict[str, float] = {}
        for text in several:
            which, _, weight = text.partition("=")
            if text in {"none", "balanced"}:
                raise OptionError(f"{name}={text!r} stands by itself, without numbers beside it")
            if which in weights:
                raise OptionError(f"{name}={text!r}: {which!r} has the weight {weights[which]:g} already")
            try:
                if not which:
                    raise ValueError
                weights[which] = float(weight)
            except ValueError:
                raise OptionError(f"{name}={text!r}: expected 'none', 'balanced' or CLASS=NUMBER") from None
        return self.check(name, weights)

    def to_text(self, value: Any) -> str:
        """See `Kind`."""
        return value if isinstance(value, str) else ",".join(f"{name}={weight:g}" for name, weight in value.items())


@dataclass(frozen=True, slots=True)
class _Lora:
    """`LoraSettings`."""

    metavar: str = "SETTINGS"

    def check(self, name: str, value: Any) -> LoraSettings:
        """See `Kind`."""
        if not isinstance(value, LoraSettings):
            raise OptionError(f"{name}={value!r}: expected LoraSettings")
        return value

    def parse(self, name: str, text: str) -> LoraSettings:
        """See `Kind`."""
        raise OptionError(f"{name}={text!r}: has no form as a text")

    def to_text(self, value: LoraSettings) -> str:
        """See `Kind`."""
        return ",".join(value.signature_parts())


@dataclass(frozen=True, slots=True)
class LoraSettings(DeclaredOptions):
    """Which small matrices are trained in place of a model's own weights.

    Raises:
        OptionError: a value is out of range.

    Source: Hu et al. 2022 (LoRA), section 4.1.
    """

    rank: int = option(8, Whole(1), "Of the matrices.", group=LORA)
    alpha: float = option(16.0, Number(positive=True), "What they are scaled by, times the rank.", group=LORA)
    dropout: float = option(0.05, Number(below=1), "Before them.", group=LORA)
    targets: tuple[str, ...] = option(
        ("all-linear",),
        Many(Text("LAYER")),
        "Names of the layers that get them, or all-linear for all.",
        flags=["--lora-target"],
        group=LORA,
    )

    def check_together(self) -> None:
        """See `DeclaredOptions`."""
        if not self.targets:
            raise OptionError("targets=(): expected names of layers, or 'all-linear'")


@dataclass(frozen=True, slots=True)
class TrainingSettings(DeclaredOptions):
    """How a tagger is trained.

    Raises:
        OptionError: a value is unknown or out of range, or says nothing beside another.
    """

    epochs: int = option(10, Whole(1), "Passes over the data, unless --max-steps ends them.", group=_LENGTH)
    max_steps: int | None = option(None, Whole(1), "Updates of the weights at most.", optional=True, group=_LENGTH)
    evaluate_steps: int | None = option(
        None,
        Whole(1),
        "Updates between two scorings on the development data, each with a checkpoint.",
        optional=True,
        default_text="an epoch",
        group=_LENGTH,
    )
    patience: int | None = option(
        3,
        Whole(0),
        "Scorings without a better one until training stops, 0 for never.",
        optional=True,
        group=_LENGTH,
    )
    f_beta: float = option(
        1.0,
        Number(positive=True),
        "Which figure of the development data chooses the best checkpoint: F1, or with a beta above 1 one that minds "
        "recall more.",
        group=_LENGTH,
    )
    batch_size: int = option(32, Whole(1), "Sentences that one device computes at once.", group=_UPDATES)
    accumulation: int = option(1, Whole(1), "Such batches an update.", group=_UPDATES)
    learning_rate: float = option(2e-5, Number(positive=True), "At its peak.", group=_UPDATES)
    schedule: Schedule = option(
        "linear",
        Choice(tuple(SCHEDULES)),
        "How it falls after the warm-up: to 0 by a line or a cosine, or not at all.",
        group=_UPDATES,
    )
    warmup: float = option(0.1, Number(below=1), "Share of the updates in which it rises.", group=_UPDATES)
    weight_decay: float = option(0.01, Number(), "Of AdamW.", group=_UPDATES)
    bf16: bool = option(False, Flag(), "Compute in bfloat16; the weights stay in float32.", group=_UPDATES)
    longest: int | None = option(
        None,
        Whole(3),
        "Most word pieces that are seen at once, special ones included.",
        optional=True,
        default_text="what the model takes",
        group=_UPDATES,
    )
    overlap: int = option(
        128, Whole(0), "Word pieces that neighbouring windows over a longer sentence share.", group=_UPDATES
    )
    lora: LoraSettings | None = option(
        None, _Lora(), "Train small matrices in place of all weights.", optional=True, group=LORA
    )
    loss: LossName | None = option(
        None,
        Choice(get_args(LossName)),
        "What is made small; mse and kl compare probabilities.",
        optional=True,
        default_text="cross-entropy, for students mse",
        group=_LOSS,
    )
    focal_gamma: float = option(2.0, Number(), "Of the focal loss.", when=[_FOCAL], group=_LOSS)
    gce_q: float = option(
        0.7, Number(positive=True, most=1), "Of the generalized cross-entropy.", when=[_GENERALIZED], group=_LOSS
    )
    temperature: float = option(
        1.0,
        Number(positive=True),
        "Of kl, the Kullback-Leibler divergence: above 1, small probabilities count more.",
        when=[_KL],
        group=_LOSS,
    )
    class_weights: Literal["none", "balanced"] | Mapping[str, float] = option(
        "none",
        _ClassWeights(),
        "What the loss of a word is multiplied by: balanced, inversely to how frequent its label is, so that the mean "
        "over the words is 1; or a number by label (B-PER) or class (PER, O), 1 for those that are not named.",
        group=_LOSS,
    )
    seed: int = option(
        0, Whole(0), "Of everything random: new weights, the order of the sentences, dropout.", group="Runs"
    )

    def with_loss(self, default: LossName) -> Self:
        """The same, with a loss where none is named."""
        return self if self.loss is not None else replace(self, loss=default)

    def check_together(self) -> None:
        """See `DeclaredOptions`."""
        if self.patience == 0:
            object.__setattr__(self, "patience", None)
