"""What tells runs and models apart; `xner._support.digests` tells tables."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from xner._version import __version__
from xner.models.network.loading import model_identity

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

__all__ = ["fingerprint", "model_identity"]


def fingerprint(files: Mapping[str, str | os.PathLike[str] | None], options: Mapping[str, object]) -> str:
    """A digest of everything that decides a run's output.

    Args:
        files: inputs by role; their contents count, their names do not. None for an input that is not used.
        options: everything else; must be JSON-serialisable.

    Returns:
        A hexadecimal SHA-256 digest.
    """
    digest = hashlib.sha256()
    digest.update(json.dumps({"xner": __version__, "options": options}, sort_keys=True).encode())
    for role, path in sorted(files.items()):
        digest.update(f"\0{role}\0".encode())
        if path is not None:
            with Path(path).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
