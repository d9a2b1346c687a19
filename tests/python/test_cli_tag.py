"""`xner tag` as a person meets it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import tiny_models
from command_line import done, xner
from xner import io, schema
from xner._support.arrow import pylist
from xner.cli.main import cli
from xner.errors import Error
from xner.models.taggers import Tagger, TaggerStage

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

LINES = ["Angela Merkel visited Madrid .", "", "a \u200b walker", "Madrid"]
GOLD = [["B-PER", "I-PER", "O", "B-LOC", "O"], [], ["O", "O", "B-PER"], ["B-DATE"]]
KNOWN = {"Angela": "B-PERSON", "Merkel": "I-PERSON", "Madrid": "B-LOC", "a": "B-MISC"}
RENAMED = ("--class-map", "PERSON=PER")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Knows persons, places and more, by their words."""
    return str(tiny_models.save_tagger(tmp_path_factory.mktemp("tagger"), ["O", *KNOWN.values()], known=KNOWN))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "de.txt").write_text("".join(f"{line}\n" for line in LINES))
    columns = {"tokens": [line.split(" ") if line else [] for line in LINES], "labels": GOLD}
    io.write(
        pa.table({name: pa.array(rows, schema.WORDS_TYPE) for name, rows in columns.items()}), tmp_path / "de.conll"
    )
    return tmp_path


def invoke(*arguments: object) -> Result:
    """Within this process, where torch is loaded already."""
    return CliRunner().invoke(cli, [*map(str, arguments)])


def well(result: Result) -> Result:
    assert result.exit_code == 0, result.output + str(result.exception)
    return result


def test_labels(files: Path, model: str) -> None:
    options = ("--device", "cpu", *RENAMED, "--ignore-class", "MISC")
    run = done(xner("tag", "de.txt", "--model", model, *options, "-o", "out.conll", cwd=files))
    assert run.stdout == ""
    assert "\x1b" not in run.stderr, "no progress bars in a pipe"
    assert run.stderr.splitlines()[:5] == [
        "4 sentences: 2 ok, 1 empty, 1 words_without_pieces",
        "  empty: there are no words; rows 1",
        "  words_without_pieces: the tokenizer drops all characters of some words, which are O; rows 2",
        "3 entities: 2 LOC, 1 PER",
        "written to out.conll",
    ]
    assert "classes:PER,LOC|words:first|decoding:argmax" in run.stderr
    written = io.read_conll(files / "out.conll")
    assert [" ".join(words) for words in pylist(written.column("tokens"))] == LINES
    expected = [["B-PER", "I-PER", "O", "B-LOC", "O"], [], ["O"] * 3, ["B-LOC"]]
    assert written.column("labels").to_pylist() == expected
    assert not list(files.glob(".*")), "checkpoints and temporary files are gone"


def test_gold_labels_are_kept_and_scored(files: Path, model: str) -> None:
    options = ("--device", "cpu", *RENAMED, "--ignore-class", "MISC")
    run = well(invoke("tag", files / "de.conll", "--model", model, *options, "-o", files / "out.parquet"))
    assert pq.read_table(files / "out.parquet").column("gold_labels").to_pylist() == GOLD
    evaluated = well(invoke("evaluate", "--predicted", files / "out.parquet", "--bootstrap", 0))
    assert evaluated.stdout.strip() == run.stdout.strip().replace("ignore:MISC", "ignore:none")
    by_class = {line.split()[0]: line.split()[1:] for line in run.stdout.splitlines() if line}
    assert by_class["PER"][:3] == ["1.000", "0.500", "0.667"]
    assert by_class["LOC"][:3] == ["0.500", "1.000", "0.667"]
    assert by_class["DATE"][:3] == ["0.000", "0.000", "0.000"]


