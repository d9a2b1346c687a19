"""How an encoder works its way through a corpus of sentence pairs: in chunks, on one device or several.

Each distinct sentence is encoded once; while a device encodes, one thread splits the sentences of the next chunk into
pieces and another has the core extract links from the similarities that are there.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pyarrow as pa

from xner._support.arrow import to_array
from xner.alignment.links.extraction import extract_batch
from xner.errors import DataError, Error
from xner.schema import LINKS_TYPE, SOURCE_TOKENS, TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt
    import torch

    from xner.models.aligners.options import EncoderAlignerOptions
    from xner.models.network.encoder import Encoder
    from xner.models.network.pieces import Pieces

__all__ = ["STATUSES", "Corpus", "Outcome", "align_corpus"]

STATUSES: Final = ("ok", "windowed", "words_skipped", "empty_source", "empty_target", "no_pieces", "no_links")
"""What `EncoderAligner.align_batch` says about a row; the last that holds.

`windowed`: aligned, but a side was longer than the encoder takes and was encoded in overlapping windows.
`words_skipped`: aligned, but the tokenizer makes nothing of some words (zero-width characters, blanks), which have no
links. `no_pieces`: that is so for all words of a side. `no_links`: nothing passed the threshold.
"""

# Words of new sentences that are encoded before their pairs are compared: bounds the memory for embeddings.
_CHUNK_WORDS = 50_000
# Word pieces of sentences that come back in a later chunk whose embeddings are kept for it.
_KEPT_PIECES = 100_000
# Cells of padded similarity matrices that are computed at once.
_SIMILARITY_CELLS = 4_000_000
# Blocks of similarity matrices that may wait for extraction.
_WAITING_BLOCKS = 4


@dataclass(slots=True)
class Corpus:
    """Sentence pairs without repetitions, in chunks.

    Attributes:
        texts: the distinct sentences; those of different languages differ even where their words do not.
        languages: of each, the mark that it gets.
        pairs: distinct pairs of sentences, as indices into `texts`, the longest first.
        pair_of_row: for each row its pair.
        chunks: bounds of runs of pairs that are worked on together.
        last_use: for each sentence the last chunk that needs it.
    """

    texts: list[tuple[str, ...]]
    languages: list[str | None]
    pairs: list[tuple[int, int]]
    pair_of_row: npt.NDArray[np.int64]
    chunks: list[tuple[int, int]]
    last_use: list[int]

    @classmethod
    def of(cls, source: pa.Array[Any], target: pa.Array[Any], languages: tuple[str | None, str | None]) -> Corpus:
        """Collect the distinct pairs of two sides and divide the work.

        Args:
            source: the source sentences, lists of strings; a missing one is empty.
            target: as many target sentences.
            languages: the marks that the sentences of either side get, None for none.

        Raises:
            DataError: a word is missing.
        """
        numbers: dict[tuple[str | None, tuple[str, ...]], int] = {}
        sides = []
        for column, sentences, language in zip((SOURCE_TOKENS, TOKENS), (source, target), languages, strict=True):
            side = []
            for row, words in enumerate(sentences.to_pylist()):
                if words and None in words:
                    raise DataError(row, column, "null", "a word is missing")
                side.append(numbers.setdefault((language, tuple(words or ())), len(numbers)))
            sides.append(side)
        texts = [words for _, words in numbers]

        found: dict[tuple[int, int], int] = {}
        seen = [found.setdefault(pair, len(found)) for pair in zip(*sides, strict=True)]
        pairs = list(found)
        order = sorted(range(len(pairs)), key=lambda p: -max(len(texts[s]) for s in pairs[p]))
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        corpus = cls(
            texts,
            [language for language, _ in numbers],
            [pairs[p] for p in order],
            rank[np.array(seen, np.int64)],
            [],
            [-1] * len(texts),
        )
        corpus._divide()
        return corpus

    def _divide(self) -> None:
        first = words = 0
        for position, pair in enumerate(self.pairs):
            if words >= _CHUNK_WORDS:
                self.chunks.append((first, position))
                first, words = position, 0
            for sentence in pair:
                if self.last_use[sentence] != len(self.chunks):
                    self.last_use[sentence] = len(self.chunks)
                    words += len(self.texts[sentence])
        if first < len(self.pairs):
            self.chunks.append((first, len(self.pairs)))


@dataclass(slots=True)
class Outcome:
    """What became of the distinct pairs.

    Attributes:
        codes: indices into `STATUSES`.
        lists: arrays of lists of links, with the pairs they belong to.
        note: told how many sentences have been encoded so far.
        encoded: that number.
        lock: held by whoever changes it.
    """

    codes: npt.NDArray[np.int32]
    note: Callable[[int], None]
    lists: list[tuple[Sequence[int], pa.ListArray[Any]]] = field(default_factory=list)
    encoded: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, sentences: int) -> None:
        """So many more sentences have been encoded."""
        with self.lock:
            self.encoded += sentences
            self.note(self.encoded)

    def links(self) -> pa.ListArray[Any]:
        """The links of all pairs, in their order; none for those that were not compared."""
        arrays = [array for _, array in self.lists]
        total = sum(map(len, arrays))
        position = np.full(len(self.codes), total, np.int64)
        position[[pair for pairs, _ in self.lists for pair in pairs]] = np.arange(total)
        none = cast("pa.ListArray[Any]", pa.array([[]], LINKS_TYPE))
        return pa.concat_arrays([*arrays, none]).take(to_array(position))


def align_corpus(
    corpus: Corpus,
    encoders: Sequence[Encoder],
    options: EncoderAlignerOptions,
    *,
    token_budget: int,
    threads: int,
    note: Callable[[int], None],
) -> Outcome:
    """Link the words of all pairs.

    Args:
        corpus: the pairs.
        encoders: one a device.
        options: what is compared, and how links are extracted.
        token_budget: most word pieces in a batch, padding included.
        threads: of the core; 0 for one per core.
        note: told after each batch how many sentences have been encoded so far.

    Raises:
        Error: similarities are not finite numbers.
    """
    outcome = Outcome(np.zeros(len(corpus.pairs), np.int32), note)
    chunks = _Shared(enumerate(corpus.chunks))
    workers = [_Worker(encoder, options, token_budget, corpus, outcome, threads) for encoder in encoders]
    if len(workers) == 1:
        workers[0].run(chunks, keep=True)
        return outcome
    with ThreadPoolExecutor(len(workers)) as pool:
        running = [pool.submit(worker.run, chunks, keep=False) for worker in workers]
        for done in running:
            done.result()
    return outcome


class _Shared:
    """An iterator that several threads take from; empty for all once one of them has failed."""

    def __init__(self, items: Iterator[tuple[int, tuple[int, int]]]) -> None:
        self._items = items
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[tuple[int, tuple[int, int]]]:
        return self

    def __next__(self) -> tuple[int, tuple[int, int]]:
        with self._lock:
            return next(self._items)

    def close(self) -> None:
        with self._lock:
            self._items = iter(())


class _Worker:
    """One device's way through the chunks of a corpus."""

    def __init__(
        self,
        encoder: Encoder,
        options: EncoderAlignerOptions,
        token_budget: int,
        corpus: Corpus,
        outcome: Outcome,
        threads: int,
    ) -> None:
        self._encoder = encoder
        self._options = options
        self._token_budget = token_budget
        self._corpus = corpus
        self._outcome = outcome
        self._threads = threads

    def run(self, chunks: _Shared, *, keep: bool) -> None:
        """Do chunk after chunk.

        Args:
            chunks: their numbers and bounds.
            keep: whether embeddings of sentences that come back are kept: only where the chunks are all of them, so
                that the result does not depend on how they are shared out.
        """
        kept: dict[int, tuple[Pieces, torch.Tensor]] = {}
        extracting: deque[Future[None]] = deque()
        # One thread extracts links, one prepares the chunk after the next, while this one keeps the device at work.
        with ThreadPoolExecutor(1) as extractor, ThreadPoolExecutor(1) as tokenizer:
            try:
                coming = self._prepare_next(chunks, tokenizer)
                while coming is not None:
                    number, bounds, prepared = coming
                    coming = self._prepare_next(chunks, tokenizer)
                    encoded = self._encode(prepared.result(), kept)
                    kept = self._keep(encoded, number) if keep else {}
                    for pairs, matrices in self._compare(bounds, encoded):
                        words = [[encoded[self._corpus.pairs[p][side]][0].words for p in pairs] for side in (0, 1)]
                        extracting.append(extractor.submit(self._extract, pairs, matrices, *words))
                        if len(extracting) > _WAITING_BLOCKS:
                            extracting.popleft().result()
                while extracting:
                    extracting.popleft().result()
            except BaseException:
                chunks.close()
                raise

    def _prepare_next(
        self, chunks: _Shared, pool: ThreadPoolExecutor
    ) -> tuple[int, tuple[int, int], Future[dict[int, Pieces]]] | None:
        coming = next(chunks, None)
        return None if coming is None else (*coming, pool.submit(self._tokenize, coming[1]))

    def _tokenize(self, bounds: tuple[int, int]) -> dict[int, Pieces]:
        """The chunk's sentences in pieces."""
        numbers = list(dict.fromkeys(itertools.chain.from_iterable(self._corpus.pairs[slice(*bounds)])))
        return dict(zip(numbers, self._encoder.tokenizer.pieces([self._corpus.texts[n] for n in numbers]), strict=True))

    def _encode(
        self, chunk: dict[int, Pieces], kept: dict[int, tuple[Pieces, torch.Tensor]]
    ) -> dict[int, tuple[Pieces, torch.Tensor]]:
        """The chunk's sentences with their embeddings."""
        import torch

        result = {number: kept[number] for number in chunk if number in kept}
        for language in dict.fromkeys(self._corpus.languages[number] for number in chunk):
            numbers = [n for n in chunk if n not in kept and self._corpus.languages[n] == language]
            embeddings = self._encoder.embed(
                [chunk[number] for number in numbers],
                language=language,
                token_budget=self._token_budget,
                overlap=self._options.window_overlap,
                progress=self._outcome.count,
            )
            for number, embedding in zip(numbers, embeddings, strict=True):
                cosine = self._options.similarity == "cosine"
                compared = torch.nn.functional.normalize(embedding.float(), dim=-1) if cosine else embedding
                result[number] = chunk[number], compared
        return result

    def _keep(
        self, encoded: dict[int, tuple[Pieces, torch.Tensor]], chunk: int
    ) -> dict[int, tuple[Pieces, torch.Tensor]]:
        """What later chunks need, as far as memory is set aside for it."""
        kept = {}
        room = _KEPT_PIECES
        for number, (pieces, embedding) in encoded.items():
            if self._corpus.last_use[number] > chunk and len(pieces) <= room:
                kept[number] = pieces, embedding.clone()  # apart from the chunk's block of memory
                room -= len(pieces)
        return kept

    def _compare(
        self, bounds: tuple[int, int], encoded: dict[int, tuple[Pieces, torch.Tensor]]
    ) -> Iterator[tuple[list[int], Callable[[], npt.NDArray[np.float32]]]]:
        """Similarity matrices of the chunk's pairs, in padded blocks on their way from the device."""
        comparable = []
        for pair in range(*bounds):
            sides = [encoded[number][0] for number in self._corpus.pairs[pair]]
            words = [len(self._corpus.texts[number]) for number in self._corpus.pairs[pair]]
            status = self._status(sides, words)
            self._outcome.codes[pair] = STATUSES.index(status)
            if all(map(len, sides)):
                comparable.append((len(sides[0]), len(sides[1]), pair))
        comparable.sort(reverse=True)
        while comparable:
            height = comparable[0][0]
            count, width = 0, 0
            for _, columns, _ in comparable:
                width = max(width, columns)
                if count and height * width * (count + 1) > _SIMILARITY_CELLS:
                    break
                count += 1
            pairs = [pair for _, _, pair in comparable[:count]]
            del comparable[:count]
            numbers = [self._corpus.pairs[pair] for pair in pairs]
            yield (
                pairs,
                self._similarities([encoded[s][1] for s, _ in numbers], [encoded[t][1] for _, t in numbers]),
            )

    def _status(self, sides: Sequence[Pieces], words: Sequence[int]) -> str:
        if 0 in words:
            return "empty_source" if words[0] == 0 else "empty_target"
        if not all(map(len, sides)):
            return "no_pieces"
        if any(len(np.unique(side.words)) < count for side, count in zip(sides, words, strict=True)):
            return "words_skipped"
        return "windowed" if any(len(side) > self._encoder.capacity for side in sides) else "ok"

    def _similarities(
        self, source: Sequence[torch.Tensor], target: Sequence[torch.Tensor]
    ) -> Callable[[], npt.NDArray[np.float32]]:
        """Start computing a padded block of similarity matrices; the result waits for it."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        rows, columns = (pad_sequence(list(side), batch_first=True).float() for side in (source, target))
        block = torch.bmm(rows, columns.transpose(1, 2))
        if self._options.similarity == "cosine":
            block = (block + 1) / 2
        if block.device.type != "cuda":
            return lambda: block.cpu().numpy()
        host = torch.empty(block.shape, dtype=block.dtype, pin_memory=True)
        host.copy_(block, non_blocking=True)
        arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]  # torch has no types for it
        arrived.record()

        def wait() -> npt.NDArray[np.float32]:
            arrived.synchronize()
            result: npt.NDArray[np.float32] = host.numpy()
            return result

        return wait

    def _extract(
        self,
        pairs: Sequence[int],
        matrices: Callable[[], npt.NDArray[np.float32]],
        source_words: Sequence[npt.NDArray[np.int32]],
        target_words: Sequence[npt.NDArray[np.int32]],
    ) -> None:
        block = matrices()
        if not math.isfinite(float(block.sum())):
            raise Error(
                f"the encoder '{self._encoder.name}' gave similarities that are not finite numbers; "
                "a wider dtype (float32, or bfloat16 in place of float16) helps"
            )
        links = extract_batch(
            block,
            self._options.extraction,
            source_lengths=[len(words) for words in source_words],
            target_lengths=[len(words) for words in target_words],
            source_words=source_words,
            target_words=target_words,
            threads=self._threads,
            **self._options.extraction_options,
        )
        with self._outcome.lock:
            self._outcome.lists.append((pairs, links))
