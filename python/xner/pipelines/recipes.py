"""Recipes: pipelines made of steps, each of whose output is kept and reused.

    into = recipes.Direction.of(Translator.load("facebook/nllb-200-distilled-600M"), "en", "yo")
    table = recipes.run(table, recipes.translate_train(into), "yo.steps")  # has source_tokens, source_entities
    table = recipes.project(table, Projector())

A step's output is a Parquet file in the folder of steps. It is taken from there as long as everything that decides it
is the same: the table that the recipe began with, this step, and all before it. So another method of projection, say,
translates nothing anew, and every file can be looked at, corrected in a copy, and handed to other commands.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from xner import io, schema
from xner._support.arrow import with_columns
from xner._support.digests import table_digest
from xner.alignment.aligner import Aligner
from xner.errors import Error
from xner.pipelines.runner import MODEL_PART_ROWS, Checkpoints, Reporter, checkpoints, fingerprint, run_parts, silent
from xner.projection.memory import project_with_memory
from xner.text import languages
from xner.text.detokenization import detokenize
from xner.text.word_splitting import splitter_for
from xner.translation.stages import adopt_marked, translate_back, translate_source, translate_target

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    from xner.models.aligners.encoder_aligner import EncoderAligner
    from xner.models.translators.translator import Translation, Translator
    from xner.pipelines.runner import Stage
    from xner.translation.markers import MarkerStyle

__all__ = [
    "Direction",
    "Step",
    "StepRun",
    "alignment_step",
    "back_translation",
    "project",
    "run",
    "stage_step",
    "translate_test",
    "translate_train",
]

_KEY = b"xner.step"


@dataclass(frozen=True, slots=True)
class StepRun:
    """What a step may use while it runs.

    Attributes:
        kept: where it keeps what it has finished, so that an interrupted run goes on from there.
        report: told how far the work has come.
    """

    kept: Checkpoints
    report: Reporter


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a recipe.

    Attributes:
        name: of its file, and in messages.
        key: everything that decides its output but its input; must be JSON-serialisable.
        run: from a table to one of as many rows, in the same order.
    """

    name: str
    key: object
    run: Callable[[pa.Table, StepRun], pa.Table]


class Direction:
    """A translator from one language into another.

    Args:
        load: gives the translator; called when something has to be translated that is not kept.
        source_language: `eng_Latn`, `en`, `English`, ...
        target_language: likewise.
        key: what decides the translations, beside the languages; must be JSON-serialisable.
        cache: as for `Translator.translate`.

    Raises:
        Error: an unknown language.
    """

    def __init__(
        self,
        load: Callable[[], Translator],
        source_language: str,
        target_language: str,
        *,
        key: object,
        cache: str | os.PathLike[str] | None = None,
    ) -> None:
        self.source_language = languages.language(source_language).code
        self.target_language = languages.language(target_language).code
        self.key = [key, self.source_language, self.target_language]
        self._load = load
        self._cache = cache

    @classmethod
    def of(
        cls,
        translator: Translator,
        source_language: str,
        target_language: str,
        *,
        cache: str | os.PathLike[str] | None = None,
    ) -> Direction:
        """A translator that is loaded already; arguments and errors are those of the class."""
        return cls(lambda: translator, source_language, target_language, key=translator.identity, cache=cache)

    def translate(self, texts: Sequence[str], *, progress: Reporter = silent) -> list[Translation]:
        """Translate texts: `Translator.translate`."""
        return self._load().translate(
            texts, self.source_language, self.target_language, cache=self._cache, progress=progress
        )


def translate_train(
    into: Direction,
    *,
    markers: MarkerStyle | None = None,
    words: str | None = None,
    by_blanks: bool = False,
    keep_bad: bool = False,
    target_tags: Step | None = None,
    aligner: Step | None = None,
) -> list[Step]:
    """Training data of a labelled corpus: translate, align; `project` comes last.

    Args:
        into: from the corpus's language into the wanted one.
        markers: how entities are marked for translation; None translates plainly.
        words: how translations are split into words: a name of `word_splitting.SPLITTERS`; None goes by the language.
        by_blanks: whether words are joined with blanks; else as text is written, see `xner.detokenization`.
        keep_bad: whether translations stay that are cut or repeat themselves; their rows are empty else.
        target_tags: adds what projection needs of a tagger: `candidates`, `ner_probabilities`.
        aligner: see `alignment_step`; None for the built-in one.

    Returns:
        Steps that read `source_tokens` and `source_entities`, and add `tokens`, `translation`, `translation_status`,
        `links`, and with markers `marked_entities` and `marker_problem`.
    """
    translate = partial(translate_target, markers=markers, keep_bad=keep_bad)
    translated = _translation("translation", into, translate, [markers, keep_bad], words=words, by_blanks=by_blanks)
    return [translated, *_where(target_tags), aligner or alignment_step()]


