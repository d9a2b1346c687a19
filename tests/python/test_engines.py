"""Pieces that are worked on elsewhere: the same bytes, the same errors, and what happens when a worker dies."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import tiny_models
import xner
from command_line import done
from command_line import xner as run_xner
from xner import io, schema
from xner._support import pieces
from xner.alignment import _fitting
from xner.errors import DataError, Error, MissingExtraError, OptionError
from xner.io import pairs, sample
from xner.pipelines import runner
from xner.pipelines.engines import LOCAL, RayEngine, engine_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RAY = pytest.mark.needs("ray")
ROWS = 30


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayEngine]:
    """One for all tests of this module, as it takes seconds to start; it is told that it has GPUs."""
    import ray

    init = functools.partial(ray.init, num_gpus=2)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ray, "init", init)
        engine = RayEngine().__enter__()
    with engine:
        yield engine


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of sentence pairs with links."""
    folder = tmp_path_factory.mktemp("corpus")
    table = xner.read_pairs(sample.path("en"), sample.path("de"), told=lambda _: None)
    aligner = xner.Aligner.fit(table["source_tokens"], table["tokens"])
    links = aligner.align(table["source_tokens"], table["tokens"])
    sides = {"id": table["id"], "tokens": table["source_tokens"], "entities": table["source_entities"]}
    io.write(pa.table(sides), folder / "en.parquet")
    io.write(table.select(["id", "tokens", "gold_labels"]).append_column("links", links), folder / "de.parquet")
    io.write(table.select(["tokens"]), folder / "de.txt")
    return folder


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (pieces, runner, pairs):
        monkeypatch.setattr(module, "PIECE_ROWS", ROWS)
    monkeypatch.setattr(RayEngine, "part_rows", 7)


