"""NMTScore: how likely a translation model finds two texts to be each other's translation.

scorer = NmtScorer(load_translation_scorer("facebook/nllb-200-distilled-600M"), "eng_Latn", "deu_Latn")
scorer.score([("the European Union", "die Europäische Union")])
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from xner._support.arguments import number_from_zero, positive_number
from xner.models.translators.cache import TranslationCache, content_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from xner.models.scorers.translation_scores import TranslationScorer

__all__ = ["NmtScorer"]


class _Text(NamedTuple):
    text: str
    language: str


class _Request(NamedTuple):
    """Asks for the mean log-probability of a token of `text` where `given` is the source text."""

    given: _Text
    text: _Text


_Values: TypeAlias = dict[_Request, float]


def _requests(
    source: _Text, target: _Text, given: Mapping[_Text, _Text]
) -> tuple[_Request, _Request, _Request, _Request]:
    """What the score of two texts takes, in the order of `NmtScorer._combine`."""
    return (
        _Request(given[source], target),
        _Request(given[target], target),
        _Request(given[target], source),
        _Request(given[source], source),
    )


class NmtScorer:
    """Scores pairs of a source and a target text by a translation model, each needed probability computed once.

    With `p(A|B)` the geometric mean of the probabilities that the model gives the tokens of A as a translation of B
    into the language of A, the score of the texts A and B is

        (p(A|B) / p(A|A) + p(B|A) / p(B|B)) / 2

    the direct score, normalised by what the model makes of a text and its own repetition, in both directions. A
    probability that occurs in many pairs, as that of a text's repetition does, is computed once and found again in the
    cache, which outlasts the run.

    Args:
        model: computes probabilities.
        source_language: of source texts, as the model spells it (`eng_Latn`) or otherwise (`en`, `English`).
        target_language: of target texts.
        threshold: scores of at most this count as 0.
        cap: scores above this count as this. Nothing bounds them by themselves: a translation may be more probable than
            a repetition.
        pivot: a language into which the text that is given is translated first: of `p(A|B)` it is B, of `p(A|A)` A.
            None, the default, gives it as it is.
        cache: of probabilities and translations; None keeps them for the scorer's lifetime.

    Attributes:
        computed: how many probabilities and translations the model computed so far.
        reused: how many it did not have to, because the cache had them.

    Raises:
        Error: a language that the model does not know, or numbers out of range.

    Source: Vamvas, Sennrich 2022 (NMTScore), "direct" or, with a pivot, "pivot", normalised, both directions; the
        threshold is Shkalikov's (2024), the cap ours.
    """

    def __init__(
        self,
        model: TranslationScorer,
        source_language: str,
        target_language: str,
        *,
        threshold: float = 0.1,
        cap: float = 1.0,
        pivot: str | None = None,
        cache: TranslationCache | None = None,
    ) -> None:
        self.threshold = number_from_zero("threshold", threshold)
        self.cap = positive_number("cap", cap)
        self.computed = 0
        self.reused = 0
        self._model = model
        self._pivot = None if pivot is None else model.language_code(pivot)
        self._languages = model.language_code(source_language), model.language_code(target_language)
        self._cache = TranslationCache(None) if cache is None else cache

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"computed": 0, "reused": 0}

    def __repr__(self) -> str:
        return f"NmtScorer({self._model.name!r}, {'-'.join(self._languages)})"

    @property
    def identity(self) -> str:
        """Tells what decides the scores, the weights' content above all, from all others."""
        return json.dumps([self._model.identity, self._languages, self._pivot, self.threshold, self.cap])

    @property
    def signature(self) -> str:
        """What decides the scores, for tables and papers."""
        languages = "-".join(self._languages) + ("" if self._pivot is None else f",pivot {self._pivot}")
        return f"nmt:{self._model.name},{self._model.signature},{languages},>{self.threshold:g},<={self.cap:g}"

    def score(
        self, pairs: Sequence[tuple[str, str]], *, progress: Callable[[int, int], None] | None = None
    ) -> npt.NDArray[np.float64]:
        """Score pairs of texts.

        Args:
            pairs: source and target text; blank ones score 0.
            progress: told after each batch how many probabilities are known, and how many are needed.

        Returns:
            As many scores, from 0 to `cap`.

        Raises:
            Error: the model's probabilities are not finite, or the cache cannot be used.
        """
        filled = [pair for pair in dict.fromkeys(pairs) if all(map(str.strip, pair))]
        source_language, target_language = self._languages
        sides = [(_Text(source, source_language), _Text(target, target_language)) for source, target in filled]
        given = self._given(text for texts in sides for text in texts)
        requests = {pair: _requests(*texts, given) for pair, texts in zip(filled, sides, strict=True)}
        values = self._log_probabilities(dict.fromkeys(r for four in requests.values() for r in four), progress)
        scores = {pair: self._combine(*(values[request] for request in four)) for pair, four in requests.items()}
        return np.array([scores.get(pair, 0.0) for pair in pairs], np.float64)

    def _given(self, texts: Iterable[_Text]) -> Mapping[_Text, _Text]:
        """What the model is given in place of each text: its translation into the pivot language, or itself."""
        given = {text: text for text in texts}
        if self._pivot is None:
            return given
        keys = {
            text: content_key("translation", self._model.identity, text.language, self._pivot, text.text)
            for text in given
            if text.language != self._pivot
        }
        known = self._cache.get(list(keys.values()))
        given.update({text: _Text(known[key], self._pivot) for text, key in keys.items() if key in known})
        self.reused += len(known)
        for language in dict.fromkeys(self._languages):
            missing = [text for text, key in keys.items() if text.language == language and key not in known]
            for rows, found in self._model.translate([text.text for text in missing], language, self._pivot):
                batch = dict(zip((missing[row] for row in rows), found, strict=True))
                self._keep({keys[text]: translation for text, translation in batch.items()})
                given.update({text: _Text(translation, self._pivot) for text, translation in batch.items()})
        return given

    def _keep(self, values: Mapping[bytes, float | str]) -> None:
        """Keep a batch at once: what a run that is killed has computed is not lost."""
        self._cache.put(values)
        self.computed += len(values)

    def _combine(self, target: float, target_repeated: float, source: float, source_repeated: float) -> float:
        # What is beyond e^700 a float64 does not hold; the cap is far below.
        ratios = np.exp(np.minimum([target - target_repeated, source - source_repeated], 700.0))
        score = min(float(ratios.mean()), self.cap)
        return score if score > self.threshold else 0.0

    def _log_probabilities(self, requests: Iterable[_Request], progress: Callable[[int, int], None] | None) -> _Values:
        """Mean log-probabilities, from the cache where it has them."""
        identity = self._model.identity
        keys = {
            request: content_key(
                "mean log-probability",
                identity,
                request.given.language,
                request.text.language,
                request.given.text,
                request.text.text,
            )
            for request in requests
        }
        known = self._cache.get(list(keys.values()))
        values = {request: known[key] for request, key in keys.items() if key in known}
        self.reused += len(values)
        by_languages: dict[tuple[str, str], list[_Request]] = {}
        for request in keys:
            if request not in values:
                by_languages.setdefault((request.given.language, request.text.language), []).append(request)
        for languages, missing in by_languages.items():
            texts = [(request.given.text, request.text.text) for request in missing]
            for rows, found in self._model.log_probabilities(texts, *languages):
                batch = dict(zip((missing[row] for row in rows), found.tolist(), strict=True))
                self._keep({keys[request]: value for request, value in batch.items()})
                values.update(batch)
                if progress is not None:
                    progress(len(values), len(keys))
        return values
