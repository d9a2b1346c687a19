from __future__ import annotations

import extras

extras.need("models")

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reference import losses as reference
from xner import Error
from xner.training.losses import (
    CrossEntropy,
    Focal,
    GeneralizedCrossEntropy,
    KullbackLeibler,
    MeanSquaredError,
    WordTargets,
    label_weights,
    make_loss,
)

if TYPE_CHECKING:
    from collections.abc import Callable

LOSSES: dict[str, tuple[Callable[..., Any], Callable[[float], float]]] = {
    "cross-entropy": (CrossEntropy, reference.cross_entropy),
    "focal": (partial(Focal, 1.5), partial(reference.focal, gamma=1.5)),
    "gce": (partial(GeneralizedCrossEntropy, 0.4), partial(reference.generalized_cross_entropy, q=0.4)),
}

COMPARISONS: dict[str, tuple[Callable[..., Any], Callable[[list[float], list[float]], float]]] = {
    "mse": (MeanSquaredError, reference.mean_squared_error),
    "kl": (KullbackLeibler, partial(reference.kullback_leibler, temperature=1.0)),
    "kl at 2.5": (partial(KullbackLeibler, 2.5), partial(reference.kullback_leibler, temperature=2.5)),
}

logit = st.floats(-6, 6, width=32)


@st.composite
def words(draw: st.DrawFn) -> tuple[list[list[float]], list[int], list[list[float]], list[float]]:
    """Logits, labels, distributions and class weights of some words."""
    classes = draw(st.integers(2, 4))
    count = draw(st.integers(1, 5))
    logits = [draw(st.lists(logit, min_size=classes, max_size=classes)) for _ in range(count)]
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=count, max_size=count))
    shares = st.lists(st.integers(0, 9), min_size=classes, max_size=classes).filter(any)
    distributions = [[share / sum(row) for share in row] for row in (draw(shares) for _ in range(count))]
    return logits, labels, distributions, draw(st.lists(st.floats(0, 5, width=32), min_size=classes, max_size=classes))


@pytest.mark.parametrize("name", LOSSES)
@given(words())
def test_against_the_formula(name: str, case: Any) -> None:
    logits, labels, distributions, weights = case
    make, formula = LOSSES[name]
    one_hot = [[float(k == label) for k in range(len(weights))] for label in labels]
    for hard, rows in ((True, one_hot), (False, distributions)):
        for class_weights in (None, weights):
            found = make(class_weights=class_weights)(
                torch.tensor(logits, dtype=torch.float64),
                WordTargets(torch.tensor(labels), None if hard else torch.tensor(rows, dtype=torch.float64)),
            )
            expected = [
                reference.expected(formula, logit, row, class_weights or [1.0] * len(weights))
                for logit, row in zip(logits, rows, strict=True)
            ]
            assert found.tolist() == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", COMPARISONS)
@given(words())
def test_comparisons_of_distributions_against_the_formula(name: str, case: Any) -> None:
    logits, labels, distributions, weights = case
    make, formula = COMPARISONS[name]
    one_hot = [[float(k == label) for k in range(len(weights))] for label in labels]
    for hard, rows in ((True, one_hot), (False, distributions)):
        targets = WordTargets(torch.tensor(labels), None if hard else torch.tensor(rows, dtype=torch.float64))
        for class_weights in (None, weights):
            found = make(class_weights=class_weights)(torch.tensor(logits, dtype=torch.float64), targets)
            expected = [
                sum(share * weight for share, weight in zip(row, class_weights or [1.0] * len(row), strict=True))
                * formula(logit, row)
                for logit, row in zip(logits, rows, strict=True)
            ]
            assert found.tolist() == pytest.approx(expected, rel=1e-6, abs=1e-9)


LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.1, -3.0], [-8.0, 9.0, 1.0]], dtype=torch.float64)
TARGETS = WordTargets(torch.tensor([0, 2, 0]))


def test_cross_entropy_is_that_of_torch() -> None:
    weights = [0.5, 2.0, 1.5]
    expected = torch.nn.functional.cross_entropy(
        LOGITS, TARGETS.labels, weight=torch.tensor(weights, dtype=torch.float64), reduction="none"
    )
    torch.testing.assert_close(CrossEntropy(weights)(LOGITS, TARGETS), expected)


def test_focal_without_gamma_is_cross_entropy() -> None:
    torch.testing.assert_close(Focal(0.0)(LOGITS, TARGETS), CrossEntropy()(LOGITS, TARGETS))


def test_generalized_cross_entropy_between_cross_entropy_and_absolute_error() -> None:
    torch.testing.assert_close(
        GeneralizedCrossEntropy(1e-9)(LOGITS, TARGETS), CrossEntropy()(LOGITS, TARGETS), rtol=1e-6, atol=1e-9
    )
    # The mean absolute error of a one-hot target is 2 (1 - p_y).
    one_hot = torch.nn.functional.one_hot(TARGETS.labels, 3)
    absolute = (LOGITS.softmax(-1) - one_hot).abs().sum(-1)
    torch.testing.assert_close(GeneralizedCrossEntropy(1.0)(LOGITS, TARGETS), absolute / 2)


