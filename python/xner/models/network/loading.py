"""What loading pretrained models has in common."""

from __future__ import annotations

import contextlib
import hashlib
from abc import ABC, abstractmethod
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from xner._support.extras import require
from xner._support.hub import check_hub
from xner.errors import Error, OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

__all__ = [
    "CONFIG",
    "Reloaded",
    "first_line",
    "folder_digest",
    "import_transformers",
    "load_config",
    "load_layers",
    "load_weights",
    "model_identity",
    "naming_model",
    "quiet",
]


CONFIG: Final = "config.json"
"""The file that every model of transformers has."""


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


def _check_folder(name: str, kind: str) -> None:
    """That a name which can only be that of a folder is one: the hub's message for it is about the names it takes.

    Raises:
        Error: there is no such folder.
    """
    is_path = name.startswith((".", "/", "~", "\\")) or name.count("/") > 1
    if is_path and not Path(name).exists():
        raise Error(f"cannot load the {kind} '{name}': there is no such folder")


def load_config(name: str, *, kind: str, what: str) -> Any:
    """The configuration of a pretrained model.

    Args:
        name: on the Hugging Face hub, or a folder with a saved model.
        kind: of model, for the message: "encoder".
        what: who needs it, likewise.

    Raises:
        Error: there is none.
    """
    _check_folder(name, kind)
    check_hub(name, CONFIG, f"cannot load the {kind} '{name}'", what=what)
    try:
        return import_transformers(what).AutoConfig.from_pretrained(name, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise Error(f"cannot load the {kind} '{name}': {first_line(error)}") from error


@contextlib.contextmanager
def naming_model(name: str, kind: str) -> Iterator[None]:
    """Names a model in what is raised as its weights are read in the block.

    Args:
        name: of the model.
        kind: of it: "encoder".

    Raises:
        Error: they cannot be read.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise Error(
            f"cannot load the {kind} '{name}': {first_line(error)} (weights are read from safetensors files only)"
        ) from error


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
    with naming_model(name, kind), quiet(transformers):
        model, report = getattr(transformers, auto_class).from_pretrained(
            name, trust_remote_code=False, use_safetensors=True, output_loading_info=True, **options
        )
    return model, sorted(report["missing_keys"])


def load_layers(name: str, layer: int, dtype: torch.dtype, *, what: str) -> Any:
    """The encoder of a pretrained model, cut off after a layer.

    Args:
        name: on the Hugging Face hub, or a folder with a saved model.
        layer: counted from 1; 0 for the embedding layer.
        dtype: of weights and activations.
        what: who needs it, for messages.

    Raises:
        Error: there is no such model, it has fewer layers, or its weights are not those of an encoder or not in
            safetensors files.
    """
    config = load_config(name, kind="encoder", what=what)
    layers = config.num_hidden_layers
    if not 0 <= layer <= layers:
        raise OptionError(f"layer={layer}: the encoder '{name}' has the layers 0 to {layers}")
    cut = {"encoder_layers": layer, "decoder_layers": 0} if config.is_encoder_decoder else {"num_hidden_layers": layer}
    model, absent = load_weights("AutoModel", name, kind="encoder", what=what, dtype=dtype, **cut)
    if config.is_encoder_decoder:
        model = model.get_encoder()
    # Heads are made anew where a checkpoint has none; an encoder with random weights is not what was asked for.
    missing = [key for key in absent if "pooler" not in key and "decoder" not in key]
    if missing:
        raise Error(
            f"'{name}' has not the weights of an encoder of type '{config.model_type}': {len(missing)} are missing, "
            f"{missing[0]} for one"
        )
    return model


def model_identity(name: str, *, what: str, config: str = CONFIG) -> str:
    """Tells the content of a model from that of all others, wherever it lies and whatever it is called.

    Args:
        name: on the Hugging Face hub, or a folder or file.
        what: who asks, for messages.
        config: the file that every such model of the hub has.

    Returns:
        For a model of the hub the commit that is loaded, found in the cache where there is no network
        (`HF_HUB_OFFLINE`); for a folder or a file a digest of names and content.

    Raises:
        Error: there is no such model.
    """
    path = Path(name)
    if path.is_dir():
        return folder_digest(path)
    if path.is_file():
        return _file_digest(path).hex()
    check_hub(name, config, f"cannot find the model '{name}'", what=what)
    from_hub = import_transformers(what).utils.hub
    try:
        found = from_hub.cached_file(name, config)
    except OSError as error:
        raise Error(f"cannot find the model '{name}': {first_line(error)}") from error
    commit = from_hub.extract_commit_hash(found, None)
    return commit or folder_digest(Path(found).parent)


def folder_digest(folder: Path, *, deep: bool = False) -> str:
    """A SHA-256 digest of a folder's files, their names included.

    Args:
        folder: of a model.
        deep: whether folders within it count.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in (folder.rglob("*") if deep else folder.iterdir()) if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode() + _file_digest(path))
    return digest.hexdigest()


def _file_digest(path: Path) -> bytes:
    status = path.stat()
    return _digest_of(str(path.resolve()), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=1024)
def _digest_of(path: str, size: int, changed: int) -> bytes:
    """A SHA-256 digest of a file's content, read once as long as its size and time of change stay."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


class Reloaded(ABC):
    """What pickles as what loads it: all that is in cached properties is left behind, and loaded where it is needed.

    A model that has changed meanwhile is an error, not another result.
    """

    _pickled: dict[str, str] | None = None

    @property
    @abstractmethod
    def _sources(self) -> dict[str, str]:
        """The names of the models that it is loaded from, and of who needs them, for messages."""

    def _identity_of(self, name: str) -> str:
        """Tells the content of one of these models from that of all others."""
        return model_identity(name, what=self._sources[name])

    def __getstate__(self) -> dict[str, Any]:
        own = {name: value for name, value in vars(self).items() if not _is_cached(type(self), name)}
        return own | {"_pickled": {name: self._identity_of(name) for name in self._sources}}

    def _check_sources(self) -> None:
        """To be called before something is loaded.

        Raises:
            Error: a model is another one than when this was pickled; the message names it.
        """
        for name, identity in (self._pickled or {}).items():
            if self._identity_of(name) != identity:
                raise Error(f"the model '{name}' is another one than when {self._sources[name]} was pickled")


def _is_cached(kind: type, name: str) -> bool:
    return isinstance(getattr(kind, name, None), cached_property)
