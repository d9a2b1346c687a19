"""A stand-in for a translation model, countable and slow on demand; as a program, a run to be killed."""

from __future__ import annotations

import hashlib
import sys
import time
from typing import TYPE_CHECKING

import numpy as np

from xner.errors import Error
from xner.models.scorers import NmtScorer
from xner.models.translators import TranslationCache

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

LANGUAGES = ("eng_Latn", "deu_Latn")
PIVOT = "fra_Latn"
BATCH = 16


class FakeTranslation:
    """Mean log-probabilities between -3 and 0, the same for the same texts and languages."""

    name = "fake"
    signature = "fake-float64"

    def __init__(self, *, identity: str = "fake", seconds: float = 0) -> None:
        self.identity = identity
        self.asked: list[tuple[str, str, str, str]] = []
        self.translated: list[tuple[str, str, str]] = []
        self._seconds = seconds

    def language_code(self, language: str) -> str:
        if language not in {*LANGUAGES, PIVOT}:
            raise Error(f"no language {language}")
        return language

    def log_probabilities(
        self, pairs: Sequence[tuple[str, str]], source_language: str, target_language: str
    ) -> Iterator[tuple[Sequence[int], npt.NDArray[np.float64]]]:
        for first in range(0, len(pairs), BATCH):
            rows = range(first, min(first + BATCH, len(pairs)))[::-1]
            time.sleep(self._seconds)
            asked = [(*pairs[row], source_language, target_language) for row in rows]
            self.asked += asked
            yield rows, np.array([value(*one) for one in asked])

    def translate(
        self, texts: Sequence[str], source_language: str, target_language: str
    ) -> Iterator[tuple[Sequence[int], list[str]]]:
        for first in range(0, len(texts), BATCH):
            rows = range(first, min(first + BATCH, len(texts)))
            self.translated += [(texts[row], source_language, target_language) for row in rows]
            yield rows, [f"{target_language}({texts[row]})" for row in rows]


def value(given: str, text: str, *languages: str) -> float:
    """A repetition is more probable than most translations, as real models have it."""
    digest = hashlib.sha256("\0".join((given, text, *languages)).encode()).digest()
    least = -0.1 if given == text else -3.0
    return least * int.from_bytes(digest[:4], "little") / 2**32


def many_pairs(count: int = 200) -> list[tuple[str, str]]:
    return [(f"source {number % 40}", f"target {number}") for number in range(count)]


if __name__ == "__main__":
    with TranslationCache(sys.argv[1]) as cache:
        scorer = NmtScorer(FakeTranslation(seconds=float(sys.argv[2])), *LANGUAGES, cache=cache)
        scores = scorer.score(many_pairs())
    print(scorer.computed, hashlib.sha256(scores.tobytes()).hexdigest())
