"""Families of translation models: which languages a model knows, and how it is told them.

A family is an entry of `FAMILIES`: how the marks of languages look in the vocabulary and where they stand. What follows
from that for tokens is `xner.models.translators.seq2seq`'s affair.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from xner.errors import Error
from xner.text.languages import meanings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FAMILIES", "Family", "Languages", "family_of", "known_types"]

Marks: TypeAlias = "Mapping[str, str]"  # by a language's code; empty where the model takes none


class Languages(NamedTuple):
    """What a model translates.

    Attributes:
        sources: codes of languages that it translates from, with their marks; None where it does not tell them.
        targets: of languages that it translates into, likewise.
    """

    sources: Marks | None
    targets: Marks


@dataclass(frozen=True, slots=True)
class Family:
    """Models that mark languages alike.

    Attributes:
        title: for people.
        model_type: in the configuration of transformers.
        mark: what the marks of languages look like in the vocabulary; the group is the language's code.
        place: where marks stand. `sides`: the source's before the source text, the target's before the translation,
            where it is forced upon the decoder. `source`: the target's before the source text, none elsewhere.
        needs: a language without which it is another family that has such marks, elsewhere.
        pair: the source and target languages that a model without marks (or with marks of the target alone) was made
            for, from its name and tokenizer; None where models translate between all languages that they have marks of.
    """

    title: str
    model_type: str
    mark: re.Pattern[str]
    place: Literal["sides", "source"]
    needs: str = ""
    pair: Callable[[str, Any], tuple[str, str] | None] | None = None

    def marks(self, tokenizer: Any) -> dict[str, str]:
        """The marks in a tokenizer's vocabulary, by language code."""
        found = (self.mark.fullmatch(token) for token in sorted(tokenizer.get_vocab()))
        return {mark[1]: mark[0] for mark in found if mark is not None}

    def languages(self, name: str, tokenizer: Any) -> Languages | None:
        """What a model translates; None where it is not of this family after all.

        Args:
            name: of the model, or its folder.
            tokenizer: the model's.
        """
        marks = self.marks(tokenizer)
        if self.pair is None:
            return Languages(marks, marks) if marks and (not self.needs or self.needs in marks) else None
        pair = self.pair(name, tokenizer)
        if pair is None:
            return Languages(None, marks) if marks else None
        source, target = pair
        if not marks and not meanings(target):
            return None
        return Languages({source: ""} if meanings(source) else None, marks or {target: ""})


def _opus_pair(name: str, tokenizer: Any) -> tuple[str, str] | None:
    """The languages of an OPUS-MT model; either may be a group (`mul`, `ROMANCE`)."""
    source, target = (getattr(tokenizer, side, None) for side in ("source_lang", "target_lang"))
    if source and target:
        return source, target
    named = re.search(r"opus-mt-(?:tc-[a-z]+-)?([A-Za-z_]+)-([A-Za-z_]+)/?$", name)
    return named and (named[1], named[2])


FAMILIES: Final = (
    Family("NLLB-200", "m2m_100", re.compile(r"([a-z]{3}_[A-Z][a-z]{3})"), "sides"),
    Family("M2M-100", "m2m_100", re.compile(r"__([a-z]{2,3})__"), "sides"),
    Family("mBART-50", "mbart", re.compile(r"([a-z]{2}_[A-Z]{2})"), "sides", needs="sl_SI"),  # mBART-25 lacks it
    Family("MADLAD-400", "t5", re.compile(r"<2([a-z]{2,3}(?:_[A-Z]\w+)?)>"), "source"),
    Family("Marian (OPUS-MT)", "marian", re.compile(r">>(\w+)<<"), "source", pair=_opus_pair),
)
"""All families; a model is of the first that has its type and its marks."""


def known_types() -> str:
    """The model types that can be used, for messages."""
    titles: dict[str, list[str]] = {}
    for family in FAMILIES:
        titles.setdefault(family.model_type, []).append(family.title)
    return ", ".join(f"'{kind}': {' or '.join(names)}" for kind, names in titles.items())


def family_of(name: str, tokenizer: Any, model_type: str | None) -> tuple[Family, Languages]:
    """The family of a model, and what it translates.

    Args:
        name: of the model, or its folder.
        tokenizer: the model's.
        model_type: in its configuration; None where that does not tell, as in CTranslate2's format.

    Raises:
        Error: it is of no family.
    """
    for family in FAMILIES:
        if model_type in {None, family.model_type} and (found := family.languages(name, tokenizer)) is not None:
            return family, found
    titles = ", ".join(family.title for family in FAMILIES)
    raise Error(f"'{name}' does not tell its languages, neither by marks for them nor by its name; known are {titles}")
