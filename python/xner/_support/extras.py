"""Libraries that only some installations have."""

from __future__ import annotations

import importlib
import os
from typing import Any

from xner.errors import MissingExtraError

__all__ = ["require"]

# Idle OpenMP threads that spin take the processor from everybody else, torch's next step included. The run-time reads
# this once, when it is loaded.
_BEFORE_TORCH = {"OMP_WAIT_POLICY": "passive"}


def require(module: str, *, extra: str, what: str) -> Any:
    """Import a library of an optional extra.

    Args:
        module: name of the module, `torch` for instance.
        extra: the extra of this package that installs it.
        what: who needs it, for the message: "the encoder aligner".

    Returns:
        The module.

    Raises:
        MissingExtraError: it is not installed; the message names the command that installs it.
    """
    for name, value in _BEFORE_TORCH.items():
        os.environ.setdefault(name, value)
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        message = f"{what} needs {error.name}, which is not installed; pip install 'xner[{extra}]' brings it"
        raise MissingExtraError(message, name=error.name, extra=extra) from None
