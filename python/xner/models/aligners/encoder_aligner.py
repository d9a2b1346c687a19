"""Word links from the contextual embeddings of a multilingual encoder: SimAlign, AWESoME and their relatives.

    aligner = xner.EncoderAligner.load("awesome-mbert")
    links = aligner.align(english, yoruba)          # list<struct<source, target, score>>, one list a row

The encoder's part is torch's and transformers'; links are extracted from similarities by the core.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pyarrow as pa

from xner._support.arguments import choose, whole_number
from xner._support.sentences import Sentences, sides_to_arrow
from xner._version import __version__
from xner.alignment.links.extraction import METHODS, Method, extract_batch
from xner.errors import Error, OptionError
from xner.models.aligners._work import STATUSES, Corpus, align_corpus
from xner.models.network.device import Dtype, resolve_devices, resolve_dtype
from xner.models.network.encoder import Encoder
from xner.schema import LINKS, SOURCE_TOKENS, STATUS, TOKENS, require_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

__all__ = ["PRESETS", "STATUSES", "EncoderAligner", "EncoderAlignerOptions", "Similarity"]

Similarity = Literal["cosine", "dot"]
_SIMILARITIES = dict.fromkeys(("cosine", "dot"))

_WHAT = "the encoder aligner"
_TOKEN_BUDGETS = {"cuda": 32_768, "mps": 8_192, "cpu": 2_048}


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


_MBERT = "google-bert/bert-base-multilingual-cased"

PRESETS: Final[Mapping[str, EncoderAlignerOptions]] = {
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


class EncoderAligner:
    """Aligns words whose embeddings are similar. Make one with `EncoderAligner.load`.

    Each distinct sentence is encoded once, in batches of sentences of similar length; only the layers that are needed
    are computed. The similarity matrices are computed where the encoder is, and links extracted in the core's threads
    while it goes on with the next batch. Sentences that are longer than the encoder takes are encoded in overlapping
    windows, never cut. Several devices work on different parts of the input, each for itself.

    Attributes:
        options: what the aligner does.
        name: of the model, or its folder.
        encoded_sentences: how many sentences the last call sent through the encoder.
    """

    def __init__(self, options: EncoderAlignerOptions, encoders: Sequence[Encoder], *, token_budget: int) -> None:
        """Use `EncoderAligner.load`. `encoders`: one a device, with the same weights."""
        self.options = options
        self.name = encoders[0].name
        self.encoded_sentences = 0
        self._encoders = list(encoders)
        self._token_budget = token_budget
        if encoders[0].tokenizer.needs_language and None in {options.source_language, options.target_language}:
            raise Error(
                f"the encoder '{self.name}' marks sentences with their language: name those of both sides "
                "(source_language and target_language, 'eng_Latn' for instance)"
            )

    @classmethod
    def load(
        cls,
        preset: str = "awesome-mbert",
        model: str | None = None,
        *,
        device: str | Sequence[str] = "auto",
        dtype: Dtype = "auto",
        token_budget: int | None = None,
        compile: bool = False,
        **changes: Any,
    ) -> EncoderAligner:
        """Load an encoder.

        Args:
            preset: one of `PRESETS`.
            model: name on the Hugging Face hub, or folder, of another model than the preset's; fine-tuned ones load as
                they are. Weights are read from safetensors files only.
            device: `auto` (all CUDA devices, else Apple's MPS, else the processor), a name (`cuda:1`), or several.
            dtype: precision of the encoder: `auto` is bfloat16 or float16 on CUDA devices, float32 elsewhere.
                Similarities are computed in float32 in any case.
            token_budget: most word pieces in a batch, padding included; None goes by the device. A batch that does not
                fit the device's memory is done in halves.
            compile: whether to compile the encoder with `torch.compile`.
            **changes: options of `EncoderAlignerOptions` in place of the preset's: `layer=7`, `threshold=0.1`.

        Raises:
            Error: the extra `models` is not installed; an option has no meaning; there is no such model, or it cannot
                be used (see `Encoder.load`).
        """
        options = choose("preset", preset, PRESETS)
        names = [field.name for field in dataclasses.fields(options)]
        for name in changes:
            if name not in names:
                raise OptionError(f"{name}: no such option; the encoder aligner has {', '.join(names)}")
        if "extraction" in changes and changes["extraction"] != options.extraction:
            # The preset's thresholds are for its own method.
            changes = dict.fromkeys(options.extraction_options) | changes
        if model is not None:
            changes["encoder"] = model
        options = dataclasses.replace(options, **changes)
        devices = resolve_devices(device, what=_WHAT)
        if token_budget is None:
            token_budget = _TOKEN_BUDGETS.get(devices[0].type, _TOKEN_BUDGETS["cpu"])
        whole_number("token_budget", token_budget, 1)
        encoders = [
            Encoder.load(
                options.encoder,
                options.layer,
                device=one,
                dtype=resolve_dtype(dtype, one, what=_WHAT),
                compile=compile,
            )
            for one in devices
        ]
        return cls(options, encoders, token_budget=token_budget)

    @property
    def signature(self) -> str:
        """One line that tells how links were made, for tables and papers."""
        options = self.options
        parts = [
            f"xner:{__version__}",
            f"encoder:{self.name}",
            f"layer:{options.layer}",
            f"similarity:{options.similarity}",
            f"extraction:{options.extraction}",
            *(f"{name}:{value}" for name, value in options.extraction_options.items()),
            f"dtype:{self._encoders[0].dtype}",
        ]
        if self._encoders[0].tokenizer.needs_language:
            parts.append(f"languages:{options.source_language}-{options.target_language}")
        return "|".join(parts)

    def align(
        self,
        source_sentences: Sentences,
        target_sentences: Sentences,
        *,
        threads: int = 0,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> pa.ListArray:
        """Link the words of sentence pairs.

        Args:
            source_sentences: rows of words: lists of `str`, or an Arrow array of lists of strings (chunked or not;
                a missing row is an empty one).
            target_sentences: as many rows.
            threads: of the core, for extraction; 0 for one per core. The result does not depend on it.
            progress: called with the stage (`"encode"`), the sentences encoded, and their total.

        Returns:
            For each row a list of structs `source` and `target` (int32, word indices from 0) and `score` (float32; what
            it means, `xner.links.extract` says), sorted by source, then target.

        Raises:
            Error: row counts differ; the message has both.
            DataError: a row is not a list of words.
        """
        return self._align(source_sentences, target_sentences, threads, progress)[0]

    def align_batch(
        self,
        source_sentences: Sentences,
        target_sentences: Sentences,
        *,
        threads: int = 0,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> pa.RecordBatch:
        """As `align`, with a word on each row.

        Returns:
            A batch with the columns `links` and `status`, the latter one of `STATUSES`.
        """
        links, codes = self._align(source_sentences, target_sentences, threads, progress)
        status = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(STATUSES))
        return pa.record_batch([links, status], names=[LINKS, STATUS])

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The stage: adds the columns `links` and `status` to a batch, in place of those it may have.

        Raises:
            Error: the batch has no `source_tokens` or `tokens`.
        """
        require_columns(batch.schema, [SOURCE_TOKENS, TOKENS], _WHAT)
        found = self.align_batch(batch.column(SOURCE_TOKENS), batch.column(TOKENS))
        for name in found.schema.names:
            if name in batch.schema.names:
                batch = batch.drop_columns([name])
            batch = batch.append_column(name, found.column(name))
        return batch

    def _align(
        self,
        source_sentences: Sentences,
        target_sentences: Sentences,
        threads: int,
        progress: Callable[[str, int, int], None] | None,
    ) -> tuple[pa.ListArray, npt.NDArray[np.int32]]:
        source, target = sides_to_arrow(source_sentences, target_sentences)
        options = self.options
        marked = self._encoders[0].tokenizer.needs_language
        languages = (options.source_language, options.target_language) if marked else (None, None)
        corpus = Corpus.of(source, target, languages)
        sentences = sum(map(bool, corpus.texts))

        def note(encoded: int) -> None:
            if progress is not None:
                progress("encode", min(encoded, sentences), sentences)

        outcome = align_corpus(
            corpus, self._encoders, options, token_budget=self._token_budget, threads=threads, note=note
        )
        self.encoded_sentences = outcome.encoded
        links = outcome.links()
        lengths = np.diff(links.offsets.to_numpy())
        codes = outcome.codes
        found_nothing = (lengths == 0) & (codes < STATUSES.index("empty_source"))
        codes[found_nothing] = STATUSES.index("no_links")
        return links.take(pa.array(corpus.pair_of_row)), codes[corpus.pair_of_row]
