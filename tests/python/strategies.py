"""Random inputs for the property tests: small numbers, so that ties and overlaps are common."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st

__all__ = [
    "LABELS",
    "WORDS",
    "Evidence",
    "Sentence",
    "Tagged",
    "evidence_for",
    "labels",
    "many",
    "pairs",
    "sentences",
    "spans",
    "tagged",
]

Pair = tuple[int, int, int, float]

LABELS = ("PER", "LOC", "ORG", "MISC")
WORDS = ("a", "b", "c", "d", "e", "!", "?")


def many(factor: float) -> settings:
    """The loaded profile with `factor` times its examples, for cheap properties that must hold thousands of times."""
    return settings(max_examples=max(1, round(settings().max_examples * factor)))


@dataclass(frozen=True)
class Sentence:
    """One sentence pair."""

    tokens: list[str]
    source_length: int
    entities: list[tuple[int, int, str]]
    links: list[tuple[int, int]]
    scores: list[float]


@st.composite
def spans(draw: st.DrawFn, words: int, longest: int = 5) -> tuple[int, int]:
    """A non-empty span within `words` words."""
    start = draw(st.integers(0, words - 1))
    return start, draw(st.integers(start + 1, min(words, start + longest)))


@st.composite
def sentences(draw: st.DrawFn, *, entities: int = 6, words: int = 12) -> Sentence:
    """A sentence pair with entities that may nest, overlap and repeat, and links that may repeat."""
    tokens = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=words))
    source = draw(st.integers(1, words))
    found = draw(st.lists(st.tuples(spans(source), st.sampled_from(LABELS)), max_size=entities))
    link = st.tuples(st.integers(0, source - 1), st.integers(0, len(tokens) - 1))
    links = draw(st.lists(link, max_size=3 * words))
    scores = draw(st.lists(st.sampled_from([0.25, 0.5, 0.75, 1.0]), min_size=len(links), max_size=len(links)))
    return Sentence(tokens, source, [(*span, label) for span, label in found], links, scores)


@st.composite
def pairs(draw: st.DrawFn, *, entities: int = 12, most: int = 13, words: int = 12) -> list[Pair]:
    """Scored pairs entity by entity; scores are small fractions, so many tie, or free floats."""
    tie = st.tuples(st.integers(0, 6), st.integers(1, 6)).map(lambda pair: pair[0] / pair[1])
    score = draw(st.sampled_from([tie, st.integers(0, 3).map(float), st.floats(0, 2)]))
    pair = st.tuples(st.integers(0, max(0, entities - 1)), spans(words), score)
    found = draw(st.lists(pair, max_size=most))
    return sorted(((entity, *span, value) for entity, span, value in found), key=lambda item: item[0])


labels = st.lists(
    st.one_of(st.just("O"), st.tuples(st.sampled_from("BIES"), st.sampled_from(LABELS[:2])).map("-".join)),
    max_size=10,
)
"""Tags of any scheme in any order."""


@dataclass(frozen=True)
class Tagged:
    """What a tagger says of a sentence: label names, and their probabilities word by word."""

    labels: list[str]
    probabilities: list[list[float]]


@st.composite
def tagged(draw: st.DrawFn, *, words: int | None = None, most_words: int = 8) -> Tagged:
    """Labels of up to three classes in any order, and rows of a few round numbers, so that many tie or are 0."""
    classes = draw(st.lists(st.sampled_from(LABELS), unique=True, max_size=3))
    names = ["O", *(f"{prefix}-{name}" for name in classes for prefix in "BI")]
    row = st.lists(st.sampled_from([0.0, 0.0625, 0.25, 0.5, 1.0]), min_size=len(names), max_size=len(names))
    least, most = (0, most_words) if words is None else (words, words)
    return Tagged(draw(st.permutations(names)), draw(st.lists(row, min_size=least, max_size=most)))


@dataclass(frozen=True)
class Evidence:
    """What other scores than the alignment score go by, for one sentence pair."""

    tagged: Tagged
    source_tokens: list[str]
    hints: list[Pair]
    nmt_scores: list[Pair]


@st.composite
def evidence_for(draw: st.DrawFn, sentence: Sentence) -> Evidence:
    """Evidence for a sentence pair; hints may repeat a pair, and some lower its score."""
    words = len(sentence.tokens)
    entity = st.integers(0, max(0, len(sentence.entities) - 1))
    hint = st.tuples(entity, spans(words), st.sampled_from([-0.5, 0.25, 0.5, 1.0]))
    most = 6 if sentence.entities else 0
    given = [[(index, *span, score) for index, span, score in draw(st.lists(hint, max_size=most))] for _ in range(2)]
    length = sentence.source_length
    source = draw(st.lists(st.sampled_from(("a", "B", "bc", "É", "?")), min_size=length, max_size=length))
    return Evidence(draw(tagged(words=words)), source, *given)
