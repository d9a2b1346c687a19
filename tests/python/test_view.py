"""The page of `xner.viewer`: what it is given, that no data can break out, what a browser makes of it."""

from __future__ import annotations

import html
import json
import re
import subprocess
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xner import viewer
from xner.errors import DataError, Error
from xner.schema import COLUMN_TYPES

if TYPE_CHECKING:
    from pathlib import Path

NASTY = ["</script>", "<!--", "<script>", "]]>", "&lt;", "\"'`", "\u2028\u2029", "🎉", "مصر"]
NASTY += ["", " ", "\x00", "{{data}}", "\\u003c"]


def table(**columns: list[Any]) -> pa.Table:
    """A table of the given columns in the types of the schema."""
    return pa.table({name: pa.array(values, COLUMN_TYPES[name]) for name, values in columns.items()})


def entity(start: int, end: int, label: str, *numbers: float) -> dict[str, Any]:
    """A span; `numbers` are score, margin and source of a projected one."""
    names = ["score", "margin", "source"][: len(numbers)]
    return {"start": start, "end": end, "label": label, **dict(zip(names, numbers, strict=True))}


def example() -> pa.Table:
    """Three rows: a full one with one right and one wrong projection, a null one, an empty one."""
    return table(
        id=["first", "second", "third"],
        tokens=[["Angela", "Merkel", "besucht", "Rom"], ["Guten", "Tag"], []],
        source_tokens=[["Angela", "Merkel", "visits", "Rome", "today"], None, []],
        source_entities=[[entity(0, 2, "PER"), entity(3, 4, "LOC"), entity(4, 5, "DATE")], None, []],
        links=[[{"source": i, "target": i, "score": 0.25 * (i + 1)} for i in range(4)], None, []],
        entities=[[entity(0, 2, "PER", 1.0, 0.5, 0), entity(3, 4, "LOC", 0.5, 0.125, 1)], None, []],
        labels=[["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-MISC"], []],
        gold_labels=[["B-PER", "I-PER", "O", "B-ORG"], None, []],
        status=["ok", "no_links", "empty_target"],
    )


