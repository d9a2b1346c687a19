"""Networks on the processor without padding: a batch's sequences are one row.

Transformers takes functions of attention, and ours looks at one sequence at a time; all else in these networks looks at
tokens alone. Imports torch: to be imported where a model is loaded.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
import transformers
from torch import nn

from xner.models.network._packed_weights import pack_weights
from xner.models.network.piece_network import TorchNetwork, Vectors, first_position

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from xner.models.network.pieces import PieceTokenizer

__all__ = ["UnpaddedNetwork", "torch_network"]

# Of models whose tokens meet in the attention alone, which transformers lets be replaced, and have absolute positions.
_TYPES: Final = (
    "albert",
    "bert",
    "camembert",
    "distilbert",
    "electra",
    "ernie",
    "roberta",
    "xlm-roberta",
    "xlm-roberta-xl",
)
_ATTENTION: Final = "xner_unpadded"


def torch_network(
    model: Any,
    tokenizer: PieceTokenizer,
    device: torch.device,
    *,
    output: Literal["last_hidden_state", "logits"],
    compile: bool = False,
) -> TorchNetwork:
    """A model of transformers as a `Network`: on processors without padding and with packed weights, as types allow.

    Args:
        model: on its device, ready to infer; it is no longer the caller's.
        tokenizer: its.
        device: where it is.
        output: which of the model's outputs the vectors are.
        compile: whether to compile it with `torch.compile`.
    """
    if device.type != "cpu" or compile:
        return TorchNetwork(model, tokenizer, device, output=output, compile=compile)
    pack_weights(model)
    config = model.config
    unpadded = config.model_type in _TYPES and not getattr(config, "is_decoder", False)
    return (UnpaddedNetwork if unpadded else TorchNetwork)(model, tokenizer, device, output=output)


class UnpaddedNetwork(TorchNetwork):
    """A model of one of these types, on the processor."""

    pads = False

    def __init__(
        self,
        model: Any,
        tokenizer: PieceTokenizer,
        device: torch.device,
        *,
        output: Literal["last_hidden_state", "logits"],
    ) -> None:
        """As `torch_network`."""
        super().__init__(model, tokenizer, device, output=output)
        transformers.AttentionInterface.register(_ATTENTION, _attention)
        model.set_attn_implementation(_ATTENTION)
        self._first_position = first_position(model.base_model)

    def forward(self, rows: Sequence[Sequence[int]]) -> Vectors:
        """See `Network`."""
        lengths = [len(row) for row in rows]
        ids = np.fromiter(itertools.chain.from_iterable(rows), np.int64, sum(lengths))
        positions = np.concatenate([np.arange(length) for length in lengths]) + self._first_position
        with torch.inference_mode():
            outputs = self.model(
                input_ids=torch.from_numpy(ids)[None],
                position_ids=torch.from_numpy(positions)[None],
                runs=[(length, len(list(same))) for length, same in itertools.groupby(lengths)],
            )
        return Vectors(getattr(outputs, self._output)[0], np.cumsum([0, *lengths[:-1]]))


def _attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,
    *,
    scaling: float,
    runs: Sequence[tuple[int, int]],
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """What transformers calls: attention within each sequence.

    Args:
        module: whose attention it is.
        query: of all sequences, one after another, (1 × heads × tokens × dimensions).
        key: likewise.
        value: likewise.
        attention_mask: there is none.
        scaling: of products of queries and keys.
        runs: of sequences of the same length: the length, and how many there are.

    Returns:
        (1 × tokens × heads × dimensions), and no weights.
    """
    found = torch.empty_like(query.transpose(1, 2), memory_format=torch.contiguous_format)
    start = 0
    for length, count in runs:
        end = start + length * count
        # (sequences × heads × tokens × dimensions) of those of this length.
        queries, keys, values = (
            side[0, :, start:end].view(side.shape[1], count, length, -1).transpose(0, 1) for side in (query, key, value)
        )
        attended = nn.functional.scaled_dot_product_attention(queries, keys, values, scale=scaling)
        found[0, start:end] = attended.transpose(1, 2).flatten(0, 1)
        start = end
    return found, None
