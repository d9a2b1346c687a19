"""Generates the type stub of the native core: `python tests/python/stubs.py [OUTPUT]`."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path


def generate() -> str:
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


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(generate(), encoding="utf-8")
