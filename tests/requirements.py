"""What an extra of `pyproject.toml` asks for beside xner itself, one requirement a line, for `pip install -r`.

    python tests/requirements.py test

So other packages can be installed while xner is still being compiled.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path


def requirements(extra: str) -> set[str]:
    """Those of the package, and of an extra and the extras that it names."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found, wanted, seen = set(project["dependencies"]), [extra], set[str]()
    while wanted:
        name = wanted.pop()
        if name not in seen:
            seen.add(name)
            for one in project["optional-dependencies"][name]:
                own = re.fullmatch(rf"{project['name']}\[(.+)\]", one)
                if own is None:
                    found.add(one)
                else:
                    wanted += own[1].split(",")
    return found


if __name__ == "__main__":
    print("\n".join(sorted(requirements(sys.argv[1]))))
