"""How the files of a command are laid out, on the command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from xner.cli.options.declared import declared_options
from xner.cli.options.groups import Group, GroupedOption
from xner.errors import Error
from xner.io.formats import FORMATS
from xner.io.layout import LABELS_FROM, Layout
from xner.pipelines.tagging import TaggingOptions, classes_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["COLUMN", "check_class_names", "check_layout", "layout_group"]

_TITLE = "Files"
_CLASSES = ("class_map", "ignore_class")


# By option, the formats of files of which it says nothing.
_OF_COLUMNS = [name for name in FORMATS if name != "conll"]
_OF_NO_WEBANNO = [name for name in FORMATS if name != "webanno"]
_WORDS_ALONE = ["text", "inline", "pharaoh"]
_SAY_NOTHING = {
    **dict.fromkeys(("comment", "empty_token", "strip_prefix"), _OF_COLUMNS),
    **dict.fromkeys(("token_column", "label_column", "class_names"), _WORDS_ALONE),
    "labels_from": ["conll", *_WORDS_ALONE],
    **dict.fromkeys(("span_layer", "span_feature"), _OF_NO_WEBANNO),
    "annotator": [name for name in FORMATS if name not in {"label-studio", "argilla"}],
}


def check_layout(values: Mapping[str, Any], formats: Collection[str]) -> None:
    """That what is said of the layout of files says something of one of them.

    Args:
        values: of a command's options.
        formats: of all files that it reads.

    Raises:
        click.UsageError: it says nothing.
    """
    for name, others in _SAY_NOTHING.items():
        given = values.get(name)
        if given is not None and given is not False and formats and set(formats) <= set(others):
            flag = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{flag} says nothing of files of the format {' and '.join(sorted(formats))}")


def check_class_names(values: Mapping[str, Any], files: Iterable[tuple[str, Path, str | None]]) -> None:
    """That names of labels that are numbers are given for files of which one has such labels, as far as that is seen.

    Args:
        values: of a command's options.
        files: that it reads: the option of each, and its format, None where its name tells it.

    Raises:
        click.UsageError: all have labels that are texts, or none.
    """
    files = list(files)
    if values.get("class_names") is None or not files:
        return
    if not any(_may_have_numbers(one, path, kind) for flag, path, kind in files for one in _layouts(values, flag)):
        shown = ", ".join(f"'{path}'" for path in dict.fromkeys(path for _, path, _ in files))
        raise click.UsageError(f"--class-names is of labels that are numbers; there are none in {shown}")


# Beside the columns that hold for all files: by option of a file, the options that name its own.
_OWN_COLUMNS = {
    "--gold": {"label_column": "gold_column"},
    "--predicted": {"label_column": "predicted_column", "token_column": "predicted_token_column"},
    "--target": {"label_column": "target_label_column", "token_column": "target_token_column"},
}
_OF_WORDS = ("token_column", "label_column", "comment", "empty_token", "strip_prefix")


def _layouts(values: Mapping[str, Any], flag: str) -> Iterator[Layout]:
    """How the file of an option is read, as gold data beside where there is no file of these."""
    common = {name: values[name] for name in _OF_WORDS if values.get(name) is not None}
    own = {name: values[its] for name, its in _OWN_COLUMNS.get(flag, {}).items() if values.get(its) is not None}
    yield Layout(**common | own)
    gold = values.get("gold_column")
    if flag == "--predicted" and values.get("gold") is None and gold is not None:
        yield Layout(**common | own | {"label_column": gold})


def _may_have_numbers(layout: Layout, path: Path, kind: str | None) -> bool:
    """Whether labels are numbers; true of what cannot be read, which the command tells."""
    try:
        return layout.has_numbers(path, kind)
    except (Error, OSError):
        return True


class _ColumnType(click.ParamType):  # type: ignore[type-arg]  # generic in later versions of click alone
    """The number of a column, or its name."""

    name = "column"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "COLUMN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        text = str(value)
        if not text:
            self.fail("expected a number or a name", param, ctx)
        return int(text) if re.fullmatch(r"-?\d+", text) else text


COLUMN = _ColumnType()


def _options() -> list[click.Option]:
    return [
        GroupedOption(
            ["--token-column"],
            type=COLUMN,
            help="Column of the words: its number from 0, or from -1 for the last, or its name in a header or a "
            "table.  [default: the first one, or what is named so]",
            title=_TITLE,
        ),
        GroupedOption(
            ["--label-column"],
            type=COLUMN,
            help="Column of the labels, likewise.  [default: the last one, or what is named so]",
            title=_TITLE,
        ),
        GroupedOption(
            ["--labels-from"],
            type=click.Choice(LABELS_FROM),
            help="Which column decides where labels and entities of a table contradict each other.",
            title=_TITLE,
        ),
        GroupedOption(
            ["--class-names"],
            metavar="NAME,...",
            help="Names of labels that are numbers, in order: O,B-PER,I-PER.",
            title=_TITLE,
        ),
        GroupedOption(["--comment"], metavar="TEXT", help="How comments begin.  [default: #]", title=_TITLE),
        GroupedOption(["--empty-token"], metavar="WORD", help="What to read for a missing word.", title=_TITLE),
        GroupedOption(
            ["--strip-prefix"],
            is_flag=True,
            help="Leave out the language before each word: de:Bonn, as in WikiANN.",
            title=_TITLE,
        ),
        GroupedOption(
            ["--span-layer"],
            metavar="NAME",
            help="Layer of spans of WebAnno's and INCEpTION's TSV: its name, or what that ends in.  [default: "
            "NamedEntity]",
            title=_TITLE,
        ),
        GroupedOption(
            ["--span-feature"],
            metavar="NAME",
            help="Feature of the layer that has the class.  [default: value, or the only one]",
            title=_TITLE,
        ),
        GroupedOption(
            ["--annotator"],
            metavar="NAME",
            help="Whose annotations count in files of Label Studio or Argilla, where several people do not agree.",
            title=_TITLE,
        ),
    ]


def _target_options() -> list[click.Option]:
    return [
        GroupedOption(
            ["--target-token-column"],
            type=COLUMN,
            help="Column of the words in the target file, where that is laid out otherwise.",
            title=_TITLE,
        ),
        GroupedOption(
            ["--target-label-column"], type=COLUMN, help="Column of the labels in the target file.", title=_TITLE
        ),
    ]


def _made(class_names: str | None, **values: Any) -> Layout:
    classes = {name: values.pop(name, ()) for name in _CLASSES}
    if values.pop("tagger", None) is not None:
        classes = dict.fromkeys(_CLASSES, ())  # they rename what it finds
    return Layout(
        **values,
        class_names=tuple(class_names.split(",")) if class_names else (),
        class_map=classes_of(classes["class_map"], classes["ignore_class"]),
    )


def layout_group(*, classes: bool = True, with_pipeline: bool = False, two_sides: bool = False) -> Group[Layout]:
    """The options that say how files are laid out.

    Args:
        classes: whether `--class-map` and `--ignore-class` rename the files' classes.
        two_sides: whether the command has a file of target sentences, which may be laid out otherwise.
        with_pipeline: whether a group of the command has these already, for its tagger; without one they are for files.
    """
    options = [*_options(), *(_target_options() if two_sides else [])]
    if with_pipeline:
        return Group(options, _made, also=(*_CLASSES, "tagger"))
    own = declared_options(TaggingOptions, only=list(_CLASSES), titles={"Tagger": _TITLE}) if classes else []
    return Group([*options, *own], _made)
