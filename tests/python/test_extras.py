"""What is skipped where an extra is missing, and where that is an error instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import extras

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ortools_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if nothing else were installed."""
    extras.missing.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(extras, "_is_installed", lambda name: name == "ortools")
        yield
    extras.missing.cache_clear()


def test_an_extra_brings_what_others_bring_that_it_holds() -> None:
    assert extras.distributions("exact") == {"ortools", "scipy"}
    assert extras.distributions("train") > extras.distributions("models") > {"torch"}
    assert extras.distributions("test") > {"seqeval", *extras.distributions("exact"), *extras.distributions("train")}
    with pytest.raises(ValueError, match="xner has no extra 'nothing'"):
        extras.distributions("nothing")


@pytest.mark.usefixtures("ortools_alone")
def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XNER_TEST_EXTRAS", raising=False)
    reason = r"needs the extra 'exact': pip install 'xner\[exact\]' \(no scipy\)"
    with pytest.raises(pytest.skip.Exception, match=reason):
        extras.need("exact")
    monkeypatch.setenv("XNER_TEST_EXTRAS", "all")
    with pytest.raises(pytest.fail.Exception, match=reason):
        extras.need("exact")


def test_what_is_there_is_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "missing", lambda extra: ())
    extras.need("exact", "models")
