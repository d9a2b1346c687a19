"""Word links from the contextual embeddings of a multilingual encoder: SimAlign, AWESoME and their relatives.

    aligner = xner.EncoderAligner.load("awesome-mbert")
    links = aligner.align(english, yoruba)          # list<struct<source, target, score>>, one list a row

The encoder's part is torch's and transformers', or CTranslate2's; links are extracted from similarities by the core.
"""

from __future__ import annotations

import dataclasses
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import numpy as np
import pyarrow as pa

from xner._support.arguments import choose, unknown_option, whole_number
from xner._support.arrow import to_array, with_columns
from xner._support.progress import Reporter, silent
from xner._support.sentences import Sentences, sides_to_arrow
from xner._support.stages import identity_of, run_stage, status_column
from xner._version import __version__
from xner.errors import OptionError
from xner.models.aligners._work import STATUSES, Corpus, align_corpus
from xner.models.aligners.options import (
    ENCODER_PRESETS,
    EncoderAlignerOptions,
    EncoderDtype,
    EncoderEngine,
    check_engine,
)
from xner.models.network.device import Dtype, dtype_name, resolve_devices, resolve_dtype
from xner.models.network.encoder import Encoder
from xner.models.network.loading import Reloaded, model_identity
from xner.models.network.pieces import PieceTokenizer
from xner.schema import LINKS, SOURCE_TOKENS, STATUS, TOKENS, require_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import torch

    from xner._support.arrow import Rows

__all__ = ["STATUSES", "EncoderAligner"]


_WHAT = "the encoder aligner"
_TOKEN_BUDGETS = {"cuda": 32_768, "mps": 8_192, "cpu": 512}


