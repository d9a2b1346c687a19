"""What pages of studies have in common: tables, plots, escaping, and what a browser makes of the pages."""

from __future__ import annotations

import itertools
import json
import math
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotted import plot_names
from test_hostile import ATTACKS, Elements
from test_study import NASTY as DIFFERING
from test_view import Page, payload
from xner import evaluation, viewer
from xner._support.arrow import pylist
from xner._support.pages import Html, class_colours, element, fill
from xner.cli.options.flags import given_command
from xner.errors import MissingExtraError
from xner.experiments.extrinsic import ExtrinsicStudy, Method, write_extrinsic_report
from xner.experiments.extrinsic.findings import findings
from xner.experiments.extrinsic.study import Run
from xner.experiments.matching import MatchingOptions, study_matching, write_matching_report
from xner.experiments.pages import plots, tables
from xner.experiments.pages.provenance import libraries, machine
from xner.training.run import Corpus, Judged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NASTY = "</title></style><script>alert(1)</script><img src=x onerror=alert(1)> \"' {{answer}} &lt;"
"""Of all that may name something: markup, quotes, a template's marker."""
LONG = "a" * 150 + "語" * 80


# -- elements -------------------------------------------------------------------------------------------------


def test_elements_escape_what_is_not_markup() -> None:
    inner = element("b", "<i>")
    assert inner == "<b>&lt;i&gt;</b>"
    assert element("p", inner, "&", class_="x", data_row=1, hidden=True, open=False, id=None) == (
        '<p class="x" data-row="1" hidden><b>&lt;i&gt;</b>&amp;</p>'
    )
    assert element("a", "x", href="\"'>") == '<a href="&quot;&#x27;&gt;">x</a>'
    assert element("p", str.__add__(inner, "")) == "<p>&lt;b&gt;&amp;lt;i&amp;gt;&lt;/b&gt;</p>", "what is put together"
    assert isinstance(inner, Html)
    assert element("line", x1=1) == '<line x1="1"/>'


def test_templates_are_filled_in_one_pass() -> None:
    assert fill("{{a}} {{b}}", {"a": "{{b}}", "b": "x"}) == "{{b}} x"


@given(st.sets(st.sampled_from(["PER", "LOC", "ORG", "MISC", "DATE", *"abcdefgh"])))
def test_class_colours_are_different_while_there_are_enough(names: set[str]) -> None:
    found = class_colours(names)
    assert set(found) == names
    assert len(set(found.values())) == min(8, len(names))
    assert all(
        found[name] == place for place, name in enumerate(["PER", "ORG", "LOC", "MISC", "DATE"]) if name in names
    )


# -- tables ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (tables.number(3), 1234.5678, "1,234.568"),
        (tables.number(2), -0.004, "0.00"),
        (tables.number(2), -0.006, "−0.01"),
        (tables.signed(2), 0.006, "+0.01"),
        (tables.signed(2), -0.006, "−0.01"),
        (tables.signed(2), -0.004, "0.00"),
        (tables.signed(2), 0.0, "0.00"),
        (tables.percent(1), 0.12345, "12.3 %"),
    ],
)
def test_numbers(write: Any, value: float, text: str) -> None:
    assert write(value) == text


COLUMNS = [
    tables.text_column("name", "name", "what it is"),
    tables.interval_column("F1", "f1", tables.number(2), "how good"),
    tables.figure_column("rows", "rows", tables.number(0), "how many"),
]
ROWS: list[dict[str, Any]] = [
    {"name": "a|b", "f1": 0.5, "f1_low": 0.25, "f1_high": 0.75, "rows": 1000},
    {"name": "<b>", "f1": None, "f1_low": None, "f1_high": None, "rows": None},
]


