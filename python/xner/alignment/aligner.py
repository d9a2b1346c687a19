"""The built-in word aligner: needs no model weights, learns from the sentence pairs it is given.

    aligner = xner.Aligner.fit(english, german)
    links = aligner.align(english, german)          # list<struct<source, target, score>>, one list a row
    aligner.save("en-de.safetensors")

The model is described in `Aligner`. It is deterministic: the same input gives the same output, bit for bit, whatever
the number of threads.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

import xner._core as _core
from xner._support.arguments import choose
from xner._support.sentences import Sentences, to_arrow
from xner._version import __version__
from xner.alignment.links.symmetrization import SYMMETRIZATIONS, Symmetrization
from xner.errors import DataError, Error, FormatError, OptionError
from xner.schema import LINKS, LINKS_TYPE, SOURCE_TOKENS, STATUS, TOKENS
from xner.text.scripts import is_unspaced

__all__ = ["FOLDS", "STATUSES", "Aligner", "AlignerOptions", "Fold", "TrainedOn", "normalize"]

Decode = Literal["posterior", "viterbi"]
Fold: TypeAlias = Callable[[str], str]
Progress: TypeAlias = Callable[[str, int, int], None]

STATUSES: Final = ("ok", "empty_source", "empty_target", "no_links")
"""What `Aligner.align_batch` says about a row. A row empty on both sides is `empty_source`."""

_FORMAT = "xner-aligner"
_FORMAT_VERSION = 2

_Integers: TypeAlias = npt.NDArray[np.int32]
_Offsets: TypeAlias = npt.NDArray[np.int64]


# --- Folding --------------------------------------------------------------------------------------------------------

# Punctuation of other scripts and typographies by its plain counterpart.
_PUNCTUATION = str.maketrans("。、「」『』《》„“”«»‘’–—〜·", '.,"""""""""""\'\'---.')

_PREFIXES = (3, 5, 8)


def normalize(token: str) -> str:
    """Bring a token to lower case without diacritics: `Straße` -> `strasse`, `１２` -> `12`, `É` -> `e`.

    Never empty unless the token is: a token of nothing but combining marks stays as it is.
    """
    if token.isascii():
        return token.lower()
    decomposed = unicodedata.normalize("NFKD", token.casefold()).translate(_PUNCTUATION)
    return "".join(c for c in decomposed if not unicodedata.combining(c)) or token


# `xner::WordKind` of the core.
_PLAIN, _CAPITALISED, _NUMBER, _SYMBOL = range(4)


def _kind(token: str) -> int:
    """What a token looks like at first sight."""
    if any(c.isnumeric() for c in token):
        return _NUMBER
    if any(c.isalpha() for c in token):
        return _CAPITALISED if token[0].isupper() else _PLAIN
    return _SYMBOL


def _by_prefix(token: str) -> tuple[str, ...]:
    text = normalize(token)
    return tuple(text[:length] for length in _PREFIXES)


def _by_character(token: str) -> tuple[str, ...]:
    text = normalize(token)
    return text[:1], text[-1:], text


def _by_script(token: str) -> tuple[str, ...]:
    return _by_character(token) if is_unspaced(normalize(token)[:1]) else _by_prefix(token)


def _unfolded(token: str) -> tuple[str, ...]:
    return (token,)


FOLDS: Final[Mapping[str, Callable[[str], tuple[str, ...]]]] = {
    "auto": _by_script,
    "prefix": _by_prefix,
    "characters": _by_character,
    "none": _unfolded,
}
"""The foldings that have names: each takes a token to its forms, from coarse to fine."""


