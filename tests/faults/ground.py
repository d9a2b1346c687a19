"""Where commands run and are disturbed: a folder, a process forked for each run, and what is looked at afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

from command_line import done, xner
from injection import Call, Fault, Injector
from xner._support.digests import file_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from commands import Command

__all__ = ["Ended", "Ground", "Running", "rows_apart", "wait_for"]

_PART_ROWS: Final = 8
_SMALL: Final = {"PIECE_ROWS": 16, "MODEL_PART_ROWS": _PART_ROWS, "_PART_ROWS": 4}
_LIMIT: Final = 120.0  # seconds

Files = dict[str, str]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run has ended.

    Attributes:
        status: its exit status; below 0 the signal that ended it.
        out: its standard output.
        error: its standard error.
        calls: system calls, the last of which may not have been done.
        seconds: that it took.
    """

    status: int
    out: str
    error: str
    calls: list[Call]
    seconds: float


class Running:
    """A run in a process of its own, forked from this one, which has imported everything."""

    def __init__(self, pid: int, files: dict[str, Path]) -> None:
        self.pid = pid
        self._files = files
        self._began = time.perf_counter()

    def wait(self, *, until: float = _LIMIT) -> int | None:
        """The exit status; None where the run has not ended in so many seconds."""
        end = self._began + until
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            if time.perf_counter() > end:
                return None
            time.sleep(0.001)

    def ended(self) -> Ended:
        """Wait for the end."""
        status = self.wait()
        if status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            status = -100  # it hung
        texts = {name: path.read_text(encoding="utf-8", errors="replace") for name, path in self._files.items()}
        calls = [Call(*line.split("\t", 1)) for line in texts["trace"].splitlines()]
        return Ended(status, texts["out"], texts["error"], calls, time.perf_counter() - self._began)


