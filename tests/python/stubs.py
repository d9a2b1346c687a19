"""Generates type stubs: of the native core, and of options as keyword arguments.

`python tests/python/stubs.py FOLDER` writes all of them into the package that is in that folder; with `--check` for a
folder, those of the installed package are compared instead.
"""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
import tempfile
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xner
from xner.experiments.shift.options import ShiftOptions
from xner.pipelines.run_options import PARTS
from xner.projection.options import ProjectionOptions

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


def core() -> str:
    """The text of `_core.pyi`, from the extension that is installed."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "pybind11_stubgen", "xner._core", "-o", folder, "--exit-code"],
            check=True,
            capture_output=True,
            text=True,
        )
        text = (Path(folder) / "xner" / "_core.pyi").read_text(encoding="utf-8")
    text = text.replace("STATUS_NAMES: tuple =", "STATUS_NAMES: tuple[str, ...] =")
    # Type checkers want enum members without annotations, and no untyped constructors.
    text = re.sub(r"^    (\w+): typing\.ClassVar\[\w+\]$", r"    \1 = ...", text, flags=re.MULTILINE)
    return text.replace("    @classmethod\n    def __new__(cls, value):\n        ...\n", "")


def keywords(options: Sequence[type[Any]], names: Mapping[str, Collection[str]]) -> str:
    """The text of a stub with TypedDicts of options for type checkers: what `**options` may hold.

    Args:
        options: dataclasses of options.
        names: by TypedDict, the options that it lacks.
    """
    fields = {}
    for one in options:
        hints = typing.get_type_hints(one)
        for field in dataclasses.fields(one):
            hint = hints[field.name]
            text = (
                hint.__name__
                if isinstance(hint, type) and not typing.get_args(hint)
                else repr(hint).replace("NoneType", "None")
            )
            fields[field.name] = re.sub(r"tuple\[(.+), \.\.\.\]", r"collections.abc.Sequence[\1]", text)
    named = {module for text in fields.values() for module in re.findall(r"(xner[a-z_.]*)\.[A-Z]", text)}
    lines = ["import collections.abc", "import typing", *(f"import {module}" for module in sorted(named)), ""]
    for name, left_out in names.items():
        lines.append(f"class {name}(typing.TypedDict, total=False):")
        lines += [f"    {field}: {text}" for field, text in fields.items() if field not in left_out]
        lines.append("")
    return "\n".join(lines)


def generate() -> dict[str, str]:
    """All stubs by their paths in the package."""
    return {
        "_core.pyi": core(),
        "projection/_keywords.pyi": keywords(
            [ProjectionOptions], {"ProjectionKeywords": (), "SentenceKeywords": ("candidates",)}
        ),
        "pipelines/_keywords.pyi": keywords(PARTS, {"PipelineKeywords": ()}),
        "experiments/shift/_keywords.pyi": keywords([ShiftOptions], {"ShiftKeywords": ("kind", "severity", "seed")}),
    }


def stale() -> list[str]:
    """Paths of stubs of the installed package that are not what is generated."""
    package = Path(xner.__file__).parent
    return [path for path, text in generate().items() if (package / path).read_text(encoding="utf-8") != text]


if __name__ == "__main__":
    if sys.argv[1] == "--check":
        sys.exit(f"stubs that are out of date: {', '.join(found)}" if (found := stale()) else 0)
    for path, text in generate().items():
        (Path(sys.argv[1]) / path).write_text(text, encoding="utf-8")
