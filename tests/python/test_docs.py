"""The documentation is true: every block of its pages runs and prints what stands below it."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import command_line
import command_pages
import extras
import interface
import pictures
import xner
from distributions import distribution, forget
from xner import io as xner_io
from xner.io import sample

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs/pages").glob("*.md"))
SLOW = {"encoders", "extending", "your-language"}  # load torch, start processes, train a tagger
NEEDS, NOT_RUN = "needs the extra ", "not run here: "
MOST_NOT_RUN = 2  # a page


@dataclass
class Block:
    """A fenced block of a page: what it is, what stands above it, its text, and what is shown to come of it."""

    kind: str
    title: str
    text: str
    line: int
    shown: str | None = None

    @property
    def extra(self) -> str:
        """The extra that it needs."""
        return self.title.removeprefix(NEEDS) if self.title.startswith(NEEDS) else ""

    @property
    def is_file(self) -> bool:
        """Whether it is a file that the page shows, under its name."""
        return re.fullmatch(r"[\w.-]+\.\w+", self.title) is not None


def blocks(page: Path) -> list[Block]:
    """Those of a page in order, what commands print with the commands."""
    text = page.read_text(encoding="utf-8")
    found: list[Block] = []
    for one in re.finditer(r'^```(\w*)(?: title="(.*?)")?\n(.*?)^```$', text, re.MULTILINE | re.DOTALL):
        block = Block(one[1], one[2] or "", one[3], text.count("\n", 0, one.start()) + 1)
        if block.kind == "text" and not block.title:
            assert found, f"{page.name}:{block.line}: what prints this?"
            assert found[-1].shown is None, f"{page.name}:{block.line}: what prints this?"
            assert re.search(r"\w", block.text), f"{page.name}:{block.line}: shows nothing"
            found[-1].shown = block.text
        else:
            found.append(block)
    assert text.count("\n```") == 2 * (len(found) + sum(block.shown is not None for block in found)), page.name
    return found


@dataclass
class Reader:
    """Does what a page says, in a folder of its own."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    installed: bool = False
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})

    def does(self, block: Block) -> str:
        """Do it; what is printed."""
        if block.is_file:
            (self.folder / block.title).write_text(block.text, encoding="utf-8")
            return ""
        if block.kind == "python":
            return self.python(block.text)
        assert block.kind == "sh", f"a block of {block.kind!r} is neither run nor a file"
        return "".join(map(self.command, commands_of(block.text)))

    def python(self, text: str) -> str:
        """Run Python in the page's namespace."""
        printed = io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(printed):
            exec(compile(text, "page", "exec"), self.names)
        return printed.getvalue()

    def command(self, line: str) -> str:
        """Run a command of xner in this process, any other one in a shell; so too what needs what a page installs."""
        words = list(shlex.shlex(line, posix=True, punctuation_chars=True))
        if line == "pip install -e .":
            return self.install()
        if (
            words[0] == "xner"
            and not self.installed
            and not any(re.fullmatch(r"[|><;&()]+", word) for word in words[1:])
        ):
            run = command_line.xner(*shlex.split(line, comments=True)[1:], cwd=self.folder)
        else:
            path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
            run = subprocess.run(
                ["bash", "-ec", line],
                cwd=self.folder,
                env={**os.environ, "PATH": path, "PYTHONPATH": str(self.folder), "COLUMNS": "80"},
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
        assert run.returncode == 0, f"{line}\n{run.stdout}{run.stderr}"
        return run.stdout + run.stderr

    def install(self) -> str:
        """Make of the page's `pyproject.toml` what pip makes of it."""
        project = tomllib.loads((self.folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        points = [
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in its.items())
            for group, its in project["entry-points"].items()
        ]
        distribution(self.folder, project["name"], "".join(points))
        self.monkeypatch.syspath_prepend(str(self.folder))
        importlib.invalidate_caches()
        forget()
        self.installed = True  # choices of options are read once a process
        return ""


def commands_of(text: str) -> list[str]:
    """The lines of a shell block, those that end with a backslash with what follows."""
    lines = text.replace("\\\n", " ").splitlines()
    return [line for line in map(str.strip, lines) if line and not line.startswith("#")]


def agrees(printed: str, shown: str) -> bool:
    """Whether that was printed; a line of three dots stands for any lines."""
    pattern = "".join(r"(?:.*\n)*?" if line == "...\n" else re.escape(line) for line in shown.splitlines(keepends=True))
    return re.fullmatch(pattern, re.sub(r" +$", "", printed, flags=re.MULTILINE)) is not None


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    before = set(sys.modules)
    forget()
    yield Reader(tmp_path, monkeypatch)
    forget()
    for name in set(sys.modules) - before:  # modules that a page shows
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).is_relative_to(tmp_path):
            del sys.modules[name]


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=[pytest.mark.slow] * (page.stem in SLOW), id=page.stem) for page in PAGES]
)
def test_a_page_does_what_it_says(page: Path, reader: Reader) -> None:
    left_out, not_run = [], 0
    for block in blocks(page):
        if block.title.startswith(NOT_RUN):
            not_run += 1
            continue
        if block.extra and extras.missing(block.extra):
            left_out.append(block.extra)
            continue
        printed = reader.does(block)
        if block.shown is not None:
            assert agrees(printed, block.shown), f"{page.name}:{block.line}: expected\n{block.shown}\nfound\n{printed}"
    assert not_run <= MOST_NOT_RUN
    extras.need(*dict.fromkeys(left_out))  # the rest of the page has run; the reason names what has not


