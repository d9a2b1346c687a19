"""What can be shifted, by how much, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from xner._support.options import Choice, DeclaredOptions, Several, Text, When, Whole, option
from xner.errors import OptionError
from xner.experiments.shift.edits import KINDS, Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = [
    "CHARACTER_CHANGES",
    "MATERIAL",
    "SEVERITIES",
    "UNITS",
    "WORD_CHANGES",
    "ShiftOptions",
    "Where",
    "check_material",
]

Where = Literal["entities", "context", "all"]
CharacterChange = Literal["keyboard", "ocr", "diacritics", "case", "joiners", "digits"]
WordChange = Literal["drop", "swap", "split", "merge"]
Keyboard = Literal["qwerty", "qwertz", "azerty"]
Length = Literal["longer", "shorter"]
Transliterator = Literal["anyascii", "decomposition"]

CHARACTER_CHANGES: Final = get_args(CharacterChange)
WORD_CHANGES: Final = get_args(WordChange)

_FEW, _MORE, _ALL = (0.05, 0.1, 0.2, 0.35, 0.5), (0.1, 0.2, 0.35, 0.5, 0.75), (0.2, 0.4, 0.6, 0.8, 1.0)

SEVERITIES: Final[Mapping[Kind, tuple[float, ...]]] = {
    "entities": _ALL,
    "context": _ALL,
    "characters": _FEW,
    "words": _FEW,
    "code-switch": _MORE,
    "transliterate": _ALL,
    "length": _ALL,
}
"""By kind, the share of its units that the severities 1 to 5 are to change."""

UNITS: Final[Mapping[Kind, str]] = {
    "entities": "entities",
    "context": "sentences with entities",
    "characters": "words",
    "words": "words",
    "code-switch": "words",
    "transliterate": "words with other letters",
    "length": "sentences",
}
"""By kind, what is changed or is not; of words, those of the region that `where` names."""

_GROUP = "Shift"
MATERIAL: Final[Mapping[str, Kind]] = {
    "names": "entities",
    "unseen_in": "entities",
    "context_from": "context",
    "lexicon": "code-switch",
}
"""What may be put in, by the name of the argument, and the kind that it goes with."""

_WORD_KINDS: Final[tuple[Kind, ...]] = ("characters", "words", "code-switch", "transliterate")


def _of(*kinds: Kind) -> When:
    return When(f"kind={' or '.join(map(repr, kinds))}", lambda options: options.kind in kinds)


@dataclass(frozen=True, slots=True)
class ShiftOptions(DeclaredOptions):
    """How a corpus is shifted.

    Raises:
        OptionError: a value is unknown or out of range, or does not go with the kind.
    """

    kind: Kind = option("entities", Choice(KINDS), "What is shifted.", group=_GROUP)
    severity: int = option(3, Whole(1, 5), "How much is changed, from 1 to 5.", group=_GROUP)
    seed: int = option(1, Whole(0), "Of all random choices.", group=_GROUP)
    where: Where | None = option(
        None,
        Choice(get_args(Where)),
        "Which words may change.",
        when=[_of(*_WORD_KINDS)],
        optional=True,
        resolve=lambda options: "context" if options.kind == "code-switch" else "all",
        default_text="context for code-switch, else all",
        group=_GROUP,
    )
    characters: tuple[CharacterChange, ...] = option(
        CHARACTER_CHANGES,
        Several(CHARACTER_CHANGES),
        "What is done to characters: a neighbour on the keyboard or, in other scripts, in Unicode (keyboard), what "
        "recognition takes them for (ocr), marks dropped (diacritics), all lower, upper or title (case), an invisible "
        "joiner put in (joiners), another digit (digits).",
        when=[_of("characters")],
        group=_GROUP,
    )
    keyboard: Keyboard = option(
        "qwerty",
        Choice(get_args(Keyboard)),
        "Whose neighbours count.",
        when=[_of("characters"), When("'keyboard' among characters", lambda options: "keyboard" in options.characters)],
        group=_GROUP,
    )
    words: tuple[WordChange, ...] = option(
        WORD_CHANGES,
        Several(WORD_CHANGES),
        "What is done to words: one dropped, but none that is all of an entity or sentence (drop), two neighbours "
        "swapped (swap), one split in two (split), two made one (merge); neighbours are of the same entity, or "
        "of none.",
        when=[_of("words")],
        group=_GROUP,
    )
    origin: str | None = option(
        None,
        Text(),
        "Only names of this origin, the third column of names.",
        when=[_of("entities")],
        optional=True,
        group=_GROUP,
    )
    transliterator: Transliterator = option(
        "anyascii",
        Choice(get_args(Transliterator)),
        "What writes words in Latin letters: the library (extra `transliterate`), or Unicode's decompositions, which "
        "are for Latin letters with marks alone.",
        when=[_of("transliterate")],
        group=_GROUP,
    )
    length: Length = option(
        "longer",
        Choice(get_args(Length)),
        "What becomes of sentences: joined with the next one, or cut behind punctuation outside of entities.",
        when=[_of("length")],
        group=_GROUP,
    )

    def check_together(self) -> None:
        """The severity is one of five."""
        if self.severity > len(SEVERITIES[self.kind]):
            raise OptionError(
                f"severity={self.severity}: expected a whole number from 1 to {len(SEVERITIES[self.kind])}"
            )

    @property
    def share(self) -> float:
        """The share of units that is to change."""
        return SEVERITIES[self.kind][self.severity - 1]

    @property
    def region(self) -> Where:
        """Which words may change."""
        found: Where = self.where or ("context" if self.kind == "code-switch" else "all")
        return found


def check_material(options: ShiftOptions, given: Collection[str]) -> None:
    """That what is to be put in is there, and goes with the kind.

    Args:
        options: of the shift.
        given: of `names`, `unseen_in`, `context_from` and `lexicon` those that are.

    Raises:
        OptionError: one is missing, or goes with another kind.
    """
    for name, kind in MATERIAL.items():
        if name in given and options.kind != kind:
            raise OptionError(f"{name}: goes with kind={kind!r}, not with {options.kind!r}")
    if options.kind == "code-switch" and "lexicon" not in given:
        raise OptionError("lexicon: kind='code-switch' needs one, of words and their translations")
    if options.origin is not None and "names" not in given:
        raise OptionError(f"origin={options.origin!r} goes with names")
