"""`xner` with a log of what it computes, to be killed and counted: as a program, with the arguments of `xner`.

`COUNTED_LOG` names the log. A line of it is a JSON list: the process, what is computed, which rows by a digest, or how
far it has come, and how many rows. `read` gives them back.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from unittest import mock

from xner.cli import main
from xner.experiments.recipes import running
from xner.models.taggers.spans import FoundSpan, SpanTagger
from xner.pipelines.progress import progress_reporter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xner._support.progress import Reporter

__all__ = ["CountedTagger", "Entry", "load", "read"]

LOG = "COUNTED_LOG"
_SECONDS = 0.05  # that tagging takes, so that something may end it
_CLASSES = {"ix": "PER", "ov": "LOC", "um": "PER"}

Entry = tuple[int, str, str, int]


def note(what: str, which: str, rows: int) -> None:
    """Add a line to the log, whole whatever ends the process."""
    with Path(os.environ[LOG]).open("a", encoding="utf-8") as file:
        file.write(json.dumps([os.getpid(), what, which, rows]) + "\n")


def read(path: Path) -> list[Entry]:
    """The lines of a log; none where there is no log."""
    return [tuple(json.loads(line)) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


class CountedTagger(SpanTagger):
    """A tagger that goes by the endings of names, and notes each call."""

    _settings = "counted"
    _sources: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        super().__init__("counted", sorted(set(_CLASSES.values())), {})

    @property
    def identity(self) -> str:
        return "counted"

    def _find(self, sentences: Sequence[Sequence[str]]) -> Iterator[Sequence[FoundSpan]]:
        note("tag", hashlib.sha256(repr(sentences).encode()).hexdigest()[:12], len(sentences))
        time.sleep(_SECONDS)
        for words in sentences:
            yield [
                FoundSpan(at, at + 1, _CLASSES[word[-2:]])
                for at, word in enumerate(words)
                if word[0].isupper() and word[-2:] in _CLASSES
            ]


def load(model: str, **options: Any) -> CountedTagger:
    """The tagger `counted:MODEL`."""
    return CountedTagger()


@contextmanager
def _counting(**options: Any) -> Iterator[Reporter]:
    """A reporter that notes updates of trainings as well."""
    with progress_reporter(**options) as report:

        def told(what: str, done: int, total: int) -> None:
            if what == "train":
                note("train", f"{done} of {total}", 1)
            report(what, done, total)

        yield told


if __name__ == "__main__":
    with mock.patch.object(running, "progress_reporter", _counting):
        main()
