"""The pages of the Python interface: a page a module, what its `__all__` names, in mkdocstrings' notation."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from functools import cache
from types import ModuleType

import xner


@cache
def pages() -> dict[str, str]:
    """Pages by file name: the package, then the modules that it hands on, and those that they do."""
    return {f"python/{module.__name__}.md": _page(module) for module in modules()}


def modules() -> list[ModuleType]:
    """The package, the modules that it hands on, and the packages in it that hand something on."""
    named = [one for name in xner.__all__ if isinstance(one := getattr(xner, name), ModuleType)]
    packages = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(xner.__path__, "xner.")
        if found.ispkg and not re.search(r"\._|\.cli\b|\.sample\b", found.name)
    ]
    found = {one.__name__: one for one in [*named, *packages] if hasattr(one, "__all__")}
    return [xner, *(found[name] for name in sorted(found))]


def names(module: ModuleType) -> list[str]:
    """What a module hands on besides other modules."""
    return [name for name in module.__all__ if not isinstance(getattr(module, name), ModuleType)]


def _page(module: ModuleType) -> str:
    head = f"# {module.__name__}\n\n{inspect.cleandoc(module.__doc__ or '')}\n"
    return head + "".join(f"\n::: {module.__name__}.{name}\n" for name in names(module))
