"""Options and other arguments: what is said of those that cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import xner
from xner import Aligner, Pipeline, filters, io, labels
from xner._support.arguments import choose, did_you_mean, file_path, several, unknown_option
from xner.errors import Error, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MATCHERS = {"exact": 1, "greedy": 2, "ortools": 3}


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("Exact", "; did you mean 'exact'?"),
        ("gredy", "; did you mean 'greedy'?"),
        ("or-tools", "; did you mean 'ortools'?"),
        ("tools", "; did you mean 'ortools'?"),
        ("hungarian", ""),
        ("t", ""),
        ("", ""),
        (3, ""),
        (["exact"], ""),
    ],
)
def test_a_name_that_is_none_of_a_few(value: Any, hint: str) -> None:
    with pytest.raises(Error) as error:
        choose("matcher", value, MATCHERS)
    assert str(error.value) == f"matcher={value!r}: expected one of 'exact', 'greedy', 'ortools'{hint}"


def test_of_several_near_names_two_are_named() -> None:
    assert did_you_mean("min_word", ["min_words", "max_words", "n"]) == "; did you mean 'min_words' or 'max_words'?"


def test_a_keyword_that_is_no_option() -> None:
    assert str(unknown_option("machter", ["matcher", "n"])) == "unknown option 'machter'; did you mean 'matcher'?"
    assert str(unknown_option("solver", ["matcher", "n"])) == "unknown option 'solver': expected one of 'matcher', 'n'"


WORDS = ["a", "b"]
SPANS = [(0, 1, "X")]
TABLE = pa.table(
    {
        "source_tokens": [WORDS],
        "source_entities": [[{"start": 0, "end": 1, "label": "X"}]],
        "tokens": [WORDS],
        "links": [[{"source": 0, "target": 0}]],
    }
)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (xner.project, ["table"], r"^project: a table is none .*; `xner.Pipeline\(\).run\(table\)` links"),
        (xner.project, ["table", "table", "table"], "^project: a table is none of its arguments"),
        (xner.project, ["table"] * 7, "^project: a table is none of its arguments"),
        (xner.project_spans, ["table"], "^project_spans: a table is none of its arguments"),
        (xner.evaluate, ["table", "table"], r"^evaluate: a table is none .*\(gold\['labels'\]"),
        (xner.Projector, ["table"], r"^options: .*; rows are .*: `Projector\(\)\(rows\)`"),
        (xner.project, [["Anna"], [(0, 1, "PER")]], "^project needs links; links: .*; `xner.Aligner.fit` learns them"),
        (xner.project_spans, ["Anna", "Anna"], "^project_spans needs spans; spans: of the source text"),
        (xner.evaluate, [[["O"]]], "^evaluate needs predicted_labels; predicted_labels: the tags"),
        (xner.Projector(), ["x.parquet"], r"found str; .* `xner.io.read\('x.parquet'\)` reads one from a file"),
        (xner.project, [["Anna"], [(0, 9, "PER")], [(9, 9)]], "^column 'links', value 9-9"),
    ],
)
def test_calls_with_other_things_say_what_takes_them(
    function: Callable[..., object], arguments: list[Any], message: str
) -> None:
    for table in (TABLE, TABLE.to_batches()[0]):
        with pytest.raises(Error, match=message):
            function(*(table if isinstance(one, str) and one == "table" else one for one in arguments))


def test_other_wrong_calls_are_left_to_python() -> None:
    function: Callable[..., object] = xner.project
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'source_entities'"):
        function(["Anna"], links=[])


WRONG: list[Any] = [None, 1, 3.5, float("nan"), "x", b"x", object(), int, [None], [1, 2], ["a", None], {"a": 1}, {1}]

# By entry point and argument: a call with something else, and the values of WRONG that are right there.
ENTRIES: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
    "project tokens": (lambda value: xner.project(value, SPANS, [(0, 0)]), []),
    "project source_entities": (lambda value: xner.project(WORDS, value, [(0, 0)]), []),
    "project links": (lambda value: xner.project(WORDS, SPANS, value), []),
    "project source_tokens": (lambda value: xner.project(WORDS, SPANS, [(0, 0)], source_tokens=value), [None]),
    "project source_length": (lambda value: xner.project(WORDS, SPANS, [(0, 0)], source_length=value), [None, 1]),
    "project method": (lambda value: xner.project(WORDS, SPANS, [(0, 0)], method=value), []),
    "project n": (lambda value: xner.project(WORDS, SPANS, [(0, 0)], n=value), [1]),
    "project hints": (lambda value: xner.project(WORDS, SPANS, [(0, 0)], hints=value), []),
    "project_spans source": (lambda value: xner.project_spans(value, "a b", SPANS, links=[(0, 0)]), ["x"]),
    "project_spans target": (lambda value: xner.project_spans("a b", value, SPANS, links=[(0, 0)]), ["x"]),
    "project_spans spans": (lambda value: xner.project_spans("a b", "a b", value, links=[(0, 0)]), [None]),
    "project_spans links": (lambda value: xner.project_spans("a b", "a b", SPANS, links=value), [None]),
    "project_spans aligner": (lambda value: xner.project_spans("a b", "a b", SPANS, aligner=value), [None]),
    "evaluate gold": (lambda value: xner.evaluate(value, [["O"]]), []),
    "evaluate predicted": (lambda value: xner.evaluate([["O"]], value), []),
    "evaluate mode": (lambda value: xner.evaluate([["O"]], [["O"]], mode=value), []),
    "evaluate ignore": (lambda value: xner.evaluate([["O"]], [["O"]], ignore=value), []),
    "Pipeline filters": (lambda value: Pipeline(filters=value), []),
    "Pipeline aligner": (lambda value: Pipeline(aligner=value), []),
    "Pipeline threads": (lambda value: Pipeline(threads=value), [1]),
    "Pipeline matcher": (lambda value: Pipeline(matcher=value), []),
    "Pipeline run": (lambda value: Pipeline().run(value), []),
    "Pipeline run output": (lambda value: Pipeline().run(TABLE, value), [None]),
    "Projector": (xner.Projector(), []),
    "Aligner": (Aligner, []),
    "fit source": (lambda value: Aligner.fit(value, [WORDS]), [[None]]),
    "fit target": (lambda value: Aligner.fit([WORDS], value), [[None]]),
    "fit lexicon": (lambda value: Aligner.fit([WORDS], [WORDS], lexicon=value), [None]),
    "fit max_memory": (lambda value: Aligner.fit([WORDS], [WORDS], max_memory=value), [None, 1]),
    "load": (Aligner.load, []),
    "Filters": (filters.Filters, []),
    "Filters call": (filters.Filters(["one-word"]), []),
    "combine": (xner.links.combine, []),
    "read_pairs": (lambda value: xner.read_pairs(value, "de.txt"), []),
    "view": (xner.view, []),
    "io.read": (io.read, []),
    "io.read format": (lambda value: io.read(__file__, value), []),
    "io.write": (lambda value: io.write(value, "out.jsonl"), []),
    "io.write path": (lambda value: io.write(TABLE, value), []),
    "decode": (labels.decode, []),
    "encode": (lambda value: labels.encode(value, 3), []),
    "encode length": (lambda value: labels.encode([], value), [1]),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_is_of_another_kind_is_refused_by_name(
    entry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    call, right = ENTRIES[entry]
    for value in WRONG:
        if any(value is one or (value == one and type(value) is type(one)) for one in right):
            call(value)
        else:
            is_missing = value == "x" and entry in {"load", "read_pairs", "io.read"}
            with pytest.raises(FileNotFoundError if is_missing else Error):
                call(value)


def test_an_aligner_takes_and_writes_no_other_kinds() -> None:
    aligner = Aligner.fit([WORDS] * 2, [WORDS] * 2)
    calls: list[Callable[[Any], Any]] = [lambda value: aligner.align(value, [WORDS]), aligner.save]
    for call in calls:
        for value in WRONG:
            if value not in ("x", [None]):
                with pytest.raises(Error):
                    call(value)


@pytest.mark.parametrize("value", [None, 1, "x", int])
def test_what_is_no_sequence_or_path(value: Any) -> None:
    with pytest.raises(OptionError, match=r"filters=.*: expected a sequence of filters"):
        several("filters", value, "filters")
    if value != "x":
        with pytest.raises(OptionError, match=r"output=.*: expected the path of a file"):
            file_path("output", value)
