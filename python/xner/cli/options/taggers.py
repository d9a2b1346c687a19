"""Taggers, and names of classes, on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from xner.cli.options.declared import declared_options
from xner.cli.options.decorators import with_parameters
from xner.errors import Error
from xner.models.taggers.catalogue import takes_options_of
from xner.pipelines.tagging import TaggingOptions, classes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["class_options", "tagger_options", "take_classes", "take_tagger"]

F = TypeVar("F", bound="Callable[..., Any]")


def class_options(command: F) -> F:
    """Add `--class-map` and `--ignore-class` to a command; `take_classes` reads them."""
    return with_parameters(
        declared_options(TaggingOptions, only=["class_map", "ignore_class"], titles={"Tagger": ""}), command
    )


def take_classes(values: dict[str, Any]) -> dict[str, str]:
    """Take `--class-map` and `--ignore-class` out of a command's values.

    Returns:
        New names by old ones, as `Tagger.load` takes them.

    Raises:
        click.UsageError: a text that is not OLD=NEW.
    """
    try:
        return classes_of(values.pop("class_map"), values.pop("ignore_class"))
    except Error as error:
        raise click.UsageError(str(error).replace("class_map=", "--class-map ")) from None


def tagger_options(command: F) -> F:
    """Add the options of what a tagger finds to a command; `take_tagger` reads them."""
    names = ["classes", "class_map", "ignore_class", "tagger_threshold"]
    return with_parameters(declared_options(TaggingOptions, only=names, titles={"Tagger": ""}), command)


def take_tagger(values: dict[str, Any], model: str, of_networks: Mapping[str, Any]) -> dict[str, Any]:
    """Take the options of `tagger_options` out of a command's values.

    Args:
        values: of all options by name.
        model: as for `load_tagger`.
        of_networks: defaults of the options that only networks for token classification take, by name.

    Returns:
        Options for `load_tagger`.

    Raises:
        click.UsageError: options that the tagger does not take.
    """
    if not takes_options_of(model, "networks"):
        for name, default in of_networks.items():
            if values[name] != default:
                flag = f"--{name.replace('_', '-')}"
                raise click.UsageError(f"{flag} goes with a --model of transformers, not with {model!r}")
    own = {name: values.pop(name) for name in ("classes", "class_map", "ignore_class", "tagger_threshold")}
    try:
        return TaggingOptions(tagger=model, **own).loading
    except Error as error:
        raise click.UsageError(str(error).replace("class_map=", "--class-map ")) from None
