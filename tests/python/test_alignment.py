from __future__ import annotations

import dataclasses
import gzip
import itertools
import json
import math
import pickle
import random
import struct
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from reference import alignment as reference
from reference import link_classifier
from reference.lexicon import lexicon_counts
from xner import _core
from xner._support.arrow import pylist
from xner._support.memory import available_memory, memory_size
from xner.alignment import FOLDS, STATUSES, Aligner, AlignerOptions, Lexicon, _model_file
from xner.alignment._folding import Numbering, corpus_of
from xner.alignment._lexicon_counts import LexiconCounts
from xner.alignment._model_file import Fitted, TrainedOn, core_options
from xner.alignment.links import SYMMETRIZATIONS, symmetrize
from xner.errors import DataError, Error, FormatError, OptionError
from xner.schema import LINKS_TYPE, STATUS_TYPE
from xner.text.normalization import normalize

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Corpus = tuple[list[list[str]], list[list[str]]]

ENGLISH = [
    ["the", "house", "is", "small"],
    ["the", "book", "is", "good"],
    ["a", "small", "book", "by", "Anna"],
    ["Anna", "reads", "the", "book", "."],
    ["Peter", "reads", "a", "house", "book", "."],
]
GERMAN = [
    ["das", "Haus", "ist", "klein"],
    ["das", "Buch", "ist", "gut"],
    ["ein", "kleines", "Buch", "von", "Anna"],
    ["Anna", "liest", "das", "Buch", "."],
    ["Peter", "liest", "ein", "Hausbuch", "."],
]


def random_corpus(seed: int, rows: int, longest: int = 9, words: int = 12) -> Corpus:
    """Words of a toy language, translated letter by letter and lightly shuffled."""
    rng = random.Random(seed)
    vocabulary = ["".join(rng.choice("abcdeé") for _ in range(rng.randint(1, 7))) for _ in range(words)]
    vocabulary[: words // 2] = [
        rng.choice([str.capitalize, str.upper, "{}7".format, "({}".format])(w) for w in vocabulary[: words // 2]
    ]
    vocabulary[:2] = [",", "1"]
    source, target = [], []
    for _ in range(rows):
        sentence = [rng.choice(vocabulary) for _ in range(rng.randint(1, longest))]
        translation = [word.replace("b", "x").replace("c", "yy") for word in sentence if rng.random() < 0.9]
        if len(translation) > 2 and rng.random() < 0.5:
            at = rng.randrange(len(translation) - 1)
            translation[at : at + 2] = translation[at + 1 : at - 1 : -1] if at else translation[1::-1]
        source.append(sentence)
        target.append(translation or ["x"])
    return source, target


def pairs(links: pa.ListArray[Any]) -> list[list[tuple[int, int]]]:
    return [[(link["source"], link["target"]) for link in row] for row in pylist(links)]


def training(options: AlignerOptions) -> dict[str, float]:
    values = dataclasses.asdict(options)
    return {name: value for name, value in values.items() if not isinstance(value, (str, tuple, bool))}


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(0, 8),
    fold=st.sampled_from(["none", "prefix", "auto"]),
    ibm1=st.integers(1, 3),
    hmm=st.integers(0, 3),
    clip=st.integers(1, 5),
    threads=st.integers(1, 3),
)
def test_agrees_with_the_reference(
    seed: int, rows: int, fold: str, ibm1: int, hmm: int, clip: int, threads: int
) -> None:
    source, target = random_corpus(seed, rows)
    options = AlignerOptions(
        fold=fold,
        ibm1_iterations=ibm1,
        hmm_iterations=hmm,
        jump_clip=clip,
        threshold=0.0,
        least_association=0.0,
        alpha=0.01,
    )
    slow = reference.Reference(source, target, FOLDS[fold], training(options))
    slow.fit()
    aligner = Aligner.fit(source, target, options, threads=threads)
    unseen = random_corpus(seed + 1, 3)
    for sentences, others in ((source, target), unseen):
        found = score_matrices(aligner, sentences, others, threads=threads, decode="posterior")
        for row, pair in enumerate(zip(sentences, others, strict=True)):
            np.testing.assert_allclose(found[row], slow.scores(*pair), atol=1e-4)


def score_matrices(aligner: Aligner, source: Any, target: Any, **options: Any) -> list[Any]:
    """Of each sentence pair, 0 where there is no link."""
    links = pylist(aligner.align(source, target, **options))
    found = [np.zeros((len(one), len(other))) for one, other in zip(source, target, strict=True)]
    for matrix, row in zip(found, links, strict=True):
        for link in row:
            matrix[link["source"], link["target"]] = link["score"]
    return found


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.integers(0, 12), fold=st.sampled_from(["none", "prefix", "auto"]))
def test_the_classifier_agrees_with_its_reference(seed: int, rows: int, fold: str) -> None:
    source, target = random_corpus(seed, rows)
    options = AlignerOptions(fold=fold, threshold=0.0)
    slow = reference.Reference(source, target, FOLDS[fold], training(options))
    slow.fit()
    aligner = Aligner.fit(source, target, options)
    numbers = _core.link_classifier_weights().astype(np.float64)
    unseen = random_corpus(seed + 1, 3)
    for sentences, others in ((source, target), unseen):
        found = score_matrices(aligner, sentences, others)
        for row, pair in enumerate(zip(sentences, others, strict=True)):
            expected = link_classifier.probabilities(slow, *pair, numbers)
            np.testing.assert_allclose(found[row], expected, atol=2e-3)


def test_sides_that_change_places_have_the_same_links() -> None:
    source, target = random_corpus(7, 40)
    one = score_matrices(Aligner.fit(source, target), source, target, threshold=0.0)
    other = score_matrices(Aligner.fit(target, source), target, source, threshold=0.0)
    for matrix, turned in zip(one, other, strict=True):
        np.testing.assert_allclose(matrix, turned.T, atol=1e-4)


def test_features_are_those_of_the_cells_that_the_classifier_looks_at() -> None:
    aligner = Aligner.fit(ENGLISH, GERMAN)
    call = (aligner._model, *aligner._known((pa.array(ENGLISH), pa.array(GERMAN))))
    nothing = np.zeros(0, np.float32)
    offsets, source, target, values = _core.link_features(*call, first=nothing)
    looked_at = [[*zip(source[a:b], target[a:b], strict=True)] for a, b in itertools.pairwise(offsets)]
    assert looked_at == pairs(aligner.align(ENGLISH, GERMAN, threshold=0.0))
    assert values.size == len(source) * 2 * link_classifier.FEATURES
    again = _core.link_features(*call, first=np.full(len(source), 0.5, np.float32))[3]
    both = link_classifier.FEATURES + link_classifier.SECOND_FEATURES
    assert (again.reshape(-1, both)[:, : link_classifier.FEATURES].ravel() == values).all()
    with pytest.raises(Error, match="probabilities"):
        _core.link_features(*call, first=np.zeros(len(source) - 1, np.float32))


def in_blocks(blocks: list[Corpus], options: AlignerOptions, threads: int, most_entries: int = 10**6) -> Aligner:
    """Fitted block by block, each of which goes on from all before it."""
    numberings = [Numbering(options.fold, romanized=options.romanize) for _ in range(2)]
    sums = _core.AlignerStatistics()
    same: Any = {"source_words": np.zeros(0, np.int32), "target_words": np.zeros(0, np.int32), "types": []}
    for block in blocks:
        sides = [numbering.number(rows, "tokens") for numbering, rows in zip(numberings, block, strict=True)]
        taught = sums.fit(corpus_of(*sides), core_options(options), threads=threads, progress=None)
        sums.add(taught, **same, most_entries=most_entries)
    index = _core.TextIndex.of
    texts = [(index(one.texts), index(other.texts)) for one, other in zip(*(s.levels for s in sides), strict=True)]
    model = sums.model(core_options(options), corpus_of(*sides))
    return Aligner(Fitted(model, options, TrainedOn(0, 0, 0, "", len(blocks)), texts))


