"""Tagging, from words to labels and distributions, by tiny models that are saved and loaded as a user's are."""

from __future__ import annotations

import extras

extras.need("models")

import unicodedata
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

import tiny_models
import xner
from reference import tagging as reference
from xner import DataError, Error, io, schema
from xner._support.arrow import pylist
from xner.models.taggers import Tagged, Tagger, TaggerStage
from xner.models.taggers.tagger import STATUSES, _word_distributions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-DATE", "I-DATE", "B-MISC", "I-MISC"]
CONLL_03 = ["B-LOC", "B-MISC", "B-ORG", "I-LOC", "I-MISC", "I-ORG", "I-PER", "O"]
SENTENCES = [
    ["Angela", "Merkel", "visited", "Madrid", "."],
    ["the", "walker"],
    [],
    ["a"],
    ["on", "\u200b", "it", "\u200b"],
    ["\u200b"],
    ["walked", "to", "Xyz123"] * 7,
]

load = partial(Tagger.load, device="cpu")


@pytest.fixture(scope="module")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What it says of a word depends on the whole sentence."""
    return str(tiny_models.save_tagger(tmp_path_factory.mktemp("tagger"), LABELS))


@pytest.fixture(scope="module")
def short_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Likewise, of at most 24 tokens."""
    return str(tiny_models.save_tagger(tmp_path_factory.mktemp("short_tagger"), LABELS, longest=24))


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Makes models that give each word the label that it is said to have, all others O."""

    def make(**known: str) -> str:
        labels = list(dict.fromkeys(["O", *known.values()]))
        return str(tiny_models.save_tagger(tmp_path_factory.mktemp("taught"), labels, known=known))

    return make


def assert_same(found: Sequence[Tagged], expected: Sequence[Tagged]) -> None:
    assert [one.labels for one in found] == [one.labels for one in expected]
    assert [one.status for one in found] == [one.status for one in expected]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-5)


def as_dict(distribution: npt.NDArray[Any]) -> dict[int, float]:
    return dict(enumerate(distribution.tolist()))


# --- Distributions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["first", "mean", "max"])
def test_distributions_are_those_of_the_model(random_model: str, words: Any) -> None:
    """Sentence by sentence, by transformers alone."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(random_model)
    model = transformers.AutoModelForTokenClassification.from_pretrained(random_model).eval()
    tagger = load(random_model, words=words)
    assert tagger.label_names == tuple(LABELS)
    for sentence, tagged in zip(SENTENCES, tagger.tag(SENTENCES), strict=True):
        assert tagged.probabilities.shape == (len(sentence), len(LABELS))
        assert tagged.probabilities.dtype == np.float32
        if not sentence:
            continue
        encoding = tokenizer(sentence, is_split_into_words=True, return_tensors="pt")
        with torch.inference_mode():
            pieces = model(**encoding).logits[0].softmax(dim=1).numpy()
        for word, probabilities in enumerate(tagged.probabilities):
            own = [pieces[piece] for piece, owner in enumerate(encoding.word_ids()) if owner == word]
            outside = {label: float(label == 0) for label in range(len(LABELS))}
            expected = reference.of_word([as_dict(one) for one in own], words) if own else outside
            assert as_dict(probabilities) == pytest.approx(expected, abs=1e-5)


@given(st.data(), st.integers(1, 4), st.sampled_from(["first", "mean", "max"]))
def test_words_of_pieces(data: st.DataObject, labels: int, how: Any) -> None:
    piece = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=labels, max_size=labels)
    words = data.draw(st.dictionaries(st.integers(0, 9), st.lists(piece, min_size=1, max_size=4), min_size=1))
    order = sorted(words)
    pieces = np.array([one for word in order for one in words[word]], np.float32)
    owners = np.array([word for word in order for _ in words[word]])
    found, which = _word_distributions(pieces, owners, how)
    assert which.tolist() == order
    for word, distribution in zip(order, found, strict=True):
        expected = reference.of_word([as_dict(np.array(one)) for one in words[word]], how)
        assert as_dict(distribution) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("decoding", ["argmax", "viterbi"])
