"""Options that several commands share go with them in one decorator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import click

__all__ = ["with_options", "with_parameters"]

F = TypeVar("F", bound="Callable[..., Any]")


def with_options(options: Sequence[Callable[[Any], Any]], command: F) -> F:
    """Add options to a command; its help lists them in their order.

    Args:
        options: decorators: of `click.option`, or those that add several.
        command: the function behind the command.
    """
    for option in reversed(options):
        command = option(command)
    return command


def with_parameters(options: Sequence[click.Option], command: F) -> F:
    """Add options that are made already to a command; its help lists them in their order.

    Args:
        options: of the command line.
        command: the function behind the command.
    """
    command.__dict__["__click_params__"] = [*getattr(command, "__click_params__", []), *reversed(options)]
    return command
