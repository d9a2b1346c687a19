"""Translation models in CTranslate2's format, made of those of transformers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Final

from xner.models.network.conversion import keep_converted
from xner.models.network.loading import naming_model
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
    with no_advice():
        return keep_converted(
            name, dtype, partial(_converter, name), kind="translation model", what=_WHAT, folder=folder
        )


def _converter(name: str) -> Any:
    """CTranslate2's converter of a model, which reads weights from safetensors files alone."""
    from ctranslate2.converters import TransformersConverter

    class Converter(TransformersConverter):  # type: ignore[misc]  # the library has no types
        def load_model(self, model_class: Any, model_name_or_path: str, **options: Any) -> Any:
            with naming_model(model_name_or_path, "translation model"):
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
