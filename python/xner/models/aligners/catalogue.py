"""Aligners that run models, by name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from xner._support.progress import Reporter, silent
from xner._support.registry import Registry
from xner._support.stages import Stage
from xner.models.aligners.encoder_aligner import EncoderAligner
from xner.models.aligners.options import ENCODER_PRESETS

if TYPE_CHECKING:
    import pyarrow as pa

    from xner._support.sentences import Sentences

__all__ = ["ALIGNERS", "LoadAligner", "WordAligner", "load_aligner"]


class WordAligner(Stage, Protocol):
    """A stage that makes `links` and `status` of `source_tokens` and `tokens`."""

    def align_batch(
        self,
        source_sentences: Sentences,
        target_sentences: Sentences,
        *,
        threads: int = 0,
        progress: Reporter = silent,
    ) -> pa.RecordBatch:
        """The columns `links` and `status` alone; see `EncoderAligner.align_batch`."""


class LoadAligner(Protocol):
    """Loads an aligner."""

    def __call__(self, model: str | None = None, **options: Any) -> WordAligner:
        """Load it.

        Args:
            model: name or folder of another model than its own.
            **options: those of `EncoderAligner.load`; it may ignore what means nothing to it.
        """


ALIGNERS: Final[Registry[LoadAligner]] = Registry(
    "xner.aligners", "aligner", {name: partial(EncoderAligner.load, name) for name in ENCODER_PRESETS}
)
"""What loads aligners, by name. Distributions add theirs to the entry points `xner.aligners`."""


def load_aligner(name: str, model: str | None = None, **options: Any) -> WordAligner:
    """Load an aligner.

    Args:
        name: one of `ALIGNERS`.
        model: name or folder of another model than its own.
        **options: those of `EncoderAligner.load`.

    Raises:
        OptionError: there is no such aligner.
        Error: it cannot be loaded.
    """
    return ALIGNERS.choose(name)(model, **options)
