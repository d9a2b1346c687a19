"""What loading pretrained models has in common."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xner._support.extras import require
from xner.errors import Error

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["first_line", "folder_digest", "import_transformers", "load_config", "load_weights", "quiet", "revision"]


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


def load_config(name: str, *, kind: str, what: str) -> Any:
    """The configuration of a pretrained model.

    Args:
        name: on the Hugging Face hub, or a folder with a saved model.
        kind: of model, for the message: "encoder".
        what: who needs it, likewise.

    Raises:
        Error: there is none.
    """
    try:
        return import_transformers(what).AutoConfig.from_pretrained(name, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise Error(f"cannot load the {kind} '{name}': {first_line(error)}") from error


def load_weights(auto_class: str, name: str, *, kind: str, what: str, **options: Any) -> tuple[Any, list[str]]:
    """A pretrained model, from safetensors files; code that comes with it is not run.

    Args:
        auto_class: of transformers: `AutoModel`, ...
        name: on the Hugging Face hub, or a folder with a saved model.
        kind: of model, for the message: "encoder".
        what: who needs it, likewise.
        **options: for `from_pretrained`.

    Returns:
        The model, and the names of its weights that the files do not have: they are random.

    Raises:
        Error: there is no such model, or none in safetensors files.
    """
    transformers = import_transformers(what)
    try:
        with quiet(transformers):
            model, report = getattr(transformers, auto_class).from_pretrained(
                name, trust_remote_code=False, use_safetensors=True, output_loading_info=True, **options
            )
    except (OSError, ValueError, RuntimeError) as error:
        raise Error(
            f"cannot load the {kind} '{name}': {first_line(error)} (weights are read from safetensors files only)"
        ) from error
    return model, sorted(report["missing_keys"])


def revision(name: str, *, what: str) -> str:
    """Tells the content of a model from that of all others: the hub's commit, or a digest of the folder's files."""
    from_hub = import_transformers(what).utils.hub
    config = from_hub.cached_file(name, "config.json")
    return from_hub.extract_commit_hash(config, None) or folder_digest(Path(config).parent)


def folder_digest(folder: Path) -> str:
    """A SHA-256 digest of a folder's files, their names included; folders within it do not count."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        with path.open("rb") as file:
            digest.update(f"{path.name}\0".encode() + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
