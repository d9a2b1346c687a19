"""Pages that are notebooks as well run as these; `make docs` runs these tests, as it installs what they need."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import extras
from test_docs import blocks

pytestmark = [pytest.mark.docs, pytest.mark.needs("docs", "train", "words")]

if TYPE_CHECKING:
    from nbformat import NotebookNode


def names() -> tuple[str, ...]:
    if extras.missing("docs"):
        return ()
    import notebooks

    return notebooks.NOTEBOOKS


def outputs(cells: list[NotebookNode]) -> str:
    """What was printed; pieces of both streams may stand in between each other."""
    found: list[Any] = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    streams = ("stdout", "stderr")
    return "\n".join("".join(one.text for one in found if one.get("name") == stream) for stream in streams)


@pytest.mark.parametrize("name", names())
def test_a_notebook_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    import notebooks

    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    made = notebooks.notebook(name)
    nbformat.validate(made)
    assert nbformat.writes(made) == nbformat.writes(notebooks.notebook(name))
    NotebookClient(made, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    page = Path(notebooks.__file__).parent / f"pages/{name}.md"
    shown = [line for block in blocks(page) if block.shown is not None for line in block.shown.splitlines()]
    assert len(shown) > 10
    printed = outputs(made.cells)
    assert [line for line in shown if line.strip() not in printed and line != "..."] == []
