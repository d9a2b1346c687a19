"""A corpus fitted in blocks: what each teaches adds up, and where it is worked on does not matter."""

from __future__ import annotations

import pickle
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xner._core as _core
from xner import schema
from xner.alignment import Aligner, AlignerOptions
from xner.alignment._model_file import core_options
from xner.alignment._pairs import EMPTY
from xner.alignment._vocabulary import Vocabulary
from xner.errors import Error
from xner.io import read_conll, sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from xner.alignment._blocks import Learn, Taught
    from xner.alignment._pairs import Pairs

MEMORY = 250_000  # bytes of a block: makes a dozen of the sample
LEXICON = [("and", "und"), ("afternoon", "Nachmittag"), ("the", "die")]


class Backwards:
    """An engine that works on the last piece first, each in a process of its own as far as anybody can tell."""

    def __init__(self) -> None:
        self.rounds: list[int] = []

    def map(self, stage: Learn, pieces: Iterable[Pairs], *, memory: int | None = None) -> Iterator[Taught]:
        assert memory == MEMORY
        waiting = [*pieces]
        self.rounds.append(len(waiting))
        sent = pickle.dumps(stage)
        made = {at: pickle.dumps(pickle.loads(sent)(waiting[at])) for at in reversed(range(len(waiting)))}
        yield from (pickle.loads(made[at]) for at in range(len(waiting)))

    def threads(self, wanted: int) -> int:
        return 1


class AtOnce(Backwards):
    """One that works on all pieces at once, and shares everything with them."""

    def map(self, stage: Learn, pieces: Iterable[Pairs], *, memory: int | None = None) -> Iterator[Taught]:
        with ThreadPoolExecutor(4) as workers:
            yield from workers.map(stage, [*pieces])


@pytest.fixture(scope="module")
def batches() -> list[pa.RecordBatch]:
    sides = [read_conll(sample.path(language))["tokens"].combine_chunks() for language in ("en", "de")]
    table = pa.table(dict(zip((schema.SOURCE_TOKENS, schema.TOKENS), sides, strict=True)))
    return table.to_batches(max_chunksize=20)


@pytest.mark.parametrize("engine", [Backwards, AtOnce])
@pytest.mark.parametrize("lexicon", [None, LEXICON, [(other, word) for word, other in LEXICON]])
def test_where_blocks_are_worked_on_does_not_matter(
    batches: list[pa.RecordBatch], engine: Callable[[], Backwards], lexicon: Any, caplog: pytest.LogCaptureFixture
) -> None:
    how: Any = {"max_memory": MEMORY, "lexicon": lexicon}
    here = Aligner.fit_batches(batches, **how)
    used = engine()
    there = Aligner.fit_batches(batches, **how, engine=used)
    assert here.trained_on.blocks > 7
    assert there.signature == here.signature
    assert there._content == here._content
    if lexicon is not None:
        assert here.trained_on.lexicon[1] > 0
        assert caplog.text.count("turned round") == 2 * (lexicon is not LEXICON)
    if isinstance(used, Backwards) and used.rounds:
        assert used.rounds[:4] == [1, 1, 2, 4]
        assert sum(used.rounds) == here.trained_on.blocks


def test_progress_does_not_go_back_and_ends(batches: list[pa.RecordBatch]) -> None:
    for engine in (None, AtOnce()):
        seen: list[tuple[int, int]] = []
        Aligner.fit_batches(
            batches,
            max_memory=MEMORY,
            engine=engine,
            progress=lambda what, done, total, seen=seen: seen.append((done, total)),
        )
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)
        assert all(done <= total for done, total in seen)
        assert seen[-1][0] == seen[-1][1]


def test_a_block_that_fails_says_so(batches: list[pa.RecordBatch]) -> None:
    bad = pa.record_batch({schema.SOURCE_TOKENS: [["a"]], schema.TOKENS: [["b", None]]})
    for engine in (None, Backwards()):
        with pytest.raises(Error, match=r"row 170.*a word is missing"):
            Aligner.fit_batches([*batches, bad], max_memory=MEMORY, engine=engine)


Dense = dict[Any, float]


def plainly(arrays: dict[str, Any], vocabulary: Vocabulary) -> dict[str, Dense]:
    """Statistics by the texts of types, which other numberings share."""
    found: dict[str, Dense] = {}
    for level in range(vocabulary.sides[0].levels):
        sources, targets = (side.forms(level, 0) for side in vocabulary.sides)
        of_level = {name.rsplit(".", 1)[1]: values for name, values in arrays.items() if f"levels.{level}." in name}
        rows = np.repeat(np.arange(len(of_level["offsets"]) - 1), np.diff(of_level["offsets"]))
        keys = [(sources[row], targets[at]) for row, at in zip(rows, of_level["targets"], strict=True)]
        for name in ("counts", "pseudo"):
            found[f"{level} {name}"] = dict(zip(keys, map(float, of_level[name]), strict=False))
        for side, texts in (("source", sources), ("target", targets)):
            for name in ("links", "pseudo", "tokens", "met"):
                found[f"{level} {side} {name}"] = dict(zip(texts, of_level[f"{side}_{name}"], strict=False))
    last = vocabulary.sides[0].levels - 1
    for side, numbering in zip(("source", "target"), vocabulary.sides, strict=True):
        found[f"{side} null"] = dict(zip(numbering.forms(last, 0), arrays[f"{side}_null"], strict=False))
        found[f"{side} jumps"] = dict(enumerate(arrays[f"{side}_jumps"]))
    return found


