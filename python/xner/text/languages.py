"""Languages by code and name: the 202 languages and scripts of NLLB-200, in the codes of FLORES-200.

A code is an ISO 639-3 code and an ISO 15924 script: `yor_Latn`. Two-letter codes, codes of macrolanguages and English
names are understood where they leave no doubt, as are tags with a script, a country or both: `sr-Cyrl`, `pt-BR`,
`zh-Hant-TW`. A country counts where it tells the script, and says nothing else.
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from xner.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["Language", "language", "languages", "meanings", "model_code"]


class Language(NamedTuple):
    """A language in a script.

    Attributes:
        code: in FLORES-200: `swh_Latn`.
        name: in English.
        others: other codes of the language, in whatever script: `sw`, `swa`.
    """

    code: str
    name: str
    others: tuple[str, ...]

    @property
    def script(self) -> str:
        """ISO 15924 code."""
        return self.code.partition("_")[2]


@lru_cache(maxsize=1)
def languages() -> tuple[Language, ...]:
    """All languages, by code."""
    lines = files("xner.text").joinpath("languages.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = (line.split("\t") for line in lines)
    return tuple(Language(code, name, tuple(others.split())) for code, name, others in rows)


@lru_cache(maxsize=1)
def _by_spelling() -> Mapping[str, list[Language]]:
    """The languages that a spelling may mean, by all spellings in lower case."""
    found: dict[str, list[Language]] = {}
    for one in languages():
        short, script = one.code.split("_")
        spellings = [one.code, short, one.name, *one.others, *(f"{other}_{script}" for other in one.others)]
        for spelling in dict.fromkeys(spelling.lower() for spelling in spellings):
            found.setdefault(spelling, []).append(one)
    bare: dict[str, list[Language]] = {}
    for one in languages():  # Chinese, of Chinese (Simplified) and Chinese (Traditional)
        bare.setdefault(one.name.partition(" (")[0].lower(), []).append(one)
    return bare | found


def language(text: str) -> Language:
    """The language that a code or name means.

    Args:
        text: `yor_Latn`, `yor`, `yo`, `Yoruba`, `zh-Hans`, `zh-TW`, `pt-BR`, ...; upper and lower case are the same.

    Raises:
        Error: unknown, in doubt, or not known in the script that its tag names; the message names the nearest ones,
            those in doubt, or those in other scripts.
    """
    spelling = _normal(text)
    found = _by_spelling().get(spelling, [])
    if not found and (tag := _tag(text)) is not None:
        others, found = tag.languages, tag.in_its_script
        if others and not found:
            raise OptionError(f"language {text!r} is written in {tag.script}, and is known as {_listed(others)} alone")
    if len(found) == 1:
        return found[0]
    if found:
        raise OptionError(f"language {text!r} may be {_listed(found)}: say which")
    near = difflib.get_close_matches(spelling, _by_spelling(), n=3, cutoff=0.6)
    nearest = [one for match in near for one in _by_spelling()[match]]
    hint = f"; the nearest are {_listed(dict.fromkeys(nearest))}" if nearest else "; codes are like yor_Latn or yo"
    raise OptionError(f"language {text!r} is unknown{hint}")


def model_code(text: str, supported: Collection[str], *, role: str = "") -> str:
    """The code by which a model knows a language.

    Args:
        text: as for `language`, or one of the model's own codes.
        supported: the model's codes, in FLORES-200's form or another (`sw`, `sw_KE`). Of several for one language the
            plainest counts: `fr` rather than `fr_CA`, but `cmn_Hans` rather than `cmn`, which may be in two scripts.
        role: what the language is wanted for, for the message: "as source".

    Raises:
        Error: an unknown language, or one that the model does not support; the message names what it does support that
            is nearest.
    """
    if text in supported:
        return text
    wanted = language(text)
    known = {code: meanings(code) for code in supported}
    found = [code for code, meant in known.items() if wanted in meant]
    if found:
        return min(found, key=lambda code: (_country(code) is not None, len(known[code])))
    near = [code for code, meant in known.items() if any(_related(wanted, one) for one in meant)]
    near += difflib.get_close_matches(wanted.code, supported, n=3, cutoff=0)
    raise OptionError(
        f"the model does not support {wanted.name} ({wanted.code}){role and f' {role}'}; the nearest that it does are "
        f"{', '.join(list(dict.fromkeys(near))[:3])}"
    )


def meanings(code: str) -> list[Language]:
    """The languages that a model's code may mean; none, where it names a group of them or nothing that is known.

    Args:
        code: `yor_Latn`, `yo`, `en_XX`, `pt_BR`, ...: after a language there may be a script or a country.
    """
    found = _by_spelling().get(_normal(code))
    if found is None:
        tag = _tag(code)
        return [] if tag is None else tag.in_its_script
    return found


# Where a country has a language in another script than the language has elsewhere, or tells which of several it is.
_SCRIPT_OF_COUNTRY = {
    "Hans": ("zh-CN", "zh-SG", "zh-MY"),
    "Hant": ("zh-TW", "zh-HK", "zh-MO"),
    "Arab": ("pa-PK", "uz-AF", "kk-CN"),
    "Latn": ("sr-ME",),
    "Mong": ("mn-CN",),
}


@lru_cache(maxsize=1)
def _scripts() -> Mapping[tuple[str, str], str]:
    """The script by FLORES-200's language and the country."""
    pairs = ((script, tag.split("-")) for script, tags in _SCRIPT_OF_COUNTRY.items() for tag in tags)
    return {
        (one.code[:3], country): script for script, (short, country) in pairs for one in _by_spelling().get(short, [])
    }


class _Tag(NamedTuple):
    """What a language tag of BCP 47 says, as far as it matters here.

    Attributes:
        languages: that its first part may mean.
        script: ISO 15924 code, given or the one of the country; empty where nothing tells it.
    """

    languages: list[Language]
    script: str

    @property
    def in_its_script(self) -> list[Language]:
        """The languages that are in the tag's script."""
        return [one for one in self.languages if self.script in {"", one.script}]


_TAG = re.compile(r"(?P<language>[a-z]{2,3})(?:[-_](?P<script>[a-z]{4}))?(?:[-_](?P<country>[a-z]{2}|\d{3}))?", re.I)


def _tag(text: str) -> _Tag | None:
    """The tag that a text is: `sr-Latn`, `pt_BR`, `zh-Hant-TW`, `es-419`; None where it is none."""
    found = _TAG.fullmatch(text.strip())
    if found is None:
        return None
    languages_ = _by_spelling().get(found["language"].lower(), [])
    country = (found["country"] or "").upper()
    by_country = {_scripts().get((one.code[:3], country), "") for one in languages_} - {""}
    return _Tag(languages_, (found["script"] or "".join(by_country)).title())


def _country(code: str) -> str | None:
    """What the model's code says of a country: `XX` of `en_XX`."""
    found = re.fullmatch(r"[A-Za-z]{2,3}_([A-Za-z]{2})", code)
    return found and found[1].upper()


def _related(one: Language, other: Language) -> bool:
    """The same language in another script, or another of the same macrolanguage."""
    return one.code[:3] == other.code[:3] or bool(set(one.others) & set(other.others))


def _normal(text: str) -> str:
    return re.sub(r"[-_](?=[A-Za-z]{4}$)", "_", text.strip()).lower()


def _listed(found: Collection[Language]) -> str:
    return ", ".join(f"{one.code} ({one.name})" for one in found)
