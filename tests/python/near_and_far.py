"""A translator of `recipe_matrix`'s languages; as a program, of the lines of its input.

    python near_and_far.py SOURCE TARGET

It imports nothing that takes time, as it is started for each batch of lines.
"""

from __future__ import annotations

import re
import sys
from typing import Final

__all__ = ["FAR", "LETTERS", "NEAR", "SOURCE", "translated"]

SOURCE, FAR, NEAR = "en", "yo", "ig"
LETTERS: Final = {SOURCE: "x", FAR: "y", NEAR: "z"}
"""What words begin with, names apart."""

_MARKED_NAME: Final = r"(?:(?:<\w>|\[)\s*)?[A-Z]\w*(?:\s+[A-Z]\w*)*(?:\s*(?:</\w>|\]))?"
_TELLING: Final = "(?:per|loc)[0-9]+"


def translated(line: str, source: str, target: str) -> str:
    """A sentence in another language; markers around names stay around them."""
    old, new = LETTERS[source], LETTERS[target]
    line = f"{line.strip().removesuffix('.').rstrip()} ."  # joined to the last word where words have become a text
    if target == FAR and source != FAR:
        line = re.sub(rf"({old}{_TELLING})\s+({_MARKED_NAME})", r"\2 \1", line)
    elif source == FAR and target != FAR:
        line = re.sub(rf"({_MARKED_NAME})\s+({old}{_TELLING})", r"\2 \1", line)
    return re.sub(rf"\b{old}(?=w[0-9]|{_TELLING})", new, line)


if __name__ == "__main__":
    for line in sys.stdin:
        print(translated(line, *sys.argv[1:]))