@pytest.mark.parametrize("q", [0.3, 0.7, 1.0])
def test_generalized_cross_entropy_is_bounded(q: float) -> None:
    certain_and_wrong = GeneralizedCrossEntropy(q)(torch.tensor([[500.0, 0.0]]), WordTargets(torch.tensor([1])))
    assert certain_and_wrong.item() == pytest.approx(1 / q)


def test_kullback_leibler_is_that_of_torch_and_of_logits() -> None:
    teacher = torch.tensor([[1.0, 0.0, -2.0], [0.3, 0.2, 0.1], [5.0, -5.0, 0.0]], dtype=torch.float64)
    targets = WordTargets(TARGETS.labels, teacher.softmax(-1))
    for temperature in (0.5, 1.0, 4.0):
        expected = temperature**2 * torch.nn.functional.kl_div(
            (LOGITS / temperature).log_softmax(-1), (teacher / temperature).softmax(-1), reduction="none"
        ).sum(-1)
        torch.testing.assert_close(KullbackLeibler(temperature)(LOGITS, targets), expected)


@pytest.mark.parametrize("loss", [MeanSquaredError(), KullbackLeibler(3.0)])
def test_a_student_that_says_what_its_teacher_says_has_nothing_to_learn(loss: Any) -> None:
    logits = LOGITS.clone().requires_grad_()
    found = loss(logits, WordTargets(TARGETS.labels, LOGITS.softmax(-1)))
    found.sum().backward()
    assert logits.grad is not None
    torch.testing.assert_close(found, torch.zeros_like(found))
    torch.testing.assert_close(logits.grad, torch.zeros_like(LOGITS))


def test_hard_labels_make_the_comparisons_what_is_known() -> None:
    torch.testing.assert_close(KullbackLeibler()(LOGITS, TARGETS), CrossEntropy()(LOGITS, TARGETS))
    one_hot = torch.nn.functional.one_hot(TARGETS.labels, 3).double()
    brier = (LOGITS.softmax(-1) - one_hot).square().sum(-1)
    torch.testing.assert_close(3 * MeanSquaredError()(LOGITS, TARGETS), brier)


@pytest.mark.parametrize(
    "loss",
    [
        CrossEntropy(),
        Focal(0.5),
        Focal(2.0),
        GeneralizedCrossEntropy(0.7),
        MeanSquaredError(),
        KullbackLeibler(),
        KullbackLeibler(2.0),
    ],
)
def test_gradients_are_finite_at_the_extremes(loss: Any) -> None:
    logits = torch.tensor([[200.0, 0.0], [0.0, 200.0], [0.0, 0.0]], requires_grad=True)
    loss(logits, WordTargets(torch.tensor([0, 0, 1]))).sum().backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_a_one_hot_distribution_is_a_label() -> None:
    soft = WordTargets(TARGETS.labels, torch.nn.functional.one_hot(TARGETS.labels, 3).double())
    for make, _ in (*LOSSES.values(), *COMPARISONS.values()):
        torch.testing.assert_close(make()(LOGITS, soft), make()(LOGITS, TARGETS))


def test_losses_by_name() -> None:
    assert make_loss("focal", focal_gamma=3.0) == Focal(3.0)
    assert make_loss("generalized-cross-entropy", gce_q=0.5, class_weights=(1.0, 2.0)) == GeneralizedCrossEntropy(
        0.5, (1.0, 2.0)
    )
    assert make_loss("cross-entropy") == CrossEntropy()
    assert make_loss("mse", class_weights=(1.0, 2.0)) == MeanSquaredError((1.0, 2.0))
    assert make_loss("kl", temperature=2.0) == KullbackLeibler(2.0)
    with pytest.raises(Error, match="loss='hinge': expected one of 'cross-entropy', 'focal', 'generalized-cross-entr"):
        make_loss("hinge")  # type: ignore[arg-type]  # on purpose


def test_weights_of_labels() -> None:
    names = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    counts = [80, 10, 5, 5, 0]
    assert label_weights("none", names, counts) is None
    balanced = label_weights("balanced", names, counts)
    assert balanced == (100 / 4 / 80, 100 / 4 / 10, 100 / 4 / 5, 100 / 4 / 5, 1.0)
    assert sum(weight * count for weight, count in zip(balanced, counts, strict=True)) / 100 == pytest.approx(1)
    assert label_weights({"PER": 2.0, "I-PER": 3.0, "O": 0.5}, names, counts) == (0.5, 2.0, 3.0, 1.0, 1.0)
    with pytest.raises(Error, match="class_weights: 'ORG' is none of the labels and classes B-LOC, B-PER, I-LOC, I-PE"):
        label_weights({"ORG": 2.0}, names, counts)
