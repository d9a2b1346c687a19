"""What an aligner does: its options, each declared once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from xner._support.arguments import choose
from xner._support.options import (
    Choice,
    DeclaredOptions,
    Flag,
    Number,
    OrAuto,
    When,
    Whole,
    check_names,
    declared,
    option,
)
from xner.alignment._folding import FOLDS, Folding, fold_names
from xner.alignment.links.symmetrization import SYMMETRIZATIONS, Symmetrization
from xner.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DECODING", "TRAINING", "AlignerOptions", "Decode", "with_changes"]

Decode = Literal["discriminative", "posterior", "viterbi"]


@dataclass(frozen=True, slots=True)
class _Fold:
    """A name of `FOLDS`, a function, or several from coarse to fine."""

    metavar: str = "|".join(FOLDS)

    def check(self, name: str, value: Any) -> Folding:
        """See `Kind`."""
        if isinstance(value, str):
            choose(name, value, FOLDS)
        elif not (callable(value) or (isinstance(value, tuple) and value and all(map(callable, value)))):
            raise OptionError(
                f"{name}={value!r}: expected one of {', '.join(map(repr, FOLDS))}, a function, or a tuple of them"
            )
        fold: Folding = value
        return fold

    def parse(self, name: str, text: str) -> Folding:
        """See `Kind`."""
        return self.check(name, text)

    def to_text(self, value: Folding) -> str:
        """See `Kind`."""
        return ",".join(fold_names(value))


@dataclass(frozen=True, slots=True)
class AlignerOptions(DeclaredOptions):
    """What an aligner does; `help(xner.Aligner.fit)` says what each option means.

    The numbers were chosen by alignment error rate on four language pairs.

    Raises:
        OptionError: a value is unknown or out of range.
    """

    fold: Folding = option(
        "auto",
        _Fold(),
        "How words are folded into types on several levels, from coarse to fine.",
        more="prefix: lower case without diacritics, the first 3, 5 and 8 characters. characters: the first character, "
        "the last one, and the word. auto: characters for words in scripts without blanks (Chinese, Japanese, Thai, "
        "...), prefix for others. none: the words as they are. Or a function from a word to its folded form (a "
        "stemmer, say), or several in a tuple, from coarse to fine. Functions are not saved with a model.",
    )
    romanize: bool = option(
        True,
        Flag(),
        "Compare the spellings of words in Latin letters, so that names look alike across scripts.",
        more="See xner.text.romanize for the scripts; words that are in Latin letters already stay as they are.",
    )
    decode: Decode = option(
        "discriminative",
        Choice(get_args(Decode)),
        "Link every pair of words whose score exceeds threshold: by a classifier that also goes by the words around "
        "(discriminative), or by what both directions say of the pair alone (posterior). Or combine the most probable "
        "alignment of each direction by symmetrization (viterbi).",
        tried=["posterior", "viterbi"],
    )
    threshold: float | Literal["auto"] = option(
        0.5,
        OrAuto(Number(below=1)),
        "Least score of a link; lower values give more links. auto: of each sentence pair the links whose F1 is "
        "expected to be highest.",
        more="A discriminative link's score is the probability that it is right, so that some thresholds are expected "
        "to be better than others: half of the F1 reached, which is low where little is certain (Lipton, Elkan, "
        "Narayanaswamy 2014). That is better for links; projected labels have gained nothing from it. With posterior, "
        "a model of a handful of sentence pairs also links words that are each other's best at "
        "lower scores.",
        when=[When("another decode than 'viterbi'", lambda o: o.decode != "viterbi")],
        tried=[0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6],
    )
    least_association: float = option(
        0.01,
        Number(most=1),
        "With posterior: of a word's several links, those far weaker than its best are accidents and are dropped.",
        more="They are those for which score times Dice coefficient of the two words' expected links in the fitted "
        "corpus is below this share of the best of either word. 0 keeps all.",
    )
    symmetrization: Symmetrization = option(
        "grow-diag-final-and",
        Choice(tuple(SYMMETRIZATIONS)),
        "How viterbi combines two directions, as in xner.links.symmetrize.",
        when=[When("decode='viterbi'", lambda o: o.decode == "viterbi")],
        tried=[name for name in SYMMETRIZATIONS if name != "grow-diag-final-and"],
    )
    ibm1_iterations: int = option(5, Whole(1), "Iterations of IBM model 1.")
    hmm_iterations: int = option(2, Whole(0), "Iterations of the HMM.")
    diagonal: float = option(
        2.0,
        Number(most=40),
        "How strongly words at the same relative position are expected to be partners.",
        more="In the HMM this fades as sentence pairs teach how words move.",
    )
    null_probability: float = option(0.1, Number(positive=True, below=1), "Of a word that has no partner.")
    alpha: float = option(0.002, Number(), "Pseudo-count of every pair of types that occurs together.")
    base_weight: float = option(
        2.0, Number(positive=True), "Pseudo-counts spread over the other side's types by their frequency."
    )
    null_base_weight: float = option(20.0, Number(positive=True), "The same for words without a partner.")
    prior_weight: float = option(
        3.0, Number(), "Pseudo-count of a pair of equal strings; 0 turns the string prior off."
    )
    lexicon_weight: float = option(
        1.0, Number(), "Pseudo-count of a pair of words that a lexicon has with the weight 1."
    )
    similarity_floor: float = option(
        0.4, Number(below=1), "String similarity (1 - Levenshtein distance / longer length) that counts as none."
    )
    similarity_power: float = option(
        4.0, Number(), "Pseudo-count = prior_weight * ((similarity - floor) / (1 - floor)) ** power."
    )
    letter_weight: float = option(
        2.0,
        Number(),
        "Cue: logarithm of the odds for every letter that two words share beyond similarity_floor.",
    )
    kind_weight: float = option(
        2.5,
        Number(most=10),
        "Cue: the same for two capitalised words, two numbers, or two symbols; as much against a word facing a number "
        "or a symbol, or a number facing a symbol.",
    )
    length_weight: float = option(
        0.8,
        Number(most=10),
        "Cue: the same against lengths, relative to the sentence's mean, that differ by the factor e.",
    )
    cue_halving: float = option(
        0.5,
        Number(),
        "Cues need no training and fade with it: this many occurrences of the rarer of two words halve what they say.",
        more="More in a corpus of a few sentence pairs.",
    )
    jump_clip: int = option(8, Whole(1), "Jumps of this many words and more, to either side, are equally likely.")
    jump_smoothing: float = option(
        100.0, Number(positive=True), "Pseudo-count of jumps, most of them to the next word."
    )

    def check_together(self) -> None:
        """See `DeclaredOptions`."""
        if self.threshold == "auto" and self.decode == "posterior":
            raise OptionError("threshold='auto' goes with decode='discriminative', whose scores are probabilities")


DECODING: Final = ("decode", "threshold", "least_association", "symmetrization")
"""The options of decoding, which `Aligner.align` can change."""
TRAINING: Final = tuple(
    name for name in declared(AlignerOptions) if name not in {*DECODING, "fold", "romanize", "lexicon_weight"}
)
"""The options of fitting, which the core knows by the same names."""


def with_changes(options: AlignerOptions, changes: Mapping[str, Any]) -> AlignerOptions:
    """Options with others in place of some; those that do not apply beside these are at their defaults.

    Raises:
        OptionError: one that the aligner does not have, or that has no meaning.
    """
    check_names(changes, AlignerOptions)
    kept = {name: value for name, value in options.changes().items() if name not in changes}
    applying = AlignerOptions.applying({**kept, **changes})
    return AlignerOptions(**{name: value for name, value in kept.items() if name in applying}, **changes)
