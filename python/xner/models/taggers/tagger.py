"""Tagging: what a token-classification model makes of sentences that are split into words.

    tagger = Tagger.load("FacebookAI/xlm-roberta-large-finetuned-conll03-english", classes={"MISC": "O"})
    for tagged in tagger.tag([["Angela", "Merkel", "visited", "Madrid", "."]]):
        print(tagged.labels, tagged.status)

It labels source sentences, gives target spans to choose from, scores them, or labels target sentences itself
(`TaggerStage`).
"""

from __future__ import annotations

import itertools
import json
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from xner import labels as word_labels
from xner import schema
from xner._support.arguments import choose, whole_number
from xner._support.arrow import list_lengths, pylist, to_array, with_columns
from xner._support.progress import Reporter, silent
from xner._support.sentences import Sentences, to_arrow, word_lists
from xner._support.stages import identity_of, run_stage, status_column
from xner._version import __version__
from xner.errors import Error, OptionError
from xner.models.network.device import Dtype, dtype_name, import_torch, resolve_devices, resolve_dtype
from xner.models.network.loading import Reloaded, load_config, load_weights, model_identity
from xner.models.network.piece_network import PieceNetwork
from xner.models.network.pieces import PieceTokenizer
from xner.models.taggers.tag_schemes import TagScheme, TagSet, best_iob2_path, read_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import torch

    from xner._support.arrow import Rows
    from xner.models.network.pieces import Pieces

__all__ = [
    "DECODINGS",
    "ROLES",
    "STATUSES",
    "WORDS",
    "Role",
    "Tagged",
    "TaggedBatch",
    "Tagger",
    "TaggerStage",
    "WordTagger",
]

Floats = npt.NDArray[np.float32]
Words = Literal["first", "mean", "max"]
Decoding = Literal["argmax", "viterbi"]
Role = Literal["labels", "source", "candidates", "scores"]

WORDS: Final = ("first", "mean", "max")
DECODINGS: Final = ("argmax", "viterbi")
ROLES: Final[Mapping[str, str]] = {
    "labels": schema.LABELS,
    "source": schema.SOURCE_ENTITIES,
    "candidates": schema.CANDIDATES,
    "scores": schema.NER_PROBABILITIES,
}
"""What a tagger is for, and the column that it makes."""

STATUSES: Final = {
    "ok": "nothing is wrong",
    "empty": "there are no words",
    "words_without_pieces": "the tokenizer drops all characters of some words, which are O",
}
"""What can be said of a tagged sentence."""

_OK, _EMPTY, _WITHOUT_PIECES = range(3)

_WHAT = "the tagger"
_KIND = "token-classification model"
# On processors larger batches gain nothing, and their padding costs.
_TOKEN_BUDGETS = {"cuda": 32_768, "mps": 8_192, "cpu": 512}
_CHUNK = 2048  # sentences whose batches are made together, by one device


class Tagged(NamedTuple):
    """What a tagger makes of a sentence.

    Attributes:
        labels: valid IOB2, one a word.
        probabilities: float32, words × the tagger's `label_names`; each row sums to 1.
        status: a key of `STATUSES`.
    """

    labels: list[str]
    probabilities: Floats
    status: str


@dataclass(frozen=True, slots=True, eq=False)
class TaggedBatch:
    """What a tagger makes of sentences, as columns.

    Attributes:
        labels: list<string>, valid IOB2, one a word.
        entities: as `schema.SOURCE_ENTITIES_TYPE`: what the labels spell.
        probabilities: float32, words × label names, sentence after sentence.
        lengths: words of each sentence.
        status: keys of `STATUSES`, as `schema.STATUS_TYPE`.
    """

    labels: pa.Array[Any]
    entities: pa.ListArray[Any]
    probabilities: Floats
    lengths: npt.NDArray[np.int64]
    status: pa.Array[Any]

    @property
    def ner_probabilities(self) -> pa.Array[Any]:
        """The probabilities, as `schema.NER_PROBABILITIES_TYPE`."""
        words, names = self.probabilities.shape
        rows = pa.ListArray.from_arrays(
            pa.array(np.arange(words + 1) * names, pa.int32()), pa.array(self.probabilities.ravel())
        )
        return pa.ListArray.from_arrays(pa.array(_offsets(self.lengths), pa.int32()), rows)

    @property
    def candidates(self) -> pa.Array[Any]:
        """The spans of the entities, as `schema.CANDIDATES_TYPE`."""
        entities = self.entities
        bounds = [pc.struct_field(entities.values, name) for name in ("start", "end")]
        spans = pa.StructArray.from_arrays(bounds, fields=list(schema.CANDIDATES_TYPE.value_type))
        return pa.ListArray.from_arrays(entities.offsets, spans)


