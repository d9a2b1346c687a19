"""Fitted aligners as files of the safetensors format: the same model gives the same bytes."""

from __future__ import annotations

import dataclasses
import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

import xner._core as _core
from xner.alignment.options import TRAINING, AlignerOptions
from xner.errors import Error, FormatError, OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xner.alignment._folding import Fold

__all__ = ["Fitted", "TrainedOn", "core_options", "read_model", "write_model"]

_FORMAT: Final = "xner-aligner"
_FORMAT_VERSION: Final = 3

_Tensors: TypeAlias = "dict[str, npt.NDArray[Any]]"


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """What a model was fitted on.

    Attributes:
        blocks: in which the corpus was fitted, one after the other.
        lexicon: entries of the lexicon, and how many of them have both words in the corpus.
    """

    sentence_pairs: int
    source_tokens: int
    target_tokens: int
    xner_version: str
    blocks: int = 1
    lexicon: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lexicon", tuple(self.lexicon))  # JSON has lists


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A fitted model.

    Attributes:
        model: the core's.
        options: what it was fitted with.
        trained_on: the size of the corpus it was fitted on.
        texts: by level, the folded forms of source and target types.
    """

    model: _core.AlignerModel
    options: AlignerOptions
    trained_on: TrainedOn
    texts: Sequence[tuple[list[str], list[str]]]


def core_options(options: AlignerOptions) -> _core.AlignerOptions:
    """Those of fitting, for the core."""
    result = _core.AlignerOptions()
    for name in TRAINING:
        setattr(result, name, getattr(options, name))
    return result


def write_model(fitted: Fitted) -> bytes:
    """A model as a file's content; functions that it folds by are not in it."""
    from safetensors.numpy import save

    tensors: _Tensors = dict(fitted.model.arrays())
    for level, sides in enumerate(fitted.texts):
        for side, texts in zip(("source", "target"), sides, strict=True):
            encoded = [text.encode() for text in texts]
            offsets = np.zeros(len(texts) + 1, np.int64)
            np.cumsum([len(text) for text in encoded], out=offsets[1:])
            tensors[f"levels.{level}.{side}_text_offsets"] = offsets
            tensors[f"levels.{level}.{side}_text"] = np.frombuffer(b"".join(encoded), np.uint8)
    names = [field.name for field in dataclasses.fields(AlignerOptions) if field.name != "fold"]
    header = {
        "format": _FORMAT,
        "version": _FORMAT_VERSION,
        "levels": len(fitted.texts),
        "fitted_pairs": fitted.model.sentence_pairs,
        "fold": fitted.options.fold if isinstance(fitted.options.fold, str) else None,
        "options": {name: getattr(fitted.options, name) for name in names},
        "trained_on": dataclasses.asdict(fitted.trained_on),
    }
    # One entry, because safetensors does not keep the order of several.
    return save(tensors, {_FORMAT: json.dumps(header, sort_keys=True)})


def read_model(data: bytes, name: str, fold: Fold | tuple[Fold, ...] | None) -> Fitted:
    """A model from a file's content.

    Args:
        data: what `write_model` made.
        name: of the file, for messages.
        fold: the functions that it was fitted with, if it was.

    Raises:
        FormatError: it is not a model of this aligner, or of a version that is not known here.
        OptionError: `fold` is missing, or given for a model that does not need it.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(data)
    except SafetensorError as error:
        raise FormatError(f"{name}: not a safetensors file: {error}") from error
    header = _read_header(data, name)
    if (header["fold"] is None) != (fold is not None):
        needs = (
            "was fitted with functions of its user's: pass them as fold"
            if fold is None
            else f"folds by {header['fold']!r}: fold cannot be given"
        )
        raise OptionError(f"{name}: the model {needs}")
    try:
        options = AlignerOptions(fold=fold if fold is not None else header["fold"], **header["options"])
        texts = [
            (_read_texts(tensors, level, "source"), _read_texts(tensors, level, "target"))
            for level in range(header["levels"])
        ]
        model = _core.AlignerModel.from_arrays(core_options(options), header["levels"], header["fitted_pairs"], tensors)
        _check_texts(tensors, texts)
        trained_on = TrainedOn(**header["trained_on"])
    except (Error, KeyError, TypeError, UnicodeDecodeError) as error:
        raise FormatError(f"{name}: a damaged aligner model: {error}") from error
    return Fitted(model, options, trained_on, texts)


def _read_header(data: bytes, name: str) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + length]).get("__metadata__")  # which the library's own reader leaves out
    try:
        header: dict[str, Any] = json.loads((metadata or {})[_FORMAT])
        version = header["version"]
    except (KeyError, ValueError, TypeError) as error:
        raise FormatError(f"{name}: a safetensors file, but not an aligner model of xner") from error
    if version != _FORMAT_VERSION:
        raise FormatError(f"{name}: an aligner model of version {version}, this xner reads version {_FORMAT_VERSION}")
    missing = {"levels", "fitted_pairs", "fold", "options", "trained_on"} - header.keys()
    if missing:
        raise FormatError(f"{name}: a damaged aligner model: no {', '.join(sorted(missing))} in its header")
    return header


def _read_texts(tensors: Mapping[str, npt.NDArray[Any]], level: int, side: str) -> list[str]:
    data = tensors[f"levels.{level}.{side}_text"].tobytes()
    offsets = tensors[f"levels.{level}.{side}_text_offsets"].tolist()
    return [data[start:end].decode() for start, end in itertools.pairwise(offsets)]


def _check_texts(tensors: Mapping[str, npt.NDArray[Any]], texts: Sequence[tuple[list[str], list[str]]]) -> None:
    for level, sides in enumerate(texts):
        for side, found in zip(("source", "target"), sides, strict=True):
            types = len(tensors[f"levels.{level}.{side}_totals"])
            if len(found) != types:
                raise Error(f"level {level} has {len(found)} {side} texts for {types} types")
