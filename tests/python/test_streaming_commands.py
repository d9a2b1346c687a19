"""Commands that read, work and write piece by piece: the same bytes, words and errors as of files read as a whole."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from command_line import done, xner
from xner import io, schema
from xner._support.arrow import pylist
from xner.alignment import Aligner, _fitting
from xner.evaluation.entities import evaluate
from xner.evaluation.files import LabelledFile
from xner.filters.stage import Filters
from xner.io import sample
from xner.pipelines import runner
from xner.pipelines.checkpoints import checkpoints
from xner.translation.stages import TargetTranslation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


ROWS = 50
PIECE = 13


@pytest.fixture(scope="module")
def projected(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """Projected sentences with gold labels."""
    folder = tmp_path_factory.mktemp("projected")
    done(xner("project", *sides(folder, ("conll", "conll")), "-o", "out.parquet", cwd=folder))
    return io.read(folder / "out.parquet")


def both_ways(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str, output: str = "", piece: int = PIECE
) -> tuple[Any, ...]:
    """What a command ends with, which is the same piece by piece as of the whole: status, what it says, the output."""
    read = runner.run_read
    found = []
    for in_pieces in (True, False):
        ways: list[bool] = []

        def watched(
            pieces: Any, whole: Any, run: Any, *, ways: list[bool] = ways, in_pieces: bool = in_pieces, **how: Any
        ) -> Any:
            def noting(rows: Any, is_whole: bool) -> Any:
                ways.append(is_whole)
                return run(rows, is_whole)

            return read(pieces if in_pieces else None, whole, noting, **how)

        with monkeypatch.context() as patch:
            patch.setattr(runner, "PIECE_ROWS", piece)
            patch.setattr(runner, "run_read", watched)
            run = xner(*arguments, cwd=folder)
        assert set(ways) <= {not in_pieces}
        assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]
        written = folder / output
        found.append((run.returncode, run.stdout, run.stderr, written.read_bytes() if written.is_file() else None))
        if output:
            written.unlink(missing_ok=True)
    assert found[0] == found[1]
    return found[0]


def scored_both_ways(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    """What `xner evaluate` says, which is the same piece by piece as of whole files."""
    found = []
    for in_pieces in (True, False):
        ways: list[bool] = []
        pieces = LabelledFile.pieces

        def watched(
            self: LabelledFile, classes: set[str], *, is_whole: bool, ways: list[bool] = ways, read: Any = pieces
        ) -> Any:
            ways.append(is_whole)
            return read(self, classes, is_whole=is_whole)

        with monkeypatch.context() as patch:
            patch.setattr("xner.evaluation.files.PIECE_ROWS", PIECE)
            patch.setattr(LabelledFile, "pieces", watched)
            if not in_pieces:
                patch.setattr(LabelledFile, "reads_pieces", False)
            run = xner("evaluate", *arguments, cwd=folder)
        assert set(ways) == {not in_pieces}
        found.append((run.returncode, run.stdout, run.stderr))
    assert found[0] == found[1]
    return found[0]


def with_row(table: pa.Table, name: str, row: int, value: Any) -> pa.Table:
    rows = pylist(table[name])
    rows[row] = value
    return table.set_column(table.schema.names.index(name), name, pa.array(rows, table[name].type))


KINDS = ("parquet", "arrow", "jsonl")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", ["parquet", "arrow", "jsonl.gz", "conll"])
def test_filters(projected: pa.Table, kind: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    io.write(projected, tmp_path / f"in.{kind}")
    output = f"out.{suffix}"
    command = ("filter", f"in.{kind}", "--filter", "length-ratio=0.9", "--filter", "min-score=0.6:row", "-o", output)
    status, _, said, content = both_ways(tmp_path, monkeypatch, *command, output=output)
    assert not status
    assert content
    assert re.search(r"^length-ratio +[1-9]", said, re.MULTILINE)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_rows_of_what_is_filtered(
    projected: pa.Table, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = [{"label": "LOC", "source": 99, "start": 0, "end": 1, "score": None, "margin": None}]
    table = with_row(projected.drop_columns(["labels"]), "entities", 33, wrong)
    io.write(table, tmp_path / f"in.{kind}")
    command = ("filter", f"in.{kind}", "--filter", "one-word", "-o", "out.jsonl")
    status, _, said, content = both_ways(tmp_path, monkeypatch, *command, output="out.jsonl")
    assert (status, content) == (1, None)
    assert "row 33" in said
    assert "no such source entity" in said
    longer = [*projected["labels"][40].as_py(), "O"]
    io.write(with_row(with_row(projected, "entities", 33, wrong), "labels", 40, longer), tmp_path / f"in.{kind}")
    status, _, said, content = both_ways(tmp_path, monkeypatch, *command, output="out.jsonl")
    assert (status, content) == (1, None)
    assert "row 40" in said


def test_filtering_goes_on_after_it_was_stopped(
    projected: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    io.write(projected, tmp_path / "in.parquet")
    command = ("filter", "in.parquet", "--filter", "one-word:row", "-o", "out.conll")
    expected = both_ways(tmp_path, monkeypatch, *command, output="out.conll")
    seen: list[str] = []
    filtered = Filters._filter

    def some(self: Filters, rows: pa.RecordBatch) -> pa.RecordBatch:
        seen.append(rows["id"][0].as_py())
        if len(seen) == 3:
            raise OSError(28, "the disk is full")
        return filtered(self, rows)

    monkeypatch.setattr(runner, "PIECE_ROWS", PIECE)
    monkeypatch.setattr(Filters, "_filter", some)
    assert xner(*command, cwd=tmp_path).returncode
    run = xner(*command, cwd=tmp_path)
    assert (run.returncode, run.stdout, run.stderr, (tmp_path / "out.conll").read_bytes()) == expected
    assert seen == [projected["id"][row].as_py() for row in (0, 13, 26, 26, 39)]


def some_links(rows: int, step: int) -> pa.Table:
    found = [[{"source": n, "target": n, "score": n / 8} for n in range(0, row % 7, step)] for row in range(rows)]
    return pa.table({"links": pa.array(found, schema.LINKS_TYPE)})


@pytest.mark.parametrize("kind", ["pharaoh", *KINDS])
def test_links_are_combined(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, step in (("a", 1), ("b", 2)):
        io.write(some_links(ROWS, step), tmp_path / f"{name}.{kind}")
    output = f"out.{kind}"
    command = ("links", "combine", f"a.{kind}", f"b.{kind}", "--method", "mean", "--threshold", "0.1", "-o", output)
    status, _, said, content = both_ways(tmp_path, monkeypatch, *command, output=output)
    assert not status
    assert content
    assert re.search(rf"^\d+ links out of \d+ of a.{kind}, \d+ of b.{kind}; written", said)


@pytest.mark.parametrize("kind", ["pharaoh", "parquet"])
@pytest.mark.parametrize(("rows", "hint"), [(ROWS - 14, False), (ROWS - 1, False), (ROWS + 20, False), (ROWS, True)])
def test_links_of_other_numbers_of_rows(
    rows: int, hint: bool, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    io.write(some_links(ROWS, 1), tmp_path / f"a.{kind}")
    other = some_links(rows, 2)
    if hint:
        other = pa.concat_tables([other, pa.table({"links": pa.array([[]] * 15, schema.LINKS_TYPE)})])
    io.write(other, tmp_path / f"b.{kind}")
    command = ("links", "combine", f"a.{kind}", f"b.{kind}", "-o", "out.pharaoh")
    status, _, said, _ = both_ways(tmp_path, monkeypatch, *command, output="out.pharaoh")
    assert status == 1
    assert f"has links for {other.num_rows} sentence pairs but there are {ROWS}" in said
    assert ("`head -n" in said) == hint


def sides(folder: Path, kinds: Sequence[str] = ("conll", "txt.gz"), rows: Sequence[int] = (ROWS, ROWS)) -> list[str]:
    """English and German files, as options."""
    names = [f"{language}.{kind}" for language, kind in zip(("en", "de"), kinds, strict=True)]
    for name, count in zip(names, rows, strict=True):
        io.write(sample.load(name[:2]).slice(0, count), folder / name)
    return ["--source", names[0], "--target", names[1]]


@pytest.mark.parametrize(
    ("kinds", "output"),
    [(("conll", "txt.gz"), "out.pharaoh"), (("parquet", "jsonl"), "out.parquet"), (("arrow", "arrow"), "out.jsonl")],
)
def test_a_saved_aligner_links(
    kinds: tuple[str, str], output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sides(tmp_path, kinds)
    done(xner("align", *files, "--save-aligner", "m.safetensors", "-o", "fitted.pharaoh", cwd=tmp_path))
    command = ("align", *files, "--aligner-model", "m.safetensors", "-o", output)
    status, _, said, content = both_ways(tmp_path, monkeypatch, *command, output=output)
    assert not status
    assert said.startswith(f"{ROWS} sentence pairs, ")
    assert content
    if output == "out.pharaoh":
        assert content == (tmp_path / "fitted.pharaoh").read_bytes()


def test_an_aligner_is_fitted_on_what_is_read_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("align", *sides(tmp_path), "--save-aligner", "m.safetensors", "-o", "out.pharaoh")
    status, _, said, content = both_ways(tmp_path, monkeypatch, *command, output="out.pharaoh")
    assert not status
    assert said.startswith(f"{ROWS} sentence pairs, ")
    assert content


def test_an_aligner_is_fitted_in_blocks_of_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("align", *sides(tmp_path), "--save-aligner", "m.safetensors", "-o", "out.pharaoh")
    rows: list[int] = []
    fit = Aligner.fit_batches

    def counted(batches: Any, **how: Any) -> Aligner:
        def counting() -> Iterator[pa.Table]:
            for batch in batches:
                rows.append(batch.num_rows)
                yield batch

        return fit(counting(), **how)

    monkeypatch.setattr(Aligner, "fit_batches", counted)
    monkeypatch.setattr(runner, "PIECE_ROWS", PIECE)
    monkeypatch.setattr("xner.cli.commands.align.PIECE_ROWS", PIECE)
    monkeypatch.setattr(_fitting, "_SHARE_OF_A_BLOCK", 0.01)  # as the least memory is enough for these
    run = done(xner(*command, "--aligner-memory", "10MB", cwd=tmp_path))
    assert rows == [13, 13, 13, 11]
    blocks = Aligner.load(tmp_path / "m.safetensors").trained_on.blocks
    assert blocks > 1
    assert f"the aligner was fitted in {blocks} blocks" in run.stderr


@pytest.mark.parametrize("rows", [(ROWS, 30), (30, ROWS), (ROWS, ROWS - 1)])
def test_sides_of_other_lengths(rows: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = sides(tmp_path, rows=rows)
    done(xner("align", *sides(tmp_path), "--save-aligner", "m.safetensors", "-o", "fitted.pharaoh", cwd=tmp_path))
    sides(tmp_path, rows=rows)
    command = ("align", *files, "--aligner-model", "m.safetensors", "-o", "out.pharaoh")
    status, _, said, content = both_ways(tmp_path, monkeypatch, *command, output="out.pharaoh")
    assert (status, content) == (1, None)
    assert f"'en.conll' has {rows[0]} rows but 'de.txt.gz' has {rows[1]}; first suspicious row" in said


@pytest.mark.needs("models")
def test_an_encoder_links_and_goes_on(tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from xner.models.aligners.encoder_aligner import EncoderAligner

    command = ("align", *sides(tmp_path), "--aligner", "simalign-mbert", "--aligner-model", str(tiny_bert))
    command = (*command, "--layer", "2", "--aligner-device", "cpu", "-o", "out.parquet")
    monkeypatch.setattr("xner.pipelines.aligning.MODEL_PART_ROWS", 10)
    expected = both_ways(tmp_path, monkeypatch, *command, output="out.parquet", piece=26)
    assert not expected[0]
    aligned = EncoderAligner.align_batch
    seen: list[int] = []

    def some(self: EncoderAligner, source: pa.Array[Any], *rest: Any, **options: Any) -> pa.RecordBatch:
        seen.append(len(source))
        if len(seen) == 4:
            raise OSError(28, "the disk is full")
        return aligned(self, source, *rest, **options)

    monkeypatch.setattr(EncoderAligner, "align_batch", some)
    monkeypatch.setattr(runner, "PIECE_ROWS", 26)
    assert xner(*command, cwd=tmp_path).returncode
    run = xner(*command, cwd=tmp_path)
    assert (run.returncode, run.stdout, run.stderr, (tmp_path / "out.parquet").read_bytes()) == expected
    assert seen == [10, 10, 10, 10, 10, 10]  # a part of the second piece failed, and what was done before stayed


@pytest.mark.parametrize("kind", ["conll", *KINDS])
def test_scores(projected: pa.Table, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gold = sample.load("de").slice(0, ROWS)
    other = with_row(projected, "labels", 20, ["O"] * len(projected["labels"][20]))
    for name, table in (("gold", gold), ("found", projected.select(["id", "tokens", "labels"])), ("other", other)):
        io.write(table, tmp_path / f"{name}.{kind}")
    files = ("--gold", f"gold.{kind}", "--predicted", f"found.{kind}")
    status, figures, _ = scored_both_ways(tmp_path, monkeypatch, *files, "--baseline", f"other.{kind}", "--json")
    assert not status
    scores = json.loads(figures)
    expected = evaluate(gold["labels"], projected["labels"])
    assert {name: scores[name] for name in expected.to_dict()} == expected.to_dict()
    status, figures, _ = scored_both_ways(
        tmp_path, monkeypatch, *files, "--ignore", "PER", "--bootstrap", "0", "--json"
    )
    expected = evaluate(gold["labels"], projected["labels"], ignore=["PER"])
    assert json.loads(figures) == expected.to_dict()
    status, figures, _ = scored_both_ways(tmp_path, monkeypatch, *files, "--class-map", "PER=HUMAN")
    assert not status
    assert "HUMAN" in figures
    if kind != "conll":
        io.write(projected, tmp_path / f"both.{kind}")
        assert "PER" in scored_both_ways(tmp_path, monkeypatch, "--predicted", f"both.{kind}")[1]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"found": "words"}, "the sentences are others"),
        ({"gold": "label"}, "'X-PER'"),
        ({"found": "words", "gold": "label"}, "'X-PER'"),
        ({"found": "words", "other": "label"}, "the sentences are others"),
        ({"found": "fewer", "other": "label"}, "'gold.jsonl' has 50 rows but 'found.jsonl' has 45"),
        ({"other": "fewer"}, "'gold.jsonl' has 50 rows but 'other.jsonl' has 45"),
        ({"found": "unlabelled"}, "'found.jsonl' has no column 'labels'"),
        ({"other": "unlabelled", "found": "words"}, "the sentences are others"),
    ],
)
def test_what_cannot_be_scored(
    wrong: dict[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("gold", "found", "other"):
        table = sample.load("de").slice(0, ROWS)
        kind = wrong.get(name)
        if kind == "words":
            table = with_row(table, "tokens", 41, ["x"] * len(table["tokens"][41]))
        elif kind == "label":
            table = with_row(table, "labels", 30, ["X-PER"] * len(table["tokens"][30]))
        elif kind == "fewer":
            table = pa.concat_tables([table.slice(0, 20), table.slice(25)])
        elif kind == "unlabelled":
            table = table.drop_columns(["labels"])
        io.write(table, tmp_path / f"{name}.jsonl")
    command = ("--gold", "gold.jsonl", "--predicted", "found.jsonl", "--baseline", "other.jsonl")
    status, _, error = scored_both_ways(tmp_path, monkeypatch, *command)
    assert status == 1
    assert said in error
    if said.startswith("the sentences"):
        assert "row 41" in error


TAGGED = ["Angela Merkel visited Madrid .", "", "a walker", "Madrid", "Merkel saw Angela"]
TAGS = ["B-PER I-PER O B-LOC O", "", "O B-PER", "B-DATE", "O O B-PER"]


@pytest.mark.needs("models")
@pytest.mark.parametrize("output", ["out.conll", "out.parquet", "out.jsonl"])
def test_a_tagger_tags_and_goes_on(output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tiny_models
    from xner.models.taggers import TaggerStage

    known = {"Angela": "B-PER", "Merkel": "I-PER", "Madrid": "B-LOC", "a": "B-MISC"}
    model = str(tiny_models.save_tagger(tmp_path / "model", ["O", *known.values()], known=known))
    rows = [[line.split() for line in lines] * 6 for lines in (TAGGED, TAGS)]
    columns = dict(zip(("tokens", "labels"), rows, strict=True))
    io.write(pa.table({name: pa.array(one, schema.WORDS_TYPE) for name, one in columns.items()}), tmp_path / "in.jsonl")
    monkeypatch.setattr(runner, "MODEL_PART_ROWS", 4)
    command = ("tag", "in.jsonl", "--model", model, "--device", "cpu", "--ignore-class", "MISC", "-o", output)
    expected = both_ways(tmp_path, monkeypatch, *command, output=output, piece=10)
    assert not expected[0]
    (tmp_path / f"expected-{output}").write_bytes(expected[3])
    found = io.read(tmp_path / f"expected-{output}")["labels"]
    scores = evaluate(rows[1], pylist(found), ignore=["MISC"])
    assert expected[1] == f"{scores.table()}\n"
    tag = TaggerStage._tag
    seen: list[int] = []

    def some(self: TaggerStage, batch: pa.RecordBatch, *rest: Any) -> pa.RecordBatch:
        seen.append(batch.num_rows)
        if len(seen) == 4:
            raise OSError(28, "the disk is full")
        return tag(self, batch, *rest)

    monkeypatch.setattr(TaggerStage, "_tag", some)
    monkeypatch.setattr(runner, "PIECE_ROWS", 10)
    assert xner(*command, cwd=tmp_path).returncode
    run = xner(*command, cwd=tmp_path)
    assert (run.returncode, run.stdout, run.stderr, (tmp_path / output).read_bytes()) == expected
    assert seen == [4, 4, 4, 4, 4, 4, 4, 4, 2]


def test_nothing_is_kept_beside_a_device() -> None:
    for _ in range(2):
        with checkpoints("/dev/null", "key") as kept:
            assert kept.folder.parent != Path("/dev")
            assert list(kept.folder.iterdir()) == []
            kept.path("part").write_text("x")
    assert not kept.folder.exists()


def test_an_empty_file_among_shards(tmp_path: Path) -> None:
    for kind in ("en", "de", "links"):
        (tmp_path / kind).mkdir()
    for number, rows in enumerate((5, 0, 4)):
        for language in ("en", "de"):
            io.write(sample.load(language).slice(0, rows), tmp_path / language / f"{number}.parquet")
        (tmp_path / "links" / f"{number}.pharaoh").write_text("0-0\n" * rows, encoding="utf-8")
    command = ("project", "--source", "en", "--target", "de", "--links", "links")
    for output in ("out.parquet", "out.conll", "out.arrow", "out.jsonl"):
        done(xner(*command, "-o", output, cwd=tmp_path))
        assert io.read(tmp_path / output).num_rows == 9


SPELLER = """import sys
for line in sys.stdin:
    words = line.split()
    print(" ".join(word[::-1] if word.isalpha() else word for word in words) if len(words) % 7 else "")
