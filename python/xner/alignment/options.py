"""What an aligner does: its options."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from xner._support.arguments import choose, number, unknown_option
from xner.alignment._folding import FOLDS, Folding
from xner.alignment.links.symmetrization import SYMMETRIZATIONS, Symmetrization
from xner.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DECODING", "TRAINING", "AlignerOptions", "Decode", "with_changes"]

Decode = Literal["posterior", "viterbi"]


@dataclass(frozen=True, slots=True)
class AlignerOptions:
    """What an aligner does. The numbers were chosen by alignment error rate on four language pairs.

    Attributes:
        fold: how tokens are folded into word types on several levels, from coarse to fine. `prefix`: lower case
            without diacritics, the first 3, 5 and 8 characters. `characters`: the first character, the last
            one, and the word. `auto`: `characters` for words in scripts without blanks (Chinese, Japanese, Thai,
            ...), `prefix` for others. `none`: the tokens as they are. Or a function from a token to its folded form
            (a stemmer, say), or several, from coarse to fine. Functions are not saved with a model.
        decode: `posterior` links every pair of words whose score exceeds `threshold`; `viterbi` combines the most
            probable alignment of each direction by `symmetrization`.
        threshold: in [0, 1); lower values give more links. A model of a handful of sentence pairs also links words
            that are each other's best at lower scores.
        least_association: in [0, 1]; of a word's several posterior links, those far weaker than its best are
            accidents and are dropped: where score times Dice coefficient of the two words' expected links in the
            fitted corpus is below this share of the best of either word. 0 keeps all.
        symmetrization: as in `xner.links.symmetrize`.
        ibm1_iterations: iterations of IBM model 1, at least 1.
        hmm_iterations: iterations of the HMM, at least 0.
        diagonal: how strongly words at the same relative position are expected to be partners; in the HMM this fades
            as sentence pairs teach how words move.
        null_probability: of a word that has no partner.
        alpha: pseudo-count of every pair of types that occurs together.
        base_weight: pseudo-counts spread over the other side's types by their frequency.
        null_base_weight: the same for words without a partner.
        prior_weight: pseudo-count of a pair of equal strings; 0 turns the string prior off.
        similarity_floor: string similarity (1 - Levenshtein distance / longer length) that counts as none.
        similarity_power: pseudo-count = prior_weight * ((similarity - floor) / (1 - floor)) ** power.
        letter_weight: cue: logarithm of the odds for every letter that two words share beyond `similarity_floor`.
        kind_weight: cue: the same for two capitalised words, two numbers, or two symbols; as much against a word
            facing a number or a symbol, or a number facing a symbol.
        length_weight: cue: the same against lengths, relative to the sentence's mean, that differ by the factor e.
        cue_halving: cues need no training and fade with it: this many occurrences of the rarer of two words halve
            what cues say about them (more in a corpus of a few sentence pairs).
        jump_clip: jumps of this many words and more, to either side, are equally likely.
        jump_smoothing: pseudo-count of jumps, most of them to the next word.
    """

    fold: Folding = "auto"
    decode: Decode = "posterior"
    threshold: float = 0.47
    least_association: float = 0.01
    symmetrization: Symmetrization = "grow-diag-final-and"
    ibm1_iterations: int = 5
    hmm_iterations: int = 2
    diagonal: float = 2.0
    null_probability: float = 0.1
    alpha: float = 0.002
    base_weight: float = 2.0
    null_base_weight: float = 20.0
    prior_weight: float = 3.0
    similarity_floor: float = 0.4
    similarity_power: float = 4.0
    letter_weight: float = 2.0
    kind_weight: float = 2.5
    length_weight: float = 0.8
    cue_halving: float = 0.5
    jump_clip: int = 8
    jump_smoothing: float = 100.0

    def __post_init__(self) -> None:
        if isinstance(self.fold, str):
            choose("fold", self.fold, FOLDS)
        elif not (
            callable(self.fold) or (isinstance(self.fold, tuple) and self.fold and all(map(callable, self.fold)))
        ):
            raise OptionError(
                f"fold={self.fold!r}: expected one of {', '.join(map(repr, FOLDS))}, a function, or a tuple of them"
            )
        choose("decode", self.decode, dict.fromkeys(get_args(Decode)))
        choose("symmetrization", self.symmetrization, SYMMETRIZATIONS)
        number("threshold", self.threshold, "of at least 0 and below 1", lambda value: 0 <= value < 1)
        number("least_association", self.least_association, "from 0 to 1", lambda value: 0 <= value <= 1)
        for name in TRAINING:
            value, wanted = getattr(self, name), type(TRAINING[name])
            if isinstance(value, bool) or not isinstance(value, (int, float) if wanted is float else int):
                raise OptionError(f"{name}={value!r}: expected {'a number' if wanted is float else 'a whole number'}")


DECODING: Final = ("decode", "threshold", "least_association", "symmetrization")
"""The options of decoding, which `Aligner.align` can change."""
TRAINING: Final[Mapping[str, float]] = {
    field.name: field.default
    for field in dataclasses.fields(AlignerOptions)
    if isinstance(field.default, (int, float)) and field.name not in DECODING
}
"""The options of fitting that the core knows, with their defaults."""


def with_changes(options: AlignerOptions, changes: Mapping[str, Any]) -> AlignerOptions:
    """Options with others in place of some.

    Raises:
        OptionError: one that the aligner does not have, or that has no meaning.
    """
    names = [field.name for field in dataclasses.fields(AlignerOptions)]
    for name in changes:
        if name not in names:
            raise unknown_option(name, names)
    return dataclasses.replace(options, **changes) if changes else options
