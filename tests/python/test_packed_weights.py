"""Packed weights beside the same ones as torch has them."""

from __future__ import annotations

import extras

extras.need("models")

import copy
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers

from xner.models.network import _packed_weights as packed_weights
from xner.models.network._packed_weights import pack_weights
from xner.models.translators.seq2seq import load_seq2seq

if TYPE_CHECKING:
    from pathlib import Path

CPU = torch.device("cpu")
IDS = torch.tensor([[5, 6, 7, 8, 9, 2], [9, 8, 7, 2, 1, 1]])
TRANSLATORS = {"m2m_100", "marian", "mbart"}
# Every name that a size has somewhere.
SIZES: dict[str, Any] = {
    "vocab_size": 40,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 30,
    "initializer_range": 0.2,
    "init_std": 0.2,
    "pad_token_id": 1,
}
# As multilingual ones have it.
OF_DEBERTA = {
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_buckets": 8,
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
    "position_biased_input": False,
}
OF_DISTILBERT = {"dim": 32, "hidden_dim": 48, "n_layers": 2, "n_heads": 4}
OF_TRANSLATORS = {
    **{f"{side}_{name}": size for side in ("encoder", "decoder") for name, size in (("layers", 2), ("ffn_dim", 48))},
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "d_model": 32,
    "decoder_start_token_id": 2,
}


def a_model(kind: str) -> Any:
    changes = OF_DEBERTA if kind == "deberta-v2" else OF_DISTILBERT if kind == "distilbert" else {}
    auto_class: Any = transformers.AutoModelForMaskedLM
    if kind in TRANSLATORS:
        changes, auto_class = OF_TRANSLATORS, transformers.AutoModelForSeq2SeqLM
    own = {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"}  # by other names there
    sizes = {name: size for name, size in SIZES.items() if kind not in {*TRANSLATORS, "distilbert"} or name not in own}
    torch.manual_seed(0)
    return auto_class.from_config(transformers.AutoConfig.for_model(kind, **(sizes | changes))).eval()


def linear_layers(model: Any) -> list[Any]:
    return [module for module in model.modules() if type(module) is torch.nn.Linear]


def logits(model: Any) -> torch.Tensor:
    target = {"decoder_input_ids": IDS} if model.config.is_encoder_decoder else {}
    with torch.inference_mode():
        found: torch.Tensor = model(input_ids=IDS, attention_mask=(IDS != 1).long(), **target).logits
    return found


@pytest.mark.parametrize("kind", packed_weights._TYPES)
def test_logits_are_the_same(kind: str) -> None:
    model = a_model(kind)
    plain = copy.deepcopy(model)
    pack_weights(model)
    assert linear_layers(model) == [model.get_output_embeddings()]
    expected = logits(plain)
    assert expected.std() > 0.1
    torch.testing.assert_close(logits(model), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("capability", ["DEFAULT", "SVE256"])
def test_other_processors_keep_them(capability: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: capability)
    model = a_model("bert")
    before = len(linear_layers(model))
    pack_weights(model)
    assert len(linear_layers(model)) == before > 1


@pytest.mark.parametrize("change", ["bfloat16", "meta", "t5"])
def test_other_models_keep_them(change: str) -> None:
    """T5 asks its linear layers for the type of their weights."""
    model = a_model("bert")
    if change == "t5":
        model.config.model_type = change
    else:
        model = model.to(getattr(torch, change, change))
    before = len(linear_layers(model))
    pack_weights(model)
    assert len(linear_layers(model)) == before > 1


def test_translations_are_the_same(tiny_nllb: Path) -> None:
    plain = transformers.AutoModelForSeq2SeqLM.from_pretrained(tiny_nllb).eval()
    packed = load_seq2seq(str(tiny_nllb), device=CPU, dtype=torch.float32, what="a test")
    assert linear_layers(packed) == [packed.get_output_embeddings()]
    made = [model.generate(input_ids=IDS, num_beams=3, max_new_tokens=8).tolist() for model in (plain, packed)]
    assert made[0] == made[1]
