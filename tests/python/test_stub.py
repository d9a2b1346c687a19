"""The committed type stubs are those of the extension and of the options."""

from __future__ import annotations

from pathlib import Path

import pytest

import stubs
import xner

PACKAGE = Path(xner.__file__).parent


@pytest.mark.needs("test")
def test_stubs_are_up_to_date() -> None:
    assert stubs.generate().keys() == {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.pyi")}
    assert not stubs.stale(), "run `make stubs`"
