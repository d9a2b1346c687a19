"""The built-in word aligner: needs no model weights, learns from the sentence pairs it is given.

    aligner = xner.Aligner.fit(english, german)
    links = aligner.align(english, german)          # list<struct<source, target, score>>, one list a row
    aligner.save("en-de.safetensors")

The model is described in `Aligner`. It is deterministic: the same input gives the same output, bit for bit, whatever
the number of threads.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pyarrow as pa

import xner._core as _core
from xner._support.arguments import file_path, whole_number
from xner._support.arrow import Rows, to_array, with_columns
from xner._support.options import documented
from xner._support.progress import Reporter, silent
from xner._support.stages import identity_of, run_stage, status_column
from xner._version import __version__
from xner.alignment._fitting import fit
from xner.alignment._folding import Fold, corpus_of, fold_names, fold_side, row_offsets
from xner.alignment._model_file import Fitted, map_model, read_model, write_model
from xner.alignment._pairs import MOST_CELLS, cells_of, in_parts, parallel, pieces, without_too_long
from xner.alignment.lexicon import Lexicon
from xner.alignment.links.symmetrization import SYMMETRIZATIONS
from xner.alignment.options import DECODING, AlignerOptions, with_changes
from xner.errors import DataError, Error, OptionError
from xner.io.atomic import replacing
from xner.schema import LINKS, LINKS_TYPE, SOURCE_TOKENS, STATUS, TOKENS, require_columns

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from xner._support.sentences import Sentences
    from xner.alignment._blocks import Engine
    from xner.alignment._pairs import Pairs

__all__ = ["STATUSES", "Aligner"]

STATUSES: Final = ("ok", "empty_source", "empty_target", "too_long", "no_links")
"""What `Aligner.align_batch` says about a row. A row empty on both sides is `empty_source`; one with over 25 million
pairs of words is `too_long`, and has no links."""

_CELLS_AT_ONCE: Final = 8_000_000

_WHAT = "the aligner"


class Aligner:
    """A fitted word aligner. Make one with `Aligner.fit` or `Aligner.load`.

    Two directional models are trained on each other's agreement: IBM model 1 with a diagonal position prior (Brown et
    al. 1993), then a hidden Markov model over positions (Vogel, Ney, Tillmann 1996), with the product of both
    directions' posteriors as expected links (Liang, Taskar, Klein 2006). Words are emitted by a mixture over levels of
    folding, so that rare and inflected words borrow from their relatives. In training every token's own expected links
    are left out of the counts that explain it (after the zero-order collapsed variational inference of Asuncion et al.
    2009); decoding sharpens the full counts by variational Bayes (Riley, Gildea 2012). A small classifier decides which
    words are linked: it sees the posteriors of two words and of the words around, and what the corpus tells of both
    (discriminative alignment: Moore 2005; Blunsom, Cohn 2006), was trained on hand-made links of nine language pairs,
    and is the same for all languages. The string-similarity prior and the folding are ours. With fewer than some dozens
    of sentence pairs, letters and relative positions decide more and counts less.

    Attributes:
        options: what the model was fitted with.
        trained_on: the size of the corpus it was fitted on.
    """

    reads: Final = (SOURCE_TOKENS, TOKENS)
    writes: Final = (LINKS, STATUS)

    def __init__(self, fitted: Fitted) -> None:
        """Use `Aligner.fit` or `Aligner.load`."""
        if not isinstance(fitted, Fitted):
            raise OptionError(f"fitted={fitted!r}: `Aligner.fit` makes an aligner, `Aligner.load` reads one")
        self.options = fitted.options
        self.trained_on = fitted.trained_on
        self._fitted = fitted
        self._model = fitted.model

    @classmethod
    @documented(AlignerOptions)
    def fit(
        cls,
        source_sentences: Sentences,
        target_sentences: Sentences,
        options: AlignerOptions | None = None,
        *,
        lexicon: Lexicon | Iterable[Sequence[Any]] | None = None,
        max_memory: int | str | None = None,
        threads: int = 0,
        progress: Reporter = silent,
        **changes: Any,
    ) -> Aligner:
        """Learn from sentence pairs; any parallel text of the two languages helps.

        A corpus that is too large for `max_memory` is fitted in blocks (see `trained_on.blocks`): in rounds of 1, 1, 2,
        4, ... blocks, which go on from what all rounds before have taught. Expected links that do not fit are left out,
        the weakest first.
        Pairs of sentences with over 25 million pairs of words teach nothing, and get no links.

        Args:
            source_sentences: rows of words: lists of `str`, or an Arrow array of lists of strings (chunked or not;
                a missing row is an empty one).
            target_sentences: as many rows.
            options: default `AlignerOptions()`.
            lexicon: what is known of the two languages beforehand: a `Lexicon`, or pairs of words, or triples with a
                weight. Each is a pseudo-count of `lexicon_weight` times its weight on every level of folding.
            max_memory: what fitting may take beside the corpus itself, about: bytes, or a size like "2GB". None for
                half of what is free.
            threads: 0 for one per core. The result does not depend on it.
            progress: told `fit`, the iterations done, and their total.
            **changes: options by name, in place of those in `options`: `Aligner.fit(s, t, decode="viterbi")`.

        Raises:
            Error: row counts differ; the message has both. An option has no meaning.
            DataError: a row is not a list of words.
        """
        options = with_changes(options or AlignerOptions(), changes)
        parts = in_parts(source_sentences, target_sentences)
        how: Any = {"max_memory": max_memory, "threads": _threads(threads), "progress": progress}
        return cls(fit(parts, options, lexicon=_lexicon(lexicon), **how))

    @classmethod
    @documented(AlignerOptions)
    def fit_batches(
        cls,
        batches: Iterable[pa.RecordBatch | pa.Table],
        options: AlignerOptions | None = None,
        *,
        lexicon: Lexicon | Iterable[Sequence[Any]] | None = None,
        max_memory: int | str | None = None,
        threads: int = 0,
        progress: Reporter = silent,
        engine: Engine | None = None,
        **changes: Any,
    ) -> Aligner:
        """Learn from sentence pairs that come in batches, from a file larger than memory, say.

        As `fit` does of the same pairs in one table.

        Args:
            batches: record batches or tables with the columns `source_tokens` and `tokens`.
            options: default `AlignerOptions()`.
            lexicon: as in `fit`.
            max_memory: as in `fit`, with what the batches take besides.
            threads: 0 for one per core. The result does not depend on it.
            progress: told `fit`, the iterations done, and their total as far as it is known.
            engine: of `xner.pipelines`, on whose workers several blocks are fitted at once, each with `max_memory`;
                None for this process. The result does not depend on it.
            **changes: options by name, in place of those in `options`.

        Raises:
            Error: a column is missing. An option has no meaning.
            DataError: a row is not a list of words.
        """
        options = with_changes(options or AlignerOptions(), changes)

        def parts() -> Iterator[Pairs]:
            rows = 0
            for batch in batches:
                require_columns(batch.schema, cls.reads, _WHAT)
                try:
                    yield parallel(batch.column(SOURCE_TOKENS), batch.column(TOKENS))
                except DataError as error:
                    raise error.behind(rows) from None
                rows += batch.num_rows

        how: Any = {"max_memory": max_memory, "threads": _threads(threads), "progress": progress}
        return cls(fit(parts(), options, lexicon=_lexicon(lexicon), engine=engine, **how))

    @property
    def signature(self) -> str:
        """One line that tells how links were made: all options, and the size of what they were learned from."""
        size = self.trained_on
        fitted = f"{size.sentence_pairs} pairs,{size.source_tokens}-{size.target_tokens} words,xner {size.xner_version}"
        if size.blocks > 1:
            fitted += f",{size.blocks} blocks"
        if size.lexicon[0]:
            fitted += f",lexicon {size.lexicon[1]} of {size.lexicon[0]}"
        shown = self.options.signature_parts()
        return "|".join([f"xner:{__version__}", "aligner:builtin", *shown, f"fitted:{fitted}"])

    @cached_property
    def identity(self) -> str:
        """Tells this model, with its options, from all others.

        Functions that it folds by count by their names, and by what they made of the words that it was fitted on.
        """
        content = self._content if self._fitted.mapped is None else self._fitted.mapped
        return identity_of("aligner", hashlib.sha256(content).hexdigest(), fold_names(self.options.fold))

    def __call__(self, rows: Rows, *, progress: Reporter = silent) -> Rows:
        """The stage: adds the columns `links` and `status`, in place of those that may be there.

        Args:
            rows: a record batch or table with `source_tokens` and `tokens`.
            progress: told `align`, the rows done, and their number.

        Returns:
            The same kind of object. The status is one of `STATUSES` where that is not `ok`, else what an earlier stage
            said.

        Raises:
            DataError: a row is not a list of words.
            Error: a column is missing.
        """
        return run_stage(self._add_links, rows, progress=progress, what="align")

    def _add_links(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        require_columns(batch.schema, self.reads, _WHAT)
        found = self.align_batch(batch.column(SOURCE_TOKENS), batch.column(TOKENS))
        status = status_column(batch, found.column(STATUS), STATUSES)
        return with_columns(batch, {LINKS: found.column(LINKS), STATUS: status})

    def align(
        self, source_sentences: Sentences, target_sentences: Sentences, *, threads: int = 0, **changes: Any
    ) -> pa.ListArray[Any]:
        """Link the words of sentence pairs, those that were fitted or others.

        Args:
            source_sentences: rows of words, as for `fit`.
            target_sentences: as many rows.
            threads: 0 for one per core. The result does not depend on it.
            **changes: `decode`, `threshold`, `least_association` or `symmetrization` in place of those the model was
                fitted with.

        Returns:
            For each row a list of structs `source` and `target` (int32, word indices from 0) and `score` (float32 in
            [0, 1]: the probability that the two are partners, with posterior and viterbi the mean of the two
            directions' posteriors), sorted by source, then target.

        Raises:
            Error: row counts differ; the message has both. An option has no meaning here.
            DataError: a row is not a list of words.
        """
        return self._align(parallel(source_sentences, target_sentences), threads, changes)

    def align_batch(
        self, source_sentences: Sentences, target_sentences: Sentences, *, threads: int = 0, **changes: Any
    ) -> pa.RecordBatch:
        """As `align`, with a word on each row.

        Returns:
            A batch with the columns `links` and `status`, the latter one of `STATUSES`.
        """
        pairs = parallel(source_sentences, target_sentences)
        links = self._align(pairs, threads, changes)
        source, target = map(row_offsets, pairs)
        codes = np.zeros(len(links), np.int32)
        codes[np.diff(links.offsets.to_numpy()) == 0] = STATUSES.index("no_links")
        codes[cells_of(pairs) > MOST_CELLS] = STATUSES.index("too_long")
        codes[np.diff(target) == 0] = STATUSES.index("empty_target")
        codes[np.diff(source) == 0] = STATUSES.index("empty_source")
        status = pa.DictionaryArray.from_arrays(to_array(codes), pa.array(STATUSES))
        return pa.record_batch([links, status], names=[LINKS, STATUS])

    def _align(self, pairs: Pairs, threads: int, changes: Mapping[str, Any]) -> pa.ListArray[Any]:
        for name in changes:
            if name not in DECODING:
                raise OptionError(f"{name}: not an option of align; expected one of {', '.join(DECODING)}")
        options = with_changes(self.options, changes)
        cells = cells_of(pairs)
        if (cells > MOST_CELLS).any():
            pairs = without_too_long(pairs)
            cells[cells > MOST_CELLS] = 0
        # Rows do not depend on each other: what is looked at together is a matter of memory alone.
        found = [
            self._align_piece((pairs[0][rows], pairs[1][rows]), options, threads)
            for rows in [*pieces(cells, _CELLS_AT_ONCE)] or [slice(0, 0)]
        ]
        counts = np.concatenate([np.diff(offsets) for offsets, *_ in found])
        offsets = np.concatenate([[0], np.cumsum(counts)])
        if offsets[-1] > np.iinfo(np.int32).max:
            raise Error(f"{offsets[-1]} links are too many for one Arrow list array: align fewer rows at a time")
        columns = [np.concatenate(values) for values in zip(*(values for _, *values in found), strict=True)]
        structs = pa.StructArray.from_arrays(map(pa.array, columns), fields=list(LINKS_TYPE.value_type))
        links = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32), pa.int32()), structs)
        return cast("pa.ListArray[Any]", links.cast(LINKS_TYPE))

    def _known(self, pairs: Pairs) -> tuple[_core.AlignerCorpus, list[tuple[Any, Any]]]:
        """Some rows as the core takes them, and on each level what the model knows of their words."""
        options = self.options
        source = fold_side(pairs[0], SOURCE_TOKENS, options.fold, romanized=options.romanize)
        target = fold_side(pairs[1], TOKENS, options.fold, romanized=options.romanize)
        maps = [
            (known[0].find(source_level.texts), known[1].find(target_level.texts))
            for known, source_level, target_level in zip(self._fitted.texts, source.levels, target.levels, strict=True)
        ]
        return corpus_of(source, target), maps

    def _align_piece(self, pairs: Pairs, options: AlignerOptions, threads: int) -> tuple[Any, ...]:
        """Offsets, source words, target words and scores of the links of some rows."""
        rows = (self._model, *self._known(pairs))
        threads = _threads(threads)
        if options.decode == "viterbi":
            method = SYMMETRIZATIONS[options.symmetrization]
            return _core.align_viterbi(*rows, method=method, threads=threads)
        threshold = None if options.threshold == "auto" else options.threshold
        if options.decode == "posterior" and threshold is not None:
            least = options.least_association
            return _core.align_posterior(*rows, threshold=threshold, least_association=least, threads=threads)
        return _core.align_discriminative(*rows, threshold=threshold, threads=threads)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one safetensors file. The same model gives the same bytes.

        Raises:
            Error: the file's folder does not exist, or a folder is there.
            OSError: the file cannot be written.
        """
        with replacing(path) as file:
            file.write(self._content)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, fold: Fold | tuple[Fold, ...] | None = None) -> Aligner:
        """Read a model that `save` wrote. It aligns bit for bit like the one that was saved.

        A large file is not read at once but mapped into memory, so that a few sentences are aligned in milliseconds;
        what replaces it meanwhile should do so as `save` does, by a new file of the same name.

        Args:
            path: the file.
            fold: the function(s) the model was fitted with, if it was fitted with functions: they are not in the file.

        Raises:
            FileNotFoundError: there is no such file.
            FormatError: the file is not a model of this aligner, or of a version that is not known here.
            Error: `fold` is missing, or given for a model that does not need it.
        """
        file = file_path("path", path)
        if not file.is_file():
            raise FileNotFoundError(f"{path}: no such file")
        return cls(map_model(file, fold))

    @property
    def _content(self) -> bytes:
        return write_model(self._fitted)

    def __reduce__(self) -> tuple[Any, ...]:
        fold = None if isinstance(self.options.fold, str) else self.options.fold
        if fold is not None and (nameless := [name for name in fold_names(fold) if "<" in name]):
            raise OptionError(
                f"fold: {nameless[0]} cannot be pickled with its aligner; a function at the top of a module can"
            )
        return _unpickled, (self._content, fold)

    def __deepcopy__(self, memo: Mapping[int, Any]) -> Aligner:
        return self  # nothing of it changes

    def __repr__(self) -> str:
        pairs, fold = self.trained_on.sentence_pairs, ",".join(fold_names(self.options.fold))
        return f"Aligner(fitted on {pairs} sentence pair{'' if pairs == 1 else 's'}, fold={fold!r})"


def _lexicon(lexicon: Lexicon | Iterable[Sequence[Any]] | None) -> Lexicon | None:
    return lexicon if lexicon is None or isinstance(lexicon, Lexicon) else Lexicon.of(lexicon)


def _unpickled(content: bytes, fold: Fold | tuple[Fold, ...] | None) -> Aligner:
    return Aligner(read_model(content, "a pickled aligner", fold))


def _threads(threads: int) -> int:
    return whole_number("threads", threads, 0)
