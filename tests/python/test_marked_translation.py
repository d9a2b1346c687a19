"""Translation with markers, by translators that are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from xner import Error
from xner.text import by_blanks
from xner.translation.marked import REASONS, MarkerTrial, count_problems, translate_marked, try_markers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SENTENCE = ["Ann", "Lee", "saw", "Rome", "."]
ENTITIES = [(0, 2, "PER"), (3, 4, "LOC")]


def translator(said: dict[str, str]) -> Callable[[Sequence[str]], list[str]]:
    return lambda texts: [said[text] for text in texts]


def run(said: dict[str, str], entities: list[tuple[int, int, str]] = ENTITIES, **options: Any) -> Any:
    [found] = translate_marked([SENTENCE], [entities], translator(said), by_blanks, join=" ".join, **options)
    return [word.text for word in found.words], list(found.entities), found.problem


ALONE = {"Ann Lee": "Anna Li", "Rome": "Roma", "Ann Lee saw Rome .": "plain words"}


@pytest.mark.parametrize(
    ("text", "words", "entities"),
    [
        ("[ Roma ] vide [ Anna Li ] .", "Roma vide Anna Li .", [(0, 1, "LOC", 1), (2, 4, "PER", 0)]),
        ("[Romae] vide [Annam Li].", "Romae vide Annam Li.", [(0, 1, "LOC", 1), (2, 4, "PER", 0)]),
        ("[ Anna Li ] [ Roma ]", "Anna Li Roma", [(0, 2, "PER", 0), (2, 3, "LOC", 1)]),
    ],
)
def test_brackets(text: str, words: str, entities: list[Any]) -> None:
    assert run({"[ Ann Lee ] saw [ Rome ] .": text, **ALONE}) == (words.split(), entities, None)


def test_tags() -> None:
    said = {"<a> Ann Lee </a> saw <b> Rome </b> .": "<b>X</b> vide <a>Y Z</a> ."}
    assert run(said, style="tags") == (["X", "vide", "Y", "Z", "."], [(0, 1, "LOC", 1), (2, 4, "PER", 0)], None)


def test_nested_entities() -> None:
    said = {"[ Ann [ Lee ] ] saw Rome .": "vide [ [ Li ] Anna ]", "Ann Lee": "Li Anna", "Lee": "Li"}
    entities = [(0, 2, "PER"), (1, 2, "FAM")]
    assert run(said, entities) == (["vide", "Li", "Anna"], [(1, 2, "FAM", 1), (1, 3, "PER", 0)], None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[ Roma vide [ Anna Li ] .", "unbalanced"),
        ("Roma vide [ Anna Li ] .", "missing"),
        ("[ Roma ] [ vide ] [ Anna Li ] .", "surplus"),
        ("[ ] vide [ Anna Li ] .", "empty_span"),
        ("[ Xyz ] vide [ Anna Li ] .", "unassigned"),
        ("[ Roma ]vide[ Anna ]Li", None),
        ("[ Ro ][ Anna ]Li", "unassigned"),
        ("vide [ Anna Li[ Roma ] ]", "overlapping"),
    ],
)
def test_broken_markers_fall_back_to_the_plain_translation(text: str, problem: str | None) -> None:
    words, entities, found = run({"[ Ann Lee ] saw [ Rome ] .": text, **ALONE})
    assert found == problem
    if problem is not None:
        assert (words, entities) == (["plain", "words"], [])
        assert problem in REASONS


def test_what_cannot_be_marked_is_translated_plainly() -> None:
    said = {"a [1] b": "x y", "a": "x", "a [1]": "z"}
    found = translate_marked([["a", "[1]", "b"]], [[(0, 1, "X")]], translator(said), by_blanks, join=" ".join)
    assert [word.text for word in found[0].words] == ["x", "y"]
    assert found[0].problem == "markers_in_text"
    assert count_problems([*found, *found]) == {"markers_in_text": 2}


def test_sentences_without_entities_and_without_words() -> None:
    said = {"a b": "x y", "": ""}
    found = translate_marked([["a", "b"], []], [[], []], translator(said), by_blanks, join=" ".join)
    assert [([word.text for word in one.words], one.entities, one.problem) for one in found] == [
        (["x", "y"], (), None),
        ([], (), None),
    ]
    assert translate_marked([], [], translator({}), by_blanks) == []


def test_wrong_calls() -> None:
    with pytest.raises(Error, match="1 sentences but entities of 0"):
        translate_marked([["a"]], [], translator({}), by_blanks)
    with pytest.raises(Error, match="the translator made 0 translations of 1 texts"):
        translate_marked([["a"]], [[]], lambda texts: [], by_blanks)
    with pytest.raises(Error, match="style='xml': expected one of 'brackets', 'tags'"):
        translate_marked([], [], translator({}), by_blanks, style="xml")  # type: ignore[arg-type]  # on purpose


class TestTryMarkers:
    SENTENCES: ClassVar = [["Ann", "saw", str(number)] for number in range(200)]
    NAMES: ClassVar = [[(0, 1, "PER")] for _ in range(200)]

    def tried(self, broken: dict[str, int], **options: Any) -> tuple[MarkerTrial, list[str]]:
        """A trial of a translator that loses a marker in one of so many sentences; and the texts it was asked."""
        asked: list[str] = []

        def translate(texts: Sequence[str]) -> list[str]:
            asked.extend(texts)
            return [lost(text, number) for number, text in enumerate(texts)]

        def lost(text: str, number: int) -> str:
            for marker, every in broken.items():
                if number % every == 0:
                    text = text.replace(marker, "")
            return text

        trial = try_markers(self.SENTENCES, self.NAMES, translate, by_blanks, join=" ".join, **options)
        return trial, asked

    def test_the_style_that_comes_back_most_often_is_the_best(self) -> None:
        trial, asked = self.tried({"]": 2})
        assert trial == MarkerTrial(50, {"brackets": 25, "tags": 50})
        assert trial.chosen() == "tags"
        assert str(trial) == "brackets 25, tags 50 of 50 sentences"
        assert sum("[" in text for text in asked) == 50
        assert sum("<" in text for text in asked) == 50
        assert len(asked) == 101, "the name alone, and no plain sentence"

    def test_of_equal_ones_the_first_is_taken(self) -> None:
        assert self.tried({})[0].chosen() == "brackets"
        assert self.tried({"]": 2, "</a>": 2})[0].chosen() == "brackets"

    def test_none_survives(self) -> None:
        trial, _ = self.tried({"]": 1, "<a>": 1})
        assert not trial.survives
        with pytest.raises(
            Error, match=r"whole came back brackets 0, tags 0 of 50 sentences\. Translate without markers"
        ):
            trial.chosen()

    def test_the_sample_is_spread_over_sentences_with_entities(self) -> None:
        trial, asked = self.tried({}, sample=4)
        assert trial.sentences == 4
        assert [text for text in asked if "[" in text] == [f"[ Ann ] saw {number}" for number in (0, 50, 100, 150)]
        nothing = try_markers([["a"]], [[]], list, by_blanks)
        assert (nothing.sentences, nothing.chosen()) == (0, "brackets")
        with pytest.raises(Error, match="sample=0"):
            self.tried({}, sample=0)
