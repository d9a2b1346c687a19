"""The links of a pipeline: by the built-in aligner, by encoders, from elsewhere, or several of these combined."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

import pyarrow as pa

from xner import schema
from xner._support.arrow import one_array, with_columns
from xner._support.digests import table_digest
from xner._support.memory import memory_size
from xner._support.options import (
    Choice,
    DeclaredOptions,
    Flag,
    Many,
    MemorySize,
    Number,
    OrAuto,
    ReadFile,
    Text,
    When,
    Whole,
    option,
)
from xner._support.progress import silent
from xner.alignment.aligner import Aligner
from xner.alignment.lexicon import Lexicon
from xner.alignment.links.combination import COMBINATIONS, Combination, combine
from xner.alignment.links.extraction import METHODS, Method
from xner.alignment.links.symmetrization import SYMMETRIZATIONS, Symmetrization
from xner.alignment.options import Decode
from xner.errors import OptionError
from xner.models.aligners.catalogue import ALIGNERS, WordAligner, load_aligner
from xner.models.aligners.encoder_aligner import EncoderAligner
from xner.models.aligners.options import ENCODER_DTYPES, ENCODER_ENGINES, EncoderDtype, EncoderEngine, check_engine
from xner.models.network.device import device_names
from xner.pipelines.engines import LOCAL
from xner.pipelines.recipes import PieceWork, Step, StepRun
from xner.pipelines.runner import MODEL_PART_ROWS, PIECE_ROWS, in_pieces, one_batch, run_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from xner._support.progress import Reporter
    from xner.pipelines.recipes import Pieces

__all__ = ["BUILTIN", "FITTED", "Aligning", "AligningOptions"]

BUILTIN: Final = "builtin"
_NAMES: Final = (BUILTIN, *ALIGNERS)

_WITH_BUILTIN = When(f"the aligner {BUILTIN}", lambda o: BUILTIN in o.names)
_WITH_ENCODERS = When(f"an encoder as aligner ({', '.join(ALIGNERS)})", lambda o: bool(o.encoders))
_FITS = When(
    f"the aligner {BUILTIN} where it is fitted, without a model of it",
    lambda o: BUILTIN in o.names and BUILTIN not in o.models,
)
_ALONE = When("one aligner; align apart and use `xner links combine`", lambda o: len(o.names) == 1)

_GROUP = "Alignment"
FITTED: Final = "aligner.safetensors"
"""Of the file that keeps the aligner that a run has fitted."""


@dataclass(frozen=True, slots=True)
class AligningOptions(DeclaredOptions):
    """Who aligns, and how.

    Raises:
        Error: a value is unknown or out of range, or goes with an aligner that is not used.
    """

    aligner: tuple[str, ...] = option(
        (),
        Many(Choice(_NAMES)),
        f"Who aligns: {BUILTIN}, which learns from the sentence pairs themselves, or a multilingual encoder (needs the "
        "extra `models`). Several: their links are combined.",
        default_text=f"{BUILTIN}, where there are no links",
        group=_GROUP,
    )
    aligner_model: tuple[str, ...] = option(
        (),
        Many(Text("MODEL|NAME=MODEL")),
        f"{BUILTIN}: a saved aligner; without it, one is fitted on the input. Encoders: name on the Hugging Face hub, "
        "or folder, of another model than the aligner's own. With several aligners: NAME=MODEL.",
        group=_GROUP,
    )
    combine: Combination | None = option(
        None,
        Choice(tuple(COMBINATIONS)),
        "How the links of several aligners or files become one set.",
        optional=True,
        default_text="union",
        group=_GROUP,
    )
    decode: Decode | None = option(
        None,
        Choice(get_args(Decode)),
        f"{BUILTIN}: link what is probable enough, to a classifier that also goes by the words around (discriminative) "
        "or to both directions alone (posterior); or combine the best alignment of either direction (viterbi).",
        when=[_WITH_BUILTIN],
        optional=True,
        default_text="discriminative",
        group=_GROUP,
    )
    symmetrization: Symmetrization | None = option(
        None,
        Choice(tuple(SYMMETRIZATIONS)),
        f"{BUILTIN}, viterbi: how two directions become one.",
        when=[_WITH_BUILTIN, When("decode='viterbi'", lambda o: o.decode == "viterbi")],
        optional=True,
        group=_GROUP,
    )
    threshold: float | Literal["auto"] | None = option(
        None,
        OrAuto(Number(below=1)),
        f"Least probability of a link: {BUILTIN} unless it decodes by viterbi, encoders with softmax or entmax15. "
        f"auto: of each sentence pair the links whose F1 is expected to be highest ({BUILTIN}).",
        when=[_ALONE, When("another decode than 'viterbi'", lambda o: o.decode != "viterbi")],
        optional=True,
        group=_GROUP,
    )
    layer: int | None = option(
        None,
        Whole(0),
        "Encoders: the layer whose embeddings are compared.",
        when=[_WITH_ENCODERS],
        optional=True,
        group=_GROUP,
    )
    extraction: Method | None = option(
        None,
        Choice(tuple(METHODS)),
        "Encoders: how links are read off the similarities.",
        when=[_WITH_ENCODERS],
        optional=True,
        group=_GROUP,
    )
    lexicon: tuple[str, ...] = option(
        (),
        Many(ReadFile()),
        f"{BUILTIN}: words that translate each other, one pair a line: word TAB word, or with a weight besides; or a "
        "dictionary: of dictd (FreeDict's, say) or StarDict, its .index or .ifo, EDICT or CC-CEDICT.",
        when=[_FITS],
        group=_GROUP,
    )
    aligner_memory: str | None = option(
        None,
        MemorySize(),
        f"{BUILTIN}: about how much memory fitting may take beside the corpus, as 2GB; a corpus that needs more is "
        "fitted in blocks, on a cluster several at once, each in as much.",
        when=[_FITS],
        optional=True,
        default_text="half of what is free",
        group=_GROUP,
    )
    aligner_device: str = option(
        "auto",
        Text("DEVICE"),
        "Encoders: where to compute: cpu, cuda, cuda:1, ...; several with commas.",
        when=[_WITH_ENCODERS],
        group=_GROUP,
    )
    aligner_engine: EncoderEngine = option(
        "transformers",
        Choice(ENCODER_ENGINES),
        "Encoders: what computes; ctranslate2 is the quicker one on processors, takes models of the kinds of BERT and "
        "RoBERTa, and converts a model on first use.",
        when=[_WITH_ENCODERS],
        group=_GROUP,
    )
    aligner_dtype: EncoderDtype = option(
        "auto",
        Choice(ENCODER_DTYPES),
        "Encoders: precision; auto is half precision on GPUs, float32 elsewhere. ctranslate2 takes float32 and int8.",
        when=[_WITH_ENCODERS],
        group=_GROUP,
    )
    aligner_token_budget: int | None = option(
        None,
        Whole(1),
        "Encoders: most word pieces in a batch, padding included.",
        when=[_WITH_ENCODERS],
        optional=True,
        group=_GROUP,
    )
    aligner_compile: bool = option(
        False,
        Flag(),
        "Encoders: torch.compile; for long runs.",
        when=[_WITH_ENCODERS, When("aligner_engine='transformers'", lambda o: o.aligner_engine == "transformers")],
        group=_GROUP,
    )

    @property
    def names(self) -> tuple[str, ...]:
        """The aligners, each once; the built-in one where none is named."""
        return tuple(dict.fromkeys(self.aligner)) or (BUILTIN,)

    @property
    def encoders(self) -> tuple[str, ...]:
        """Those of them that are encoders."""
        return tuple(name for name in self.names if name != BUILTIN)

    @property
    def models(self) -> Mapping[str, str]:
        """By aligner, the model that is named for it."""
        models = {}
        for value in self.aligner_model:
            name, equals, model = value.partition("=")
            if not equals or name not in _NAMES:
                if len(self.names) != 1:
                    raise OptionError(f"aligner_model={value!r}: say which aligner's it is, as {self.names[0]}={value}")
                name, model = self.names[0], value
            if name not in self.names:
                raise OptionError(f"aligner_model={value!r}: the aligner {name!r} is not used")
            if name == BUILTIN and not Path(model).is_file():
                raise OptionError(f"aligner_model={value!r}: there is no file {model!r}")
            models[name] = model
        return models

    def check_together(self) -> None:
        """See `DeclaredOptions`."""
        _ = self.models  # which says what is wrong with them
        if self.threshold == "auto" and (self.names != (BUILTIN,) or self.decode == "posterior"):
            raise OptionError(f"threshold='auto' goes with aligner='{BUILTIN}' and decode='discriminative' alone")
        check_engine(self.aligner_engine, device=self.aligner_device, dtype=self.aligner_dtype, owner="aligner_")


Corpus: TypeAlias = "pa.Table | Callable[[], Iterable[pa.Table]] | None"
"""What an aligner is fitted on, as a whole or read piece by piece once more; None where none is (`Aligning.fits`)."""


@dataclass(frozen=True, slots=True)
class Aligning:
    """Finds the links of a pipeline.

    Attributes:
        options: who aligns.
        others: links of the same rows from elsewhere; where there are some, no aligner is used but those named.
        languages: codes of source and target side, for encoders that mark sentences with them; None: not known.
        languages_matter: whether something else goes by the languages as well, so that encoders need not.
        threads: of the core, 0 for one a core.
        save_aligner: where the built-in aligner is to be saved; None: nowhere.

    Raises:
        Error: `combine` without several sets of links, or `save_aligner` without the built-in aligner.
    """

    options: AligningOptions = field(default_factory=AligningOptions)
    others: Sequence[pa.ChunkedArray[Any]] = ()
    languages: tuple[str | None, str | None] = (None, None)
    threads: int = 0
    save_aligner: Path | None = None
    languages_matter: bool = False

    def __post_init__(self) -> None:
        if self.options.combine is not None and len(self.names) + len(self.others) < 2:
            raise OptionError("combine needs two sets of links at least: more than one aligner or file of links")
        if self.save_aligner is not None and BUILTIN not in self.names:
            raise OptionError(f"save_aligner is for the aligner {BUILTIN!r}, which is not used here")

    @property
    def names(self) -> tuple[str, ...]:
        """The aligners that are used."""
        return () if self.others and not self.options.aligner else self.options.names

    @property
    def decoding(self) -> dict[str, Any]:
        """How the built-in aligner decodes, where that is said."""
        given = {name: getattr(self.options, name) for name in ("decode", "symmetrization")}
        given["threshold"] = self.options.threshold if self.names == (BUILTIN,) else None
        return {name: value for name, value in given.items() if value is not None}

    @property
    def loading(self) -> dict[str, Any]:
        """How encoders are loaded, where that is said."""
        options = self.options
        languages = self.languages if options.encoders else (None, None)
        given: dict[str, Any] = {
            "layer": options.layer,
            "extraction": options.extraction,
            "threshold": options.threshold if len(options.encoders) == 1 else None,
            "source_language": languages[0],
            "target_language": languages[1],
            "device": None if options.aligner_device == "auto" else device_names(options.aligner_device),
            "engine": None if options.aligner_engine == "transformers" else options.aligner_engine,
            "dtype": None if options.aligner_dtype == "auto" else options.aligner_dtype,
            "token_budget": options.aligner_token_budget,
            "compile": options.aligner_compile or None,
        }
        return {name: value for name, value in given.items() if value is not None}

    @property
    def key(self) -> object:
        """What decides the links but for the sentences; of one aligner alone that of `recipes.alignment_step`."""
        identities = [self._identity(name) for name in self.names]
        if len(identities) == 1 and not self.decoding and not self.others:
            return identities[0]
        others = [table_digest(pa.table({schema.LINKS: one})) for one in self.others]
        return {
            "aligners": identities,
            "others": others,
            "combine": self.options.combine or "union",
            "decoding": self.decoding,
        }

    def _identity(self, name: str) -> str | None:
        """Tells an aligner from others; None is the built-in one that is fitted on what it aligns with what is free."""
        if name == BUILTIN:
            models = self.options.models
            if name in models:
                return Aligner.load(models[name]).identity
            given = []
            if self.options.aligner_memory is not None:
                given.append(f"max_memory:{memory_size('aligner_memory', self.options.aligner_memory)}")
            for path in self.options.lexicon:
                content = b"".join(one.read_bytes() for one in Lexicon.files(path))
                given.append(f"lexicon:{hashlib.sha256(content).hexdigest()}")
            return "|".join([BUILTIN, *given]) if given else None
        return self._load(name).identity

    def _load(self, name: str) -> WordAligner:
        return load_aligner(name, self.options.models.get(name), lazily=True, **self.loading)

    def check_languages(self) -> None:
        """That languages, where they are given, change something.

        Raises:
            OptionError: no encoder marks sentences with them, and nothing else goes by them.
        """
        if self.languages_matter or self.languages == (None, None):
            return
        wrong = None
        for name in self.options.encoders:
            try:
                aligner = self._load(name)
                if not isinstance(aligner, EncoderAligner):
                    return  # who knows
                aligner.check_languages()
                return
            except OptionError as error:
                wrong = wrong or error
        if wrong is not None:
            raise wrong

    def step(self) -> Step:
        """The step that reads `source_tokens` and `tokens` and adds `links`."""
        self.check_languages()

        def link(table: pa.Table, run: StepRun) -> pa.Table:
            return with_columns(table, {schema.LINKS: self.link(table, run).column(schema.LINKS)})

        def over(pieces: Pieces, run: StepRun) -> PieceWork:
            aligners = self.loaded(lambda: pieces(PIECE_ROWS), run)
            return PieceWork(partial(_of_batch, partial(self._with_links, aligners)), self.part_rows, run.engine)

        return Step("links", self.key, link, None if self.others else over)

    def _with_links(self, aligners: Sequence[Callable[[pa.Table], pa.Table]], rows: pa.Table) -> pa.Table:
        return with_columns(rows, {schema.LINKS: self.linked(aligners, rows).column(schema.LINKS)})

    def link(self, table: pa.Table, run: StepRun) -> pa.Table:
        """Align a corpus with all aligners and combine their links with those from elsewhere.

        Args:
            table: has the columns `source_tokens` and `tokens`.
            run: where what is found is kept, so that an interrupted run goes on from it.

        Returns:
            The columns `links`, and `status` where a single aligner says what became of each row.
        """
        self.check_languages()
        found = [
            self._align(self.fit(table, run), table, run) if name == BUILTIN else self.encode(name, table, run)
            for name in self.names
        ]
        return self._joined(found)

    @property
    def fits(self) -> bool:
        """Whether an aligner is fitted on the corpus."""
        return BUILTIN in self.names and BUILTIN not in self.options.models

    @property
    def part_rows(self) -> int | None:
        """Rows of the parts that are aligned together; None where it does not matter which are."""
        return MODEL_PART_ROWS if set(self.names) - {BUILTIN} else None

    def linker(self, corpus: Corpus, run: StepRun) -> Callable[[pa.Table], pa.Table]:
        """What links sentence pairs as `link` does, with aligners that are fitted, or loaded, once.

        Args:
            corpus: what an aligner is fitted on.
            run: as for `link`; what comes of this does not keep anything itself. Where other processes compute, it
                can be pickled.
        """
        return partial(self.linked, self.loaded(corpus, run))

    def loaded(self, corpus: Corpus, run: StepRun) -> list[Callable[[pa.Table], pa.Table]]:
        """The aligners, fitted or loaded, as what gives the links of some rows.

        Args:
            corpus: as for `linker`.
            run: likewise.
        """
        self.check_languages()
        threads = run.engine.threads(self.threads)
        return [
            partial(_align, self.fit(corpus, run), threads, self.decoding)
            if name == BUILTIN
            else partial(_encode, self._load(name), threads, _progress(name, run))
            for name in self.names
        ]

    def linked(self, aligners: Sequence[Callable[[pa.Table], pa.Table]], rows: pa.Table) -> pa.Table:
        """What `link` gives.

        Args:
            aligners: of `loaded`.
            rows: those of the links from elsewhere.
        """
        return self._joined([one(rows) for one in aligners])

    def _joined(self, found: Sequence[pa.Table]) -> pa.Table:
        """The links of each aligner, and those from elsewhere, as one set."""
        if len(found) == 1 and not self.others:
            return found[0]
        return pa.table({schema.LINKS: self.combined(*(one.column(schema.LINKS) for one in found))})

    def combined(self, *found: pa.ChunkedArray[Any]) -> pa.Array[Any] | pa.ChunkedArray[Any]:
        """The links from elsewhere and those that were found as one set for each row."""
        columns = [*self.others, *found]
        return combine(columns, self.options.combine or "union") if len(columns) > 1 else columns[0]

    def fit(self, corpus: Corpus, run: StepRun) -> Aligner:
        """The built-in aligner, fitted on the two sides unless a model is given, which needs no corpus."""
        fitted = run.kept.find(FITTED)
        models = self.options.models
        if BUILTIN in models:
            aligner = Aligner.load(models[BUILTIN])
        elif fitted is not None:
            aligner = Aligner.load(fitted)
        else:
            assert corpus is not None, "there is no model of it"
            lexicon = Lexicon.read(*self.options.lexicon) if self.options.lexicon else None
            how: Any = {"max_memory": self.options.aligner_memory, "lexicon": lexicon}
            how |= {"threads": self.threads, "progress": run.report}
            if isinstance(corpus, pa.Table):
                aligner = Aligner.fit(*_sides(corpus), **how)
            else:
                aligner = Aligner.fit_batches(corpus(), **how, engine=None if run.engine is LOCAL else run.engine)
            if aligner.trained_on.blocks > 1:
                run.told(f"the aligner was fitted in {aligner.trained_on.blocks} blocks, as memory allows")
            if lexicon is not None:
                entries, hits = aligner.trained_on.lexicon
                left_out = f", {lexicon.left_out} entries of more than three words left out" if lexicon.left_out else ""
                run.told(f"lexicon: {hits} of {entries} pairs of words are in the sentences{left_out}")
            with run.kept.writing(FITTED) as path:
                aligner.save(path)
        if self.save_aligner is not None:
            aligner.save(self.save_aligner)
        return aligner

    def _align(self, aligner: Aligner, table: pa.Table, run: StepRun) -> pa.Table:
        align = partial(_align, aligner, run.engine.threads(self.threads), self.decoding)
        return pa.concat_tables(in_pieces(table, align, report=run.report, what="align", engine=run.engine))

    def encode(self, name: str, table: pa.Table, run: StepRun) -> pa.Table:
        """Links by an encoder, part by part; it is loaded only where a part is missing."""
        encode = partial(_encode, self._load(name), run.engine.threads(self.threads), _progress(name, run))
        return run_parts(
            table.select([schema.SOURCE_TOKENS, schema.TOKENS]),
            partial(_of_batch, encode),
            run.kept,
            name=f"links-{name}",
            report=run.report,
            what=f"{name}: align",
            part_rows=MODEL_PART_ROWS,
            engine=run.engine,
            has_model=True,
        )


def _align(aligner: Aligner, threads: int, decoding: Mapping[str, Any], rows: pa.Table) -> pa.Table:
    """The links of some rows."""
    return pa.Table.from_batches([aligner.align_batch(*_sides(rows), threads=threads, **decoding)])


def _encode(aligner: WordAligner, threads: int, progress: Reporter, rows: pa.Table) -> pa.Table:
    """Likewise, by an encoder."""
    sides = map(one_array, _sides(rows))
    return pa.Table.from_batches([aligner.align_batch(*sides, threads=threads, progress=progress)])


def _of_batch(function: Callable[[pa.Table], pa.Table], rows: pa.RecordBatch) -> pa.RecordBatch:
    return one_batch(function(pa.Table.from_batches([rows])))


def _progress(name: str, run: StepRun) -> Reporter:
    """Tells how far an encoder has come; other processes cannot."""
    return _named(run.report, name) if run.engine is LOCAL else silent


def _named(report: Reporter, name: str) -> Reporter:
    return lambda what, done, total: report(f"{name}: {what}", done, total)


def _sides(table: pa.Table) -> tuple[pa.ChunkedArray[Any], pa.ChunkedArray[Any]]:
    return table.column(schema.SOURCE_TOKENS), table.column(schema.TOKENS)