def test_what_is_shown_for_spark(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in that asks of `mapInArrow` what Spark does: batches of just these types, none of dictionaries."""

    def schema_of(schema: pa.Schema) -> pa.Schema:
        assert not any(pa.types.is_dictionary(field.type) for field in schema)
        return schema

    class Frame:
        def __init__(self, batches: list[pa.RecordBatch]) -> None:
            self.batches, self.write = batches, self

        def mapInArrow(self, function: Any, schema: pa.Schema) -> Frame:  # noqa: N802  # Spark's name
            made = list(function(iter(self.batches)))
            assert all(batch.schema.equals(schema) for batch in made)
            return Frame(made)

        def parquet(self, path: str) -> None:
            pq.write_table(pa.Table.from_batches(self.batches), reader.folder / path)

    def frame(path: str) -> Frame:
        return Frame(pq.read_table(reader.folder / path).replace_schema_metadata(None).to_batches(max_chunksize=50))

    session = SimpleNamespace(read=SimpleNamespace(parquet=frame))
    builder = SimpleNamespace(getOrCreate=lambda: session)
    (block,) = (one for one in blocks(ROOT / "docs/pages/past-one-machine.md") if "Spark" in one.title)
    pairs = xner.read_pairs(sample.path("en"), sample.path("de"), told=lambda _: None)
    links = xner.Aligner.fit(pairs["source_tokens"], pairs["tokens"]).align(pairs["source_tokens"], pairs["tokens"])
    xner_io.write(pairs.append_column("links", links), reader.folder / "pairs.parquet")
    modules: Any = {
        "pyspark.sql": SimpleNamespace(SparkSession=SimpleNamespace(builder=builder)),
        "pyspark.sql.pandas.types": SimpleNamespace(from_arrow_schema=schema_of),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    reader.does(replace(block, title=""))
    found = pq.read_table(reader.folder / "projected.parquet")
    assert found.column("labels").equals(xner.Projector()(pairs.append_column("links", links)).column("labels"))


def test_files_for_clusters_can_be_read() -> None:
    files = {one.title: one.text for one in blocks(ROOT / "docs/pages/past-one-machine.md") if one.is_file}
    assert set(files) == {"slurm.sh", "ray-job.yaml"}
    subprocess.run(["bash", "-n"], input=files["slurm.sh"], text=True, check=True)
    job = pytest.importorskip("yaml").safe_load(files["ray-job.yaml"])
    cluster = job["spec"]["rayClusterSpec"]
    assert [job["apiVersion"], job["kind"]] == ["ray.io/v1", "RayJob"]
    assert cluster["authOptions"] == {"mode": "token"}
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        assert {"rayStartParams", "template"} <= set(group)
        (container,) = group["template"]["spec"]["containers"]
        assert {"name", "image", "resources", "volumeMounts"} == set(container)
    words = shlex.split(job["spec"]["entrypoint"])
    assert words[:2] == ["xner", "project"]
    known = command_line.done(command_line.xner("project", "--help")).stdout
    assert all(word in known for word in words if word.startswith("--"))


def test_every_command_is_on_its_page() -> None:
    page = command_pages.page()
    found = {path: text for _, path, text in command_pages.helps()}
    assert {"xner", "xner project", "xner align train", "xner study extrinsic", "xner cache clear"} <= set(found)
    for path, text in found.items():
        assert f"# {path}\n\n```text\n{text}\n```\n" in page
        help_printed = command_line.done(command_line.xner(*path.split()[1:], "--help")).stdout
        assert f"{text}\n" == help_printed


def test_everything_public_is_on_a_page() -> None:
    pages = interface.pages()
    for name in ("", ".io", ".io.datasets", ".labels", ".experiments.shift", ".models.taggers", ".pipelines.recipes"):
        assert f"python/xner{name}.md" in pages
    for module in interface.modules():
        text = pages[f"python/{module.__name__}.md"]
        assert re.findall(r"^::: (\S+)$", text, re.MULTILINE) == [
            f"{module.__name__}.{name}" for name in interface.names(module)
        ]
    assert "::: xner.project\n" in pages["python/xner.md"]


def test_pictures_are_of_what_is_computed() -> None:
    drawn = pictures.drawn()
    page = (ROOT / "docs/pages/how-it-works.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((pictures/.*?)\)", page) == list(drawn)
    texts = {
        name: [one.text for one in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
        for name, svg in drawn.items()
    }
    pair = pictures.COMPOUND
    assert texts["pictures/greedy.svg"] == [*pair.target, "1.50", "Martin Schulz"]
    assert texts["pictures/exact.svg"] == [*pair.target, "1.33", "European Parliament", "1.33", "Martin Schulz"]
    of_sample, probabilities = pictures.example()
    assert {link[:2] for link in of_sample.links} < {link[:2] for link in probabilities}
    assert drawn["pictures/links.svg"].count("<path") == len(of_sample.links)
    assert texts["pictures/links.svg"] == of_sample.source + of_sample.target


def test_measured_figures_are_those_of_the_bench() -> None:
    results = (ROOT / "bench/RESULTS.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\|.*\|$", results, re.MULTILINE))
    shown = re.findall(r"^\|.*\|$", (ROOT / "docs/pages/choosing-a-method.md").read_text("utf-8"), re.MULTILINE)
    figures = [row for row in shown if re.search(r"\d", row)]
    assert len(figures) > 10
    assert [row for row in figures if row not in rows] == []
