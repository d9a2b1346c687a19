"""The options of commands that align and do not project."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from xner.cli.options.declared import declared_options
from xner.cli.options.groups import Group, GroupedOption
from xner.cli.options.inputs import output_file
from xner.errors import OptionError
from xner.pipelines.aligning import Aligning, AligningOptions
from xner.pipelines.run_options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["aligning_group"]


def _aligning(
    *, source_language: str | None, target_language: str | None, save_aligner: Path | None, **options: Any
) -> Callable[..., Aligning]:
    made = partial(
        Aligning, AligningOptions(**options), languages=(source_language, target_language), save_aligner=save_aligner
    )
    its = made()  # says what does not go together
    if not its.options.encoders:
        for name, given in (("source_language", source_language), ("target_language", target_language)):
            if given is not None:
                raise OptionError(f"{name} goes with an aligner that is an encoder, as --aligner nllb-encoder")
    return made


aligning_group = Group(
    [
        *declared_options(AligningOptions, titles={"Alignment": ""}),
        *declared_options(RunOptions, only=["source_language", "target_language"], titles={"Languages": ""}),
        GroupedOption(["--save-aligner"], type=output_file, help="Where to save the built-in aligner."),
    ],
    _aligning,
)
"""Handed to a command as what makes an `Aligning` of `others` and `threads`."""
