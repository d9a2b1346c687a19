"""The filters of the command line: their options and help."""

from __future__ import annotations

import inspect
from typing import Any

from xner import filters
from xner.cli.options.declared import declared_options
from xner.cli.options.groups import Group
from xner.pipelines.run_options import RunOptions

__all__ = ["FILTERS_HELP", "filters_group"]


def _described(kind: type[Any]) -> str:
    """A filter's form, and below it the first sentence of its documentation."""
    summary = (inspect.getdoc(kind) or "").partition("\n")[0]
    return f"  {filters.usage(kind)}\n      {summary}\n"


FILTERS_HELP = "\b\nFilters; what stands in [ ] may be left out, with the value shown:\n" + "".join(
    map(_described, filters.FILTERS.working().values())
)

filters_group = Group(
    declared_options(RunOptions, only=["filters", "drop_rows"], titles={"Filters": ""}),
    lambda filters, drop_rows: RunOptions(filters=filters, drop_rows=drop_rows).made_filters(),
)
