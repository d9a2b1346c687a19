"""The Hugging Face hub: whether it answers, asked before its library tries again and again and tells of each try."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from xner._support.extras import require
from xner.errors import Error

__all__ = ["check_hub"]


def check_hub(
    name: str,
    file: str,
    failing: str,
    *,
    what: str,
    extra: str = "models",
    kind: Literal["model", "dataset"] = "model",
    revision: str = "",
) -> None:
    """That the hub answers, where a file is needed that the library's cache does not have.

    Args:
        name: of the model or the data set; a folder or a file is not looked for on the hub.
        file: of it.
        failing: what cannot be done without it, for the message: "cannot load the encoder 'NAME'".
        what: who needs it, for the message of a missing library.
        extra: that brings the library, likewise.
        kind: of what is there.
        revision: of it; empty for the newest.

    Raises:
        MissingExtraError: the library is not installed.
        Error: there is no answer. One that says no is none: the library has a message for it.
    """
    if Path(name).exists():
        return
    constants = require("huggingface_hub.constants", extra=extra, what=what)
    if constants.HF_HUB_OFFLINE:
        return
    hub = require("huggingface_hub", extra=extra, what=what)
    place = {"repo_type": kind, "revision": revision or None}
    try:
        if hub.try_to_load_from_cache(name, file, **place) is None:
            hub.get_hf_file_metadata(hub.hf_hub_url(name, file, **place))
    except (OSError, ValueError):  # an answer, or a name that is none
        return
    except Exception as error:  # of the library for connections, which is another one in each version of the hub's
        raise Error(
            f"{failing}: there is no such folder, the cache of the Hugging Face hub does not have it, and "
            f"{constants.ENDPOINT} cannot be reached: {error}"
        ) from error
