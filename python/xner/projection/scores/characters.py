"""The characters' score: how alike a source entity and a target span are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xner._core as _core
from xner._support.arguments import number_from_zero, words
from xner._support.records import span_array
from xner.text.normalization import normalize

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from xner._support.records import SpansLike

__all__ = ["characters"]


def characters(
    source_tokens: Sequence[str],
    target_tokens: Sequence[str],
    source_entities: SpansLike,
    candidates: SpansLike,
    *,
    threshold: float = 0.7,
) -> npt.NDArray[np.float64]:
    """Edit similarities of entities and spans: for names that stay themselves in translation.

    `1 - Levenshtein distance / length of the longer text`, of the words in lower case without diacritics, one after the
    other without blanks, so that it does not matter how tokenizers split a name.

    Args:
        source_tokens: the source words.
        target_tokens: the target words.
        source_entities: `(start, end)` over source words, or an integer array (entities x 2).
        candidates: the same over target words.
        threshold: similarities of at most this become 0.

    Returns:
        Entities x candidates, float64, in [0, 1]. A candidate costs O(1) for every character that it has more than the
        one before it where candidates are ordered by start, then end, for entities of up to 64 characters.

    Raises:
        DataError: a span outside its sentence.
        Error: a threshold below 0.

    Source: ours; the distance by Myers 1999 and Hyyrö 2003.
    """
    source, target = words("source_tokens", source_tokens), words("tokens", target_tokens)
    return _core.character_scores(
        [normalize(word) for word in source],
        [normalize(word) for word in target],
        span_array("source_entities", source_entities, len(source)),
        span_array("candidates", candidates, len(target)),
        threshold=number_from_zero("threshold", threshold),
    )
