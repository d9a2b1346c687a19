"""Where caches are, and how large folders are."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["bytes_of", "bytes_text", "cache_folder", "hub_folder"]


def cache_folder() -> Path:
    """The folder that is xner's own in the user's folder of caches: `$XDG_CACHE_HOME`, else `~/.cache`."""
    return _caches() / "xner"


def hub_folder() -> Path:
    """Where the Hugging Face hub's library keeps models, told as it tells it, without importing it."""
    if named := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(named).expanduser()
    home = os.environ.get("HF_HOME")
    return (Path(home).expanduser() if home else _caches() / "huggingface") / "hub"


def bytes_of(path: Path) -> int:
    """The size of a file, or of all files within a folder; links count as nothing and are not followed."""
    if path.is_symlink():
        return 0
    if path.is_file():
        return path.stat().st_size
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                status = (Path(folder) / name).lstat()
            except OSError:  # gone since
                continue
            if not (Path(folder) / name).is_symlink():
                total += status.st_size
    return total


def bytes_text(size: int) -> str:
    """A size for people: `1.5 GB`."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"


def _caches() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