@settings(max_examples=15, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 10**6), min_size=2, max_size=3),
    rows=st.integers(1, 6),
    fold=st.sampled_from(["none", "prefix"]),
    ibm1=st.integers(1, 3),
    hmm=st.integers(0, 2),
    threads=st.integers(1, 3),
)
def test_blocks_agree_with_the_reference(
    seeds: list[int], rows: int, fold: str, ibm1: int, hmm: int, threads: int
) -> None:
    options = AlignerOptions(
        fold=fold, ibm1_iterations=ibm1, hmm_iterations=hmm, threshold=0.0, least_association=0.0, alpha=0.01
    )
    blocks = [random_corpus(seed, rows) for seed in seeds]
    slow: reference.Reference | None = None
    for source, target in blocks:
        slow = reference.Reference(source, target, FOLDS[fold], training(options), past=slow)
        slow.fit()
    assert slow is not None
    aligner = in_blocks(blocks, options, threads)
    for sentences, others in (blocks[0], blocks[-1], random_corpus(seeds[0] + 1, 3)):
        found = score_matrices(aligner, sentences, others, threads=threads, decode="posterior")
        for row, pair in enumerate(zip(sentences, others, strict=True)):
            np.testing.assert_allclose(found[row], slow.scores(*pair), atol=1e-4)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 6),
    fold=st.sampled_from(["none", "prefix"]),
    entries=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.floats(0, 2)), max_size=12),
)
def test_lexicons_agree_with_the_reference(
    seed: int, rows: int, fold: str, entries: list[tuple[int, int, float]]
) -> None:
    options = AlignerOptions(fold=fold, threshold=0.0, least_association=0.0, lexicon_weight=2.0)
    source, target = random_corpus(seed, rows)
    words, others = ([*sorted({word for row in side for word in row}), "new"] for side in (source, target))
    lexicon = {(words[i % len(words)], others[j % len(others)]): weight for i, j, weight in entries}
    scaled = {pair: 2.0 * weight for pair, weight in lexicon.items()}
    slow = reference.Reference(source, target, FOLDS[fold], training(options), lexicon=scaled)
    slow.fit()
    aligner = Aligner.fit(source, target, options, lexicon=[(*pair, weight) for pair, weight in lexicon.items()])
    for sentences, translations in ((source, target), random_corpus(seed + 1, 3)):
        found = score_matrices(aligner, sentences, translations, decode="posterior")
        for row, pair in enumerate(zip(sentences, translations, strict=True)):
            np.testing.assert_allclose(found[row], slow.scores(*pair), atol=1e-4)


def test_a_lexicon_decides_where_nothing_else_does(tmp_path: Path) -> None:
    source, target = [["dog", "cat"]] * 3, [["paka", "mbwa"]] * 3
    lexicon = [("dog", "mbwa"), ("cat", "paka", 2.0), ("cow", "ngombe")]
    options = AlignerOptions(lexicon_weight=50.0)
    aligner = Aligner.fit(source, target, options, lexicon=lexicon)
    assert pairs(aligner.align(source, target)) == [[(0, 1), (1, 0)]] * 3
    assert aligner.trained_on.lexicon == (3, 2)
    assert "lexicon 2 of 3" in aligner.signature
    aligner.save(tmp_path / "model")
    loaded = Aligner.load(tmp_path / "model")
    assert loaded.align(source, target).equals(aligner.align(source, target))
    assert loaded.signature == aligner.signature
    # In blocks too
    blocks = Aligner.fit(source * 20, target * 20, options, lexicon=lexicon, max_memory=6000)
    assert blocks.trained_on.blocks > 1
    assert pairs(blocks.align(source, target)) == [[(0, 1), (1, 0)]] * 3
    # Pairs that never met in the corpus
    apart = Aligner.fit([["dog"], ["x"]], [["y"], ["mbwa"]], options=options, lexicon=lexicon, fold="none")
    assert (0, 1) in pairs(apart.align([["dog", "x"]], [["y", "mbwa"]]))[0]


def test_lexicons_of_files(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("# MUSE\ndog\tmbwa\t0.5\n\nin a nut shell\tx\ncat\tpaka\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("cow ngombe\n", encoding="utf-8")
    lexicon = Lexicon.read(tmp_path / "a.tsv", tmp_path / "b.txt")
    assert lexicon.entries == (("dog", "mbwa", 0.5), ("cat", "paka", 1.0), ("cow", "ngombe", 1.0))
    assert lexicon.left_out == 1
    for text, message in (
        ("dog\n", "line 1: 'dog': expected word TAB word"),
        ("a\tb\nc\td\tmuch\n", "line 2: weight 'much': expected a number from 0 on"),
        ("a\tb\t-1\n", "line 1: weight '-1'"),
        ("a\t\n", "line 1: 'a"),
    ):
        (tmp_path / "bad.tsv").write_text(text)
        with pytest.raises(FormatError, match=message):
            Lexicon.read(tmp_path / "bad.tsv")
    (tmp_path / "bad.tsv").write_bytes(b"a\t\xff\n")
    with pytest.raises(FormatError, match="not UTF-8"):
        Lexicon.read(tmp_path / "bad.tsv")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (("a",), r"entry 0 is \('a',\): expected two words"),
        ("ab", "entry 0 is 'ab': expected two words"),
        (("a", ""), "expected two words and a number"),
        (("a", 3), "expected two words and a number"),
        (("a", "b", -1.0), "entry 0 has the weight -1.0"),
        (("a", "b", math.inf), "entry 0 has the weight inf"),
    ],
)
def test_entries_that_are_none(entry: Any, message: str) -> None:
    with pytest.raises(Error, match=message):
        Aligner.fit(ENGLISH, GERMAN, lexicon=[entry])


ARTICLES = {
    "dog": "dog /dɔg/ <n>\n1. mbwa (m), jibwa\n2. mnyama [zoo]. \n",
    "new year": "new year\nmwaka mpya; mwaka\n",
    "Cat": "Cat\npaka, paka\n",
}
IN_ARTICLES = [
    ("dog", "mbwa"),
    ("dog", "jibwa"),
    ("dog", "mnyama"),
    ("new year", "mwaka mpya"),
    ("new year", "mwaka"),
    ("Cat", "paka"),
]


