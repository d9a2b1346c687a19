"""What a tagger is trained to make small: a loss for each word, from its logits and what is known of its label.

A loss is a callable, `WordLoss`; the trainer weighs the words' losses by their rows' weights and takes the mean.
`CrossEntropy`, `Focal` and `GeneralizedCrossEntropy` are told by one column: what the loss would be if a class were the
right one. A word with one label takes that class's, a word with a distribution over the labels takes the mean under it.
`MeanSquaredError` and `KullbackLeibler` compare two distributions, that of the model with the word's, which for a word
with one label has all on that. A teacher's student is trained by these two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from xner._support.arguments import choose
from xner.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

__all__ = [
    "LOSSES",
    "CrossEntropy",
    "Focal",
    "GeneralizedCrossEntropy",
    "KullbackLeibler",
    "LossName",
    "MeanSquaredError",
    "WordLoss",
    "WordTargets",
    "label_weights",
    "make_loss",
]

LossName = Literal["cross-entropy", "focal", "generalized-cross-entropy", "mse", "kl"]


@dataclass(frozen=True, slots=True, eq=False)
class WordTargets:
    """What is known of the labels of words.

    Attributes:
        labels: int64, words: each word's label.
        distributions: float32, words x labels, rows sum to 1: probabilities of each word's labels, which then stand in
            for `labels`; None where labels are hard.
    """

    labels: torch.Tensor
    distributions: torch.Tensor | None = None


class WordLoss(Protocol):
    """The loss of words."""

    def __call__(self, logits: torch.Tensor, targets: WordTargets) -> torch.Tensor:
        """The loss of each word.

        Args:
            logits: float32, words x labels.
            targets: of the same words.

        Returns:
            float32, words; from 0 on.
        """


@dataclass(frozen=True, slots=True)
class CrossEntropy:
    """Negative log-likelihood, `-log p_y`.

    Attributes:
        class_weights: one a label, by which the loss of words of that label is multiplied; None for ones.
    """

    class_weights: Sequence[float] | None = None

    def __call__(self, logits: torch.Tensor, targets: WordTargets) -> torch.Tensor:
        """As `WordLoss`."""
        return _under(targets, -logits.log_softmax(-1), self.class_weights)


@dataclass(frozen=True, slots=True)
class Focal:
    """Cross-entropy that easy words hardly add to, `-(1 - p_y)^gamma log p_y`.

    Attributes:
        gamma: from 0 on; 0 is cross-entropy.
        class_weights: as for `CrossEntropy`: the paper's alpha.

    Source: Lin, Goyal, Girshick, He, Dollár 2017, equation 5.
    """

    gamma: float = 2.0
    class_weights: Sequence[float] | None = None

    def __call__(self, logits: torch.Tensor, targets: WordTargets) -> torch.Tensor:
        """As `WordLoss`."""
        log_p = logits.log_softmax(-1)
        # 1 - p without cancellation where p is near 1; the power of an exact 0 has no finite gradient below gamma 1.
        rest = (-log_p.expm1()).clamp_min(_TINY)
        return _under(targets, -(rest**self.gamma) * log_p, self.class_weights)


@dataclass(frozen=True, slots=True)
class GeneralizedCrossEntropy:
    """A loss that trusts labels less than cross-entropy does, `(1 - p_y^q) / q`, and bounded, by `1 / q`.

    Attributes:
        q: above 0, up to 1: towards 0 it becomes cross-entropy; 1 is `1 - p_y`, half of the mean absolute error, which
            wrong labels harm least and which learns slowest.
        class_weights: as for `CrossEntropy`.

    Source: Zhang, Sabuncu 2018, equation 6.
    """

    q: float = 0.7
    class_weights: Sequence[float] | None = None

    def __call__(self, logits: torch.Tensor, targets: WordTargets) -> torch.Tensor:
        """As `WordLoss`."""
        # expm1: for a small q, 1 - p^q would lose its digits.
        return _under(targets, -(self.q * logits.log_softmax(-1)).expm1() / self.q, self.class_weights)


@dataclass(frozen=True, slots=True)
class MeanSquaredError:
    """Mean over the labels of the squared difference of two probabilities, `sum_k (p_k - q_k)^2 / labels`.

    `q` is the model's distribution, `p` the word's.

    Attributes:
        class_weights: one a label; the loss of a word is multiplied by their mean under `p`. None for ones.

    Source: Wu, Lin, Karlsson, Lou, Huang 2020 (arXiv 2004.12440), section 3.2, for a teacher's distributions. For hard
    labels it is the score of Brier 1950, divided by the number of labels.
    """

    class_weights: Sequence[float] | None = None

    def __call__(self, logits: torch.Tensor, targets: WordTargets) -> torch.Tensor:
        """As `WordLoss`."""
        wanted = _distributions(targets, logits)
        return _weighed((logits.softmax(-1) - wanted).square().mean(-1), wanted, self.class_weights)


@dataclass(frozen=True, slots=True)
class KullbackLeibler:
    """How far the model's distribution is from the word's, both flattened, `T^2 sum_k p_k log(p_k / q_k)`.

    `q` is the softmax of the model's logits divided by T. `p` is the word's distribution to the power of 1/T,
    normalised: the softmax of a teacher's logits divided by T. The factor keeps gradients as large as they are
    without a temperature.

    Attributes:
        temperature: T, above 0; above 1 probabilities that are small count more.
        class_weights: as for `MeanSquaredError`, under the distribution before it is flattened.

    Source: Hinton, Vinyals, Dean 2015 (arXiv 1503.02531), section 2.
    """

    temperature: float = 1.0
    class_weights: Sequence[float] | None = None

    def __call__(self, logits: torch.Tensor, targets: WordTargets) -> torch.Tensor:
        """As `WordLoss`."""
        wanted = _distributions(targets, logits)
        flat = wanted ** (1 / self.temperature)
        flat = flat / flat.sum(-1, keepdim=True)
        # x log x is 0 at 0.
        divergence = (flat.xlogy(flat) - flat * (logits / self.temperature).log_softmax(-1)).sum(-1)
        return _weighed(self.temperature**2 * divergence, wanted, self.class_weights)


_TINY: Final = 1e-12


def _distributions(targets: WordTargets, logits: torch.Tensor) -> torch.Tensor:
    """Words x labels, as the logits; a hard label has all probability."""
    if targets.distributions is not None:
        return targets.distributions
    import torch

    return torch.nn.functional.one_hot(targets.labels, logits.shape[-1]).to(logits.dtype)


def _weighed(losses: torch.Tensor, wanted: torch.Tensor, class_weights: Sequence[float] | None) -> torch.Tensor:
    """The losses of words, each multiplied by the mean class weight under the word's distribution."""
    return losses if class_weights is None else losses * (wanted @ losses.new_tensor(class_weights))


