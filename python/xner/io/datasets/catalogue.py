"""Data sets by name: what `datasets.toml` says of each, checked, and the same for a user's own file.

A file has a table a data set. Its keys are those of `Dataset`, `Files`, `Hub`, `Texts` and `Counts`; what is not known
is left out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from xner._support.arguments import did_you_mean
from xner._support.toml_tables import TomlTable, line_of, parsed_toml, read_text
from xner.errors import Error, FormatError, OptionError
from xner.text.languages import languages

if TYPE_CHECKING:
    import os

__all__ = ["DATASETS", "SPLITS", "Catalogue", "Counts", "Dataset", "Files", "Hub", "Spoken", "Texts", "read_catalogue"]

SPLITS: Final = ("train", "validation", "test")
_ALSO: Final = {"dev": "validation", "valid": "validation", "val": "validation"}
_ORIGINS: Final = ("published", "measured")
_ALL: Final = "*"
_FIELDS: Final = ("language", "source", "split")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A language of a data set.

    Attributes:
        name: by which the data set knows it: `de`, `hau`, `de-ba`.
        code: in FLORES-200, which is NLLB-200's as well; empty where these lack the language.
        title: in English.
    """

    name: str
    code: str
    title: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How large a split is.

    Attributes:
        sentences: of the labelled side.
        tokens: likewise; None where it is not known.
        entities: likewise.
        origin: `published`, by its authors; or `measured` on the files.
    """

    sentences: int
    tokens: int | None
    entities: int | None
    origin: str

    def __str__(self) -> str:
        """`799 sentences, 20187 tokens, 693 entities (measured)`."""
        parts = [(self.sentences, "sentences"), (self.tokens, "tokens"), (self.entities, "entities")]
        return f"{', '.join(f'{count} {what}' for count, what in parts if count is not None)} ({self.origin})"


@dataclass(frozen=True, slots=True)
class Files:
    """A way in which the files of a data set lie in a folder, and how they are laid out.

    Patterns have the fields `{language}`, `{split}` and `{source}`, the language of the other side.

    Attributes:
        where: what the folder is: "a clone of https://...".
        path: pattern of the labelled file, from the folder.
        source_path: pattern of the file of the labelled other side; empty where it is `path`, for `source`.
        texts: patterns of files of translations as JSON, a pair of sentences a line, to which the labelled sentences
            are joined by their text.
        format: a name of `xner.io.FORMATS`; empty: the file's name tells.
        columns: how many there are, where this tells one way from another with the same path; None for any number.
        token_column: of words, from 0; None: the first.
        label_column: of labels; None: the last.
        empty_token: what is read for a word that is missing; empty: nothing may be missing.
        strip_prefix: whether words have a language and a colon before them.
        class_map: other names of classes; `O` for those that do not count.
        splits: how files name a split, where that is another name.
        languages: how files name a language, likewise.
        counts_of: the data set whose counts those of the labelled file are, where it is another; `-` where none are.
    """

    where: str
    path: str
    source_path: str
    texts: tuple[str, ...]
    format: str
    columns: int | None
    token_column: int | None
    label_column: int | None
    empty_token: str
    strip_prefix: bool
    class_map: Mapping[str, str]
    splits: Mapping[str, str]
    languages: Mapping[str, str]
    counts_of: str

    def fill(self, pattern: str, *, language: str, split: str, source: str) -> str:
        """A pattern of this folder for a language and a split."""
        return pattern.format(
            language=self.languages.get(language, language),
            split=self.splits.get(split, split),
            source=self.languages.get(source, source),
        )


@dataclass(frozen=True, slots=True)
class Texts:
    """Translations on the hub, to which labelled sentences are joined by their text.

    Attributes:
        name: on the hub.
        paths: patterns of Parquet files with a column `translation`; those that there are count.
        revision: of the repository; empty for the newest.
    """

    name: str
    paths: tuple[str, ...]
    revision: str


@dataclass(frozen=True, slots=True)
class Hub:
    """Where a data set is on the Hugging Face hub.

    Attributes:
        name: of the repository; or a folder, of data files or one that `save_to_disk` has written.
        configuration: pattern of its configuration's name; empty for its only one.
        path: pattern of a file; empty: the library `datasets` finds the files of the configuration.
        revision: with `path`: of the repository; empty for the newest.
        splits: how the repository names a split, where that is another name.
        texts: translations to join; None where there are none.
        counts_of: the data set whose counts those of the labelled sentences are, where it is another.
    """

    name: str
    configuration: str
    path: str
    revision: str
    splits: Mapping[str, str]
    texts: Texts | None
    counts_of: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is known of a data set; what is empty is not known.

    Attributes:
        name: by which it is asked for.
        title: its own name.
        version: of what is described here.
        licence: of text and labels.
        paper: that describes it.
        homepage: where it is published.
        download: about how much there is to load.
        labels: the scheme of its labels: IOB1, IOB2 or BIOES.
        classes: of entities.
        splits: some of `SPLITS`.
        languages: by the data set's own names.
        source: in parallel data sets, the language of the other side, for most languages; empty in others.
        sources: the language of the other side, where it is another one.
        unordered: languages whose rows are in another order than those of the other side, and are loaded alone.
        files: ways in which its files lie in a folder; the first that fits counts.
        hub: where it is on the hub; None where it is not.
        counts: by split and language; the language `*` stands for all that are not named.
        notes: what else there is to know.
    """

    name: str
    title: str
    version: str
    licence: str
    paper: str
    homepage: str
    download: str
    labels: str
    classes: tuple[str, ...]
    splits: tuple[str, ...]
    languages: Mapping[str, Spoken]
    source: str
    sources: Mapping[str, str]
    unordered: tuple[str, ...]
    files: tuple[Files, ...]
    hub: Hub | None
    counts: Mapping[str, Mapping[str, Counts]]
    notes: tuple[str, ...]

    @property
    def is_parallel(self) -> bool:
        """Whether sentences have translations."""
        return bool(self.source)

    def other_side(self, language: str) -> str:
        """The language of the other side; empty where a language is loaded alone."""
        found = self.sources.get(language, self.source)
        return "" if language == found or language in self.unordered else found

    def counts_for(self, language: str, split: str) -> Counts | None:
        """How large a split is, where it is known."""
        of_split = self.counts.get(split, {})
        return of_split.get(language, of_split.get(_ALL))

    def language(self, name: str | None) -> str:
        """The data set's own name of a language.

        Args:
            name: that, or FLORES-200's code; None for the only one.

        Raises:
            OptionError: it has no such language; the message lists those that it has.
        """
        if name is None:
            if len(self.languages) == 1:
                return next(iter(self.languages))
            raise OptionError(f"language: '{self.name}' has several; say which: {', '.join(self.languages)}")
        if name in self.languages:
            return name
        by_code = [one.name for one in self.languages.values() if one.code and one.code == name]
        if len(by_code) == 1:
            return by_code[0]
        raise OptionError(
            f"language={name!r}: '{self.name}' has {', '.join(self.languages)}{did_you_mean(name, self.languages)}"
        )

    def split(self, name: str | None) -> str:
        """The usual name of a split.

        Args:
            name: `train`, `validation`, `test`, or another usual one; None for the only one.

        Raises:
            OptionError: it has no such split; the message lists those that it has.
        """
        if name is None:
            if len(self.splits) == 1:
                return self.splits[0]
            raise OptionError(f"split: '{self.name}' has several; say which: {', '.join(self.splits)}")
        usual = _ALSO.get(name, name)
        if usual not in self.splits:
            raise OptionError(f"split={name!r}: '{self.name}' has {', '.join(self.splits)}")
        return usual


