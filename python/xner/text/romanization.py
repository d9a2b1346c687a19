"""Words of other scripts in Latin letters, so that names look alike across scripts."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

__all__ = ["romanize"]


# Scripts of which the Unicode names of the characters are the sounds.
_SOUNDS: Final = re.compile(
    r"(?:HIRAGANA|KATAKANA) LETTER (?:SMALL )?(?P<kana>[A-Z]+)$"
    r"|(?:HANGUL|ETHIOPIC) SYLLABLE (?:GLOTTAL |PHARYNGEAL )?(?P<syllable>[A-Z]+)$"
    r"|[A-Z]+ LETTER (?P<letter>[A-Z]+)$"
    r"|[A-Z]+ VOWEL SIGN (?P<sign>[A-Z]+)$"
    r"|[A-Z]+ SIGN (?P<silent>VIRAMA|NUKTA)$"
    r"|[A-Z]+ SIGN (?P<nasal>ANUSVARA|CANDRABINDU)$"
)
_BRAHMIC: Final = (
    "DEVANAGARI",
    "BENGALI",
    "GURMUKHI",
    "GUJARATI",
    "ORIYA",
    "TAMIL",
    "TELUGU",
    "KANNADA",
    "MALAYALAM",
    "SINHALA",
)


@cache
def _letters() -> dict[str, str]:
    """What stands for letters, as newspapers spell names: Cyrillic, Greek, Arabic, Hebrew, Georgian, Armenian."""
    text = files("xner.text").joinpath("romanization.tsv").read_text(encoding="utf-8")
    return dict(line.split("\t") for line in text.splitlines())


def _sound(name: str) -> tuple[str, str]:
    """What kind of character a name is of, and its sound."""
    found = _SOUNDS.match(name)
    if found is None:
        return "", ""
    if found["kana"]:
        return "syllable", found["kana"].lower()
    if found["syllable"]:
        return "syllable", found["syllable"].lower()
    if not name.startswith(_BRAHMIC):
        return "", ""
    if found["letter"]:
        sound = found["letter"].lower()
        is_consonant = len(sound) > 1 and sound.endswith("a") and sound[0] not in "aeiou"
        return ("consonant", sound[:-1]) if is_consonant else ("syllable", _short(sound))
    if found["sign"]:
        return "sign", _short(found["sign"].lower())
    return ("sign", "") if found["silent"] else ("syllable", "n")


def _short(vowel: str) -> str:
    return {"aa": "a", "ii": "i", "uu": "u", "ee": "e", "oo": "o"}.get(vowel, vowel)


@lru_cache(maxsize=4096)
def _of_character(character: str) -> tuple[str, str]:
    """The kind of a character and its Latin letters; the kind is empty where it has none."""
    if character.isascii():
        return "", character
    lower = character.lower()
    if lower in _letters():
        letters = _letters()[lower]
        return "letter", letters if character == lower else letters.capitalize()
    return _sound(unicodedata.name(character, ""))


def romanize(word: str) -> str:
    """A word in Latin letters, as far as its letters have sounds of their own: `мария` -> `mariya`.

    Cyrillic, Greek, Arabic, Hebrew, Georgian, Armenian, kana, Hangul, Ethiopic and the scripts of India. Letters of
    others, Chinese ones among them, stay as they are. For comparing words, not for reading: what is not written is not
    made up, and letters that sound nearly alike become one. Never empty unless the word is.
    """
    if word.isascii():
        return word
    composed = unicodedata.normalize("NFC", word)
    result: list[str] = []
    consonant = False
    changed = False
    for character in composed:
        kind, sound = _of_character(character)
        if consonant and kind != "sign":
            result.append("a")
        consonant = kind == "consonant"
        if kind:
            changed = True
            result.append(sound)
        elif character != "ー" or not changed:  # a long vowel
            result.append(character)
    return ("".join(result) or word) if changed else word
