"""Labels of token-classification models: what they mean, and IOB2 distributions out of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import tagging as reference
from strategies import many
from xner.errors import Error
from xner.models.taggers.tag_schemes import TagSet, best_iob2_path, read_tags

PREFIXES = {"IOB1": "BI", "IOB2": "BI", "BIOES": "BIES", "plain": "I"}


def read(names: list[str], **options: Any) -> TagSet:
    return read_tags(dict(enumerate(names)), "some/model", **options)


CONLL_03 = ["B-LOC", "B-MISC", "B-ORG", "I-LOC", "I-MISC", "I-ORG", "I-PER", "O"]


@pytest.mark.parametrize(
    ("names", "scheme", "meaning"),
    [
        (CONLL_03, "IOB1", CONLL_03),
        (["O", "I-PER", "I-LOC"], "IOB1", ["O", "I-PER", "I-LOC"]),
        (["O", "B-PER", "I-PER"], "IOB2", ["O", "B-PER", "I-PER"]),
        (["O", "B_PER", "I_PER", "B_A-B"], "IOB2", ["O", "B-PER", "I-PER", "B-A-B"]),
        (["<pad>", "[CLS]", "PAD", "O", "B-X", "I-X"], "IOB2", [None, None, None, "O", "B-X", "I-X"]),
        (["S-X", "B-X", "E-X", "I-X", "O"], "BIOES", ["S-X", "B-X", "E-X", "I-X", "O"]),
        (["O", "B-X", "I-X", "L-X", "U-X"], "BIOES", ["O", "B-X", "I-X", "E-X", "S-X"]),
        (["PER", "O", "PERSON_NAME"], "plain", ["I-PER", "O", "I-PERSON_NAME"]),
    ],
)
def test_schemes_are_found(names: list[str], scheme: str, meaning: list[str | None]) -> None:
    found = read(names)
    assert found.scheme == scheme
    assert found.kept.tolist() == [label for label, tag in enumerate(meaning) if tag is not None]
    assert [found.tags[tag] for tag in found.tag_of] == [tag for tag in meaning if tag is not None]
    assert found.tags[0] == "O"


def test_iob2_has_both_labels_of_every_class() -> None:
    found = read(CONLL_03)
    assert found.classes == ("LOC", "MISC", "ORG", "PER")
    assert found.label_names == ("O", "B-LOC", "I-LOC", "B-MISC", "I-MISC", "B-ORG", "I-ORG", "B-PER", "I-PER")


def test_schemes_by_name() -> None:
    names = ["O", "B-PER", "I-PER"]
    assert read(names, scheme="IOB1").scheme == "IOB1"
    assert read(names, scheme="plain").classes == ("B-PER", "I-PER")


def test_classes_get_new_names() -> None:
    names = ["O", "B-PER", "I-PER", "B-PERSON", "I-PERSON", "B-MISC", "I-MISC", "B-DATE", "I-DATE"]
    found = read(names, classes={"PERSON": "PER", "MISC": "O"})
    assert found.classes == ("PER", "DATE")
    assert found.of_labels(np.arange(9, dtype=np.float32)[None]).tolist() == [[0 + 5 + 6, 1 + 3, 2 + 4, 7, 8]]


def test_what_does_not_count_needs_no_prefix() -> None:
    found = read(["O", "X", "B-PER", "I-PER"], classes={"X": "O"})
    assert (found.scheme, found.classes) == ("IOB2", ("PER",))


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["LABEL_0", "LABEL_1"], {}, "the labels of 'some/model' have no names (LABEL_0, LABEL_1, ...): it was not "),
        (["B-X", "I-X"], {}, "the labels of 'some/model' have no O: B-X, I-X"),
        (["O", "B-X", "I-X", "Y"], {}, "the labels of 'some/model' have prefixes but Y; classes={'Y': 'O'} makes that"),
        (["O", "B-X", "S-X"], {"scheme": "IOB2"}, "the label S-X of 'some/model' is none of IOB2; scheme='auto' goes"),
        (["O", "B-X"], {"scheme": "IOB"}, "scheme='IOB': expected one of 'auto', 'IOB1', 'IOB2', 'BIOES', 'plain'"),
        (["O", "B-X"], {"classes": {"Y": "O"}}, "'some/model' has no class 'Y', only X"),
        (["O", "B-X"], {"classes": {"X": ""}}, "classes: 'X' cannot become ''; expected the name of a class, or O"),
        (
            ["O", "B-X"],
            {"classes": {"X": "O"}},
            "no class of 'some/model' is left: its labels are O, B-X, and classes=",
        ),
        (["O"], {}, "no class of 'some/model' is left: its labels are O, and classes={}"),
    ],
)
def test_labels_that_cannot_be_read(names: list[str], options: dict[str, Any], message: str) -> None:
    with pytest.raises(Error) as error:
        read(names, **options)
    assert message in str(error.value)


def test_labels_that_are_not_numbered() -> None:
    with pytest.raises(Error, match="id2label of 'some/model' does not number its labels from 0 on: 1, 2"):
        read_tags({1: "O", 2: "B-X"}, "some/model")


@dataclass(frozen=True)
class Corpus:
    """Sentences of distributions over a model's labels, by tag."""

    tags: TagSet
    scheme: str
    sentences: list[list[dict[str, float]]]

    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        rows = [[word[tag] for tag in self.tags.tags] for words in self.sentences for word in words]
        return np.array(rows, np.float32).reshape(-1, len(self.tags.tags))

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        lengths = np.array([len(words) for words in self.sentences], np.int64)
        return (np.cumsum(lengths) - lengths)[lengths > 0]


