"""The command line: `xner COMMAND`. Each command is a module of `commands`, its options come from `options`."""

from __future__ import annotations

from xner._support.faces import listing
from xner.cli.main import main

__all__ = ["main"]

__dir__ = listing(__all__)
