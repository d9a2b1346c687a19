"""Data sets of the Hugging Face hub, or of folders in its library's formats. Needs the extra `train`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from xner import schema
from xner._support.arrow import one_array
from xner._support.extras import require
from xner._support.hub import check_hub
from xner.errors import Error
from xner.io._classes import named

__all__ = ["DatasetName", "read_hugging_face"]

_PREFIX = "hf:"
_WORD_COLUMNS = (schema.TOKENS, "words")
_LABEL_COLUMNS = (schema.LABELS, "ner_tags", "tags", schema.GOLD_LABELS)


@dataclass(frozen=True, slots=True)
class DatasetName:
    """Which part of which data set.

    Attributes:
        name: on the hub; or a folder: with data files, or one that `save_to_disk` has written.
        configuration: of those that the data set has; None for its only one.
        split: `train`, `validation`, ...
    """

    name: str
    configuration: str | None
    split: str

    @classmethod
    def parse(cls, text: str, *, split: str) -> DatasetName | None:
        """Read `hf:NAME[:CONFIGURATION][:SPLIT]`; the configuration may be empty.

        Args:
            text: what may be such a name.
            split: the one that is meant where the name has none.

        Returns:
            None where the text does not begin with `hf:`.

        Raises:
            Error: it does, but is none.
        """
        if not text.startswith(_PREFIX):
            return None
        parts = text.removeprefix(_PREFIX).split(":")
        if not parts[0] or len(parts) > 3:
            raise Error(f"'{text}': expected hf:NAME, hf:NAME:CONFIGURATION or hf:NAME:CONFIGURATION:SPLIT")
        name, configuration, own = [*parts, "", ""][:3]
        return cls(name, configuration or None, own or split)


def read_hugging_face(
    name: DatasetName, *, words_column: str | None = None, labels_column: str | None = None
) -> pa.Table:
    """Read a split of a data set of word lists and labels.

    Code that comes with a data set is not run.

    Args:
        name: which one.
        words_column: of lists of strings; by default `tokens` or `words`.
        labels_column: of lists of labels, as strings or as numbers with names (ClassLabel); by default the only one of
            `labels`, `ner_tags`, `tags` and `gold_labels`.

    Returns:
        `tokens` and `labels`.

    Raises:
        Error: the extra `train` is not installed; there is no such data set, split or column; labels without names.
        DataError: a number that has no name.
    """
    data = _load(name)
    words = _column(name, data.column_names, "words", words_column, _WORD_COLUMNS)
    labels = _column(name, data.column_names, "labels", labels_column, _LABEL_COLUMNS)
    table = data.with_format("arrow")[:].select([words, labels])
    names = getattr(getattr(data.features[labels], "feature", None), "names", None)
    label_lists: Any = one_array(table.column(labels))
    if names is not None:
        label_lists = named(label_lists, names, labels)
    elif not _holds_texts(label_lists.type):
        raise Error(f"'{name.name}': the labels in column '{labels}' are {label_lists.type.value_type} without names")
    return pa.table(
        {
            schema.TOKENS: schema.conform_column(one_array(table.column(words)), schema.TOKENS, words, narrow=True),
            schema.LABELS: schema.conform_column(label_lists, schema.LABELS, labels, narrow=True),
        }
    )


def _holds_texts(kind: pa.DataType) -> bool:
    values: pa.DataType = getattr(kind, "value_type", kind)
    return any(test(values) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _load(name: DatasetName) -> Any:
    """A split, from the hub, from data files or from a saved data set."""
    needs: Any = {"extra": "train", "what": "reading data sets of the Hugging Face hub"}
    datasets = require("datasets", **needs)
    failing = f"cannot read the data set '{name.name}', split '{name.split}'"
    if not (Path(datasets.config.HF_DATASETS_CACHE) / name.name.replace("/", "___")).is_dir():
        check_hub(name.name, "README.md", failing, kind="dataset", **needs)
    folder = Path(name.name)
    saved = any((folder / file).is_file() for file in ("dataset_dict.json", "state.json"))
    bars = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        if not saved:
            return datasets.load_dataset(name.name, name.configuration, split=name.split)
        found = datasets.load_from_disk(name.name)
    except (OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise Error(f"{failing}: {reason}") from error
    finally:
        if bars:
            datasets.enable_progress_bars()
    if isinstance(found, datasets.Dataset):
        return found
    if name.split not in found:
        raise Error(f"the data set '{name.name}' has no split '{name.split}', only: {', '.join(found)}")
    return found[name.split]


def _column(name: DatasetName, columns: list[str], what: str, wanted: str | None, usual: tuple[str, ...]) -> str:
    """Which column has the words or the labels."""
    found = [column for column in ([wanted] if wanted else usual) if column in columns]
    if len(found) != 1:
        which = f"none of {', '.join(map(repr, [wanted] if wanted else usual))}" if not found else " and ".join(found)
        raise Error(f"'{name.name}': cannot tell the column of the {what}: {which}; it has: {', '.join(columns)}")
    return found[0]
