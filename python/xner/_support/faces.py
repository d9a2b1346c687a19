"""What a module shows of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["listing"]


def listing(names: Iterable[str]) -> Callable[[], list[str]]:
    """A module's `__dir__` (PEP 562): `dir()` and completion show its public names, and not what it imports.

    Args:
        names: the module's `__all__`.
    """
    return lambda: sorted(names)