def test_markdown_is_aligned() -> None:
    assert tables.markdown_table(ROWS, COLUMNS).splitlines() == [
        r"| name |                  F1 |  rows |",
        r"| ---- | ------------------: | ----: |",
        r"| a\|b | 0.50 (0.25 to 0.75) | 1,000 |",
        r"| <b>  |                   – |     – |",
    ]


def test_tables_say_what_they_show() -> None:
    """Caption, scopes of the headings, and each column's meaning."""
    page = Page(tables.table_html("Scores", "Read it so.", {"a group": ROWS[:1], "another": ROWS[1:]}, COLUMNS))
    assert page.text("b") == ["Scores."]
    assert page.text("th", scope="col") == ["name", "F1", "rows"]
    assert page.text("th", scope="rowgroup") == ["a group", "another"]
    assert page.text("th", scope="row") == ["a|b", "<b>"]
    assert page.text("dd") == ["what it is", "how good", "how many"]
    [holder] = page.find("div", role="region")
    assert page.elements[holder][1] == {"class": "wide", "tabindex": "0", "role": "region", "aria-label": "Scores"}


# -- plots ----------------------------------------------------------------------------------------------------

FINITE = st.floats(-1e6, 1e6).map(lambda number: round(number, 6))


def marks(values: Sequence[float]) -> dict[str, dict[str, plots.Mark]]:
    return {
        f"{place}{LONG}": {"s": plots.Mark(value, value - 1, value + 1, [value])} for place, value in enumerate(values)
    }


def assert_inside(plot: plots.Plot) -> None:
    """All of a plot's own coordinates lie in its box, and it says what it is."""
    drawing = ET.fromstring(plot.file())
    _, _, width, height = map(float, drawing.attrib["viewBox"].split())
    space = "{http://www.w3.org/2000/svg}"
    assert drawing.findtext(f"{space}title") == plot.caption
    assert drawing.findtext(f"{space}desc") == plot.help
    places = [(float(one.attrib["x"]), float(one.attrib["y"])) for one in drawing.iter(f"{space}text")]
    for line in drawing.iter(f"{space}line"):
        places += [(float(line.attrib[f"x{end}"]), float(line.attrib[f"y{end}"])) for end in (1, 2)]
    for path in drawing.iter(f"{space}path"):
        if path.attrib["class"] in {"curve", "band"}:
            numbers = re.findall(r"[ML](\S+) ([\d.-]+)", path.attrib["d"])
            places += [(float(x), float(y)) for x, y in numbers]
    assert places
    assert all(0 <= x <= width and 0 <= y <= height for x, y in places)


@given(st.lists(FINITE, min_size=1, max_size=5), st.booleans())
def test_intervals_stay_inside(values: list[float], zero: bool) -> None:
    plot = plots.intervals("n", "caption", "help", marks(values), plots.Axis("x", zero=zero), {"s": 0})
    assert_inside(plot)
    assert plot.svg.count('class="point"') == plot.svg.count('class="interval"') == len(values)


@given(st.lists(st.tuples(st.floats(0.001, 1e6), st.floats(0.001, 1e6)), min_size=1, max_size=8), st.booleans())
def test_curves_stay_inside(points: list[tuple[float, float]], logarithmic: bool) -> None:
    points = sorted(points)
    curve = plots.Curve(points, [2 * y for _, y in points], [y / 2 for _, y in points] if logarithmic else None)
    axes = [plots.Axis(label, logarithmic=logarithmic) for label in ("x", "y")]
    assert_inside(plots.curves("n", "caption", "help", {"one": curve, LONG: curve}, *axes))


@given(st.lists(st.tuples(st.floats(0.001, 1e6), st.floats(0, 1).map(lambda y: round(y, 6))), min_size=1, max_size=8))
def test_clouds_stay_inside(points: list[tuple[float, float]]) -> None:
    spots = [plots.Spot(x, y, LONG) for x, y in points]
    axes = plots.Axis("x", logarithmic=True), plots.Axis(LONG)
    plot = plots.scatter("n", "caption", "help", {"one": spots, LONG: spots}, *axes)
    assert_inside(plot)
    assert plot.svg.count('class="point"') == 2 * len(points) + 2, "those of the legend as well"