def base64(number: int) -> str:
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return (base64(number // 64) if number >= 64 else "") + digits[number % 64]


def write_dictd(folder: Path, *, packed: bool) -> Path:
    text, index = b"", ["00databaseinfo\tA\tA"]
    for headword, article in ARTICLES.items():
        index.append(f"{headword.lower()}\t{base64(len(text))}\t{base64(len(article.encode()))}")
        text += article.encode()
    (folder / "en-sw.index").write_text("\n".join(index) + "\n", encoding="utf-8")
    (folder / f"en-sw.dict{'.dz' * packed}").write_bytes(gzip.compress(text) if packed else text)
    return folder / "en-sw.index"


def write_stardict(folder: Path, *, packed: bool, types: str = "m", bits: str = "32") -> Path:
    text, index = b"", b""
    for headword, article in ARTICLES.items():
        rest = article.partition("\n")[2].encode()
        content = b"pron\0" * (len(types) - 1) + rest
        index += headword.encode() + b"\0" + struct.pack(">QI" if bits == "64" else ">II", len(text), len(content))
        text += content
    ending = f"sametypesequence={types}\nidxoffsetbits={bits}\n"
    (folder / "en-sw.ifo").write_text("StarDict's dict ifo file\nversion=3.0.0\n" + ending, encoding="utf-8")
    (folder / f"en-sw.idx{'.gz' * packed}").write_bytes(gzip.compress(index) if packed else index)
    (folder / f"en-sw.dict{'.dz' * packed}").write_bytes(gzip.compress(text) if packed else text)
    return folder / f"en-sw.dict{'.dz' * packed}"


@pytest.mark.parametrize("packed", [False, True])
def test_lexicons_of_dictionaries(tmp_path: Path, packed: bool) -> None:
    for number, (write, options) in enumerate(
        [(write_dictd, {}), (write_stardict, {}), (write_stardict, {"types": "tm"}), (write_stardict, {"bits": "64"})]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = Lexicon.read(write(folder, packed=packed, **options))
        assert [entry[:2] for entry in found.entries] == IN_ARTICLES
        assert {entry[2] for entry in found.entries} == {1.0}
        assert found.left_out == 0
        assert set(Lexicon.files(folder / "en-sw.index")) == set(folder.iterdir())
    assert Lexicon.files(tmp_path / "en-sw.tsv") == [tmp_path / "en-sw.tsv"]


EDICT = (
    "　？？？ /EDICT, Electronic Dictionary Files/\n"
    "犬(P);狗 [いぬ;けん] /(n) (1) dog, hound/(2) the spy/EntL1234X/\n"
    "走る [はしる] /(v5r,vi) to run (of a vehicle)/to be in a great hurry/\n"
    "ちち /(n) milk/\n四度 [しど] /\n"
)
CEDICT = "# CC-CEDICT\n歐盟 欧盟 [Ou1 Meng2] /European Union/CL:個|个[ge4]/\r\n牛 牛 [niu2] /ox; cow/\r\n"


@pytest.mark.parametrize("packed", [False, True])
def test_lexicons_with_a_line_for_each_headword(tmp_path: Path, packed: bool) -> None:
    def written(name: str, content: bytes) -> Path:
        path = tmp_path / (name + ".gz" * packed)
        path.write_bytes(gzip.compress(content) if packed else content)
        return path

    japanese = Lexicon.read(written("edict", EDICT.encode("euc_jp")))
    assert Lexicon.read(written("edict2u", EDICT.encode())) == japanese
    pairs = [entry[:2] for entry in japanese.entries]
    assert pairs[:2] == [("　？？？", "EDICT"), ("　？？？", "Electronic Dictionary Files")]
    assert set(pairs[2:-3]) == {
        (head, word) for head in ["犬", "狗", "いぬ", "けん"] for word in ("dog", "hound", "spy")
    }
    assert pairs[-3:] == [("走る", "run"), ("はしる", "run"), ("ちち", "milk")]
    assert japanese.left_out == 2  # "be in a great hurry", of both spellings
    chinese = Lexicon.read(written("cedict.u8", CEDICT.encode()))
    assert [entry[:2] for entry in chinese.entries] == [
        ("歐盟", "European Union"),
        ("欧盟", "European Union"),
        ("牛", "ox"),
        ("牛", "cow"),
    ]
    with pytest.raises(FormatError, match=r"line 22: 'dog mbwa': expected headword \[reading\] /translation/"):
        Lexicon.read(written("bad", ("# x\n" + "牛 牛 [niu2] /ox/\n" * 20 + "dog mbwa\n").encode()))


def test_phrases_of_a_lexicon_share_what_they_count() -> None:
    source, target = random_corpus(5, 30)
    words, others = sorted({*itertools.chain(*source)})[:3], sorted({*itertools.chain(*target)})[:2]
    phrase = [(" ".join(words), " ".join(others), 3.0)]
    single = [(one, other, 3.0 * 0.5 / 6) for one in words for other in others]
    by_phrase, by_word = (Aligner.fit(source, target, lexicon=entries) for entries in (phrase, single))
    assert by_phrase.align(source, target).equals(by_word.align(source, target))
    assert not by_word.align(source, target).equals(Aligner.fit(source, target).align(source, target))
    assert by_phrase.trained_on.lexicon == (1, 1)
    long = Aligner.fit(source, target, lexicon=[("a b c d", others[0])])
    assert long.trained_on.lexicon == (1, 0)


def test_a_lexicon_in_the_other_direction_is_turned_round(caplog: pytest.LogCaptureFixture) -> None:
    source, target = [["dog", "cat"]] * 3, [["paka", "mbwa"]] * 3
    entries = [("dog", "mbwa"), ("cat", "paka"), ("cow", "ngombe")]
    straight = Aligner.fit(source, target, lexicon=entries)
    assert caplog.text == ""
    turned = Aligner.fit(source, target, lexicon=[(other, word) for word, other in entries])
    assert turned.trained_on.lexicon == straight.trained_on.lexicon == (3, 2)
    assert turned.align(source, target).equals(straight.align(source, target))
    assert "it is turned round" in caplog.text


def test_words_without_blanks_are_cut_as_sentences_are() -> None:
    source, target = [["征夷", "大", "将軍"], ["大"], ["将"]], [["seii"], ["taishogun"], ["great"]]
    numberings = Numbering("auto", romanized=False), Numbering("auto", romanized=False)
    side = numberings[0].number(source, "tokens")
    numberings[1].number(target, "tokens")
    for text, expected in (
        ("征夷大将軍", ["征夷", "大", "将軍"]),
        ("大将", ["大", "将"]),
        ("大将軍", ["大", "将軍"]),
        ("将軍", ["将軍"]),
        ("大大大大", None),  # more than three
        ("大坂", None),
        ("大 将軍", ["大", "将軍"]),
        ("unseen", ["unseen"]),
        ("", None),
    ):
        assert numberings[0].words_of(text, 3) == expected, text
    lexicon = Lexicon.of([("征夷大将軍", "taishogun"), ("大坂", "great")])
    levels, hits = LexiconCounts(lexicon.entries, numberings).rows(side, 6.0)
    assert hits == 1
    assert levels[-1][2].tolist() == [1.0] * 3


PHRASES = st.lists(
    st.text("征夷大将軍", min_size=1, max_size=4) | st.sampled_from(["of", "Often", "2nd", "\ud800", "é", "大 of"]),
    min_size=1,
    max_size=4,
).map(" ".join)
SENTENCES = st.lists(
    st.lists(st.text("征夷大将軍", min_size=1, max_size=3) | st.sampled_from(["of", "often", "2nd", "é", "a b"])),
    min_size=1,
    max_size=3,
)


@given(
    entries=st.lists(st.tuples(PHRASES, PHRASES, st.floats(0, 3) | st.integers(0, 2)), max_size=8),
    blocks=st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=3),
    fold=st.sampled_from(["auto", "none"]),
)
def test_lexicons_count_in_blocks_as_anew(
    entries: list[tuple[str, str, float]], blocks: list[tuple[list[list[str]], list[list[str]]]], fold: str
) -> None:
    numberings = Numbering(fold, romanized=False), Numbering(fold, romanized=False)
    counts = LexiconCounts(entries, numberings)
    for source, target in blocks:
        side = numberings[0].number(source, "tokens")
        numberings[1].number(target, "tokens")
        rows, hits = counts.rows(side, 6.0)
        expected, expected_hits = lexicon_counts(entries, numberings, 6.0)
        assert hits == expected_hits
        for (offsets, others, weights), pairs, level in zip(rows, expected, side.levels, strict=True):
            assert len(offsets) == len(level.texts) + 1
            ones = np.repeat(np.arange(len(level.texts)), np.diff(offsets))
            assert list(zip(ones.tolist(), others.tolist(), strict=True)) == sorted(pairs)
            assert weights.tolist() == np.array([pairs[key] for key in sorted(pairs)], np.float32).tolist()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda folder: (folder / "en-sw.dict").unlink(), "en-sw.dict: missing, and en-sw.dict.dz as well"),
        (lambda folder: (folder / "en-sw.dict").write_bytes(b"short"), "ends behind the end of its file"),
        (lambda folder: (folder / "en-sw.dict").write_bytes(b"\xff" * 500), "an article is not UTF-8"),
        (
            lambda folder: (folder / "en-sw.index").write_text("dog\tA\n"),
            "line 1: 'dog.tA': expected headword TAB place",
        ),
        (lambda folder: (folder / "en-sw.index").write_text("dog\tA\t-1\n"), "expected headword TAB place TAB length"),
        (
            lambda folder: (folder / "en-sw.index").unlink(),
            "en-sw.index: missing: a dictionary has its headwords in it",
        ),
        (lambda folder: write_stardict(folder, packed=False, types="W"), r"not W$"),
        (
            lambda folder: write_stardict(folder, packed=False).with_name("en-sw.idx").write_bytes(b"dog\0\0"),
            "en-sw.idx: ends within an entry",
        ),
    ],
)
def test_dictionaries_that_are_damaged(tmp_path: Path, change: Callable[[Path], object], expected: str) -> None:
    write_dictd(tmp_path, packed=False)
    change(tmp_path)
    with pytest.raises(FormatError, match=expected):
        Lexicon.read(tmp_path / "en-sw.dict")


