"""`xner translate`: sentences into another language, as words."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa
import pyarrow.compute as pc

from xner import io, labels, schema
from xner._support.arrow import one_array, with_columns
from xner.cli.options.groups import Command, takes
from xner.cli.options.inputs import FORMAT_NAMES, existing_file, label_options, output_file
from xner.cli.options.layouts import layout_group
from xner.cli.options.pipelines import engine_group, markers_option
from xner.cli.options.statuses import report_statuses
from xner.cli.options.translators import ChosenTranslator, translator_group
from xner.errors import OptionError
from xner.io.sides import read_sentences, read_source
from xner.models.translators.translator import STATUSES
from xner.pipelines.checkpoints import alone
from xner.pipelines.engines import LOCAL
from xner.pipelines.progress import progress_reporter
from xner.pipelines.recipes import Direction, spread_over
from xner.text.detokenization import detokenize
from xner.text.languages import language
from xner.text.word_splitting import SPLITTERS, splitter_for
from xner.translation.marked import REASONS
from xner.translation.stages import choose_markers, outer_entities, translate_target

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from xner.io.layout import Layout
    from xner.pipelines.engines import Engine

__all__ = ["command"]


@click.command(
    "translate",
    cls=Command,
    first=["source", "source_language", "target_language", "model", "output", "markers"],
    epilog="\b\nExamples:\n"
    "  xner translate --source en.conll --source-language en --target-language yo \\\n"
    "      --model facebook/nllb-200-distilled-600M -o yo.parquet\n"
    "  xner project --source en.conll --target yo.parquet -o yo.conll\n"
    "      makes training data of a labelled corpus (as `xner project --translate-to` does in one go)\n"
    "  xner translate --source en.conll --markers tags ... -o yo.conll\n"
    "      labels by markers alone, auto: by those that hold; where they broke the sentence is left out\n\n"
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
@markers_option
@label_options
@click.option(
    "--keep-bad",
    is_flag=True,
    help="Keep the words of translations that are cut, looping or copies; else their rows are empty. Columns have the "
    "text in any case, as `translation`, with `translation_status`.",
)
@takes(translator=translator_group, layout=layout_group(), engine=engine_group)
def command(
    source: Path,
    source_language: str,
    target_language: str,
    output: Path,
    format_: str | None,
    source_format: str | None,
    words: str | None,
    markers: Any,
    scheme: Any,
    read_labels: Any,
    keep_bad: bool,
    translator: ChosenTranslator,
    layout: Layout,
    engine: AbstractContextManager[Engine],
) -> None:
    """Translate sentences, and split the translations into words.

    Every row keeps its place. What is wrong with a translation is counted and named: empty ones, those that repeat
    themselves, copies of the source, those that the limit on length ended.
    """
    is_training_data = io.FORMATS[io.format_of(output, format_)].holds_good_rows_alone
    click.get_current_context().with_resource(alone(output))
    into = Direction(translator.load(), source_language, target_language, cache=translator.cache)
    split = splitter_for(words or language(target_language).code)
    if markers is None:
        table = read_sentences(source, source_format, layout).rename_columns({schema.TOKENS: schema.SOURCE_TOKENS})
    else:
        table = read_source(source, format=source_format, scheme=scheme, mode=read_labels, layout=layout)
    join = " ".join if io.format_of(source, source_format) == "text" else detokenize
    with engine as workers:
        if workers is not LOCAL and not into.can_spread:
            raise OptionError("engine='ray' goes with a --model that is one, or a program, not with a service")
        into = spread_over(into, workers)
        if markers == "auto":
            markers = choose_markers(table, into.translate, split, join=join, told=partial(click.echo, err=True))
        with progress_reporter() as report:
            found = translate_target(
                table.select([name for name in _READ if name in table.schema.names]),
                partial(into.translate, progress=report),
                split,
                markers=markers,
                join=join,
                keep_bad=keep_bad,
            )
    written = found.drop_columns([schema.SOURCE_TOKENS])
    io.write(_labelled(written) if markers is not None and is_training_data else written, output, format_)
    _summarize(found, output, keep_bad=keep_bad, lacks_broken=is_training_data)


_READ = (schema.ID, schema.SOURCE_TOKENS, schema.SOURCE_ENTITIES)


def _labelled(table: pa.Table) -> pa.Table:
    """The rows whose entities the markers gave, with labels."""
    table = table.filter(pc.is_valid(table.column(schema.MARKED_ENTITIES)))
    entities = outer_entities(table.column(schema.MARKED_ENTITIES))
    return with_columns(table, {schema.LABELS: labels.encode_batch(entities, one_array(table.column(schema.TOKENS)))})


def _summarize(found: pa.Table, output: Path, *, keep_bad: bool, lacks_broken: bool) -> None:
    report_statuses(found.column(schema.TRANSLATION_STATUS), STATUSES)
    is_bad: Any = pc.not_equal(found.column(schema.TRANSLATION_STATUS), pa.scalar("ok"))
    bad = pc.sum(is_bad).as_py() or 0
    if bad and not keep_bad:
        click.echo(f"  {bad} rows have no words in {output} for that; --keep-bad keeps them", err=True)
    if schema.MARKER_PROBLEM in found.schema.names:
        problems = found.column(schema.MARKER_PROBLEM)
        report_statuses(problems.fill_null(pa.scalar("ok")), REASONS, "sentences with markers")
        broken = len(problems) - problems.null_count
        if broken and lacks_broken:
            click.echo(f"  {broken} rows left out of {output} for that; `xner project` aligns such rows", err=True)
    click.echo(f"written to {output}", err=True)