@given(st.lists(st.floats(0, 1e6).map(lambda size: round(size, 3)), min_size=1, max_size=6))
def test_bars_stay_inside_and_their_parts_follow_each_other(sizes: list[float]) -> None:
    rows = {LONG: {f"part {place}": size for place, size in enumerate([*sizes, 1.0])}}
    plot = plots.stacked("n", "caption", "help", rows, plots.Axis("x"))
    assert_inside(plot)
    drawn = re.findall(r'class="bar" d="M([\d.]+) ([\d.]+)h([\d.]+)v16h', plot.svg)
    boxes = [tuple(map(float, one)) for one in drawn]
    assert len(boxes) == sum(size > 0 for size in sizes) + 1
    for (left, top, width), (begin, beside, _) in itertools.pairwise(boxes):
        assert begin == pytest.approx(left + width, abs=0.15)
        assert beside == top
    assert all(left + width <= 520 for left, _, width in boxes)


@given(st.integers(1, 40), st.booleans())
def test_heat_maps_have_room_for_all_columns(count: int, long: bool) -> None:
    names = [f"{place}{LONG if long else ''}" for place in range(count)]
    rows: dict[str, dict[str, float | None]] = {
        "full": {name: place / count for place, name in enumerate(names)},
        LONG: {name: None if place else 0.5 for place, name in enumerate(names)},
    }
    plot = plots.heat_map("n", "caption", "help", rows)
    assert_inside(plot)
    cells = re.findall(
        r"<title>(full|a)[^<]*: ([\d.]+)</title><path class=\"cell\" d=\"[^\"]*\" fill-opacity=\"([\d.]+)", plot.svg
    )
    shades = sorted((float(value), float(shade)) for _, value, shade in cells)
    assert len(shades) == count + 1
    assert [shade for _, shade in shades] == sorted(shade for _, shade in shades), "the greater, the stronger"
    assert shades[-1][1] <= 0.45, "so that what stands on it can be read"


@given(FINITE, FINITE)
def test_ticks_are_round_and_few(one: float, other: float) -> None:
    low, high = sorted((one, other))
    if high - low > 1e-3:
        found = plots._ticks(low, high)
        assert 2 <= len(found) <= 8
        slack = 1e-6 * (high - low)
        assert all(low - slack <= tick <= high + slack for tick in found)
        steps = [b - a for a, b in itertools.pairwise(found)]
        assert max(steps) == pytest.approx(min(steps))


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(1, 1000, [1, 10, 100, 1000]), (10, 600, [10, 30, 100, 300]), (1, 40, [1, 3, 10, 30]), (2, 9, [2, 4, 6, 8])],
)
def test_logarithmic_ticks(low: float, high: float, ticks: list[float]) -> None:
    assert plots._log_ticks(low, high) == pytest.approx(ticks)


@given(st.text(st.sampled_from("ab _-/.語"), max_size=80), st.integers(40, 200))
def test_names_are_cut_into_lines(text: str, width: int) -> None:
    found = plots.wrapped(text, width, most=3)
    assert len(found) <= 3
    assert all(plots._text_width(line) <= width for line in found)
    joined = "".join(found).replace(" ", "")
    whole = text.replace(" ", "")
    assert joined == whole or (joined.endswith("…") and whole.startswith(joined[:-1]))


def test_a_plot_as_a_file_has_plain_colours() -> None:
    """Programs that draw SVG do not know the names of a page's colours."""
    file = plots.intervals("n", "c", "h", marks([1.0]), plots.Axis("x"), {"s": 0}).file()
    assert "var(" not in file
    assert "#0b5cad" in file


# -- the pages ------------------------------------------------------------------------------------------------


