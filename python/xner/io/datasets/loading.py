"""Loading data sets by name, out of a folder or from the hub: their size is checked, their sides are joined."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from xner import labels, schema
from xner._support.arrow import one_array
from xner._support.extras import require
from xner._support.hub import check_hub
from xner._support.progress import logger
from xner.errors import DataError, Error, FormatError, OptionError
from xner.io._json import lines_of
from xner.io.conll import survey_conll
from xner.io.datasets.catalogue import DATASETS, Catalogue, read_catalogue
from xner.io.formats import format_of
from xner.io.hugging_face import DatasetName, read_hugging_face
from xner.io.layout import Layout
from xner.io.pairing import pair
from xner.io.parallel import check_parallel
from xner.text.languages import language as understood
from xner.text.word_splitting import splitter_for

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from xner.io.datasets.catalogue import Counts, Dataset, Files, Hub

__all__ = ["METADATA", "load"]

METADATA: Final = ("dataset", "dataset_version", "dataset_licence", "dataset_language", "dataset_split")
"""What the metadata of a table's schema says, by key; it is kept in Parquet and Arrow files."""


def load(
    name: str,
    *,
    language: str | None = None,
    split: str | None = None,
    folder: str | os.PathLike[str] | None = None,
    catalogue: Catalogue | str | os.PathLike[str] | None = None,
    ignore_counts: bool = False,
    told: Callable[[str], None] = logger.info,
) -> pa.Table:
    """A split of a data set.

    Args:
        name: of `DATASETS`; or a file of sentences; or `hf:NAME[:CONFIGURATION][:SPLIT]`.
        language: by the data set's own name or FLORES-200's code; None for its only one.
        split: `train`, `validation` or `test`; None for its only one.
        folder: with the data set's files, or a clone of the repository that has them; None: from the hub.
        catalogue: other data sets, or a TOML file that describes them, in place of `DATASETS`.
        ignore_counts: take a split of another size than is known, which is an error otherwise.
        told: gets lines of what there is to say: sentences without a partner, for instance.

    Returns:
        `id`, `tokens` and `labels` (IOB2). Of a parallel data set `id`, `source_tokens`, `source_entities`, `tokens`
        and `gold_labels`, which `Projector` takes; without `source_entities` where the other side is not labelled. The
        schema's metadata has what `METADATA` names.

    Raises:
        Error: there is no such data set or file, and the message names the nearest ones, or the files that were looked
            for; or a split is of another size than is known, and the message has both numbers.
        OptionError: a language or a split that the data set does not have.
        DataError: a label that is none.
    """
    known = DATASETS if catalogue is None else catalogue
    if not isinstance(known, Catalogue):
        known = read_catalogue(known)
    if name not in known and (name.startswith("hf:") or Path(name).is_file()):
        return _with_metadata(_by_path(name, split), name=name, language=language or "", split=split or "")
    dataset = known.choose(name)
    language, split = dataset.language(language), dataset.split(split)
    sides = _Local(dataset, known, Path(folder)) if folder is not None else _Remote(dataset, known)
    found = sides.load(language, split, ignore_counts=ignore_counts, told=told)
    return _with_metadata(
        found, name=dataset.name, version=dataset.version, licence=dataset.licence, language=language, split=split
    )


def _with_metadata(
    table: pa.Table, *, name: str, version: str = "", licence: str = "", language: str, split: str
) -> pa.Table:
    said = zip(METADATA, (name, version, licence, language, split), strict=True)
    before: dict[Any, Any] = dict(table.schema.metadata or {})
    return table.replace_schema_metadata(before | {key: value for key, value in said if value})


def _by_path(name: str, split: str | None) -> pa.Table:
    """What a file has, or a data set of the hub."""
    of_hub = DatasetName.parse(name, split=split or "test")
    if of_hub is None:
        if split is not None:
            raise OptionError(f"split={split!r}: '{name}' is a file, and has none")
        return Layout().read_tagged(name)
    return _sentences(read_hugging_face(of_hub), name, Layout())


def _sentences(table: pa.Table, name: str, layout: Layout) -> pa.Table:
    """`id`, `tokens` and `labels` in the usual spelling."""
    found = layout.labelled(table, name, all_classes=False)
    tokens = one_array(found.table[schema.TOKENS])
    ids: Any = pa.array(map(str, range(len(tokens))), pa.string())
    if schema.ID in found.table.schema.names:
        ids = one_array(found.table[schema.ID])
    return pa.table({schema.ID: ids, schema.TOKENS: tokens, schema.LABELS: labels.encode_batch(found.entities, tokens)})


def _check_counts(table: pa.Table, known: Counts | None, what: str) -> None:
    """That a split is as large as is known, if it is.

    Raises:
        Error: it is not; the message has both numbers.
    """
    if known is None:
        return
    tags: Any = pc.list_flatten(table[schema.LABELS])
    begins: Any = pc.starts_with(tags, "B-")
    for column, expected, found in (
        ("sentences", known.sentences, table.num_rows),
        ("tokens", known.tokens, len(tags)),
        ("entities", known.entities, pc.sum(begins).as_py() or 0),
    ):
        if expected is not None and expected != found:
            raise Error(
                f"{what} has {found} {column}, and {expected} are known ({known.origin}): the files are of another "
                "version, or damaged; `ignore_counts` takes them as they are"
            )