class Page(HTMLParser):
    """Elements with their attributes, each with the text before its first child or its end."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.ended: list[str] = []
        self.texts: dict[int, str] = {}
        self.inside = False
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.ended.append(tag)
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            place = len(self.elements) - 1
            self.texts[place] = self.texts.get(place, "") + data

    def find(self, tag: str, **attributes: str) -> list[int]:
        """Positions of the elements; `class_` asks for one of the classes."""
        wanted = attributes.pop("class_", None)
        return [
            place
            for place, (name, found) in enumerate(self.elements)
            if name == tag
            and all(found.get(key) == value for key, value in attributes.items())
            and (wanted is None or wanted in (found.get("class") or "").split())
        ]

    def text(self, tag: str, **attributes: str) -> list[str]:
        return [self.texts.get(place, "") for place in self.find(tag, **attributes)]


def payload(page: str) -> dict[str, Any]:
    [data] = Page(page).text("script", id="data")
    loaded: dict[str, Any] = json.loads(data)
    return loaded


# -- what the page is given ----------------------------------------------------------------------------------


def test_payload_holds_what_the_table_holds() -> None:
    data = payload(viewer.render(example(), open_row=1))
    assert (data["open_row"], data["first_row"], data["total_rows"], data["missing"]) == (1, 0, 3, [])
    assert data["rows"][0] == {
        "id": "first",
        "status": "ok",
        "problem": None,
        "tokens": ["Angela", "Merkel", "besucht", "Rom"],
        "source_tokens": ["Angela", "Merkel", "visits", "Rome", "today"],
        "source_entities": [[0, 2, "PER"], [3, 4, "LOC"], [4, 5, "DATE"]],
        "links": [[0, 0, 0.25], [1, 1, 0.5], [2, 2, 0.75], [3, 3, 1.0]],
        "entities": [[0, 2, "PER", 1.0, 0.5, 0], [3, 4, "LOC", 0.5, 0.125, 1]],
        "from_labels": False,
        "labels_differ": False,
        "dropped": None,
        "adjusted": None,
        "gold": [[0, 2, "PER"], [3, 4, "ORG"]],
        "null": [],
    }


def test_null_row_shows_its_labels_and_says_what_is_null() -> None:
    row = payload(viewer.render(example()))["rows"][1]
    assert row["entities"] == [[1, 2, "MISC"]]
    assert row["from_labels"]
    assert row["null"] == ["source_tokens", "source_entities", "links", "entities", "gold_labels"]


def test_what_is_wrong_with_a_row_is_shown() -> None:
    problems: Any = [None, "column 'labels', value 2 labels: the row has 3 words"]
    data = payload(viewer.render(table(tokens=[["a"], ["b"]], row_problem=problems)))
    assert [row["problem"] for row in data["rows"]] == problems
    assert data["rows"][0]["null"] == []


def test_labels_that_disagree_with_the_entities_are_noticed() -> None:
    both = table(tokens=[["a", "b"]], entities=[[entity(0, 2, "PER")]], labels=[["B-PER", "O"]])
    assert payload(viewer.render(both))["rows"][0]["labels_differ"]


@pytest.mark.parametrize("kept", [["tokens"], ["tokens", "labels"], ["tokens", "source_entities", "links"]])
def test_optional_columns_may_be_missing(kept: list[str]) -> None:
    data = payload(viewer.render(example().select(kept)))
    inputs = ("candidates", "hints", "nmt_scores", "ner_probabilities")  # of scoring, which the page does not show
    filters = ("dropped", "adjusted")  # without which there is nothing to miss
    translations = ("translation", "translation_status", "marked_entities", "marker_problem")
    reviews = ("reviewed", "reviewed_entities")
    others = {*kept, *inputs, *filters, *translations, *reviews, "pivot_tokens", "pivot_entities", "row_problem"}
    assert data["missing"] == [name for name in COLUMN_TYPES if name not in others]
    assert data["rows"][0]["tokens"] == ["Angela", "Merkel", "besucht", "Rom"]
    assert data["rows"][0]["entities"] == ([[0, 2, "PER"], [3, 4, "LOC"]] if "labels" in kept else None)
    # Without source words there is nothing that source spans and links could point at.
    assert data["rows"][0]["source_entities"] is data["rows"][0]["links"] is None


def test_summary_counts_the_whole_table() -> None:
    data = payload(viewer.render(example(), max_rows=1))
    assert len(data["rows"]) == 1
    assert data["summary"] == {
        "classes": {"LOC": 1, "MISC": 1, "PER": 1},
        "statuses": {"ok": 1, "no_links": 1, "empty_target": 1},
        "dropped": {},
        "mean_score": 0.75,
    }


@pytest.mark.parametrize(("open_row", "first"), [(0, 0), (1, 0), (5, 3), (18, 16), (19, 16)])
def test_large_tables_are_cut_around_the_opened_row(open_row: int, first: int) -> None:
    data = payload(viewer.render(table(tokens=[[str(k)] for k in range(20)]), open_row=open_row, max_rows=4))
    assert (data["first_row"], data["total_rows"]) == (first, 20)
    assert [row["tokens"][0] for row in data["rows"]] == [str(first + k) for k in range(4)]


def test_chunks_slices_and_large_types_are_read() -> None:
    large = example()
    for name in ("tokens", "labels"):
        wide = large.column(name).cast(pa.large_list(pa.large_string()))
        large = large.set_column(large.column_names.index(name), name, wide)
    pieces = pa.concat_tables([large, large]).slice(1, 4)
    data = payload(viewer.render(pieces))
    assert [row["id"] for row in data["rows"]] == ["second", "third", "first", "second"]
    assert data["summary"]["classes"] == {"LOC": 1, "MISC": 2, "PER": 1}


def test_numbers_that_json_does_not_know() -> None:
    scores = [float("inf"), float("nan"), 0.1]
    values = [entity(k, k + 1, "PER", score) for k, score in enumerate(scores)]
    row = payload(viewer.render(table(tokens=[["a", "b", "c"]], entities=[values])))["rows"][0]
    assert [span[3] for span in row["entities"]] == ["Infinity", None, 0.1]


# -- nothing in the data can break out -----------------------------------------------------------------------


def assert_closed(source: str) -> None:
    """The page has its own elements and no others, and asks nothing of a network."""
    page = Page(source)
    assert [page.elements[place][1] for place in page.find("script")] == [
        {"type": "application/json", "id": "data"},
        {},
    ]
    assert page.ended[-1] == "html"
    assert not {"img", "iframe", "object", "embed", "base", "b"} & {tag for tag, _ in page.elements}
    for _, attributes in page.elements:
        for name in ("src", "href", "action", "srcset", "data"):
            assert (attributes.get(name) or "data:").startswith("data:")


def test_page_loads_nothing() -> None:
    source = viewer.render(example())
    assert_closed(source)
    assert "http://" not in source
    assert "https://" not in source
    [style] = Page(source).text("style")
    assert not re.search(r"@import|url\(", style)
    [policy] = Page(source).find("meta", **{"http-equiv": "Content-Security-Policy"})
    assert (Page(source).elements[policy][1]["content"] or "").startswith("default-src 'none'")


def test_nasty_words_come_through_unchanged() -> None:
    tags = [f"B-{word or 'X'}" for word in NASTY]
    source = viewer.render(
        table(id=["</script>"], tokens=[NASTY], source_tokens=[NASTY], labels=[tags]),
        title="</title><b>{{data}}",
    )
    assert_closed(source)
    assert Page(source).text("title") == ["</title><b>{{data}}"]
    [row] = payload(source)["rows"]
    assert row["id"] == "</script>"
    assert row["tokens"] == row["source_tokens"] == NASTY
    [data] = Page(source).text("script", id="data")
    assert not set("<>&\u2028\u2029") & set(data)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=6))
def test_any_words_come_through_unchanged(words: list[str]) -> None:
    source = viewer.render(table(tokens=[words]))
    assert_closed(source)
    assert payload(source)["rows"][0]["tokens"] == words


# -- errors --------------------------------------------------------------------------------------------------

BAD_TABLES: list[tuple[pa.Table, dict[str, int], str]] = [
    (table(id=["x"]), {}, "nothing to view: the table has no column 'tokens' (columns found: id)"),
    (pa.table({"tokens": ["a b"]}), {}, "column 'tokens' must be list<item: string>, not string"),
    (pa.table({"tokens": [[1, 2]]}), {}, "column 'tokens' must be list<item: string>, not list<item: int64>"),
    (
        pa.table({"tokens": [["a"]], "links": [[[0, 0]]]}),
        {},
        (
            "column 'links' must be list<item: struct<source: int32, target: int32, score: float>>, "
            "not list<item: list<item: int64>>"
        ),
    ),
    (
        pa.table({"tokens": [["a"]], "source_entities": [[{"start": 0, "end": 1}]]}),
        {},
        (
            "column 'source_entities' must be list<item: struct<start: int32, end: int32, label: string>>, "
            "not list<item: struct<start: int64, end: int64>>"
        ),
    ),
    (
        pa.table({"tokens": [["a"]], "status": [1]}),
        {},
        "column 'status' must be dictionary<values=string, indices=int32, ordered=0>, not int64",
    ),
    (table(tokens=[]), {}, "nothing to view: the table has no rows"),
    (table(tokens=[["a"]]), {"open_row": 1}, "cannot open row 1: the table has 1 row (0)"),
    (table(tokens=[["a"], ["b"]]), {"open_row": 17}, "cannot open row 17: the table has 2 rows (0 to 1)"),
    (table(tokens=[["a"], ["b"]]), {"open_row": -1}, "cannot open row -1: the table has 2 rows (0 to 1)"),
    (table(tokens=[["a"]]), {"max_rows": 0}, "max_rows must be at least 1, not 0"),
]


@pytest.mark.parametrize(("bad", "options", "message"), BAD_TABLES)
def test_unusable_tables_are_refused(bad: pa.Table, options: dict[str, Any], message: str) -> None:
    with pytest.raises(Error) as caught:
        viewer.render(bad, **options)
    assert str(caught.value) == message


def test_other_objects_are_refused() -> None:
    with pytest.raises(Error, match="expected a pyarrow RecordBatch or Table, found list; "):
        viewer.render([["a"]])


def test_a_column_that_is_there_twice_is_refused() -> None:
    twice = pa.Table.from_arrays([pa.array([["a"]]), pa.array([["b"]])], names=["tokens", "tokens"])
    with pytest.raises(Error, match=r"^column 'tokens' is there more than once$"):
        viewer.render(twice)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"tokens": ["a", None]}, "column 'tokens', value None: word 1 is null"),
        (
            {"tokens": ["a", "b"], "labels": ["O"]},
            "column 'labels', value 1 labels: every word has one label, and the sentence's length is 2",
        ),
        (
            {"tokens": ["a"], "gold_labels": ["O", "O"]},
            "column 'gold_labels', value 2 labels: every word has one label, and the sentence's length is 1",
        ),
        (
            {"tokens": ["a"], "entities": [entity(0, 2, "PER")]},
            "column 'entities', value [0, 2) PER: not a span of the sentence, whose length is 1",
        ),
        (
            {"tokens": ["a"], "entities": [entity(0, 0, "PER")]},
            "column 'entities', value [0, 0) PER: not a span of the sentence, whose length is 1",
        ),
        (
            {"tokens": ["a"], "entities": [None]},
            "column 'entities', value None: an entity needs start, end and label",
        ),
        (
            {"tokens": ["a"], "source_tokens": ["a"], "source_entities": [entity(-1, 1, "PER")]},
            "column 'source_entities', value [-1, 1) PER: not a span of the sentence, whose length is 1",
        ),
        (
            {
                "tokens": ["a"],
                "source_tokens": ["a"],
                "source_entities": [],
                "entities": [entity(0, 1, "PER", 1.0, 1.0, 0)],
            },
            "column 'entities', value [0, 1, 'PER', 1.0, 1.0, 0]: no source entity 0: the row has 0",
        ),
        (
            {"tokens": ["a"], "source_tokens": ["a", "b"], "links": [{"source": 2, "target": 0}]},
            "column 'links', value 2-0: the sentences' lengths are 2 (source) and 1 (target)",
        ),
        (
            {"tokens": ["a"], "source_tokens": ["a"], "links": [{"source": None, "target": 0}]},
            ("column 'links', value {'source': None, 'target': 0, 'score': None}: a link needs source and target"),
        ),
    ],
)
def test_wrong_rows_are_named(columns: dict[str, Any], message: str) -> None:
    good = {"tokens": ["x"], **{name: None for name in columns if name != "tokens"}}
    rows = {name: [good[name], value] for name, value in columns.items()}
    with pytest.raises(DataError) as caught:
        viewer.render(table(id=["x0", "x1"], **rows))
    assert str(caught.value) == f"row 1 (id 'x1'), {message}"


# -- the file ------------------------------------------------------------------------------------------------


def test_write_replaces_the_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "view.html"
    path.write_text("old")
    viewer.view(example(), path, open_row=2, title="Ü")
    assert path.read_bytes().decode() == viewer.render(example(), open_row=2, title="Ü")
    assert list(tmp_path.iterdir()) == [path]


def test_write_keeps_the_old_file_when_the_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "view.html"
    path.write_text("old")
    with pytest.raises(Error, match=r"^cannot open row 3"):
        viewer.view(example(), path, open_row=3)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_write_says_where_it_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "view.html"
    with pytest.raises(Error) as caught:
        viewer.view(example(), path)
    assert str(caught.value) == f"cannot write '{path}': the folder '{path.parent}' does not exist"


def test_a_page_that_is_not_written_shows_itself_in_a_notebook() -> None:
    rows = example()
    page = viewer.view(rows.slice(1, 2))
    shown = page._repr_html_()
    assert page.html == viewer.render(rows.slice(1, 2))
    assert repr(page) == "<Page: 2 rows; write(path) stores it>"
    frame = re.fullmatch(r'<iframe srcdoc="([^"]*)" style="[^"]*" sandbox="allow-scripts"></iframe>', shown)
    assert frame is not None
    assert html.unescape(frame[1]) == page.html


def test_a_record_batch_is_shown_as_a_table_is() -> None:
    rows = example().combine_chunks()
    assert viewer.view(rows.to_batches()[0]) == viewer.view(rows)


# -- in a browser --------------------------------------------------------------------------------------------


def rendered(chromium: str, folder: Path, page: str, address: str = "") -> Page:
    """The document after the page's script has run."""
    path = folder / "view.html"
    path.write_text(page, encoding="utf-8")
    command = [
        chromium,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={folder / 'profile'}",
        "--window-size=1400,900",
        "--virtual-time-budget=2000",
        "--dump-dom",
        path.as_uri() + address,
    ]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=True)
    return Page(done.stdout)


