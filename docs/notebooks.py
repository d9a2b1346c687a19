"""Pages as notebooks: what a page shows, in cells that run in the same order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nbformat import v4, writes

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["NOTEBOOKS", "drawn", "link", "notebook"]

NOTEBOOKS: Final = ("first-projection", "your-language", "choosing-a-method")
"""The pages that are notebooks as well."""

_PAGES: Final = Path(__file__).parent / "pages"
_BLOCK = re.compile(r'^```(\w*)(?: title="(.*?)")?\n(.*?)^```\n', re.MULTILINE | re.DOTALL)
_IS_FILE = re.compile(r"[\w.-]+\.\w+")
_NOT_RUN: Final = "not run here: "


def notebook(name: str) -> NotebookNode:
    """A page as a notebook: its text, its files and its commands; what they print is left to whoever runs them.

    Args:
        name: of the page, without `.md`.
    """
    text = (_PAGES / f"{name}.md").read_text(encoding="utf-8")
    cells: list[NotebookNode] = []
    said, place = "", 0
    for block in _BLOCK.finditer(text):
        kind, title, inside = block[1], block[2] or "", block[3]
        said += text[place : block.start()]
        place = block.end()
        if title.startswith(_NOT_RUN):
            said += f"```{kind}\n{inside}```\n"
            continue
        if kind == "text" and not title:
            continue
        if said.strip():
            cells.append(_markdown(said))
        said = ""
        cells.append(v4.new_code_cell(_code(kind, title, inside)))
    said += text[place:]
    if said.strip():
        cells.append(_markdown(said))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # and no random one, so that the same page is the same file
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def _markdown(text: str) -> NotebookNode:
    """A cell of text, whose links to other pages lead to where these are built."""
    return v4.new_markdown_cell(re.sub(r"\]\((?!https?:|#)([\w./-]+)\.md", r"](../\1.html", text).strip())


def _code(kind: str, title: str, inside: str) -> str:
    inside = inside.rstrip("\n")
    if _IS_FILE.fullmatch(title):
        return f"%%writefile {title}\n{inside}"
    return inside if kind == "python" else f"%%bash\nset -e\n{inside}"


def drawn() -> dict[str, str]:
    """All of them, by the path that they have beside the pages."""
    return {f"notebooks/{name}.ipynb": writes(notebook(name)) + "\n" for name in NOTEBOOKS}


def link(name: str) -> str:
    """What a page says of its notebook."""
    return f"\n[This page as a notebook](notebooks/{name}.ipynb)\n"
