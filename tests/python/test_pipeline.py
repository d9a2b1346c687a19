"""`xner.Pipeline`: what `xner project` does, from Python."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import xner
from command_line import done
from command_line import xner as run_xner
from xner import io
from xner._support.arrow import with_columns
from xner._support.options import Choice, Flag, Many, Number, OrAuto, Whole, declared
from xner._support.progress import silent
from xner.errors import DataError, Error
from xner.io import sample
from xner.pipelines import runner
from xner.pipelines.aligning import AligningOptions
from xner.pipelines.checkpoints import checkpoints
from xner.pipelines.projection_run import Pipeline
from xner.pipelines.run_options import PARTS, RunOptions
from xner.pipelines.tagging import TaggingOptions
from xner.pipelines.translating import TranslatingOptions
from xner.projection.options import ProjectionOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from xner._support.options import Declared


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for language in ("en", "de"):
        io.write(sample.load(language).slice(0, 60), tmp_path / f"{language}.conll")
    return tmp_path


def test_identity_tells_what_decides_a_result(files: Path) -> None:
    table = xner.read_pairs(files / "en.conll", files / "de.conll")
    links: Any = pa.chunked_array([pa.array([[{"source": 0, "target": 0}]] * table.num_rows)])
    pipeline = Pipeline(matcher="greedy", threads=1)
    first = pipeline.identity(table)
    assert first == Pipeline(matcher="greedy", threads=2).identity(table)
    assert first == pipeline.identity(table.combine_chunks().replace_schema_metadata({"a": "b"}))
    others = [
        Pipeline().identity(table),
        Pipeline(matcher="greedy", memory=False).identity(table),
        pipeline.identity(table.slice(1)),
        pipeline.identity(table, links=[links]),
        pipeline.identity(table, links=[links, links]),
    ]
    assert len({first, *others}) == 6
    with pytest.raises(Error, match="source_entities"):
        pipeline.identity(table.drop_columns(["source_entities"]))
    assert pipeline.has_costly_steps(has_links=False)
    assert not pipeline.has_costly_steps(has_links=True)
    assert Pipeline(aligner="builtin").has_costly_steps(has_links=True)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"matcher": "greedy", "max_words": 4, "stop_words": ["."]},
        {"method": "heuristic", "compat": "politov2025"},
        {"score": {"align": 1.0, "characters": 0.5}, "filters": ["one-word", "class-counts:row"], "memory": False},
        {"decode": "viterbi", "symmetrization": "intersect", "drop_rows": True, "filters": ["min-margin=0.1"]},
    ],
)
@pytest.mark.parametrize("suffix", ["parquet", "conll"])
def test_the_same_bytes_as_the_command(files: Path, options: dict[str, Any], suffix: str) -> None:
    given = []
    for name, value in options.items():
        flag = "--filter" if name == "filters" else "--" + name.replace("_", "-")
        if isinstance(value, bool):
            given.append(flag if value else f"--no-{flag[2:]}")
        elif isinstance(value, dict):
            given += [flag, ",".join(f"{one}={weight}" for one, weight in value.items())]
        else:
            for one in value if isinstance(value, list) else [value]:
                given += [flag, str(one)]
    command = ("project", "--source", "en.conll", "--target", "de.conll", *given)
    said = done(run_xner(*command, "-o", f"a.{suffix}", cwd=files)).stderr
    pipeline = Pipeline(**options)
    run = pipeline.run(xner.read_pairs(files / "en.conll", files / "de.conll"), files / f"b.{suffix}")
    assert (files / f"a.{suffix}").read_bytes() == (files / f"b.{suffix}").read_bytes()
    assert run.signature in said
    scheme, *others = said.splitlines()
    assert scheme == "en.conll: IOB2: LOC, MISC, ORG, PER"
    assert str(run).replace("b.", "a.").splitlines()[:3] == others[:3]
    again = Pipeline.from_dict(pipeline.to_dict())
    assert again.signature == pipeline.signature
    again.run(xner.read_pairs(files / "en.conll", files / "de.conll"), files / f"c.{suffix}")
    assert (files / f"b.{suffix}").read_bytes() == (files / f"c.{suffix}").read_bytes()


@pytest.mark.parametrize("is_nested", [False, True])
def test_wrong_rows_are_skipped_with_the_memory(files: Path, *, is_nested: bool) -> None:
    options: Any = {"memory": True, "on_error": "skip", **({"nested": "keep"} if is_nested else {})}
    table = xner.read_pairs(files / "en.conll", files / "de.conll")
    sound = Pipeline(memory=True).run(table, progress=silent).table
    assert sound.schema.names.index("entities") > sound.schema.names.index("hints")
    spans = table.column("source_entities").to_pylist()
    rows = [0, 17, 59]
    for row in rows:
        spans[row] = [{"start": 400, "end": 402, "label": "PER"}]
    wrong = with_columns(table, {"source_entities": pa.array(spans, table.schema.field("source_entities").type)})
    with pytest.raises(DataError, match=r"column 'source_entities', value \[400, 402\)"):
        Pipeline(memory=True).run(wrong, progress=silent)
    linked = {"links": sound.column("links")}
    found = Pipeline(**options).run(with_columns(wrong, linked), progress=silent).table
    assert [row for row, one in enumerate(found.column("status").to_pylist()) if one == "invalid"] == rows
    rest = [row for row in range(table.num_rows) if row not in rows]
    left = Pipeline(memory=True).run(with_columns(table, linked).take(rest), progress=silent).table
    assert found.take(rest).select(left.schema.names).equals(left)


def test_in_memory(files: Path) -> None:
    table = xner.read_pairs(files / "en.conll", files / "de.conll")
    pipeline = Pipeline()
    found = pipeline(table)
    assert found.num_rows == table.num_rows
    assert found.column("labels").to_pylist() == pipeline.run(table, files / "out.arrow").table["labels"].to_pylist()
    scores = xner.evaluate(found["gold_labels"], found["labels"])
    assert scores.f1 > 0.8
    xner.view(found, files / "out.html")
    assert (files / "out.html").stat().st_size > 10_000


def test_links_of_the_table_are_taken(files: Path) -> None:
    table = xner.read_pairs(files / "en.conll", files / "de.conll")
    linked = table.append_column("links", pa.array([[] for _ in range(table.num_rows)], xner.schema.LINKS_TYPE))
    assert not any(Pipeline()(linked)["entities"].to_pylist())
    both = Pipeline(aligner=["builtin"])(linked)
    assert both["labels"].to_pylist() == Pipeline()(table)["labels"].to_pylist()


def test_a_pipeline_says_what_it_is() -> None:
    pipeline = Pipeline(matcher="greedy", filters=["one-word"], score={"align": 1})
    assert repr(pipeline) == "Pipeline(score={'align': 1}, matcher='greedy', filters=['one-word'])"
    for other in (copy.deepcopy(pipeline), pickle.loads(pickle.dumps(pipeline))):
        assert other.signature == pipeline.signature


# -- every option --------------------------------------------------------------------------------------------


def others(its: Declared) -> Iterator[Any]:
    """Values of an option other than its default."""
    kind = its.kind
    if isinstance(kind, Choice):
        yield from (name for name in kind.names if name != its.default)
    elif isinstance(kind, Whole):
        yield (its.default or kind.least) + 1
    elif isinstance(kind, Number):
        yield 0.5 if its.default != 0.5 else 0.25
    elif isinstance(kind, OrAuto):
        yield from (0.25, "auto")
    elif isinstance(kind, Flag):
        yield not its.default
    elif isinstance(kind, Many) and isinstance(kind.each, Choice):
        yield [kind.each.names[0]]
    else:
        values: dict[str, list[Any]] = {
            "score": ["align_characters", {"align": 2}],
            "stop_words": [["x"], []],
            "ner_labels": [["O", "B-X", "I-X"]],
            "filters": [["one-word"]],
            "class_map": [["A=B"]],
            "ignore_class": [["A"]],
            "aligner_model": [["labse=other"]],
            "aligner_memory": ["1GB"],
            "names_memory": ["1GB"],
            "lexicon": [["other.tsv"]],
            "base_url": ["http://other/v1"],
        }
        yield from values.get(its.name, ["other"])


# What lets an option apply, where the defaults do not.
BESIDE: dict[str, dict[str, Any]] = {
    **{
        key: {"method": "heuristic"}
        for key in ("length_ratio_threshold", "merge_distance", "policy", "top_k", "only_i")
    },
    "top_k_order": {"method": "heuristic", "top_k": 2},
    **{key: {"score": "ner"} for key in ("ner_labels", "ner_alpha", "ner_threshold")},
    "character_threshold": {"score": "align_characters"},
    "address": {"engine": "ray"},
    "symmetrization": {"decode": "viterbi"},
    "drop_rows": {"filters": ["one-word"]},
    "broken_markers": {"markers": "tags"},
    **{
        key: {"aligner": ["labse"]}
        for key in (
            "aligner_model",
            "layer",
            "extraction",
            "aligner_device",
            "aligner_engine",
            "aligner_dtype",
            "aligner_token_budget",
            "aligner_compile",
        )
    },
    **{key: {"tagger": "m"} for key in ("class_map", "ignore_class", "tagger_device")},
    **{key: {"tagger": "gliner:m", "classes": ["person"]} for key in ("classes", "tagger_threshold")},
    **{
        name: {"translator": "m"} for name in declared(TranslatingOptions) if name not in {"translator", "translations"}
    },
    "base_url": {"translator": "openai:m"},
    "translator_timeout": {"translator": "openai:m"},
    "translate_to": {"translator": "m"},
}
CHANGES_NOTHING = {"threads", "engine", "address", "names_memory"}


def applying() -> Iterator[tuple[str, Any]]:
    for part in PARTS:
        for name, its in declared(part).items():
            yield from ((name, value) for value in others(its))


def parts_of(options: dict[str, Any]) -> tuple[Any, ...]:
    pipeline = Pipeline(**options)
    return (pipeline.projection, pipeline.running, pipeline.aligning, pipeline.tagging, pipeline.translating)


@pytest.mark.parametrize(("name", "value"), list(applying()))
def test_another_value_is_another_signature_or_an_error(name: str, value: Any) -> None:
    beside = BESIDE.get(name, {})
    before = Pipeline(**beside).signature
    try:
        after = Pipeline(**{**beside, name: value}).signature
    except Error:
        # Another method, say, beside which an option says nothing: it is refused rather than passed over.
        assert beside or name in {"n", "constraint", "memory", "ties", "min_words"}, (name, value)
        return
    its = next(declared(part)[name] for part in PARTS if name in declared(part))
    # What the default stands for is no other value.
    is_default = value == next(its.resolved(one) for one in parts_of(beside) if name in declared(type(one)))
    assert (after == before) == (is_default or name in CHANGES_NOTHING)


@pytest.mark.parametrize("name", [name for name in BESIDE if name != "translate_to"])
def test_an_option_that_says_nothing_is_an_error(name: str) -> None:
    its = next(declared(part)[name] for part in PARTS if name in declared(part))
    for value in others(its):
        with pytest.raises(Error, match=f"{name}"):
            Pipeline(**{name: value})


def test_no_two_parts_have_an_option_of_one_name() -> None:
    names = [name for part in PARTS for name in declared(part)]
    assert len(set(names)) == len(names)
    assert {part.__name__ for part in PARTS} == {
        one.__name__ for one in (ProjectionOptions, RunOptions, AligningOptions, TaggingOptions, TranslatingOptions)
    }


def test_every_option_is_one_of_the_command(files: Path) -> None:
    said = done(run_xner("project", "--help", cwd=files)).stdout
    for part in PARTS:
        for name in declared(part):
            flag = "--filter" if name == "filters" else "--" + name.replace("_", "-")
            assert f"{flag} " in said.replace(",", " ").replace("/", " ") or f"{flag}\n" in said, name


# -- wrong use -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mtacher": "exact"}, "unknown option 'mtacher'; did you mean 'matcher'?"),
        ({"translate_to": "yo"}, "translate_to needs `translator`, the translation model, or `trans"),
        ({"memory": True, "method": "heuristic"}, "memory goes with method='candidates'"),
        ({"filters": ["one-wrod"]}, "did you mean 'one-word'"),
        ({"aligner": "gpt"}, "aligner='gpt': expected one of 'builtin'"),
        ({"threshold": 1.0}, "threshold=1.0: expected a number from 0 on and below 1, or 'auto', or None"),
        ({"class_map": "A", "tagger": "m"}, "class_map='A': expected OLD=NEW"),
    ],
)
def test_wrong_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Error) as error:
        Pipeline(**options)
    assert message in str(error.value)


def test_wrong_tables(files: Path) -> None:
    table = xner.read_pairs(files / "en.conll", files / "de.conll")
    with pytest.raises(Error, match="translate_to makes the target sentences, which the table has already"):
        Pipeline(translate_to="de", translator="m")(table)
    with pytest.raises(Error, match="translator goes with translate_to"):
        Pipeline(translator="m")(table)
    with pytest.raises(Error, match="tagger goes with candidates='given' or a score of ner"):
        Pipeline(tagger="m")(table)
    with pytest.raises(Error, match="cannot tell the format"):
        Pipeline().run(table, files / "out.unknown")


# -- files of options ----------------------------------------------------------------------------------------


def project(files: Path, config: str) -> Any:
    (files / "run.toml").write_text(config, encoding="utf-8")
    return run_xner("project", "--config", "run.toml", "--target", "de.conll", "-o", "out.conll", cwd=files)


def test_a_file_of_options(files: Path) -> None:
    said = done(
        project(
            files,
            'source = "en.conll"\n[projection]\nmatcher = "greedy"\nmax-words = 4\n[filters]\nfilter = "one-word"',
        )
    ).stderr
    assert "|matcher:greedy|" in said
    assert "|max_words:4|" in said
    assert "filter:one-word" in said
    score = done(project(files, 'source = "en.conll"\nscore = {align = 1, characters = 0.5}\nmemory = false')).stderr
    assert "|score:align=1,characters=0.5|" in score


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ('source = "en.conll"\nmtacher = "greedy"', "line 2: there is no option 'mtacher'; did you mean 'matcher'?"),
        ('source = "en.conll"\n\n[a]\nmax_words = "ten"', "line 4: max_words: expected a whole number, found 'ten'"),
        ('source = "en.conll"\nmatcher = "best"', "line 2: matcher: 'best' is not one of 'exact', 'greedy'"),
        ("source = ", "Invalid value"),
    ],
)
def test_bad_files_of_options(files: Path, config: str, message: str) -> None:
    found = project(files, config)
    assert found.returncode == 2
    assert message in " ".join(found.stderr.split())
    assert "run.toml" in found.stderr
    assert not (files / "out.conll").exists()


def test_the_bytes_do_not_depend_on_the_pieces_of_the_input(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "PIECE_ROWS", 16)
    rows = xner.read_pairs(files / "en.conll", files / "de.conll")
    pieces = pa.concat_tables([rows.slice(at, 7) for at in range(0, rows.num_rows, 7)])
    found = [Pipeline(filters=["one-word"]).run(one, files / "o.parquet").table for one in (rows, pieces)]
    written = []
    for suffix in ("parquet", "conll", "jsonl"):
        for name, one in (("whole", rows), ("pieces", pieces)):
            Pipeline(filters=["one-word"], drop_rows=True).run(one, files / f"{name}.{suffix}")
            written.append((files / f"{name}.{suffix}").read_bytes())
        assert written[-1] == written[-2]
    assert found[0].equals(found[1])
    in_memory = Pipeline(filters=["one-word"])(rows)
    assert found[0].equals(in_memory)
    assert io.read(files / "o.parquet").select(in_memory.schema.names).equals(in_memory)


def test_parts_keep_what_the_stage_has_made(tmp_path: Path) -> None:
    table = pa.table({"a": [1, 2, 3, 4, 5], "b": ["x", "y", "z", "x", "y"], "c": [0.5] * 5})

    def stage(batch: pa.RecordBatch) -> pa.RecordBatch:
        made = batch.drop_columns(["c"]).append_column("d", pa.array([len(str(one)) for one in batch["b"].to_pylist()]))
        return made.set_column(
            0, pa.field("a", pa.int64(), metadata={"k": "v"}), pa.array([7 for _ in range(batch.num_rows)])
        )

    with checkpoints(tmp_path / "o.parquet", "key", resume=True) as kept:
        found = runner.run_parts(table, stage, kept, part_rows=2)
        names = {path.name: pa.ipc.open_file(str(path)).schema.names for path in kept.path("x").parent.glob("*.arrow")}
        assert names == {f"part-00000{number}.arrow": ["a", "d"] for number in range(3)}
        again = runner.run_parts(table, lambda batch: pytest.fail("a part was made twice"), kept, part_rows=2)
    assert found.equals(pa.Table.from_batches([stage(table.to_batches()[0])]))
    assert again.schema.equals(found.schema, check_metadata=True)
    assert found.schema.field("a").metadata == {b"k": b"v"}
    assert again.equals(found)