# --- Options --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AlignerOptions:
    """What an aligner does. The numbers were chosen by alignment error rate on four language pairs.

    Attributes:
        fold: how tokens are folded into word types on several levels, from coarse to fine. `prefix`: lower case
            without diacritics, the first 3, 5 and 8 characters. `characters`: the first character, the last
            one, and the word. `auto`: `characters` for words in scripts without blanks (Chinese, Japanese, Thai,
            ...), `prefix` for others. `none`: the tokens as they are. Or a function from a token to its folded form
            (a stemmer, say), or several, from coarse to fine. Functions are not saved with a model.
        decode: `posterior` links every pair of words whose score exceeds `threshold`; `viterbi` combines the most
            probable alignment of each direction by `symmetrization`.
        threshold: in [0, 1); lower values give more links. A model of a handful of sentence pairs also links words
            that are each other's best at lower scores.
        least_association: in [0, 1]; of a word's several posterior links, those far weaker than its best are
            accidents and are dropped: where score times Dice coefficient of the two words' expected links in the
            fitted corpus is below this share of the best of either word. 0 keeps all.
        symmetrization: as in `xner.links.symmetrize`.
        ibm1_iterations: iterations of IBM model 1, at least 1.
        hmm_iterations: iterations of the HMM, at least 0.
        diagonal: how strongly words at the same relative position are expected to be partners; in the HMM this fades
            as sentence pairs teach how words move.
        null_probability: of a word that has no partner.
        alpha: pseudo-count of every pair of types that occurs together.
        base_weight: pseudo-counts spread over the other side's types by their frequency.
        null_base_weight: the same for words without a partner.
        prior_weight: pseudo-count of a pair of equal strings; 0 turns the string prior off.
        similarity_floor: string similarity (1 - Levenshtein distance / longer length) that counts as none.
        similarity_power: pseudo-count = prior_weight * ((similarity - floor) / (1 - floor)) ** power.
        letter_weight: cue: logarithm of the odds for every letter that two words share beyond `similarity_floor`.
        kind_weight: cue: the same for two capitalised words, two numbers, or two symbols; as much against a word
            facing a number or a symbol, or a number facing a symbol.
        length_weight: cue: the same against lengths, relative to the sentence's mean, that differ by the factor e.
        cue_halving: cues need no training and fade with it: this many occurrences of the rarer of two words halve
            what cues say about them (more in a corpus of a few sentence pairs).
        jump_clip: jumps of this many words and more, to either side, are equally likely.
        jump_smoothing: pseudo-count of jumps, most of them to the next word.
    """

    fold: str | Fold | tuple[Fold, ...] = "auto"
    decode: Decode = "posterior"
    threshold: float = 0.47
    least_association: float = 0.01
    symmetrization: Symmetrization = "grow-diag-final-and"
    ibm1_iterations: int = 5
    hmm_iterations: int = 2
    diagonal: float = 2.0
    null_probability: float = 0.1
    alpha: float = 0.002
    base_weight: float = 2.0
    null_base_weight: float = 20.0
    prior_weight: float = 3.0
    similarity_floor: float = 0.4
    similarity_power: float = 4.0
    letter_weight: float = 2.0
    kind_weight: float = 2.5
    length_weight: float = 0.8
    cue_halving: float = 0.5
    jump_clip: int = 8
    jump_smoothing: float = 100.0

    def __post_init__(self) -> None:
        if isinstance(self.fold, str):
            choose("fold", self.fold, FOLDS)
        elif not (
            callable(self.fold) or (isinstance(self.fold, tuple) and self.fold and all(map(callable, self.fold)))
        ):
            raise OptionError(
                f"fold={self.fold!r}: expected one of {', '.join(map(repr, FOLDS))}, a function, or a tuple of them"
            )
        choose("decode", self.decode, dict.fromkeys(get_args(Decode)))
        choose("symmetrization", self.symmetrization, SYMMETRIZATIONS)
        if not 0 <= self.threshold < 1:
            raise OptionError(f"threshold={self.threshold!r}: expected a number of at least 0 and below 1")
        if not 0 <= self.least_association <= 1:
            raise OptionError(f"least_association={self.least_association!r}: expected a number from 0 to 1")
        for name in _TRAINING:
            value, wanted = getattr(self, name), type(_TRAINING[name])
            if isinstance(value, bool) or not isinstance(value, (int, float) if wanted is float else int):
                raise OptionError(f"{name}={value!r}: expected {'a number' if wanted is float else 'a whole number'}")


