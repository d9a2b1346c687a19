"""Weights of linear layers in the order in which the processor reads them.

oneDNN, which comes with torch, multiplies faster by matrices that have been put into its own order once. Imports torch:
to be imported where a model is loaded.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import nn

__all__ = ["pack_weights"]

# Models whose linear layers are called and never looked into.
_TYPES: Final = (
    "albert",
    "bert",
    "camembert",
    "deberta-v2",
    "distilbert",
    "electra",
    "ernie",
    "m2m_100",
    "marian",
    "mbart",
    "roberta",
    "xlm-roberta",
    "xlm-roberta-xl",
)


def pack_weights(model: Any) -> None:
    """Pack the weights of a model's linear layers where that pays: in float32 on processors, of types that are known.

    The layer that gives logits of words stays: its weights are the table of embeddings, which would be there twice.

    Args:
        model: of transformers, on its device; no longer to be trained or saved.
    """
    if not _pays(model):
        return
    head = model.get_output_embeddings()
    for module in list(model.modules()):
        for name, layer in list(module.named_children()):
            if type(layer) is nn.Linear and layer is not head:
                setattr(module, name, _PackedLinear(layer))


def _pays(model: Any) -> bool:
    return (
        model.config.model_type in _TYPES
        and model.device.type == "cpu"
        and model.dtype == torch.float32
        and torch.backends.cpu.get_cpu_capability() in {"AVX2", "AVX512"}
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]  # torch has no types for it
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


class _PackedLinear(nn.Module):
    """A linear layer whose weights are packed."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        with torch.no_grad():
            self._weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight, None)
        self._bias = None if layer.bias is None else layer.bias.detach()

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(values, self._weight, self._bias, "none", [], "")
        return found
