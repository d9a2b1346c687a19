"""What the package promises as a package: names, versions, and what an import costs."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import xner
import xner._core as _core
from xner._version import __version__

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "numpy",
    "pyarrow",
    "torch",
    "transformers",
    "ctranslate2",
    "typer",
    "rich",
    "ortools",
    "seqeval",
    "pandas",
    "datasets",
    "ray",
)


def public_modules() -> list[str]:
    """Dotted names of all modules and packages without an underscore in front, without importing them."""
    package = Path(xner.__file__).parent
    # A package that is a mere room hands nothing on: its face is a docstring.
    files = [file.relative_to(package.parent) for file in package.rglob("*.py") if "import" in file.read_text("utf-8")]
    names = {".".join(file.parent.parts if file.stem == "__init__" else file.with_suffix("").parts) for file in files}
    return sorted(name for name in names if not any(part.startswith("_") for part in name.split(".")))


@pytest.mark.parametrize("name", public_modules())
def test_all_is_sorted_and_true(name: str) -> None:
    module = importlib.import_module(name)
    names = list(module.__all__)
    # Constants, then classes, then functions, as ruff sorts them.
    assert names == sorted(names, key=lambda symbol: (not symbol.isupper(), symbol.islower(), symbol))
    assert len(set(names)) == len(names)
    assert all(hasattr(module, symbol) for symbol in names)


def test_versions_agree() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    cmake = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    in_project = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    in_cmake = re.search(r"^project\(xner VERSION (\S+)", cmake, re.MULTILINE)
    assert in_project is not None
    assert in_cmake is not None
    assert {in_project[1], in_cmake[1], _core.__version__, __version__} == {__version__}


def test_import_is_light() -> None:
    code = f"import sys, xner; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# Groups of entry points are named as modules could be, and are none.
GROUPS = {f"xner.{kind}" for kind in ("aligners", "filters", "formats", "taggers", "translators")}


def named_in_text() -> list[str]:
    """Every `xner.something` of documents, docstrings and comments."""
    files = [*ROOT.glob("*.md"), *ROOT.glob("bench/*.md"), *ROOT.glob("cpp/**/*.md"), *ROOT.glob("python/**/*.py")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    # Not the keys that a file's metadata has, which are bytes and quoted values.
    return sorted({*re.findall(r"(?<!\")\bxner(?:\.[A-Za-z]\w*)+", text)} - GROUPS)


@pytest.mark.parametrize("name", named_in_text())
def test_names_in_text_exist(name: str) -> None:
    pkgutil.resolve_name(name)


def test_groups_of_entry_points_are_those_of_the_registries() -> None:
    sources = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "python").rglob("catalogue.py"))
    sources += (ROOT / "python/xner/io/formats.py").read_text(encoding="utf-8")
    assert set(re.findall(r"\"(xner\.[a-z]+)\"", sources)) == GROUPS


@pytest.mark.parametrize("name", ["xner", *(f"xner.{name}" for name in xner.__all__)])
def test_dir_shows_public_names_alone(name: str) -> None:
    module = pkgutil.resolve_name(name)
    if hasattr(module, "__all__"):
        assert dir(module) == sorted(module.__all__)
