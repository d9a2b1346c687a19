"""Recipes: steps, what is kept of them, and when it is used again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xner import Aligner, DataError, Error, Projector, io, schema
from xner._support.arrow import pylist
from xner.io import sample
from xner.models.translators import Translation
from xner.pipelines import recipes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def table(rows: int = 5) -> pa.Table:
    return pa.table({"id": [f"r{i}" for i in range(rows)], "n": list(range(rows))})


class Adding:
    """A step that adds to a column, and counts how often it ran."""

    def __init__(self, name: str, value: int) -> None:
        self.runs = 0
        self.value = value
        self.step = recipes.Step(name, value, self._run)

    def _run(self, given: pa.Table, run: recipes.StepRun) -> pa.Table:
        self.runs += 1
        run.report(self.step.name, 1, 1)
        return given.append_column(self.step.name, pa.array([n + self.value for n in pylist(given.column("n"))]))


def test_steps_follow_each_other_and_nothing_needs_a_folder() -> None:
    one, two = Adding("one", 1), Adding("two", 2)
    found = recipes.run(table(), [one.step, two.step])
    assert found.to_pydict() == {**table().to_pydict(), "one": [1, 2, 3, 4, 5], "two": [2, 3, 4, 5, 6]}
    assert recipes.run(table(), []).equals(table())


def test_what_is_kept_is_used_until_something_before_it_changes(tmp_path: Path) -> None:
    one, two = Adding("one", 1), Adding("two", 2)
    folder = tmp_path / "deep" / "steps"
    told: list[str] = []

    def run(given: pa.Table, *steps: Adding, **options: Any) -> pa.Table:
        return recipes.run(given, [step.step for step in steps], folder, told=told.append, **options)

    first = run(table(), one, two)
    assert told == []
    again = run(table(), one, two)
    assert again.equals(first)
    assert (one.runs, two.runs) == (1, 1)
    assert told == [f"one: taken from {folder}/one.parquet", f"two: taken from {folder}/two.parquet"]
    assert io.read(folder / "two.parquet").select(first.schema.names).equals(first)
    other = Adding("two", 3)
    assert run(table(), one, other).column("two").to_pylist() == [3, 4, 5, 6, 7]
    assert (one.runs, other.runs) == (1, 1)
    run(table(4), one, two)
    assert (one.runs, two.runs) == (2, 2)
    run(table(4), one, two, reuse=False)
    assert (one.runs, two.runs) == (3, 3)
    assert sorted(path.name for path in folder.iterdir()) == ["one.parquet", "two.parquet"]


def test_what_is_broken_or_foreign_is_made_anew(tmp_path: Path) -> None:
    one = Adding("one", 1)
    (tmp_path / "one.parquet").write_bytes(b"no Parquet")
    recipes.run(table(), [one.step], tmp_path)
    pq.write_table(table(), tmp_path / "one.parquet")
    found = recipes.run(table(), [one.step], tmp_path)
    assert one.runs == 2
    assert found.schema.metadata is None
    assert found.column("one").to_pylist() == [1, 2, 3, 4, 5]


def test_what_was_damaged_is_made_anew(tmp_path: Path) -> None:
    """Wherever a bit is not what it was, rows are; most places are noticed, and what is harmless need not be."""
    one = Adding("one", 1)
    whole = recipes.run(table(100), [one.step], tmp_path)
    sound = (tmp_path / "one.parquet").read_bytes()
    places = range(7, len(sound), len(sound) // 40)
    for place in places:
        content = bytearray(sound)
        content[place] ^= 1
        (tmp_path / "one.parquet").write_bytes(content)
        assert recipes.run(table(100), [one.step], tmp_path).equals(whole)
    assert one.runs > 1 + len(places) // 2


def test_what_memory_has_below_nulls_does_not_count(tmp_path: Path) -> None:
    values = pa.array([1, 2, 3])
    masked = pa.Array.from_buffers(pa.int64(), 3, [pa.py_buffer(b"\x05"), values.buffers()[1]])
    runs: list[int] = []

    def work(given: pa.Table, _: recipes.StepRun) -> pa.Table:
        runs.append(1)
        return given.append_column("masked", masked)

    for _ in range(2):
        found = recipes.run(table(3), [recipes.Step("one", 1, work)], tmp_path)
        assert found.column("masked").to_pylist() == [1, None, 3]
    assert runs == [1]


def test_what_a_killed_run_left_beside_a_step_goes(tmp_path: Path) -> None:
    one = Adding("one", 1)
    recipes.run(table(), [one.step], tmp_path)
    (tmp_path / ".one.parquet.parts").mkdir()
    (tmp_path / ".one.parquet.parts" / "run.json").write_text("{}")
    (tmp_path / ".one.parquet.lock").write_text("process 1")
    recipes.run(table(), [one.step], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["one.parquet"]


def test_how_a_table_is_chunked_changes_nothing(tmp_path: Path) -> None:
    one = Adding("one", 1)
    recipes.run(table(), [one.step], tmp_path)
    recipes.run(pa.concat_tables([table().slice(0, 2), table().slice(2)]), [one.step], tmp_path)
    assert one.runs == 1


def test_an_interrupted_step_goes_on_where_it_stopped(tmp_path: Path) -> None:
    seen: list[int] = []
    fails = True

    def stage(batch: pa.RecordBatch) -> pa.RecordBatch:
        seen.extend(pylist(batch.column("n")))
        if fails and 4 in seen:
            raise KeyboardInterrupt
        return batch.append_column("more", batch.column("n"))

    loads: list[int] = []

    def load() -> Any:
        loads.append(1)
        return stage

    step = recipes.stage_step("more", load, key="k", part_rows=2)
    with pytest.raises(KeyboardInterrupt):
        recipes.run(table(), [step], tmp_path)
    fails = False
    found = recipes.run(table(), [step], tmp_path)
    assert seen == [0, 1, 2, 3, 4, 4]
    assert found.column("more").to_pylist() == [0, 1, 2, 3, 4]
    assert len(loads) == 2
    recipes.run(table(), [step], tmp_path)
    assert len(loads) == 2, "what is kept needs no model"


def test_errors(tmp_path: Path) -> None:
    one = Adding("one", 1)
    with pytest.raises(Error, match="the steps one, one need different names"):
        recipes.run(table(), [one.step, one.step])
    short = recipes.Step("short", None, lambda given, run: given.slice(1))
    with pytest.raises(Error, match="the step 'short' made 4 rows of 5"):
        recipes.run(table(), [short], tmp_path)

    def wrong(batch: pa.RecordBatch) -> pa.RecordBatch:
        raise DataError(0, "n", "0", "is wrong")

    with pytest.raises(DataError, match="row 2, column 'n'"):
        recipes.run(
            table(),
            [
                recipes.stage_step(
                    "wrong",
                    lambda: lambda batch: wrong(batch) if 2 in batch["n"].to_pylist() else batch,
                    key=0,
                    part_rows=2,
                )
            ],
            tmp_path,
        )
    assert not list(tmp_path.glob("*"))


class Dictionary:
    """A translator that replaces words, and counts its calls."""

    identity = "dictionary"

    def __init__(self, words: dict[str, str]) -> None:
        self.words = words
        self.calls: list[tuple[int, str, str]] = []

    def translate(self, texts: Sequence[str], source: str, target: str, **_: Any) -> list[Translation]:
        self.calls.append((len(texts), source, target))
        return [
            Translation(" ".join(self.words.get(word, word) for word in text.split()), "ok" if text else "empty_source")
            for text in texts
        ]


SOURCE = [["Ann", "saw", "Rome"], ["Rome", "saw", "Ann"], ["Bob", "likes", "Rome"], ["Ann", "likes", "Bob"]]
ENTITIES = [
    [(0, 1, "PER"), (2, 3, "LOC")],
    [(0, 1, "LOC"), (2, 3, "PER")],
    [(0, 1, "PER"), (2, 3, "LOC")],
    [(0, 1, "PER")],
]
WORDS = {"Ann": "Anja", "saw": "videla", "Rome": "Rim", "likes": "ljubi", "Bob": "Bobo"}


def labelled() -> pa.Table:
    spans = [[{"start": s, "end": e, "label": k} for s, e, k in row] for row in ENTITIES]
    return pa.table(
        {
            schema.SOURCE_TOKENS: pa.array(SOURCE, schema.WORDS_TYPE),
            schema.SOURCE_ENTITIES: pa.array(spans, schema.SOURCE_ENTITIES_TYPE),
        }
    )


LABELS = [["B-PER", "O", "B-LOC"], ["B-LOC", "O", "B-PER"], ["B-PER", "O", "B-LOC"], ["B-PER", "O", "O"]]


@pytest.mark.parametrize("markers", [None, "brackets", "tags"])
def test_translate_train(tmp_path: Path, markers: Any) -> None:
    translator: Any = Dictionary(WORDS)
    into = recipes.Direction(translator, "en", "sl")
    steps = recipes.translate_train(into, markers=markers, words="blanks", by_blanks=True)
    found = recipes.project(recipes.run(labelled(), steps, tmp_path), Projector())
    assert found.column("labels").to_pylist() == LABELS
    assert {call[1:] for call in translator.calls} == {("eng_Latn", "slv_Latn")}
    calls = len(translator.calls)
    recipes.run(labelled(), steps, tmp_path)
    assert len(translator.calls) == calls
    assert sorted(path.name for path in tmp_path.iterdir()) == ["links.parquet", "translation.parquet"]


class Bracketless(Dictionary):
    """Loses brackets; tags as well, if it is to."""

    def __init__(self, words: dict[str, str], *, tagless: bool = False) -> None:
        super().__init__({**words, "[": "", **({"</a>": ""} if tagless else {})})


@pytest.mark.parametrize("back", [False, True])
def test_markers_that_hold_are_found_out_when_the_step_runs(tmp_path: Path, back: bool) -> None:
    translator: Any = Bracketless(WORDS)
    into = recipes.Direction(translator, "en", "sl")
    options: Any = {"markers": "auto", "words": "blanks", "by_blanks": True}
    steps = recipes.back_translation(into, **options) if back else recipes.translate_train(into, **options)
    targets = [[WORDS[word] for word in words] for words in SOURCE]
    table = labelled().append_column(schema.TOKENS, pa.array(targets, schema.WORDS_TYPE)) if back else labelled()
    assert translator.calls == []
    lines: list[str] = []
    found = recipes.run(table, steps, tmp_path, told=lines.append)
    assert lines == ["markers: tags; whole came back brackets 0, tags 4 of 4 sentences"]
    assert found.column(schema.MARKER_PROBLEM).null_count == 4
    assert recipes.project(found, Projector()).column("labels").to_pylist() == LABELS
    calls = len(translator.calls)
    recipes.run(table, steps, tmp_path)
    assert len(translator.calls) == calls, "a kept step tries nothing"
    worse: Any = Bracketless(WORDS, tagless=True)
    with pytest.raises(Error, match="this translator breaks markers of every style"):
        recipes.run(table, recipes.translate_train(recipes.Direction(worse, "en", "sl"), **options))


def test_back_translation(tmp_path: Path) -> None:
    translator: Any = Dictionary(WORDS)
    targets = [[WORDS[word] for word in words] for words in SOURCE]
    table = labelled().append_column(schema.TOKENS, pa.array(targets, schema.WORDS_TYPE))
    steps = recipes.back_translation(recipes.Direction(translator, "en", "sl"), words="blanks", by_blanks=True)
    found = recipes.project(recipes.run(table, steps, tmp_path), Projector())
    assert found.column("source_tokens").to_pylist() == targets
    assert found.column("pivot_tokens").to_pylist() == SOURCE
    assert found.column("labels").to_pylist() == LABELS


@pytest.mark.parametrize("refined", [False, pytest.param(True, marks=pytest.mark.needs("words"))])
def test_translate_test(tmp_path: Path, refined: bool) -> None:
    backwards: Any = Dictionary({other: word for word, other in WORDS.items()})
    forwards: Any = Dictionary(WORDS)
    targets = [[WORDS[word] for word in words] for words in SOURCE]

    def tag(batch: pa.RecordBatch) -> pa.RecordBatch:
        classes = {"Ann": "PER", "Bob": "PER", "Rome": "LOC"}
        spans = [
            [{"start": at, "end": at + 1, "label": classes[word]} for at, word in enumerate(words) if word in classes]
            for words in pylist(batch.column(schema.SOURCE_TOKENS))
        ]
        return batch.append_column(schema.SOURCE_ENTITIES, pa.array(spans, schema.SOURCE_ENTITIES_TYPE))

    steps = recipes.translate_test(
        recipes.Direction(backwards, "sl", "en"),
        recipes.stage_step("source-tags", lambda: tag, key="tag"),
        back=recipes.Direction(forwards, "en", "sl") if refined else None,
        words="blanks",
        by_blanks=True,
    )
    table = pa.table({schema.TOKENS: pa.array(targets, schema.WORDS_TYPE)})
    found = recipes.project(recipes.run(table, steps, tmp_path), Projector())
    expected = [row[:] for row in LABELS]
    expected[3] = ["B-PER", "O", "B-PER"]  # the tagger knows what the gold labels above leave out
    assert found.column("labels").to_pylist() == expected
    assert found.column(schema.PIVOT_TOKENS if refined else schema.SOURCE_TOKENS).to_pylist() == SOURCE


def test_a_fitted_aligner_is_known_by_its_content(tmp_path: Path) -> None:
    english, german = (sample.load(language).column("tokens") for language in ("en", "de"))
    table = pa.table({schema.SOURCE_TOKENS: english, schema.TOKENS: german})
    one, same, other = (Aligner.fit(english[:rows], german[:rows]) for rows in (100, 100, 170))
    keys = [recipes.alignment_step(aligner).key for aligner in (one, same, other)]
    assert keys[0] == keys[1] != keys[2]
    assert (
        recipes.run(table, [recipes.alignment_step(one)], tmp_path).column("links").to_pylist()
        == one.align(english, german).to_pylist()
    )


def test_languages_are_checked_at_once() -> None:
    with pytest.raises(Error, match="language 'Klingon' is unknown"):
        recipes.Direction(Dictionary({}), "en", "Klingon")  # type: ignore[arg-type]  # a stand-in
