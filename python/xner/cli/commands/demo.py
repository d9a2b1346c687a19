"""`xner demo`: the main job on the built-in sample."""

from __future__ import annotations

from pathlib import Path

import click
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from xner import io, labels, schema, viewer
from xner._support.arrow import chunked
from xner.alignment.aligner import Aligner
from xner.evaluation.entities import Scores, evaluate
from xner.evaluation.significance import bootstrap
from xner.io import sample
from xner.projection.memory import project_with_memory
from xner.projection.projector import Projector

__all__ = ["command", "sentence_pairs"]

_METHODS = {
    "heuristic, politov2025": Projector(method="heuristic", compat="politov2025"),
    "heuristic": Projector(method="heuristic"),
    "candidates, greedy": Projector(matcher="greedy"),
    "candidates, exact": Projector(matcher="exact"),
    "exact, with memory": Projector(matcher="exact"),
}
_SHOWN = "exact, with memory"
_NAMES = {"de": "German", "es": "Spanish"}


@click.command("demo")
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Folder for the labelled sentences and the page.",
)
@click.option("--threads", type=click.IntRange(0), default=0, show_default=True, help="0: one a core.")
def command(output: Path, threads: int) -> None:
    """Align, project, evaluate and show: the main job on the built-in sample.

    170 English sentences with entities and their German and Spanish translations with gold labels. Needs no
    network and no model.
    """
    output.mkdir(parents=True, exist_ok=True)
    results: dict[str, dict[str, Scores]] = {}
    for language, name in _NAMES.items():
        table = sentence_pairs(language)
        source, target = table.column(schema.SOURCE_TOKENS), table.column(schema.TOKENS)
        links = Aligner.fit(source, target, threads=threads).align(source, target, threads=threads)
        table = table.append_column(schema.LINKS, links)
        results[language] = {}
        for method, projector in _METHODS.items():
            projected = project_with_memory(table, projector) if method == _SHOWN else projector(table)
            results[language][method] = evaluate(table.column(schema.GOLD_LABELS), projected.column(schema.LABELS))
            if method == _SHOWN:
                io.write(projected, output / f"{language}.parquet")
                io.write(projected, output / f"{language}.conll")
                viewer.view(
                    projected,
                    output / f"{language}.html",
                    title=f"English entities on {name} words",
                )
    _print_table(results)
    click.echo(f"\n{_METHODS[_SHOWN].signature}")
    for language, name in _NAMES.items():
        click.echo(f"{name}: {output}/{language}.conll, {language}.parquet; to look at: {output}/{language}.html")


def sentence_pairs(language: str) -> pa.Table:
    """The sample as the input of projection: English entities, words of the other language, gold labels."""
    english, other = sample.load("en"), sample.load(language)
    entities = [labels.decode_batch(chunk) for chunk in english.column(schema.LABELS).chunks]
    return pa.Table.from_pydict(
        {
            schema.ID: other.column(schema.ID),
            schema.TOKENS: other.column(schema.TOKENS),
            schema.SOURCE_TOKENS: english.column(schema.TOKENS),
            schema.SOURCE_ENTITIES: chunked(entities, schema.SOURCE_ENTITIES_TYPE),
            schema.GOLD_LABELS: other.column(schema.LABELS),
        }
    )


def _print_table(results: dict[str, dict[str, Scores]]) -> None:
    table = Table(title="Entity-level F1 by method (95 % interval)")
    table.add_column("method, links by the built-in aligner", max_width=22)
    for language in results:
        table.add_column(f"English → {_NAMES[language]}", justify="right")
    for method in _METHODS:
        cells = []
        for scores in results.values():
            one = scores[method]
            cells.append(f"{one.f1:.3f} ({bootstrap(one).micro.f1})")
        table.add_row(method, *cells)
    Console().print(table)