def added_plainly(levels: int, parts: list[dict[str, Dense]]) -> dict[str, Dense]:
    """What several blocks teach, by the rules in the README of the aligner."""
    sums: dict[str, Dense] = defaultdict(lambda: defaultdict(float))
    for part in parts:
        for level in range(levels):
            for pair, pseudo in part[f"{level} pseudo"].items():
                if pair not in sums[f"{level} counts"]:
                    sums[f"{level} source pseudo"][pair[0]] += pseudo
                    sums[f"{level} target pseudo"][pair[1]] += pseudo
        for name, values in part.items():
            for key, value in values.items():
                if name.endswith(" met"):
                    sums[name][key] = 1 - (1 - sums[name][key]) * (1 - value)
                elif name.count(" ") != 1 or not name.endswith("pseudo"):
                    sums[name][key] += value
    return sums


WORDS = st.sampled_from(["a", "b", "abc", "abd", "abcdefghi", "abcdefghj", "Abc", "7", "-"])
SENTENCES = st.lists(st.lists(WORDS, min_size=1, max_size=5), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.tuples(SENTENCES, SENTENCES),
    blocks=st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=3),
    fold=st.sampled_from(["none", "prefix"]),
)
def test_adding_up_agrees_with_the_reference(
    seed: tuple[list[list[str]], list[list[str]]],
    blocks: list[tuple[list[list[str]], list[list[str]]]],
    fold: str,
) -> None:
    options = AlignerOptions(fold=fold)
    past, known = _core.AlignerStatistics(), Vocabulary(options, None)
    sums, vocabulary, parts = past, known, []
    for blocks_of_round in ([seed], blocks):
        past, known = sums, vocabulary
        sums, vocabulary = sums.copy(), vocabulary.copy()
        for block in blocks_of_round:
            rows = min(map(len, block))
            sides = [pa.array(side[:rows], pa.list_(pa.string())) for side in block]
            own = known.copy()
            corpus = own.corpus(*own.number((sides[0], sides[1])))
            taught = past.fit(corpus, core_options(options), threads=1, progress=None)
            parts.append(plainly(taught.arrays(), own))
            news = [side.since(before) for side, before in zip(own.sides, known.sides, strict=True)]
            source, target = (side.take_in(new) for side, new in zip(vocabulary.sides, news, strict=True))
            sums.add(
                taught,
                source_words=source.words,
                target_words=target.words,
                types=[*zip(source.types, target.types, strict=True)],
                most_entries=10**6,
            )
    arrays = sums.arrays()
    for level in range(vocabulary.sides[0].levels):
        arrays[f"levels.{level}.pseudo"] = np.zeros(0)
    found = plainly(arrays, vocabulary)
    expected = added_plainly(vocabulary.sides[0].levels, parts)
    for name, values in found.items():
        if name.count(" ") == 1 and name.endswith("pseudo"):
            continue
        assert values == pytest.approx({key: expected[name][key] for key in values}, rel=1e-6, abs=1e-9), name
        assert all(value == pytest.approx(0) for key, value in expected[name].items() if key not in values), name


def test_statistics_that_are_none() -> None:
    vocabulary = Vocabulary(AlignerOptions(), None)
    corpus = vocabulary.corpus(*vocabulary.number((pa.array([["a"]]), pa.array([["b"]]))))
    options = core_options(AlignerOptions())
    taught = _core.AlignerStatistics().fit(corpus, options, threads=1, progress=None)
    again = _core.AlignerStatistics(taught.numbers(), taught.arrays())
    assert again.numbers() == taught.numbers()
    assert all((one == taught.arrays()[name]).all() for name, one in again.arrays().items())
    none, wrong = np.zeros(0, np.int32), np.array([5, 5], np.int32)
    sums = _core.AlignerStatistics()
    for words, types in ((wrong, []), (none, [(wrong, wrong)])):
        with pytest.raises(Error, match="numbers"):
            sums.add(taught, source_words=words, target_words=none, types=types, most_entries=10)
    with pytest.raises(Error, match="themselves"):
        taught.add(taught, source_words=none, target_words=none, types=[], most_entries=10)
    empty = Vocabulary(AlignerOptions(), None)
    without = empty.corpus(*empty.number(EMPTY))
    with pytest.raises(Error, match="lacks words or types"):
        taught.fit(without, options, threads=1, progress=None)
    arrays = taught.arrays()
    arrays["levels.0.counts"] = -arrays["levels.0.counts"]
    with pytest.raises(Error, match="not below 0"):
        _core.AlignerStatistics(taught.numbers(), arrays)
    with pytest.raises(Error, match="is missing"):
        _core.AlignerStatistics(taught.numbers(), {})