def matching_page(folder: Path, *, name: str = "small", table: pa.Table = DIFFERING, **options: Any) -> Path:
    given: dict[str, Any] = {"max_words": 1, "growth": False} | options
    study = study_matching({name: table}, MatchingOptions(**given))
    return write_matching_report(study, folder, view=viewer.view, command=f"xner study matching {name}")


def extrinsic_study(said: Mapping[str, Sequence[str]], *, test: str = "test", label: str = "LOC") -> ExtrinsicStudy:
    """A study of taggers that are known by what they say of two sentences."""
    words = ["<i>", "&amp;", "x"]
    gold = pa.table({"tokens": [words, words], "labels": [[f"B-{label}", "O", "O"], ["O", "O", "B-PER"]]})
    judged = Judged.read(Corpus(test, gold), {})

    def run(labels: str) -> Run:
        found = [[f"B-{label}" if k == "L" else "B-PER" if k == "P" else "O" for k in one] for one in labels.split()]
        return Run(None, labels, {test: found}, {test: evaluation.evaluate(judged.gold, found)})

    runs = {name: [run(labels) for labels in some] for name, some in said.items()}
    return ExtrinsicStudy([Method(name, tagger=name) for name in said], {test: judged}, runs, 200, 0.9)


APART = {"good": ["LOO OOP"], "bad": ["OPO OOO"], "middling": ["LOO OOO"]}


def extrinsic_page(folder: Path, **options: Any) -> Path:
    study = extrinsic_study(APART, **options)
    return write_extrinsic_report(study, folder, view=viewer.view, command="xner study extrinsic")


def assert_harmless(page: Path) -> Page:
    """The page runs nothing, loads nothing, and its links lead somewhere."""
    text = page.read_text(encoding="utf-8")
    found = Page(text)
    tags = {tag for tag, _ in found.elements}
    assert not {"script", "img", "iframe", "object", "embed", "base", "i", "form"} & tags
    [policy] = found.find("meta", **{"http-equiv": "Content-Security-Policy"})
    assert (found.elements[policy][1]["content"] or "").startswith("default-src 'none'")
    assert "script-src" not in (found.elements[policy][1]["content"] or "")
    for style in found.text("style"):
        assert not re.search(r"@import|url\(", style)
    anchors = {attributes["id"] for _, attributes in found.elements if "id" in attributes}
    rows = len(payload((page.parent / "view.html").read_text(encoding="utf-8"))["rows"])
    linked = set()
    for tag, attributes in found.elements:
        assert not [name for name in attributes if name.startswith("on") or name in {"src", "srcset", "action"}]
        place = attributes.get("href")
        if tag == "link":
            assert place == "data:,"
        elif place and place.startswith("#"):
            assert place[1:] in anchors
        elif place:
            linked.add(int(place.removeprefix("view.html#row=")))
    assert linked == set(range(rows)), "each row of the view is linked to"
    return found


def test_nothing_breaks_out_of_the_page_of_matching(tmp_path: Path) -> None:
    table = DIFFERING.append_column("id", pa.array([NASTY]))
    labelled = [[entity | {"label": NASTY} for entity in row] for row in pylist(table["source_entities"])]
    place = table.column_names.index("source_entities")
    table = table.set_column(place, "source_entities", pa.array(labelled, table.schema.field(place).type))
    page = assert_harmless(matching_page(tmp_path, name=NASTY, table=table))
    assert page.text("title")[0] == "Greedy and exact matching"
    assert page.text("code")[0] == f"xner study matching {NASTY}"
    assert NASTY in page.text("a"), "the sentence's id"
    assert NASTY in page.text("small"), "the class"
    assert "<b>" in "".join(page.text("mark")), "a source word"


def test_nothing_breaks_out_of_the_page_of_extrinsic_evaluation(tmp_path: Path) -> None:
    page = assert_harmless(extrinsic_page(tmp_path, test=NASTY, label="<script>"))
    assert NASTY in page.text("th")
    assert "<script>" in page.text("small")
    assert "<i>" in page.text("mark")