def test_labels_follow_from_distributions(random_model: str, decoding: Any) -> None:
    sentences = [words[:6] for words in SENTENCES]  # all paths of six words can be tried
    tagger = load(random_model, decoding=decoding, classes={"DATE": "O", "MISC": "O"})
    assert tagger.classes == ("PER", "LOC")
    different = 0
    for tagged in tagger.tag(sentences):
        words = [dict(zip(tagger.label_names, row, strict=True)) for row in tagged.probabilities.tolist()]
        assert reference.is_valid(tagged.labels)
        by_argmax = reference.argmax_labels(words)
        if decoding == "argmax":
            assert tagged.labels == by_argmax
        else:
            best = reference.best_probability(words)
            assert reference.path_probability(words, tagged.labels) == pytest.approx(best, rel=1e-4)
            different += tagged.labels != by_argmax
    assert decoding == "argmax" or different, "a constraint has decided somewhere"


def test_what_is_beside_a_sentence_changes_nothing(random_model: str) -> None:
    sentences = SENTENCES * 3
    alone = [tagged for sentence in sentences for tagged in load(random_model).tag([sentence])]
    for budget in (1, 40, 10_000):
        assert_same(load(random_model, token_budget=budget).tag(sentences), alone)
    assert_same(load(random_model).tag(sentences[::-1])[::-1], alone)