def test_lexicons_that_are_not_sound() -> None:
    corpus = corpus_of(*(Numbering("none", romanized=False).number(side, "tokens") for side in (ENGLISH, GERMAN)))
    rows = np.array([0, 1], np.int64)
    for targets, weights in (([99], [1.0]), ([-1], [1.0]), ([0], [-1.0]), ([0], [math.nan]), ([0], [1.0, 2.0])):
        corpus.set_lexicon(0, rows, np.array(targets, np.int32), np.array(weights, np.float32))
        with pytest.raises(Error, match="lexicon"):
            _core.fit_aligner(corpus, _core.AlignerOptions(), threads=1, progress=None)
    with pytest.raises(Error, match="there is no level 7"):
        corpus.set_lexicon(7, rows, np.zeros(1, np.int32), np.ones(1, np.float32))


def test_one_block_is_the_whole() -> None:
    corpus = random_corpus(3, 40)
    whole = Aligner.fit(*corpus)._model.arrays()
    block = in_blocks([corpus], AlignerOptions(), 1)._model.arrays()
    assert whole.keys() == block.keys()
    for name, values in whole.items():
        if "totals" in name:  # summed in another order
            np.testing.assert_allclose(block[name], values, rtol=1e-6)
        else:
            np.testing.assert_array_equal(block[name], values)


def test_blocks_keep_the_strongest_expected_links() -> None:
    blocks = [random_corpus(seed, 30, words=40) for seed in range(3)]
    full = in_blocks(blocks[:1], AlignerOptions(), 1)._model.arrays()
    kept = in_blocks(blocks[:1], AlignerOptions(), 1, most_entries=60)._model.arrays()
    for level in range(3):
        counts, fewer = (arrays[f"levels.{level}.counts"] for arrays in (full, kept))
        assert 30 < len(fewer) <= 60 < len(counts)
        assert sorted(fewer) == sorted(counts)[-len(fewer) :]
        # What is left out still counts in the sums.
        name = f"levels.{level}.source_totals"
        np.testing.assert_array_equal(kept[name], full[name])
    assert len(in_blocks(blocks, AlignerOptions(), 1, most_entries=60)._model.arrays()["levels.2.counts"]) <= 60


def test_blocks_by_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same blocks whatever the number of threads; of batches whatever their sizes."""
    source, target = random_corpus(5, 300)
    cells = sum(len(s) * len(t) for s, t in zip(source, target, strict=True))
    memory = int(cells * 56 / 0.6 / 3.5)
    fitted = [Aligner.fit(source, target, max_memory=memory, threads=threads) for threads in (1, 3)]
    assert fitted[0].trained_on.blocks == 4
    assert (fitted[0].trained_on.sentence_pairs, fitted[0].trained_on.source_tokens) == (300, sum(map(len, source)))
    assert ",4 blocks" in fitted[0].signature
    fitted[0].save(tmp_path / "one")
    fitted[1].save(tmp_path / "three")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "three").read_bytes()
    assert Aligner.load(tmp_path / "one").trained_on.blocks == 4
    table = pa.table({"source_tokens": source, "tokens": target})
    for rows in (7, 100, 300):
        Aligner.fit_batches(table.to_batches(max_chunksize=rows), max_memory=memory).save(tmp_path / "batches")
        assert (tmp_path / "batches").read_bytes() == (tmp_path / "one").read_bytes()
    Aligner.fit_batches(table.to_batches(max_chunksize=7)).save(tmp_path / "batches")
    Aligner.fit(source, target).save(tmp_path / "whole")
    assert (tmp_path / "batches").read_bytes() == (tmp_path / "whole").read_bytes()
    # Rows are aligned in pieces as they are together.
    together = fitted[0].align(source, target)
    monkeypatch.setattr("xner.alignment.aligner._CELLS_AT_ONCE", 50)
    assert fitted[0].align(source, target).equals(together)


def test_blocks_learn_a_toy_language() -> None:
    source, target = random_corpus(5, 300)
    cells = sum(len(s) * len(t) for s, t in zip(source, target, strict=True))
    whole = pairs(Aligner.fit(source, target).align(source, target))
    seen: list[tuple[int, int]] = []
    aligner = Aligner.fit(
        source,
        target,
        max_memory=int(cells * 56 / 0.6 / 2.5),
        progress=lambda name, done, total: seen.append((done, total)),
    )
    blocks = pairs(aligner.align(source, target))
    assert aligner.trained_on.blocks == 3
    assert seen[0][0] == 0
    assert seen[-1][0] == seen[-1][1] == 7 + 4 + 4
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    shared = sum(len(set(one) & set(other)) for one, other in zip(whole, blocks, strict=True))
    assert 2 * shared / (sum(map(len, whole)) + sum(map(len, blocks))) > 0.97


def test_pairs_that_are_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """They teach nothing, have no links, and change nothing for others."""
    for module in ("_pairs", "aligner"):
        monkeypatch.setattr(f"xner.alignment.{module}.MOST_CELLS", 100)
    aligner = Aligner.fit([*ENGLISH, ["a"] * 11], [*GERMAN, ["b"] * 10])
    assert aligner.trained_on.source_tokens == sum(map(len, ENGLISH))
    expected = Aligner.fit(ENGLISH, GERMAN).align_batch(ENGLISH, GERMAN)
    found = aligner.align_batch([["a"] * 101, *ENGLISH, ["a"] * 10], [["b"], *GERMAN, ["b"] * 10])
    assert found.column("status").to_pylist() == ["too_long", *["ok"] * 5, "ok"]
    assert found.column("links")[0].as_py() == []
    assert found.column("links").slice(1, 5).to_pylist() == expected.column("links").to_pylist()


@pytest.mark.parametrize("size", [0, -1, True, "much", "", "2XB", "GB", "0GB", None.__class__])
def test_sizes_that_are_none(size: Any) -> None:
    with pytest.raises(Error, match=r"max_memory=.*: expected a size like '2GB' or '500MiB', or a number of bytes"):
        Aligner.fit(ENGLISH, GERMAN, max_memory=size)


@pytest.mark.parametrize(
    ("text", "size"), [("2GB", 2 * 10**9), ("1.5 MiB", 1572864), ("3k", 3000), ("7", 7), ("1TB", 10**12), (5, 5)]
)
def test_sizes(text: str | int, size: int) -> None:
    assert memory_size("max_memory", text) == size


def test_memory_that_there_is() -> None:
    assert 10**7 < available_memory() < 10**15


@cache
def fitted_reference(seed: int, **options: Any) -> reference.Reference:
    found = reference.Reference(*random_corpus(seed, 6), FOLDS["auto"], training(AlignerOptions(**options)))
    found.fit()
    return found


@pytest.mark.parametrize("method", SYMMETRIZATIONS)
@pytest.mark.parametrize("seed", range(5))
def test_viterbi_agrees_with_the_reference(seed: int, method: Any) -> None:
    source, target = random_corpus(seed, 6)
    options = AlignerOptions(decode="viterbi", symmetrization=method, jump_clip=3, alpha=0.01)
    slow = fitted_reference(seed, jump_clip=3, alpha=0.01)
    found = pairs(Aligner.fit(source, target, options).align(source, target))
    for row in range(len(source)):
        pair = source[row], target[row]
        forward = [(i, j) for j, i in enumerate(slow.viterbi(*pair, "target")) if i is not None]
        backward = [(i, j) for i, j in enumerate(slow.viterbi(*pair, "source")) if j is not None]
        assert found[row] == symmetrize(forward, backward, method)


def test_learns_a_toy_language() -> None:
    aligner = Aligner.fit(ENGLISH, GERMAN)
    links = pairs(aligner.align(ENGLISH, GERMAN))
    assert links[0] == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert links[3] == [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)]
    assert links[2] == [(i, i) for i in range(5)]


def test_result_has_the_type_of_the_links_column() -> None:
    links = Aligner.fit(ENGLISH, GERMAN).align(ENGLISH, GERMAN)
    assert links.type == LINKS_TYPE
    assert len(links) == len(ENGLISH)
    for row, (source, target) in enumerate(zip(ENGLISH, GERMAN, strict=True)):
        found = [(link["source"], link["target"]) for link in links[row].as_py()]
        assert found == sorted(set(found))
        assert all(0 <= i < len(source) and 0 <= j < len(target) for i, j in found)
        assert all(0.0 <= link["score"] <= 1.0 for link in links[row].as_py())


def highest_expected_f1(row: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The links whose F1 is expected to be highest of all beginnings, in falling order, with three certain ones."""
    falling = sorted((link["score"] for link in row), reverse=True)
    expected = [2 * (3 + sum(falling[:number])) / (6 + number + sum(falling)) for number in range(len(falling) + 1)]
    taken = max(range(len(expected)), key=expected.__getitem__)
    return [link for link in row if taken and link["score"] >= falling[taken - 1]]


