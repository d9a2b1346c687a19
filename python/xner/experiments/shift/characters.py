"""Changes within words: slips of the keyboard, errors of recognition, marks, case, joiners, digits.

Each takes a word and gives another one, or None where there is nothing to change.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from xner.experiments.shift.base import Change, Unit, changed_word, word_units
from xner.experiments.shift.edits import Edit, is_word

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xner.experiments.shift._draws import Draws
    from xner.experiments.shift.base import State
    from xner.experiments.shift.edits import Corpus
    from xner.experiments.shift.options import CharacterChange, Keyboard, Where

__all__ = ["Characters", "breaks", "without_marks"]

_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "qwerty": ("qwertyuiop", "asdfghjkl", "zxcvbnm"),
    "qwertz": ("qwertzuiopü", "asdfghjklöä", "yxcvbnm"),
    "azerty": ("azertyuiop", "qsdfghjklm", "wxcvbn"),
}
_SHIFTS: Final = (0.0, 0.25, 0.75)  # of rows of keys, in keys

# What looks alike, group by group, in several scripts.
_ALIKE: Final = (
    *("O 0", "l 1 I", "S 5", "B 8", "G 6", "Z 2", "e c", "h b", "g q", "u v", "n h", "t f", "i j"),
    *("rn m", "cl d", "vv w", "ii u", "li h", "ri n", "fi h", "nn m"),
    *("а д", "ш щ", "и й", "ь ъ", "п н", "з э 3"),
    *("ν υ", "ο σ", "ι ί", "ε έ"),
    *("ד ר", "ה ח", "ו ז", "ב כ", "ם ס"),
    *("ب ت ث ن", "ج ح خ", "د ذ", "ر ز", "س ش", "ص ض", "ط ظ", "ع غ", "ف ق"),
    *("घ ध", "भ म", "ब व", "ष प", "ड ङ"),
    *("己 已 巳", "未 末", "土 士", "人 入", "日 曰", "大 太 犬", "天 夫", "千 干", "ー 一", "シ ツ", "ソ ン", "ク タ"),
    *("ก ถ ภ", "ค ด ต", "ช ซ", "บ ป", "ผ ฝ", "พ ฟ", "ฎ ฏ"),
)
# Letters with a stroke or two in one, which Unicode does not take apart.
_PLAIN: Final = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ħ": "h", "Ħ": "H", "ı": "i", "ŧ": "t", "Ŧ": "T"}
    | {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ɓ": "b", "ɗ": "d", "ƙ": "k", "Ɓ": "B"}
    | {"Ɗ": "D", "Ƙ": "K", "þ": "th", "Þ": "Th", "ð": "d", "Ð": "D", "ŋ": "n", "Ŋ": "N", "ǝ": "e", "ə": "e"}
)
_JOINERS: Final = "\u200d\u200c"
# Canonical combining classes of marks that writing can do without: points of Hebrew, Arabic and Syriac, and what stands
# above or below a letter. Others are vowels or letters of their scripts (virama, nukta, Thai tones).
_POINTS: Final = range(10, 37)
_ATTACHED: Final = 200
_VIRAMA: Final = 9  # the class of what makes a conjunct of two consonants
_FLAGS: Final = range(0x1F1E6, 0x1F200)  # letters, two of which are a flag
_LEADING: Final = frozenset(map(chr, range(0x1100, 0x1160)))  # first consonants of Hangul's syllables
# What stays with what is before it and is no mark: vowels and last consonants of Hangul, AM of Thai and Lao, colours of
# skin, tags of flags.
_STAYING: Final = frozenset(
    map(chr, (*range(0x1160, 0x1200), 0x0E33, 0x0EB3, *range(0x1F3FB, 0x1F400), *range(0xE0020, 0xE0080)))
)


def without_marks(word: str) -> str:
    """A word without diacritics; scripts whose vowels are marks keep these."""
    if word.isascii():
        return word
    apart = unicodedata.normalize("NFD", word.translate(_PLAIN))
    kept = (one for one in apart if (order := unicodedata.combining(one)) < _ATTACHED and order not in _POINTS)
    return unicodedata.normalize("NFC", "".join(kept))


def breaks(word: str) -> list[int]:
    """Places within a word, between characters that people see as two.

    Marks stay with their letter, and so do the parts of a conjunct, of a syllable of Hangul, of a flag, and of an emoji
    with a skin colour or with joiners.
    """
    if word.isascii():
        return list(range(1, len(word)))
    found = []
    flags = 0  # letters of flags right before the place: two are a flag
    for place, (before, after) in enumerate(pairwise(word), 1):
        flags = flags + 1 if ord(before) in _FLAGS else 0
        is_within = (
            unicodedata.category(after)[0] == "M"
            or after in _STAYING
            or before in _JOINERS
            or after in _JOINERS
            or unicodedata.combining(before) == _VIRAMA
            or (before in _LEADING and (after in _LEADING or "가" <= after <= "힣"))
            or (ord(after) in _FLAGS and flags % 2 == 1)
        )
        if not is_within:
            found.append(place)
    return found


@cache
def _neighbours(keyboard: Keyboard) -> Mapping[str, str]:
    """The letters beside each one on a keyboard."""
    rows = _KEYS[keyboard]
    at = {key: (row, _SHIFTS[row] + place) for row, keys in enumerate(rows) for place, key in enumerate(keys)}
    return {
        key: "".join(other for other, (b, y) in at.items() if other != key and abs(a - b) <= 1 and abs(x - y) <= 1)
        for key, (a, x) in at.items()
    }


@lru_cache(maxsize=4096)
def _beside(character: str) -> str:
    """Letters of the same script and kind that are next to one in Unicode."""
    kind = unicodedata.category(character)
    script = unicodedata.name(character, "").partition(" ")[0]
    if kind[0] != "L" or not script:
        return ""
    around = [chr(code) for by in (-1, 1, -2, 2) if 0 < (code := ord(character) + by) < 0x110000]
    same = [one for one in around if unicodedata.category(one) == kind]
    return "".join(one for one in same if unicodedata.name(one, "").partition(" ")[0] == script)


def _slip(word: str, draws: Draws, keyboard: Keyboard) -> str | None:
    keys = _neighbours(keyboard)
    for place in draws.shuffled(range(len(word))):
        own = word[place]
        others = keys.get(own.lower()) or _beside(own)
        if others:
            other = draws.one(others)
            other = other.upper() if own.isupper() and own.lower() in keys else other
            return word[:place] + other + word[place + 1 :]
    return None


@cache
def _confusions() -> Mapping[str, tuple[str, ...]]:
    groups = [line.split() for line in _ALIKE]
    found: dict[str, list[str]] = {}
    for group in groups:
        for one in group:
            found.setdefault(one, []).extend(other for other in group if other != one)
    return {one: tuple(dict.fromkeys(others)) for one, others in found.items()}


def _misread(word: str, draws: Draws, keyboard: Keyboard) -> str | None:
    table = _confusions()
    places = [(at, size) for at in range(len(word)) for size in (1, 2) if word[at : at + size] in table]
    places = [(at, size) for at, size in places if at + size <= len(word)]
    if not places:
        return None
    at, size = draws.one(places)
    return word[:at] + draws.one(table[word[at : at + size]]) + word[at + size :]


def _unmarked(word: str, draws: Draws, keyboard: Keyboard) -> str | None:
    return without_marks(word)


def _recased(word: str, draws: Draws, keyboard: Keyboard) -> str | None:
    forms = [word.lower(), word.upper(), word[:1].upper() + word[1:].lower()]
    others = [one for one in dict.fromkeys(forms) if one != word]
    return draws.one(others) if others else None


def _joined(word: str, draws: Draws, keyboard: Keyboard) -> str | None:
    places = breaks(word)
    if not places:
        return None
    place = draws.one(places)
    return word[:place] + draws.one(_JOINERS) + word[place:]


def _renumbered(word: str, draws: Draws, keyboard: Keyboard) -> str | None:
    places = [place for place, one in enumerate(word) if unicodedata.decimal(one, None) is not None]
    if not places:
        return None
    place = draws.one(places)
    own = unicodedata.decimal(word[place])
    other = (own + 1 + draws.below(9)) % 10
    return word[:place] + chr(ord(word[place]) - own + other) + word[place + 1 :]  # digits of a script are in a row


_CHANGES: Final[Mapping[CharacterChange, Callable[[str, Draws, Keyboard], str | None]]] = {
    "keyboard": _slip,
    "ocr": _misread,
    "diacritics": _unmarked,
    "case": _recased,
    "joiners": _joined,
    "digits": _renumbered,
}


@dataclass(slots=True)
class Characters:
    """One change within a word: the first that is possible, of those asked for in random order.

    Args:
        corpus: that is shifted.
        changes: asked for.
        keyboard: whose neighbours count.
        where: which words may change.
    """

    corpus: Corpus
    changes: Sequence[CharacterChange]
    keyboard: Keyboard
    where: Where
    units: Sequence[Unit] = field(init=False)

    def __post_init__(self) -> None:
        self.units = word_units(self.corpus, self.where)

    def change(self, number: int, draws: Draws, state: State) -> Change | None:
        """See `Shift`."""
        row, start, end, _ = self.units[number]
        word = self.corpus.sentences[row].words[start]
        for name in draws.shuffled(self.changes):
            other = _CHANGES[name](word, draws, self.keyboard)
            if other is not None and other != word and is_word(other):
                return changed_word(Edit(row, start, end, (word,), (other,), "characters", name), number)
        return None

    def shortage(self) -> str:
        """See `Shift`."""
        return "the others have no character for any of the changes"
