"""Contextual embeddings of word pieces from one layer of a pretrained encoder."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from xner.errors import Error
from xner.models.batching import batches_by_length
from xner.models.device import import_torch, in_halves
from xner.models.loading import load_config, load_weights
from xner.models.pieces import Pieces, PieceTokenizer
from xner.models.windows import windows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

__all__ = ["Encoder", "longest_input"]

_WHAT = "the encoder aligner"
_LONGEST_INPUT = 1 << 20  # for models that know no limit


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
        self.name = tokenizer.name
        self.layer = layer
        self.device = device
        self.dtype = str(model.dtype).removeprefix("torch.")
        self.tokenizer = tokenizer
        self._model = model
        # A language's mark is one of the two tokens around a sentence: counted without knowing the language.
        special = 2 if tokenizer.needs_language else sum(map(len, tokenizer.around()))
        self.capacity = longest_input(model, tokenizer) - special
        if self.capacity < 2:
            raise Error(f"the encoder '{self.name}' takes {self.capacity} word pieces at once; at least 2 are needed")

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
        import torch

        prefix, suffix = self.tokenizer.around(language)
        parts = [
            (index, window)
            for index, sentence in enumerate(sentences)
            if len(sentence)
            for window in windows(len(sentence), self.capacity, min(overlap, self.capacity - 1))
        ]
        # One block of memory for all; each sentence's embeddings are a part of it.
        starts = np.cumsum([0, *map(len, sentences)])
        packed: torch.Tensor | None = None

        def run(batch: Sequence[int]) -> None:
            nonlocal packed
            rows = [
                [*prefix, *sentences[index].ids[window.start : window.end], *suffix]
                for index, window in (parts[part] for part in batch)
            ]
            hidden = self._forward(rows)
            if packed is None:
                packed = torch.empty((int(starts[-1]), hidden.shape[-1]), dtype=hidden.dtype, device=self.device)
            width = hidden.shape[1]
            taken, put = [], []
            for row, (index, window) in enumerate(parts[part] for part in batch):
                first = row * width + len(prefix) - window.start
                taken.append(np.arange(first + window.keep_start, first + window.keep_end))
                put.append(np.arange(starts[index] + window.keep_start, starts[index] + window.keep_end))
            source, target = (
                torch.from_numpy(np.concatenate(indices)).to(self.device, non_blocking=True) for indices in (taken, put)
            )
            packed[target] = hidden.flatten(0, 1)[source]
            if progress is not None:
                progress(sum(parts[part][1].start == 0 for part in batch))

        lengths = [window.end - window.start + len(prefix) + len(suffix) for _, window in parts]
        for batch in batches_by_length(lengths, token_budget):
            in_halves(run, batch)
        if packed is None:
            packed = torch.empty((0, 1), device=self.device)
        return [packed[start:end] for start, end in itertools.pairwise(starts)]

    def _forward(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        import torch

        width = max(map(len, rows))
        ids = np.full((len(rows), width), self.tokenizer.padding, np.int64)
        mask = np.zeros((len(rows), width), np.int64)
        for row, values in enumerate(rows):
            ids[row, : len(values)] = values
            mask[row, : len(values)] = 1
        with torch.inference_mode():
            hidden: torch.Tensor = self._model(
                input_ids=torch.from_numpy(ids).to(self.device, non_blocking=True),
                attention_mask=torch.from_numpy(mask).to(self.device, non_blocking=True),
            ).last_hidden_state
        return hidden


def _load_layers(name: str, layer: int, dtype: torch.dtype) -> Any:
    """The encoder of a model, cut off after a layer."""
    config = load_config(name, kind="encoder", what=_WHAT)
    layers = config.num_hidden_layers
    if not 0 <= layer <= layers:
        raise Error(f"layer={layer}: the encoder '{name}' has the layers 0 to {layers}")
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


def longest_input(model: Any, tokenizer: PieceTokenizer) -> int:
    """Most tokens that a model takes, special ones included."""
    limits = [_LONGEST_INPUT, tokenizer.longest]
    positions = getattr(model.config, "max_position_embeddings", None)
    if positions:
        table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
        # Models in the manner of RoBERTa count positions from behind the padding token's number.
        padding = getattr(table, "padding_idx", None)
        limits.append(positions - (0 if padding is None else padding + 1))
    return int(min(limits))
