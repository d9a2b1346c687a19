"""What an encoder aligner does: its options, and the published settings by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from xner._support.arguments import choose, whole_number
from xner.alignment.links.extraction import METHODS, Method, extract_batch
from xner.errors import OptionError
from xner.models.network.device import DTYPES, Dtype

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "ENCODER_DTYPES",
    "ENCODER_ENGINES",
    "ENCODER_PRESETS",
    "EncoderAlignerOptions",
    "EncoderDtype",
    "EncoderEngine",
    "Similarity",
    "check_engine",
]

Similarity = Literal["cosine", "dot"]
EncoderEngine = Literal["transformers", "ctranslate2"]
ENCODER_ENGINES: Final = ("transformers", "ctranslate2")
EncoderDtype = Dtype | Literal["int8"]
ENCODER_DTYPES: Final = (*DTYPES, "int8")

_SIMILARITIES = dict.fromkeys(("cosine", "dot"))


@dataclass(frozen=True, slots=True)
class EncoderAlignerOptions:
    """Which embeddings are compared, and how links are read off their similarities.

    Attributes:
        encoder: name on the Hugging Face hub, or folder, of the model used where none is given.
        layer: whose output is compared, from 1; 0 is the embedding layer.
        similarity: `dot` product, or `cosine`, brought to [0, 1] as (cosine + 1) / 2.
        extraction: how links are extracted, as in `xner.links.extract`.
        threshold: for the methods that have one; None for the method's default.
        null_threshold: likewise.
        max_count: likewise.
        alpha: likewise.
        distortion: likewise.
        source_language: the language of the source side as the encoder spells it (`eng_Latn`), for encoders that mark
            sentences with it.
        target_language: likewise of the target side.
        window_overlap: word pieces that neighbouring windows of a long sentence share, at least.
    """

    encoder: str
    layer: int = 8
    similarity: Similarity = "cosine"
    extraction: Method = "itermax"
    threshold: float | None = None
    null_threshold: float | None = None
    max_count: int | None = None
    alpha: float | None = None
    distortion: float | None = None
    source_language: str | None = None
    target_language: str | None = None
    window_overlap: int = 128

    def __post_init__(self) -> None:
        whole_number("layer", self.layer, 0)
        choose("similarity", self.similarity, _SIMILARITIES)
        choose("extraction", self.extraction, METHODS)
        whole_number("window_overlap", self.window_overlap, 0)
        # Found wrong before a model is loaded rather than after hours.
        extract_batch([], self.extraction, **self.extraction_options)

    @property
    def extraction_options(self) -> dict[str, Any]:
        """The options of the extraction that differ from its defaults."""
        names = ("threshold", "null_threshold", "max_count", "alpha", "distortion")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


def check_engine(engine: str, *, device: str | Sequence[str], dtype: str, owner: str = "") -> None:
    """Whether what computes an encoder can do so there and in that precision.

    Args:
        engine: one of `ENCODER_ENGINES`.
        device: as for `EncoderAligner.load`.
        dtype: likewise.
        owner: what the options' names begin with.

    Raises:
        OptionError: it cannot, or one of them has no meaning.
    """
    choose(f"{owner}engine", engine, dict.fromkeys(ENCODER_ENGINES))
    choose(f"{owner}dtype", dtype, dict.fromkeys(ENCODER_DTYPES))
    if engine == "transformers":
        if dtype == "int8":
            raise OptionError(f"{owner}dtype='int8': that is for {owner}engine='ctranslate2'")
        return
    if dtype not in {"auto", "float32", "int8"}:
        raise OptionError(f"{owner}dtype={dtype!r}: that is for {owner}engine='transformers'; expected float32 or int8")
    if device not in ("auto", "cpu", ["cpu"], ("cpu",)):
        raise OptionError(
            f"{owner}device={device!r}: that is for {owner}engine='transformers'; CTranslate2 computes encoders on "
            "'cpu'"
        )


_MBERT = "google-bert/bert-base-multilingual-cased"

ENCODER_PRESETS: Final[Mapping[str, EncoderAlignerOptions]] = {
    # Jalili Sabet et al. 2020: layer 8 was best for both encoders, IterMax with two rounds and alpha 0.9.
    "simalign-mbert": EncoderAlignerOptions(_MBERT),
    "simalign-xlmr": EncoderAlignerOptions("FacebookAI/xlm-roberta-base"),
    # Dou, Neubig 2021: softmax over dot products of layer 8, threshold 0.001.
    "awesome-mbert": EncoderAlignerOptions(_MBERT, similarity="dot", extraction="softmax", threshold=0.001),
    # Wang et al. 2022 (AccAlign): layer 6 of LaBSE. The threshold is AWESoME's.
    "labse": EncoderAlignerOptions(
        "sentence-transformers/LaBSE", layer=6, similarity="dot", extraction="softmax", threshold=0.001
    ),
    # Ebing et al. 2025 (TransAlign): the top of NLLB's encoder. The threshold is AWESoME's.
    "nllb-encoder": EncoderAlignerOptions(
        "facebook/nllb-200-distilled-600M", layer=12, similarity="dot", extraction="softmax", threshold=0.001
    ),
}
"""The published aligners by name."""


# --- The aligner ----------------------------------------------------------------------------------------------------
