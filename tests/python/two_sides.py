"""A made-up parallel corpus in files: English with labels, two translations with gold labels, word links."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LANGUAGES", "write"]

LANGUAGES = ("de", "es")

_NAMES = {"PER": ["Anna", "Boris Beck", "Carla"], "LOC": ["Rome", "New York"], "ORG": ["Acme", "Baker Street Bank"]}
_VERBS = {"en": ["sees", "likes", "leaves"], "de": ["sieht", "mag", "verlässt"], "es": ["ve", "quiere", "deja"]}
_ROWS = 40


def write(folder: Path, *, rows: int = _ROWS) -> None:
    """Write `LANGUAGE.conll`, some gold labels of which are wrong on purpose, and `links.en-LANGUAGE.pharaoh`.

    Words stand in the same order on both sides, but for the adverb, which comes last in German and first elsewhere.
    """
    texts: dict[str, list[str]] = {"en": [], "de": [], "es": []}
    links: dict[str, list[str]] = {one: [] for one in LANGUAGES}
    for row in range(rows):
        kinds = [("PER", "LOC"), ("ORG", "PER"), ("PER", "ORG")][row % 3]
        first, second = (_NAMES[kind][(row // 3) % len(_NAMES[kind])].split() for kind in kinds)
        words = [first, [""], second]
        tags = [_tags(first, kinds[0]), ["O"], _tags(second, kinds[1])]
        for language, lines in texts.items():
            words[1] = [_VERBS[language][row % 3]]
            flat, labels = [one for part in words for one in part], [one for part in tags for one in part]
            if language == "de":
                flat, labels = [*flat, "heute"], [*labels, "O"]
            else:
                flat, labels = [{"en": "today", "es": "hoy"}[language], *flat], ["O", *labels]
            if language != "en" and row % 7 == 0:  # gold labels that no projection finds
                labels = ["O"] * len(labels)
            lines.append("".join(f"{word}\t{label}\n" for word, label in zip(flat, labels, strict=True)))
        count = sum(map(len, words))
        links["de"].append(" ".join([f"0-{count}", *(f"{one + 1}-{one}" for one in range(count) if one or row % 5)]))
        links["es"].append(" ".join(f"{one}-{one}" for one in range(count + 1) if one != 1 or row % 4))
    for language, lines in texts.items():
        (folder / f"{language}.conll").write_text("\n".join(lines), encoding="utf-8")
    for language, some in links.items():
        (folder / f"links.en-{language}.pharaoh").write_text("\n".join(some) + "\n", encoding="utf-8")


def _tags(words: list[str], kind: str) -> list[str]:
    return [f"{'I' if place else 'B'}-{kind}" for place in range(len(words))]
