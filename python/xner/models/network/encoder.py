"""Contextual embeddings of word pieces from one layer of a pretrained encoder."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Literal

from xner.models.network.ctranslate2_encoder import CTranslate2Encoder
from xner.models.network.device import import_torch
from xner.models.network.loading import load_layers
from xner.models.network.piece_network import PieceNetwork
from xner.models.network.pieces import PieceTokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from xner.models.network.piece_network import Network
    from xner.models.network.pieces import Pieces

__all__ = ["Encoder"]

_WHAT = "the encoder aligner"


class Encoder:
    """The lower layers of a pretrained encoder, with its tokenizer. Make one with `Encoder.load` or `Encoder.convert`.

    Attributes:
        name: of the model, or its folder.
        layer: the layer whose output the embeddings are; 0 is the embedding layer.
        device: where it computes.
        dtype: name of the precision of weights and activations.
        tokenizer: splits words into its pieces.
        capacity: most pieces that go in at once, special tokens not counted.
    """

    def __init__(self, layer: int, network: Network, tokenizer: PieceTokenizer) -> None:
        """Use `Encoder.load` or `Encoder.convert`."""
        self._network = PieceNetwork(network, tokenizer, kind="encoder")
        self.name = tokenizer.name
        self.layer = layer
        self.device = network.device
        self.dtype = network.dtype
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
        import_torch(_WHAT)
        tokenizer = PieceTokenizer.load(name, what=_WHAT)
        model = load_layers(name, layer, dtype, what=_WHAT).to(device).eval()
        from xner.models.network._unpadded import torch_network

        network = torch_network(model, tokenizer, device, output="last_hidden_state", compile=compile)
        return cls(layer, network, tokenizer)

    @classmethod
    def convert(cls, name: str, layer: int, *, dtype: Literal["float32", "int8"]) -> Encoder:
        """Load a model as `load` does, into CTranslate2, which computes on the processor.

        The layers that are needed are converted to its format on first use and kept in the user's folder of caches.

        Args:
            name: on the Hugging Face hub, or a folder with a saved model.
            layer: counted from 1.
            dtype: of weights and activations.

        Raises:
            Error: as for `load`; the extra `translate` is not installed; CTranslate2 does not take such models.
        """
        import_torch(_WHAT)
        tokenizer = PieceTokenizer.load(name, what=_WHAT)
        return cls(layer, CTranslate2Encoder(name, layer, tokenizer, dtype=dtype, what=_WHAT), tokenizer)

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