class EncoderAligner(Reloaded):
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

    reads: Final = (SOURCE_TOKENS, TOKENS)
    writes: Final = (LINKS, STATUS)

    def __init__(
        self,
        options: EncoderAlignerOptions,
        *,
        device: str | Sequence[str],
        engine: EncoderEngine,
        dtype: EncoderDtype,
        token_budget: int | None,
        compile: bool,
    ) -> None:
        """Use `EncoderAligner.load`, whose arguments these are."""
        self.options = options
        self.name = options.encoder
        self.encoded_sentences = 0
        self._device = device
        self._engine = engine
        self._dtype: EncoderDtype = dtype
        self._token_budget = token_budget
        self._compile = compile

    @classmethod
    def load(
        cls,
        preset: str = "awesome-mbert",
        model: str | None = None,
        *,
        device: str | Sequence[str] = "auto",
        engine: EncoderEngine = "transformers",
        dtype: EncoderDtype = "auto",
        token_budget: int | None = None,
        compile: bool = False,
        lazily: bool = False,
        **changes: Any,
    ) -> EncoderAligner:
        """Load an encoder.

        Args:
            preset: one of `ENCODER_PRESETS`.
            model: name on the Hugging Face hub, or folder, of another model than the preset's; fine-tuned ones load as
                they are. Weights are read from safetensors files only.
            device: `auto` (all CUDA devices, else Apple's MPS, else the processor), a name (`cuda:1`), or several.
            engine: what computes the encoder: `transformers`, or `ctranslate2`, which is quicker on processors in int8,
                takes models of the kinds of BERT and RoBERTa, and converts the layers that are needed on first use.
            dtype: precision of the encoder: `auto` is bfloat16 or float16 on CUDA devices, float32 elsewhere; bfloat16
                is quicker on processors with instructions for it. CTranslate2 takes float32 and `int8`. Similarities
                are computed in float32 in any case.
            token_budget: most word pieces in a batch, padding included; None goes by the device. A batch that does not
                fit the device's memory is done in halves.
            compile: whether to compile the encoder with `torch.compile`.
            lazily: whether it is read when it is needed first, and not before; what languages change is not looked at.
            **changes: options of `EncoderAlignerOptions` in place of the preset's: `layer=7`, `threshold=0.1`.

        Raises:
            Error: the extra `models` is not installed; an option has no meaning; there is no such model, or it cannot
                be used (see `Encoder.load`).
        """
        options = choose("preset", preset, ENCODER_PRESETS)
        check_engine(engine, device=device, dtype=dtype)
        if compile and engine != "transformers":
            raise OptionError("compile=True: that is for engine='transformers'")
        names = [field.name for field in dataclasses.fields(options)]
        for name in changes:
            if name not in names:
                raise unknown_option(name, names)
        if "extraction" in changes and changes["extraction"] != options.extraction:
            # The preset's thresholds are for its own method.
            changes = dict.fromkeys(options.extraction_options) | changes
        if model is not None:
            changes["encoder"] = model
        options = dataclasses.replace(options, **changes)
        if token_budget is not None:
            whole_number("token_budget", token_budget, 1)
        made = cls(options, device=device, engine=engine, dtype=dtype, token_budget=token_budget, compile=compile)
        if not lazily:
            made.check_languages()
            _ = made._encoders, made._languages
        return made

    def check_languages(self) -> None:
        """That languages are given to an encoder that marks sentences with them alone.

        Raises:
            OptionError: they are given, and the encoder does not.
        """
        for name in ("source_language", "target_language"):
            if (given := getattr(self.options, name)) is not None and not self._marks_languages:
                reason = "does not mark sentences with their language, so that this changes nothing"
                raise OptionError(f"{name}={given!r}: the encoder '{self.name}' {reason}")

    @cached_property
    def _encoders(self) -> list[Encoder]:
        """One a device, with the same weights."""
        self._check_sources()
        name, layer = self.options.encoder, self.options.layer
        if self._engine == "ctranslate2":
            return [Encoder.convert(name, layer, dtype=cast("Literal['float32', 'int8']", self._precision))]
        return [
            Encoder.load(name, layer, device=device, dtype=self._torch_dtype(device), compile=self._compile)
            for device in self._devices
        ]

    @cached_property
    def _devices(self) -> list[torch.device]:
        return resolve_devices("cpu" if self._engine == "ctranslate2" else self._device, what=_WHAT)

    @property
    def _precision(self) -> EncoderDtype:
        """Of the first device's encoder, by name."""
        return "int8" if self._dtype == "int8" else dtype_name(self._torch_dtype(self._devices[0]))

    def _torch_dtype(self, device: torch.device) -> torch.dtype:
        return resolve_dtype(cast("Dtype", self._dtype), device, what=_WHAT)

    @cached_property
    def _marks_languages(self) -> bool:
        return PieceTokenizer.load(self.name, what=_WHAT).needs_language

    @property
    def _sources(self) -> dict[str, str]:
        return {self.name: _WHAT}

    def __getstate__(self) -> dict[str, Any]:
        # In the same precision wherever it is loaded again.
        return super().__getstate__() | {"_dtype": self._precision, "encoded_sentences": 0}

    def __repr__(self) -> str:
        return f"EncoderAligner({self.name!r}, layer={self.options.layer}, extraction={self.options.extraction!r})"

    @property
    def _languages(self) -> tuple[str | None, str | None]:
        """Of both sides, where the encoder marks sentences with them.

        Raises:
            OptionError: it does, and they are not given.
        """
        if not self._marks_languages:
            return None, None
        given = self.options.source_language, self.options.target_language
        if None in given:
            raise OptionError(
                f"the encoder '{self.name}' marks sentences with their language: name those of both sides "
                "(source_language and target_language, 'eng_Latn' for instance)"
            )
        return given

    @property
    def identity(self) -> str:
        """Tells this model, with its options, from all others."""
        options = asdict(self.options) | dict(zip(("source_language", "target_language"), self._languages, strict=True))
        options["encoder"] = model_identity(self.name, what=_WHAT)
        return identity_of("encoder-aligner", options, self._engine, self._precision, self._compile)

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
            f"overlap:{options.window_overlap}",
            f"engine:{self._engine}",
            f"dtype:{self._precision}",
        ]
        if self._marks_languages:
            parts.append(f"languages:{options.source_language}-{options.target_language}")
        if self._compile:
            parts.append("compiled:yes")
        return "|".join(parts)

    def align(
        self,
        source_sentences: Sentences,
        target_sentences: Sentences,
        *,
        threads: int = 0,
        progress: Reporter = silent,
    ) -> pa.ListArray[Any]:
        """Link the words of sentence pairs.

        Args:
            source_sentences: rows of words: lists of `str`, or an Arrow array of lists of strings (chunked or not;
                a missing row is an empty one).
            target_sentences: as many rows.
            threads: of the core, for extraction; 0 for one per core. The result does not depend on it.
            progress: told `encode`, the sentences encoded, and their number.

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
        progress: Reporter = silent,
    ) -> pa.RecordBatch:
        """As `align`, with a word on each row.

        Returns:
            A batch with the columns `links` and `status`, the latter one of `STATUSES`.
        """
        links, codes = self._align(source_sentences, target_sentences, threads, progress)
        status = pa.DictionaryArray.from_arrays(to_array(codes), pa.array(STATUSES))
        return pa.record_batch([links, status], names=[LINKS, STATUS])

    def __call__(self, rows: Rows, *, progress: Reporter = silent) -> Rows:
        """The stage: adds the columns `links` and `status`, in place of those that may be there.

        Args:
            rows: a record batch or table with `source_tokens` and `tokens`.
            progress: as for `align`.

        Returns:
            The same kind of object. The status is one of `STATUSES` where that is not `ok`, else what an earlier stage
            said.

        Raises:
            DataError: a row is not a list of words.
            Error: a column is missing.
        """
        return run_stage(lambda batch: self._add_links(batch, progress), rows)

    def _add_links(self, batch: pa.RecordBatch, progress: Reporter) -> pa.RecordBatch:
        require_columns(batch.schema, self.reads, _WHAT)
        found = self.align_batch(batch.column(SOURCE_TOKENS), batch.column(TOKENS), progress=progress)
        status = status_column(batch, found.column(STATUS), STATUSES)
        return with_columns(batch, {LINKS: found.column(LINKS), STATUS: status})

    def _align(
        self,
        source_sentences: Sentences,
        target_sentences: Sentences,
        threads: int,
        progress: Reporter,
    ) -> tuple[pa.ListArray[Any], npt.NDArray[np.int32]]:
        source, target = sides_to_arrow(source_sentences, target_sentences)
        options = self.options
        corpus = Corpus.of(source, target, self._languages)
        sentences = sum(map(bool, corpus.texts))

        def note(encoded: int) -> None:
            progress("encode", min(encoded, sentences), sentences)

        kind = self._devices[0].type
        budget = self._token_budget or _TOKEN_BUDGETS.get(kind, _TOKEN_BUDGETS["cpu"])
        outcome = align_corpus(corpus, self._encoders, options, token_budget=budget, threads=threads, note=note)
        self.encoded_sentences = outcome.encoded
        links = outcome.links()
        lengths = np.diff(links.offsets.to_numpy())
        codes = outcome.codes
        found_nothing = (lengths == 0) & (codes < STATUSES.index("empty_source"))
        codes[found_nothing] = STATUSES.index("no_links")
        return links.take(to_array(corpus.pair_of_row)), codes[corpus.pair_of_row]