@pytest.mark.slow
@pytest.mark.parametrize("attack", ATTACKS)
def test_no_element_comes_from_a_name_or_a_word(tmp_path: Path, attack: str) -> None:
    label = re.sub(r"\s", "_", attack)
    pages: dict[str, list[Elements]] = {}
    for what, name in (("harmless", "name"), (label, attack)):
        table = DIFFERING.append_column("id", pa.array([name]))
        renamed = [[entity | {"label": what} for entity in row] for row in pylist(table["source_entities"])]
        place = table.column_names.index("source_entities")
        table = table.set_column(place, "source_entities", pa.array(renamed, table.schema.field(place).type))
        made = (
            matching_page(tmp_path / f"{len(pages)}-matching", name=name, table=table),
            extrinsic_page(tmp_path / f"{len(pages)}-extrinsic", test=name, label=what),
        )
        pages[name] = [Elements(page.read_text(encoding="utf-8")) for page in made]
    assert [page.found for page in pages[attack]] == [[], []]
    tags = [[page.tags - {"tspan"} for page in some] for some in pages.values()]  # of names that are cut into lines
    assert tags[0] == tags[1]


def test_pages_without_a_view_have_no_links_to_it(tmp_path: Path) -> None:
    study = study_matching({"small": DIFFERING}, MatchingOptions(max_words=1, growth=False))
    text = write_matching_report(study, tmp_path / "m").read_text(encoding="utf-8")
    text += write_extrinsic_report(extrinsic_study(APART), tmp_path / "x").read_text(encoding="utf-8")
    assert "view.html" not in text
    assert not list(tmp_path.rglob("view.html"))
    assert text.count("none: made in Python") == 2


def test_ties_are_told_and_not_drawn(tmp_path: Path) -> None:
    tied = extrinsic_study({"one": ["LOO OOO"], "other": ["LOO OOO"]})
    [told] = findings(tied)
    assert told.startswith("On test, one and other tie at an F1 of 0.667 (90 % interval ")
    page = write_extrinsic_report(tied, tmp_path / "x", view=viewer.view)
    text = page.read_text(encoding="utf-8")
    assert "All methods tie: there is nothing to draw." in text
    assert "Nowhere: all methods give the same labels." in text
    assert sorted(path.name for path in page.parent.glob("plot-*")) == plot_names(["f1-1"])
    alike = DIFFERING.set_column(
        DIFFERING.column_names.index("links"),
        "links",
        pa.array([[{"source": 0, "target": 0}]], DIFFERING["links"].type),
    )
    page = matching_page(tmp_path / "m", table=alike)
    text = page.read_text(encoding="utf-8")
    assert "All matchers reach the same total scores everywhere: there is nothing to draw." in text
    assert "F1 is the same for all matchers: there is nothing to draw." in text
    assert "Nowhere: all matchers give the same labels." in text
    assert not list(page.parent.glob("plot-[bdf]*")), "neither below nor difference nor F1"


def test_one_method_alone(tmp_path: Path) -> None:
    alone = extrinsic_study({"one": ["LOO OOO"]})
    assert findings(alone)[0].endswith("there is no other method to compare it with.")
    text = write_extrinsic_report(alone, tmp_path, view=viewer.view).read_text(encoding="utf-8")
    assert "<h2>Differences</h2>" not in text


def test_a_lead_that_chance_may_explain() -> None:
    [told] = findings(extrinsic_study(APART))
    assert told.startswith(
        "On test, good is best with an F1 of 1.000 (90 % interval 1.000 to 1.000). Its lead over middling:"
    )
    assert told.endswith("after Holm's correction: the test does not tell them apart.")


