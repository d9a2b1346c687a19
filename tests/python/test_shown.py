"""How results show themselves: in one line, and in a notebook."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from xner._support.tables import html_records, html_table
from xner.evaluation import (
    Difference,
    Interval,
    MetricIntervals,
    analyse,
    approximate_randomization,
    bootstrap,
    evaluate,
    links,
    paired_bootstrap,
)
from xner.projection import project
from xner.projection.matching import Matching, solve

GOLD = [["B-PER", "I-PER", "O", "B-LOC"], ["B-<b>", "O"]]
PREDICTED = [["B-PER", "I-PER", "O", "B-ORG"], ["O", "O"]]
SCORES = evaluate(GOLD, PREDICTED)
LINK_SCORES = links.score([[(0, 0), (1, 1)]], [[(0, 0), (1, 2)]])
INTERVAL = Interval(0.25, 0.75)
SAME = "+0.000 (0.000–0.000, p = 1.000)"


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (SCORES, "Scores(f1=0.400, precision=0.500, recall=0.333, support=3, sentences=2)"),
        (bootstrap(evaluate(GOLD[:1], GOLD[:1]), samples=9, confidence=0.9),
         "Intervals(precision=1.000–1.000, recall=1.000–1.000, f1=1.000–1.000, classes=2, confidence=0.9)"),
        (MetricIntervals(INTERVAL, INTERVAL, INTERVAL),
         "MetricIntervals(precision=0.250–0.750, recall=0.250–0.750, f1=0.250–0.750)"),
        (LINK_SCORES, "LinkScores(precision=0.500, recall=0.500, f1=0.500, aer=0.500, sentences=1)"),
        (bootstrap(LINK_SCORES, samples=9),
         "LinkIntervals(precision=0.500–0.500, recall=0.500–0.500, f1=0.500–0.500, aer=0.500–0.500)"),
        (paired_bootstrap(LINK_SCORES, LINK_SCORES, samples=9),
         f"LinkComparison(precision={SAME}, recall={SAME}, f1={SAME}, aer={SAME})"),
        (approximate_randomization(SCORES, SCORES, samples=9),
         "RandomizationTest(precision=+0.000 (p = 1.000), recall=+0.000 (p = 1.000), f1=+0.000 (p = 1.000))"),
        (analyse(GOLD, PREDICTED),
         "ErrorAnalysis(1 correct, 1 missed, 0 spurious, 0 boundary, 1 class, 0 boundary and class)"),
        (solve([[1, 0.5]], [(0, 1), (1, 2)]), "Matching(1 pairs, objective=1, optimal)"),
        (Matching(((0, 0),), 1.0, 1.25, False, ()), "Matching(1 pairs, objective=1, gap=0.25)"),
    ],
)  # fmt: skip
def test_one_line(result: object, line: str) -> None:
    assert repr(result) == line


def test_a_difference_as_text() -> None:
    assert str(Difference(-0.5, INTERVAL, 0.01)) == "-0.500 (0.250–0.750, p = 0.010)"


class Cells(HTMLParser):
    """The rows of a table, and its caption; every element must be closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.caption = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1] == "caption":
            self.caption += data
        else:
            assert self._open[-1] in {"td", "th"}
            self.rows[-1][-1] += data


def test_tables_are_escaped() -> None:
    rows = [["", "<script>"], ["a & b", '"1"']]
    found = Cells(html_table(rows, "a < b"))
    assert (found.rows, found.caption) == (rows, "a < b")
    assert Cells(html_table(rows[:1])).caption == ""


def test_in_a_notebook() -> None:
    scores = Cells(SCORES._repr_html_())
    assert [row[0] for row in scores.rows] == ["", "<b>", "LOC", "ORG", "PER", "micro", "macro"]
    assert scores.rows[5] == ["micro", "0.500", "0.333", "0.400", "3"]
    assert scores.caption.endswith(SCORES.signature)
    intervals = bootstrap(SCORES, samples=9)
    shown = Cells(intervals._repr_html_())
    assert shown.rows[-1] == ["micro", *(str(getattr(intervals.micro, name)) for name in ("precision", "recall", "f1"))]
    assert len(shown.rows) == 6
    analysis = analyse(GOLD, PREDICTED)
    assert "\n".join(" ".join(row).strip() for row in Cells(analysis._repr_html_()).rows).split() == (
        analysis.table().split()
    )
    link_scores = Cells(LINK_SCORES._repr_html_())
    assert link_scores.rows == [
        ["precision", "recall", "F1", "AER", "links", "sure"],
        ["0.500", "0.500", "0.500", "0.500", "2", "2"],
    ]


def test_a_projection_in_a_notebook() -> None:
    target = ["Angela", "Merkel", "besucht", "<Paris>"]
    links = [(0, 0), (1, 1), (3, 3)]
    found = project(target, [(0, 2, "PER"), (3, 4, "LOC")], links)
    sentence, table = found._repr_html_().split("<table>")
    marked = re.findall(r"<mark>(.*?)<small dir=\"ltr\">(.*?)</small></mark>", sentence)
    assert marked == [("Angela Merkel", "PER"), ("&lt;Paris&gt;", "LOC")]
    assert "</mark> besucht <mark>" in sentence
    shown = Cells("<table>" + table)
    assert [row[:2] + row[4:] for row in shown.rows[1:]] == [["Angela Merkel", "PER", "0"], ["<Paris>", "LOC", "1"]]
    assert shown.caption == "ok; objective 2"
    without = project(target, [(0, 2, "PER")], [])
    assert Cells("<table>" + without._repr_html_().split("<table>")[1]).caption == "no_links; objective 0"


def test_records_in_a_notebook() -> None:
    shown = Cells(html_records([{"name": "a<b", "f1": 0.98765, "loss": None}], "two"))
    assert (shown.rows, shown.caption) == ([["name", "f1", "loss"], ["a<b", "0.988", ""]], "two")
    assert Cells(html_records([])).rows == [[""]]
