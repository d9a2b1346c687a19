"""The sentence pairs of a recipe: which languages there are, where their files lie, reading them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from xner import labels, schema
from xner._support.progress import logger
from xner.errors import Error, OptionError
from xner.io.datasets.catalogue import DATASETS, Catalogue, read_catalogue
from xner.io.datasets.loading import load
from xner.io.sides import labels_as_gold, read_links, read_pairs, read_source, read_target
from xner.text.languages import language as understood

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xner.experiments.recipes.options import DataOptions, LinksOptions

__all__ = ["Pair", "catalogue_of", "pairs_of"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair of languages of a recipe's data.

    Attributes:
        dataset: the data set's name, or the pattern of the target file's.
        split: of the data set; empty where it has none.
        source: the labelled language.
        target: the language to be labelled.
        data: where the sentences are.
        links: files of their links, and how they are read.
        is_translated: whether the target side is to be made, by translation.
        has_source: whether the labelled side is read; without, the target sentences are alone.
    """

    dataset: str
    split: str
    source: str
    target: str
    data: DataOptions
    links: LinksOptions
    is_translated: bool = False
    has_source: bool = True

    def __str__(self) -> str:
        """`en to de`."""
        return f"{self.source} to {self.target}"

    @property
    def places(self) -> list[str]:
        """Where the sentences are: files, or a data set and its folder."""
        if self.data.dataset is None:
            sides = (self.data.source if self.has_source else None, self.data.target)
            return [self.filled(one) for one in sides if one is not None]
        return [f"{self.dataset} ({self.split}), from {self.data.folder or 'the Hugging Face hub'}"]

    @property
    def link_files(self) -> list[Path]:
        """The files of links."""
        return [Path(self.filled(one)) for one in self.links.files]

    @property
    def reads(self) -> list[Path]:
        """The files and folders that are read."""
        sides = [] if self.data.dataset is not None else map(Path, self.places)
        folders = [] if self.data.folder is None else [Path(self.data.folder)]
        return [*sides, *folders, *self.link_files]

    def check(self) -> None:
        """Look whether what is read is there.

        Raises:
            Error: a folder or a file is not; the message names it.
        """
        folder = self.data.folder
        if folder is not None and not Path(folder).is_dir():
            raise Error(f"'{folder}': there is no such folder")
        named = [("file of links", one) for one in self.link_files]
        if self.data.dataset is None:
            sides = ("source file", "target file") if self.has_source else ("target file",)
            named += zip(sides, map(Path, self.places), strict=False)
        for name, path in named:
            if not path.is_file():
                raise Error(f"there is no {name} '{path}', for {self}")

    def load(self, told: Callable[[str], None] = logger.info) -> pa.Table:
        """The sentences of both sides, or of the one that is read, with the entities of the source side.

        Raises:
            Error: a file is missing, or is not as it should be; the source side has no labels.
        """
        if self.data.dataset is None and self.is_translated:
            return read_source(self.places[0], format=None, scheme="IOB2", mode="lenient", told=told)
        if self.data.dataset is None and not self.has_source:
            return read_target(self.places[0], format=None)
        if self.data.dataset is None:
            source, target = self.places
            return read_pairs(source, target, told=told)
        table = load(
            self.data.dataset,
            language=self.source if self.is_translated else self.target,
            split=self.split,
            folder=self.data.folder,
            catalogue=catalogue_of(self.data),
            ignore_counts=self.data.ignore_counts,
            told=told,
        )
        if self.is_translated:
            return _as_source(table)
        if not self.has_source:
            return labels_as_gold(table)
        if schema.SOURCE_ENTITIES not in table.schema.names:
            raise Error(
                f"the side '{self.source}' of '{self.dataset}' has no labels to project; `xner datasets get` writes "
                "it, and `xner tag --role source` gives it some"
            )
        return table

    def sentences(self) -> int | None:
        """How many there are; None where that is not known before they are loaded from elsewhere.

        Raises:
            Error: a file cannot be read.
        """
        if self.data.dataset is None:
            return self.load(lambda _: None).num_rows
        known = catalogue_of(self.data).choose(self.data.dataset)
        counts = known.counts_for(self.source if self.is_translated else self.target, self.split)
        return None if counts is None else counts.sentences

    def load_links(self, rows: int) -> list[pa.ChunkedArray[Any]]:
        """The links of every file.

        Raises:
            Error: one is not as it should be, or is of another number of sentence pairs.
        """
        one_based, reverse = self.links.one_based, self.links.reverse
        return [read_links(path, rows, one_based=one_based, reverse=reverse) for path in self.link_files]

    def filled(self, pattern: str) -> str:
        """A pattern of a file, for this pair."""
        return pattern.format(source=self.source, target=self.target, dataset=self.dataset, split=self.split)


def _named(pattern: str) -> str:
    """What data by path are called: the name of their files, with a * for what differs among them."""
    return re.sub(r"\{\w+\}", "*", Path(pattern).name)


def _as_source(table: pa.Table) -> pa.Table:
    """Labelled sentences as the side that is translated."""
    tags = table[schema.LABELS if schema.LABELS in table.schema.names else schema.GOLD_LABELS]
    entities = labels.decode_batch(tags)
    sides = {schema.SOURCE_TOKENS: table[schema.TOKENS], schema.SOURCE_ENTITIES: entities}
    return pa.table({schema.ID: table[schema.ID], **sides})