def paths(page: Page) -> int:
    return len(page.find("path"))


def selected(page: Page) -> list[str | None]:
    return [page.elements[place][1]["id"] for place in page.find("div", **{"aria-selected": "true"})]


def entity_words(page: Page) -> int:
    return len(page.find("span", class_="in"))


def test_browser_draws_the_row(chromium: str, tmp_path: Path) -> None:
    page = rendered(chromium, tmp_path, viewer.render(example()))
    assert page.text("h2") == ["Row 0"]
    assert len(page.find("div", role="option")) == 3
    assert selected(page) == ["item-0"]
    assert len(page.find("span", class_="word")) == 5 + 4
    assert paths(page) == 4
    assert entity_words(page) == 4 + 3  # the date has no projection but is an entity of the source
    assert len(page.find("span", class_="missed")) == 1
    assert len(page.find("tr")) == 1 + 3  # a head, two projections, one entity left alone
    assert page.text("span", class_="good") == ["✓ same"]
    assert page.text("span", class_="bad")[-1] == "✗ gold class is ORG"


def filtered_example() -> pa.Table:
    """A row with an entity that one filter dropped, and one that another has cut."""
    return table(
        tokens=[["„", "Rom", "“", "und", "Prag"]],
        source_tokens=[["Rome", "and", "Prague"]],
        source_entities=[[entity(0, 1, "LOC"), entity(2, 3, "LOC")]],
        entities=[[entity(1, 2, "LOC", 1.0, 0.5, 0)]],
        labels=[["O", "B-LOC", "O", "O", "O"]],
        dropped=[[{**entity(4, 5, "LOC", 0.5, 0.0, 1), "reason": "min-margin"}]],
        adjusted=[[{**entity(0, 3, "LOC", 1.0, 0.5, 0), "reason": "trim-punctuation"}]],
    )


