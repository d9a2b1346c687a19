"""Bars that show how far long work has come."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from xner._support.progress import Reporter, silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, Task

__all__ = ["progress_reporter"]


@contextmanager
def progress_reporter(*, enabled: bool | None = None) -> Iterator[Reporter]:
    """Progress bars on standard error, one a kind of work: what is done, units a second, time left.

    Args:
        enabled: whether to draw them; None draws on a terminal and is silent in a pipe.

    Yields:
        A reporter to hand to long work.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

    class Rate(ProgressColumn):
        """Units a second, over the last half minute."""

        def render(self, task: Task) -> str:
            speed = task.finished_speed or task.speed
            return "" if speed is None else f"{speed:.0f}/s" if speed >= 10 else f"{speed:.2g}/s"

    console = Console(stderr=True)
    if not (console.is_terminal if enabled is None else enabled):
        yield silent
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
    ) as progress:
        yield _bars(progress)


def _bars(progress: Progress) -> Reporter:
    tasks: dict[str, Any] = {}

    def report(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = progress.add_task(what, total=total)
        progress.update(tasks[what], completed=done, total=total)

    return report
