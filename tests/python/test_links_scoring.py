from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import link_sets as reference
from xner import Error, io
from xner.evaluation import links

if TYPE_CHECKING:
    from pathlib import Path

LINKS = st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=8)

# Of the published outputs of a fine-tuned mBERT: Dou, Neubig 2021, table 2, and the files' own repository.
PUBLISHED = {"enfr": 4.1, "roen": 20.7, "jaen": 37.4, "zhen": 13.3}


@given(st.lists(st.tuples(LINKS, LINKS, LINKS), max_size=6))
def test_the_error_rate_is_that_of_the_definition(rows: list[tuple[set[reference.Link], ...]]) -> None:
    found, sure, possible = ([sorted(row[k]) for row in rows] for k in range(3))
    scores = links.score(sure, found, possible=possible)
    sets = [[set(row) for row in side] for side in (found, sure, possible)]
    assert scores.aer == pytest.approx(reference.error_rate(*sets))
    hits = sum(len(a & (p | s)) for a, s, p in zip(*sets, strict=True))
    assert scores.precision == pytest.approx(hits / max(1, sum(map(len, sets[0]))))
    sure_hits = sum(len(a & s) for a, s in zip(sets[0], sets[1], strict=True))
    assert scores.recall == pytest.approx(sure_hits / max(1, sum(map(len, sets[1]))))
    assert scores.sentences == len(rows)


def test_without_possible_links_the_error_rate_is_one_minus_f1() -> None:
    scores = links.score([[(0, 0), (1, 1)]], [[(0, 0), (2, 2), (1, 1)]])
    assert scores.aer == pytest.approx(1 - scores.f1)
    assert scores.to_dict()["sure_hits"] == 2


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_links_score_as_published(test_data: Path, name: str) -> None:
    folder = test_data / "word-alignment"
    sure, possible = (
        io.read_pharaoh(folder / f"{name}.gold", one_based=True, possible=kind) for kind in ("drop", "keep")
    )
    scores = links.score(sure, io.read_pharaoh(folder / f"{name}.awesome-align.out"), possible=possible)
    assert 100 * scores.aer == pytest.approx(PUBLISHED[name], abs=0.05)
    assert scores.aer == pytest.approx(independent(folder, name))


def independent(folder: Path, name: str) -> float:
    """The error rate from the files' text, without this package."""
    hits = size = 0
    gold = (folder / f"{name}.gold").read_text().splitlines()
    published = (folder / f"{name}.awesome-align.out").read_text().splitlines()
    for line, found in zip(gold, published, strict=True):
        links = {tuple(map(int, item.split("-"))) for item in found.split()}
        sure, possible = set(), set()
        for item in line.split():
            mark = "-" if "-" in item else "p" if "p" in item else "?"
            link = tuple(int(number) - 1 for number in item.split(mark))
            possible.add(link)
            if mark == "-":
                sure.add(link)
        hits += len(links & sure) + len(links & possible)
        size += len(links) + len(sure)
    return 1 - hits / size


def test_bad_input() -> None:
    with pytest.raises(Error, match="predicted has 2 rows but gold has 1"):
        links.score([[]], [[], []])
