"""The network that is trained: a pretrained encoder with a new head for the labels, all of it or through LoRA."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from xner._support.extras import require
from xner.errors import Error, OptionError
from xner.models.network.loading import first_line, import_transformers, load_weights, quiet
from xner.training.fine_tuning import WHAT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xner.training.settings import LoraSettings

__all__ = ["load_network", "merged", "with_lora"]


def load_network(model: str, config: Any, names: Sequence[str], *, random_weights: bool, seed: int) -> Any:
    """An encoder with a head for labels.

    Args:
        model: name on the Hugging Face hub, or folder.
        config: its configuration, which gets the labels.
        names: the labels.
        random_weights: take the model's configuration alone, and random weights.
        seed: of all weights that are random; the head's are, unless the model has one for these very labels.

    Raises:
        Error: its weights are not in safetensors files, or some of its encoder's are missing.
    """
    transformers = import_transformers(WHAT)
    wanted = dict(enumerate(names))
    knows_labels = config.id2label == wanted
    config.id2label = wanted
    config.label2id = {name: number for number, name in enumerate(names)}
    transformers.set_seed(seed)
    if random_weights:
        try:
            with quiet(transformers):
                return transformers.AutoModelForTokenClassification.from_config(config)
        except ValueError as error:
            raise Error(f"cannot make a tagger from the configuration of '{model}': {first_line(error)}") from error
    network, missing = load_weights(
        "AutoModelForTokenClassification",
        model,
        kind="model",
        what=WHAT,
        config=config,
        ignore_mismatched_sizes=True,
        dtype="float32",
    )
    lost = [name for name in missing if name.startswith(f"{network.base_model_prefix}.")]
    if lost:
        raise Error(f"cannot load the model '{model}': its files lack {len(lost)} of its weights, as '{lost[0]}'")
    if not knows_labels:
        # A head for as many other labels would have been taken over.
        for name in _head(network):
            for layer in getattr(network, name).modules():
                if hasattr(layer, "reset_parameters"):
                    layer.reset_parameters()
    return network


def _head(network: Any) -> list[str]:
    """The names of the layers behind the encoder that have weights."""
    return [
        name
        for name, layer in network.named_children()
        if name != network.base_model_prefix and any(True for _ in layer.parameters())
    ]


def _is_linear(network: Any, name: str) -> bool:
    return type(network.get_submodule(name)).__name__ == "Linear"


def with_lora(network: Any, settings: LoraSettings, *, seed: int) -> Any:
    """A network in which small matrices and the head are trained, and all else stays.

    Raises:
        Error: the extra `train` is not installed; the network has no such layers.
    """
    peft = require("peft", extra="train", what="LoRA")
    import_transformers(WHAT).set_seed(seed)
    head = _head(network)
    targets = settings.targets[0] if settings.targets == ("all-linear",) else list(settings.targets)
    layers = [name for name, _ in network.named_modules() if name]
    for target in [] if isinstance(targets, str) else targets:
        if not any(f".{name}".endswith(f".{target}") for name in layers):
            linear = dict.fromkeys(name.rpartition(".")[2] for name in layers if _is_linear(network, name))
            known = ", ".join(name for name in linear if name not in head)
            raise OptionError(f"targets={target!r}: the model has no such layer; its linear ones are {known}")
    config = peft.LoraConfig(
        task_type=peft.TaskType.TOKEN_CLS,
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=targets,
        exclude_modules=head,
        modules_to_save=head,
    )
    try:
        with warnings.catch_warnings():
            # peft asks transformers' models for what they call otherwise by now.
            warnings.simplefilter("ignore", FutureWarning)
            return peft.get_peft_model(network, config)
    except ValueError as error:
        raise OptionError(f"targets={settings.targets}: {first_line(error)}") from error


def merged(network: Any) -> Any:
    """A network whose LoRA matrices, if it has any, are added to the weights they belong to: a plain model."""
    return network.merge_and_unload() if hasattr(network, "merge_and_unload") else network