def test_chunks_and_devices_change_nothing(random_model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = load(random_model).tag(SENTENCES)
    reports: list[tuple[str, int, int]] = []
    monkeypatch.setattr("xner.models.taggers.tagger._CHUNK", 2)
    assert_same(load(random_model).tag(SENTENCES, progress=lambda *report: reports.append(report)), expected)
    assert {(what, total) for what, _, total in reports} == {("tag", len(SENTENCES))}
    done = [done for _, done, _ in reports]
    assert (done, done[-1]) == (sorted(done), len(SENTENCES))
    assert_same(load(random_model, device=["cpu", "cpu"]).tag(SENTENCES), expected)


@pytest.mark.slow
def test_long_sentences(short_model: str) -> None:
    """Of 600 words and far more pieces, in windows of 22."""
    words = [word for number in range(200) for word in ("Angela", "visited", f"x{number}")]
    tagger = load(short_model, overlap=10)
    [alone] = tagger.tag([words])
    assert (len(alone.labels), alone.status) == (600, "ok")
    assert len(set(alone.labels)) > 3
    for budget in (24, 200, 10_000):
        batch = load(short_model, overlap=10, token_budget=budget).tag([["the"], words, ["a", "walker"] * 3, words])
        assert_same(batch[1::2], [alone, alone])


def test_windows_are_like_short_sentences(short_model: str) -> None:
    """Words of one piece each, so that the beginning is the first window and the end the last one."""
    words = ["the", "of", "in", "to", "is"] * 20
    tagger = load(short_model, overlap=10)
    whole, beginning, end = tagger.tag([words, words[:22], words[-22:]])
    np.testing.assert_allclose(whole.probabilities[:17], beginning.probabilities[:17], atol=1e-5)
    np.testing.assert_allclose(whole.probabilities[-11:], end.probabilities[-11:], atol=1e-5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision(random_model: str, dtype: Any) -> None:
    for half, exact in zip(
        load(random_model, dtype=dtype).tag(SENTENCES), load(random_model).tag(SENTENCES), strict=True
    ):
        np.testing.assert_allclose(half.probabilities, exact.probabilities, atol=0.1)
        np.testing.assert_allclose(half.probabilities.sum(axis=1), 1, atol=1e-5)


def test_numbers_that_are_not_finite(random_model: str) -> None:
    tagger = load(random_model, dtype="float16")
    network: Any = tagger._networks[0].network
    network.model.classifier.bias.data.fill_(float("inf"))
    with pytest.raises(
        Error, match="gives numbers that are not finite in float16; dtype='float32' or 'bfloat16' may do"
    ):
        tagger.tag([["the"]])


@pytest.mark.gpu
def test_on_a_gpu_in_half_precision(random_model: str) -> None:
    halves = Tagger.load(random_model, device="cuda")
    assert halves.signature.endswith("dtype:bfloat16" if torch.cuda.is_bf16_supported() else "dtype:float16")
    for half, exact in zip(halves.tag(SENTENCES), load(random_model).tag(SENTENCES), strict=True):
        np.testing.assert_allclose(half.probabilities, exact.probabilities, atol=0.1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_compiled_it_is_the_same(random_model: str) -> None:
    assert_same(load(random_model, compile=True).tag(SENTENCES), load(random_model).tag(SENTENCES))


# --- Labels ---------------------------------------------------------------------------------------------------------

WORDS = ["Angela", "Merkel", "visited", "Madrid", "Madrid", "."]


def test_iob1(taught: Callable[..., str]) -> None:
    """Entities begin with I-; B- parts two of the same class."""
    tagger = load(taught(Angela="I-PER", Merkel="I-PER", Madrid="I-LOC", a="B-LOC"))
    assert tagger.scheme == "IOB1"
    [tagged, parted] = tagger.tag([WORDS, ["Madrid", "a", "Merkel"]])
    assert tagged.labels == ["B-PER", "I-PER", "O", "B-LOC", "I-LOC", "O"]
    assert parted.labels == ["B-LOC", "B-LOC", "B-PER"]
    for one in (tagged, parted):
        assert [tagger.label_names[label] for label in one.probabilities.argmax(axis=1)] == one.labels


def test_bioes(taught: Callable[..., str]) -> None:
    tagger = load(taught(Angela="B-PER", Merkel="E-PER", Madrid="S-LOC", a="I-LOC"))
    assert tagger.scheme == "BIOES"
    [tagged] = tagger.tag([[*WORDS, "a"]])
    assert tagged.labels == ["B-PER", "I-PER", "O", "B-LOC", "B-LOC", "O", "B-LOC"]


def test_plain_classes(taught: Callable[..., str]) -> None:
    tagger = load(taught(Angela="PER", Merkel="PER", Madrid="LOC"))
    assert tagger.scheme == "plain"
    [tagged] = tagger.tag([WORDS])
    assert tagged.labels == ["B-PER", "I-PER", "O", "B-LOC", "I-LOC", "O"]
    assert [tagger.label_names[label] for label in tagged.probabilities.argmax(axis=1)] == tagged.labels


def test_invalid_iob2_becomes_valid(taught: Callable[..., str]) -> None:
    model = taught(Angela="I-PER", Merkel="I-PER", Madrid="I-LOC", the="B-PER", a="B-LOC")
    tagger = load(model)
    assert tagger.scheme == "IOB2"
    [tagged] = tagger.tag([WORDS])
    assert tagged.labels == ["B-PER", "I-PER", "O", "B-LOC", "I-LOC", "O"]
    assert tagger.label_names[tagged.probabilities[0].argmax()] == "I-PER", "distributions stay the model's"
    [constrained] = load(model, decoding="viterbi").tag([WORDS])
    assert reference.is_valid(constrained.labels)


def test_classes(taught: Callable[..., str]) -> None:
    model = taught(Angela="B-PERSON", Merkel="I-PERSON", Madrid="B-MISC", a="B-DATE")
    tagger = load(model, classes={"PERSON": "PER", "MISC": "O"})
    assert tagger.classes == ("PER", "DATE")
    assert tagger.label_names == ("O", "B-PER", "I-PER", "B-DATE", "I-DATE")
    [tagged] = tagger.tag([[*WORDS, "a"]])
    assert tagged.labels == ["B-PER", "I-PER", "O", "O", "O", "O", "B-DATE"]
    np.testing.assert_allclose(tagged.probabilities.sum(axis=1), 1, atol=1e-6)


def test_the_published_conll_model(tmp_path: Path) -> None:
    """Its labels: no B-PER."""
    tagger = load(str(tiny_models.save_tagger(tmp_path, CONLL_03, kind="xlm-roberta")), classes={"MISC": "O"})
    assert (tagger.scheme, tagger.classes) == ("IOB1", ("LOC", "ORG", "PER"))
    for tagged in tagger.tag([list("abc"), list("hello")]):
        assert reference.is_valid(tagged.labels)
        assert (tagged.probabilities >= 0).all()


def test_padding_labels_are_never_given(tmp_path: Path) -> None:
    labels = ["<pad>", *LABELS]
    folder = tiny_models.save_tagger(tmp_path, labels, known={"Angela": "<pad>", "Madrid": "B-LOC"})
    [tagged] = load(str(folder)).tag([WORDS])
    assert tagged.probabilities.shape[1] == len(LABELS)
    np.testing.assert_allclose(tagged.probabilities.sum(axis=1), 1, atol=1e-6)
    assert tagged.labels[3] == "B-LOC"


# --- Rows -----------------------------------------------------------------------------------------------------------


def test_statuses(random_model: str) -> None:
    tagged = load(random_model).tag(SENTENCES)
    assert [one.status for one in tagged] == ["ok", "ok", "empty", "ok", *["words_without_pieces"] * 2, "ok"]
    assert {one.status for one in tagged} <= set(STATUSES)
    assert [tagged[4].labels[word] for word in (1, 3)] == ["O", "O"]
    assert tagged[5].labels == ["O"]
    assert tagged[5].probabilities.tolist() == [[1.0] + [0.0] * 8]
    assert load(random_model).tag([]) == []


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("bert", 100),
        pytest.param("xlm-roberta", 100, marks=pytest.mark.slow),
        pytest.param("roberta", 100, marks=pytest.mark.slow),
        pytest.param("bert", 250, marks=pytest.mark.slow),
        pytest.param("xlm-roberta", 10_000, marks=pytest.mark.slow),
        pytest.param("roberta", 250, marks=pytest.mark.slow),
    ],
)
def test_real_text(kind: str, rows: int, tmp_path: Path, test_data: Path) -> None:
    """Every row keeps its words, whatever stands for a diacritic: one character, or two of which one is combining."""
    model = load(str(tiny_models.save_tagger(tmp_path, LABELS, kind=kind)))
    for language in ("yor", "xho", "swa", "hau"):
        table = io.read_conll(test_data / "masakhaner2" / language / "test.txt").slice(0, rows)
        [found] = TaggerStage(model)(table).select(["tokens", "labels"]).combine_chunks().to_batches()
        composed = pylist(found.column("tokens"))
        assert [len(words) for words in composed] == [len(row) for row in pylist(found.column("labels"))]
        xner.evaluate(table.column("labels"), found.column("labels"))
        if language == "yor":
            decomposed = [[unicodedata.normalize("NFD", word) for word in words] for words in composed]
            assert any(unicodedata.combining(letter) for words in decomposed for word in words for letter in word)
            for words, tagged in zip(decomposed, model.tag(decomposed), strict=True):
                assert len(tagged.labels) == len(tagged.probabilities) == len(words)
                assert tagged.status == "ok"


# --- The stage ------------------------------------------------------------------------------------------------------

TOKENS = [["Angela", "Merkel", "visited", "Madrid", "."], [], ["the", "\u200b", "Madrid"], None]
ENTITIES = [
    [{"start": 0, "end": 2, "label": "PER"}, {"start": 3, "end": 4, "label": "LOC"}],
    [],
    [{"start": 2, "end": 3, "label": "LOC"}],
    [],
]


@pytest.fixture(scope="module")
def tagger(taught: Callable[..., str]) -> Tagger:
    return load(taught(Angela="B-PER", Merkel="I-PER", Madrid="B-LOC"))


@pytest.fixture
def batch() -> pa.RecordBatch:
    return pa.record_batch(
        [pa.array(["r0", "r1", "r2", "r3"]), pa.array(TOKENS, schema.WORDS_TYPE)], names=["id", "tokens"]
    )


def test_the_tagger_itself_is_the_stage_that_labels(tagger: Tagger, batch: pa.RecordBatch) -> None:
    found = TaggerStage(tagger)(batch)
    assert found.schema.names == ["id", "tokens", "labels", "status"]
    assert found.select(["id", "tokens"]) == batch
    expected = [["B-PER", "I-PER", "O", "B-LOC", "O"], [], ["O", "O", "B-LOC"], []]
    assert found.column("labels").to_pylist() == expected
    assert found.column("status").to_pylist() == ["ok", "empty", "words_without_pieces", "empty"]
    for name in ("labels", "status"):
        assert found.schema.field(name).type == schema.COLUMN_TYPES[name]


def test_all_roles_in_one_pass(tagger: Tagger, batch: pa.RecordBatch, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[str] = []
    run = Tagger.tag_batch

    def counted(self: Tagger, sentences: Any, *, column: str, **options: Any) -> Any:
        passes.append(column)
        return run(self, sentences, column=column, **options)

    monkeypatch.setattr(Tagger, "tag_batch", counted)
    stage = TaggerStage(tagger, ["scores", "candidates", "source", "labels"])
    found = stage(pa.Table.from_batches([batch, batch])).slice(4)
    assert passes == ["tokens", "tokens"]
    assert found.column("source_entities").to_pylist() == ENTITIES
    spans = [[{"start": one["start"], "end": one["end"]} for one in row] for row in ENTITIES]
    assert found.column("candidates").to_pylist() == spans
    probabilities = pylist(found.column("ner_probabilities"))
    assert [len(row) for row in probabilities] == [5, 0, 3, 0]
    assert {len(word) for row in probabilities for word in row} == {5}
    assert probabilities[2][1] == [1, 0, 0, 0, 0]
    for name in ("source_entities", "candidates", "ner_probabilities", "labels"):
        assert found.schema.field(name).type == schema.COLUMN_TYPES[name]
    names = schema.ner_label_names(found.schema.field("ner_probabilities"))
    assert names == tagger.label_names == ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    assert stage.signature.endswith("|roles:scores,candidates,source,labels|probabilities:float")


def test_both_sides(tagger: Tagger, batch: pa.RecordBatch) -> None:
    source = pa.array([["Madrid"], ["the"], [], ["Angela"]], schema.WORDS_TYPE)
    found = TaggerStage(tagger, ["source", "labels"])(batch.append_column("source_tokens", source))
    assert [[one["label"] for one in row] for row in pylist(found.column("source_entities"))] == [
        ["LOC"],
        [],
        [],
        ["PER"],
    ]
    assert found.column("labels").to_pylist()[0] == ["B-PER", "I-PER", "O", "B-LOC", "O"]
    assert found.column("status").to_pylist() == ["ok", "empty", "empty", "empty"]


def test_what_was_there_before(tagger: Tagger, batch: pa.RecordBatch) -> None:
    """Columns are replaced; a status of another stage stays where nothing is wrong now."""
    before = pa.array(["truncated", "truncated", "empty", None])
    labels = pa.array([["O"]] * 4)
    found = TaggerStage(tagger)(batch.append_column("labels", labels).append_column("status", before))
    assert found.schema.names == ["id", "tokens", "labels", "status"]
    assert found.column("labels").to_pylist()[0] == ["B-PER", "I-PER", "O", "B-LOC", "O"]
    assert found.column("status").to_pylist() == ["truncated", "empty", "words_without_pieces", "empty"]
    again = TaggerStage(tagger)(found.set_column(3, "status", pa.array(["empty", "ok", "ok", "ok"])))
    assert again.column("status").to_pylist() == ["ok", "empty", "words_without_pieces", "empty"]


@pytest.mark.parametrize("float16", [False, True])
def test_projection_with_candidates_and_scores(tagger: Tagger, batch: pa.RecordBatch, float16: bool) -> None:
    """Without any links: what the tagger says of the target words is enough, in half precision too."""
    table = TaggerStage(tagger, ["candidates", "scores"], float16=float16)(pa.Table.from_batches([batch]))
    field = table.schema.field("ner_probabilities")
    assert field.type == (schema.NER_PROBABILITIES_HALF_TYPE if float16 else schema.NER_PROBABILITIES_TYPE)
    assert schema.ner_label_names(field) == tagger.label_names
    source = pa.array([["Merkel", "in", "Madrid"], ["Madrid"], ["Madrid"], []], schema.WORDS_TYPE)
    entities = [[(0, 1, "PER"), (2, 3, "LOC")], [(0, 1, "LOC")], [(0, 1, "LOC")], []]
    named = [[dict(zip(("start", "end", "label"), one, strict=True)) for one in row] for row in entities]
    table = table.append_column("source_tokens", source)
    table = table.append_column("source_entities", pa.array(named, schema.SOURCE_ENTITIES_TYPE))
    result = xner.Projector(score="ner", candidates="given")(table)
    expected = [["B-PER", "I-PER", "O", "B-LOC", "O"], [], ["O", "O", "B-LOC"], []]
    assert result.column("labels").to_pylist() == expected


def test_bad_rows(tagger: Tagger, batch: pa.RecordBatch) -> None:
    with pytest.raises(Error, match=r"the tagger needs the column\(s\) tokens; the table has: id"):
        TaggerStage(tagger)(batch.select(["id"]))
    with pytest.raises(Error, match="role='label': expected one of 'labels', 'source', 'candidates', 'scores'"):
        TaggerStage(tagger, "label")  # type: ignore[arg-type]  # on purpose
    with pytest.raises(Error, match="expected at least one"):
        TaggerStage(tagger, [])
    words = pa.array([["the"], ["Madrid", None]], schema.WORDS_TYPE)
    with pytest.raises(DataError) as error:
        TaggerStage(tagger)(pa.record_batch([pa.array(["a", "b"]), words], names=["id", "tokens"]))
    assert str(error.value) == "row 1 (id 'b'), column 'tokens', value null: word 1 is missing"
    with pytest.raises(DataError, match="row 0, column 'tokens', value 'the': expected a list of words, found str"):
        tagger.tag(["the"])


# --- What decides the output ----------------------------------------------------------------------------------------


def test_signature_and_identity(random_model: str, short_model: str) -> None:
    tagger = load(random_model, classes={"MISC": "O"})
    assert tagger.signature == (
        f"xner:{xner.__version__}|tagger:{random_model}|scheme:IOB2|classes:PER,LOC,DATE|words:first|decoding:argmax|"
        "overlap:128|dtype:float32|renamed:MISC>O"
    )
    others: list[dict[str, Any]] = [
        {},
        {"classes": {"MISC": "LOC"}},
        {"classes": {"LOC": "O", "MISC": "LOC"}},
        {"words": "mean"},
        {"decoding": "viterbi"},
        {"overlap": 7},
        {"dtype": "bfloat16"},
        {"scheme": "IOB1"},
    ]
    identities = [
        tagger.identity,
        *(load(random_model, **other).identity for other in others),
        load(short_model).identity,
    ]
    assert len(set(identities)) == len(identities)
    assert load(random_model, classes={"MISC": "O"}, token_budget=7).identity == tagger.identity


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"words": "last"}, "words='last': expected one of 'first', 'mean', 'max'"),
        ({"decoding": "beam"}, "decoding='beam': expected one of 'argmax', 'viterbi'"),
        ({"scheme": "IOB"}, "scheme='IOB': expected one of 'auto', 'IOB1', 'IOB2', 'BIOES', 'plain'"),
        ({"overlap": -1}, "overlap=-1: expected a whole number from 0"),
        ({"token_budget": 0}, "token_budget=0: expected a whole number from 1"),
        ({"dtype": "int8"}, "dtype='int8': expected one of 'auto'"),
        ({"device": "tpu:9"}, "device='tpu:9': cannot compute there"),
        ({"classes": {"ORG": "O"}}, "has no class 'ORG', only PER, LOC, DATE, MISC"),
    ],
)
def test_bad_options(random_model: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(Error) as error:
        Tagger.load(random_model, **({"device": "cpu"} | options))
    assert message in str(error.value)


def test_models_that_do_not_tag(tiny_bert: Path, tmp_path: Path) -> None:
    with pytest.raises(
        Error, match=r"the labels of '.*' have no names \(LABEL_0, LABEL_1, \.\.\.\): it was not trained"
    ):
        load(str(tiny_bert))
    with pytest.raises(Error, match="cannot load the token-classification model 'nothing/here'"):
        load("nothing/here")
    for name in ("./nothing", "../nothing", str(tmp_path / "nothing"), "a/b/nothing"):
        with pytest.raises(
            Error, match=f"cannot load the token-classification model '{name}': there is no such folder$"
        ):
            load(name)
    tiny_models.save_bert(tmp_path, id2label={0: "O", 1: "B-X"}, label2id={"O": 0, "B-X": 1})
    with pytest.raises(
        Error, match=r"has not the weights of a token-classification model: 2 are missing, classifier\."
    ):
        load(str(tmp_path))
