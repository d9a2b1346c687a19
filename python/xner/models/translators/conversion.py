"""Translation models in CTranslate2's format, made of those of transformers."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from xner._support.extras import require
from xner.errors import Error, OptionError
from xner.models.network.loading import first_line, import_transformers, model_identity, quiet
from xner.models.translators.cache import default_cache_path
from xner.models.translators.seq2seq import add_marks, no_advice

__all__ = ["convert_model", "is_converted"]

_WHAT = "converting a model to CTranslate2's format"


def is_converted(model: str) -> bool:
    """Whether a model is a folder in CTranslate2's format."""
    return (Path(model) / "model.bin").is_file() and not (Path(model) / "model.safetensors").is_file()


# What CTranslate2's converter asks of configurations, and they say only if an older version of transformers wrote them.
_ASKED: Final[dict[str, dict[str, Any]]] = {
    "mbart": {"normalize_before": True, "normalize_embedding": True, "tokenizer_class": "MBart50Tokenizer"},
}


def convert_model(name: str, dtype: str = "auto", *, folder: Path | None = None) -> Path:
    """A model in CTranslate2's format, converted where that has not been done before.

    Args:
        name: on the Hugging Face hub, or a folder, with weights in safetensors files.
        dtype: precision that weights are kept in: `int8`, `float16`, `bfloat16`, `float32`, or `auto`: as they are.
        folder: where converted models are kept; None for `ctranslate2` in the user's folder of caches.

    Returns:
        The folder of the converted model.

    Raises:
        Error: the extra `translate` is not installed, or the model cannot be converted.
    """
    require("ctranslate2", extra="translate", what=_WHAT)
    if not dtype.replace("_", "").isalnum():  # it names a folder
        raise OptionError(f"dtype={dtype!r}: expected int8, float16, bfloat16, float32 or auto")
    transformers = import_transformers(_WHAT)
    kinds = ("model.safetensors", "model.safetensors.index.json")
    try:
        if not any(transformers.utils.hub.has_file(name, kind) for kind in kinds):
            raise Error(f"cannot convert '{name}': it has no weights in safetensors files")
    except OSError as error:
        raise Error(f"cannot load the translation model '{name}': {first_line(error)}") from error
    place = (folder or default_cache_path().parent / "ctranslate2") / f"{model_identity(name, what=_WHAT)[:32]}-{dtype}"
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        try:
            with quiet(transformers), no_advice():
                _converter(name).convert(str(aside), quantization=None if dtype == "auto" else dtype, force=True)
        except (AttributeError, OSError, ValueError, RuntimeError) as error:
            raise Error(f"cannot convert '{name}' to CTranslate2's format: {first_line(error)}") from error
        try:
            aside.rename(place)
        except OSError:
            if not place.is_dir():  # another process was faster
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return place


def _converter(name: str) -> Any:
    """CTranslate2's converter of a model, which reads weights from safetensors files alone."""
    from ctranslate2.converters import TransformersConverter

    class Converter(TransformersConverter):  # type: ignore[misc]  # the library has no types
        def load_model(self, model_class: Any, model_name_or_path: str, **options: Any) -> Any:
            model = model_class.from_pretrained(model_name_or_path, use_safetensors=True, **options)
            for setting, value in _ASKED.get(model.config.model_type, {}).items():
                setattr(model.config, setting, value)
            return model

        def load_tokenizer(self, tokenizer_class: Any, model_name_or_path: str, **options: Any) -> Any:
            tokenizer = super().load_tokenizer(tokenizer_class, model_name_or_path, **options)
            add_marks(tokenizer)
            if tokenizer.bos_token is None:  # mBART-50's, which calls it otherwise
                tokenizer.bos_token = tokenizer.cls_token
            return tokenizer

    return Converter(name)
