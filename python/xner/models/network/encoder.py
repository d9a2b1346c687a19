"""Contextual embeddings of word pieces from one layer of a pretrained encoder."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from xner.errors import Error, OptionError
from xner.models.network.device import import_torch
from xner.models.network.loading import load_config, load_weights
from xner.models.network.piece_network import PieceNetwork
from xner.models.network.pieces import PieceTokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from xner.models.network.pieces import Pieces

__all__ = ["Encoder"]

_WHAT = "the encoder aligner"


class Encoder:
    """The lower layers of a pretrained encoder, with its tokenizer. Make one with `Encoder.load`.

    Attributes:
        name: of the model, or its folder.
        layer: the layer whose output the embeddings are; 0 is the embedding layer.
        device: where it computes.
        dtype: name of the precision of weights and activations.
        tokenizer: splits words into its pieces.
        capacity: most pieces that go in at once, special tokens not counted.
    """

    def __init__(self, layer: int, model: Any, tokenizer: PieceTokenizer, device: torch.device) -> None:
        """Use `Encoder.load`."""
        self._network = PieceNetwork(model, tokenizer, device, output="last_hidden_state", kind="encoder")
        self.name = tokenizer.name
        self.layer = layer
        self.device = device
        self.dtype = self._network.dtype
        self.tokenizer = tokenizer
        self.capacity = self._network.capacity

    @classmethod
    def load(cls, name: str, layer: int, *, device: torch.device, dtype: torch.dtype, compile: bool = False) -> Encoder:
        """Load a model's tokenizer and its layers up to the one that is needed; the others are never computed.

        Encoder-decoder models give their encoder. Weights come from safetensors files; code that comes with a model is
        not run.

        Args:
            name: on the Hugging Face hub, or a folder with a saved model.
            layer: counted from 1; 0 for the embedding layer.
            device: where to compute.
            dtype: of weights and activations.
            compile: whether to compile the model with `torch.compile`: worth it for long runs.

        Raises:
            Error: there is no such model, it has fewer layers, its weights are not those of an encoder or not in
                safetensors, or its tokenizer cannot tell which piece belongs to which word.
        """
        torch = import_torch(_WHAT)
        tokenizer = PieceTokenizer.load(name, what=_WHAT)
        model = _load_layers(name, layer, dtype)
        model = model.to(device).eval()
        return cls(layer, torch.compile(model, dynamic=True) if compile else model, tokenizer, device)

    def embed(
        self,
        sentences: Sequence[Pieces],
        *,
        language: str | None = None,
        token_budget: int,
        overlap: int,
        progress: Callable[[int], None] | None = None,
    ) -> list[torch.Tensor]:
        """Encode sentences, those beyond the encoder's capacity in overlapping windows.

        Args:
            sentences: in pieces, by this encoder's tokenizer.
            language: the mark that every sentence gets, where the encoder needs one.
            token_budget: most tokens in a batch, padding and special tokens included.
            overlap: least pieces that neighbouring windows share.
            progress: told after each batch how many sentences it finished.

        Returns:
            For each sentence its pieces' embeddings, (pieces × dimensions), on the device.
        """
        packed = self._network.run(
            sentences, language=language, token_budget=token_budget, overlap=overlap, progress=progress
        )
        starts = itertools.accumulate(map(len, sentences), initial=0)
        return [packed[start:end] for start, end in itertools.pairwise(starts)]


def _load_layers(name: str, layer: int, dtype: torch.dtype) -> Any:
    """The encoder of a model, cut off after a layer."""
    config = load_config(name, kind="encoder", what=_WHAT)
    layers = config.num_hidden_layers
    if not 0 <= layer <= layers:
        raise OptionError(f"layer={layer}: the encoder '{name}' has the layers 0 to {layers}")
    cut = {"encoder_layers": layer, "decoder_layers": 0} if config.is_encoder_decoder else {"num_hidden_layers": layer}
    model, absent = load_weights("AutoModel", name, kind="encoder", what=_WHAT, dtype=dtype, **cut)
    if config.is_encoder_decoder:
        model = model.get_encoder()
    # Heads are made anew where a checkpoint has none; an encoder with random weights is not what was asked for.
    missing = [key for key in absent if "pooler" not in key and "decoder" not in key]
    if missing:
        raise Error(
            f"'{name}' has not the weights of an encoder of type '{config.model_type}': {len(missing)} are missing, "
            f"{missing[0]} for one"
        )
    return model