def test_source_entities_are_scored_too(files: Path, model: str) -> None:
    command = ("tag", files / "de.conll", "--model", model, "--device", "cpu", *RENAMED, "--ignore-class", "MISC")
    run = well(invoke(*command, "--role", "source", "-o", files / "source.parquet"))
    both = well(invoke(*command, "--role", "labels", "--role", "source", "-o", files / "both.jsonl"))
    assert run.stdout == both.stdout != ""
    assert well(invoke(*command, "--role", "candidates", "-o", files / "spans.parquet")).stdout == ""


def test_from_tags_to_projection(files: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source side's entities, and what the model says of the target side, all from `xner tag`."""
    monkeypatch.chdir(files)
    (files / "en.txt").write_text("Madrid saw Merkel .\n\na walker\nMadrid\n")
    options = ("--model", model, "--device", "cpu", *RENAMED)
    well(invoke("tag", "en.txt", *options, "--as", "source", "-o", "en.parquet"))
    well(invoke("tag", "de.conll", *options, "--role", "candidates", "--role", "scores", "-o", "de.parquet"))
    columns = ["id", "tokens", "gold_labels", "candidates", "ner_probabilities", "status"]
    assert pq.read_schema(files / "de.parquet").names == columns
    # The links of the first sentence are wrong.
    (files / "links.pharaoh").write_text("0-0 3-4\n\n0-0\n0-0\n")
    project = ("project", "--source", "en.parquet", "--target", "de.parquet", "--links", "links.pharaoh")
    others = [[], ["B-MISC", "O", "O"], ["B-LOC"]]
    for how, first in (
        (("--score", "ner"), ["B-PER", "I-PER", "O", "B-LOC", "O"]),
        (("--score", "ner", "--candidates", "given"), ["B-PER", "I-PER", "O", "B-LOC", "O"]),
        (("--candidates", "given"), ["B-LOC", "I-LOC", "O", "O", "O"]),
    ):
        run = well(invoke(*project, *how, "-o", "out.parquet"))
        assert "source entities projected" in run.stderr
        assert pq.read_table("out.parquet").column("labels").to_pylist() == [first, *others]
        # The same in one go.
        at_once = [one if one != "de.parquet" else "de.conll" for one in project]
        well(invoke(*at_once, *how, "--tagger", model, "--tagger-device", "cpu", *RENAMED, "-o", "once.parquet"))
        assert pq.read_table("once.parquet").column("labels").to_pylist() == [first, *others]
    well(invoke(*project, "--score", "align_ner_spans", "-o", "out.parquet"))
    run = invoke(*project, "--tagger", model, "-o", "no.parquet")
    assert "--tagger goes with --candidates given or a score of ner or ner_spans" in run.stderr


def test_half_precision(files: Path, model: str) -> None:
    command = ("tag", files / "de.txt", "--model", model, "--device", "cpu", "--role", "scores")
    well(invoke(*command, "-o", files / "exact.parquet"))
    well(invoke(*command, "--float16", "-o", files / "half.parquet"))
    exact, half = (
        pq.read_table(files / name).column("ner_probabilities") for name in ("exact.parquet", "half.parquet")
    )
    assert half.type.value_type.value_type == pa.float16()
    values = [pc.list_flatten(pc.list_flatten(column)).to_numpy() for column in (exact, half)]
    np.testing.assert_allclose(values[1], values[0], atol=2.5e-4)


def test_an_interrupted_run_goes_on(files: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xner.pipelines.runner.MODEL_PART_ROWS", 2)
    command = ("tag", files / "de.conll", "--model", model, "--device", "cpu", *RENAMED)
    well(invoke(*command, "-o", files / "whole.parquet"))

    calls = []
    run = TaggerStage.__call__

    def interrupted(self: TaggerStage, batch: Any, **options: Any) -> Any:
        calls.append(batch.num_rows)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return run(self, batch, **options)

    monkeypatch.setattr(TaggerStage, "__call__", interrupted)
    assert invoke(*command, "-o", files / "out.parquet").exit_code == 1
    assert not (files / "out.parquet").exists()
    well(invoke(*command, "-o", files / "out.parquet"))
    assert calls == [2, 2, 2], "the first part was there"
    assert (files / "out.parquet").read_bytes() == (files / "whole.parquet").read_bytes()


def test_a_changed_model_or_option_begins_anew(files: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[str] = []

    def stop(output: object, key: str, **options: object) -> None:
        keys.append(key)
        raise Error("seen enough")

    monkeypatch.setattr("xner.cli.commands.tag.checkpoints", stop)
    command = ("tag", files / "de.txt", "--model", model, "--device", "cpu", "-o", files / "out.parquet")
    others = (
        ("--decoding", "viterbi"),
        ("--words", "mean"),
        ("--role", "scores"),
        ("--ignore-class", "MISC"),
        ("--dtype", "bfloat16"),
    )
    for options in ((), (), *others):
        invoke(*command, *options)
    assert keys[0] == keys[1]
    assert len(set(keys)) == len(keys) - 1 == 1 + len(others)


def test_options_reach_the_tagger(files: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[dict[str, Any]] = []

    def load(name: str, **options: Any) -> Tagger:
        taken.append(options)
        raise Error("seen enough")

    monkeypatch.setattr(Tagger, "load", load)
    invoke(
        *("tag", files / "de.txt", "--model", model, "-o", files / "out.parquet", "--device", "cpu,cuda:1"),
        *(
            "--dtype",
            "float16",
            "--token-budget",
            7,
            "--overlap",
            3,
            "--compile",
            "--words",
            "max",
            "--decoding",
            "viterbi",
        ),
        *("--scheme", "IOB1", "--class-map", "A=B", "--class-map", "C=B", "--ignore-class", "D", "--ignore-class", "E"),
    )
    assert taken == [
        {
            "device": ["cpu", "cuda:1"],
            "dtype": "float16",
            "token_budget": 7,
            "overlap": 3,
            "compile": True,
            "words": "max",
            "decoding": "viterbi",
            "scheme": "IOB1",
            "classes": {"A": "B", "C": "B", "D": "O", "E": "O"},
        }
    ]


@pytest.mark.parametrize(
    ("options", "output", "message"),
    [
        ((), "out.txt", "files of text hold words alone; .conll holds labels, .parquet and .jsonl all that is made"),
        (
            ("--role", "scores"),
            "out.conll",
            "CoNLL files hold labels alone: --role labels, or write .parquet or .jsonl",
        ),
        (("--float16",), "out.conll", "--float16 goes with --role scores"),
        (("--class-map", "MISC"), "out.conll", "'MISC': expected OLD=NEW"),
        (("--class-map", "ORG=O"), "out.conll", "has no class 'ORG', only PERSON, LOC, MISC"),
        (
            ("--scheme", "BIOES", "--role", "label"),
            "out.conll",
            "'label' is not one of 'labels', 'source', 'candidates'",
        ),
        ((), "out.unknown", "cannot tell the format of"),
    ],
)
def test_wrong_use(files: Path, model: str, options: tuple[str, ...], output: str, message: str) -> None:
    run = invoke("tag", files / "de.txt", "--model", model, "--device", "cpu", *options, "-o", files / output)
    assert run.exit_code != 0
    assert message in (run.output if isinstance(run.exception, SystemExit) else str(run.exception))
    assert not (files / output).exists()


@pytest.mark.parametrize("left", [0.0, 0.5])
def test_a_model_that_was_cut(files: Path, model: str, left: float, tmp_path: Path) -> None:
    shutil.copytree(model, tmp_path / "cut")
    weights = tmp_path / "cut" / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[: int(left * len(content))])
    run = xner("tag", "de.txt", "--model", "cut", "--device", "cpu", "-o", "out.conll", cwd=files)
    assert run.returncode == 1
    assert "'cut': Error while deserializing header" in run.stderr
    assert not (files / "out.conll").exists()
