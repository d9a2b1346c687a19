"""What a study was made from and on: its data, the libraries, the machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xner._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Data", "libraries", "machine"]


@dataclass(frozen=True, slots=True)
class Data:
    """Data that a study was made from.

    Attributes:
        name: of the data: their file.
        rows: how many there are.
        digest: a SHA-256 digest of their content.
        use: what the study did with them; None where there is one use of data.
    """

    name: str
    rows: int
    digest: str
    use: str | None = None


def libraries(others: Sequence[str] = ()) -> Mapping[str, str]:
    """The versions of what computed.

    Args:
        others: distributions beside numpy and pyarrow; those that are not installed are left out.
    """
    found = {"xner": __version__}
    for name in ("numpy", "pyarrow", *others):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def machine() -> Mapping[str, str]:
    """What times depend on: processor, cores, Python, platform. Neither the machine's name nor a user's."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "processor": _processor(),
        "cores": f"{cores} usable",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": " ".join(part for part in (platform.system(), platform.release(), platform.machine()) if part),
    }


def _processor() -> str:
    """The processor's name as Linux knows it, else as Python does."""
    try:
        name = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        name = None
    return name[1].strip() if name else platform.processor() or platform.machine() or "unknown"
