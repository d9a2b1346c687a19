"""Generates type stubs: of the native core, and of options as keyword arguments.

`python tests/python/stubs.py FOLDER` writes all of them into the package that is in that folder.
"""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xner.projection.options import ProjectionOptions

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


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


def keywords(options: type[Any], names: Mapping[str, Collection[str]]) -> str:
    """The text of a stub with a TypedDict of a class's options for type checkers: what `**options` may hold.

    Args:
        options: a dataclass of options.
        names: by TypedDict, the options that it lacks.
    """
    fields = {field.name: str(field.type) for field in dataclasses.fields(options)}
    module = sys.modules[options.__module__]
    used = {word for text in fields.values() for word in re.findall(r"[A-Z]\w+", text)} & set(module.__all__)
    fields = {name: text.replace("tuple[str, ...]", "Sequence[str]") for name, text in fields.items()}
    lines = [
        "from collections.abc import Sequence",
        "from typing import TypedDict",
        "",
        f"from {module.__name__} import {', '.join(sorted(used))}",
        "",
    ]
    for name, left_out in names.items():
        lines.append(f"class {name}(TypedDict, total=False):")
        lines += [f"    {field}: {text}" for field, text in fields.items() if field not in left_out]
        lines.append("")
    return "\n".join(lines)


def generate() -> dict[str, str]:
    """All stubs by their paths in the package."""
    return {
        "_core.pyi": core(),
        "projection/_keywords.pyi": keywords(
            ProjectionOptions, {"ProjectionKeywords": (), "SentenceKeywords": ("candidates",)}
        ),
    }


if __name__ == "__main__":
    for path, text in generate().items():
        (Path(sys.argv[1]) / path).write_text(text, encoding="utf-8")
