"""Networks without padding beside the same ones with it."""

from __future__ import annotations

import extras

extras.need("models")

import copy
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from xner.models.network import _unpadded as unpadded
from xner.models.network._unpadded import UnpaddedNetwork, torch_network
from xner.models.network.piece_network import TorchNetwork

CPU = torch.device("cpu")
LENGTHS = [13, 7, 7, 7, 2, 5, 1]
# Weights large enough for vectors that differ by more than rounding.
SIZES: dict[str, Any] = {
    "vocab_size": 40,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 30,
    "initializer_range": 0.2,
    "pad_token_id": 1,
}
TOKENIZER: Any = SimpleNamespace(padding=1, longest=1000)
Output = Literal["last_hidden_state", "logits"]


def a_model(kind: str, auto_class: Any = transformers.AutoModel, **changes: Any) -> Any:
    sizes = {"dim": 32, "hidden_dim": 48, "n_layers": 3, "n_heads": 4} if kind == "distilbert" else {}
    torch.manual_seed(0)
    return auto_class.from_config(transformers.AutoConfig.for_model(kind, **(SIZES | sizes | changes))).eval()


def rows_of(lengths: list[int]) -> list[list[int]]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randint(4, 40, (length,), generator=generator).tolist() for length in lengths]


def assert_same(network: TorchNetwork, padded: TorchNetwork, lengths: list[int]) -> None:
    found, expected = (one.forward(rows_of(lengths)) for one in (network, padded))
    for length, start, at in zip(lengths, found.starts, expected.starts, strict=True):
        torch.testing.assert_close(
            found.values[start : start + length], expected.values[at : at + length], atol=1e-5, rtol=1e-4
        )


@pytest.mark.parametrize("output", ["last_hidden_state", "logits"])
@pytest.mark.parametrize("kind", unpadded._TYPES)
def test_vectors_are_those_with_padding(kind: str, output: Output) -> None:
    with_head = output == "logits"
    model = a_model(kind, transformers.AutoModelForTokenClassification if with_head else transformers.AutoModel)
    padded = TorchNetwork(copy.deepcopy(model), TOKENIZER, CPU, output=output)
    network = torch_network(model, TOKENIZER, CPU, output=output)
    assert not network.pads
    assert (network.longest, network.dtype) == (padded.longest, padded.dtype)
    values = network.forward(rows_of(LENGTHS)).values
    assert len(values) == sum(LENGTHS)
    assert values.std() > 0.1
    assert_same(network, padded, LENGTHS)


@pytest.fixture(scope="module")
def both() -> tuple[TorchNetwork, TorchNetwork]:
    model = a_model("xlm-roberta")
    padded = TorchNetwork(copy.deepcopy(model), TOKENIZER, CPU, output="last_hidden_state")
    return torch_network(model, TOKENIZER, CPU, output="last_hidden_state"), padded


@settings(deadline=None)
@given(st.lists(st.integers(1, 28), min_size=1, max_size=12))
def test_any_lengths(both: tuple[TorchNetwork, TorchNetwork], lengths: list[int]) -> None:
    assert_same(*both, lengths)


def test_a_batch_changes_nothing_but_rounding(both: tuple[TorchNetwork, TorchNetwork]) -> None:
    """What stands beside a sequence is not seen."""
    together = both[0].forward(rows_of(LENGTHS))
    for row, start in zip(rows_of(LENGTHS), together.starts, strict=True):
        alone = both[0].forward([row]).values
        torch.testing.assert_close(alone, together.values[start : start + len(row)], atol=1e-5, rtol=1e-4)


def test_bfloat16() -> None:
    model = a_model("bert").to(torch.bfloat16)
    padded = TorchNetwork(copy.deepcopy(model), TOKENIZER, CPU, output="last_hidden_state")
    network = torch_network(model, TOKENIZER, CPU, output="last_hidden_state")
    assert not network.pads
    found, expected = (one.forward(rows_of([9, 9])).values for one in (network, padded))
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found, expected, atol=0.1, rtol=0.1)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("mpnet", {}),  # positions are relative
        ("convbert", {}),  # tokens meet in convolutions
        ("bert", {"is_decoder": True}),  # attention goes one way
    ],
)
def test_other_networks_have_padding(kind: str, changes: dict[str, Any]) -> None:
    network = torch_network(a_model(kind, **changes), TOKENIZER, CPU, output="last_hidden_state")
    assert network.pads
    assert not isinstance(network, UnpaddedNetwork)


def test_compiled_networks_have_padding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.compile", lambda model, dynamic: model)  # which takes seconds to import
    assert torch_network(a_model("bert"), TOKENIZER, CPU, output="last_hidden_state", compile=True).pads


def test_other_devices_have_padding() -> None:
    model = a_model("bert").to("meta")
    assert torch_network(model, TOKENIZER, torch.device("meta"), output="last_hidden_state").pads
