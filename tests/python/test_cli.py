"""The command line as a person meets it: outputs, messages, exit codes, interruption."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from command_line import done, started, xner
from xner import io, schema
from xner._support.arrow import pylist
from xner.io import sample

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with the sample as a user has it: labelled English, German as text and with gold labels."""
    for language in sample.LANGUAGES:
        (tmp_path / f"{language}.conll").write_bytes(sample.path(language).read_bytes())
        io.write(sample.load(language), tmp_path / f"{language}.txt")
    return tmp_path


def test_project_aligns_and_projects(files: Path) -> None:
    run = done(started("project", "--source", "en.conll", "--target", "de.txt", "--output", "de.out.conll", cwd=files))
    assert run.stdout == ""
    assert "170 sentences: " in run.stderr
    assert "source entities projected" in run.stderr
    assert "matcher:exact" in run.stderr
    assert "\x1b" not in run.stderr, "no progress bars in a pipe"
    written = io.read_conll(files / "de.out.conll")
    assert written.column("tokens").to_pylist() == sample.load("de").column("tokens").to_pylist()
    assert not list(files.glob(".*")), "checkpoints and temporary files are gone"


def test_lines_of_links_that_cannot_be_read_are_skipped(files: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = sample.load("en").num_rows
    (files / "x.pharaoh").write_text("".join("0-0\n" if row != 7 else "0-x\n" for row in range(rows)))
    command = ("project", "--source", "en.conll", "--target", "de.txt", "--links", "x.pharaoh", "-o", "o.parquet")
    run = xner(*command, cwd=files)
    assert run.returncode == 1
    assert "x.pharaoh, line 8: '0-x' is not a link" in run.stderr
    done(xner(*command, "--on-error", "skip", cwd=files))
    assert "1 lines without usable links were skipped; the first one is x.pharaoh, line 8" in caplog.text
    table = io.read(files / "o.parquet")
    assert table.num_rows == rows
    assert table["entities"][7].as_py() == []
    assert table["links"][7].as_py() is None
    assert table["links"].null_count == 1


def test_the_stages_one_by_one_give_the_same_labels(files: Path) -> None:
    done(xner("project", "--source", "en.conll", "--target", "de.txt", "--no-memory", "-o", "one.conll", cwd=files))
    done(
        xner(
            *("align", "--source", "en.txt", "--target", "de.txt", "-o", "links.pharaoh", "--scores"),
            *("--save-aligner", "m.safetensors"),
            cwd=files,
        )
    )
    done(
        xner(
            *("project", "--source", "en.conll", "--target", "de.conll", "--links", "links.pharaoh"),
            *("--matcher", "exact", "--format", "parquet", "-o", "two.parquet"),
            cwd=files,
        )
    )
    done(
        xner(
            *("project", "--source", "en.conll", "--target", "de.txt", "--aligner-model", "m.safetensors"),
            *("--threads", "1", "--no-memory", "-o", "three.conll"),
            cwd=files,
        )
    )
    one = io.read_conll(files / "one.conll").column("labels").to_pylist()
    assert pq.read_table(files / "two.parquet").column("labels").to_pylist() == one
    assert (files / "three.conll").read_bytes() == (files / "one.conll").read_bytes()
    scored = (files / "links.pharaoh").read_text(encoding="utf-8").splitlines()
    assert len(scored) == 170
    assert ":" in scored[0]


def test_a_parquet_result_goes_through_evaluate_and_view(files: Path) -> None:
    done(xner("project", "--source", "en.conll", "--target", "de.conll", "-o", "de.parquet", cwd=files))
    shown = done(xner("evaluate", "--predicted", "de.parquet", cwd=files)).stdout
    assert "micro" in shown
    assert "projection ratio" in shown
    as_json = json.loads(done(xner("evaluate", "--predicted", "de.parquet", "--json", cwd=files)).stdout)
    assert as_json["sentences"] == 170
    assert 0.8 < as_json["micro"]["f1"] <= 1
    assert as_json["intervals"]["micro"]["f1"][0] < as_json["micro"]["f1"] < as_json["intervals"]["micro"]["f1"][1]
    from_files = done(xner("evaluate", "--gold", "de.conll", "--predicted", "de.parquet", "--json", cwd=files)).stdout
    assert json.loads(from_files) == as_json
    done(xner("view", "de.parquet", "--open-row", "17", "-o", "view.html", cwd=files))
    assert "<script" in (files / "view.html").read_text(encoding="utf-8")


def test_rows_that_cannot_meet_the_constraint_are_counted(files: Path) -> None:
    twice = ("--constraint", "=", "--n", "2")
    run = xner("project", "--source", "en.conll", "--target", "de.txt", *twice, "-o", "x.jsonl", cwd=files)
    counts = Counter(json.loads(line)["status"] for line in (files / "x.jsonl").read_text("utf-8").splitlines())
    assert set(counts) == {"ok", "infeasible"}
    assert re.search(rf"170 sentences: .*\b{counts['infeasible']} infeasible", done(run).stderr)


@pytest.mark.needs("exact")
def test_ortools_as_the_matcher(files: Path) -> None:
    totals = []
    for matcher in ("exact", "ortools"):
        project = ("project", "--source", "en.conll", "--target", "de.txt", "--matcher", matcher, "--no-memory")
        assert f"|matcher:{matcher}|" in done(xner(*project, "-o", f"{matcher}.parquet", cwd=files)).stderr
        rows = pylist(pq.read_table(files / f"{matcher}.parquet", columns=["entities"]).column("entities"))
        totals.append([sum(entity["score"] for entity in row) for row in rows])
    assert totals[1] == pytest.approx(totals[0], abs=1e-5)


def test_a_target_of_words_alone(files: Path) -> None:
    words = "".join(
        "".join(f"{word}\n" for word in sentence) + "\n" for sentence in pylist(sample.load("de").column("tokens"))
    )
    (files / "words.conll").write_text(words, encoding="utf-8")
    done(xner("project", "--source", "en.conll", "--target", "words.conll", "-o", "one.conll", cwd=files))
    done(xner("project", "--source", "en.conll", "--target", "de.txt", "-o", "two.conll", cwd=files))
    assert (files / "one.conll").read_bytes() == (files / "two.conll").read_bytes()


def test_decoding_options_of_align(files: Path) -> None:
    sides = ("align", "--source", "en.txt", "--target", "de.txt", "--save-aligner", "m.safetensors")
    done(xner(*sides, "-o", "default.pharaoh", cwd=files))
    done(xner(*sides, "--threshold", "0.9", "-o", "few.pharaoh", cwd=files))
    done(xner(*sides, "--decode", "viterbi", "--symmetrization", "union", "-o", "union.pharaoh", cwd=files))
    few, default, union = (
        len((files / f"{name}.pharaoh").read_text(encoding="utf-8").split()) for name in ("few", "default", "union")
    )
    assert few < default < union


def test_memory_projects_twice(files: Path) -> None:
    run = done(xner("project", "--source", "en.conll", "--target", "de.conll", "-o", "m.parquet", cwd=files))
    assert "memory:yes" in run.stderr
    assert "hints" in pq.read_schema(files / "m.parquet").names


def test_paired_comparison(files: Path) -> None:
    for method, output in (("heuristic", "h.conll"), ("candidates", "c.conll")):
        done(xner("project", "--source", "en.conll", "--target", "de.txt", "--method", method, "-o", output, cwd=files))
    shown = done(
        xner("evaluate", "--gold", "de.conll", "--predicted", "c.conll", "--baseline", "h.conll", cwd=files)
    ).stdout
    assert "F1 against h.conll: " in shown
    assert "(paired bootstrap, one-sided), " in shown
    assert "(approximate randomization, two-sided)" in shown


def test_demo_prints_a_table_and_writes_pages(tmp_path: Path) -> None:
    run = done(started("demo", "--output", tmp_path / "demo"))
    assert "candidates, exact" in run.stdout
    for language in ("de", "es"):
        assert (tmp_path / "demo" / f"{language}.html").is_file()
        assert (tmp_path / "demo" / f"{language}.conll").is_file()


@pytest.mark.parametrize("command", ["project", "filter", "align", "evaluate", "view", "report", "demo"])
def test_help_teaches(command: str) -> None:
    text = done(xner(command, "--help")).stdout
    usage, what, *_ = text.split("\n\n")
    assert usage.startswith(f"Usage: xner {command} [OPTIONS]")
    assert len(what.split()) >= 5, "what the command does"
    options, _, examples = text.partition("\n  Examples:\n")
    assert "\nOptions:\n" in options
    if command != "demo":
        shown = re.findall(rf"^    xner {command} (.+)$", examples, flags=re.MULTILINE)
        assert shown
        for option in re.findall(r"(?<=\s)--?[a-z][a-z-]*", " " + " ".join(shown)):
            assert re.search(rf"^  .*(?<![\w-]){option}\b", options, flags=re.MULTILINE), f"no {option}"


def test_help_says_how_much_memory_is_the_least() -> None:
    text = " ".join(done(xner("project", "--help")).stdout.split())
    for option in ("aligner", "names"):
        assert re.search(rf"--{option}-memory SIZE [^\]]*\] \[x>=10MB\]", text)


def test_version_and_overview() -> None:
    assert done(started("--version")).stdout.startswith("xner, version ")
    overview = done(xner("--help")).stdout
    for command in ("project", "filter", "align", "evaluate", "view", "demo"):
        assert command in overview


# ruff: noqa: E501 - a table of cases reads best with one case a line
BAD_USES = [
    ("missing file", ["project", "--source", "no.conll", "--target", "de.txt", "-o", "x.conll"], 2, "'no.conll' does not exist"),
    ("missing option", ["project", "--source", "en.conll", "--target", "de.txt"], 2, "Missing option '--output'"),
    ("unknown method", ["project", "--source", "en.conll", "--target", "de.txt", "-o", "x.conll", "--method", "magic"], 2, "'magic' is not one of"),
    ("unknown command", ["projekt"], 2, "No such command 'projekt'"),
    ("output format", ["project", "--source", "en.conll", "--target", "de.txt", "-o", "x.doc"], 1, "cannot tell the format of 'x.doc'"),
    ("links and model", ["project", "--source", "en.conll", "--target", "de.txt", "--links", "en.txt", "--save-aligner", "m", "-o", "x.conll"], 2, "--save-aligner is for the aligner 'builtin', which is not used here"),
    ("reverse alone", ["project", "--source", "en.conll", "--target", "de.txt", "--reverse", "-o", "x.conll"], 2, "--one-based and --reverse say how to read --links"),
    ("scheme alone", ["project", "--source", "en.conll", "--target", "de.txt", "--scheme", "IOB2", "-o", "x.conll"], 2, "--scheme goes with --read-labels strict and validate"),
    ("rows differ", ["project", "--source", "en.conll", "--target", "short.txt", "-o", "x.conll"], 1, "'en.conll' has 170 rows but 'short.txt' has 169; first suspicious row, counted from 0: 4"),
    ("links rows differ", ["project", "--source", "en.conll", "--target", "de.txt", "--links", "short.pharaoh", "-o", "x.conll"], 1, "'short.pharaoh' has links for 2 sentence pairs but there are 170"),
    ("link outside", ["project", "--source", "en.conll", "--target", "de.txt", "--links", "far.pharaoh", "-o", "x.conll"], 1, "row 3 (id '3'), column 'links', value 0-99: line 4 of 'far.pharaoh': the target sentence has"),
    ("no labels", ["project", "--source", "en.txt", "--target", "de.txt", "-o", "x.conll"], 1, "has no labels"),
    ("label without B-", ["project", "--source", "plain.conll", "--target", "one.txt", "--read-labels", "validate", "-o", "x.conll"], 1, "row 0, column 'labels', value 'PER' at word 0"),
    ("not an aligner", ["project", "--source", "en.conll", "--target", "de.txt", "--aligner-model", "en.txt", "-o", "x.conll"], 1, "en.txt"),
    ("not UTF-8", ["project", "--source", "en.conll", "--target", "latin1.txt", "-o", "x.conll"], 1, "latin1.txt"),
    ("folder missing", ["project", "--source", "en.conll", "--target", "de.txt", "-o", "no/x.conll"], 1, "the folder"),
    ("row out of range", ["view", "de.conll", "--open-row", "1000", "-o", "x.html"], 1, "cannot open row 1000: the table has 170 rows"),
    ("no gold", ["evaluate", "--predicted", "de.conll"], 1, "has no column 'gold_labels'"),
    ("other sentences", ["evaluate", "--gold", "de.conll", "--predicted", "es.conll"], 1, "row 0"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "message"), [case[1:] for case in BAD_USES], ids=[c[0] for c in BAD_USES]
)
def test_wrong_use_and_bad_data_are_explained(files: Path, arguments: list[str], code: int, message: str) -> None:
    lines = (files / "de.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    (files / "short.txt").write_text("".join(lines[:40] + lines[41:]), encoding="utf-8")
    (files / "short.pharaoh").write_text("0-0\n1-1\n", encoding="utf-8")
    (files / "far.pharaoh").write_text("0-0\n" * 3 + "0-99\n" + "\n" * 166, encoding="utf-8")
    (files / "plain.conll").write_text("Marie\tPER\nCurie\tPER\n", encoding="utf-8")
    (files / "one.txt").write_text("Marie Curie\n", encoding="utf-8")
    (files / "latin1.txt").write_bytes("Köln\n".encode("latin-1") * 170)
    run = xner(*arguments, cwd=files)
    assert run.returncode == code, run.stderr
    assert message in run.stderr.replace("\n  ", " ")
    assert "Traceback" not in run.stderr
    assert not (files / "x.conll").exists()
    assert not list(files.glob(".*"))


def test_skipping_wrong_rows(files: Path) -> None:
    (files / "far.pharaoh").write_text("0-0\n" * 3 + "0-99\n" + "\n" * 166, encoding="utf-8")
    run = done(
        xner(
            *("project", "--source", "en.conll", "--target", "de.txt", "--links", "far.pharaoh"),
            *("--on-error", "skip", "-o", "x.parquet"),
            cwd=files,
        )
    )
    assert "1 invalid" in run.stderr
    assert pq.read_table(files / "x.parquet").column("status").to_pylist()[3] == "invalid"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("format", "filters"),
    [
        pytest.param("parquet", (), id="unfiltered"),
        pytest.param("conll", ("--filter", "source-coverage", "--filter", "class-counts:row"), id="filtered"),
    ],
)
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(files: Path, format: str, filters: tuple[str, ...]) -> None:
    """kill -9 while parts are being written; the same command then finishes from the parts."""
    copies = 2000
    for name in ("en.conll", "de.txt"):
        text = (files / name).read_bytes()
        (files / name).write_bytes(text * copies if name.endswith("txt") else (text + b"\n") * copies)
    (files / "links.pharaoh").write_text("0-0 1-1\n" * (170 * copies), encoding="utf-8")
    command = [
        "project",
        "--source",
        "en.conll",
        "--target",
        "de.txt",
        "--links",
        "links.pharaoh",
        "--on-error",
        "skip",
        *filters,
    ]
    whole, killed = f"whole.{format}", f"killed.{format}"
    done(xner(*command, "-o", whole, cwd=files))

    process = subprocess.Popen(
        [sys.executable, "-m", "xner", *command, "-o", killed],
        cwd=files,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    parts = files / f".{killed}.parts"
    for _ in range(6000):
        if (parts / "part-000001.json").exists() or process.poll() is not None:
            break
        time.sleep(0.01)
    assert process.poll() is None, "the run ended before a part was seen"
    process.kill()
    assert process.wait() == -signal.SIGKILL, "the run was to be killed before its end"
    assert not (files / killed).exists()
    first = parts / "part-000000.json"
    made = first.stat().st_mtime_ns
    done(xner("align", "--source", "es.txt", "--target", "es.txt", "-o", "unrelated.pharaoh", cwd=files))
    assert first.stat().st_mtime_ns == made

    done(xner(*command, "-o", killed, cwd=files))
    assert (files / killed).read_bytes() == (files / whole).read_bytes()
    assert not parts.exists()


def spelled_like(language: str, folder: Path) -> Path:
    """A file of class probabilities: what a tagger that knows the gold labels would say of a language's sentences."""
    gold = pylist(sample.load(language).column("labels"))
    labels = ["O", *sorted({label for row in gold for label in row} - {"O"})]
    rows = [[[float(label == name) for name in labels] for label in row] for row in gold]
    column = schema.ner_probabilities_field(labels)
    path = folder / f"{language}.ner.parquet"
    pq.write_table(pa.table([pa.array(rows, column.type)], schema=pa.schema([column])), path)
    return path


def test_scores_from_a_file(files: Path) -> None:
    """With a perfect tagger every projected entity is a gold one, links or not."""
    spelled_like("de", files)
    base = ("project", "--source", "en.conll", "--target", "de.conll", "--scores", "de.ner.parquet")
    run = done(xner(*base, "--score", "ner", "-o", "ner.parquet", cwd=files))
    assert "score:ner|" in run.stderr
    assert "|memory:no" in run.stderr
    assert "links" not in pq.read_table(files / "ner.parquet").column_names, "nothing asked for links"
    shown = done(xner("evaluate", "--predicted", "ner.parquet", "--json", cwd=files)).stdout
    assert json.loads(shown)["micro"]["precision"] > 0.95
    run = done(xner(*base, "--score", "align=0.5,ner_spans=0.5", "--no-memory", "-o", "both.parquet", cwd=files))
    assert "candidates:ngram" in run.stderr
    assert "score:align=0.5,ner_spans=0.5" in run.stderr
    run = done(xner(*base[:5], "--score", "align_characters", "-o", "spelling.conll", cwd=files))
    assert "score:align_characters" in run.stderr


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (("--score", "all"), 2, "Invalid value for '--score': 'all': expected one of 'align', 'ner'"),
        (("--score", "align=x"), 2, "score 'align=x': expected NAME=WEIGHT,..., found 'align=x'"),
        (("--score", "nmt"), 1, "projection needs the column(s) nmt_scores"),
        (("--scores", "de.ids.parquet"), 1, "'de.ids.parquet' has none of the columns ner_probabilities, nmt_scores"),
        (("--scores", "short.parquet"), 1, "'short.parquet' has 1 rows but there are 170 sentence pairs"),
        (
            ("--scores", "de.ner.parquet", "--scores", "de.ner.parquet"),
            1,
            "'de.ner.parquet': there is a column 'ner_probabilities' already",
        ),
        (("--scores", "hints.parquet", "--memory"), 2, "memory makes a column 'hints', which the input has already"),
        (("--score", "ner", "--ner-labels", "O B-X", "--scores", "de.ner.parquet"), 2, "the NER labels have no 'I-X'"),
    ],
)
def test_scores_that_do_not_fit(files: Path, options: tuple[str, ...], status: int, message: str) -> None:
    table = pq.read_table(spelled_like("de", files))
    pq.write_table(table.slice(0, 1), files / "short.parquet")
    hints = pa.array([[]] * table.num_rows, schema.HINTS_TYPE)
    pq.write_table(pa.table({schema.HINTS: hints}), files / "hints.parquet")
    pq.write_table(pa.table({schema.ID: ["a"]}), files / "de.ids.parquet")
    run = xner("project", "--source", "en.conll", "--target", "de.txt", "-o", "out.conll", *options, cwd=files)
    assert run.returncode == status
    assert message in run.stderr
    assert not (files / "out.conll").exists()