def test_with_an_automatic_threshold_links_have_the_highest_expected_f1() -> None:
    aligner = Aligner.fit([], [])
    mixed = [*GERMAN[1:], GERMAN[0]]
    everything = pylist(aligner.align(ENGLISH, mixed, threshold=0.0))
    found = pylist(aligner.align(ENGLISH, mixed, threshold="auto"))
    assert found == [highest_expected_f1(row) for row in everything]
    assert [len(row) for row in found] != [len(row) for row in pylist(aligner.align(ENGLISH, mixed))]
    assert pylist(Aligner.fit([], [], threshold="auto").align(ENGLISH, mixed)) == found


def test_pairs_in_which_nothing_is_likely_have_no_links_with_an_automatic_threshold() -> None:
    aligner = Aligner.fit(ENGLISH * 50, GERMAN * 50)
    strangers = [["house"]], [["gut"]]
    assert 0 < pylist(aligner.align(*strangers, threshold=0.0))[0][0]["score"] < 0.3
    assert pylist(aligner.align(*strangers, threshold="auto")) == [[]]


def test_an_automatic_threshold_goes_with_probabilities_and_is_saved(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="threshold='auto' goes with decode='discriminative'"):
        Aligner.fit(ENGLISH, GERMAN, threshold="auto", decode="posterior")
    aligner = Aligner.fit(ENGLISH, GERMAN, threshold="auto")
    aligner.save(tmp_path / "model")
    assert Aligner.load(tmp_path / "model").options.threshold == "auto"


def test_a_higher_threshold_gives_fewer_links_and_the_same_scores() -> None:
    aligner = Aligner.fit(ENGLISH, GERMAN)
    low, high = (pylist(aligner.align(ENGLISH, GERMAN, threshold=t, least_association=0)) for t in (0.1, 0.5))
    for few, many in zip(high, low, strict=True):
        assert [link for link in many if link["score"] > 0.5] == [link for link in few if link["score"] > 0.5]
        assert all(link in many for link in few)


@pytest.mark.parametrize("decode", ["discriminative", "posterior", "viterbi"])
def test_the_number_of_threads_changes_nothing(decode: str, tmp_path: Path) -> None:
    source, target = random_corpus(1, 300, longest=20, words=80)
    results, files = [], []
    for threads in (1, 2, 3):
        aligner = Aligner.fit(source, target, threads=threads, decode=decode)
        results.append(aligner.align(source, target, threads=threads))
        aligner.save(tmp_path / str(threads))
        files.append((tmp_path / str(threads)).read_bytes())
    assert results[0] == results[1] == results[2]
    assert files[0] == files[1] == files[2]


@pytest.mark.parametrize("fold", FOLDS)
def test_a_loaded_model_aligns_like_the_saved_one(fold: str, tmp_path: Path) -> None:
    source, target = random_corpus(2, 50)
    unseen = [["Zürich", "a"], [], ["東京", "は"]], [["Zurich"], ["b"], ["Tokyo"]]
    aligner = Aligner.fit(source, target, fold=fold, threshold=0.1)
    path = tmp_path / "model.safetensors"
    aligner.save(path)
    loaded = Aligner.load(path)
    assert loaded.align(source, target) == aligner.align(source, target)
    assert loaded.align(*unseen) == aligner.align(*unseen)
    assert loaded.options == aligner.options
    assert loaded.trained_on == aligner.trained_on
    loaded.save(tmp_path / "again.safetensors")
    assert path.read_bytes() == (tmp_path / "again.safetensors").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.safetensors", "model.safetensors"]


def test_a_model_says_what_it_was_trained_on() -> None:
    aligner = Aligner.fit(ENGLISH, GERMAN)
    assert aligner.trained_on.sentence_pairs == 5
    assert aligner.trained_on.source_tokens == sum(map(len, ENGLISH))
    assert aligner.trained_on.target_tokens == sum(map(len, GERMAN))
    assert repr(aligner) == "Aligner(fitted on 5 sentence pairs, fold='auto')"


def test_unseen_words_are_linked_by_their_letters_and_places() -> None:
    aligner = Aligner.fit(ENGLISH, GERMAN)
    links = pairs(aligner.align([["Maria", "reads", "the", "letter", "."]], [["Maria", "liest", "den", "Brief", "."]]))[
        0
    ]
    assert {(0, 0), (1, 1), (4, 4)} <= set(links)


def test_functions_fold_words_and_are_asked_for_when_loading(tmp_path: Path) -> None:
    def stem(token: str) -> str:
        return token.lower().rstrip("s") or token

    aligner = Aligner.fit([["Cats", "sleep"]], [["cat", "sleeps"]], fold=stem)
    assert pairs(aligner.align([["Cats", "sleep"]], [["cat", "sleeps"]])) == [[(0, 0), (1, 1)]]
    aligner.save(tmp_path / "model")
    with pytest.raises(Error, match=r"model: the model was fitted with functions of its user's: pass them as fold"):
        Aligner.load(tmp_path / "model")
    loaded = Aligner.load(tmp_path / "model", fold=stem)
    assert loaded.align([["cats"]], [["cat"]]) == aligner.align([["cats"]], [["cat"]])
    named = Aligner.fit(ENGLISH, GERMAN)
    named.save(tmp_path / "named")
    with pytest.raises(Error, match="folds by 'auto': fold cannot be given"):
        Aligner.load(tmp_path / "named", fold=stem)


def test_several_functions_are_several_levels() -> None:
    levels = (lambda token: token[:2], lambda token: token)
    aligner = Aligner.fit(ENGLISH, GERMAN, fold=levels)
    assert (0, 0) in pairs(aligner.align(ENGLISH, GERMAN))[0]


