"""Installed distributions that add extensions to xner: made as pip leaves them behind, and forgotten again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xner.filters import FILTERS
from xner.io import FORMATS
from xner.models import ALIGNERS, TAGGERS, TRANSLATORS

if TYPE_CHECKING:
    from pathlib import Path

    from xner._support.registry import Registry

REGISTRIES: tuple[Registry[Any], ...] = (FILTERS, FORMATS, ALIGNERS, TAGGERS, TRANSLATORS)


def distribution(folder: Path, name: str, points: str) -> None:
    """What pip writes beside the modules of a distribution; it counts once the folder is on `sys.path`."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(points)


def forget() -> None:
    """Let entry points be read anew."""
    for registry in REGISTRIES:
        vars(registry).pop("_added", None)