class Catalogue(Mapping[str, Dataset]):
    """Data sets by name, read when one is first asked for.

    Args:
        path: the file; None for this package's own.
        also: whose data sets there are beside.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, also: Catalogue | None = None) -> None:
        self._path = path
        self._also = also

    @cached_property
    def _found(self) -> Mapping[str, Dataset]:
        if self._path is None:
            text = files("xner.io.datasets").joinpath("datasets.toml").read_text(encoding="utf-8")
            found = _parsed("datasets.toml", text)
            _check_references("datasets.toml", text, found, found)
            return found
        text = read_text(self._path)
        found = _parsed(str(self._path), text)
        for name in found:
            if self._also is not None and name in self._also:
                line = line_of(text, (name,))
                raise FormatError(f"{self._path}, line {line}: there is a data set '{name}' already: give another name")
        every = {**(self._also or {}), **found}
        _check_references(str(self._path), text, found, every)
        return every

    def __getitem__(self, name: str) -> Dataset:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"<Catalogue: {', '.join(self)}>"

    def choose(self, name: str) -> Dataset:
        """The data set of a name that a user gave.

        Raises:
            Error: there is none; the message names the nearest ones, and all.
        """
        if name in self:
            return self[name]
        raise Error(
            f"there is no data set '{name}' and no such file; the data sets are {', '.join(self)}; hf:NAME is one of "
            f"the hub{did_you_mean(name, self)}"
        )


DATASETS: Final = Catalogue()
"""The data sets that this package knows."""


def read_catalogue(path: str | os.PathLike[str]) -> Catalogue:
    """The data sets that a TOML file describes, beside those that this package knows.

    Raises:
        FormatError: it is no TOML, or a key or a value is none that there may be; the message names line and key.
    """
    found = Catalogue(path, DATASETS)
    len(found)
    return found


def _parsed(path: str, text: str) -> dict[str, Dataset]:
    found = {}
    for name, value in parsed_toml(path, text).items():
        table = TomlTable(path, text, (name,), value)
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", name):
            raise table.error("", "a data set's name has small letters, digits, - and . alone")
        found[name] = _dataset(name, table)
    return found


def _check_references(path: str, text: str, found: Mapping[str, Dataset], every: Mapping[str, Dataset]) -> None:
    """That data sets whose counts others have are there."""
    for name, one in found.items():
        places: list[tuple[tuple[str, ...], str]] = [
            ((name, "files", str(number), "counts_of"), of.counts_of) for number, of in enumerate(one.files)
        ]
        if one.hub is not None:
            places.append(((name, "hub", "counts_of"), one.hub.counts_of))
        for place, other in places:
            if other and other != "-" and other not in every:
                shown = ".".join(place)
                near = did_you_mean(other, every)
                raise FormatError(f"{path}, line {line_of(text, place)}: {shown}: there is no data set {other!r}{near}")


def _dataset(name: str, table: TomlTable) -> Dataset:
    known = _languages(table)
    if not known:
        raise table.error("", "it has no languages: the tables 'languages' and 'other_languages' name them")
    splits = table.texts("splits")
    if not splits:
        raise table.error("", "the key 'splits' is missing")
    for split in splits:
        if split not in SPLITS:
            raise table.error("splits", f"expected some of {', '.join(SPLITS)}, found {split!r}")
    source = table.text("source")
    sources = table.mapping("sources")
    unordered = table.texts("unordered")
    for key, several in (("sources", sources), ("unordered", unordered)):
        for language in several:
            if language not in known:
                raise table.error(key, f"{language!r} is none of the data set's languages")
    found = Dataset(
        name=name,
        title=table.text("title", None),
        version=table.text("version"),
        licence=table.text("licence"),
        paper=table.text("paper"),
        homepage=table.text("homepage"),
        download=table.text("download"),
        labels=table.one_of("labels", ("IOB1", "IOB2", "BIOES")),
        classes=table.texts("classes"),
        splits=splits,
        languages=known,
        source=source,
        sources=sources,
        unordered=unordered,
        files=tuple(_files(one) for one in table.tables("files")),
        hub=_hub(hub) if (hub := table.table("hub")).keys() else None,
        counts=_counts(table.table("counts"), splits, known),
        notes=table.texts("notes"),
    )
    if not found.files and found.hub is None:
        raise table.error("", "it is nowhere: neither 'files' nor 'hub' says where")
    for one, way in zip(table.tables("files"), found.files, strict=True):
        _check_fields(one, "path", way.path, {"split": splits, "language": known})
    if found.hub is not None:
        key, pattern = ("path", found.hub.path) if found.hub.path else ("configuration", found.hub.configuration)
        needed = {"split": splits, "language": known} if found.hub.path else {"language": known}
        _check_fields(table.table("hub"), key, pattern, needed)
    table.done()
    return found


def _languages(table: TomlTable) -> dict[str, Spoken]:
    by_code = {one.code: one.name for one in languages()}
    found = {}
    inner = table.table("languages")
    for name in inner.keys():  # noqa: SIM118  # no mapping
        code = inner.text(name, None)
        if code not in by_code:
            near = did_you_mean(code, by_code)
            raise inner.error(name, f"{code!r} is no language of FLORES-200{near}; 'other_languages' are in none")
        found[name] = Spoken(name, code, by_code[code])
    for name, title in table.mapping("other_languages").items():
        found[name] = Spoken(name, "", title)
    return dict(sorted(found.items()))


def _check_fields(table: TomlTable, key: str, pattern: str, needed: Mapping[str, Collection[str]]) -> None:
    """That a pattern leads to another place for each split and each language."""
    for field, several in needed.items():
        if len(several) > 1 and f"{{{field}}}" not in pattern:
            raise table.error(key, f"{pattern!r} lacks {{{field}}}: {', '.join(several)} would be the same")


def _files(table: TomlTable) -> Files:
    found = Files(
        where=table.text("where", None),
        path=table.pattern("path", _FIELDS, None),
        source_path=table.pattern("source_path", _FIELDS),
        texts=table.patterns("texts", _FIELDS),
        format=table.text("format"),
        columns=table.whole("columns", 1),
        token_column=table.whole("token_column", 0),
        label_column=table.whole("label_column", 0),
        empty_token=table.text("empty_token"),
        strip_prefix=table.flag("strip_prefix"),
        class_map=table.mapping("class_map"),
        splits=table.mapping("splits"),
        languages=table.mapping("languages"),
        counts_of=table.text("counts_of"),
    )
    table.done()
    return found


def _hub(table: TomlTable) -> Hub:
    texts = None
    inner = table.table("texts")
    if inner.keys():
        texts = Texts(inner.text("name", None), inner.patterns("paths", _FIELDS), inner.text("revision"))
        inner.done()
    found = Hub(
        name=table.text("name", None),
        configuration=table.pattern("configuration", _FIELDS),
        path=table.pattern("path", _FIELDS),
        revision=table.text("revision"),
        splits=table.mapping("splits"),
        texts=texts,
        counts_of=table.text("counts_of"),
    )
    table.done()
    return found


def _counts(table: TomlTable, splits: tuple[str, ...], known: Mapping[str, Spoken]) -> dict[str, dict[str, Counts]]:
    found: dict[str, dict[str, Counts]] = {}
    for split in table.keys():  # noqa: SIM118  # no mapping
        if split not in splits:
            raise table.error(split, f"the data set has no such split, only {', '.join(splits)}")
        of_split = table.table(split)
        found[split] = {}
        for language in of_split.keys():  # noqa: SIM118  # no mapping
            if language != _ALL and language not in known:
                raise of_split.error(language, f"the data set has no such language{did_you_mean(language, known)}")
            inner = of_split.table(language)
            sentences = inner.whole("sentences", 0)
            if sentences is None:
                raise inner.error("", "the key 'sentences' is missing")
            found[split][language] = Counts(
                sentences, inner.whole("tokens", 0), inner.whole("entities", 0), inner.one_of("origin", _ORIGINS, None)
            )
            inner.done()
    return found
