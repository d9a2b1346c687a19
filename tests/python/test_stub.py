"""The committed type stubs are those of the extension and of the options."""

from __future__ import annotations

from pathlib import Path

import pytest

import stubs
import xner


@pytest.mark.needs("test")
@pytest.mark.parametrize("path", ["_core.pyi", "projection/_keywords.pyi", "experiments/shift/_keywords.pyi"])
def test_the_stub_is_up_to_date(path: str) -> None:
    committed = Path(xner.__file__).parent / path
    assert stubs.generate()[path] == committed.read_text(encoding="utf-8"), "run `make stubs`"