def test_payload_holds_what_filters_did() -> None:
    data = payload(viewer.render(filtered_example()))
    assert data["missing"] == ["id", "links", "gold_labels", "status"]
    assert data["summary"]["dropped"] == {"min-margin": 1}
    assert data["rows"][0]["dropped"] == [[4, 5, "LOC", 0.5, 0.0, 1, "min-margin"]]
    assert data["rows"][0]["adjusted"] == [[0, 3, "LOC", 1.0, 0.5, 0, "trim-punctuation"]]


def test_browser_shows_dropped_and_changed_entities_with_their_reasons(chromium: str, tmp_path: Path) -> None:
    page = rendered(chromium, tmp_path, viewer.render(filtered_example()))
    assert len(page.find("tr")) == 1 + 2
    assert page.text("th")[-1] == "Filters"
    assert "trim-punctuation: was [0, 3)" in page.text("span")
    assert page.text("span", class_="bad") == ["✗ dropped by min-margin"]
    assert page.text("bdi") == ["Rome", "Rom", "Prague", "Prag"]


def test_browser_follows_the_address_and_says_what_is_missing(chromium: str, tmp_path: Path) -> None:
    page = rendered(chromium, tmp_path, viewer.render(example()), "#row=1")
    assert page.text("h2") == ["Row 1"]
    assert page.text("li") == [
        "Null in this row: source_tokens, source_entities, links, entities, gold_labels.",
        "Entities are read from the labels: no scores, margins or source entities.",
    ]
    assert paths(page) == 0
    assert entity_words(page) == 1