def back_translation(
    into: Direction,
    *,
    markers: MarkerStyle = "brackets",
    words: str | None = None,
    by_blanks: bool = False,
    target_tags: Step | None = None,
    aligner: Step | None = None,
) -> list[Step]:
    """Links of target words with target words: the labelled side is translated with markers, and then aligned.

    Args:
        into: from the labelled side's language into that of the words to be labelled.
        markers: as for `translate_train`, as are the others.
        words: how translations are split.
        by_blanks: whether words are joined with blanks; else as text is written, see `xner.detokenization`.
        target_tags: as for `translate_train`.
        aligner: see `alignment_step`.

    Returns:
        Steps that read `tokens`, `source_tokens` and `source_entities`, replace the latter two, and add `links`,
        `marker_problem`, `pivot_tokens` and `pivot_entities`: what the source side was.

    Source: Politov et al. 2025 (arXiv 2501.18750), back-translation.
    """
    translated = _back_translation(into, markers, words, by_blanks=by_blanks)
    return [translated, *_where(target_tags), aligner or alignment_step()]


def translate_test(
    into: Direction,
    tag: Step,
    *,
    back: Direction | None = None,
    markers: MarkerStyle = "brackets",
    words: str | None = None,
    by_blanks: bool = False,
    keep_bad: bool = False,
    target_tags: Step | None = None,
    aligner: Step | None = None,
) -> list[Step]:
    """Labels for target text: translate it into a language with a tagger, tag that, align; `project` comes last.

    Args:
        into: from the text's language into the tagger's.
        tag: reads `source_tokens` and adds `source_entities`.
        back: from the tagger's language into the text's, to refine by back-translation; None does without.
        markers: for back-translation.
        words: how the translations into the tagger's language are split.
        by_blanks: whether words are joined with blanks; else as text is written, see `xner.detokenization`.
        keep_bad: whether translations are tagged that are cut or repeat themselves.
        target_tags: as for `translate_train`.
        aligner: see `alignment_step`.

    Returns:
        Steps that read `tokens` and add `source_tokens`, `source_entities`, `translation`, `translation_status` and
        `links`; with `back` what `back_translation` adds as well.
    """
    translate = partial(translate_source, keep_bad=keep_bad)
    translated = _translation("translation", into, translate, [keep_bad], words=words, by_blanks=by_blanks)
    refined = [] if back is None else [_back_translation(back, markers, None, by_blanks=by_blanks)]
    return [translated, tag, *refined, *_where(target_tags), aligner or alignment_step()]


def _where(step: Step | None) -> list[Step]:
    return [] if step is None else [step]


def _back_translation(into: Direction, markers: MarkerStyle, words: str | None, *, by_blanks: bool) -> Step:
    translate = partial(translate_back, markers=markers)
    return _translation("back-translation", into, translate, [markers], words=words, by_blanks=by_blanks)


def _translation(
    name: str,
    into: Direction,
    translate: Callable[..., pa.Table],
    key: Sequence[object],
    *,
    words: str | None,
    by_blanks: bool,
) -> Step:
    """The step that a function of `translation_stages` makes; `key` has what was chosen of it."""

    def work(table: pa.Table, run: StepRun) -> pa.Table:
        say = partial(into.translate, progress=run.report)
        split = splitter_for(words or into.target_language)
        return translate(table, say, split, join=" ".join if by_blanks else detokenize)

    return Step(name, [into.key, words, by_blanks, *key], work)


def alignment_step(aligner: Aligner | EncoderAligner | None = None, *, threads: int = 0) -> Step:
    """The step that links words: reads `source_tokens` and `tokens`, adds `links`.

    Args:
        aligner: None for the built-in one, fitted on the table.
        threads: of the core, 0 for one a core.
    """
    if aligner is not None and not isinstance(aligner, Aligner):
        return stage_step("links", lambda: aligner, key=aligner.signature)

    def link(table: pa.Table, run: StepRun) -> pa.Table:
        sides = table.column(schema.SOURCE_TOKENS), table.column(schema.TOKENS)
        used = aligner or Aligner.fit(*sides, threads=threads, progress=run.report)
        return with_columns(table, {schema.LINKS: used.align(*sides, threads=threads)})

    return Step("links", None if aligner is None else _content(aligner), link)


