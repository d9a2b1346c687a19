"""What needs an extra is skipped where the extra is not installed, with a reason that names it.

Tests say so with `@pytest.mark.needs("models")`, files that cannot be imported without it with `extras.need("models")`
above their imports. Nothing is found out by itself: a test that does not say what it needs fails where that is missing.
With XNER_TEST_EXTRAS=all (`make test`) a missing extra is an error.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import metadata

import pytest
from packaging.requirements import Requirement

PACKAGE = "xner"


@cache
def distributions(extra: str) -> frozenset[str]:
    """What an extra brings, by the installed package's own metadata; an extra that holds others brings theirs."""
    found: set[str] = set()
    for requirement in map(Requirement, metadata.requires(PACKAGE) or ()):
        if requirement.marker is None or not requirement.marker.evaluate({"extra": extra}):
            continue
        if requirement.name == PACKAGE:
            found.update(*map(distributions, requirement.extras))
        else:
            found.add(requirement.name)
    if not found:
        raise ValueError(f"{PACKAGE} has no extra {extra!r}")
    return frozenset(found)


@cache
def missing(extra: str) -> tuple[str, ...]:
    """What an extra brings and this environment lacks."""
    return tuple(sorted(name for name in distributions(extra) if not _is_installed(name)))


def need(*extras: str) -> None:
    """Skip a test, or the file that is being imported, where one of these extras is missing."""
    for extra in extras:
        if missing(extra):
            reason = f"needs the extra {extra!r}: pip install 'xner[{extra}]' (no {', '.join(missing(extra))})"
            if os.environ.get("XNER_TEST_EXTRAS") == "all":
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason, allow_module_level=True)


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
