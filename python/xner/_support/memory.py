"""How much memory there is, and sizes of it as texts."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from xner.errors import OptionError

__all__ = ["available_memory", "memory_size"]

_PREFIXES: Final = " KMGT"

_UNITS: Final = {
    "": 1,
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "KI": 2**10,
    "MI": 2**20,
    "GI": 2**30,
    "TI": 2**40,
}
_UNKNOWN: Final = 4 * 10**9
_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")
_USED: Final = Path("/sys/fs/cgroup/memory.current")
_MEMINFO: Final = Path("/proc/meminfo")


def memory_size(name: str, value: object) -> int:
    """A size in bytes, of a number of them or of a text: `2GB`, `500 MiB`, `1.5G`.

    Raises:
        OptionError: it is none, or nothing.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(I?)B?\s*", value.upper()) if isinstance(value, str) else None
    step = 1024 if found and found[3] else 1000
    size = int(float(found[1]) * step ** _PREFIXES.index(found[2] or " ")) if found else 0
    if size <= 0:
        raise OptionError(f"{name}={value!r}: expected a size like '2GB' or '500MiB', or a number of bytes")
    return size


def available_memory() -> int:
    """Bytes that this process can still take: what the machine has free, or its control group allows."""
    free = _free_on_the_machine()
    try:
        return min(free, int(_LIMIT.read_text()) - int(_USED.read_text()))
    except (OSError, ValueError):  # no control groups, or no limit
        return free


def _free_on_the_machine() -> int:
    try:
        found = re.search(r"^MemAvailable:\s*(\d+) kB$", _MEMINFO.read_text(), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    except (OSError, ValueError, AttributeError):
        return _UNKNOWN
