"""The command line as a person meets it: what it prints, and how it ends."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from types import ModuleType
from typing import TYPE_CHECKING
from unittest import mock

from xner.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Run", "done", "instead", "started", "xner"]

Run = subprocess.CompletedProcess[str]


def xner(*arguments: str | Path, cwd: Path | None = None) -> Run:
    """Run `xner` in this process, which saves the time that its imports take; output is no terminal's, as in a pipe."""
    command = ["xner", *map(str, arguments)]
    out, error = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    status = 0
    with (
        contextlib.chdir(cwd or "."),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(error),
        mock.patch.object(sys, "argv", command),
        _as_main(ModuleType("__main__")),  # whose name click would show
        mock.patch.dict(os.environ, COLUMNS="80"),
    ):
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(bool(end.code))
    return Run(command, status, _text(out), _text(error))


@contextlib.contextmanager
def _as_main(module: ModuleType) -> Iterator[None]:
    """Put a module in the place of `__main__`, and nothing else: what a run imports stays imported."""
    before = sys.modules["__main__"]
    sys.modules["__main__"] = module
    try:
        yield
    finally:
        sys.modules["__main__"] = before


def instead(defaults: Sequence[str | Path], given: Sequence[str | Path]) -> list[str | Path]:
    """Options with values, one each, of which others take the place of those with the same name."""
    names = {one for one in given if str(one).startswith("-")}
    pairs = zip(defaults[::2], defaults[1::2], strict=True)
    return [part for pair in pairs if pair[0] not in names for part in pair] + list(given)


def started(*arguments: str | Path, cwd: Path | None = None) -> Run:
    """The same in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "xner", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        timeout=120,
    )


def done(run: Run) -> Run:
    assert run.returncode == 0, run.stderr
    return run


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
