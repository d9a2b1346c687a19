"""`xner translate`: sentences into another language, as words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa

from xner import io, languages, runner, schema
from xner._arrow import frequencies
from xner.cli._inputs import FORMAT_NAMES, existing_file, output_file, read_sentences
from xner.cli._translators import TranslatorSettings, translator_options
from xner.detokenization import detokenize
from xner.models.translation import STATUSES
from xner.word_splitting import SPLITTERS, splitter_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xner.models.translation import Translation

__all__ = ["command"]

_SHOWN = 5  # rows that are named for each status


@click.command(
    "translate",
    epilog="\b\nExamples:\n"
    "  xner translate --source en.conll --source-language en --target-language yo \\\n"
    "      --model facebook/nllb-200-distilled-600M -o yo.parquet\n"
    "  xner project --source en.conll --target yo.parquet -o yo.conll\n"
    "      makes training data of a labelled corpus\n\n"
    "\b\nAn interrupted run goes on where it stopped; what was translated once is not translated again (see --cache).",
)
@click.option(
    "--source", type=existing_file, required=True, help="Sentences: words split by blanks (.txt), or columns."
)
@click.option("--source-language", required=True, help="Their language: yor_Latn, yo, Yoruba, ...")
@click.option("--target-language", required=True, help="The language to translate into.")
@click.option("--output", "-o", type=output_file, required=True, help="The translations' words, row by row.")
@click.option("--format", "format_", type=click.Choice(FORMAT_NAMES), help="Of the output; by default its name tells.")
@click.option("--source-format", type=click.Choice(FORMAT_NAMES), help="Of the source file, likewise.")
@click.option(
    "--words",
    type=click.Choice(list(SPLITTERS)),
    help="How translations are split into words; by default as suits the language.",
)
@translator_options
@click.option(
    "--keep-bad",
    is_flag=True,
    help="Write translations that are cut, looping or copies to files of text as well; else their rows are empty "
    "there. Columns keep them, with `translation_status`.",
)
def command(
    source: Path,
    source_language: str,
    target_language: str,
    output: Path,
    format_: str | None,
    source_format: str | None,
    words: str | None,
    keep_bad: bool,
    **options: Any,
) -> None:
    """Translate sentences, and split the translations into words.

    Every row keeps its place. What is wrong with a translation is counted and named: empty ones, those that repeat
    themselves, copies of the source, those that the limit on length ended.
    """
    written = io.format_of(output, format_)
    wanted = languages.language(target_language)
    languages.language(source_language)
    split = splitter_for(words or wanted.code)
    table = read_sentences(source, source_format)
    is_text = io.format_of(source, source_format) == "text"
    texts = [
        " ".join(tokens or ()) if is_text else detokenize(tokens or ())
        for tokens in table.column(schema.TOKENS).to_pylist()
    ]
    settings = TranslatorSettings.take(options)
    translator = settings.load()
    with runner.progress_reporter() as report:
        found = translator.translate(texts, source_language, target_language, cache=settings.cache, progress=report)
    hidden = io.FORMATS[written].is_text and not keep_bad
    shown = [one.text if one.status == "ok" or not hidden else "" for one in found]
    columns = {
        schema.TOKENS: pa.array([[word.text for word in split(text)] for text in shown], schema.WORDS_TYPE),
        "translation": pa.array([one.text for one in found], pa.string()),
        "translation_status": pa.array([one.status for one in found], pa.string()),
    }
    if schema.ID in table.schema.names:
        columns = {schema.ID: table.column(schema.ID), **columns}
    io.write(pa.table(columns), output, format_)
    _summarize(found, output, hidden=hidden)


def _summarize(found: Sequence[Translation], output: Path, *, hidden: bool) -> None:
    counts = frequencies(pa.array([one.status for one in found], pa.string()))
    shown = ", ".join(f"{count} {status}" for status, count in counts.items())
    click.echo(f"{len(found)} sentences: {shown or 'none'}", err=True)
    for status in counts:
        if status != "ok":
            rows = [str(row) for row, one in enumerate(found) if one.status == status]
            more = ", ..." if len(rows) > _SHOWN else ""
            click.echo(f"  {status}: {STATUSES[status]}; rows {', '.join(rows[:_SHOWN])}{more}", err=True)
    bad = sum(count for status, count in counts.items() if status != "ok")
    if hidden and bad:
        click.echo(f"  {bad} rows are empty in {output} for that; --keep-bad writes them", err=True)
    click.echo(f"written to {output}", err=True)