def test_browser_shows_nasty_words_as_text(chromium: str, tmp_path: Path) -> None:
    words = [word for word in NASTY if word.strip() and "\x00" not in word]
    page = rendered(chromium, tmp_path, viewer.render(table(id=["<b>"], tokens=[words])))
    assert page.text("span", class_="text") == words
    assert not page.find("b")


def test_browser_draws_only_entity_links_of_long_sentences(chromium: str, tmp_path: Path) -> None:
    words = [f"w{k}" for k in range(600)]
    long = table(
        tokens=[words],
        source_tokens=[words],
        source_entities=[[entity(10, 12, "PER"), entity(500, 501, "LOC")]],
        links=[[{"source": k, "target": k, "score": None} for k in range(600)]],
        entities=[[entity(10, 12, "PER", 1.0, 1.0, 0)]],
    )
    page = rendered(chromium, tmp_path, viewer.render(long))
    assert paths(page) == 3
    assert len(page.find("span", class_="word")) == 1200
    assert "side" in (page.elements[page.find("figure")[0]][1]["class"] or "")


def test_browser_answers_to_keys_filters_and_the_pointer(chromium: str, tmp_path: Path) -> None:
    script = """
      const all = (selector) => document.querySelectorAll(selector);
      const fire = (node, event) => node.dispatchEvent(event);
      const set = (id, value) => {
        document.getElementById(id).value = value;
        fire(document.getElementById(id), new Event("input", { bubbles: true }));
      };
      const press = (key) => fire(document.body, new KeyboardEvent("keydown", { key, bubbles: true }));
      const log = [];
      const items = () => log.push(all(".item").length);
      press("j"); press("ArrowDown"); press("j"); log.push(location.hash);
      press("k"); press("k"); log.push(location.hash);
      press("/"); log.push(document.activeElement.id);
      set("search", "GUTEN t"); items();
      set("search", "gutentag"); items();
      set("search", ""); set("by-status", "ok"); items();
      set("by-status", ""); set("by-gold", "differs"); items();
      set("by-gold", ""); set("by-class", "MISC"); items();
      set("by-class", ""); set("sort", "score"); log.push(all(".item")[0].id);
      fire(all("#source .word")[0], new MouseEvent("mouseover", { bubbles: true }));
      log.push(all("#focus path").length, all(".word.hot").length, all(".word.kin").length);
      log.push(document.getElementById("inspector").textContent);
      const result = document.createElement("pre");
      result.textContent = JSON.stringify(log);
      document.body.append(result);
    """
    source = viewer.render(example()).replace("</body>", f"<script>{script}</script></body>")
    [log] = rendered(chromium, tmp_path, source).text("pre")
    linked = "source word 0 Angela – linked to Angela (0: 0.250)"
    projected = "PER Angela Merkel → Angela Merkel, score 1.000, margin 0.500"
    assert json.loads(log) == [
        *("#row=2", "#row=0", "search"),
        *(1, 1, 1, 1, 1, "item-0"),
        *(1, 2, 4, f"{linked}; {projected}"),
    ]


def test_browser_says_what_is_wrong_with_a_row(chromium: str, tmp_path: Path) -> None:
    wrong = table(tokens=[["a"]], row_problem=["word <1> is missing"])
    page = rendered(chromium, tmp_path, viewer.render(wrong))
    assert "Wrong and skipped: word <1> is missing." in page.text("li")


def test_browser_lists_many_rows_without_drawing_them_all(chromium: str, tmp_path: Path) -> None:
    many = table(tokens=[[f"word{k}"] for k in range(10_000)])
    page = rendered(chromium, tmp_path, viewer.render(many, open_row=7000, max_rows=10_000))
    assert page.text("h2") == ["Row 7000"]
    assert 0 < len(page.find("div", role="option")) < 100
    assert selected(page) == ["item-7000"]
