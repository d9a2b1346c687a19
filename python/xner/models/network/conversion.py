"""Models in CTranslate2's format, made of those of transformers and kept."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xner._support.extras import require
from xner._support.folders import cache_folder
from xner.errors import Error, OptionError
from xner.models.network.loading import first_line, import_transformers, model_identity, quiet

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["keep_converted"]


def keep_converted(
    name: str,
    dtype: str,
    converter: Callable[[], Any],
    *,
    kind: str,
    what: str,
    part: str = "",
    folder: Path | None = None,
) -> Path:
    """A model in CTranslate2's format, converted where that has not been done before.

    The folder is made under a name of its own and moved into place, so that it is whole or not there at all.

    Args:
        name: on the Hugging Face hub, or a folder, with weights in safetensors files.
        dtype: precision that weights are kept in: `int8`, `float16`, `bfloat16`, `float32`, or `auto`: as they are.
        converter: makes the library's converter of the model.
        kind: of model, for messages: "encoder".
        what: who needs it, likewise.
        part: tells which part of the model is converted; empty for all of it.
        folder: where converted models are kept; None for `ctranslate2` in the user's folder of caches.

    Returns:
        The folder of the converted model.

    Raises:
        Error: the extra `translate` is not installed, or the model cannot be converted.
    """
    require("ctranslate2", extra="translate", what=what)
    if not dtype.replace("_", "").isalnum():  # it names a folder
        raise OptionError(f"dtype={dtype!r}: expected int8, float16, bfloat16, float32 or auto")
    transformers = import_transformers(what)
    files = ("model.safetensors", "model.safetensors.index.json")
    try:
        if not any(transformers.utils.hub.has_file(name, file) for file in files):
            raise Error(f"cannot convert '{name}': it has no weights in safetensors files")
    except OSError as error:
        raise Error(f"cannot load the {kind} '{name}': {first_line(error)}") from error
    label = "-".join(filter(None, [model_identity(name, what=what)[:32], part, dtype]))
    place = (folder or cache_folder() / "ctranslate2") / label
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        try:
            with quiet(transformers):
                converter().convert(str(aside), quantization=None if dtype == "auto" else dtype, force=True)
        except (AssertionError, AttributeError, KeyError, OSError, ValueError, RuntimeError) as error:
            if isinstance(error, Error):  # which says it all
                raise
            reason = first_line(error) or "the converter does not know all of its parts"
            raise Error(f"cannot convert '{name}' to CTranslate2's format: {reason}") from error
        try:
            aside.rename(place)
        except OSError:
            if not place.is_dir():  # another process was faster
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return place
