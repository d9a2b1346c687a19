"""Faults injected into runs of the command line, and what is lost by them: `make faults`.

Every command runs once undisturbed, which tells its system calls and its output. Then it runs again and again, and each
time something happens: a kill or an interruption right before and right after each of these calls; an error from one of
them, or from all that follow; signals at random moments; kept files and inputs that are damaged before the run goes on;
a second process; streams that are closed; memory and disks that end. After each fault every output must be absent, the
old one or the new one, and the same command, given again, must end with the bytes of the undisturbed run, leave no
temporary file, and do no finished part again.

SQLite's test harness is the model (https://www.sqlite.org/testing.html, "I/O error testing" and "crash testing").
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import json
import os
import resource
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from commands import COMMANDS
from ground import Ended, Ground, rows_apart, wait_for
from injection import APPLIES, SIGNALS, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Case", "Found", "cases_of", "inject", "prepared", "selected", "table", "warm_up"]

_SEED: Final = 5
_WAYS: Final = ("emptied", "cut in half", "a bit at 1/7", "a bit at 1/2", "a bit at 6/7", "removed")


@dataclass(frozen=True, slots=True)
class Case:
    """A fault to be injected.

    Attributes:
        command: name of the command.
        kind: of fault, in the table.
        state: of the folder before: `plain` or `old`.
        fault: at a system call.
        how: arguments of the kind.
    """

    command: str
    kind: str
    state: str
    fault: Fault | None = None
    how: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a fault has done.

    Attributes:
        case: what was injected.
        happened: whether it came to pass: the run may have ended before.
        wrong: what should not be so; nothing, if all is well.
    """

    case: Case
    happened: bool
    wrong: list[str] = field(default_factory=list)


