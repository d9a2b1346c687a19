"""The house: packages are rooms in layers, and a room imports only from those below it."""

from __future__ import annotations

import ast
import re
from itertools import chain
from pathlib import Path

import pytest

import xner

PACKAGE = Path(xner.__file__).parent
CONTRIBUTING = Path(__file__).resolve().parents[2] / "CONTRIBUTING.md"
MOST_ROOMS = 22

# What stands beside the rooms: the face hands on what they have, and the rest imports nothing.
FACE, BARE = "__init__", ("_core", "_version", "__main__")


def layers() -> list[str]:
    """The rooms from the lowest to the highest, as CONTRIBUTING lists them."""
    text = CONTRIBUTING.read_text(encoding="utf-8")
    found = re.search(r"^Lowest first: (.+?)\.$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return re.findall(r"`(\w+)`", found[1])


def modules() -> dict[str, Path]:
    """All modules by dotted name without the package's own."""
    names = {}
    for file in PACKAGE.rglob("*.py"):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)] = file
    return names


def imports(file: Path, known: dict[str, Path]) -> set[str]:
    """The modules that a file imports, wherever in it: at its head, in functions, and for type checkers."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(one.name.removeprefix("xner.") for one in node.names if one.name.startswith("xner."))
        elif isinstance(node, ast.ImportFrom) and node.module == "xner":
            found.update(one.name if one.name in known or one.name in BARE else FACE for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("xner."):
            module = node.module.removeprefix("xner.")
            subs = {f"{module}.{one.name}" for one in node.names}
            found.update(subs & set(known) or {module})
    return found


def room(module: str) -> str:
    return module.partition(".")[0]


def test_contributing_lists_every_room() -> None:
    assert sorted(layers()) == sorted({room(module) for module in modules()} - {FACE, *BARE})
    assert len({file.name for file in PACKAGE.iterdir() if not file.name.startswith("__py")}) > 1


def test_there_are_few_rooms() -> None:
    assert len(layers()) <= MOST_ROOMS


@pytest.mark.parametrize("module", sorted(set(modules()) - {FACE, *BARE}))
def test_imports_go_down(module: str) -> None:
    order = {name: place for place, name in enumerate(layers())}
    used = {room(one) for one in imports(modules()[module], modules())} - set(BARE)
    assert FACE not in used, "the face is for users; a room imports from other rooms"
    assert {name for name in used if order[name] > order[room(module)]} == set()


def test_no_module_imports_itself_through_others() -> None:
    known = modules()
    # A package's face hands on what its modules have, and is not counted among those that import.
    uses = {
        module: {one for one in imports(file, known) if one in known and known[one].name != "__init__.py"}
        for module, file in known.items()
        if file.name != "__init__.py"
    }
    left = dict(uses)
    while True:
        free = {module for module, needed in left.items() if not needed & set(left) - {module}}
        if not free:
            break
        left = {module: needed for module, needed in left.items() if module not in free}
    assert sorted(left) == []


def test_only_models_and_training_touch_torch() -> None:
    heavy = {"torch", "transformers", "ctranslate2", "accelerate", "peft"}
    for module, file in modules().items():
        names = chain.from_iterable(
            [one.name for one in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
        )
        touched = {name.partition(".")[0] for name in names} & heavy
        assert not touched or room(module) in {"models", "training"}, module


def test_faces_define_nothing() -> None:
    for file in PACKAGE.rglob("__init__.py"):
        if file.parent == PACKAGE:  # which loads late what is needed seldom
            continue
        nodes = ast.parse(file.read_text(encoding="utf-8")).body
        assert not [node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)], file