# The options of decoding, which `Aligner.align` can change.
_DECODING: Final = ("decode", "threshold", "least_association", "symmetrization")
# The options of fitting that the core knows, with the type of each.
_TRAINING: Final[Mapping[str, float]] = {
    field.name: field.default
    for field in dataclasses.fields(AlignerOptions)
    if isinstance(field.default, (int, float)) and field.name not in _DECODING
}


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """What a model was fitted on."""

    sentence_pairs: int
    source_tokens: int
    target_tokens: int
    xner_version: str


def _forms_of(fold: str | Fold | tuple[Fold, ...]) -> Callable[[str], tuple[str, ...]]:
    """The function that takes a token to its forms on all levels."""
    if isinstance(fold, str):
        return FOLDS[fold]
    folds = fold if isinstance(fold, tuple) else (fold,)

    def forms(token: str) -> tuple[str, ...]:
        results = tuple(function(token) for function in folds)
        for result in results:
            if not isinstance(result, str):
                raise Error(f"fold: expected a str for token {token!r}, got {result!r}")
        return results

    return forms


# --- Sentences as numbers -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Level:
    """One level of folding of one side.

    Attributes:
        types: by word, its type.
        texts: by type, its folded form.
    """

    types: _Integers
    texts: list[str]


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a corpus: row i holds the words `words[offsets[i]:offsets[i + 1]]`.

    Attributes:
        kinds: by word, see `_kind`.
    """

    offsets: _Offsets
    words: _Integers
    kinds: npt.NDArray[np.uint8]
    levels: tuple[_Level, ...]


def _tokens(sentences: pa.Array, column: str) -> tuple[_Offsets, _Integers, list[str]]:
    """Row offsets, token ids, and the distinct tokens."""
    lengths = pc.list_value_length(sentences).fill_null(0).to_numpy(zero_copy_only=False)
    offsets = np.zeros(len(sentences) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    values = sentences.flatten()
    if values.null_count:
        missing = int(pc.index(values.is_null(), pa.scalar(True)).as_py())
        row = int(np.searchsorted(offsets, missing, side="right")) - 1
        raise DataError(row, column, "null", "a word is missing")
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    encoded = values.cast(pa.large_string()).dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return (
        offsets,
        encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32),
        encoded.dictionary.to_pylist(),
    )


def _fold_side(sentences: Sentences, column: str, fold: str | Fold | tuple[Fold, ...]) -> _Side:
    """Fold every distinct token once and number types and words by first occurrence."""
    offsets, tokens, distinct = _tokens(to_arrow(sentences, column), column)
    forms = _forms_of(fold)
    words: dict[tuple[int, tuple[str, ...]], int] = {}
    word_of_token = np.fromiter(
        (words.setdefault((_kind(t), forms(t)), len(words)) for t in distinct), np.int32, len(distinct)
    )
    kinds = np.fromiter((kind for kind, _ in words), np.uint8, len(words))
    count = len(next(iter(words))[1]) if words else len(forms("x"))
    levels = []
    for level in range(count):
        types: dict[str, int] = {}
        of_word = np.fromiter((types.setdefault(w[level], len(types)) for _, w in words), np.int32, len(words))
        levels.append(_Level(of_word, list(types)))
    return _Side(offsets, word_of_token[tokens], kinds, tuple(levels))


def _code_points(texts: Sequence[str]) -> tuple[_Offsets, npt.NDArray[np.uint32]]:
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    return offsets, np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)


def _corpus(source: _Side, target: _Side) -> _core.AlignerCorpus:
    rows, other_rows = len(source.offsets) - 1, len(target.offsets) - 1
    if rows != other_rows:
        raise Error(
            f"expected as many target as source sentences, found {rows} source and {other_rows} target sentences"
        )
    corpus = _core.AlignerCorpus(source.offsets, source.words, source.kinds, target.offsets, target.words, target.kinds)
    for left, right in zip(source.levels, target.levels, strict=True):
        corpus.add_level(left.types, *_code_points(left.texts), right.types, *_code_points(right.texts))
    return corpus


# --- The aligner ----------------------------------------------------------------------------------------------------


class Aligner:
    """A fitted word aligner. Make one with `Aligner.fit` or `Aligner.load`.

    Two directional models are trained on each other's agreement: IBM model 1 with a diagonal position prior (Brown et
    al. 1993), then a hidden Markov model over positions (Vogel, Ney, Tillmann 1996), with the product of both
    directions' posteriors as expected links (Liang, Taskar, Klein 2006). Words are emitted by a mixture over levels of
    folding, so that rare and inflected words borrow from their relatives. In training every token's own expected
    links are left out of the counts that explain it (after the zero-order collapsed variational inference of Asuncion
    et al. 2009); decoding sharpens the full counts by variational Bayes (Riley, Gildea 2012). The
    string-similarity prior and the folding are ours. With fewer than some dozens of sentence pairs, letters and
    relative positions decide more and counts less.

    Attributes:
        options: what the model was fitted with.
        trained_on: the size of the corpus it was fitted on.
    """

    def __init__(
        self,
        model: _core.AlignerModel,
        options: AlignerOptions,
        trained_on: TrainedOn,
        texts: Sequence[tuple[Sequence[str], Sequence[str]]],
    ) -> None:
        """Use `Aligner.fit` or `Aligner.load`. `texts`: by level, the folded forms of source and target types."""
        self.options = options
        self.trained_on = trained_on
        self._model = model
        self._texts = [(list(source), list(target)) for source, target in texts]
        self._ids = [tuple({text: i for i, text in enumerate(side)} for side in level) for level in self._texts]

    @classmethod
    def fit(
        cls,
        source_sentences: Sentences,
        target_sentences: Sentences,
        options: AlignerOptions | None = None,
        *,
        threads: int = 0,
        progress: Progress | None = None,
        **changes: Any,
    ) -> Aligner:
        """Learn from sentence pairs; any parallel text of the two languages helps.

        Args:
            source_sentences: rows of words: lists of `str`, or an Arrow array of lists of strings (chunked or not;
                a missing row is an empty one).
            target_sentences: as many rows.
            options: default `AlignerOptions()`.
            threads: 0 for one per core. The result does not depend on it.
            progress: called with the stage (`"fit"`), the iterations done, and their total.
            **changes: options by name, in place of those in `options`: `Aligner.fit(s, t, decode="viterbi")`.

        Raises:
            Error: row counts differ; the message has both. An option has no meaning.
            DataError: a row is not a list of words.
        """
        options = _with_changes(options or AlignerOptions(), changes)
        source = _fold_side(source_sentences, SOURCE_TOKENS, options.fold)
        target = _fold_side(target_sentences, TOKENS, options.fold)
        report = None if progress is None else lambda done, total: progress("fit", done, total)
        model = _core.fit_aligner(
            _corpus(source, target), _core_options(options), threads=_threads(threads), progress=report
        )
        trained_on = TrainedOn(len(source.offsets) - 1, len(source.words), len(target.words), __version__)
        texts = [(a.texts, b.texts) for a, b in zip(source.levels, target.levels, strict=True)]
        return cls(model, options, trained_on, texts)

    def align(
        self, source_sentences: Sentences, target_sentences: Sentences, *, threads: int = 0, **changes: Any
    ) -> pa.ListArray:
        """Link the words of sentence pairs, those that were fitted or others.

        Args:
            source_sentences: rows of words, as for `fit`.
            target_sentences: as many rows.
            threads: 0 for one per core. The result does not depend on it.
            **changes: `decode`, `threshold`, `least_association` or `symmetrization` in place of those the model was
                fitted with.

        Returns:
            For each row a list of structs `source` and `target` (int32, word indices from 0) and `score` (float32 in
            [0, 1]: mean of the two directions' posterior probabilities), sorted by source, then target.

        Raises:
            Error: row counts differ; the message has both. An option has no meaning here.
            DataError: a row is not a list of words.
        """
        return self._align(source_sentences, target_sentences, threads, changes)[0]

    def align_batch(
        self, source_sentences: Sentences, target_sentences: Sentences, *, threads: int = 0, **changes: Any
    ) -> pa.RecordBatch:
        """As `align`, with a word on each row.

        Returns:
            A batch with the columns `links` and `status`, the latter one of `STATUSES`.
        """
        links, source, target = self._align(source_sentences, target_sentences, threads, changes)
        codes = np.zeros(len(links), np.int32)
        codes[np.diff(links.offsets.to_numpy()) == 0] = STATUSES.index("no_links")
        codes[np.diff(target.offsets) == 0] = STATUSES.index("empty_target")
        codes[np.diff(source.offsets) == 0] = STATUSES.index("empty_source")
        status = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(STATUSES))
        return pa.record_batch([links, status], names=[LINKS, STATUS])

    def _align(
        self,
        source_sentences: Sentences,
        target_sentences: Sentences,
        threads: int,
        changes: Mapping[str, Any],
    ) -> tuple[pa.ListArray, _Side, _Side]:
        for name in changes:
            if name not in _DECODING:
                raise OptionError(f"{name}: not an option of align; expected one of {', '.join(_DECODING)}")
        options = _with_changes(self.options, changes)
        source = _fold_side(source_sentences, SOURCE_TOKENS, options.fold)
        target = _fold_side(target_sentences, TOKENS, options.fold)
        corpus = _corpus(source, target)
        maps = [
            (_recall(source_ids, source_level.texts), _recall(target_ids, target_level.texts))
            for (source_ids, target_ids), source_level, target_level in zip(
                self._ids, source.levels, target.levels, strict=True
            )
        ]
        if options.decode == "posterior":
            columns = _core.align_posterior(
                self._model,
                corpus,
                maps,
                threshold=options.threshold,
                least_association=options.least_association,
                threads=_threads(threads),
            )
        else:
            method = SYMMETRIZATIONS[options.symmetrization]
            columns = _core.align_viterbi(self._model, corpus, maps, method=method, threads=_threads(threads))
        offsets, *values = columns
        if offsets[-1] > np.iinfo(np.int32).max:
            raise Error(f"{offsets[-1]} links are too many for one Arrow list array: align fewer rows at a time")
        fields = list(LINKS_TYPE.value_type)
        structs = pa.StructArray.from_arrays([pa.array(v) for v in values], fields=fields)
        links = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), structs)
        return links.cast(LINKS_TYPE), source, target

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one safetensors file. The same model gives the same bytes.

        Raises:
            OSError: the file cannot be written.
        """
        from safetensors.numpy import save

        tensors: dict[str, npt.NDArray[Any]] = dict(self._model.arrays())
        for level, sides in enumerate(self._texts):
            for side, texts in zip(("source", "target"), sides, strict=True):
                encoded = [text.encode() for text in texts]
                offsets = np.zeros(len(texts) + 1, np.int64)
                np.cumsum([len(text) for text in encoded], out=offsets[1:])
                tensors[f"levels.{level}.{side}_text_offsets"] = offsets
                tensors[f"levels.{level}.{side}_text"] = np.frombuffer(b"".join(encoded), np.uint8)
        options = {
            f.name: getattr(self.options, f.name) for f in dataclasses.fields(AlignerOptions) if f.name != "fold"
        }
        fold = self.options.fold if isinstance(self.options.fold, str) else None
        header = {
            "format": _FORMAT,
            "version": _FORMAT_VERSION,
            "levels": len(self._texts),
            "fitted_pairs": self._model.sentence_pairs,
            "fold": fold,
            "options": options,
            "trained_on": dataclasses.asdict(self.trained_on),
        }
        # One entry, because safetensors does not keep the order of several.
        data = save(tensors, {_FORMAT: json.dumps(header, sort_keys=True)})
        target = Path(path)
        aside = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            aside.write_bytes(data)
            os.replace(aside, target)  # noqa: PTH105 - the atomic one, by its own name
        finally:
            aside.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, fold: Fold | tuple[Fold, ...] | None = None) -> Aligner:
        """Read a model that `save` wrote. It aligns bit for bit like the one that was saved.

        Args:
            path: the file.
            fold: the function(s) the model was fitted with, if it was fitted with functions: they are not in the file.

        Raises:
            FileNotFoundError: there is no such file.
            FormatError: the file is not a model of this aligner, or of a version that is not known here.
            Error: `fold` is missing, or given for a model that does not need it.
        """
        from safetensors import SafetensorError, safe_open

        if not Path(path).is_file():
            raise FileNotFoundError(f"{path}: no such file")
        try:
            with safe_open(path, "numpy") as file:
                header = _read_header(path, file.metadata())
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        except SafetensorError as error:
            raise FormatError(f"{path}: not a safetensors file: {error}") from error
        if (header["fold"] is None) != (fold is not None):
            needs = (
                "was fitted with functions of its user's: pass them as fold"
                if fold is None
                else f"folds by {header['fold']!r}: fold cannot be given"
            )
            raise Error(f"{path}: the model {needs}")
        try:
            options = AlignerOptions(fold=fold if fold is not None else header["fold"], **header["options"])
            texts = [
                (_read_texts(tensors, level, "source"), _read_texts(tensors, level, "target"))
                for level in range(header["levels"])
            ]
            model = _core.AlignerModel.from_arrays(
                _core_options(options), header["levels"], header["fitted_pairs"], tensors
            )
            _check_texts(tensors, texts)
            trained_on = TrainedOn(**header["trained_on"])
        except (Error, KeyError, TypeError, UnicodeDecodeError) as error:
            raise FormatError(f"{path}: a damaged aligner model: {error}") from error
        return cls(model, options, trained_on, texts)

    def __repr__(self) -> str:
        pairs = self.trained_on.sentence_pairs
        return f"Aligner(fitted on {pairs} sentence pair{'' if pairs == 1 else 's'}, fold={self.options.fold!r})"


