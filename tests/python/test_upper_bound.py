"""How far projection can get, and where errors come from, on cases that can be counted by hand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xner import io, labels
from xner._support.arrow import pylist
from xner.errors import DataError, Error
from xner.evaluation import CAUSES, ClassScores, analyse, error_causes, evaluate, reach
from xner.experiments.recipes import Recipe
from xner.io.datasets import load

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa


def source(*entities: tuple[int, int, str]) -> list[dict[str, Any]]:
    return [{"start": start, "end": end, "label": label} for start, end, label in entities]


def links(*pairs: tuple[int, int]) -> list[dict[str, int]]:
    return [{"source": one, "target": other} for one, other in pairs]


class TestReach:
    def test_of_each_class_the_side_with_fewer_decides(self) -> None:
        found = reach(
            [source((0, 1, "PER"), (1, 2, "PER"), (2, 3, "LOC")), source((0, 1, "ORG")), None],
            [["B-PER", "O", "B-ORG"], ["B-ORG", "I-ORG"], ["B-LOC"]],
        )
        assert found.per_class == {
            "LOC": ClassScores(0, 1, 1),
            "ORG": ClassScores(1, 0, 1),
            "PER": ClassScores(1, 1, 0),
        }
        assert found.upper_bound() == 2 * 2 / (2 * 2 + 2)
        assert found.all_projected() == 2 * 2 / (2 * 2 + 2 + 2)
        assert found.upper_bound("PER") == 1
        assert found.all_projected("PER") == 2 / 3
        assert found.upper_bound("DATE") == 0

    def test_sides_that_agree_leave_nothing_out_of_reach(self) -> None:
        found = reach([source((0, 2, "PER"))], [["O", "B-PER"]])
        assert found.upper_bound() == found.all_projected() == 1

    def test_correct_links_tell_which_are_the_same(self) -> None:
        sides = ([source((0, 1, "PER"), (1, 2, "PER"))], [["B-PER", "B-PER", "O"]])
        assert reach(*sides).micro.tp == 2
        assert reach(*sides, links=[links((0, 0), (1, 2))]).micro == ClassScores(1, 1, 1)
        # The first could take either word, and leaves the one that the second needs.
        assert reach(*sides, links=[links((0, 0), (0, 1), (1, 0))]).micro.tp == 2
        assert reach(*sides, links=[None]).micro.tp == 0

    def test_ignored_classes_and_the_mode(self) -> None:
        sides = ([source((0, 1, "PER"), (1, 2, "MISC"))], [["I-PER", "B-MISC"]])
        assert reach(*sides, ignore=["MISC"]).per_class == {"PER": ClassScores(1, 0, 0)}
        assert reach(*sides, mode="strict").per_class == {"PER": ClassScores(0, 1, 0), "MISC": ClassScores(1, 0, 0)}

    def test_what_cannot_be_counted(self) -> None:
        with pytest.raises(Error, match="gold_labels has 1 sentences but source_entities has 2"):
            reach([None, None], [["O"]])
        with pytest.raises(Error, match="gold_labels has 1 sentences but links has 0"):
            reach([None], [["O"]], links=[])
        with pytest.raises(DataError, match="row 0, column 'gold_labels', value null"):
            reach([None], [None])

    @given(st.data())
    def test_no_projection_passes_it(self, data: st.DataObject) -> None:
        """Source entities with their class, each put at one word or none."""
        classes = st.sampled_from(["A", "B"])
        words = 4
        wanted = data.draw(st.lists(st.sampled_from(["O", "B-A", "B-B"]), min_size=words, max_size=words))
        has = data.draw(st.lists(classes, max_size=words))
        places = data.draw(st.permutations(range(words)))
        said = ["O"] * words
        for place, label in zip(places, has, strict=False):
            if data.draw(st.booleans()):
                said[place] = f"B-{label}"
        entities = source(*((place, place + 1, label) for place, label in enumerate(has)))
        f1 = evaluate([wanted], [said]).f1
        assert f1 <= reach([entities], [wanted]).upper_bound() + 1e-12

    def test_universal_ner(self, test_data: Path) -> None:
        """Sentences whose words people linked: few of what both sides have is not the same."""
        folder = test_data / "uner-pud"
        english, russian = (io.read(folder / f"gl.ru{side}.conll")["labels"] for side in (".en", ""))
        entities = pylist(labels.decode_batch(english))
        linked = pylist(io.read(folder / "gl.ru.pharaoh")["links"])
        assert reach(entities, russian).micro == ClassScores(768, 216, 181)
        assert reach(entities, russian, links=linked).micro == ClassScores(754, 230, 195)


XSID = ("ar", "da", "de", "de-muc", "de-st", "gsw", "id", "it", "kk", "lt", "nap", "nl", "sr", "tr", "zh")
UNER = {"de": (0.921, 0.838), "ru": (0.895, 0.795)}
"""Bounds of a projection that leaves out what has no partner, and of one that projects it as well."""


def shared(pairs: pa.Table) -> ClassScores:
    """Entities that both sides have, that the source alone has, and the target alone, by their classes and rows."""
    counts: Counter[str] = Counter()
    for source, tags in zip(pylist(pairs["source_entities"]), pylist(pairs["gold_labels"]), strict=True):
        has = Counter(one["label"] for one in source)
        wanted = Counter(label[2:] for label in tags if label.startswith("B-"))
        counts += Counter(tp=(has & wanted).total(), fp=(has - wanted).total(), fn=(wanted - has).total())
    return ClassScores(counts["tp"], counts["fp"], counts["fn"])


class TestSidesLabelledApart:
    """Real data, each side of which people have labelled by itself: what both share is all that there is to reach."""

    @pytest.mark.parametrize("language", UNER)
    def test_universal_ner(self, test_data: Path, language: str) -> None:
        pairs = load("uner", language=language, split="test", folder=test_data / "uner-pud")
        found = reach(pylist(pairs["source_entities"]), pairs["gold_labels"])
        assert found.micro == shared(pairs)
        assert (found.upper_bound(), found.all_projected()) == pytest.approx(UNER[language], abs=5e-4)

    @pytest.mark.parametrize("language", XSID)
    def test_xsid(self, test_data: Path, language: str) -> None:
        pairs = load("xsid", language=language, split="validation", folder=test_data / "xsid")
        found = reach(pylist(pairs["source_entities"]), pairs["gold_labels"])
        assert found.micro == shared(pairs)
        assert 0.85 < found.all_projected() <= found.upper_bound() <= 1

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("dataset", "folder", "languages"), [("uner", "uner-pud", tuple(UNER)), ("xsid", "xsid", ("de", "kk", "sr"))]
    )
    def test_runs_stay_below(
        self, test_data: Path, tmp_path: Path, dataset: str, folder: str, languages: tuple[str, ...]
    ) -> None:
        data = {"dataset": dataset, "folder": str(test_data / folder), "languages": languages}
        if dataset == "xsid":
            data["split"] = "validation"
        recipe = Recipe.read("politov2025/ngram").changed(data=data, evaluation={"samples": 20})
        run = recipe.run(tmp_path / "run", told=lambda line: None)
        rows = [row for row in run.results.to_pylist() if row["class"] == "micro"]
        assert len(rows) == 3 * len(languages)
        for row in rows:
            pairs = load(dataset, language=row["language"], split=row["split"], folder=test_data / folder)
            bound = shared(pairs)
            assert row["upper_bound"] == ClassScores(bound.tp, 0, bound.fn).f1
            assert row["all_projected"] == bound.f1
            assert 0.5 < row["f1"] < row["upper_bound"]


class TestCauses:
    def test_each_cause(self) -> None:
        gold = [["B-PER", "O", "B-LOC"], ["B-PER", "I-PER", "O"], ["B-PER", "O", "O"], ["B-ORG", "O", "O"]]
        said = [["O", "O", "O"], ["O", "B-PER", "O"], ["B-LOC", "O", "B-PER"], ["O", "O", "O"]]
        entities = [
            source((0, 1, "PER")),  # is lost; LOC is not there at all
            source((0, 1, "PER")),
            source((0, 1, "LOC"), (1, 2, "PER")),  # PER elsewhere, and LOC in its place
            source((0, 1, "ORG")),
        ]
        assert error_causes(gold, said, entities) == {
            "translation": None,
            "source tag": 1,
            "link": 3,
            "boundary": 1,
            "class": 1,
        }
        known = error_causes(gold, said, entities, translation_status=["ok", "ok", "ok", "looping"])
        assert known == {"translation": 1, "source tag": 1, "link": 2, "boundary": 1, "class": 1}
        assert tuple(known) == CAUSES

    def test_spurious_ones_that_gold_has_nowhere(self) -> None:
        found = error_causes([["O", "B-PER"]], [["B-PER", "O"]], [source((0, 1, "PER"))])
        assert (found["source tag"], found["link"]) == (0, 2)
        found = error_causes([["O", "O"]], [["B-PER", "O"]], [source((0, 1, "PER"))])
        assert (found["source tag"], found["link"]) == (1, 0)
        assert set(error_causes([["O"]], [["B-X"]], [source((0, 1, "X"))], ignore=["X"]).values()) == {None, 0}

    def test_what_cannot_be_counted(self) -> None:
        with pytest.raises(Error, match="gold_labels has 1 sentences but source_entities has 0"):
            error_causes([["O"]], [["O"]], [])

    TAGS = st.lists(st.sampled_from(["O", "B-A", "I-A", "B-B"]), min_size=3, max_size=3)

    @given(TAGS, TAGS, st.lists(st.sampled_from(["A", "B"]), max_size=3))
    def test_every_error_has_one_cause(self, gold: list[str], said: list[str], has: list[str]) -> None:
        entities = source(*((place, place + 1, label) for place, label in enumerate(has)))
        found = error_causes([gold], [said], [entities])
        assert sum(found[cause] or 0 for cause in CAUSES) == sum(analyse([gold], [said]).kinds.values())