def test_a_function_must_give_a_string() -> None:
    with pytest.raises(Error, match="fold: expected a str for token 'the', got None"):
        Aligner.fit(ENGLISH, GERMAN, fold=lambda token: None)


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("Straße", "strasse"),
        ("ÉCOLE", "ecole"),
        ("１２", "12"),
        ("İstanbul", "istanbul"),
        ("\u0301", "\u0301"),
        ("", ""),
        ("U.S.", "u.s."),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
    ],
)
def test_normalize(token: str, expected: str) -> None:
    assert normalize(token) == expected


def test_words_of_scripts_without_blanks_are_folded_to_characters() -> None:
    assert FOLDS["auto"]("室町幕府") == ("室", "府", "室町幕府")
    assert FOLDS["auto"]("Königreiche") == ("kon", "konig", "konigrei")
    assert FOLDS["auto"]("الكتاب")[0] == "الك"
    assert FOLDS["auto"]("\u0301")[0] == "\u0301"


def test_sides_may_be_empty() -> None:
    source = [["a", "b"], [], ["a"], [], ["q"]]
    target = [["x", "y"], ["a"], [], [], ["a"]]
    aligner = Aligner.fit(source, target, decode="viterbi", symmetrization="intersect", null_probability=0.99)
    batch = aligner.align_batch(source, target)
    assert batch.column("status").to_pylist() == [
        "no_links",
        "empty_source",
        "empty_target",
        "empty_source",
        "no_links",
    ]
    assert batch.schema.names == ["links", "status"]
    assert batch.column("status").type == STATUS_TYPE
    status: Any = batch.column("status")
    assert set(status.dictionary.to_pylist()) == set(STATUSES)
    assert Aligner.fit(source, target).align_batch(source, target).column("status")[0].as_py() == "ok"
    assert pairs(aligner.align(source, target))[1:4] == [[], [], []]


@pytest.mark.parametrize("nothing", [[], [[]], [[], []]])
def test_no_pairs_make_an_untrained_aligner(nothing: list[list[str]], tmp_path: Path) -> None:
    aligner = Aligner.fit(nothing, nothing)
    assert aligner.align([], []).to_pylist() == []
    source = ["In", "1999", ",", "Angela", "Merkel", "met", "the", "Commission", "."]
    target = ["1999", "traf", "Angela", "Merkel", ",", "die", "Kommission", "."]
    assert {(1, 0), (2, 4), (3, 2), (4, 3), (7, 6), (8, 7)} <= set(
        pairs(aligner.align([source], [target], decode="posterior"))[0]
    )
    links = pairs(aligner.align([source], [target]))[0]
    assert {(1, 0), (3, 2), (4, 3), (7, 6), (8, 7)} <= set(links)  # people do not always link commas
    aligner.save(tmp_path / "model")
    assert pairs(Aligner.load(tmp_path / "model").align([source], [target]))[0] == links
    assert Aligner.fit(nothing, nothing, fold="none").align([source], [source]).to_pylist()[0]


@pytest.mark.parametrize("fitted", [0, 1, 5, 100])
def test_rows_are_aligned_one_by_one(fitted: int) -> None:
    source, target = random_corpus(3, 120, words=60)
    aligner = Aligner.fit(source[:fitted], target[:fitted], threshold=0.05)
    together = aligner.align(source, target).to_pylist()
    alone = [aligner.align([s], [t]).to_pylist()[0] for s, t in zip(source, target, strict=True)]
    assert together == alone


def test_cues_link_what_looks_alike() -> None:
    source, target = ["der", "Rat", "sah", "12", ";"], ["Council", "12", "saw", ";", "the"]
    untrained = Aligner.fit([], [], diagonal=0.0)
    plain = Aligner.fit([], [], diagonal=0.0, letter_weight=0.0, kind_weight=0.0, length_weight=0.0)
    cued, blind = (
        {(link["source"], link["target"]): link["score"] for link in row}
        for row in (
            pylist(aligner.align([source], [target], decode="posterior", threshold=0.0))[0]
            for aligner in (untrained, plain)
        )
    )
    for pair in ((3, 1), (4, 3)):  # a number, a symbol
        assert cued[pair] > 0.9 > blind.get(pair, 0.0)
    assert cued[1, 0] > cued[1, 4]  # capitalised words
    assert cued[2, 2] > cued[2, 0]  # shared letters, like lengths


def test_one_pair() -> None:
    source, target = [["Mr", "Prodi", "visited", "Paris", "."]], [["Herr", "Prodi", "besuchte", "Paris", "."]]
    links = pairs(Aligner.fit(source, target).align(source, target))[0]
    assert {(1, 1), (3, 3), (4, 4)} <= set(links)


def test_few_pairs_are_aligned_by_letters_and_places() -> None:
    source = ["On", "Monday", "Angela", "Merkel", "met", "Emmanuel", "Macron", "in", "Berlin", "."]
    target = ["Am", "Montag", "traf", "Angela", "Merkel", "Emmanuel", "Macron", "in", "Berlin", "."]
    links = set(pairs(Aligner.fit([source], [target]).align([source], [target]))[0])
    assert {(2, 3), (3, 4), (5, 5), (6, 6), (7, 7), (8, 8), (9, 9)} <= links
    assert len(links) <= len(source) + 1


def test_long_sentences() -> None:
    rng = random.Random(0)
    words = [f"w{i}" for i in range(200)]
    source = [[rng.choice(words) for _ in range(600)] for _ in range(4)]
    links = Aligner.fit(source, source).align(source, source)
    flat: Any = links.flatten()
    assert np.isfinite(flat.field("score").to_numpy()).all()
    assert all(set(row) >= {(i, i) for i in range(0, 600, 50)} for row in pairs(links))


def test_one_word_facing_many() -> None:
    source, target = [["a"], ["a", "b", "c"] * 50], [["x"] * 150, ["y"]]
    aligner = Aligner.fit(source, target, threshold=0.0)
    links: Any = aligner.align(source, target).flatten()
    scores = links.field("score").to_numpy()
    assert np.isfinite(scores).all()
    assert (scores <= 1).all()


def test_tokens_keep_their_index_whatever_is_in_them() -> None:
    odd = [
        "a\u00a0b",
        "\u3000",
        "👩\u200d👩",
        "\u200b",
        " ",
        "x\ty\n",
        "\u0301",
        "e\u0301",
        "",
        "Ⅷ",
        "\U0010ffff",
    ]
    links = pairs(Aligner.fit([odd] * 3, [odd] * 3).align([odd], [odd]))[0]
    assert links == [(i, i) for i in range(len(odd))]


@pytest.mark.parametrize(
    "convert",
    [
        lambda rows: tuple(tuple(row) for row in rows),
        pa.array,
        lambda rows: pa.array(rows, pa.large_list(pa.large_string())),
        lambda rows: pa.array([["x"], *rows, ["y", "z"]]).slice(1, len(rows)),
        lambda rows: pa.chunked_array([pa.array(rows[:2]), pa.array(rows[2:])]),
        lambda rows: pa.array(rows, pa.list_(pa.dictionary(pa.int32(), pa.string()))),
    ],
)
def test_every_kind_of_input_gives_the_same(convert: Callable[[list[list[str]]], Any]) -> None:
    expected = Aligner.fit(ENGLISH, GERMAN).align(ENGLISH, GERMAN)
    source, target = convert(ENGLISH), convert(GERMAN)
    assert Aligner.fit(source, target).align(source, target) == expected


def test_missing_rows_are_empty() -> None:
    source = pa.array([["a"], None, ["b"]])
    batch = Aligner.fit(source, source).align_batch(source, source)
    assert batch.column("status").to_pylist() == ["ok", "empty_source", "ok"]
    assert batch.column("links").null_count == 0


