"""What a pretrained network says of each word piece of sentences: windows, batches and padding."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol

import numpy as np

from xner.errors import Error
from xner.models.network.batching import batches_by_length
from xner.models.network.device import batch_threads, in_halves, side_by_side
from xner.models.network.windows import windows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    import numpy.typing as npt
    import torch

    from xner.models.network.pieces import Pieces, PieceTokenizer

__all__ = ["Network", "PieceNetwork", "TorchNetwork", "Vectors", "first_position", "longest_input"]

_LONGEST_INPUT = 1 << 20  # for models that know no limit


class Vectors(NamedTuple):
    """What a network gives for a batch.

    Attributes:
        values: (tokens × dimensions), row after row; there may be padding between rows.
        starts: for each row the place of its first token.
    """

    values: torch.Tensor
    starts: npt.NDArray[np.int64]

    @classmethod
    def of_padded(cls, values: torch.Tensor) -> Vectors:
        """Those of rows that are equally long, (rows × tokens × dimensions)."""
        return cls(values.flatten(0, 1), np.arange(len(values)) * values.shape[1])


class Network(Protocol):
    """What gives tokens vectors.

    Attributes:
        device: where the vectors are.
        dtype: name of the precision of weights and activations.
        longest: most tokens that go in at once.
        pads: whether all rows of a batch cost as much as its longest.
        at_once: whether several batches are computed at once where there are cores for it.
    """

    device: torch.device
    dtype: str
    longest: int
    pads: ClassVar[bool]
    at_once: bool

    def forward(self, rows: Sequence[Sequence[int]]) -> Vectors:
        """The vectors of a batch.

        Args:
            rows: numbers of tokens, special ones included.
        """

    def threads(self) -> Executor | None:
        """What computes several batches at once; None where they come one after the other."""


class TorchNetwork:
    """A model of transformers as a `Network`."""

    pads: ClassVar[bool] = True

    def __init__(
        self,
        model: Any,
        tokenizer: PieceTokenizer,
        device: torch.device,
        *,
        output: Literal["last_hidden_state", "logits"],
        compile: bool = False,
    ) -> None:
        """Take a loaded model.

        Args:
            model: on its device, ready to infer.
            tokenizer: its.
            device: where it is.
            output: which of the model's outputs the vectors are.
            compile: whether to compile it with `torch.compile`.
        """
        import torch

        self.device = device
        self.dtype = str(model.dtype).removeprefix("torch.")
        self.longest = longest_input(model.base_model, tokenizer)
        self.model: Any = torch.compile(model, dynamic=True) if compile else model
        self._padding = tokenizer.padding
        self._output = output
        self.at_once = device.type == "cpu" and not compile

    def forward(self, rows: Sequence[Sequence[int]]) -> Vectors:
        """See `Network`."""
        import torch

        width = max(map(len, rows))
        ids = np.full((len(rows), width), self._padding, np.int64)
        mask = np.zeros((len(rows), width), np.int64)
        for row, values in enumerate(rows):
            ids[row, : len(values)] = values
            mask[row, : len(values)] = 1
        with torch.inference_mode():
            outputs = self.model(
                input_ids=torch.from_numpy(ids).to(self.device, non_blocking=True),
                attention_mask=torch.from_numpy(mask).to(self.device, non_blocking=True),
            )
        return Vectors.of_padded(getattr(outputs, self._output))

    def threads(self) -> Executor | None:
        """See `Network`."""
        return batch_threads() if self.at_once else None


class PieceNetwork:
    """A network that gives every word piece of a sentence a vector, with its tokenizer.

    Attributes:
        network: what computes.
        tokenizer: splits words into its pieces.
        capacity: most pieces that go in at once, special tokens not counted.
    """

    def __init__(self, network: Network, tokenizer: PieceTokenizer, *, kind: str) -> None:
        """Take a network.

        Args:
            network: what computes.
            tokenizer: its.
            kind: of model, for messages: "encoder".

        Raises:
            Error: it takes less than two pieces at once.
        """
        self.network = network
        self.tokenizer = tokenizer
        # A language's mark is one of the two tokens around a sentence: counted without knowing the language.
        special = 2 if tokenizer.needs_language else sum(map(len, tokenizer.around()))
        self.capacity = network.longest - special
        if self.capacity < 2:
            raise Error(
                f"the {kind} '{tokenizer.name}' takes {self.capacity} word pieces at once; at least 2 are needed"
            )

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.network.device

    def run(
        self,
        sentences: Sequence[Pieces],
        *,
        language: str | None = None,
        token_budget: int,
        overlap: int,
        progress: Callable[[int], None] | None = None,
    ) -> torch.Tensor:
        """Run the network over sentences, those beyond its capacity in overlapping windows.

        Args:
            sentences: in pieces, by this network's tokenizer.
            language: the mark that every sentence gets, where the tokenizer needs one.
            token_budget: most tokens in a batch, padding and special tokens included.
            overlap: least pieces that neighbouring windows share.
            progress: told after each batch how many sentences it finished.

        Returns:
            The vectors of all pieces, sentence after sentence, (pieces × dimensions), on the device. Without pieces the
            number of dimensions is 1.
        """
        import torch

        prefix, suffix = self.tokenizer.around(language)
        parts = [
            (index, window)
            for index, sentence in enumerate(sentences)
            if len(sentence)
            for window in windows(len(sentence), self.capacity, min(overlap, self.capacity - 1))
        ]
        # One block of memory for all; each sentence's vectors are a part of it.
        starts = np.cumsum([0, *map(len, sentences)])
        packed: torch.Tensor | None = None
        lock = threading.Lock()  # held by whoever makes that block or tells of progress

        def run(batch: Sequence[int]) -> None:
            nonlocal packed
            rows = [
                [*prefix, *sentences[index].ids[window.start : window.end], *suffix]
                for index, window in (parts[part] for part in batch)
            ]
            vectors, first_tokens = self.network.forward(rows)
            with lock:
                if packed is None:
                    packed = torch.empty((int(starts[-1]), vectors.shape[-1]), dtype=vectors.dtype, device=self.device)
            taken, put = [], []
            for first_token, (index, window) in zip(first_tokens, (parts[part] for part in batch), strict=True):
                first = first_token + len(prefix) - window.start
                taken.append(np.arange(first + window.keep_start, first + window.keep_end))
                put.append(np.arange(starts[index] + window.keep_start, starts[index] + window.keep_end))
            source, target = (
                torch.from_numpy(np.concatenate(indices)).to(self.device, non_blocking=True) for indices in (taken, put)
            )
            packed[target] = vectors[source]
            if progress is not None:
                with lock:
                    progress(sum(parts[part][1].start == 0 for part in batch))

        lengths = [window.end - window.start + len(prefix) + len(suffix) for _, window in parts]
        network = self.network
        batches = batches_by_length(lengths, token_budget, pads=network.pads, at_once=network.at_once)
        for _ in side_by_side(network.threads(), lambda batch: in_halves(run, batch), batches):
            pass
        return torch.empty((0, 1), device=self.device) if packed is None else packed


def longest_input(model: Any, tokenizer: PieceTokenizer) -> int:
    """Most tokens that a model takes, special ones included.

    Args:
        model: without a head: the `base_model` of one with a head.
        tokenizer: its.
    """
    limits = [_LONGEST_INPUT, tokenizer.longest]
    positions = getattr(model.config, "max_position_embeddings", None)
    if positions:
        limits.append(positions - first_position(model))
    return int(min(limits))


def first_position(model: Any) -> int:
    """The number of a sequence's first position: models in the manner of RoBERTa count from behind the padding token's.

    Args:
        model: as for `longest_input`.
    """
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    padding: int | None = getattr(table, "padding_idx", None)
    return 0 if padding is None else padding + 1