class Tagger(Reloaded):
    """Labels the words of sentences by a token-classification model. Make one with `Tagger.load`.

    A word's distribution over the model's labels comes from its pieces. What becomes the same label by renaming its
    class is added up, so that labels and probabilities know the new classes alone; then it is brought to IOB2
    labels as `TagSet.to_iob2` says.

    With `argmax` each word gets its most probable tag in the model's own scheme; the entities that these
    spell, read leniently (`xner.labels.decode`), are written as valid IOB2. With `viterbi` the labels are the
    most probable valid sequence by the IOB2 distributions.

    Both can say something else than the most probable IOB2 label of a single word: an I-X after O is a B-X to `argmax`,
    and no way to go for `viterbi`; and tags that are one label in IOB2, B-X and S-X for instance, are two for `argmax`.

    Attributes:
        name: of the model, or its folder.
        label_names: `O`, then `B-X` and `I-X` for each class.
        classes: of entities, renamed ones under their new names.
        scheme: of the model's labels: `IOB1`, `IOB2`, `BIOES` or `plain`.
    """

    def __init__(
        self,
        model: str,
        tags: TagSet,
        *,
        device: str | Sequence[str],
        dtype: Dtype,
        words: Words,
        decoding: Decoding,
        classes: Mapping[str, str],
        token_budget: int | None,
        overlap: int,
        compile: bool,
    ) -> None:
        """Use `Tagger.load`, whose arguments these are. `tags`: what the model's labels mean."""
        self.name = model
        self.label_names = tags.label_names
        self.classes = tags.classes
        self.scheme = tags.scheme
        self._tags = tags
        self._device = device
        self._dtype: Dtype = dtype
        self._words = words
        self._decoding = decoding
        self._renamed = dict(classes)
        self._token_budget = token_budget
        self._overlap = overlap
        self._compile = compile

    @classmethod
    def load(
        cls,
        model: str,
        *,
        device: str | Sequence[str] = "auto",
        dtype: Dtype = "auto",
        words: Words = "first",
        decoding: Decoding = "argmax",
        scheme: TagScheme = "auto",
        classes: Mapping[str, str] | None = None,
        token_budget: int | None = None,
        overlap: int = 128,
        compile: bool = False,
        lazily: bool = False,
    ) -> Tagger:
        """Load a token-classification model.

        Args:
            model: name on the Hugging Face hub, or folder. Weights come from safetensors files; code that comes with a
                model is not run.
            device: `auto` (all CUDA devices, else Apple's MPS, else the processor), a name (`cuda:1`), or several.
            dtype: precision of the model; `auto` is half precision on CUDA devices, float32 elsewhere. Distributions
                are computed in float32 in any case.
            words: a word's distribution is that of its `first` piece, the `mean` of its pieces', or (`max`) that of
                the piece that is surest of its most probable label.
            decoding: `argmax`, or `viterbi`.
            scheme: of the model's labels; `auto` tells it from their names (see `tag_schemes.read_tags`).
            classes: new names of classes, by the model's: `{"PERSON": "PER", "MISC": "O"}`. Others keep theirs.
            token_budget: most word pieces in a batch, padding included; None goes by the device. A batch that does not
                fit the device's memory is done in halves.
            overlap: word pieces that neighbouring windows of a long sentence share, at least; at most half of
                what the model takes.
            compile: whether to compile the model with `torch.compile`: worth it for long runs.
            lazily: whether the weights and the tokenizer are read when they are needed first, and not before.

        Raises:
            Error: the extra `models` is not installed, an option has no meaning, or the model cannot be used: there is
                none, not for token classification, not in safetensors files, or with labels that cannot be read.
        """
        choose("words", words, dict.fromkeys(WORDS))
        choose("decoding", decoding, dict.fromkeys(DECODINGS))
        whole_number("overlap", overlap, 0)
        if token_budget is not None:
            whole_number("token_budget", token_budget, 1)
        config = load_config(model, kind=_KIND, what=_WHAT)
        tags = read_tags(config.id2label, model, scheme=scheme, classes=classes)
        made = cls(
            model,
            tags,
            device=device,
            dtype=dtype,
            words=words,
            decoding=decoding,
            classes=classes or {},
            token_budget=token_budget,
            overlap=overlap,
            compile=compile,
        )
        if not lazily:
            _ = made._networks
        return made

    @cached_property
    def _networks(self) -> list[PieceNetwork]:
        """One a device, with the same weights."""
        import_torch(_WHAT)
        self._check_sources()
        from xner.models.network._unpadded import torch_network

        networks = []
        for device in self._devices:
            network = _load_network(self.name, resolve_dtype(self._dtype, device, what=_WHAT)).to(device).eval()
            computing = torch_network(network, self._tokenizer, device, output="logits", compile=self._compile)
            networks.append(PieceNetwork(computing, self._tokenizer, kind=_KIND))
        return networks

    @cached_property
    def _tokenizer(self) -> PieceTokenizer:
        return PieceTokenizer.load(self.name, what=_WHAT)

    @cached_property
    def _devices(self) -> list[torch.device]:
        return resolve_devices(self._device, what=_WHAT)

    @property
    def _precision(self) -> Dtype:
        """Of the first device's network, by name."""
        return dtype_name(resolve_dtype(self._dtype, self._devices[0], what=_WHAT))

    @property
    def _sources(self) -> dict[str, str]:
        return {self.name: _WHAT}

    def __getstate__(self) -> dict[str, Any]:
        # In the same precision wherever it is loaded again.
        return super().__getstate__() | {"_dtype": self._precision}

    def __repr__(self) -> str:
        return f"Tagger({self.name!r}, classes={','.join(self.classes)!r})"

    @property
    def signature(self) -> str:
        """One line that tells how sentences were tagged, for tables and papers."""
        renamed = ",".join(f"{old}>{new}" for old, new in self._renamed.items())
        return f"xner:{__version__}|tagger:{self.name}|{self._settings}" + (f"|renamed:{renamed}" if renamed else "")

    @property
    def identity(self) -> str:
        """Tells what decides the output, the weights' content above all, from all others."""
        return f"{model_identity(self.name, what=_WHAT)}|{self._settings}|{json.dumps(self._meaning)}"

    @property
    def _settings(self) -> str:
        return (
            f"scheme:{self.scheme}|classes:{','.join(self.classes)}|words:{self._words}|decoding:{self._decoding}|"
            f"overlap:{self._overlap}|dtype:{self._precision}" + ("|compiled:yes" if self._compile else "")
        )

    @property
    def _meaning(self) -> list[str]:
        """The tag of each of the model's labels that counts."""
        return [self._tags.tags[tag] for tag in self._tags.tag_of]

    def tag(self, sentences: Sequence[Sequence[str]], *, progress: Reporter = silent) -> list[Tagged]:
        """Tag sentences.

        Args:
            sentences: lists of words, which may be empty.
            progress: told `tag`, the sentences done, and their number.

        Returns:
            One result a sentence, in order.

        Raises:
            DataError: something else than a list of words; the message names the row.
            Error: the model's output is not finite.
        """
        found = self.tag_batch(sentences, progress=progress)
        bounds = itertools.pairwise(_offsets(found.lengths).tolist())
        return [
            Tagged(labels, found.probabilities[start:end], status)
            for labels, (start, end), status in zip(pylist(found.labels), bounds, pylist(found.status), strict=True)
        ]

    def tag_batch(
        self,
        sentences: Sentences,
        *,
        column: str = schema.TOKENS,
        progress: Reporter = silent,
    ) -> TaggedBatch:
        """As `tag`, with columns as the result.

        Args:
            sentences: lists of words, or an Arrow array of lists of strings; a missing row is an empty one.
            column: their name in error messages.
            progress: as for `tag`.
        """
        array = to_arrow(sentences, column)
        rows = word_lists(array, column)
        lengths = list_lengths(array)
        found = self._on_all_devices(self._chunks(rows), _counter("tag", len(rows), progress))
        return self._decoded(_WordTags.joined([_WordTags.outside(0, len(self._tags.tags)), *found]), lengths)

    def _chunks(self, sentences: Sequence[Sequence[str]]) -> Iterator[_Chunk]:
        for first in range(0, len(sentences), _CHUNK):
            chunk = sentences[first : first + _CHUNK]
            yield _Chunk(self._tokenizer.pieces(chunk), np.array([len(words) for words in chunk], np.int64))

    def _on_all_devices(self, chunks: Iterable[_Chunk], note: Callable[[int], None]) -> Iterator[_WordTags]:
        if len(self._networks) == 1:
            for chunk in chunks:
                yield self._word_tags(self._networks[0], chunk, note)
            return
        idle: queue.SimpleQueue[PieceNetwork] = queue.SimpleQueue()
        for network in self._networks:
            idle.put(network)

        def run(chunk: _Chunk) -> _WordTags:
            network = idle.get()
            try:
                return self._word_tags(network, chunk, note)
            finally:
                idle.put(network)

        with ThreadPoolExecutor(len(self._networks)) as pool:
            yield from pool.map(run, chunks)

    def _word_tags(self, network: PieceNetwork, chunk: _Chunk, note: Callable[[int], None]) -> _WordTags:
        budget = self._token_budget or _TOKEN_BUDGETS.get(network.device.type, _TOKEN_BUDGETS["cpu"])
        # More overlap would cost more windows than it could be worth.
        overlap = min(self._overlap, network.capacity // 2)
        logits = network.run(chunk.pieces, token_budget=budget, overlap=overlap, progress=note)
        note(sum(not len(one) for one in chunk.pieces))
        first_words = _offsets(chunk.lengths)
        found = _WordTags.outside(int(first_words[-1]), len(self._tags.tags))
        if len(logits):
            owners = np.concatenate(
                [one.words + first for one, first in zip(chunk.pieces, first_words[:-1].tolist(), strict=True)]
            )
            probabilities, words = _word_distributions(self._distributions(logits), owners, self._words)
            found.probabilities[words] = self._tags.of_labels(probabilities)
            found.without_pieces[words] = False
        return found

    def _distributions(self, logits: torch.Tensor) -> Floats:
        """The pieces' distributions over the model's labels that count."""
        import torch

        kept = torch.from_numpy(self._tags.kept).to(logits.device)
        probabilities: Floats = logits.float()[:, kept].softmax(dim=1).cpu().numpy()
        if not np.isfinite(probabilities).all():
            hint = "; dtype='float32' or 'bfloat16' may do" if self._precision == "float16" else ""
            raise Error(f"'{self.name}' gives numbers that are not finite in {self._precision}{hint}")
        return probabilities

    def _decoded(self, words: _WordTags, lengths: npt.NDArray[np.int64]) -> TaggedBatch:
        offsets = _offsets(lengths)
        starts = offsets[:-1][lengths > 0]
        probabilities = self._tags.to_iob2(words.probabilities, starts)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        if self._decoding == "viterbi":
            names, chosen = self.label_names, best_iob2_path(probabilities, starts)
        else:
            names, chosen = self._tags.tags, words.probabilities.argmax(axis=1)
        tags = pa.DictionaryArray.from_arrays(pa.array(chosen, pa.int32()), pa.array(names, pa.string()))
        lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), tags.cast(pa.string()))
        entities = word_labels.decode_batch(lists)
        codes = np.where(lengths == 0, _EMPTY, _OK).astype(np.int32)
        codes[np.repeat(np.arange(len(lengths)), lengths)[words.without_pieces]] = _WITHOUT_PIECES
        return TaggedBatch(
            word_labels.encode_batch(entities, lists),
            entities,
            probabilities,
            lengths,
            pa.DictionaryArray.from_arrays(to_array(codes), pa.array(list(STATUSES))),
        )