def test_what_made_it_names_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert set(machine()) == {"processor", "cores", "Python", "platform"}
    assert list(libraries(["no-such-library"])) == ["xner", "numpy", "pyarrow"]
    monkeypatch.setenv("HOME", str(tmp_path / "somebody"))
    monkeypatch.setattr("sys.argv", ["/bin/xner", "study", "matching", "-o", f"{tmp_path}/somebody/my study"])
    assert given_command() == "xner study matching -o '~/my study'"


@pytest.mark.needs("plots")
def test_plots_as_pictures() -> None:
    """Twice as large as the plot, of the same colours on the page's ground."""
    rows = {"first": {"a": plots.Mark(0.5, 0.4, 0.6)}, NASTY: {"a": plots.Mark(0.2, 0.1, 0.3)}}
    plot = plots.intervals("f1-1", NASTY, LONG, rows, plots.Axis("F1"), {"a": 0})
    files = plots.plot_files([plot])
    assert list(files) == ["plot-f1-1.svg", "plot-f1-1.png"]
    width, height = map(float, ET.fromstring(files["plot-f1-1.svg"]).attrib["viewBox"].split()[2:])
    picture = files["plot-f1-1.png"]
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", picture[16:24]) == (2 * math.ceil(width), 2 * math.ceil(height))
    assert plot.picture() == picture
    without = replace(plot, svg=Html(re.sub(r"<text.*?</text>", "", plot.svg)))
    assert len(without.picture()) > 500, "something is drawn"
    if any(Path("/usr/share/fonts").rglob("*.ttf")):
        assert len(picture) > 1.5 * len(without.picture()), "texts as well"


def test_plots_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    plot = plots.intervals("f1-1", "", "", {"first": {"a": plots.Mark(0.5, 0.4, 0.6)}}, plots.Axis("F1"), {"a": 0})
    assert list(plots.plot_files([plot])) == ["plot-f1-1.svg"]
    with pytest.raises(MissingExtraError, match=r"a plot as PNG needs resvg_py, .* pip install 'xner\[plots\]'"):
        plot.picture()


# -- in a browser ---------------------------------------------------------------------------------------------

# Headless Chromium has no windows as narrow as a telephone: the page is put into a frame of that width. What a frame's
# document is made of, the page that holds it may look at.
FRAME = """<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<iframe id="frame" style="border: 0; width: WIDTHpx; height: 30000px"></iframe><pre></pre>
<script>
const frame = document.getElementById("frame");
frame.srcdoc = PAGE;
frame.onload = () => {
  const page = frame.contentDocument;
  const root = page.documentElement;
  const style = (node) => frame.contentWindow.getComputedStyle(node);
  const luminance = (colour) => {
    const canvas = document.createElement("canvas").getContext("2d");
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      if (!/, 0\\)$|transparent/.test(style(node).backgroundColor)) return style(node).backgroundColor;
    }
  };
  const contrast = (node) => {
    const inside = node.namespaceURI.endsWith("svg") ? style(node).fill : style(node).color;
    const [dark, light] = [inside, behind(node)].map(luminance).sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const kinds = "h1, h2, h3, p, a, th, td, dt, dd, mark, small, summary, code, .verdict, svg text";
  const texts = [...page.querySelectorAll(kinds)];
  const outside = [...page.querySelectorAll("svg text")].filter((node) => {
    const [box, view] = [node.getBBox(), node.ownerSVGElement.viewBox.baseVal];
    return box.x < 0 || box.y < 0 || box.x + box.width > view.width || box.y + box.height > view.height;
  });
  const found = {
    overflow: root.scrollWidth - root.clientWidth, width: root.clientWidth,
    background: luminance(style(page.body).backgroundColor), contrast: Math.min(...texts.map(contrast)),
    texts: texts.length, outside: outside.map((node) => node.textContent),
    plots: page.querySelectorAll("svg").length, open: page.querySelectorAll("details[open]").length,
  };
  document.querySelector("pre").textContent = JSON.stringify(found);
};
</script>"""


