"""`xner datasets`: which data sets there are by name, what is known of them, and getting them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xner import io, schema
from xner.cli.guards import keep_track, refuse_overwriting
from xner.cli.options.datasets import UNKNOWN, Part, announce, catalogue_group, part_group
from xner.cli.options.groups import Command, takes
from xner.io.datasets.loading import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from xner.io.datasets.catalogue import Catalogue, Dataset, Files

__all__ = ["command"]

_WIDTH = 46
_FEW = 6


@click.group(
    "datasets",
    epilog="\b\nExamples:\n"
    "  xner datasets list\n"
    "  xner datasets show masakhaner2\n"
    "  xner datasets get europarl-ner --language de --from ner-evaluation-corpus-europarl -o data\n"
    "  xner project --source data/europarl-ner.de.test.parquet --target data/europarl-ner.de.test.parquet -o de.conll",
)
def command() -> None:
    """Data sets by name: which there are, what is known of them, and getting them as Parquet."""


@command.command("list", cls=Command)
@takes(catalogue=catalogue_group)
def list_(catalogue: Catalogue) -> None:
    """List the data sets that are known by name."""
    rows = [["name", "languages", "parallel", "licence"]]
    rows += [
        [one.name, _some(list(one.languages)), "yes" if one.is_parallel else "no", _short(one.licence)]
        for one in catalogue.values()
    ]
    click.echo(_left(rows))


@command.command("show", cls=Command)
@click.argument("name")
@takes(catalogue=catalogue_group)
def show(name: str, catalogue: Catalogue) -> None:
    """Show all that is known of the data set NAME, and what is not."""
    for line in _lines(catalogue.choose(name)):
        click.echo(line)


@command.command(
    "get",
    cls=Command,
    first=["language", "split", "from_", "output"],
    epilog="\b\nExamples:\n"
    "  xner datasets get masakhaner2 --language hau --split test --from masakhane-ner -o data\n"
    "  xner datasets get wikiann --language yo --yes -o data\n"
    "  xner datasets get hf:eriktks/conll2003::test --yes -o data",
)
@click.argument("name")
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder to write to: NAME.LANGUAGE.SPLIT.parquet.",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@takes(catalogue=catalogue_group, part=part_group)
def get(name: str, output: Path, overwrite: bool, catalogue: Catalogue, part: Part) -> None:
    """Write splits of a data set as Parquet, with its name, version and licence.

    NAME is one of `xner datasets list`, hf:NAME[:CONFIGURATION][:SPLIT], or a file of sentences. Words, labels and ids
    are written; of parallel data sets both sides, as `xner project` takes them for --source and --target. Where the
    number of sentences is known it is checked.
    """
    wanted = _wanted(name, catalogue, part)
    paths = [output / file for file, _, _ in wanted]
    refuse_overwriting("--output", paths, overwrite=overwrite)
    announce(name, catalogue, part.folder, yes=part.yes)
    output.mkdir(parents=True, exist_ok=True)
    for path, (_, language, split) in zip(paths, wanted, strict=True):
        table = load(
            name,
            language=language,
            split=split,
            folder=part.folder if name in catalogue else None,
            catalogue=catalogue,
            ignore_counts=part.ignore_counts,
            told=lambda line: click.echo(line, err=True),
        )
        io.write(table, path)
        keep_track([path])
        click.echo(f"{path}: {_summary(table)}", err=True)


def _wanted(name: str, catalogue: Catalogue, part: Part) -> list[tuple[str, str | None, str | None]]:
    """The files to write, each with its language and its split."""
    if name not in catalogue and (name.startswith("hf:") or Path(name).is_file()):
        if part.languages or len(part.splits) > 1:
            raise click.UsageError(f"'{name}' is no data set by name: it has no --language, and one --split at most")
        kept = re.sub(r"[:/\\]+", ".", name.removeprefix("hf:")).strip(".")
        file = kept if name.startswith("hf:") else Path(name).name.partition(".")[0]
        split = part.splits[0] if part.splits else None
        return [(f"{file}{f'.{split}' if split else ''}.parquet", None, split)]
    dataset = catalogue.choose(name)
    asked: Sequence[str | None] = part.languages or [None]
    languages = list(dict.fromkeys(dataset.language(one) for one in asked))
    splits = list(dict.fromkeys(dataset.split(one) for one in part.splits or dataset.splits))
    return [
        (f"{dataset.name}.{language}.{split}.parquet", language, split) for language in languages for split in splits
    ]


def _summary(table: pa.Table) -> str:
    """`799 sentences; source_tokens, ...`."""
    shown = ", ".join(one for one in table.schema.names if one != schema.ID)
    more = ""
    if schema.SOURCE_TOKENS in table.schema.names and schema.SOURCE_ENTITIES not in table.schema.names:
        more = "; the source side has no labels, `xner tag --role source` gives it some"
    return f"{table.num_rows} sentences ({shown}){more}"


def _lines(dataset: Dataset) -> Iterator[str]:
    """All that is known of a data set."""
    yield f"{dataset.name}: {dataset.title}"
    for what, value in (
        ("version", dataset.version),
        ("licence", dataset.licence),
        ("paper", dataset.paper),
        ("homepage", dataset.homepage),
        ("download", dataset.download and f"about {dataset.download}"),
        ("labels", dataset.labels),
        ("classes", ", ".join(dataset.classes)),
        ("splits", ", ".join(dataset.splits)),
    ):
        yield f"  {what}: {value or UNKNOWN}"
    yield f"  parallel: {_parallel(dataset)}"
    hub = dataset.hub
    joined = "" if hub is None or hub.texts is None else f" and {hub.texts.name}"
    yield f"  hub: {'no' if hub is None else hub.name}{joined}"
    for files in dataset.files:
        yield f"  folder: {files.where}"
        for line in _patterns(files):
            yield f"    {line}"
    for note in dataset.notes:
        yield f"  note: {note}"
    yield "  sizes of splits:"
    for split in dataset.splits:
        yield from (f"    {split}: {line}" for line in _counts(dataset, split))
    yield "  languages:"
    for one in dataset.languages.values():
        code = one.code or "the default translator, NLLB-200, lacks it"
        yield f"    {one.name}: {one.title} ({code})"


def _parallel(dataset: Dataset) -> str:
    if not dataset.is_parallel:
        return "no"
    others: dict[str, list[str]] = {}
    for language in dataset.languages:
        others.setdefault(dataset.sources.get(language, dataset.source), []).append(language)
    parts = [f"with {dataset.source}"]
    parts += [f"with {source}: {', '.join(known)}" for source, known in others.items() if source != dataset.source]
    if dataset.unordered:
        parts.append(f"rows in another order, so that they are loaded alone: {', '.join(dataset.unordered)}")
    return "; ".join(parts)


def _patterns(files: Files) -> Iterator[str]:
    yield files.path
    if files.source_path:
        yield files.source_path
    yield from files.texts


def _counts(dataset: Dataset, split: str) -> Iterator[str]:
    """The sizes of a split, those of several languages that are the same in one line."""
    by_size: dict[str, list[str]] = {}
    for language in dataset.languages:
        known = dataset.counts_for(language, split)
        by_size.setdefault(UNKNOWN if known is None else str(known), []).append(language)
    for size, of in by_size.items():
        shown = "" if len(by_size) == 1 else f"{', '.join(of)}: "
        yield f"{shown}{size}"


def _some(languages: Sequence[str]) -> str:
    """The languages, or how many there are and the first of them."""
    shown = " ".join(languages[:_FEW])
    return shown if len(languages) <= _FEW else f"{len(languages)}: {shown} ..."


def _short(text: str) -> str:
    if not text:
        return UNKNOWN
    return text if len(text) <= _WIDTH else text[: _WIDTH - 3].rstrip(" ,;:") + "..."


def _left(rows: Sequence[Sequence[str]]) -> str:
    """A table whose columns are all to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