class _Chunk(NamedTuple):
    """Sentences whose batches are made together.

    Attributes:
        pieces: of each sentence.
        lengths: of each sentence, in words.
    """

    pieces: list[Pieces]
    lengths: npt.NDArray[np.int64]


class _WordTags(NamedTuple):
    """What the model says of words, in its own terms.

    Attributes:
        probabilities: words × tags.
        without_pieces: whether each word has no pieces.
    """

    probabilities: Floats
    without_pieces: npt.NDArray[np.bool_]

    @classmethod
    def outside(cls, words: int, tags: int) -> _WordTags:
        """Words without pieces, which are O."""
        probabilities = np.zeros((words, tags), np.float32)
        probabilities[:, 0] = 1
        return cls(probabilities, np.ones(words, np.bool_))

    @classmethod
    def joined(cls, parts: Sequence[_WordTags]) -> _WordTags:
        """Words one after the other."""
        probabilities, without_pieces = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return cls(probabilities, without_pieces)


def _load_network(model: str, dtype: torch.dtype) -> Any:
    network, missing = load_weights("AutoModelForTokenClassification", model, kind=_KIND, what=_WHAT, dtype=dtype)
    if missing:
        raise Error(f"'{model}' has not the weights of a {_KIND}: {len(missing)} are missing, {missing[0]} for one")
    return network