"""


@pytest.fixture
def speller(tmp_path: Path) -> str:
    """A translator that spells words backwards, leaves markers whole, and says nothing to every seventh length."""
    (tmp_path / "speller.py").write_text(SPELLER, encoding="utf-8")
    return f"command:{sys.executable} -S speller.py"


@pytest.mark.needs("words")
@pytest.mark.parametrize(
    ("kind", "output", "more"),
    [
        ("txt", "out.txt", ()),
        ("conll", "out.parquet", ("--keep-bad",)),
        ("jsonl", "out.jsonl.gz", ("--markers", "brackets")),
        ("parquet", "out.conll", ("--markers", "tags")),
        ("arrow", "out.arrow", ("--markers", "auto")),
        ("conll", "out.conll", ("--markers", "auto")),
    ],
)
def test_translates(
    kind: str, output: str, more: tuple[str, ...], speller: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    io.write(sample.load("en").slice(0, ROWS), tmp_path / f"en.{kind}")
    languages = ("--source-language", "en", "--target-language", "de")
    command: tuple[str, ...] = (
        "translate",
        "--source",
        f"en.{kind}",
        *languages,
        "--model",
        speller,
        "--cache",
        "cache.sqlite",
    )
    command = (*command, *more, "-o", output)
    status, _, said, content = both_ways(tmp_path, monkeypatch, *command, output=output)
    assert not status, said
    assert content
    assert f"{ROWS} sentences: " in said
    assert re.search(r"^  empty: the model said nothing; rows \d+", said, re.MULTILINE)
    assert ("sentences with markers" in said) == bool("--markers" in more)
    expected = said, content
    with monkeypatch.context() as patch:
        patch.setattr(runner, "PIECE_ROWS", ROWS)
        run = done(xner(*command, cwd=tmp_path))
    found = io.read(tmp_path / output) if not output.endswith(".txt") else None
    assert run.stderr == expected[0]
    if found is not None:
        (tmp_path / f"pieces-{output}").write_bytes(content)
        assert io.read(tmp_path / f"pieces-{output}").equals(found)
    else:
        assert (tmp_path / output).read_bytes() == content


@pytest.mark.needs("words")
def test_a_translation_goes_on(speller: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    io.write(sample.load("en").slice(0, ROWS), tmp_path / "en.conll")
    languages = ("--source-language", "en", "--target-language", "de")
    command: tuple[str, ...] = (
        "translate",
        "--source",
        "en.conll",
        *languages,
        "--model",
        speller,
        "--markers",
        "tags",
    )
    one = (*command, "--cache", "one.sqlite", "-o", "out.conll")
    expected = both_ways(tmp_path, monkeypatch, *one, output="out.conll")
    seen: list[int] = []
    translated = TargetTranslation._translate

    def some(self: TargetTranslation, rows: pa.RecordBatch, *rest: Any) -> pa.RecordBatch:
        seen.append(rows.num_rows)
        if len(seen) == 3:
            raise OSError(28, "the disk is full")
        return translated(self, rows, *rest)

    monkeypatch.setattr(runner, "PIECE_ROWS", PIECE)
    monkeypatch.setattr(TargetTranslation, "_translate", some)
    command = (*command, "--cache", "two.sqlite", "-o", "out.conll")  # which has nothing yet
    assert xner(*command, cwd=tmp_path).returncode
    run = xner(*command, cwd=tmp_path)
    assert (run.returncode, run.stdout, run.stderr, (tmp_path / "out.conll").read_bytes()) == expected
    assert seen == [13, 13, 13, 13, 11]


@pytest.mark.parametrize(("row", "wrong", "place"), [(30, "X-PER", "row 30"), (49, None, "line 50")])
def test_wrong_rows_of_what_is_translated(
    row: int, wrong: str | None, place: str, speller: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = sample.load("en").slice(0, ROWS)
    io.write(with_row(table, "labels", row, [wrong] * len(table["labels"][row])), tmp_path / "en.jsonl")
    languages = ("--source-language", "en", "--target-language", "de")
    command: tuple[str, ...] = (
        "translate",
        "--source",
        "en.jsonl",
        *languages,
        "--model",
        speller,
        "--markers",
        "tags",
    )
    command = (*command, "--cache", "cache.sqlite", "-o", "out.jsonl")
    status, _, said, content = both_ways(tmp_path, monkeypatch, *command, output="out.jsonl")
    assert (status, content) == (1, None)
    assert place in said


@pytest.mark.needs("models")
@pytest.mark.parametrize(
    ("kind", "output"), [("conll", "out.parquet"), pytest.param("parquet", "out.jsonl", marks=pytest.mark.slow)]
)
def test_a_translation_model_scores_and_goes_on(
    kind: str, output: str, outspoken_nllb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xner.models.scorers.nmt_stage import NmtStage

    files = sides(tmp_path, (kind, kind), (6, 6))
    (tmp_path / "links.pharaoh").write_text("0-0 1-1\n" * 6, encoding="utf-8")
    monkeypatch.setattr("xner.cli.commands.score._PART_ROWS", 2)
    model = ("--model", str(outspoken_nllb), "--device", "cpu", "--source-language", "en", "--target-language", "de")
    command = ("score", "nmt", *files, "--links", "links.pharaoh", *model, "-o", output, "--cache")
    done(xner(*command, "warm.sqlite", cwd=tmp_path))
    (tmp_path / output).unlink()
    expected = both_ways(tmp_path, monkeypatch, *command, "warm.sqlite", output=output, piece=4)
    assert not expected[0]
    assert re.search(r"^6 sentences, [1-9]\d* pairs", expected[2], re.MULTILINE)
    scored = NmtStage._score
    seen: list[int] = []

    def some(self: NmtStage, batch: pa.RecordBatch, *rest: Any) -> pa.RecordBatch:
        seen.append(batch.num_rows)
        if len(seen) == 3:
            raise OSError(28, "the disk is full")
        return scored(self, batch, *rest)

    monkeypatch.setattr(NmtStage, "_score", some)
    monkeypatch.setattr(runner, "PIECE_ROWS", 4)
    assert xner(*command, "warm.sqlite", cwd=tmp_path).returncode
    run = xner(*command, "warm.sqlite", cwd=tmp_path)
    assert (run.returncode, run.stdout, run.stderr, (tmp_path / output).read_bytes()) == expected
    assert seen == [2, 2, 2, 2]


@pytest.mark.needs("models")
def test_links_from_1_are_told_where_scores_are_made(
    outspoken_nllb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sides(tmp_path, rows=(10, 10))
    words = zip(*(pylist(sample.load(name)["tokens"]) for name in ("en", "de")), strict=True)
    last = [f"{len(one)}-{len(other)}\n" for one, other in words][:10]
    (tmp_path / "links.pharaoh").write_text("".join(last), encoding="utf-8")
    model = ("--model", str(outspoken_nllb), "--device", "cpu", "--source-language", "en", "--target-language", "de")
    command = ("score", "nmt", *files, "--links", "links.pharaoh", *model, "--cache", "c.sqlite", "-o", "out.jsonl")
    status, _, said, content = both_ways(tmp_path, monkeypatch, *command, output="out.jsonl", piece=4)
    assert (status, content) == (1, None)
    assert "--one-based reads words counted from 1" in said