def browse(chromium: str, folder: Path, address: str, *, dark: bool = False) -> Page:
    """The document after its scripts have run; there are no messages on the console."""
    command = [
        *(
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
            "--window-size=1700,3000",
        ),
        *(f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=3000", "--dump-dom"),
        *(("--blink-settings=preferredColorScheme=0",) if dark else ()),
        address,
    ]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=True)
    assert ":CONSOLE" not in done.stderr, done.stderr
    return Page(done.stdout)


def seen(chromium: str, folder: Path, page: str, *, width: int, dark: bool = False) -> dict[str, Any]:
    """How a page looks in a window of a width."""
    folder.mkdir(exist_ok=True)
    text = json.dumps(page).replace("<", "\\u003c")
    (folder / "frame.html").write_text(FRAME.replace("WIDTH", str(width)).replace("PAGE", text), encoding="utf-8")
    [log] = browse(chromium, folder, (folder / "frame.html").as_uri(), dark=dark).text("pre")
    found: dict[str, Any] = json.loads(log)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("made", [matching_page, extrinsic_page])
def test_pages_can_be_read_on_any_screen(chromium: str, tmp_path: Path, made: Any) -> None:
    """Narrow and wide, light and dark: nothing sticks out, and all text stands out from what is behind it."""
    page = made(tmp_path / "study").read_text(encoding="utf-8")
    for width, dark in ((400, False), (400, True), (1600, True), (1600, False)):
        found = seen(chromium, tmp_path / f"{width}{dark}", page, width=width, dark=dark)
        assert found["width"] == width
        assert found["overflow"] == 0
        assert found["texts"] > 50
        assert found["contrast"] >= 4.5
        assert (found["background"] < 0.05) == dark
        assert found["outside"] == []
        assert found["plots"] >= 2
        assert found["open"] == 1


@pytest.mark.slow
def test_long_names_stay_inside(chromium: str, tmp_path: Path) -> None:
    for folder, page in (
        ("m", matching_page(tmp_path / "m", name=LONG, table=DIFFERING.append_column("id", pa.array([LONG])))),
        ("x", extrinsic_page(tmp_path / "x", test=LONG, label=LONG)),
    ):
        found = seen(chromium, tmp_path / f"browser-{folder}", page.read_text(encoding="utf-8"), width=400)
        assert (found["overflow"], found["outside"]) == (0, [])


@pytest.mark.slow
def test_growth_in_a_browser(chromium: str, tmp_path: Path) -> None:
    page = matching_page(tmp_path / "m", growth=True).read_text(encoding="utf-8")
    found = seen(chromium, tmp_path / "browser", page, width=400)
    assert (found["overflow"], found["outside"]) == (0, [])
    assert found["plots"] >= 5


@pytest.mark.slow
def test_links_lead_to_the_sentence(chromium: str, tmp_path: Path) -> None:
    page = matching_page(tmp_path / "study")
    opened = Page(page.read_text(encoding="utf-8"))
    links = [(opened.elements[place][1]["href"] or "", opened.texts.get(place)) for place in opened.find("a")]
    [exact] = [place for place, text in links if text == "exact"]
    [greedy] = [place for place, text in links if text == "greedy"]
    for number, (matcher, place) in enumerate((("exact", exact), ("greedy", greedy))):
        shown = browse(chromium, tmp_path, f"{page.parent.as_uri()}/{place}")
        assert shown.text("h2") == [f"Row {number}"]
        assert f"row 0 · {matcher} · small, links, <= 1" in shown.text("span")


def test_the_console_is_heard(chromium: str, tmp_path: Path) -> None:
    """What the other tests rely on."""
    (tmp_path / "page.html").write_text("<script>nothing.here()</script>")
    with pytest.raises(AssertionError, match="CONSOLE"):
        browse(chromium, tmp_path, (tmp_path / "page.html").as_uri())