def warm_up(commands: Sequence[str]) -> None:
    """Import what the commands need, once for all processes that are forked."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    names = ["xner.io", "xner.cli.main", "xner.models.translators.command", "pyarrow.parquet", "pyarrow.compute"]
    names += ["pyarrow.csv", "xner.pipelines.projection_run", "xner.experiments.recipes"]
    names += [f"xner.cli.commands.{COMMANDS[one].arguments[0].replace('-', '_')}" for one in commands]
    extras = {COMMANDS[one].extra for one in commands}
    if extras & {"models", "train"}:
        names += ["torch", "transformers", "safetensors.torch", "xner.models.network.piece_network", "tiny_models"]
        names += ["transformers.models.bert.modeling_bert", "transformers.models.bert.tokenization_bert"]
    if "train" in extras:
        names += ["accelerate", "xner.training._trainer", "xner.training.run", "two_languages"]
    for name in names:
        importlib.import_module(name)


def cases_of(ground: Ground, kinds: Sequence[str]) -> list[Case]:
    """All faults of some kinds that a command is to go through."""
    made: list[Case] = []
    for kind in kinds:
        made += _MAKERS[kind](ground, kind)
    return made


def selected(ground: Ground, cases: Sequence[Case], every: int) -> list[Case]:
    """Every n-th fault; kills right before a call are all among them, but of commands that take long."""
    chosen = []
    if ground.command.is_long:
        return list(cases[:: 2 * every if every > 1 else 1])
    for number, case in enumerate(cases):
        is_kill = case.kind == "SIGKILL" and case.fault is not None and not case.fault.after
        if number % every == 0 or (is_kill and case.state == ground.states[-1]):
            chosen.append(case)
    return chosen


def prepared(name: str, root: Path) -> Ground:
    """The ground of a command."""
    return Ground(Path(tempfile.mkdtemp(prefix="ground-", dir=root)).resolve(), COMMANDS[name])


def inject(ground: Ground, case: Case) -> Found:
    """Inject a fault, look, run the command again, and look again."""
    ground.restore(case.state)
    return _INJECTORS[case.kind](ground, case)


# --- At system calls --------------------------------------------------------------------------------------------------


def _at_calls(ground: Ground, kind: str) -> Iterator[Case]:
    for state in ground.states:
        for at, call in enumerate(ground.calls):
            if kind in APPLIES:
                if call.name in APPLIES[kind]:
                    yield Case(
                        ground.command.name, kind, state, Fault(at, kind, stays=(at + (state == "old")) % 2 == 0)
                    )
            elif kind == "vanish":
                for place in _places(ground, call.path):
                    yield Case(ground.command.name, kind, state, Fault(at, kind, arguments=(place, str(ground.away))))
            else:
                for after in (False, True):
                    yield Case(ground.command.name, kind, state, Fault(at, kind, after=after))


def _places(ground: Ground, path: str) -> list[str]:
    """Folders that may be gone when a call is about a file in them."""
    folder = Path(path).parent
    is_kept = str(folder).startswith(str(ground.case)) and folder != ground.case
    return [str(ground.case), *([str(folder)] if is_kept else [])]


def _inject_at_call(ground: Ground, case: Case) -> Found:
    assert case.fault is not None
    first = ground.run(ground.command.arguments, case.fault)
    happened = case.fault.at is not None and len(first.calls) > case.fault.at
    wrong = _clear(first, case)
    if case.kind == "vanish" and ground.away.exists():
        place = Path(case.fault.arguments[0])
        if not place.exists():
            ground.away.rename(place)
    if case.kind == "vanish" and case.fault.arguments[0] == str(ground.case) and first.status == 0:
        # Paths from the working folder go on leading to it: the run has ended where the folder was by then.
        return Found(case, happened, wrong + ground.wrong_at_the_end(first))
    wrong += ground.wrong_meanwhile(case.state)
    return _again(ground, case, first, happened, wrong)


def _again(
    ground: Ground, case: Case, first: Ended, happened: bool, wrong: list[str], *, is_same: bool = True
) -> Found:
    """Give the command again, and see how it ends; parts of the first run count where that had the same inputs."""
    second = ground.run(ground.command.arguments)
    if second.status == 2 and "--overwrite replaces it" in second.error and _has_no_note(ground, case, first):
        second = ground.run((*ground.command.arguments, "--overwrite"))  # what may be somebody's is asked for
    wrong += ground.wrong_at_the_end(second)
    if is_same and case.kind != "vanish":
        wrong += ground.done_twice(first, second)
    return Found(case, happened, wrong)


def _has_no_note(ground: Ground, case: Case, ended: Ended) -> bool:
    """Whether it could not be noted that the command has made its output: then the next run asks."""
    lacks_place = any(
        call.name.startswith("undone") and call.path.startswith(str(ground.cache)) for call in ended.calls
    )
    return case.kind in APPLIES and (lacks_place or (case.fault is not None and case.fault.stays))


def _clear(ended: Ended, case: Case) -> list[str]:
    """What is unclear about how a run ended."""
    wrong = ["unclear end: " + ended.error.strip().splitlines()[-1]] if "Traceback" in ended.error else []
    wrong += ["exception ignored: " + ended.error[-300:]] if "Exception ignored" in ended.error else []
    allowed: set[int] = {0, 1}
    what = case.fault.what if case.fault is not None else case.kind
    if what in SIGNALS:
        allowed = {0, -getattr(signal, what)} if what != "SIGINT" else {0, 130}
    elif what.startswith("random "):
        allowed = {0, 130, -signal.SIGKILL, -signal.SIGTERM}
    if ended.status not in allowed:
        wrong.append(f"ended with {ended.status}: {ended.error.strip()[-300:]}")
    if ended.status == 1 and not ended.error.strip() and case.kind != "streams":
        wrong.append("ended without a word")
    return wrong


# --- At random moments ------------------------------------------------------------------------------------------------


def _at_random(ground: Ground, kind: str) -> Iterator[Case]:
    random = Random(_SEED)
    for number in range(10 if ground.command.is_long else 30):
        what = SIGNALS[number % 3] if kind == "random signal" else "SIGKILL"
        moment = random.uniform(0.02, ground.reference.seconds)
        yield Case(ground.command.name, kind, random.choice(ground.states), how=(what, moment))


def _inject_at_random(ground: Ground, case: Case) -> Found:
    what, moment = case.how
    running = ground.start(ground.command.arguments, prepare=_with_threads)
    time.sleep(moment)
    happened = os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    if happened:
        os.kill(running.pid, getattr(signal, what))
    first = running.ended()
    wrong = [] if what != "SIGINT" and first.status != 0 else _clear(first, case)
    wrong += ground.wrong_meanwhile(case.state)
    return _again(ground, case, first, happened, wrong)


def _with_threads() -> None:
    """Have parts be written by threads, as they are where nobody counts calls."""
    from xner._support import pieces
    from xner.pipelines import runner

    setattr(runner, "has_room_for_threads", pieces.has_room_for_threads)  # noqa: B010  # of this process alone


# --- What is kept is damaged, inputs change ---------------------------------------------------------------------------


def _kept_moments(ground: Ground) -> list[int]:
    """Calls at which something is kept: spread over the run."""
    ends = [at for at, call in enumerate(ground.calls) if call.name == "replace"]
    if not ends:
        return []
    most = 3 if ground.command.is_long else 6
    return sorted({ends[len(ends) * place // most] for place in range(most)})


def _damages(ground: Ground, kind: str) -> Iterator[Case]:
    for at in _kept_moments(ground):
        ground.restore("plain")
        ground.run(ground.command.arguments, Fault(at, "SIGKILL", after=True))
        names = _kept_files(ground)
        ways = _WAYS[:4] if ground.command.is_long else _WAYS
        if ground.command.is_long:  # optimizers' and others': one of each name
            names = list({Path(name).name: name for name in names}.values())
        for name in names:
            for way in ways:
                yield Case(ground.command.name, kind, "plain", Fault(at, "SIGKILL", after=True), (name, way))


def _kept_files(ground: Ground) -> list[str]:
    """What a killed run has left, but locks and temporary files, whose names differ."""
    found = [name for name in ground.files() if name not in ground.inputs and (ground.case / name).is_file()]
    return [name for name in found if not name.endswith((".lock", ".tmp"))]


def _damage(path: Path, way: str) -> bool:
    """Damage a file; whether it is another one now."""
    before = path.read_bytes()
    if way == "removed":
        path.unlink()
        return True
    content = bytearray(before)
    if way == "emptied":
        content = bytearray()
    elif way == "cut in half":
        content = content[: len(content) // 2]
    elif content:
        above, below = way.removeprefix("a bit at ").split("/")
        place = len(content) * int(above) // int(below)
        content[place] ^= 1 << place % 8
    path.write_bytes(content)
    return bytes(content) != before


def _inject_damage(ground: Ground, case: Case) -> Found:
    name, way = case.how
    ground.run(ground.command.arguments, case.fault)
    path = ground.case / name
    if not path.is_file():
        return Found(case, happened=False)
    is_output = name in ground.new and not Ground.is_kept(name)
    happened = _damage(path, way)
    second = ground.run(ground.command.arguments)
    if is_output and second.status in {1, 2}:  # it may be someone's own by now: it is refused by name, and not replaced
        wrong = [] if Path(name).name in second.error or "out" in second.error else [f"ended with {second.error}"]
        return Found(case, happened, wrong)
    return Found(case, happened, ground.wrong_at_the_end(second))


_INPUT_WAYS: Final = ("a row changed", "a row more", "emptied", "cut in half", "a bit at 1/2", "a bit at 6/7")


def _changes(ground: Ground, kind: str) -> Iterator[Case]:
    moments = _kept_moments(ground)
    for name in (*ground.command.inputs, *ground.command.models):
        for number, way in enumerate(_INPUT_WAYS):
            for at in moments[:1] if ground.command.is_long else moments[number % 2 :: 2]:
                yield Case(ground.command.name, kind, ground.states[-1], Fault(at, "SIGKILL", after=True), (name, way))


def _change(path: Path, way: str) -> None:
    text = path.read_bytes()
    if way == "a row changed":
        line = next(line for line in text.splitlines() if line.strip() and not line.startswith(b"#"))
        path.write_bytes(text.replace(line, b"X" + line[1:], 1))
    elif way == "a row more":
        head = text.split(b"\n\n" if b"\n\n" in text else b"\n")[0]
        path.write_bytes(text + (b"\n" if b"\n\n" in text and not text.endswith(b"\n\n") else b"") + head + b"\n")
    else:
        _damage(path, way)


def _inject_change(ground: Ground, case: Case) -> Found:
    name, way = case.how
    whole = (ground.case / name).read_bytes()
    _change(ground.case / name, way)
    expected = ground.run(ground.command.arguments)  # of a run that knows of no other input
    outcome = ground.files()
    ground.restore(case.state)
    ground.run(ground.command.arguments, case.fault)
    _change(ground.case / name, way)
    second = ground.run(ground.command.arguments)
    wrong = []
    found = ground.files()
    if name in ground.command.models and expected.status:
        place = name.partition("/")[0]
        if expected.status != 1 or "Traceback" in expected.error or place not in expected.error.replace("\n", ""):
            wrong.append(f"not told: {expected.status}: {expected.error[-300:]}")
    if second.status != expected.status:
        wrong.append(f"ended with {second.status} and not {expected.status}: {second.error.strip()[-300:]}")
    elif expected.status == 0:
        wrong += [f"not noticed: {one}" for one in outcome.keys() | found.keys() if outcome.get(one) != found.get(one)]
    (ground.case / name).write_bytes(whole)
    if second.status == 0 and ground.command.output == "out":
        return Found(case, happened=True, wrong=wrong)  # the folder has that run now, and others are refused
    if expected.status:
        wrong += ground.wrong_at_the_end(ground.run(ground.command.arguments))
    return Found(case, happened=True, wrong=wrong)


# --- The clock, the cache ---------------------------------------------------------------------------------------------

_CLOCKS: Final = {"an hour back": 3600.0, "a year back": 3.2e7, "a year on": -3.2e7, "to 1970": None}


def _clocks(ground: Ground, kind: str) -> Iterator[Case]:
    for number, at in enumerate(_kept_moments(ground)):
        for way in list(_CLOCKS)[number % 2 :: 2] if ground.command.is_long else _CLOCKS:
            yield Case(ground.command.name, kind, ground.states[-1], Fault(at, "SIGKILL", after=True), (way,))


def _inject_clock(ground: Ground, case: Case) -> Found:
    """The clock is set between a kill and the run that goes on: inputs and what is kept are of another time then.

    Not outputs: one that was touched may have been changed, and is asked about.
    """
    (way,) = case.how
    first = ground.run(ground.command.arguments, case.fault)
    by = _CLOCKS[way]
    moment = 0.0 if by is None else time.time() + by
    outputs = {ground.case / name for name in ground.new if name not in ground.inputs and not Ground.is_kept(name)}
    for path in {*ground.case.rglob("*"), *ground.cache.rglob("*")} - outputs:
        os.utime(path, (moment, moment))
    return _again(ground, case, first, True, ground.wrong_meanwhile(case.state))


_CACHE_WAYS: Final = (
    *_WAYS,
    *(f"a bit at {place}/97" for place in range(3, 97, 7)),
    "locked",
    "read-only",
    "no database",
)


def _caches(ground: Ground, kind: str) -> Iterator[Case]:
    if ground.command.cache is None:
        return
    moments = _kept_moments(ground)
    for number, way in enumerate(_CACHE_WAYS):
        at = moments[number % len(moments)]
        yield Case(ground.command.name, kind, "plain", Fault(at, "SIGKILL", after=True), (way,))


def _inject_cache(ground: Ground, case: Case) -> Found:
    """The cache is damaged, or cannot be used, when the run goes on: it is refused by name, or not believed."""
    (way,) = case.how
    first = ground.run(ground.command.arguments, case.fault)
    path = ground.case / str(ground.command.cache)
    wrong = ground.wrong_meanwhile(case.state)
    if not path.is_file():
        return Found(case, happened=False, wrong=wrong)
    for one in ground.case.glob(f"{path.name}*"):
        one.unlink()
    path.write_bytes(ground.full_cache)  # so that the rest of the run is asked of it
    with contextlib.ExitStack() as stack:
        if way == "locked":
            stack.enter_context(contextlib.closing(sqlite3.connect(path))).execute("BEGIN EXCLUSIVE")
        elif way == "no database":
            path.write_bytes(b"no database, but longer than its header\n" * 100)
        elif way != "read-only":
            _damage(path, way)
        # Whatever of it is in the finished parts is not asked for any more.
        second = ground.run(ground.command.arguments, prepare=lambda: _unwilling(way))
    if second.status == 0:
        return Found(case, True, wrong + ground.wrong_at_the_end(second) + ground.done_twice(first, second))
    wrong += ground.wrong_meanwhile(case.state)
    if second.status != 1 or "Traceback" in second.error or f"'{path.name}' as a cache" not in second.error:
        wrong.append(f"not told: {second.status}: {second.error[-200:]}")
    if way not in {"locked", "read-only"}:
        for one in ground.case.glob(f"{path.name}*"):
            one.unlink()
    third = ground.run(ground.command.arguments)
    wrong += ground.wrong_at_the_end(third)
    is_kept = way != "no database"  # which may be somebody's own: then it is an option that is wrong
    return Found(case, True, wrong + (ground.done_twice(first, third) if is_kept else []))


def _unwilling(way: str) -> None:
    """Have the cache not wait for long, or not let anything be written."""
    from xner.models.translators import cache

    setattr(cache, "_LOCKED_SECONDS", 0.1)  # noqa: B010  # which is final for type checkers
    if way == "read-only":
        connect = sqlite3.connect
        setattr(sqlite3, "connect", lambda path, **how: connect(f"file:{path}?mode=ro", uri=True, **how))  # noqa: B010  # which type checkers take for final


# --- Wrong rows, models that fail -------------------------------------------------------------------------------------


def _bad_rows(ground: Ground, kind: str) -> Iterator[Case]:
    for name in ground.command.inputs:
        for way in ("not UTF-8", "no such label"):
            for state in ground.states:
                yield Case(ground.command.name, kind, state, how=(name, way))
    if ground.command.name in {"tag", "project", "project, translating", "translate", "train"}:
        for number in range(3):
            yield Case(ground.command.name, kind, "plain", how=("batch", number))


def _inject_bad_row(ground: Ground, case: Case) -> Found:
    name, way = case.how
    if name == "batch":
        first = ground.run(ground.command.arguments, prepare=lambda: _failing_batch(ground.command.name, way))
        happened = first.status != 0
        wrong = ground.wrong_meanwhile(case.state)
        return _again(ground, case, first, happened, wrong)
    path = ground.case / name
    whole = path.read_bytes()
    lines = whole.split(b"\n")
    place = next(
        at for at in range(len(lines) // 2, len(lines)) if lines[at].strip() and not lines[at].startswith(b"#")
    )
    lines[place] = b"\xff\xfe" + lines[place] if way == "not UTF-8" else lines[place] + b"!"
    path.write_bytes(b"\n".join(lines))
    first = ground.run(ground.command.arguments)
    wrong = _clear(first, case)
    if way == "not UTF-8" and (first.status != 1 or name not in first.error.replace("\n", "")):
        wrong.append(f"not told: {first.status}: {first.error[-200:]}")
    path.write_bytes(whole)
    if first.status:
        wrong += ground.wrong_meanwhile(case.state)
        return _again(ground, case, first, True, wrong, is_same=False)
    return Found(case, happened=True, wrong=wrong)


def _failing_batch(command: str, number: int) -> None:
    """Have the n-th batch of a command's model fail."""
    from xner.projection.projector import Projector

    count = iter(range(1_000_000))

    def failing(function: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            if next(count) == number:
                raise RuntimeError("the model has failed")
            return function(*arguments, **options)

        return call

    if command in {"tag", "train"}:
        import torch

        torch.nn.Linear.forward = failing(torch.nn.Linear.forward)  # type: ignore[method-assign]  # the fault itself
    elif command == "project":
        Projector.__call__ = failing(Projector.__call__)  # type: ignore[method-assign]  # the fault itself
    else:
        setattr(subprocess, "Popen", failing(subprocess.Popen))  # noqa: B010  # of all modules


# --- Two processes ----------------------------------------------------------------------------------------------------


def _pairs_of_processes(ground: Ground, kind: str) -> Iterator[Case]:
    some = range(0, len(ground.calls), 12 if ground.command.is_long else 3)
    for at in some:
        yield Case(ground.command.name, kind, ground.states[at % len(ground.states)], Fault(at, "hold"))


def _inject_second_process(ground: Ground, case: Case) -> Found:
    assert case.fault is not None
    told, tell = os.pipe()
    waits, release = os.pipe()
    try:
        first = ground.start(
            ground.command.arguments, Fault(case.fault.at, "hold", arguments=(tell, waits)), name="one"
        )
        happened = wait_for(told, first, 60)
        second = ground.start(ground.command.arguments, name="two").ended()
        os.write(release, b"x")
        ended = first.ended()
    finally:
        for descriptor in (told, tell, waits, release):
            os.close(descriptor)
    wrong = []
    call = ground.calls[case.fault.at or 0]
    refused = second.status == 1 and f"is being written by process {first.pid} on" in " ".join(second.error.split())
    if second.status not in {0, 1} or (second.status == 1 and not refused):
        wrong.append(f"the second process ended with {second.status}: {second.error[-300:]}")
    if ended.status not in {0, 1} or (ended.status == 1 and "is being written" not in ended.error):
        wrong.append(f"the first process ended with {ended.status}: {ended.error[-300:]}")
    is_ours = call.path.startswith(str(ground.case)) and ".lock" not in call.path
    if happened and is_ours and call.name in {"write", "replace"} and not refused:
        wrong.append(f"not refused at {call.name} {Path(call.path).name}")
    wrong += ground.wrong_meanwhile(case.state)
    return _again(ground, case, ended, happened, wrong)


# --- Streams, memory, disks -------------------------------------------------------------------------------------------


def _streams(ground: Ground, kind: str) -> Iterator[Case]:
    for state in ground.states:
        for which in ("out closed", "error closed", "both closed", "out without a reader", "error without a reader"):
            yield Case(ground.command.name, kind, state, how=(which,))


_STARTED: Final = """\
import sys
from ground import Ground
from xner.cli.main import main
Ground.small_parts()
sys.argv[0] = "xner"
main()
"""


def _inject_stream(ground: Ground, case: Case) -> Found:
    """In a new interpreter, as what it does with its streams at the end counts."""
    (which,) = case.how
    redirections = {
        "out closed": ">&-",
        "error closed": "2>&-",
        "both closed": ">&- 2>&-",
        "out without a reader": f"| {sys.executable} -S -c pass",
        "error without a reader": f"2>&1 >/dev/null | {sys.executable} -S -c pass",
    }
    command = " ".join(shlex.quote(one) for one in (sys.executable, "-c", _STARTED, *ground.command.arguments))
    first = _apart(ground, "bash", "-o", "pipefail", "-c", f"{command} {redirections[which]}")
    wrong = _clear(first, case) + ground.wrong_meanwhile(case.state)
    return _again(ground, case, first, happened=True, wrong=wrong)


def _memories(ground: Ground, kind: str) -> Iterator[Case]:
    for state in ground.states:
        for step in range(4 if ground.command.is_long else 14):
            yield Case(ground.command.name, kind, state, how=((step - 7) * 400_000, 0))
        for step in range(3 if ground.command.is_long else 7):
            yield Case(ground.command.name, kind, state, how=(0, 100_000 << step))


_TAKEN: Final[list[bytes]] = []  # so that it stays, as long as a process is there


def _inject_memory(ground: Ground, case: Case) -> Found:
    """So much more than the process has; or with what it has freed and could take again all but so much taken."""
    more, left = case.how

    def limit() -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        size = pages * resource.getpagesize() + more
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
        for chunk in (1 << 20, 1 << 16, 1 << 12) if left else ():
            with contextlib.suppress(MemoryError):
                while True:
                    _TAKEN.append(bytes(chunk))
        del _TAKEN[: -(-left // (1 << 20))]
        if left < 1 << 20:
            _TAKEN.append(bytes((1 << 20) - left))

    first = ground.run(ground.command.arguments, prepare=limit)
    wrong = _clear(first, case) + ground.wrong_meanwhile(case.state)
    return _again(ground, case, first, first.status != 0, wrong)


def _disks(ground: Ground, kind: str) -> Iterator[Case]:
    if os.geteuid() == 0 and _can_mount():
        for step in range(6 if ground.command.is_long else 12):
            yield Case(ground.command.name, kind, "plain", how=(4096 * (1 << step) // 2,))


def _can_mount() -> bool:
    place = tempfile.mkdtemp()
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "none", place], capture_output=True, check=False)
        if done.returncode == 0:
            subprocess.run(["umount", place], check=True)
        return done.returncode == 0
    finally:
        Path(place).rmdir()


def _inject_full_disk(ground: Ground, case: Case) -> Found:
    """The folder on a disk with so many bytes left."""
    (left,) = case.how
    size = sum(path.stat().st_size + 4096 for path in ground.case.rglob("*")) + 4096 * 4
    aside = ground.root / "aside"
    ground.case.rename(aside)
    ground.case.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size + left}", "none", str(ground.case)], check=True)
    try:
        shutil.copytree(aside, ground.case, dirs_exist_ok=True)
        first = ground.run(ground.command.arguments)
        wrong = _clear(first, case) + ground.wrong_meanwhile(case.state)
        subprocess.run(["mount", "-o", "remount,size=1g", str(ground.case)], check=True)
        return _again(ground, case, first, first.status != 0, wrong)
    finally:
        subprocess.run(["umount", "-l", str(ground.case)], check=True)
        shutil.rmtree(aside)


# --- A cluster --------------------------------------------------------------------------------------------------------

_AT: Final = {
    "project, ready links": 1,
    "align, a saved aligner": 1,
    "translate": 2,
    "score": 1,
    "tag": 1,
    "run": 1,
}
"""Commands with workers, and which result of theirs a process that hands pieces out is killed at."""
_RESUMED: Final = ("project, ready links", "translate", "tag")
_KILLED: Final = "cluster: a worker killed"
_FAILS: Final = "cluster: a model fails on a piece"
_NODE_KILLED: Final = "cluster: a node killed"
_TWO: Final = "cluster: two runs at once"
_DRIVER_KILLED: Final = "cluster: the driver killed"
_ON_WITHOUT: Final = "cluster: the driver killed, on without"
_ON_WITH: Final = "killed without a cluster, on with one"
_DRIVERS: Final = (_DRIVER_KILLED, _ON_WITHOUT, _ON_WITH)
_OVER_CLUSTERS: Final[dict[str, Sequence[str]]] = {
    _KILLED: tuple(_AT),
    _FAILS: ("align, a saved aligner", "score", "tag"),
    _NODE_KILLED: ("project, ready links", "tag"),
    **dict.fromkeys(_DRIVERS, _RESUMED),
    _TWO: ("project, ready links", "tag"),
}
"""What happens to clusters and those who use them, and to which commands."""
_WORKING: Final = 60.0  # seconds after which a piece is worked on although no node was killed
_NODES: Final = """\
import sys
from ray.cluster_utils import Cluster

def another():
    return cluster.add_node(num_cpus=1, resources={"apart": 1})

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
node = another()
print(cluster.address, flush=True)
for _ in sys.stdin:
    cluster.remove_node(node, allow_graceful=False)
    node = another()
    print("another", flush=True)
cluster.shutdown()
"""
"""A cluster of two nodes on this machine; each line that it is sent has the second one replaced."""
_CLUSTER: Final[list[tuple[subprocess.Popen[str], str]]] = []  # of this process, and its address


def _cluster() -> tuple[subprocess.Popen[str], str]:
    """The cluster of this process, which is started when it is needed first."""
    if not _CLUSTER:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "RAY_USAGE_STATS_ENABLED": "0"}
        nodes = subprocess.Popen(
            [sys.executable, "-c", _NODES],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        _CLUSTER.append((nodes, _said(nodes, ":")))
    return _CLUSTER[0]


def _said(nodes: subprocess.Popen[str], what: str) -> str:
    """The next line with something in it that is told of the nodes.

    Raises:
        RuntimeError: there is none.
    """
    assert nodes.stdout is not None
    for line in nodes.stdout:
        if what in line and " " not in line.strip():
            return line.strip()
    raise RuntimeError("the cluster has ended")


def _end_cluster() -> None:
    while _CLUSTER:
        nodes, _ = _CLUSTER.pop()
        nodes.communicate(timeout=120)


def _clusters(ground: Ground, kind: str) -> Iterator[Case]:
    if importlib.util.find_spec("ray") is not None and ground.command.name in _OVER_CLUSTERS[kind]:
        yield Case(ground.command.name, kind, ground.states[-1])


def _inject_cluster(ground: Ground, case: Case) -> Found:
    """Processes and machines of a cluster die, whose parts others do; or the one that hands parts out, and goes on."""
    mark = ground.root / "died"
    mark.unlink(missing_ok=True)
    nodes, address = _cluster()
    kind, name = case.kind, ground.command.name
    options = ("--engine", "ray", "--address", address)
    if name == "run":
        options = ("--set", "engine=ray", "--set", f"address={address}")
    here, there = ground.command.arguments, (*ground.command.arguments, *options)
    if kind == _TWO:
        return _two_at_once(ground, case, there)
    first = ground.run(here if kind == _ON_WITH else there, prepare=lambda: _disturb(kind, mark, _AT[name]))
    happened = mark.exists()
    if kind in {_KILLED, _NODE_KILLED}:
        wrong = _clear(first, case) + [
            one for one in ground.wrong_at_the_end(first) if not one.startswith("not the same: out/recipe.toml")
        ]  # which says as well where the run was worked on
        if kind == _NODE_KILLED and nodes.stdin is not None:
            nodes.stdin.write("\n")
            nodes.stdin.flush()
            _said(nodes, "another")
        return Found(case, happened, wrong)
    wrong = ground.wrong_meanwhile(case.state)
    if first.status == 0:
        wrong.append("ended well")
    if kind != _FAILS and not any(one.endswith(".sha256") for one in ground.files()):
        wrong.append("lost: the part that was finished")
    second = ground.run(here if kind == _ON_WITHOUT else there, prepare=_small_batches)
    return Found(case, happened, wrong + ground.wrong_at_the_end(second) + ground.done_twice(first, second))


def _two_at_once(ground: Ground, case: Case, arguments: tuple[str, ...]) -> Found:
    """Two runs share the workers, each with an output of its own."""
    output = ground.command.output
    other = tuple(f"other-{one}" if one == output else one for one in arguments)
    runs = [ground.start(one, name=name) for name, one in (("one", arguments), ("two", other))]
    first, second = (one.ended() for one in runs)
    wrong = [] if second.status == 0 else [f"the second process ended with {second.status}: {second.error[-300:]}"]
    path = ground.case / f"other-{output}"
    if path.is_file():
        if path.read_bytes() != ground.content[output]:
            wrong.append(f"not the same: {path.name} ({rows_apart(ground.content[output], path.read_bytes())})")
        path.unlink()
    return Found(case, True, wrong + ground.wrong_at_the_end(first))


def _small_batches() -> None:
    """Have a few lines be several batches of a program that translates."""
    from xner.models.translators import command

    setattr(command, "_BATCH", 8)  # noqa: B010  # which is final for type checkers


def _disturb(kind: str, mark: Path, at: int) -> None:
    """Have something happen in this run, or in its workers, once."""
    from xner.pipelines.engines import LocalEngine, RayEngine

    _small_batches()
    count = iter(range(1_000_000))
    is_driver = kind in _DRIVERS

    def disturbed(handed_out: Any) -> Any:
        def over(engine: Any, stage: Any, pieces: Any, **how: Any) -> Iterator[Any]:
            for made in handed_out(engine, stage if is_driver else _Dying(stage, kind, mark), pieces, **how):
                if is_driver and next(count) == (1 if kind == _ON_WITH else at):
                    mark.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
                yield made

        return over

    used: Any = LocalEngine if kind == _ON_WITH else RayEngine
    used.map = disturbed(used.map)


@dataclass(frozen=True, slots=True)
class _Dying:
    """A stage that something happens to in the worker that works on a piece first, or first on the node apart.

    Attributes:
        stage: the stage.
        kind: of fault.
        mark: a file that is there once it has happened.
    """

    stage: Callable[[Any], Any]
    kind: str
    mark: Path

    def __call__(self, piece: Any) -> Any:
        if self.kind == _NODE_KILLED and not _is_apart():
            until = time.monotonic() + _WORKING  # so that the other node gets a piece
            while not self.mark.exists() and time.monotonic() < until:
                time.sleep(0.05)
        elif not self.mark.exists():
            self.mark.touch()
            if self.kind == _FAILS:
                raise RuntimeError("the model has failed")
            if self.kind == _NODE_KILLED:
                os.kill(os.getppid(), signal.SIGKILL)  # what Ray runs a machine by
            os.kill(os.getpid(), signal.SIGKILL)
        return self.stage(piece)


def _is_apart() -> bool:
    """Whether this worker is on the second node."""
    import ray

    here, nodes = ray.get_runtime_context().get_node_id(), ray.nodes()  # type: ignore[no-untyped-call]  # of Ray
    return any(node["NodeID"] == here and "apart" in node["Resources"] for node in nodes)


def _apart(ground: Ground, *command: str) -> Ended:
    """Run a command in a process of its own, which imports what this one does."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(ground.cache), "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        command, cwd=ground.case, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    return Ended(run.returncode, run.stdout, run.stderr, [], 0.0)


_MAKERS: Final[dict[str, Callable[[Ground, str], Iterator[Case]]]] = {
    **dict.fromkeys([*SIGNALS, *APPLIES, "vanish"], _at_calls),
    "random signal": _at_random,
    "kept files damaged": _damages,
    "inputs changed": _changes,
    "clock set": _clocks,
    "cache damaged": _caches,
    "wrong rows, failing models": _bad_rows,
    "two processes": _pairs_of_processes,
    "streams": _streams,
    "memory": _memories,
    "full disk": _disks,
    **dict.fromkeys(_OVER_CLUSTERS, _clusters),
}
_INJECTORS: Final[dict[str, Callable[[Ground, Case], Found]]] = {
    **dict.fromkeys([*SIGNALS, *APPLIES, "vanish"], _inject_at_call),
    "random signal": _inject_at_random,
    "kept files damaged": _inject_damage,
    "inputs changed": _inject_change,
    "clock set": _inject_clock,
    "cache damaged": _inject_cache,
    "wrong rows, failing models": _inject_bad_row,
    "two processes": _inject_second_process,
    "streams": _inject_stream,
    "memory": _inject_memory,
    "full disk": _inject_full_disk,
    **dict.fromkeys(_OVER_CLUSTERS, _inject_cluster),
}
KINDS: Final = tuple(_MAKERS)
"""All kinds of faults."""


# --- All of them ------------------------------------------------------------------------------------------------------


def _work(
    name: str, kinds: Sequence[str], root: Path, part: int, parts: int, every: int, until: float
) -> Iterator[dict[str, Any]]:
    """One worker's share of a command's faults, as far as it comes."""
    if time.monotonic() > until:
        return
    ground = prepared(name, root)
    for case in selected(ground, cases_of(ground, kinds), every)[part::parts]:
        if time.monotonic() > until:
            return
        began = time.perf_counter()
        try:
            found = inject(ground, case)
        except Exception:  # counts as a fault with consequences, and fails the run
            found = Found(case, True, [f"harness: {traceback.format_exc()}"])
        call = ""
        if case.fault is not None and case.fault.at is not None:
            its = ground.calls[case.fault.at]
            call = f"{its.name} {Path(its.path).name}"
        yield {
            "command": name,
            "kind": case.kind,
            "happened": found.happened,
            "wrong": found.wrong,
            "case": f"{case.state} {case.fault} {case.how} at {call}",
            "seconds": time.perf_counter() - began,
        }


def run_all(
    names: Sequence[str], kinds: Sequence[str], *, workers: int, every: int, until: float
) -> list[dict[str, Any]]:
    """Inject faults of some kinds into some commands, in several processes; what each has done until a moment."""
    warm_up(names)
    with tempfile.TemporaryDirectory(prefix="xner-faults-") as root:
        running = {}
        for part in range(workers):
            file = Path(root) / f"found-{part}.jsonl"
            sys.stdout.flush()
            if pid := os.fork():
                running[pid] = file
                continue
            status = 1
            try:
                with file.open("w", encoding="utf-8") as out:
                    for name in names:
                        for one in _work(name, kinds, Path(root), part, workers, every, until):
                            out.write(json.dumps(one) + "\n")
                            if one["wrong"]:
                                print(_line(one), flush=True)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    _end_cluster()
                os._exit(status)
        failed = [pid for pid in running if os.waitpid(pid, 0)[1]]
        if failed:
            raise RuntimeError(f"{len(failed)} workers failed")
        return [json.loads(line) for file in running.values() for line in file.read_text(encoding="utf-8").splitlines()]


def table(found: Sequence[dict[str, Any]]) -> str:
    """What was injected where, how often, and what came of it, in Markdown."""
    names = list(dict.fromkeys(one["command"] for one in found))
    lines = ["| fault | " + " | ".join(names) + " | all |", "| --- |" + " --- |" * (len(names) + 1)]
    count = Counter((one["kind"], one["command"]) for one in found if one["happened"])
    for kind in KINDS:
        if any(one["kind"] == kind for one in found):
            cells = [count[kind, name] for name in names]
            lines.append(f"| {kind} | " + " | ".join(map(str, [*cells, sum(cells)])) + " |")
    sums = [sum(count[kind, name] for kind in KINDS) for name in names]
    lines.append("| all | " + " | ".join(map(str, [*sums, sum(sums)])) + " |")
    for what in ("damaged", "lost", "more", "reordered", "rerun failed", "left over", "done twice", "not noticed"):
        cells = [sum(_counts(one, what) for one in found if one["command"] == name) for name in names]
        lines.append(f"| *{what}* | " + " | ".join(map(str, [*cells, sum(cells)])) + " |")
    return "\n".join(lines)


def _counts(one: dict[str, Any], what: str) -> bool:
    return any(what in text and f"0 {what}" not in text for text in one["wrong"])


def _line(one: dict[str, Any]) -> str:
    return "\n    ".join([f"{one['command']}, {one['kind']}: {one['case']}", *one["wrong"]])


def main() -> int:
    """The command line of the harness."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--command", action="append", choices=list(COMMANDS), help="these alone; default: all")
    parser.add_argument("--kind", action="append", choices=KINDS, help="these alone; default: all")
    parser.add_argument("--every", type=int, default=1, help="every n-th case alone")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no fault after so many seconds")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--times", action="store_true", help="show how long faults took")
    chosen = parser.parse_args()
    began = time.perf_counter()
    names = chosen.command or list(COMMANDS)
    until = time.monotonic() + chosen.seconds
    found = run_all(names, chosen.kind or KINDS, workers=chosen.workers, every=chosen.every, until=until)
    wrong = [one for one in found if one["wrong"]]
    if chosen.times:
        for key in dict.fromkeys((one["command"], one["kind"]) for one in found):
            some = [one["seconds"] for one in found if (one["command"], one["kind"]) == key]
            print(f"{key}: {len(some)} in {sum(some):.1f} s")
    print(table(found))
    happened = sum(one["happened"] for one in found)
    print(f"{happened} faults, {len(wrong)} with consequences, {time.perf_counter() - began:.0f} s")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