def _parallel(source: pa.Table, target: pa.Table, names: tuple[str, str]) -> pa.Table:
    """The columns of both sides, which belong together row by row."""
    check_parallel(source[schema.TOKENS], target[schema.TOKENS], source_name=names[0], target_name=names[1])
    return pa.table(
        {
            schema.ID: target[schema.ID],
            schema.SOURCE_TOKENS: source[schema.TOKENS],
            schema.SOURCE_ENTITIES: labels.decode_batch(source[schema.LABELS]),
            schema.TOKENS: target[schema.TOKENS],
            schema.GOLD_LABELS: target[schema.LABELS],
        }
    )


def _joined(
    target: pa.Table, texts: list[tuple[str, str]], language: str, names: tuple[str, str], told: Callable[[str], None]
) -> pa.Table:
    """Labelled sentences with the translations of those that are among some texts.

    Args:
        target: the labelled sentences.
        texts: sentences of the other side and of this one.
        language: of the other side, in FLORES-200's code.
        names: of the labelled file and of the texts, for messages.
        told: gets what there is to say.
    """
    unlabelled = pa.table({schema.TOKENS: pa.array([[text] for _, text in texts], schema.WORDS_TYPE)})
    found = pair(target, unlabelled, on="text", names=names)
    for line in found.lines(names):
        told(line)
    rows = target.take(pa.array([row for row, _ in found.pairs], pa.int64()))
    split = splitter_for(language)
    words = [[word.text for word in split(texts[row][0])] for _, row in found.pairs]
    return pa.table(
        {
            schema.ID: rows[schema.ID],
            schema.SOURCE_TOKENS: pa.array(words, schema.WORDS_TYPE),
            schema.TOKENS: rows[schema.TOKENS],
            schema.GOLD_LABELS: rows[schema.LABELS],
        }
    )


class _Local:
    """A data set's files in a folder."""

    def __init__(self, dataset: Dataset, catalogue: Catalogue, folder: Path) -> None:
        self._dataset, self._catalogue, self._folder = dataset, catalogue, folder
        if not folder.is_dir():
            raise Error(f"'{folder}': there is no such folder")
        if not dataset.files:
            raise Error(f"how the files of '{dataset.name}' lie in a folder is not known; it is on the hub")

    def load(self, language: str, split: str, *, ignore_counts: bool, told: Callable[[str], None]) -> pa.Table:
        """See `load`."""
        files, path = self._way(language, split)
        target = self._read(files, path)
        counts_of = self._catalogue.get(files.counts_of) if files.counts_of else self._dataset
        if counts_of is not None and not ignore_counts:
            _check_counts(target, counts_of.counts_for(language, split), f"'{path}'")
        source = self._dataset.other_side(language)
        if not source:
            _say_alone(self._dataset, language, told)
            return target
        if files.texts:
            patterns = [files.fill(one, language=language, split=split, source=source) for one in files.texts]
            texts = self._texts(patterns, source, language)
            return _joined(target, texts, _code(self._dataset, source), (str(path), "the translations"), told)
        pattern, asked = (files.source_path, language) if files.source_path else (files.path, source)
        other = files.fill(pattern, language=asked, split=split, source=source)
        beside = self._one(other)
        if beside is None:
            raise Error(f"'{self._folder}' has '{path.name}' and lacks its other side, '{other}'")
        labelled = self._read(files, beside)
        if counts_of is not None and not files.source_path and not ignore_counts:
            _check_counts(labelled, counts_of.counts_for(source, split), f"'{beside}'")
        return _parallel(labelled, target, (str(beside), str(path)))

    def _way(self, language: str, split: str) -> tuple[Files, Path]:
        """The first way that fits the folder, and the labelled file."""
        looked = []
        for files in self._dataset.files:
            pattern = files.fill(
                files.path, language=language, split=split, source=self._dataset.other_side(language) or language
            )
            path = self._one(pattern)
            if path is not None and (files.columns is None or len(survey_conll(path)) == files.columns):
                return files, path
            looked.append(f"'{pattern}' ({files.where})")
        raise Error(
            f"'{self._folder}' has no {split} split of '{self._dataset.name}' for '{language}'; looked for "
            f"{' and '.join(looked)}"
        )

    def _one(self, pattern: str) -> Path | None:
        """The file that a pattern names, in which `*` stands for anything; None where there is none."""
        found = [path for path in sorted(self._folder.glob(pattern)) if path.is_file()]
        if len(found) > 1:
            raise Error(f"'{self._folder}' has several files '{pattern}': {', '.join(map(str, found))}")
        return found[0] if found else None

    def _read(self, files: Files, path: Path) -> pa.Table:
        layout = Layout(
            token_column=files.token_column,
            label_column=files.label_column,
            empty_token=files.empty_token or None,
            strip_prefix=files.strip_prefix,
            class_map=files.class_map,
        )
        kind = format_of(path, files.format or None)
        return _sentences(layout.read(path, kind), str(path), layout)

    def _texts(self, patterns: list[str], source: str, language: str) -> list[tuple[str, str]]:
        """Translations of all files that there are."""
        paths = [path for pattern in patterns if (path := self._one(pattern)) is not None]
        if not paths:
            raise Error(f"'{self._folder}' has no translations; looked for {', '.join(map(repr, patterns))}")
        found = []
        for record in chain.from_iterable(map(lines_of, paths)):
            inner = record.record("translation")
            found.append((inner.text(source), inner.text(language)))
        return found


