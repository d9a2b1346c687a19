"""Names of classes on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from xner.cli.options.declared import declared_options
from xner.cli.options.decorators import with_parameters
from xner.errors import Error
from xner.pipelines.tagging import TaggingOptions, classes_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["class_options", "take_classes"]

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