@RAY
@pytest.mark.usefixtures("cluster", "small_pieces")
@pytest.mark.parametrize("suffix", ["conll", "parquet", "jsonl"])
@pytest.mark.parametrize("target", ["de.parquet", "de.txt"])
def test_the_same_bytes(
    corpus: Path, target: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ready links piece by piece; else an aligner is fitted, in blocks there, and links and projects there."""
    links = [corpus / target] if target.endswith("parquet") else []
    pairs = xner.scan_pairs(corpus / "en.parquet", corpus / target, links=links)
    options: Any = {"filters": ["class-counts:row"], "memory": None if suffix == "conll" else True}
    monkeypatch.setattr(_fitting, "_BYTES_PER_CELL", 3000)
    options |= {} if links else {"aligner_memory": "10MB"}
    here = xner.Pipeline(**options).run(pairs, tmp_path / f"here.{suffix}")
    told: list[str] = []
    there = xner.Pipeline(**options, engine="ray").run(pairs, tmp_path / f"there.{suffix}", told=told.append)
    assert (tmp_path / f"here.{suffix}").read_bytes() == (tmp_path / f"there.{suffix}").read_bytes()
    assert str(here).replace("here.", "there.") == str(there)
    assert ("the aligner was fitted in 13 blocks, as memory allows" in told) == (not links), told


@RAY
def test_order_and_what_is_ahead(cluster: RayEngine) -> None:
    asked: list[int] = []

    def slowly(number: int) -> int:
        time.sleep(0.02 * (number % 3))
        return 2 * number

    def numbers() -> Iterator[int]:
        for number in range(20):
            asked.append(number)
            yield number

    found = cluster.map(slowly, numbers())
    assert next(found) == 0
    assert len(asked) <= 2 * (os.cpu_count() or 1) + 1  # and no more than that is in memory
    assert list(found) == [2 * number for number in range(1, 20)]
    assert list(cluster.map(slowly, iter(()))) == []


@RAY
def test_errors_come_back_as_they_are(cluster: RayEngine, corpus: Path) -> None:
    table = io.read(corpus / "de.parquet")
    broken = pa.array([[(99, 0, 1.0)]] * table.num_rows, schema.LINKS_TYPE)
    table = table.set_column(table.schema.names.index("links"), "links", broken)
    source = io.read(corpus / "en.parquet")
    table = table.append_column("source_tokens", source["tokens"]).append_column("source_entities", source["entities"])
    with pytest.raises(DataError) as here:
        next(iter(LOCAL.map(xner.Projector(), [table])))
    with pytest.raises(DataError) as there:
        next(iter(cluster.map(xner.Projector(), [table])))
    assert str(here.value) == str(there.value)
    assert (there.value.row, there.value.column) == (here.value.row, here.value.column)
    with pytest.raises(ZeroDivisionError):
        list(cluster.map(lambda number: 1 / number, [0]))


@RAY
def test_a_worker_that_dies(cluster: RayEngine, tmp_path: Path) -> None:
    """Its piece is done again, by another one; a piece that every worker dies of is told."""

    def die_once(number: int) -> int:
        mark = tmp_path / "died"
        if number == 3 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    assert list(cluster.map(die_once, range(6))) == list(range(6))
    assert (tmp_path / "died").exists()


@RAY
@pytest.mark.usefixtures("cluster", "small_pieces")
def test_a_run_that_was_stopped_goes_on_there(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = (corpus / "en.parquet", corpus / "de.parquet")
    pairs, output = xner.scan_pairs(*places, links=places[1]), tmp_path / "out.parquet"
    add: Callable[..., None] = runner._OutputParts.add
    count = iter(range(100))

    def some(self: Any, done: pa.RecordBatch) -> None:
        if next(count) == 3:
            raise OSError("the disk is full")
        add(self, done)

    monkeypatch.setattr(runner._OutputParts, "add", some)
    with pytest.raises(OSError, match="the disk is full"):
        xner.Pipeline().run(pairs, output)
    assert len(list((tmp_path / ".out.parquet.parts").glob("part-*.parquet"))) == 3
    xner.Pipeline(engine="ray").run(pairs, output)
    xner.Pipeline().run(pairs, tmp_path / "whole.parquet")
    assert output.read_bytes() == (tmp_path / "whole.parquet").read_bytes()


@RAY
@pytest.mark.usefixtures("cluster")
def test_on_the_command_line(corpus: Path, tmp_path: Path) -> None:
    places = ("--source", corpus / "en.parquet", "--target", corpus / "de.txt")
    for engine in ("local", "ray"):
        done(run_xner("project", *places, "--engine", engine, "-o", tmp_path / f"{engine}.conll"))
    assert (tmp_path / "ray.conll").read_bytes() == (tmp_path / "local.conll").read_bytes()


@RAY
@pytest.mark.usefixtures("cluster", "small_pieces")
def test_an_aligner_that_is_fitted(corpus: Path, tmp_path: Path) -> None:
    """It is fitted here, on the files read beforehand; workers link their pieces with it, to the same bytes."""
    sides = ("--source", corpus / "en.parquet", "--target", corpus / "de.txt")
    for engine in ("local", "ray"):
        done(run_xner("align", *sides, "--engine", engine, "--scores", "-o", tmp_path / f"{engine}.pharaoh"))
    assert (tmp_path / "ray.pharaoh").read_bytes() == (tmp_path / "local.pharaoh").read_bytes()
    tagged = ("--aligner", "builtin", "--no-memory", "--save-aligner")
    for engine in ("local", "ray"):
        how = (*tagged, tmp_path / f"{engine}.safetensors", "--engine", engine, "-o", tmp_path / f"{engine}.conll")
        done(run_xner("project", *sides, *how))
    for suffix in ("safetensors", "conll"):
        assert (tmp_path / f"ray.{suffix}").read_bytes() == (tmp_path / f"local.{suffix}").read_bytes()


@RAY
@pytest.mark.slow
def test_two_pipelines_at_once_end(corpus: Path, tmp_path: Path) -> None:
    """Each with a cluster of its own, on the same cores."""
    sides = ("--source", corpus / "en.parquet", "--target", corpus / "de.txt")
    filters = ((), ("--filter", "one-word"))
    runs = []
    for place, some in enumerate(filters):
        done(run_xner("project", *sides, *some, "-o", tmp_path / f"here-{place}.conll"))
        command = ("project", *sides, *some, "--engine", "ray", "-o", tmp_path / f"there-{place}.conll")
        arguments = [sys.executable, "-m", "xner", *map(str, command)]
        runs.append(subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True))
    for place, run in enumerate(runs):
        _, said = run.communicate(timeout=240)
        assert run.returncode == 0, said
        assert (tmp_path / f"there-{place}.conll").read_bytes() == (tmp_path / f"here-{place}.conll").read_bytes()


@RAY
@pytest.mark.usefixtures("cluster")
def test_shards_share_a_cluster(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entered: list[bool] = []
    enter = RayEngine.__enter__

    def noted(engine: RayEngine) -> RayEngine:
        entered.append(enter(engine)._is_own)
        return engine

    monkeypatch.setattr(RayEngine, "__enter__", noted)
    for number in range(3):
        for side in ("en", "de"):
            (tmp_path / side).mkdir(exist_ok=True)
            (tmp_path / side / f"{number}.parquet").write_bytes((corpus / f"{side}.parquet").read_bytes())
    places = ("--source", tmp_path / "en", "--target", tmp_path / "de", "--links", tmp_path / "de")
    for engine in ("local", "ray"):
        done(run_xner("project", *places, "--engine", engine, "--format", "conll", "-o", tmp_path / engine))
    assert entered == [False] * 4  # one for the command, and one for each shard, which all take what is there
    names = sorted(path.name for path in (tmp_path / "local").glob("*.conll"))
    assert len(names) == 3
    assert all((tmp_path / "ray" / one).read_bytes() == (tmp_path / "local" / one).read_bytes() for one in names)


@RAY
@pytest.mark.needs("models")
@pytest.mark.usefixtures("cluster")
def test_models_of_workers(corpus: Path, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tagger and an encoder that aligns are loaded there."""
    monkeypatch.setattr(runner, "MODEL_PART_ROWS", 60)
    monkeypatch.setattr("xner.pipelines.aligning.MODEL_PART_ROWS", 60)
    tagger = tiny_models.save_tagger(tmp_path / "tagger", ["O", "B-PER", "I-PER"])
    sides = ("--source", corpus / "en.parquet", "--target", corpus / "de.txt")
    for engine in ("local", "ray"):
        how = ("--engine", engine, "-o", tmp_path / engine)
        done(run_xner("tag", corpus / "de.txt", "--model", tagger, "--format", "parquet", *how))
        encoder = ("--aligner", "awesome-mbert", "--aligner-model", tiny_bert, "--layer", "2")
        done(run_xner("align", *sides, *encoder, "--engine", engine, "-o", tmp_path / f"{engine}.pharaoh"))
    assert (tmp_path / "ray").read_bytes() == (tmp_path / "local").read_bytes()
    assert (tmp_path / "ray.pharaoh").read_bytes() == (tmp_path / "local.pharaoh").read_bytes()


_TRANSLATOR = """\
import os, signal, sys
from pathlib import Path
mark = Path(__file__).with_name("died")
if len(sys.argv) > 1 and not mark.exists():
    mark.touch()
    os.kill(os.getppid(), signal.SIGKILL)
for line in sys.stdin:
    print(" ".join(word[::-1] if word.isalpha() else word for word in line.split()))
"""


@RAY
@pytest.mark.usefixtures("cluster")
def test_translations_of_workers(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a program, batch by batch; with markers, which are chosen by the translator as well; when a worker dies."""
    monkeypatch.setattr("xner.models.translators.command._BATCH", 40)
    program = tmp_path / "mt.py"
    program.write_text(_TRANSLATOR, encoding="utf-8")
    started: list[str] = []
    monkeypatch.setattr(RayEngine, "map", _noted(RayEngine.map, started))
    for ways in ((), ("--markers", "auto")):
        for engine in ("local", "ray"):
            ends = f" {engine}" if engine == "ray" and not ways else ""
            done(
                run_xner(
                    *("translate", "--source", corpus / "en.parquet", "--engine", engine, *ways),
                    *("--source-language", "en", "--target-language", "de", "-o", tmp_path / f"{engine}.jsonl"),
                    *("--model", f"command:{sys.executable} -S {program}{ends}"),
                    *("--cache", tmp_path / f"{engine}{len(ways)}.sqlite"),
                )
            )
        assert (tmp_path / "ray.jsonl").read_bytes() == (tmp_path / "local.jsonl").read_bytes()
    assert (tmp_path / "died").exists()
    assert started.count("_run") >= 3  # once for the first, and for markers to choose them as well
    translator = ("--translator", f"command:{sys.executable} -S {program}", "--translate-to", "de")
    for engine in ("local", "ray"):
        where = ("--cache", tmp_path / f"{engine}.sqlite", "--engine", engine, "-o", tmp_path / f"{engine}.parquet")
        done(run_xner("project", "--source", corpus / "en.parquet", *translator, *where))
    assert (tmp_path / "ray.parquet").read_bytes() == (tmp_path / "local.parquet").read_bytes()


def _noted(function: Any, names: list[str]) -> Any:
    """A method that notes the names of the functions that it is handed."""

    def noted(self: Any, stage: Any, pieces: Any, **how: Any) -> Any:
        names.append(getattr(getattr(stage, "func", stage), "__name__", type(stage).__name__))
        return function(self, stage, pieces, **how)

    return noted


@RAY
@pytest.mark.needs("models")
@pytest.mark.usefixtures("cluster")
def test_translation_models_of_workers(corpus: Path, tmp_path: Path) -> None:
    """The same batches, so that the bytes are those of one process."""
    model = tiny_models.save_nllb(tmp_path / "nllb")
    io.write(io.read(corpus / "de.txt").slice(0, 16), tmp_path / "some.txt")
    for engine in ("local", "ray"):
        done(
            run_xner(
                *("translate", "--source", tmp_path / "some.txt", "--engine", engine),
                *("--source-language", "de", "--target-language", "en", "-o", tmp_path / f"{engine}.jsonl"),
                *("--model", model, "--beams", "1", "--length-ratio", "0.5", "--token-budget", "256", "--keep-bad"),
                *("--cache", tmp_path / f"{engine}.sqlite"),
            )
        )
    assert (tmp_path / "ray.jsonl").read_bytes() == (tmp_path / "local.jsonl").read_bytes()


@RAY
@pytest.mark.needs("models")
@pytest.mark.usefixtures("cluster")
def test_scores_of_workers(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same scores and the same counts, which each worker has of its own parts."""
    monkeypatch.setattr("xner.cli.commands.score._PART_ROWS", 2)
    model = tiny_models.save_nllb(tmp_path / "nllb")
    for side in ("en", "de"):
        io.write(io.read(corpus / f"{side}.parquet").slice(0, 6), tmp_path / f"{side}.parquet")
    sides = [part for role, name in (("source", "en"), ("target", "de"), ("links", "de")) for part in (role, name)]
    places = [f"--{one}" if place % 2 == 0 else tmp_path / f"{one}.parquet" for place, one in enumerate(sides)]
    said = []
    for engine in ("local", "ray"):
        languages = ("--source-language", "en", "--target-language", "de", "--engine", engine)
        written = ("--cache", tmp_path / "cache.sqlite", "-o", tmp_path / f"{engine}.jsonl")
        said.append(done(run_xner("score", "nmt", *places, "--model", model, *languages, *written)).stderr.splitlines())
    assert (tmp_path / "ray.jsonl").read_bytes() == (tmp_path / "local.jsonl").read_bytes()
    assert said[0][0] == said[1][0]
    assert said[1][1].startswith("0 probabilities computed, ")


@RAY
@pytest.mark.usefixtures("cluster")
def test_services_have_no_workers(corpus: Path, tmp_path: Path) -> None:
    found = run_xner(
        *("translate", "--source", corpus / "en.parquet", "--engine", "ray", "--model", "openai:some"),
        *("--source-language", "en", "--target-language", "de", "-o", tmp_path / "out.jsonl"),
    )
    assert found.returncode != 0
    assert "--engine='ray' goes with a --model that is one, or a program, not with a service" in found.stderr


@RAY
def test_workers_compute_with_their_share_of_the_cores(cluster: RayEngine) -> None:
    def shares(number: int) -> tuple[int, int]:
        from xner.models.network.device import share_of_cores

        return share_of_cores(number)

    assert list(cluster.map(shares, [1, 2])) == [(1, 1), (1, 1)]


@RAY
def test_relative_paths_of_workers(cluster: RayEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They lead where those of the process lead that hands pieces out, if that folder is there."""

    def text_of(path: str) -> str:
        return Path(path).read_text(encoding="utf-8")

    (tmp_path / "there").write_text("found", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for has_model in (False, True):
        assert list(cluster.map(text_of, ["there"], has_model=has_model)) == ["found"]
    monkeypatch.setattr("pathlib.Path.cwd", lambda: tmp_path / "gone")
    assert list(cluster.map(text_of, [str(tmp_path / "there")])) == ["found"]


@RAY
def test_models_have_a_gpu_each(cluster: RayEngine, tmp_path: Path) -> None:
    """Where the cluster has some, here so called; a worker keeps its own, and its model, until the run ends."""

    def devices(number: int) -> tuple[int, int, str]:
        if number == 5 and not (tmp_path / "died").exists():
            (tmp_path / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.05)
        return number, os.getpid(), os.environ.get("CUDA_VISIBLE_DEVICES", "")

    found = list(cluster.map(devices, range(24), has_model=True))
    assert [number for number, _, _ in found] == list(range(24))
    by_worker = {(worker, seen) for _, worker, seen in found}
    assert {seen for _, seen in by_worker} == {"0", "1"}
    assert len(by_worker) == len({worker for worker, _ in by_worker})
    assert len(by_worker) <= 3  # two, one of which died and has a successor
    assert all(seen == "" for _, _, seen in cluster.map(devices, range(4)))
    with pytest.raises(ZeroDivisionError):
        list(cluster.map(lambda number: 1 / number, [0], has_model=True))


def test_what_does_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="address='auto' goes with engine='ray'"):
        xner.Pipeline(address="auto")
    with pytest.raises(OptionError, match="address='auto' goes with engine='ray'"), engine_of("local", "auto"):
        pass
    with pytest.raises(OptionError, match="expected one of 'local', 'ray'"):
        xner.Pipeline(engine="spark")  # type: ignore[arg-type]  # on purpose
    assert xner.Pipeline(engine="ray").signature == xner.Pipeline().signature


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"engine='ray' needs ray.*xner\[ray\]"), engine_of("ray"):
        pass


@RAY
@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "address='127.0.0.1:1': nothing answers there"),
        ("nowhere", "address='nowhere': expected HOST:PORT, or auto"),
        ("ray://127.0.0.1:10001", "expected HOST:PORT, or auto"),
    ],
)
def test_a_cluster_that_is_not_there(address: str, message: str) -> None:
    with pytest.raises(Error, match=message), engine_of("ray", address):
        pass
