"""Fitted aligners as files of the safetensors format: the same model gives the same bytes."""

from __future__ import annotations

import dataclasses
import itertools
import json
import mmap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

import xner._core as _core
from xner.alignment.options import TRAINING, AlignerOptions
from xner.errors import Error, FormatError, OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from xner.alignment._folding import Fold

__all__ = ["Fitted", "TrainedOn", "core_options", "map_model", "read_model", "write_model"]

_FORMAT: Final = "xner-aligner"
_FORMAT_VERSION: Final = 4
_SIDES: Final = ("source", "target")
_PARTS_OF_TEXTS: Final = ("offsets", "bytes", "slots")
_DTYPES: Final = {"I64": "<i8", "I32": "<i4", "U32": "<u4", "F32": "<f4", "U8": "u1"}

# Smaller files are read, and looked at as a whole.
_MAPPED_FROM: Final = 32_000_000

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
        texts: by level, the folded forms of source and target types, by their numbers.
        mapped: the file that all of it is in; None where it is in memory.
    """

    model: _core.AlignerModel
    options: AlignerOptions
    trained_on: TrainedOn
    texts: Sequence[tuple[_core.TextIndex, _core.TextIndex]]
    mapped: mmap.mmap | None = None


def core_options(options: AlignerOptions) -> _core.AlignerOptions:
    """Those of fitting, for the core."""
    result = _core.AlignerOptions()
    for name in TRAINING:
        setattr(result, name, getattr(options, name))
    return result


def write_model(fitted: Fitted) -> bytes:
    """A model as a file's content; functions that it folds by are not in it."""
    from safetensors.numpy import save

    if fitted.mapped is not None:
        return bytes(fitted.mapped)
    tensors: _Tensors = dict(fitted.model.arrays())
    for level, sides in enumerate(fitted.texts):
        for side, texts in zip(_SIDES, sides, strict=True):
            for part in _PARTS_OF_TEXTS:
                tensors[f"levels.{level}.{side}_text_{part}"] = getattr(texts, part)
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


def map_model(path: Path, fold: Fold | tuple[Fold, ...] | None) -> Fitted:
    """A model from a file.

    A large one is not read but mapped into memory: of the pairs of words, which are most of it, aligning sees those
    that it needs alone.

    Raises:
        FormatError: it is not a model of this aligner, or of a version that is not known here.
        OptionError: `fold` is missing, or given for a model that does not need it.
    """
    from safetensors import SafetensorError, safe_open

    if path.stat().st_size < _MAPPED_FROM:
        return read_model(path.read_bytes(), str(path), fold)
    try:
        with safe_open(path, framework="numpy"):
            pass  # it is what it says to be: sizes, and where each array is
    except SafetensorError as error:
        raise FormatError(f"{path}: not a safetensors file: {error}") from error
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return _model(mapped, _views(mapped), str(path), fold)


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
    return _model(data, tensors, name, fold)


def _model(data: bytes | mmap.mmap, tensors: _Tensors, name: str, fold: Fold | tuple[Fold, ...] | None) -> Fitted:
    header = _read_header(data, name)
    if (header["fold"] is None) != (fold is not None):
        needs = (
            "was fitted with functions of its user's: pass them as fold"
            if fold is None
            else f"folds by {header['fold']!r}: fold cannot be given"
        )
        raise OptionError(f"{name}: the model {needs}")
    try:
        options = AlignerOptions.where_they_apply(
            {"fold": fold if fold is not None else header["fold"], **header["options"]}
        )
        texts = [
            (_texts(tensors, level, "source"), _texts(tensors, level, "target")) for level in range(header["levels"])
        ]
        is_mapped = isinstance(data, mmap.mmap)
        if not is_mapped:
            for side in itertools.chain.from_iterable(texts):
                side.bytes.tobytes().decode()  # or it raises
        counts = header["levels"], header["fitted_pairs"]
        model = _core.AlignerModel(core_options(options), *counts, tensors, is_input=is_mapped)
        _check_texts(tensors, texts)
        trained_on = TrainedOn(**header["trained_on"])
    except (Error, KeyError, TypeError, UnicodeDecodeError) as error:
        raise FormatError(f"{name}: a damaged aligner model: {error}") from error
    return Fitted(model, options, trained_on, texts, data if isinstance(data, mmap.mmap) else None)


def _views(mapped: mmap.mmap) -> _Tensors:
    """The arrays of a safetensors file that is sound, where they are."""
    length = int.from_bytes(mapped[:8], "little")
    views = {}
    for name, its in json.loads(mapped[8 : 8 + length]).items():
        if name != "__metadata__" and its["dtype"] in _DTYPES:
            dtype, (begin, end) = np.dtype(_DTYPES[its["dtype"]]), its["data_offsets"]
            views[name] = np.frombuffer(mapped, dtype, (end - begin) // dtype.itemsize, 8 + length + begin)
    return views


def _read_header(data: bytes | mmap.mmap, name: str) -> dict[str, Any]:
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


def _texts(tensors: Mapping[str, npt.NDArray[Any]], level: int, side: str) -> _core.TextIndex:
    return _core.TextIndex(*(tensors[f"levels.{level}.{side}_text_{part}"] for part in _PARTS_OF_TEXTS))


def _check_texts(
    tensors: Mapping[str, npt.NDArray[Any]], texts: Sequence[tuple[_core.TextIndex, _core.TextIndex]]
) -> None:
    for level, sides in enumerate(texts):
        for side, found in zip(_SIDES, sides, strict=True):
            types = len(tensors[f"levels.{level}.{side}_totals"])
            if len(found) != types:
                raise Error(f"level {level} has {len(found)} {side} texts for {types} types")
