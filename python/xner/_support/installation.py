"""What is installed: this package's build, its extras, the packages of each, and whether these can be imported."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Package", "Trial", "build_text", "instruction_set", "packages_of", "try_imports"]

_PACKAGE: Final = "xner"
_FOR_DEVELOPMENT: Final = frozenset({"test", "bench", "dev", "all"})
_REQUIREMENT: Final = re.compile(r"([\w.-]+)\s*(?:\[([\w,\s.-]*)\])?\s*([^;]*?)\s*(?:;(.*))?")
_OF_EXTRA: Final = re.compile(r"extra\s*==\s*['\"]([\w.-]+)['\"]")
_BOUND: Final = re.compile(r"(>=|<)\s*([\d.]+)")
# Modules whose names are not the packages'.
_MODULES: Final = {"mkdocs-material": "material", "protobuf": "google.protobuf", "pyicu": "icu"}
_SECONDS: Final = 300.0

# Runs in a process of its own: a library that ends the process ends that one. What libraries print goes to stderr.
_TRIAL: Final = """
import importlib, json, os, sys
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
for name in sys.argv[1:]:
    print(json.dumps({"begins": name}), file=out, flush=True)
    found = {"module": name, "error": None}
    try:
        module = importlib.import_module(name)
        if name == "torch":
            count = module.cuda.device_count() if module.cuda.is_available() else 0
            found["devices"] = [module.cuda.get_device_name(index) for index in range(count)]
    except BaseException as error:
        found["error"] = f"{type(error).__name__}: {error}".strip().splitlines()[0]
    print(json.dumps(found), file=out, flush=True)
out.close()
os._exit(0)
"""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that xner or one of its extras needs.

    Attributes:
        name: of the distribution.
        module: that it brings.
        wanted: the versions that do, as `pyproject.toml` has them; empty: any.
        version: the installed one; None where there is none.
    """

    name: str
    module: str
    wanted: str
    version: str | None

    @property
    def fits(self) -> bool:
        """Whether it is there in a version that does."""
        if self.version is None:
            return False
        version = _release(self.version)
        bounds = [(sign, _release(limit)) for sign, limit in _BOUND.findall(self.wanted)]
        return all(version >= limit if sign == ">=" else version < limit for sign, limit in bounds)


@dataclass(frozen=True, slots=True)
class Trial:
    """What importing a module came to.

    Attributes:
        error: that it raised, on one line; None where it can be imported.
        devices: the CUDA devices that torch knows.
    """

    error: str | None
    devices: tuple[str, ...] = ()


def instruction_set() -> str:
    """The instruction set that the core computes with here: the one that `XNER_SIMD` names, else the highest."""
    import xner._core as _core

    return os.environ.get("XNER_SIMD") or _core.simd_levels()[-1]


def build_text() -> str:
    """The core's version and instruction set, on one line."""
    import xner._core as _core

    core = getattr(_core, "__version__", "unknown")
    return f"core {core}, {instruction_set()} of {', '.join(_core.simd_levels())}"


def packages_of() -> dict[str, list[Package]]:
    """The packages of each extra that is not for development alone, by its name; those of xner itself are at `""`."""
    requirements = [_read(text) for text in metadata.requires(_PACKAGE) or ()]
    extras = dict.fromkeys(extra for _, _, _, extra in requirements if extra not in _FOR_DEVELOPMENT)
    return {extra: list(_brought(extra, requirements).values()) for extra in ["", *filter(None, extras)]}


def try_imports(modules: Iterable[str], *, seconds: float = _SECONDS) -> dict[str, Trial]:
    """Import modules in other processes, where nothing that they do harms this one.

    Args:
        modules: their names.
        seconds: the most for all.

    Returns:
        What came of each, by name.
    """
    left, found = list(dict.fromkeys(modules)), dict[str, Trial]()
    while left:
        run = _run_trial(left, seconds)
        begun = ""
        for line in run[0].splitlines():
            read: dict[str, Any] = json.loads(line)
            begun = read.get("begins", begun)
            if "module" in read:
                found[read["module"]] = Trial(read["error"], tuple(read.get("devices", ())))
        if begun not in found:
            found[begun or left[0]] = Trial(f"importing it {run[1]}")
        left = [name for name in left if name not in found]
    return found


def _run_trial(modules: list[str], seconds: float) -> tuple[str, str]:
    """What the process said of its imports, and how it ended."""
    # -P: what lies in the folder where people work is no library.
    command = [sys.executable, "-P", "-c", _TRIAL, *modules]
    try:
        run = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        said = error.stdout or b""
        return said.decode() if isinstance(said, bytes) else said, f"took longer than {seconds:g} seconds"
    how = f"by signal {-run.returncode}" if run.returncode < 0 else f"with status {run.returncode}"
    return run.stdout, f"ended the process {how}"


def _read(text: str) -> tuple[str, list[str], str, str]:
    """A requirement's name, the extras that it asks for, the versions that do, and the extra that it belongs to."""
    found = _REQUIREMENT.fullmatch(text)
    name, asked, wanted, marker = found.groups() if found else (text, "", "", "")
    extra = _OF_EXTRA.search(marker or "")
    return name, [one.strip() for one in (asked or "").split(",") if one.strip()], wanted, extra[1] if extra else ""


def _brought(extra: str, requirements: list[tuple[str, list[str], str, str]]) -> dict[str, Package]:
    found: dict[str, Package] = {}
    for name, asked, wanted, its in requirements:
        if its == extra and name == _PACKAGE:
            for other in asked:
                found |= _brought(other, requirements)
        elif its == extra:
            module = _MODULES.get(name.lower(), name.replace("-", "_"))
            found[name] = Package(name, module, wanted, _version(name))
    return found


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _release(version: str) -> tuple[int, ...]:
    """The numbers of a version, without zeros at the end: 2.0 is 2."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
