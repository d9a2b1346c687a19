"""Which shift of a corpus is wanted, on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xner.cli.options.declared import declared_options
from xner.cli.options.groups import Group, GroupedOption
from xner.cli.options.inputs import existing_file
from xner.experiments.shift.edits import KINDS
from xner.experiments.shift.names import read_lexicon, read_names
from xner.experiments.shift.options import SEVERITIES, UNITS, ShiftOptions, check_material

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pyarrow as pa

__all__ = ["SEVERITIES_HELP", "ChosenShift", "shift_group"]

_TITLE = "Shift"


def _severities() -> str:
    """The shares of all severities, a line for the kinds that have them."""
    lines: dict[tuple[float, ...], list[str]] = {}
    for kind, shares in SEVERITIES.items():
        lines.setdefault(shares, []).append(f"{kind} ({UNITS[kind]})")
    return "".join(
        f"  {', '.join(f'{100 * share:g}' for share in shares)} %:\n      {', '.join(kinds)}\n"
        for shares, kinds in lines.items()
    )


SEVERITIES_HELP = "\b\nWhat the severities 1 to 5 change, of what:\n" + _severities()


@dataclass(frozen=True, slots=True)
class ChosenShift:
    """Which shift is wanted.

    Attributes:
        options: of the shift.
        names: a file of names.
        unseen_in: a labelled file.
        context_from: a labelled file.
        lexicon: a file of translations.
    """

    options: ShiftOptions
    names: Path | None
    unseen_in: Path | None
    context_from: Path | None
    lexicon: Path | None

    def arguments(self, read: Callable[[Path], pa.Table]) -> Mapping[str, Any]:
        """What `shift` takes beside the corpus.

        Args:
            read: reads a labelled file.
        """
        found: dict[str, Any] = {"kind": self.options.kind, "severity": self.options.severity, **self.options.changes()}
        for name, path, reader in (
            ("names", self.names, read_names),
            ("lexicon", self.lexicon, read_lexicon),
            ("unseen_in", self.unseen_in, read),
            ("context_from", self.context_from, read),
        ):
            if path is not None:
                found[name] = reader(path)
        return found


def _chosen(
    names: Path | None, unseen_in: Path | None, context_from: Path | None, lexicon: Path | None, **values: Any
) -> ChosenShift:
    options = ShiftOptions(**values)
    files = {"names": names, "unseen_in": unseen_in, "context_from": context_from, "lexicon": lexicon}
    check_material(options, {name for name, path in files.items() if path is not None})
    return ChosenShift(options, **files)


shift_group = Group(
    [
        GroupedOption(["--kind"], required=True, metavar=f"[{'|'.join(KINDS)}]", help="What is shifted.", title=_TITLE),
        *declared_options(ShiftOptions, without=["kind"]),
        GroupedOption(
            ["--names"],
            type=existing_file,
            help="With entities: names to choose among, in place of the corpus's own. A class, a name and perhaps its "
            "origin a line, with tabs between them.",
            title=_TITLE,
        ),
        GroupedOption(
            ["--unseen-in"],
            type=existing_file,
            help="With entities: a labelled corpus whose names are not chosen, the training data for instance.",
            title=_TITLE,
        ),
        GroupedOption(
            ["--context-from"],
            type=existing_file,
            help="With context: a labelled corpus whose sentences are taken, in place of this one's.",
            title=_TITLE,
        ),
        GroupedOption(
            ["--lexicon"],
            type=existing_file,
            help="With code-switch: a word and its translation a line, with a tab between them.",
            title=_TITLE,
        ),
    ],
    _chosen,
)