def _counter(what: str, total: int, progress: Reporter) -> Callable[[int], None]:
    """Makes reports of how much is done out of reports of how much more is, from several threads."""
    done = 0
    lock = threading.Lock()

    def note(more: int) -> None:
        nonlocal done
        with lock:
            done += more
            progress(what, done, total)

    return note


def _offsets(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)])


def _word_distributions(
    pieces: Floats, owners: npt.NDArray[np.int64], how: Words
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Distributions of words from those of their pieces.

    Args:
        pieces: at least one piece, pieces × labels.
        owners: each piece's word, ascending.
        how: see `Tagger.load`.

    Returns:
        Words × labels, and the words, which are those that have pieces.
    """
    first = np.flatnonzero(np.diff(owners, prepend=-1))
    words = owners[first]
    if how == "first":
        return pieces[first], words
    counts = np.diff(first, append=len(owners))
    if how == "mean":
        return (np.add.reduceat(pieces, first, axis=0) / counts[:, None]).astype(np.float32), words
    confidence = pieces.max(axis=1)
    highest = np.flatnonzero(confidence == np.repeat(np.maximum.reduceat(confidence, first), counts))
    return pieces[highest[np.diff(owners[highest], prepend=-1) > 0]], words


class WordTagger(Protocol):
    """Labels the words of sentences; `TaggerStage` makes a stage of it."""

    @property
    def label_names(self) -> tuple[str, ...]:
        """`O`, then `B-X` and `I-X` for each class."""

    @property
    def signature(self) -> str:
        """One line for tables and papers: the version, the model, and every option."""

    @property
    def identity(self) -> str:
        """Tells what decides the output, the model's content above all, from all others."""

    def tag_batch(
        self, sentences: Sentences, *, column: str = schema.TOKENS, progress: Reporter = silent
    ) -> TaggedBatch:
        """Tag sentences; see `Tagger.tag_batch`."""


class TaggerStage:
    """Adds what a tagger makes of sentences to record batches and tables, for one or several roles at once.

    | role | reads | makes |
    | --- | --- | --- |
    | `labels` | `tokens` | `labels`: model transfer |
    | `source` | `source_tokens`, or `tokens` where there are none | `source_entities`, to be projected |
    | `candidates` | `tokens` | `candidates`: the spans of predicted entities, to project onto |
    | `scores` | `tokens` | `ner_probabilities`, for the scores `ner` and `ner_spans` |

    The model runs once over each column that is read.

    Args:
        tagger: of sentences.
        roles: keys of `ROLES`, at least one.
        float16: whether the probabilities of `scores` are stored in half precision: half the room, off by at most
            0.00025.
    """

    def __init__(self, tagger: WordTagger, roles: Role | Sequence[Role] = "labels", *, float16: bool = False) -> None:
        named = [roles] if isinstance(roles, str) else list(roles)
        if not named:
            raise OptionError("roles=[]: expected at least one")
        for role in named:
            choose("role", role, ROLES)
        self.roles: tuple[Role, ...] = tuple(dict.fromkeys(named))
        self._tagger = tagger
        self._probabilities_type = schema.NER_PROBABILITIES_HALF_TYPE if float16 else schema.NER_PROBABILITIES_TYPE

    @property
    def _stored(self) -> str:
        """The precision in which probabilities are stored, where there are any."""
        return str(self._probabilities_type.value_type.value_type) if "scores" in self.roles else "none"

    @property
    def signature(self) -> str:
        """One line that tells what was made, and how."""
        return f"{self._tagger.signature}|roles:{','.join(self.roles)}|probabilities:{self._stored}"

    @property
    def identity(self) -> str:
        """Tells what decides the output, the weights' content above all, from all others."""
        return identity_of("tagger", self._tagger.identity, sorted(self.roles), self._stored)

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns that the roles read; where there is no source side, the source is `tokens`."""
        return tuple(dict.fromkeys(schema.SOURCE_TOKENS if role == "source" else schema.TOKENS for role in self.roles))

    @property
    def writes(self) -> tuple[str, ...]:
        """The roles' columns, and `status`."""
        return (*(ROLES[role] for role in self.roles), schema.STATUS)

    def __repr__(self) -> str:
        return f"TaggerStage({self._tagger!r}, roles={','.join(self.roles)!r})"

    def __call__(self, rows: Rows, *, progress: Reporter = silent) -> Rows:
        """Add the roles' columns and `status`, in place of those that may be there.

        Args:
            rows: a record batch or table with the columns that the roles read.
            progress: as for `Tagger.tag`.

        Returns:
            The same kind of object. Every row stays where it is. The status is the tagger's where that is not `ok`,
            else one that the batch brings along.

        Raises:
            DataError: a row is not a list of words.
            Error: a column is missing.
        """
        return run_stage(lambda piece: self._tag(piece, progress), rows)

    def _tag(self, batch: pa.RecordBatch, progress: Reporter) -> pa.RecordBatch:
        reads = {role: self._column(role, batch.schema.names) for role in self.roles}
        columns = dict.fromkeys(reads.values())
        schema.require_columns(batch.schema, columns, _WHAT)
        words = schema.conform(batch, columns)
        found = {
            column: self._tagger.tag_batch(words.column(column), column=column, progress=progress) for column in columns
        }
        made = dict(self._made(role, found[column]) for role, column in reads.items())
        status, *others = (tagged.status.cast(pa.string()) for tagged in found.values())
        for other in others:
            status = pc.if_else(pc.equal(status, pa.scalar("ok")), other, status)
        made[schema.STATUS] = status_column(batch, status, STATUSES)
        return with_columns(batch, made)

    @staticmethod
    def _column(role: Role, names: Sequence[str]) -> str:
        return schema.SOURCE_TOKENS if role == "source" and schema.SOURCE_TOKENS in names else schema.TOKENS

    def _made(self, role: Role, tagged: TaggedBatch) -> tuple[str | pa.Field[Any], pa.Array[Any]]:
        """A role's column: its name, or its field where that has more to say, and its values."""
        if role == "scores":
            field = schema.ner_probabilities_field(self._tagger.label_names, self._probabilities_type)
            return field, tagged.ner_probabilities.cast(field.type)
        if role == "candidates":
            return schema.CANDIDATES, tagged.candidates
        return ROLES[role], tagged.labels if role == "labels" else tagged.entities
