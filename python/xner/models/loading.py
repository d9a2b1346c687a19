"""What loading pretrained models has in common."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from xner._extras import require

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["first_line", "import_transformers", "quiet"]


def import_transformers(what: str) -> Any:
    """The module `transformers`.

    Args:
        what: who needs it, for the message of the error.

    Raises:
        Error: it is not installed.
    """
    return require("transformers", extra="models", what=what)


@contextlib.contextmanager
def quiet(transformers: Any) -> Iterator[None]:
    """Silence what transformers says about the weights that a part of a model does not need."""
    logging = transformers.utils.logging
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def first_line(error: Exception) -> str:
    """The beginning of an error's message; those of transformers go on for paragraphs."""
    return str(error).strip().partition("\n")[0]
