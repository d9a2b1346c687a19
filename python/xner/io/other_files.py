"""What a file is that is not read as it is asked for, and what reads it, or makes a file of it that is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from xner.errors import Error, FormatError
from xner.io._commands import name_beside
from xner.io._json import lines_of
from xner.io._lines import read_blocks
from xner.io.annotation.tools import TOOLS, looks_like
from xner.io.other_json import about_json
from xner.io.other_tables import about_table

if TYPE_CHECKING:
    import os

__all__ = ["about_brat", "about_file", "of_tool"]

_SHEETS: Final = (".xlsx", ".xls", ".ods")
_WORDS: Final = frozenset({"tokens", "words", "source_tokens"})


def about_file(path: str | os.PathLike[str], *, most_bytes: float = 2**28) -> str:
    """What there is to say of a file's content, and what to do with it; empty where nothing is known of it.

    Args:
        path: a file; what is none, or cannot be opened, is nothing that something is known of.
        most_bytes: size of a file that is looked at: JSON is read as a whole for it.
    """
    try:
        if not Path(path).is_file():
            return ""
        if Path(path).suffix.lower() == ".ann":
            return about_brat(path)
        if Path(path).suffix.lower() in _SHEETS:
            made = name_beside(path, suffix=".csv")
            code = f"pandas.read_excel({str(path)!r}).to_csv({made!r}, index=False)"
            return f"in Python `import pandas; {code}` makes CSV of a spreadsheet, of which `xner inspect` says more"
        if Path(path).stat().st_size > most_bytes:
            return "`xner inspect` says what it holds"
        next(read_blocks(path), None)  # which says what is no text
        if tool := of_tool(path):
            return tool.removeprefix("; ")
        if _has_words_in_objects(path):
            return "it has an object with words on each line, which the format 'jsonl' reads"
        return _refused(path) or about_json(path) or about_table(path)
    except FormatError as error:
        return str(error)
    except OSError:
        return ""


def of_tool(path: str | os.PathLike[str]) -> str:
    """Which tool may have written a file, as the end of a message; empty where none is known that reads its first text.

    Args:
        path: the file.
    """
    try:
        tool = next((tool for tool in looks_like(path)[0] if tool != "brat" and _reads(tool, path)), None)
    except (Error, OSError):  # what is no text is no tool's
        return ""
    return "" if tool is None else f"; it looks like a file of {tool}, which the format '{tool}' reads"


def _reads(tool: str, path: str | os.PathLike[str]) -> bool:
    try:
        next(TOOLS[tool].documents(path), None)
    except Error:
        return False
    return True


def _refused(path: str | os.PathLike[str]) -> str:
    """What the reader of the only tool says that may have written a file; empty where it reads it, or several may."""
    tools = looks_like(path)[0]
    if len(tools) != 1:
        return ""
    try:
        next(TOOLS[tools[0]].documents(path), None)
    except Error as error:
        return f"it looks like a file of {tools[0]}: {error}"
    return ""


def _has_words_in_objects(path: str | os.PathLike[str]) -> bool:
    try:
        first = next(lines_of(path), None)
    except Error:
        return False
    return first is not None and any(isinstance(first.values.get(name), list) for name in _WORDS)


def about_brat(path: str | os.PathLike[str]) -> str:
    """What reads brat's documents.

    Args:
        path: their folder, or one of their files of annotations.
    """
    found = Path(path)
    folder = found if found.is_dir() else found.parent
    what = "" if found.is_dir() else f"it has brat's annotations of '{found.with_suffix('.txt')}'; "
    made = str(folder.with_suffix(".parquet")) if folder.name else "brat.parquet"
    code = f"from xner import io; io.write(io.read_brat({str(folder)!r}), {made!r})"
    return (
        f"{what}in Python `{code}` makes a table of the folder, which all commands read; `xner import --from brat` "
        "puts its spans onto a table of projections"
    )
