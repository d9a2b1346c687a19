"""The lower layers of an encoder in CTranslate2, which computes them on the processor in float32 or int8."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from xner._support.extras import require
from xner.errors import Error, OptionError
from xner.models.network.conversion import keep_converted
from xner.models.network.device import load_apart, share_of_cores
from xner.models.network.loading import first_line, import_transformers, load_config, load_layers
from xner.models.network.piece_network import Vectors, longest_input

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from xner.models.network.pieces import PieceTokenizer

__all__ = ["CTranslate2Encoder"]

_KIND = "encoder"
# Types of encoders that the library's converter takes.
_TYPES: Final = ("bert", "camembert", "distilbert", "roberta", "xlm-roberta")


class CTranslate2Encoder:
    """An encoder in CTranslate2 as a `Network`.

    Attributes:
        device: the processor.
        dtype: name of the precision.
        longest: most tokens that go in at once.
        pads: whether all rows of a batch cost as much as its longest.
        at_once: whether several batches are computed at once where there are cores for it.
    """

    pads: ClassVar[bool] = True
    at_once = True

    def __init__(self, name: str, layer: int, tokenizer: PieceTokenizer, *, dtype: str, what: str) -> None:
        """Load an encoder's layers, converted where that has not been done before.

        Args:
            name: on the Hugging Face hub, or a folder with a saved model.
            layer: the last one that is computed, from 1.
            tokenizer: the model's.
            dtype: `float32` or `int8`.
            what: who needs it, for messages.

        Raises:
            Error: the extra `translate` is not installed, the model is of no type that CTranslate2 takes, or it cannot
                be converted.
        """
        import torch

        library = require("ctranslate2", extra="translate", what=f"{what} with CTranslate2")
        config = load_config(name, kind=_KIND, what=what)
        if config.model_type not in _TYPES:
            raise Error(
                f"CTranslate2 takes encoders of the types {', '.join(map(repr, _TYPES))}; '{name}' is of type "
                f"'{config.model_type}', which transformers computes"
            )
        if layer == 0:
            raise OptionError("layer=0: CTranslate2 computes layers from 1 on; transformers gives the embedding layer")
        self.device = torch.device("cpu")
        self.dtype = dtype
        self.longest = _longest(config, tokenizer, what)
        converter = partial(_converter, name, layer, what)
        folder = keep_converted(name, dtype, converter, kind=_KIND, what=what, part=f"layer{layer}")
        workers, threads = share_of_cores()
        try:
            self._encoder: Any = load_apart(
                partial(library.Encoder, str(folder), compute_type=dtype, inter_threads=workers, intra_threads=threads)
            )
        except (RuntimeError, ValueError) as error:
            raise Error(f"cannot load the encoder '{name}' into CTranslate2: {first_line(error)}") from error
        # Each waits for one batch.
        self._threads = ThreadPoolExecutor(workers) if workers > 1 else None

    def forward(self, rows: Sequence[Sequence[int]]) -> Vectors:
        """See `Network`."""
        import torch

        found = self._encoder.forward_batch([list(row) for row in rows])
        return Vectors.of_padded(torch.from_numpy(np.asarray(found.last_hidden_state)))

    def threads(self) -> Executor | None:
        """See `Network`."""
        return self._threads


def _longest(config: Any, tokenizer: PieceTokenizer, what: str) -> int:
    """Most tokens that a model takes, told by a copy without weights."""
    import torch

    config.num_hidden_layers = 0
    with torch.device("meta"):
        bare = import_transformers(what).AutoModel.from_config(config)
    return longest_input(bare, tokenizer)


class _Numbers:
    """In place of a tokenizer, for the converter: an encoder that is given numbers needs no names of tokens."""

    unk_token = "0"

    def __init__(self, size: int) -> None:
        self._size = size

    def get_vocab(self) -> dict[str, int]:
        return {str(number): number for number in range(self._size)}


def _converter(name: str, layer: int, what: str) -> Any:
    """CTranslate2's converter of an encoder's layers."""
    import torch
    from ctranslate2.converters import TransformersConverter

    class Converter(TransformersConverter):  # type: ignore[misc]  # the library has no types
        def load_model(self, model_class: Any, model_name_or_path: str, **options: Any) -> Any:
            model = load_layers(model_name_or_path, layer, torch.float32, what=what)
            # What it asks of configurations, and newer versions of transformers do not write.
            if not hasattr(model.config, "position_embedding_type"):
                model.config.position_embedding_type = "absolute"
            if model.config.model_type == "bert":  # whose pooler it takes
                return model
            model.pooler = None
            # XLM-R's loader takes it apart from within a classifier.
            with_head = model_class.__name__.endswith("ForSequenceClassification")
            return SimpleNamespace(config=model.config, roberta=model) if with_head else model

        def load_tokenizer(self, tokenizer_class: Any, model_name_or_path: str, **options: Any) -> Any:
            return _Numbers(load_config(model_name_or_path, kind=_KIND, what=what).vocab_size)

    return Converter(name)