def test_progress_is_reported() -> None:
    seen: list[tuple[str, int, int]] = []
    Aligner.fit(ENGLISH, GERMAN, ibm1_iterations=2, hmm_iterations=3, progress=lambda *args: seen.append(args))
    assert seen == [("fit", done, 5) for done in range(6)]  # from the first moment on


def test_an_exception_in_progress_stops_the_fit() -> None:
    def stop(what: str, done: int, total: int) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        Aligner.fit(ENGLISH, GERMAN, progress=stop)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([["a"], "b c"], r"row 1, column 'source_tokens', value 'b c': expected a list of words, found str"),
        ([["a"], 7], r"row 1, column 'source_tokens', value 7: expected a list of words, found int"),
        ([["a"], ["b", 3]], r"row 1, column 'source_tokens', value 3: expected a word \(str\), found int"),
        ([["a"], ["b", None]], r"row 1, column 'source_tokens', value null: a word is missing"),
        ([["a"], ["\ud800"]], r"row 1, column 'source_tokens', value '\\ud800': not valid Unicode"),
        ("a b", r"value 'a b': expected a sequence of sentences, each a list of words"),
        (5, r"value 5: expected a sequence of sentences, each a list of words"),
        (pa.array([1, 2]), r"value int64: expected an Arrow array of lists of strings"),
        (pa.array([[1], [2]]), r"expected an Arrow array of lists of strings"),
        (pa.array([["a"], [None]]), r"row 1, column 'source_tokens', value null: a word is missing"),
    ],
)
def test_wrong_sentences(source: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Aligner.fit(source, [["a"], ["b"]])


def test_row_counts_must_agree() -> None:
    message = "expected as many target as source sentences, found 5 source and 4 target sentences"
    with pytest.raises(Error, match=message):
        Aligner.fit(ENGLISH, GERMAN[:4])
    with pytest.raises(Error, match=message):
        Aligner.fit(ENGLISH, GERMAN).align(ENGLISH, GERMAN[:4])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fold": "stem"}, "fold='stem': expected one of 'auto', 'prefix', 'characters', 'none'"),
        ({"fold": 3}, "fold=3: expected one of .*, a function, or a tuple of them"),
        ({"fold": ()}, r"fold=\(\): expected one of"),
        ({"decode": "beam"}, "decode='beam': expected one of 'discriminative', 'posterior', 'viterbi'"),
        ({"symmetrization": "both"}, "symmetrization='both': expected one of 'intersect'"),
        ({"least_association": 1.5}, "least_association=1.5: expected a number from 0 to 1"),
        ({"threshold": 1.0}, "threshold=1.0: expected a number from 0 on and below 1"),
        ({"ibm1_iterations": 2.5}, "ibm1_iterations=2.5: expected a whole number"),
        ({"ibm1_iterations": 0}, "ibm1_iterations=0: expected a whole number from 1"),
        ({"alpha": "much"}, "alpha='much': expected a number"),
        ({"alpha": -1.0}, "alpha=-1.0: expected a number from 0 on"),
        ({"alpha": float("nan")}, "alpha=nan: expected a number from 0 on"),
        ({"null_probability": 1.0}, "null_probability=1.0: expected a number above 0 and below 1"),
        ({"similarity_floor": 1.0}, "similarity_floor=1.0: expected a number from 0 on and below 1"),
        ({"letter_weight": -1.0}, "letter_weight=-1.0: expected a number from 0 on"),
        ({"kind_weight": 11.0}, "kind_weight=11.0: expected a number from 0 to 10"),
        ({"length_weight": 11.0}, "length_weight=11.0: expected a number from 0 to 10"),
        ({"cue_halving": -1.0}, "cue_halving=-1.0: expected a number from 0 on"),
        ({"jump_clip": 0}, "jump_clip=0: expected a whole number from 1"),
        (
            {"iterations": 3},
            "unknown option 'iterations'; did you mean 'hmm_it",
        ),
        ({"threads": -1}, "threads=-1: expected a whole number from 0"),
    ],
)
def test_wrong_options(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Error, match=message):
        Aligner.fit(ENGLISH, GERMAN, **change)


def test_training_options_cannot_change_when_aligning() -> None:
    with pytest.raises(
        Error, match="alpha: not an option of align; expected one of decode, threshold, least_association"
    ):
        Aligner.fit(ENGLISH, GERMAN).align(ENGLISH, GERMAN, alpha=1.0)


def test_options_replace_those_given_as_a_whole() -> None:
    aligner = Aligner.fit(ENGLISH, GERMAN, AlignerOptions(threshold=0.1, alpha=0.01), threshold=0.2)
    assert aligner.options == AlignerOptions(threshold=0.2, alpha=0.01)


def test_options_of_decoding_that_change_nothing(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"^threshold=0.3 goes with another decode than 'viterbi'$"):
        Aligner.fit(ENGLISH, GERMAN, decode="viterbi", threshold=0.3)
    aligner = Aligner.fit(ENGLISH, GERMAN, threshold=0.3)
    given: Any
    for given in ({"threshold": 0.2, "decode": "viterbi"}, {"symmetrization": "union", "decode": "posterior"}):
        with pytest.raises(OptionError, match=rf"^{next(iter(given))}=.* goes with"):
            aligner.align(ENGLISH, GERMAN, **given)
    plain = Aligner.fit(ENGLISH, GERMAN)
    assert aligner.align(ENGLISH, GERMAN, decode="viterbi") == plain.align(ENGLISH, GERMAN, decode="viterbi")
    union = aligner.align(ENGLISH, GERMAN, decode="viterbi", symmetrization="union")
    aligner.save(tmp_path / "model.safetensors")
    again = Aligner.load(tmp_path / "model.safetensors")
    assert again.options == aligner.options
    assert again.align(ENGLISH, GERMAN, decode="viterbi", symmetrization="union") == union


def header_of(path: Path) -> dict[str, Any]:
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    metadata = json.loads(raw[8 : 8 + size])["__metadata__"]
    parsed: dict[str, Any] = json.loads(metadata["xner-aligner"])
    return parsed