def catalogue_of(data: DataOptions) -> Catalogue:
    """The data sets by name.

    Raises:
        FormatError: of a file that describes others.
    """
    return DATASETS if data.catalogue is None else read_catalogue(data.catalogue)


def pairs_of(
    data: DataOptions,
    links: LinksOptions,
    *,
    translates: bool = False,
    needs_sources: bool = True,
    is_training: bool = False,
) -> list[Pair]:
    """The pairs of languages of a recipe's data, without reading a sentence.

    Args:
        data: where the sentences are.
        links: where their links are.
        translates: whether the target sentences are made by translation.
        needs_sources: whether the labelled side is read.
        is_training: whether they are those that a tagger learns from, for messages.

    Raises:
        OptionError: no data are named; a language or a split that the data set does not have; a language without
            another side; one file for several languages, or for both sides.
        Error: there is no such data set.
    """
    found = _pairs(data, links, translates, needs_sources)
    _check_apart(found, "training_target" if is_training else "target")
    return found


def _check_apart(pairs: Sequence[Pair], option: str) -> None:
    """That each language has target sentences of its own.

    Links that two languages share are no error: their words may be those of one language in two scripts.

    Raises:
        OptionError: one file is to be that of two languages, and its results would stand for both; or of both sides.
    """
    owners: dict[str, str] = {}
    for pair in pairs:
        if pair.data.dataset is not None or pair.data.target is None:
            continue
        path = pair.filled(pair.data.target)
        if pair.has_source and pair.places[0] == path:
            raise OptionError(f"{option}: '{path}' is the source file as well, for {pair}")
        owner = owners.setdefault(path, pair.target)
        if owner != pair.target:
            raise OptionError(
                f"{option}: '{path}' would be that of {owner} and of {pair.target}; "
                "put {target} where the names of their files differ"
            )


def _pairs(data: DataOptions, links: LinksOptions, translates: bool, needs_sources: bool) -> list[Pair]:
    """See `pairs_of`."""
    if translates:
        return _translated(data, links)
    if not needs_sources:
        return _alone(data, links)
    if data.dataset is None:
        if data.source is None and data.target is None:
            raise OptionError("dataset: the recipe names no data; name a data set, or files as source and target")
        if data.source is None or data.target is None:
            lacking, given = ("source", data.target) if data.source is None else ("target", data.source)
            raise OptionError(f"{lacking}: the recipe names '{given}' alone; name the file of the other side")
        if not data.languages:
            raise OptionError("languages: name those of the target files")
        name = _named(data.target)
        return [Pair(name, "", data.source_language, one, data, links) for one in data.languages]
    if "source_language" in data.changes():
        raise OptionError("source_language: the data set tells it, unless its sentences are translated")
    catalogue = catalogue_of(data)
    dataset = catalogue.choose(data.dataset)
    split = dataset.split(data.split or ("test" if "test" in dataset.splits else None))
    able = [one for one in dataset.languages if dataset.other_side(one)]
    if not able:
        parallel = ", ".join(one.name for one in catalogue.values() if one.is_parallel)
        raise OptionError(
            f"dataset: '{dataset.name}' has no translations to project from; these data sets have: {parallel}"
        )
    languages = list(dict.fromkeys(dataset.language(one) for one in data.languages)) or able
    for language in languages:
        if language not in able:
            raise OptionError(
                f"languages: '{dataset.name}' has no other side to project from for '{language}', only for "
                f"{', '.join(able)}"
            )
    return [Pair(dataset.name, split, dataset.other_side(one), one, data, links) for one in languages]


def _alone(data: DataOptions, links: LinksOptions) -> list[Pair]:
    """The languages whose sentences stand alone, each with the tagger's, which they are translated into, if at all."""
    if links.files:
        raise OptionError("files: there are no links of sentences without another side")
    if data.dataset is None:
        if data.target is None:
            raise OptionError("dataset: the recipe names no data; name a data set, or a file as target")
        if not data.languages:
            raise OptionError("languages: name those of the target files")
        places, languages = (_named(data.target), ""), data.languages
    else:
        dataset = catalogue_of(data).choose(data.dataset)
        split = dataset.split(data.split or ("test" if "test" in dataset.splits else None))
        places, languages = (dataset.name, split), tuple(map(dataset.language, data.languages or dataset.languages))
    return [Pair(*places, data.source_language, one, data, links, has_source=False) for one in languages]


def _translated(data: DataOptions, links: LinksOptions) -> list[Pair]:
    """The pairs of a labelled language and those that it is translated into."""
    if data.target is not None:
        raise OptionError("target: has the translations, and the options have them made: give one of them")
    if links.files:
        raise OptionError("files: there are no links of sentences that are yet to be translated")
    if not data.languages:
        raise OptionError("languages: name those to translate into")
    for one in data.languages:
        understood(one)
    if data.dataset is None:
        if data.source is None:
            raise OptionError("dataset: the recipe names no data; name a data set, or a file as source")
        places = [_named(data.source), "", data.source_language]
    else:
        dataset = catalogue_of(data).choose(data.dataset)
        split = dataset.split(data.split or ("train" if "train" in dataset.splits else None))
        places = [dataset.name, split, dataset.language(data.source_language)]
    name, split, source = places
    return [Pair(name, split, source, one, data, links, is_translated=True) for one in data.languages]
