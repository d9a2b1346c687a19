"""What is changed of a recipe, on the command line: its data, its links, its evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xner.cli.options.declared import declared_options
from xner.cli.options.groups import Group
from xner.experiments.recipes.options import DataOptions, EvaluationOptions, LinksOptions

if TYPE_CHECKING:
    from xner._support.options import DeclaredOptions

__all__ = ["data_group", "evaluation_group", "links_group", "resamples_group"]


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, (), False)}


def _group(options: type[DeclaredOptions]) -> Group[dict[str, Any]]:
    return Group(declared_options(options, told_alone=True), _given)


data_group = _group(DataOptions)
"""By name, what is said of the data."""

links_group = _group(LinksOptions)
"""Likewise, of ready links."""

evaluation_group = _group(EvaluationOptions)
"""Likewise, of the evaluation."""

resamples_group: Group[dict[str, Any]] = Group(
    declared_options(EvaluationOptions, only=["samples", "seed", "confidence"]), dict
)
"""How runs are compared."""
