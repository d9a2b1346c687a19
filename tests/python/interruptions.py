"""Calls that are noted, one of which is interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

__all__ = ["note_calls"]


def note_calls(
    patch: pytest.MonkeyPatch, seen: list[str], *functions: tuple[Any, str], stopped_at: int | None = None
) -> None:
    """Notes the calls of functions.

    Args:
        patch: puts others in their place.
        seen: gets the name of each that is called.
        functions: whose they are, and their names.
        stopped_at: the number of the call, of all that are noted, in place of which comes an interrupt; None for none.
    """
    for owner, name in functions:
        patch.setattr(owner, name, _noted(getattr(owner, name), name, seen, stopped_at))


def _noted(work: Any, name: str, seen: list[str], stopped_at: int | None) -> Any:
    def noted(*arguments: Any, **how: Any) -> Any:
        seen.append(name)
        if len(seen) == stopped_at:
            raise KeyboardInterrupt
        return work(*arguments, **how)

    return noted