class _Remote:
    """A data set on the Hugging Face hub."""

    def __init__(self, dataset: Dataset, catalogue: Catalogue) -> None:
        self._dataset, self._catalogue = dataset, catalogue
        if dataset.hub is None:
            ways = " or ".join(dict.fromkeys(one.where for one in dataset.files))
            raise Error(f"'{dataset.name}' is not on the hub; `folder` reads it from a folder: {ways}")
        self._hub: Hub = dataset.hub

    def load(self, language: str, split: str, *, ignore_counts: bool, told: Callable[[str], None]) -> pa.Table:
        """See `load`."""
        source = self._dataset.other_side(language)
        target = self._read(language, split)
        counts_of = self._catalogue.get(self._hub.counts_of) if self._hub.counts_of else self._dataset
        name = f"'{language}' of '{self._hub.name}'"
        if counts_of is not None and not ignore_counts:
            _check_counts(target, counts_of.counts_for(language, split), f"the {split} split of {name}")
        if not source:
            _say_alone(self._dataset, language, told)
            return target
        if self._hub.texts is None:
            return _parallel(self._read(source, split), target, (f"'{source}' of '{self._hub.name}'", name))
        texts = self._texts(language, source)
        return _joined(target, texts, _code(self._dataset, source), (name, "the translations"), told)

    def _read(self, language: str, split: str) -> pa.Table:
        named = {"language": language, "split": self._hub.splits.get(split, split), "source": self._dataset.source}
        if self._hub.path:
            path = _fetched(self._hub.name, self._hub.path.format(**named), self._hub.revision)
            layout = Layout()
            return _sentences(layout.read(path), self._hub.path.format(**named), layout)
        configuration = self._hub.configuration.format(**named) or None
        table = read_hugging_face(DatasetName(self._hub.name, configuration, named["split"]))
        return _sentences(table, self._hub.name, Layout())

    def _texts(self, language: str, source: str) -> list[tuple[str, str]]:
        texts = self._hub.texts
        if texts is None:
            return []
        found: list[tuple[str, str]] = []
        missing: list[Error] = []
        for pattern in texts.paths:
            name = pattern.format(language=language, source=source, split="")
            try:
                path = _fetched(texts.name, name, texts.revision)
            except Error as error:
                missing.append(error)
                continue
            found += _pairs(path, source, language, f"'{name}' of '{texts.name}'")
        if not found and missing:
            raise missing[0]
        return found


def _pairs(path: Path, source: str, language: str, name: str) -> Iterator[tuple[str, str]]:
    """Sentences in two languages, of a Parquet file with a column `translation` of texts by language."""
    import pyarrow.parquet as pq  # heavy, and needed for this alone

    try:
        table = pq.read_table(path, page_checksum_verification=True)
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise
        raise FormatError(f"{name}: not a usable Parquet file: {error}") from error
    schema.require_columns(table.schema, ["translation"], name)
    for row, both in enumerate(table["translation"].to_pylist()):
        if not isinstance(both, dict) or not all(isinstance(both.get(one), str) for one in (source, language)):
            reason = f"{name}: expected texts in '{source}' and '{language}'"
            raise DataError(row, "translation", repr(both)[:60], reason)
        yield both[source], both[language]


def _fetched(name: str, path: str, revision: str) -> Path:
    """A file of a repository of data on the hub, or of a folder."""
    if Path(name).is_dir():
        local = Path(name) / path
        if not local.is_file():
            raise Error(f"'{name}' has no file '{path}'")
        return local
    needs: Any = {"extra": "train", "what": "reading data sets of the Hugging Face hub"}
    hub = require("huggingface_hub", **needs)
    failing = f"cannot fetch '{path}' of the data set '{name}' from the hub"
    check_hub(name, path, failing, kind="dataset", revision=revision, **needs)
    try:
        return Path(hub.hf_hub_download(name, path, repo_type="dataset", revision=revision or None))
    except (OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise Error(f"{failing}: {reason}") from error


def _code(dataset: Dataset, language: str) -> str:
    """FLORES-200's code of the other side, which need not be a language that can be asked for."""
    known = dataset.languages.get(language)
    return known.code if known is not None and known.code else understood(language).code


def _say_alone(dataset: Dataset, language: str, told: Callable[[str], None]) -> None:
    if language in dataset.unordered:
        order = f"in another order than those of '{dataset.source}'"
        told(f"{dataset.name}: the rows of '{language}' are {order}, so that it is loaded alone")
