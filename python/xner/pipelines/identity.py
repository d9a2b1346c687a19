"""What tells models apart, for runs and steps that are taken up again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["model_key"]


def model_key(model: str) -> list[Any]:
    """Tells a model from another, and a folder or file from what it was before it changed, for a run's fingerprint."""
    path = Path(model)
    files = sorted(path.iterdir()) if path.is_dir() else [path] if path.is_file() else []
    return [model, [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files]]