def rewrite(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    header = header_of(path)
    change(header, tensors)
    save_file(tensors, path, {"xner-aligner": json.dumps(header)})


def drop_counts(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    del tensors["levels.1.counts"]


def change_type(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["levels.1.counts"] = tensors["levels.1.counts"].astype(np.float64)


def point_beyond(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["levels.0.targets"] = tensors["levels.0.targets"] + 1000


def unsorted(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["levels.0.targets"] = tensors["levels.0.targets"][::-1].copy()


def cut_offsets(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["levels.0.offsets"] = tensors["levels.0.offsets"][:-1].copy()


def below_zero(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["levels.1.counts"][0] = -1


def not_finite(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["levels.1.source_totals"][0] = np.nan


def null_below_zero(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["target_null"][0] = -0.5


def shorten(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["source_jumps"] = tensors["source_jumps"][:-1].copy()


def forget_text(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    del tensors["levels.2.target_text_bytes"]


def break_text(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["levels.0.source_text_bytes"] = np.full_like(tensors["levels.0.source_text_bytes"], 0xFF)


def fewer_texts(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    offsets = tensors["levels.0.source_text_offsets"][:-1].copy()
    tensors["levels.0.source_text_offsets"] = offsets
    tensors["levels.0.source_text_bytes"] = tensors["levels.0.source_text_bytes"][: offsets[-1]].copy()


def texts_beyond(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["levels.0.source_text_offsets"][-1] += 1


def odd_slots(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    tensors["levels.0.source_text_slots"] = tensors["levels.0.source_text_slots"][:-1].copy()


def newer(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    header["version"] = 99


def older(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    header["version"] = 1


def no_options(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    del header["options"]


def other_options(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    header["options"]["magic"] = 1


def bad_option(header: dict[str, Any], tensors: dict[str, Any]) -> None:
    header["options"]["alpha"] = -2.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop_counts, "a damaged aligner model: array 'levels.1.counts' is missing"),
        (change_type, "a damaged aligner model: array 'levels.1.counts' has the wrong type"),
        (point_beyond, "a damaged aligner model: table 0 of the model: the targets of type 0 do not ascend or are not"),
        (unsorted, "a damaged aligner model: table 0 of the model: the targets of type . do not ascend"),
        (cut_offsets, "a damaged aligner model: table 0 of the model contradicts itself"),
        (below_zero, "a damaged aligner model: table 1 of the model has counts that are negative or not finite"),
        (not_finite, "a damaged aligner model: table 1 of the model has counts that are negative or not finite"),
        (null_below_zero, "a damaged aligner model: the model's null words have counts that are negative"),
        (shorten, "a damaged aligner model: expected 17 jump weights a side, found 16 and 17"),
        (forget_text, "a damaged aligner model: 'levels.2.target_text_bytes'"),
        (break_text, "a damaged aligner model: .*decode"),
        (fewer_texts, "a damaged aligner model: level 0 has .* source texts for .* types"),
        (texts_beyond, "a damaged aligner model: texts: offsets must ascend from 0 to the number of bytes"),
        (odd_slots, "a damaged aligner model: texts: the number of slots is no power of two"),
        (newer, "an aligner model of version 99, this xner reads version 4"),
        (older, "an aligner model of version 1, this xner reads version 4"),
        (no_options, "a damaged aligner model: no options in its header"),
        (other_options, "a damaged aligner model: .*magic"),
        (bad_option, "a damaged aligner model: alpha=.*: expected a number from 0 on"),
    ],
)
def test_damaged_models(change: Callable[[Any, Any], None], message: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    Aligner.fit(ENGLISH, GERMAN).save(path)
    rewrite(path, change)
    with pytest.raises(FormatError, match=rf"model\.safetensors: {message}"):
        Aligner.load(path)


@pytest.fixture
def all_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_model_file, "_MAPPED_FROM", 0)


@pytest.mark.usefixtures("all_mapped")
def test_mapped_models_align_as_those_that_are_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    source, target = random_corpus(3, 40)
    fitted = Aligner.fit(source, target)
    fitted.save(path)
    mapped = Aligner.load(path)
    others = random_corpus(4, 20)
    for rows in ((source, target), others, ([["unheard"]], [["of"]]), ([], [])):
        for decode in ("posterior", "viterbi"):
            assert mapped.align(*rows, decode=decode).equals(fitted.align(*rows, decode=decode))
    assert mapped.identity == fitted.identity
    assert pickle.loads(pickle.dumps(mapped)).align(*others).equals(fitted.align(*others))
    path.unlink()  # what is mapped stays
    mapped.save(tmp_path / "again")
    fitted.save(path)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


@pytest.mark.usefixtures("all_mapped")
@pytest.mark.parametrize("change", [point_beyond, unsorted, below_zero])
def test_damaged_rows_of_mapped_models_are_told_when_they_are_used(
    change: Callable[[Any, Any], None], tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    Aligner.fit(ENGLISH, GERMAN).save(path)
    rewrite(path, change)
    damaged = Aligner.load(path)
    for decode in ("posterior", "viterbi"):
        with pytest.raises(Error, match=r"table . of the model.*(do not ascend|negative or not finite)"):
            damaged.align(ENGLISH, GERMAN, decode=decode)
    assert pairs(damaged.align([["unheard"]], [["of"]])) == [[(0, 0)]]


@pytest.mark.usefixtures("all_mapped")
@pytest.mark.parametrize("change", [cut_offsets, not_finite, null_below_zero, fewer_texts, texts_beyond, odd_slots])
def test_all_else_of_mapped_models_is_looked_at(change: Callable[[Any, Any], None], tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    Aligner.fit(ENGLISH, GERMAN).save(path)
    rewrite(path, change)
    with pytest.raises(FormatError, match=r"model\.safetensors: a damaged aligner model: "):
        Aligner.load(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FormatError, match="not a safetensors file"):
        Aligner.load(path)


@given(texts=st.lists(st.text(max_size=6), unique=True, max_size=60), others=st.lists(st.text(max_size=6), max_size=20))
def test_text_indices_are_dictionaries(texts: list[str], others: list[str]) -> None:
    index = _core.TextIndex.of(texts)
    known = {text: number for number, text in enumerate(texts)}
    assert len(index) == len(texts)
    for one in (index, _core.TextIndex(index.offsets, index.bytes, index.slots)):
        assert one.find([*texts, *others]).tolist() == [known.get(text, -1) for text in [*texts, *others]]


@given(data=st.data())
def test_text_indices_with_wrong_slots_lead_nowhere_else(data: st.DataObject) -> None:
    index = _core.TextIndex.of(["a", "b", "ab", ""])
    slots = np.array(data.draw(st.lists(st.integers(0, 2**32 - 1), min_size=8, max_size=8)), np.uint32)
    wrong = _core.TextIndex(index.offsets, index.bytes, slots)
    assert all(found in {-1, right} for right, found in enumerate(wrong.find(["a", "b", "ab", ""]).tolist()))


def test_files_that_are_no_models(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing: no such file"):
        Aligner.load(tmp_path / "nothing")
    (tmp_path / "text").write_text("not a model at all, really not one", encoding="utf-8")
    with pytest.raises(FormatError, match="text: not a safetensors file"):
        Aligner.load(tmp_path / "text")
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(FormatError, match="empty: not a safetensors file"):
        Aligner.load(tmp_path / "empty")
    save_file({"weight": np.zeros(3, np.float32)}, tmp_path / "other")
    with pytest.raises(FormatError, match="other: a safetensors file, but not an aligner model of xner"):
        Aligner.load(tmp_path / "other")
    path = tmp_path / "model"
    Aligner.fit(ENGLISH, GERMAN).save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(FormatError, match="model: not a safetensors file"):
        Aligner.load(path)


def test_a_failed_save_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(Error, match="folder': it is a folder"):
        Aligner.fit(ENGLISH, GERMAN).save(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def without_accidents(
    row: list[dict[str, Any]], source: list[str], target: list[str], aligner: Aligner, least: float
) -> list[dict[str, Any]]:
    """The rule of `least_association` in plain Python, for a model with one level of folding."""
    model = aligner._model.arrays()
    source_texts, target_texts = aligner._fitted.texts[0]

    def dice(s: str, t: str) -> float:
        a, b = int(source_texts.find([s])[0]), int(target_texts.find([t])[0])
        if a < 0 or b < 0:
            return 1.0
        first, last = model["levels.0.offsets"][a : a + 2]
        counts = dict(zip(model["levels.0.targets"][first:last], model["levels.0.counts"][first:last], strict=True))
        return float(
            2 * counts.get(b, 0.0) / (model["levels.0.source_frequency"][a] + model["levels.0.target_frequency"][b])
        )

    strength = [link["score"] * dice(source[link["source"]], target[link["target"]]) for link in row]

    def best(side: str, word: int) -> float:
        return max(float(value) for value, link in zip(strength, row, strict=True) if link[side] == word)

    return [
        link
        for value, link in zip(strength, row, strict=True)
        if value >= least * max(best("source", link["source"]), best("target", link["target"]))
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("least", [0.05, 0.5])
def test_accidental_links_are_dropped(seed: int, least: float) -> None:
    source, target = random_corpus(seed, 12)
    aligner = Aligner.fit(
        source[:10], target[:10], fold="none", decode="posterior", threshold=0.02, least_association=0.0
    )
    every = pylist(aligner.align(source, target))
    kept = pylist(aligner.align(source, target, least_association=least))
    expected = [
        without_accidents(row, words, others, aligner, least)
        for row, words, others in zip(every, source, target, strict=True)
    ]
    assert kept == expected
    assert sum(map(len, kept)) < sum(map(len, every))