def _recall(known: Mapping[str, int], texts: Sequence[str]) -> _Integers:
    """The model's number of each text, -1 for those it does not know."""
    return np.fromiter((known.get(text, -1) for text in texts), np.int32, len(texts))


def _with_changes(options: AlignerOptions, changes: Mapping[str, Any]) -> AlignerOptions:
    names = {field.name for field in dataclasses.fields(AlignerOptions)}
    for name in changes:
        if name not in names:
            raise OptionError(f"{name}: no such option; the aligner has {', '.join(sorted(names))}")
    return dataclasses.replace(options, **changes) if changes else options


def _core_options(options: AlignerOptions) -> _core.AlignerOptions:
    result = _core.AlignerOptions()
    for name in _TRAINING:
        setattr(result, name, getattr(options, name))
    return result


def _threads(threads: int) -> int:
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 0:
        raise OptionError(f"threads={threads!r}: expected a whole number of at least 0")
    return threads


def _read_header(path: str | os.PathLike[str], metadata: Mapping[str, str] | None) -> dict[str, Any]:
    try:
        header: dict[str, Any] = json.loads((metadata or {})[_FORMAT])
        version = header["version"]
    except (KeyError, ValueError, TypeError) as error:
        raise FormatError(f"{path}: a safetensors file, but not an aligner model of xner") from error
    if version != _FORMAT_VERSION:
        raise FormatError(f"{path}: an aligner model of version {version}, this xner reads version {_FORMAT_VERSION}")
    missing = {"levels", "fitted_pairs", "fold", "options", "trained_on"} - header.keys()
    if missing:
        raise FormatError(f"{path}: a damaged aligner model: no {', '.join(sorted(missing))} in its header")
    return header


def _read_texts(tensors: Mapping[str, npt.NDArray[Any]], level: int, side: str) -> list[str]:
    data = tensors[f"levels.{level}.{side}_text"].tobytes()
    offsets = tensors[f"levels.{level}.{side}_text_offsets"].tolist()
    return [data[start:end].decode() for start, end in itertools.pairwise(offsets)]


def _check_texts(tensors: Mapping[str, npt.NDArray[Any]], texts: Sequence[tuple[list[str], list[str]]]) -> None:
    for level, sides in enumerate(texts):
        for side, found in zip(("source", "target"), sides, strict=True):
            types = len(tensors[f"levels.{level}.{side}_totals"])
            if len(found) != types:
                raise Error(f"level {level} has {len(found)} {side} texts for {types} types")