def _under(targets: WordTargets, losses: torch.Tensor, class_weights: Sequence[float] | None) -> torch.Tensor:
    """The loss of each word under its label or its distribution, from words x labels of what each label would cost."""
    if class_weights is not None:
        losses = losses * losses.new_tensor(class_weights)
    if targets.distributions is not None:
        return (targets.distributions * losses).sum(-1)
    return losses.gather(-1, targets.labels[:, None])[:, 0]


def label_weights(
    wanted: str | Mapping[str, float], names: Sequence[str], counts: Sequence[int]
) -> tuple[float, ...] | None:
    """Weights of labels, for the losses' `class_weights`.

    Args:
        wanted: as `TrainingSettings.class_weights`.
        names: of the labels.
        counts: words of each label that are learnt.

    Returns:
        None for ones alone.

    Raises:
        Error: a weight for what is neither a label nor a class.
    """
    if wanted == "none":
        return None
    if isinstance(wanted, str):
        share = sum(counts) / max(1, sum(count > 0 for count in counts))
        return tuple(share / count if count else 1.0 for count in counts)
    known = sorted({*names, *(name[2:] for name in names if name != "O")})
    if unknown := sorted(set(wanted) - set(known)):
        raise OptionError(f"class_weights: {unknown[0]!r} is none of the labels and classes {', '.join(known)}")
    return tuple(wanted.get(name, wanted.get(name[2:], 1.0)) for name in names)


LOSSES: Final = dict.fromkeys(("cross-entropy", "focal", "generalized-cross-entropy", "mse", "kl"))


def make_loss(
    name: LossName,
    *,
    focal_gamma: float = 2.0,
    gce_q: float = 0.7,
    temperature: float = 1.0,
    class_weights: Sequence[float] | None = None,
) -> WordLoss:
    """A loss by name.

    Args:
        name: of `LOSSES`.
        focal_gamma: of `Focal`.
        gce_q: of `GeneralizedCrossEntropy`.
        temperature: of `KullbackLeibler`.
        class_weights: one a label.

    Raises:
        Error: no such loss.
    """
    choose("loss", name, LOSSES)
    makers: dict[LossName, Callable[[], WordLoss]] = {
        "cross-entropy": lambda: CrossEntropy(class_weights),
        "focal": lambda: Focal(focal_gamma, class_weights),
        "generalized-cross-entropy": lambda: GeneralizedCrossEntropy(gce_q, class_weights),
        "mse": lambda: MeanSquaredError(class_weights),
        "kl": lambda: KullbackLeibler(temperature, class_weights),
    }
    return makers[name]()
