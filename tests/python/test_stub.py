"""The committed type stub of the native core is that of the extension."""

from __future__ import annotations

from pathlib import Path

import stubs
import xner


def test_the_stub_is_up_to_date() -> None:
    committed = Path(xner.__file__).parent / "_core.pyi"
    assert committed.read_text(encoding="utf-8") == stubs.generate(), "run `make stubs`"