@st.composite
def corpora(draw: st.DrawFn, *, scheme: str | None = None, most_words: int = 6) -> Corpus:
    """Of up to two classes; probabilities are small fractions, so that many tie or are 0."""
    scheme = scheme or draw(st.sampled_from(list(PREFIXES)))
    classes = draw(st.sampled_from([["X"], ["X", "Y"]]))
    tags = ["O", *(f"{prefix}-{name}" for name in classes for prefix in PREFIXES[scheme])]
    names = [tag.removeprefix("I-") for tag in tags] if scheme == "plain" else tags
    word = st.lists(st.integers(0, 4), min_size=len(tags), max_size=len(tags)).filter(any)
    sentences = draw(st.lists(st.lists(word, max_size=most_words), max_size=4))
    distributions = [
        [{tag: weight / sum(weights) for tag, weight in zip(tags, weights, strict=True)} for weights in words]
        for words in sentences
    ]
    return Corpus(read(names, scheme=scheme), scheme, distributions)


@many(3)
@given(corpora())
def test_iob2_distributions_are_the_reference(corpus: Corpus) -> None:
    found = corpus.tags.to_iob2(corpus.probabilities, corpus.starts)
    expected = [
        [word[label] for label in corpus.tags.label_names]
        for words in corpus.sentences
        for word in reference.to_iob2(words, corpus.tags.classes, corpus.scheme)
    ]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.array(expected).reshape(found.shape), atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert (found >= 0).all()


def test_iob1_by_hand() -> None:
    """The word before decides what I-X is, and whether it is of X its most probable tag says."""
    tags = read(["O", "I-X", "B-X", "I-Y"])
    assert tags.scheme == "IOB1"
    rows = [
        [0.2, 0.5, 0.1, 0.2],
        [0.1, 0.4, 0.2, 0.3],
        [0.1, 0.2, 0.3, 0.4],
        [0.1, 0.2, 0.1, 0.6],
        [0.2, 0.5, 0.1, 0.2],
    ]
    found = tags.to_iob2(np.array(rows, np.float32), np.array([0, 4]))
    assert tags.label_names == ("O", "B-X", "I-X", "B-Y", "I-Y")
    assert found == pytest.approx(
        np.array(
            [
                [0.2, 0.6, 0, 0.2, 0],  # the sentence begins
                [0.1, 0.2, 0.4, 0.3, 0],  # after X
                [0.1, 0.3, 0.2, 0.4, 0],  # after X
                [0.1, 0.3, 0, 0, 0.6],  # after Y
                [0.2, 0.6, 0, 0.2, 0],  # another sentence
            ]
        ),
        abs=1e-6,
    )


def test_bioes_by_hand() -> None:
    tags = read(["O", "B-X", "I-X", "E-X", "S-X"])
    found = tags.to_iob2(np.array([[0.1, 0.3, 0.05, 0.15, 0.4]], np.float32), np.array([0]))
    assert found == pytest.approx(np.array([[0.1, 0.7, 0.2]]), abs=1e-6)


@many(3)
@given(corpora(scheme="IOB2", most_words=5))
def test_the_best_path_is_that_of_trying_all(corpus: Corpus) -> None:
    probabilities = corpus.tags.to_iob2(corpus.probabilities, corpus.starts)
    path = best_iob2_path(probabilities, corpus.starts).tolist()
    assert len(path) == len(probabilities)
    for words in corpus.sentences:
        labels = [corpus.tags.label_names[label] for label in path[: len(words)]]
        del path[: len(words)]
        assert reference.is_valid(labels)
        assert reference.path_probability(words, labels) == pytest.approx(reference.best_probability(words), rel=1e-4)


def test_paths_by_hand() -> None:
    """I-X is the most probable label of the second word, but B-X before it costs too much."""
    likely_start = np.array([[0.5, 0.4, 0.1], [0.3, 0.0, 0.7]], np.float32)
    assert best_iob2_path(likely_start, np.array([0])).tolist() == [1, 2]
    unlikely_start = np.array([[0.9, 0.1, 0.0], [0.3, 0.0, 0.7]], np.float32)
    assert best_iob2_path(unlikely_start, np.array([0])).tolist() == [0, 0]
    both = np.concatenate([likely_start, unlikely_start, unlikely_start[:1]])
    assert best_iob2_path(both, np.array([0, 2, 4])).tolist() == [1, 2, 0, 0, 0]
    assert best_iob2_path(both[:0], np.array([], np.int64)).tolist() == []


@pytest.mark.parametrize(
    ("names", "tags"),
    [
        (["B-O", "I-O", "B-PER", "I-PER"], ("O", "B-PER", "I-PER")),
        (["O", "PER-B", "PER-I"], ("O", "B-PER", "I-PER")),
        (["O", "B:PER", "I:PER"], ("O", "B-PER", "I-PER")),
        (["O", "B", "I"], ("O", "B-_", "I-_")),
    ],
)
def test_labels_of_models_are_told_as_those_of_files(names: list[str], tags: tuple[str, ...]) -> None:
    assert read_tags(dict(enumerate(names)), "a model").tags == tags