class Ground:
    """A folder in which a command runs, from a known state each time.

    Args:
        root: an empty folder for all this.
        command: what runs.
    """

    def __init__(self, root: Path, command: Command) -> None:
        self.root, self.command = root, command
        self.case, self.cache, self.away = root / "case", root / "cache", root / "away"
        (root / "plain" / "case").mkdir(parents=True)
        (root / "plain" / "cache").mkdir()
        self._forked(lambda: command.make(root / "plain" / "case"))
        self.inputs = self._files(root / "plain" / "case")
        self.restore("plain")
        self._warm_up()
        self.old: Files = {}
        if command.before:
            self.restore("plain")
            self._sound(self.run(command.before))
            self.old = self.files()
            for name in ("case", "cache"):
                shutil.copytree(self.root / name, root / "old" / name, symlinks=True)
        self.states = ("plain", "old") if command.before else ("plain",)
        self.restore("plain")
        self.reference = self.run(command.arguments)
        self._sound(self.reference)
        self.new = self.files()
        self.content = {name: (self.case / name).read_bytes() for name in self.new if name not in self.inputs}
        self.calls = self.reference.calls
        self.full_cache = b"" if command.cache is None else (self.case / command.cache).read_bytes()

    def _warm_up(self) -> None:
        """Run here, once, so that the processes that are forked have everything imported and cached."""
        self.small_parts()
        with mock.patch.dict(os.environ, XDG_CACHE_HOME=str(self.cache)):
            done(xner(*self.command.arguments, cwd=self.case))

    def _sound(self, ended: Ended) -> None:
        if ended.status:
            raise RuntimeError(f"{self.command.name}: an undisturbed run ends with {ended.status}: {ended.error}")

    def restore(self, state: str) -> None:
        """Have the folder as it was: `plain`, or `old` with the output of other options."""
        for path in (self.case, self.cache, self.away):
            shutil.rmtree(path, ignore_errors=True)
        for name in ("case", "cache"):
            shutil.copytree(self.root / state / name, self.root / name, symlinks=True)

    def files(self) -> Files:
        """All files of the folder and their digests, but those that differ from run to run."""
        return {name: its for name, its in self._files(self.case).items() if not self._is_volatile(name)}

    def _is_volatile(self, name: str) -> bool:
        return any(fnmatch(name, pattern) for pattern in self.command.volatile)

    @staticmethod
    def _files(folder: Path) -> Files:
        found = {}
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_dir():
                if path.name.startswith("."):
                    found[name] = "folder"
            else:
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def left_over(self) -> list[str]:
        """Temporary files, here and in the folder of caches."""
        known = self.new.keys() | self.inputs.keys()
        here = [name for name in self.files() if name not in known]
        return here + [path.name for path in self.cache.rglob("*.tmp")]

    def start(
        self,
        arguments: tuple[str, ...],
        fault: Fault | None = None,
        *,
        prepare: Callable[[], None] | None = None,
        name: str = "run",
    ) -> Running:
        """Fork a process that runs `xner`.

        Args:
            arguments: of the command line.
            fault: what is to happen in it.
            prepare: called in it first.
            name: of the files that its output goes to.
        """
        files = {kind: self.root / f"{name}.{kind}" for kind in ("out", "error", "trace")}
        return Running(self._fork(files, lambda trace: self._main(arguments, fault, trace, prepare)), files)

    def run(
        self, arguments: tuple[str, ...], fault: Fault | None = None, *, prepare: Callable[[], None] | None = None
    ) -> Ended:
        """The same, and wait for its end."""
        return self.start(arguments, fault, prepare=prepare).ended()

    def _forked(self, work: Callable[[], None]) -> None:
        files = {kind: self.root / f"made.{kind}" for kind in ("out", "error", "trace")}
        ended = Running(self._fork(files, lambda _: work()), files).ended()
        self._sound(ended)

    def _fork(self, files: Mapping[str, Path], work: Callable[[int], None]) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        if pid := os.fork():
            return pid
        status = 1
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            descriptors = [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) for path in files.values()]
            os.dup2(descriptors[0], 1)
            os.dup2(descriptors[1], 2)
            sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  # as long as the process is
            sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115  # likewise
            try:
                work(descriptors[2])
                status = 0
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else int(bool(end.code))
            except BaseException:
                traceback.print_exc()
            with contextlib.suppress(OSError):
                sys.stdout.flush()
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(status)

    def _main(
        self, arguments: tuple[str, ...], fault: Fault | None, trace: int, prepare: Callable[[], None] | None
    ) -> None:
        from xner.cli.main import main

        os.chdir(self.case)
        os.environ.update(XDG_CACHE_HOME=str(self.cache), COLUMNS="80")
        sys.argv = ["xner", *arguments]
        sys.modules["__main__"] = ModuleType("__main__")  # whose name click would show
        injector = Injector([self.case, self.cache], fault, trace)
        if prepare is not None:
            prepare()
        injector.install()
        main()

    @staticmethod
    def small_parts() -> None:
        """Have a few rows be several parts."""
        from xner.cli.commands import score
        from xner.evaluation import files
        from xner.pipelines import aligning, recipes, runner

        modules: list[Any] = [runner, recipes, aligning, files, score]
        for module in modules:
            for name, rows in _SMALL.items():
                if hasattr(module, name):
                    setattr(module, name, rows)
        setattr(runner, "has_room_for_threads", lambda: False)  # noqa: B010  # so that calls have one order
        functions: list[Any] = [recipes.step_of, recipes.stage_step, recipes.alignment_step]
        for function in functions:
            function.__kwdefaults__["part_rows"] = _PART_ROWS

    def wrong_meanwhile(self, state: str) -> list[str]:
        """What is wrong with a folder after a fault: files that are neither what they were nor what they are to be.

        Args:
            state: that the run began with.
        """
        old = self.old if state == "old" else {}
        found = self.files()
        wrong = []
        for name, its in found.items():
            if name in self.inputs or self.is_kept(name):
                continue
            if name == self.command.manifest:
                wrong += self._wrong_shards(self.case / name)
            elif its not in {old.get(name), self.new.get(name)}:
                wrong.append(f"damaged: {name}")
        wrong += [f"lost: {name}" for name in old if name not in found]
        wrong += [f"changed input: {name}" for name, its in self.inputs.items() if found.get(name, its) != its]
        if (self.case / "out" / "metrics.json").exists():  # a folder that comes as one
            wrong += [f"damaged: {name}" for name in self.new if found.get(name) != self.new[name]]
        return wrong

    @staticmethod
    def _wrong_shards(manifest: Path) -> list[str]:
        """Files that are not what a manifest, which says at all times what is finished, has of them."""
        finished = {one["name"]: one["sha256"] for one in json.loads(manifest.read_bytes())["shards"]}
        paths = {name: manifest.parent / name for name in finished}
        are_so = {name: path.is_file() and file_digest(path) == finished[name] for name, path in paths.items()}
        return [f"damaged: {name}, as the manifest says" for name, is_so in are_so.items() if not is_so]

    @staticmethod
    def is_kept(name: str) -> bool:
        """Whether a file is of the kind that runs keep for themselves."""
        parts = name.split("/")
        return any(part.startswith(".") or part == "steps" or part.endswith(".steps") for part in parts)

    def wrong_at_the_end(self, ended: Ended) -> list[str]:
        """What is wrong after the run that was to mend everything."""
        if ended.status:
            return [f"rerun failed: {ended.status}: {ended.error.strip()[-300:]}"]
        found = self.files()
        wrong = []
        if self.command.prints and ended.out != self.reference.out:
            wrong.append(
                f"not the same: what is printed ({rows_apart(self.reference.out.encode(), ended.out.encode())})"
            )
        for name, its in self.new.items():
            if found.get(name) != its:
                wrong.append(f"not the same: {name}{self._apart(name)}")
        return wrong + [f"left over: {name}" for name in self.left_over()]

    def _apart(self, name: str) -> str:
        path = self.case / name
        return f" ({rows_apart(self.content.get(name, b''), path.read_bytes())})" if path.is_file() else " (missing)"

    @staticmethod
    def done_twice(first: Ended, second: Ended) -> list[str]:
        """Parts that were finished by a disturbed run, whose output was not, and that the next run made again."""
        moved = {call.path for call in first.calls if call.name == "replace"}
        again = Counter(call.path for call in second.calls if call.name == "replace")
        twice = []
        for path in moved & again.keys():
            folder = Path(path).parent
            if folder.name.endswith(".parts") and not path.endswith((".json", ".sha256")):
                output = folder.with_name(folder.name.removeprefix(".").removesuffix(".parts"))
                if str(output) not in moved:
                    twice.append(f"done twice: {Path(path).name}")
        return twice


def rows_apart(expected: bytes, found: bytes) -> str:
    """How many lines were lost, came twice, or changed places."""
    one, two = (Counter(content.split(b"\n")) for content in (expected, found))
    lost, more = sum((one - two).values()), sum((two - one).values())
    moved = int(one == two and expected != found)
    return f"{lost} lost, {more} more, {moved} reordered"


def wait_for(descriptor: int, running: Running, seconds: float) -> bool:
    """Whether a process says something within so many seconds, before it ends."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        if select.select([descriptor], [], [], 0.01)[0]:
            return True
        if os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return False
    return False
