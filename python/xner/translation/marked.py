"""Translation of sentences with their entities in markers, which say where the entities are in the translation.

The translator may be any: a function from texts to their translations, or to those with statuses, as
`Translator.translate` gives them. Three calls are made of it: with the marked sentences, with the entities alone (for
markers without names), and with the plain sentences of which the markers broke.

Source: Chen, Jiang, Ritter, Xu 2023, *Frustratingly Easy Label Projection for Cross-lingual Transfer*.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from xner._support.arguments import choose, whole_number
from xner.errors import Error
from xner.text.detokenization import detokenize
from xner.text.word_splitting import words_within
from xner.translation.markers import PROBLEMS, STYLES, MarkerStyle, assign, find_problem, mark, unmark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xner.text.word_splitting import Word, WordSplitter
    from xner.translation.markers import Unmarked

__all__ = [
    "REASONS",
    "MarkedTranslation",
    "MarkerTrial",
    "Translate",
    "count_problems",
    "evenly",
    "translate_marked",
    "try_markers",
]

Translate: TypeAlias = "Callable[[Sequence[str]], Sequence[str | tuple[str, str]]]"
"""From texts to as many translations, each with its status or without: `ok`, or what is wrong with it."""

REASONS: Final = {
    **PROBLEMS,
    "bad_translation": "the marked sentence's translation is cut, repeats itself, is a copy or empty",
    "unassigned": "what is in the markers is like no translation of an entity",
    "overlapping": "two entities that were apart share a word",
}
"""What can go wrong, by name."""


@dataclass(frozen=True, slots=True)
class MarkedTranslation:
    """A sentence's translation.

    Attributes:
        text: the translation, without markers.
        status: what the translator says of it; `ok` where it says nothing.
        words: of the translation, with their places in its text.
        entities: `(start, end, label, source)` in words, by position; `source` is the source entity's index. Every
            source entity has one, or there is a problem and none has.
        problem: a key of `REASONS`, or None. The words are those of the plain translation then.
    """

    text: str
    status: str
    words: tuple[Word, ...]
    entities: tuple[tuple[int, int, str, int], ...]
    problem: str | None


def translate_marked(
    sentences: Sequence[Sequence[str]],
    entities: Sequence[Sequence[tuple[int, int, str]]],
    translate: Translate,
    split: WordSplitter,
    *,
    style: MarkerStyle = "brackets",
    join: Callable[[Sequence[str]], str] = detokenize,
    threshold: float = 0.5,
) -> list[MarkedTranslation]:
    """Translate sentences with markers around their entities, and read the entities off the translations.

    Args:
        sentences: source words.
        entities: of each sentence, `(start, end, label)` in words.
        translate: from texts to as many translations. The markers of a marked sentence whose translation is not `ok`
            count as broken.
        split: from a translation to its words.
        style: `brackets`, whose entities are told by similarity to translations of the entities alone, or `tags`, which
            have names.
        join: makes text of words.
        threshold: for brackets, see `xner.translation.markers.assign`.

    Raises:
        Error: as many entities lists as sentences are needed, and as many translations as texts.
    """
    found, problems = _by_markers(sentences, entities, translate, split, style, join, threshold)
    broken = [row for row, one in enumerate(found) if one is None]
    plain = _translated(translate, [join(sentences[row]) for row in broken])
    for row, (text, status) in zip(broken, plain, strict=True):
        found[row] = MarkedTranslation(text, status, tuple(split(text)), (), problems[row])
    return [one for one in found if one is not None]


def count_problems(translations: Sequence[MarkedTranslation]) -> dict[str, int]:
    """How often each problem occurred, the most frequent first."""
    return dict(Counter(one.problem for one in translations if one.problem is not None).most_common())


@dataclass(frozen=True, slots=True)
class MarkerTrial:
    """How well each way to mark entities goes through a translator.

    Attributes:
        sentences: how many were tried, each with an entity.
        whole: of each style, in the order of `STYLES`, in how many of them every entity came back.
    """

    sentences: int
    whole: Mapping[MarkerStyle, int]

    @property
    def best(self) -> MarkerStyle:
        """The style of which most came back; of several, the first one of `STYLES`."""
        return max(self.whole, key=lambda style: self.whole[style])

    @property
    def survives(self) -> bool:
        """Whether that is at least half of the sentences; with no sentence to try, it is taken to be."""
        return 2 * self.whole[self.best] >= self.sentences

    def __str__(self) -> str:
        return ", ".join(f"{style} {count}" for style, count in self.whole.items()) + f" of {self.sentences} sentences"

    def chosen(self) -> MarkerStyle:
        """The best style.

        Raises:
            Error: it comes back in less than half of the sentences.
        """
        if not self.survives:
            raise Error(
                f"this translator breaks markers of every style: whole came back {self}. Translate without markers and "
                "align the words, as `xner project` does; or name a style, to have it all the same"
            )
        return self.best


def try_markers(
    sentences: Sequence[Sequence[str]],
    entities: Sequence[Sequence[tuple[int, int, str]]],
    translate: Translate,
    split: WordSplitter,
    *,
    sample: int = 50,
    join: Callable[[Sequence[str]], str] = detokenize,
    threshold: float = 0.5,
) -> MarkerTrial:
    """Translate a sample of the sentences that have entities, with each style of markers.

    Args:
        sentences: as for `translate_marked`, as are the others.
        entities: of each sentence.
        translate: asked for the sample once a style, and for the sample's entities alone; not for plain sentences.
        split: from a translation to its words.
        sample: how many sentences, evenly spread over those that have entities.
        join: makes text of words.
        threshold: see `xner.translation.markers.assign`.

    Raises:
        Error: as `translate_marked`.
    """
    whole_number("sample", sample, 1)
    labelled = [row for row, found in enumerate(entities) if found]
    picked = [labelled[place] for place in evenly(len(labelled), sample)]
    some = [sentences[row] for row in picked], [entities[row] for row in picked]
    whole: dict[MarkerStyle, int] = {}
    for style in cast("dict[MarkerStyle, None]", STYLES):
        found, _ = _by_markers(*some, translate, split, style, join, threshold)
        whole[style] = sum(one is not None for one in found)
    return MarkerTrial(len(picked), whole)


def evenly(count: int, sample: int) -> list[int]:
    """Places of a sample, evenly spread over so many; all, where there are no more."""
    return [place * count // sample for place in range(sample)] if count > sample else list(range(count))


def _by_markers(
    sentences: Sequence[Sequence[str]],
    entities: Sequence[Sequence[tuple[int, int, str]]],
    translate: Translate,
    split: WordSplitter,
    style: MarkerStyle,
    join: Callable[[Sequence[str]], str],
    threshold: float,
) -> tuple[list[MarkedTranslation | None], list[str | None]]:
    """The sentences whose markers came back whole, None for others; and what is wrong with these."""
    choose("style", style, STYLES)
    if len(sentences) != len(entities):
        raise Error(f"{len(sentences)} sentences but entities of {len(entities)}")
    spans = [[(start, end) for start, end, _ in row] for row in entities]
    problems = [find_problem(words, row, style) for words, row in zip(sentences, spans, strict=True)]
    marked = [row for row, problem in enumerate(problems) if problem is None]
    translations = _translated(translate, [mark(sentences[row], spans[row], style, join=join) for row in marked])
    alone = _alone(translate, sentences, spans, join) if style == "brackets" else {}
    found: list[MarkedTranslation | None] = [None] * len(sentences)
    for row, (text, status) in zip(marked, translations, strict=True):
        if status != "ok" and sentences[row]:
            problems[row] = "bad_translation"
            continue
        read = unmark(text, len(spans[row]), style)
        words = tuple(split(read.text))
        expected = [alone[join(sentences[row][start:end])] for start, end in spans[row]] if alone else []
        sources = _sources(read, words, [[word.text for word in split(text)] for text in expected], threshold)
        problems[row] = read.problem or _problem_of(read, words, sources, spans[row])
        if problems[row] is None:
            projected = sorted(
                (*words_within(words, span.start, span.end), entities[row][source][2], source)
                for span, source in zip(read.spans, sources, strict=True)
                if source is not None
            )
            found[row] = MarkedTranslation(read.text, status, words, tuple(projected), None)
    return found, problems


def _translated(translate: Translate, texts: Sequence[str]) -> list[tuple[str, str]]:
    """Translations with statuses."""
    translations = translate(texts) if texts else []
    if len(translations) != len(texts):
        raise Error(f"the translator made {len(translations)} translations of {len(texts)} texts")
    return [(one, "ok") if isinstance(one, str) else one for one in translations]


def _alone(
    translate: Translate,
    sentences: Sequence[Sequence[str]],
    spans: Sequence[Sequence[tuple[int, int]]],
    join: Callable[[Sequence[str]], str],
) -> dict[str, str]:
    """Translations of the entities alone, each distinct one once."""
    names = (join(words[start:end]) for words, row in zip(sentences, spans, strict=True) for start, end in row)
    distinct = list(dict.fromkeys(names))
    return {name: text for name, (text, _) in zip(distinct, _translated(translate, distinct), strict=True)}


def _sources(
    read: Unmarked, words: Sequence[Word], expected: Sequence[Sequence[str]], threshold: float
) -> list[int | None]:
    """Which source entity each marked span is: by its tag, or by what it is like."""
    if any(span.entity is not None for span in read.spans) or not read.spans:
        return [span.entity for span in read.spans]
    texts = []
    for span in read.spans:
        first, last = words_within(words, span.start, span.end)
        texts.append([word.text for word in words[first:last]])
    if len(expected) == len(texts) == 1:
        return [0]  # whatever it is like, there is but one
    return assign(texts, expected, threshold=threshold)


def _problem_of(
    read: Unmarked, words: Sequence[Word], sources: Sequence[int | None], spans: Sequence[tuple[int, int]]
) -> str | None:
    if None in sources:
        return "unassigned"
    places = [words_within(words, span.start, span.end) for span in read.spans]
    for one, (start, end) in zip(sources, places, strict=True):
        for other, (other_start, other_end) in zip(sources, places, strict=True):
            apart = one is not None and other is not None and not _overlap(spans[one], spans[other])
            if one != other and apart and start < other_end and other_start < end:
                return "overlapping"
    return None


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