def _content(aligner: Aligner) -> str:
    """Tells a fitted aligner from others."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "aligner.safetensors"
        aligner.save(path)
        return fingerprint({"aligner": path}, {})


def stage_step(name: str, load: Callable[[], Stage], *, key: object, part_rows: int = MODEL_PART_ROWS) -> Step:
    """The step that a stage is, for instance a tagger: part by part, each of which is kept.

    Args:
        name: of the step.
        load: gives the stage; called when a part is missing.
        key: everything that decides the stage's output but its input.
        part_rows: rows a part.
    """

    def work(table: pa.Table, run: StepRun) -> pa.Table:
        loaded: list[Stage] = []

        def stage(batch: pa.RecordBatch) -> pa.RecordBatch:
            if not loaded:
                loaded.append(load())
            return loaded[0](batch)

        return run_parts(table, stage, run.kept, name=name, report=run.report, what=name, part_rows=part_rows)

    return Step(name, key, work)


def project(table: pa.Table, projector: Callable[[Any], Any], *, memory: bool = True, threads: int = 0) -> pa.Table:
    """Project what a recipe has prepared.

    Args:
        table: of the recipe.
        projector: a `Projector`.
        memory: whether to project twice, see `xner.memory`.
        threads: for the memory, 0 for one a core.

    Returns:
        The table with `entities`, `labels` and `status`. Where markers gave the entities, these are taken.
    """
    found = project_with_memory(table, projector, threads=threads) if memory else projector(table)
    return adopt_marked(found) if schema.MARKED_ENTITIES in found.schema.names else found


def run(
    table: pa.Table,
    steps: Sequence[Step],
    folder: str | os.PathLike[str] | None = None,
    *,
    kept: Checkpoints | None = None,
    reuse: bool = True,
    report: Reporter = silent,
    told: Callable[[str], None] = lambda message: None,
) -> pa.Table:
    """Run a recipe.

    Args:
        table: what the first step reads.
        steps: one after the other.
        folder: where each step's output is kept, as `NAME.parquet`, and is looked for; made where it is missing. An
            interrupted run goes on where it stopped.
        kept: without a folder, where steps keep what they have finished; None keeps nothing.
        reuse: whether to take outputs that are kept.
        report: told how far the work has come.
        told: gets a line for each step: what was reused, and from where.

    Returns:
        The last step's output.

    Raises:
        Error: whatever a step raises; two steps of the same name; a step that changes the number of rows.
    """
    names = [step.name for step in steps]
    if len(set(names)) < len(names):
        raise Error(f"the steps {', '.join(names)} need different names")
    key = ""
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        key = table_digest(table)
    for step in steps:
        key = fingerprint({}, {"input": key, "step": [step.name, step.key]})
        path = None if folder is None else Path(folder) / f"{step.name}.parquet"
        found = _kept(path, key) if path is not None and reuse else None
        if found is None:
            with _checkpoints(path, key, kept, resume=reuse) as own:
                found = step.run(table, StepRun(own, report))
                if found.num_rows != table.num_rows:
                    raise Error(f"the step '{step.name}' made {found.num_rows} rows of {table.num_rows}")
                if path is not None:
                    # What another process would read is what this one goes on with: byte for byte the same.
                    io.write(found.replace_schema_metadata({_KEY: key}), path)
                    found = _kept(path, key)
        else:
            told(f"{step.name}: taken from {path}")
        table = found
    return table


@contextmanager
def _checkpoints(path: Path | None, key: str, others: Checkpoints | None, *, resume: bool) -> Iterator[Checkpoints]:
    if path is not None:
        with checkpoints(path, key, resume=resume) as kept:
            yield kept
        return
    if others is not None:
        yield others
        return
    with tempfile.TemporaryDirectory() as folder, checkpoints(Path(folder) / "step", key) as kept:
        yield kept


def _kept(path: Path, key: str) -> pa.Table | None:
    """A step's output, if it is there and everything that decides it is the same."""
    import pyarrow.parquet as pq  # heavy, and needed for this alone

    try:
        is_same = (pq.read_schema(path).metadata or {}).get(_KEY) == key.encode()
    except (OSError, pa.ArrowInvalid):
        return None
    return io.read(path).replace_schema_metadata(None) if is_same else None
