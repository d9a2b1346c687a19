"""Taggers of other libraries, spaCy and GLiNER, by tiny models that are saved and loaded as a user's are."""

from __future__ import annotations

import extras

extras.need("train")  # datasets, for the checks of stages

import itertools
import json
import pickle
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny_models
from command_line import done, xner
from stage_checks import check_stage, null_word
from xner import Pipeline, io, schema
from xner._support.arrow import pylist
from xner.errors import DataError, Error, MissingExtraError, OptionError
from xner.models.taggers import TaggerStage, WordTagger, load_tagger
from xner.models.taggers.gliner import windows_of
from xner.models.taggers.spans import FoundSpan, spans_of_text, without_overlaps

if TYPE_CHECKING:
    from collections.abc import Callable

SENTENCES = [["Angela", "Merkel", "visited", "Madrid", "."], [], ["in", "Madrid"], ["a", "", "Angela", " ", "Merkel"]]
LABELS = [
    ["B-PER", "I-PER", "O", "B-LOC", "O"],
    [],
    ["O", "B-LOC"],
    ["O", "O", "B-PER", "I-PER", "I-PER"],
]
RENAMED = {"PERSON": "PER"}


def table() -> pa.Table:
    return pa.table({"id": ["r0", "r1", "r2", "r3"], "tokens": pa.array(SENTENCES, schema.WORDS_TYPE)})


# --- Spans ----------------------------------------------------------------------------------------------------------


FOUND = st.tuples(st.integers(0, 5), st.integers(1, 3), st.sampled_from("XY"), st.sampled_from([0.2, 0.5, 1.0]))


def rank(span: FoundSpan) -> tuple[float, int]:
    return span.score, span.end - span.start


@given(st.lists(FOUND))
def test_the_highest_scores_win(found: list[tuple[int, int, str, float]]) -> None:
    spans = [FoundSpan(start, start + length, label, score) for start, length, label, score in found]
    kept = without_overlaps(spans)
    assert kept == sorted(kept)
    words = [word for span in kept for word in range(span.start, span.end)]
    assert len(words) == len(set(words))
    for span in spans:
        # Each is there, or overlaps one that is at least as good.
        rivals = [one for one in kept if one.start < span.end and span.start < one.end]
        assert span in kept or max(map(rank, rivals)) >= rank(span)


@given(st.lists(st.text("ab.", min_size=1, max_size=4), min_size=1, max_size=5), st.data())
def test_characters_become_the_words_that_they_touch(words: list[str], data: st.DataObject) -> None:
    text = " ".join(words)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    owners = [number for number, word in enumerate(words) for _ in f"{word} "]
    touched = [owners[place] for place in range(start, end) if text[place] != " "]
    expected = [FoundSpan(touched[0], touched[-1] + 1, "X", 0.5)] if touched else []
    assert spans_of_text(words, [(start, end, "X", 0.5)]) == expected


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), st.integers(1, 9), st.integers(0, 5))
def test_windows(costs: list[int], most: int, overlap: int) -> None:
    windows = windows_of([(np.array(costs), most), (np.ones(len(costs), np.int64), float("inf"))], len(costs), overlap)
    assert [one.own_start for one in windows] == [0, *(one.own_end for one in windows[:-1])]
    assert windows[0].start == 0
    assert windows[-1].end == windows[-1].own_end == len(costs)
    for window in windows:
        assert window.start <= window.own_start < window.own_end <= window.end
        assert sum(costs[window.start : window.end]) <= most or window.end == window.start + 1
    for one, other in itertools.pairwise(windows):
        assert one.start < other.start <= one.end < other.end
        assert one.end - other.start <= overlap
    if sum(costs) <= most:
        assert len(windows) == 1


# --- spaCy ----------------------------------------------------------------------------------------------------------

spacy_only = pytest.mark.needs("spacy")
PATTERNS = [{"label": "PERSON", "pattern": "Angela Merkel"}, {"label": "LOC", "pattern": [{"LOWER": "madrid"}]}]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Saves pipelines; `add` adds their components."""
    import spacy

    def make(add: Callable[[Any], None] = lambda nlp: nlp.add_pipe("entity_ruler").add_patterns(PATTERNS)) -> str:
        nlp = spacy.blank("xx")
        add(nlp)
        folder = tmp_path_factory.mktemp("pipeline")
        nlp.to_disk(folder)
        return str(folder)

    return make


@pytest.fixture(scope="module")
def ruler(pipeline: Callable[..., str]) -> str:
    """Knows Angela Merkel and Madrid."""
    return pipeline()


def labels_of(tagger: WordTagger, sentences: Any = SENTENCES) -> list[Any]:
    return pylist(tagger.tag_batch(sentences).labels)


@spacy_only
def test_words_are_those_that_are_given(ruler: str) -> None:
    tagger = load_tagger(f"spacy:{ruler}", classes=RENAMED)
    assert tagger.label_names == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    found = tagger.tag_batch(SENTENCES)
    assert found.labels.to_pylist() == LABELS
    assert found.status.to_pylist() == ["ok", "empty", "ok", "words_without_pieces"]
    assert found.lengths.tolist() == [5, 0, 2, 5]
    assert found.entities.to_pylist()[0] == [
        {"start": 0, "end": 2, "label": "PER"},
        {"start": 3, "end": 4, "label": "LOC"},
    ]
    names = [tagger.label_names[column] for column in found.probabilities.argmax(axis=1)]
    assert names == [label for row in LABELS for label in row]
    assert found.probabilities.dtype == np.float32
    assert (found.probabilities.max(axis=1) == 1).all()
    # spaCy's own tokenizer would split these.
    assert labels_of(tagger, [["Angela Merkel", "Madrid-Barajas", "Madrid"]]) == [["O", "O", "B-LOC"]]
    assert labels_of(load_tagger(f"spacy:{ruler}", classes={"PERSON": "O"}))[0] == ["O", "O", "O", "B-LOC", "O"]
    assert labels_of(tagger, []) == []


@spacy_only
def test_components_that_merge_tokens(pipeline: Callable[..., str]) -> None:
    def add(nlp: Any) -> None:
        nlp.add_pipe("entity_ruler").add_patterns(PATTERNS)
        nlp.add_pipe("merge_entities")

    assert labels_of(load_tagger(f"spacy:{pipeline(add)}", classes=RENAMED)) == LABELS


@spacy_only
def test_a_network_of_spacy(pipeline: Callable[..., str]) -> None:
    """Its classes are known, and many sentences give what each gives alone."""

    def add(nlp: Any) -> None:
        for label in ("PER", "LOC"):
            nlp.add_pipe("ner") if "ner" not in nlp.pipe_names else None
            nlp.get_pipe("ner").add_label(label)
        nlp.initialize()

    tagger = load_tagger(f"spacy:{pipeline(add)}")
    assert set(tagger.label_names) == {"O", "B-PER", "I-PER", "B-LOC", "I-LOC"}
    sentences = [words for words in SENTENCES if words] * 100
    assert labels_of(tagger, sentences) == [labels_of(tagger, [words])[0] for words in sentences[:3]] * 100


@spacy_only
def test_groups_of_spans(pipeline: Callable[..., str]) -> None:
    """Those of components that make no `ents`; the longest of overlapping ones where there are no scores."""
    patterns = [*PATTERNS, {"label": "LOC", "pattern": "Merkel"}]
    groups = load_tagger(f"spacy:{pipeline(lambda nlp: nlp.add_pipe('span_ruler').add_patterns(patterns))}")
    assert labels_of(groups)[0] == ["B-PERSON", "I-PERSON", "O", "B-LOC", "O"]

    def both(nlp: Any) -> None:
        nlp.add_pipe("span_ruler", config={"annotate_ents": True}).add_patterns(patterns)

    assert labels_of(load_tagger(f"spacy:{pipeline(both)}"))[0] == ["B-PERSON", "I-PERSON", "O", "B-LOC", "O"]

    def spancat(nlp: Any) -> None:
        nlp.add_pipe("spancat", config={"threshold": 0.0}).add_label("X")
        nlp.initialize()

    scored = load_tagger(f"spacy:{pipeline(spancat)}")
    found = scored.tag_batch([["a", "b"]])
    assert "B-X" in pylist(found.labels)[0]
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)
    assert (found.probabilities < 1).any(), "its scores are the words' probabilities"


@spacy_only
def test_pipelines_that_cannot_tag(pipeline: Callable[..., str], tmp_path: Path) -> None:
    cases: dict[str, str] = {
        pipeline(lambda nlp: nlp.add_pipe("sentencizer")): "finds no entities: .* its components are: sentencizer",
        pipeline(lambda nlp: None): "its components are: none",
        pipeline(lambda nlp: nlp.add_pipe("entity_ruler")): "finds no entities: entity_ruler has no labels",
        "en_core_made_up": "there is no spaCy pipeline 'en_core_made_up': .*spacy download",
        "": "there is no spaCy pipeline ''",
        str(tmp_path): r"cannot load the spaCy pipeline '.*': .*meta\.json",
    }
    for model, message in cases.items():
        with pytest.raises(Error, match=message):
            load_tagger(f"spacy:{model}")


@spacy_only
def test_wrong_options_of_spacy(ruler: str) -> None:
    with pytest.raises(OptionError, match="has no class 'ORG', only LOC, PERSON"):
        load_tagger(f"spacy:{ruler}", classes={"ORG": "O"})
    with pytest.raises(OptionError, match="spaCy computes on one device"):
        load_tagger(f"spacy:{ruler}", device=["cuda:0", "cuda:1"])
    with pytest.raises(OptionError, match="device='tpu': expected 'auto', 'cpu', or a GPU"):
        load_tagger(f"spacy:{ruler}", device="tpu")
    with pytest.raises(OptionError, match="device='cuda:9': cannot compute there"):
        load_tagger(f"spacy:{ruler}", device="cuda:9")
    with pytest.raises(DataError, match="row 1, column 'tokens', value null: word 0 is missing"):
        load_tagger(f"spacy:{ruler}").tag_batch([["a"], [None]])  # type: ignore[list-item]  # on purpose
    assert labels_of(load_tagger(f"spacy:{ruler}", classes=RENAMED, device="cpu")) == LABELS


def test_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module in ("spacy", "gliner"):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(
            MissingExtraError, match=rf"{module}, which is not installed; pip install 'xner\[{module}\]'"
        ):
            load_tagger(f"{module}:{tmp_path}", asked_classes=["person"])


@spacy_only
def test_identity_is_the_content(pipeline: Callable[..., str], ruler: str, tmp_path: Path) -> None:
    copied = shutil.copytree(ruler, tmp_path / "copy")
    one, same = load_tagger(f"spacy:{ruler}"), load_tagger(f"spacy:{copied}")
    assert one.identity == same.identity
    patterns = copied / "entity_ruler" / "patterns.jsonl"
    patterns.write_text(patterns.read_text("utf-8").replace("Angela", "Helmut"), encoding="utf-8")
    other = load_tagger(f"spacy:{copied}")
    assert other.identity != one.identity, "a file in a folder of the folder"
    assert ruler in one.signature
    assert "spacy:" in one.signature


@spacy_only
def test_an_installed_package(ruler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `spacy download` installs them; its version tells it from others."""
    package = tmp_path / "xx_made_up"
    meta = json.loads((Path(ruler) / "meta.json").read_text("utf-8")) | {"name": "made_up", "version": "1.2.3"}
    shutil.copytree(ruler, package / "xx_made_up-1.2.3")
    for folder in (package, package / "xx_made_up-1.2.3"):
        (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    (package / "__init__.py").write_text(
        "from spacy.util import load_model_from_init_py\n"
        "def load(**options): return load_model_from_init_py(__file__, **options)\n"
    )
    info = tmp_path / "xx_made_up-1.2.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: xx_made_up\nVersion: 1.2.3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    tagger = load_tagger("spacy:xx_made_up", classes=RENAMED)
    assert labels_of(tagger) == LABELS
    assert tagger.identity.startswith("xx_made_up==1.2.3|spacy:")
    assert labels_of(pickle.loads(pickle.dumps(tagger))) == LABELS
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: xx_made_up\nVersion: 1.2.4\n")
    assert tagger.identity.startswith("xx_made_up==1.2.4|")
    sys.modules.pop("xx_made_up")


@pytest.mark.slow
@spacy_only
def test_stage_of_spacy(pipeline: Callable[..., str], ruler: str) -> None:
    other = pipeline(lambda nlp: nlp.add_pipe("entity_ruler").add_patterns(PATTERNS[:1]))
    roles: Any = ["labels", "source", "candidates", "scores"]
    others = [
        TaggerStage(load_tagger(f"spacy:{ruler}"), roles),
        TaggerStage(load_tagger(f"spacy:{ruler}", classes={"PERSON": "O"}), roles),
        TaggerStage(load_tagger(f"spacy:{other}", classes=RENAMED), roles),
        TaggerStage(load_tagger(f"spacy:{ruler}", classes=RENAMED), "labels"),
    ]
    stage = TaggerStage(load_tagger(f"spacy:{ruler}", classes=RENAMED), roles)
    check_stage(stage, table(), wrong=null_word(table(), schema.TOKENS, 2), others=others)


# --- On the command line --------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Path:
    words = [words for words in SENTENCES[:3] if words]
    io.write(pa.table({"tokens": words, "labels": [row for row in LABELS[:3] if row]}), tmp_path / "en.conll")
    (tmp_path / "de.txt").write_text("Angela Merkel besuchte Madrid .\nin Madrid\n")
    (tmp_path / "en.txt").write_text("Angela Merkel visited Madrid .\nin Madrid\n")
    (tmp_path / "l.pharaoh").write_text("0-0 1-1 2-2 3-3 4-4\n0-0 1-1\n")
    return tmp_path


@spacy_only
def test_tag_with_spacy(files: Path, ruler: str) -> None:
    run = done(
        xner("tag", "en.conll", "--model", f"spacy:{ruler}", "--class-map", "PERSON=PER", "-o", "a.conll", cwd=files)
    )
    assert io.read(files / "a.conll")["labels"].to_pylist() == [LABELS[0], LABELS[2]]
    assert "3 entities: 2 LOC, 1 PER" in run.stderr
    assert "PER        1.000" in run.stdout, "labels that were there are gold"
    options = ("--role", "scores", "--role", "source", "--ignore-class", "PERSON")
    done(xner("tag", "de.txt", "--model", f"spacy:{ruler}", *options, "-o", "a.parquet", cwd=files))
    assert pylist(io.read(files / "a.parquet")["ner_probabilities"])[1] == [[1, 0, 0], [0, 1, 0]]


@spacy_only
def test_what_was_annotated_before_is_not_what_is_found(files: Path, ruler: str) -> None:
    gold = [[{"start": 2, "end": 3, "label": "X"}], []]
    words = [SENTENCES[0], SENTENCES[2]]
    io.write(pa.table({"tokens": words, "entities": pa.array(gold, schema.ENTITIES_TYPE)}), files / "a.spacy")
    for name in ("b.spacy", "b.parquet"):
        done(xner("tag", "a.spacy", "--model", f"spacy:{ruler}", "--class-map", "PERSON=PER", "-o", name, cwd=files))
        found = io.read(files / name)
        assert found["labels"].to_pylist() == [LABELS[0], LABELS[2]]
    assert found["gold_labels"].to_pylist()[0] == ["O", "O", "B-X", "O", "O"]


@spacy_only
def test_projection_onto_what_spacy_finds(files: Path, ruler: str) -> None:
    options = (
        "--tagger",
        f"spacy:{ruler}",
        "--class-map",
        "PERSON=PER",
        "--candidates",
        "given",
        "--score",
        "align_ner",
    )
    sides = ("--source", "en.conll", "--target", "de.txt", "--links", "l.pharaoh")
    done(xner("project", *sides, *options, "-o", "o.conll", cwd=files))
    assert io.read(files / "o.conll")["labels"].to_pylist() == [LABELS[0], LABELS[2]]


@spacy_only
def test_labels_by_way_of_another_language(files: Path, ruler: str) -> None:
    """The tagger of `translate-test` is one of spaCy; the translator repeats what it is told."""
    languages = ("--target-language", "de", "--translator", "command:cat")
    options = ("--tagger", f"spacy:{ruler}", "--class-map", "PERSON=PER")
    done(xner("translate-test", "--target", "de.txt", *languages, *options, "-o", "o.conll", cwd=files))
    assert io.read(files / "o.conll")["labels"].to_pylist() == [LABELS[0], LABELS[2]]


@spacy_only
def test_a_study_of_a_tagger_of_spacy(files: Path, ruler: str) -> None:
    options = ("--tagger", f"ready=spacy:{ruler}", "--class-map", "PERSON=PER", "--test", "en.conll")
    run = done(xner("study", "extrinsic", *options, "-o", "s", cwd=files))
    assert "ready reaches an F1 of 1.000" in run.stdout
    run = xner("study", "extrinsic", *options, "--classes", "person", "-o", "s", cwd=files)
    assert "asked_classes goes with a tagger that is asked for classes" in run.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--model", "spacy:x", "--decoding", "viterbi"), "--decoding goes with a --model of transformers"),
        (
            ("--model", "gliner:x", "--classes", "a", "--dtype", "float16"),
            "--dtype goes with a --model of transformers",
        ),
        (("--model", "gliner:x", "--classes", "a", "--compile"), "--compile goes with a --model of transformers"),
        (
            ("--model", "spacy:x", "--classes", "person"),
            "--classes person goes with a tagger that is asked for classes",
        ),
        (("--model", "x", "--tagger-threshold", "0.3"), "--tagger-threshold=0.3 goes with a tagger that is asked"),
        (("--model", "gliner:x"), "tagger='gliner:x' needs classes"),
        (("--model", "gliner:x", "--classes", "a,,b"), "expected names of classes"),
        (("--model", "gliner:x", "--classes", "a,a"), "a class is there twice"),
        (("--model", "spacy:x", "--class-map", "X"), "'--class-map': 'X': expected OLD=NEW"),
    ],
)
def test_options_that_a_tagger_does_not_take(files: Path, options: tuple[str, ...], message: str) -> None:
    run = xner("tag", "en.txt", *options, "-o", "o.conll", cwd=files)
    assert run.returncode == 2
    assert message in " ".join(run.stderr.replace("│", " ").split())
    assert not (files / "o.conll").exists()


def test_classes_of_a_pipeline() -> None:
    pipeline = Pipeline(tagger="gliner:m", classes="person, organization name", candidates="given")
    assert pipeline.tagging.classes == ("person", "organization name")
    assert pipeline.to_dict()["classes"] == ["person", "organization name"]
    assert pipeline.tagging.loading == {"classes": {}, "asked_classes": ("person", "organization name")}
    with pytest.raises(OptionError, match="needs classes"):
        Pipeline(tagger="gliner:m", candidates="given")
    with pytest.raises(OptionError, match="goes with a tagger that is asked for classes"):
        Pipeline(tagger="m", classes=["person"], candidates="given")


# --- GLiNER ---------------------------------------------------------------------------------------------------------

gliner_only = pytest.mark.needs("gliner")
ASKED = ["person", "location"]


@pytest.fixture(scope="module")
def gliner(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Saves models of GLiNER with random weights, of which most spans have a score of about a half."""
    import torch
    from gliner.config import GLiNERConfig
    from gliner.model import UniEncoderSpanGLiNER

    def make(*, longest: int = 512, seed: int = 0, **options: Any) -> str:
        folder = tmp_path_factory.mktemp("gliner")
        encoder = tiny_models.save_bert(folder / "encoder", longest=longest)
        config = json.loads((encoder / "config.json").read_text("utf-8"))
        options = {"hidden_size": 16, "max_width": 4, "max_len": 40, "dropout": 0.0} | options
        torch.manual_seed(seed)
        model = UniEncoderSpanGLiNER.load_from_config(
            GLiNERConfig(model_name=str(encoder), encoder_config=config, **options), backbone_from_pretrained=False
        )
        model.save_pretrained(folder / "model", safe_serialization=True)
        return str(folder / "model")

    return make


@pytest.fixture(scope="module")
def random_gliner(gliner: Callable[..., str]) -> str:
    return gliner()


def load_gliner(model: str, **options: Any) -> Any:
    return load_tagger(f"gliner:{model}", **({"asked_classes": ASKED, "device": "cpu"} | options))


@gliner_only
def test_spans_are_those_of_the_library(random_gliner: str) -> None:
    """Sentence by sentence, by GLiNER alone, where words are what it takes for words."""
    from gliner import GLiNER

    model = GLiNER.from_pretrained(random_gliner)
    tagger = load_gliner(random_gliner, classes={"person": "PER"}, threshold=0.1)
    assert tagger.label_names == ("O", "B-PER", "I-PER", "B-location", "I-location")
    sentences = [["Angela", "Merkel", "visited", "Madrid"], ["the"], ["walked", "to", "a", "walker", "on", "it"] * 3]
    found = tagger.tag_batch(sentences)
    entities = pylist(found.entities)
    assert sum(map(len, entities)) > 3
    first = 0
    for words, row in zip(sentences, entities, strict=True):
        text = " ".join(words)
        expected = model.inference([text], ASKED, threshold=0.1)[0]
        names = {"person": "PER", "location": "location"}
        spans = [
            (len(text[: one["start"]].split()), len(text[: one["end"]].split()), names[one["label"]], one["score"])
            for one in sorted(expected, key=lambda one: one["start"])
        ]
        assert [(one["start"], one["end"], one["label"]) for one in row] == [span[:3] for span in spans]
        for start, _, label, score in spans:
            assert found.probabilities[first + start, tagger.label_names.index(f"B-{label}")] == pytest.approx(
                score, abs=1e-4
            )
            assert found.probabilities[first + start, 0] == pytest.approx(1 - score, abs=1e-4)
        first += len(words)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)


@gliner_only
def test_words_that_gliner_splits(random_gliner: str) -> None:
    """What it finds in parts of words are the words; nothing overlaps, blank words are no words for it."""
    tagger = load_gliner(random_gliner, threshold=0.4)
    for words in (["U.S.", "(the", "\u200b", "e-mail", "", "x.y@z.", " "], ["...", "."], ["", " "], []):
        found = tagger.tag_batch([words, ["the"]])
        assert found.lengths.tolist() == [len(words), 1]
        assert [len(row) for row in pylist(found.labels)] == [len(words), 1]
    assert pylist(tagger.tag_batch([["", " "]]).status) == ["words_without_pieces"]


@gliner_only
@pytest.mark.parametrize("limits", [{"max_len": 12}, {"longest": 40}, {"max_len": 1000}])
def test_long_sentences_in_windows(gliner: Callable[..., str], limits: dict[str, int], recwarn: Any) -> None:
    """All words are shown to the model, and nothing is cut off."""
    tagger = load_gliner(gliner(**limits), threshold=0.1)
    shown: list[list[str]] = []
    ask = tagger._ask

    def noted(sentences: Any) -> Any:
        shown.extend(map(list, sentences))
        return ask(sentences)

    tagger._ask = noted
    words = [f"{word}{number}." for number in range(20) for word in ("a", "the", "Xyz")]
    found = tagger.tag_batch([words, ["the"]])
    assert [len(row) for row in pylist(found.labels)] == [60, 1]
    assert {word for part in shown for word in part} == {*words, "the"}
    model = tagger._model
    tokenizer = model.data_processor.transformer_tokenizer
    prompt = [part for name in ASKED for part in ("<<ENT>>", name)] + ["<<SEP>>"]
    sizes = []
    for part in shown:
        own = [word for word, _, _ in model.data_processor.words_splitter(" ".join(part))]
        pieces = len(tokenizer(prompt + own, is_split_into_words=True)["input_ids"])
        assert len(own) <= model.config.max_len
        assert pieces <= tokenizer.model_max_length
        sizes.append(len(own))
    assert max(sizes) > 8
    assert (len(shown) == 2) == (limits == {"max_len": 1000})
    assert not [one for one in recwarn if "truncated" in str(one.message)]


@gliner_only
def test_names_of_classes_that_leave_no_room(gliner: Callable[..., str]) -> None:
    with pytest.raises(Error, match=r"takes 40 word pieces, and the names of 9 classes are .*: ask for fewer"):
        load_gliner(gliner(longest=40), asked_classes=[f"class {number}" for number in range(9)]).tag_batch([["a"]])


@gliner_only
def test_models_that_cannot_be_used(gliner: Callable[..., str], tmp_path: Path) -> None:
    from gliner import GLiNER

    folder = Path(gliner())
    config = json.loads((folder / "gliner_config.json").read_text("utf-8"))

    def refused(message: str, **changes: Any) -> None:
        (folder / "gliner_config.json").write_text(json.dumps(config | changes), encoding="utf-8")
        with pytest.raises(Error, match=message):
            load_gliner(str(folder), lazily=True)

    code = {"auto_map": {"AutoModel": "evil.Model"}}
    refused("comes with code of its own", encoder_config=config["encoder_config"] | code)
    refused("comes with code of its own", labels_encoder="x", labels_encoder_config={"model_type": "bert", **code})
    encoder = Path(config["model_name"]) / "config.json"
    encoder.write_text(json.dumps(json.loads(encoder.read_text("utf-8")) | code), encoding="utf-8")
    refused("comes with code of its own", encoder_config=None)
    refused("makes up classes", labels_decoder="gpt2")
    refused("finds relations", relations_layer="x")
    (folder / "gliner_config.json").write_text(json.dumps(config), encoding="utf-8")
    GLiNER.from_pretrained(str(folder)).save_pretrained(tmp_path / "pickled")
    for model, message in (
        (tmp_path / "pickled", r"has no model\.safetensors, .* safe_serialization=True"),
        (tmp_path, "no gliner_config.json"),
        ("nothing/here", "cannot load the model of GLiNER 'nothing/here'"),
    ):
        with pytest.raises(Error, match=message):
            load_gliner(str(model))
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights.pop(sorted(weights)[0])
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(Error, match="has not the weights of a model of GLiNER: 1 are missing"):
        load_gliner(str(folder))


@gliner_only
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"asked_classes": []}, "expected the names of the classes to find"),
        ({"asked_classes": ["O"]}, "expected the names of the classes to find"),
        ({"asked_classes": ["a", "a"]}, "a name is there twice"),
        ({"asked_classes": "person"}, "expected a sequence of words, not one string"),
        ({"threshold": 1}, "threshold=1: expected a number from 0 on and below 1"),
        ({"classes": {"ORG": "O"}}, "has no class 'ORG', only person, location"),
        ({"device": ["cpu", "cpu"]}, "GLiNER computes on one device"),
    ],
)
def test_wrong_options_of_gliner(random_gliner: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(Error, match=message):
        load_gliner(random_gliner, **options)


@pytest.mark.slow
@gliner_only
def test_stage_of_gliner(gliner: Callable[..., str], random_gliner: str) -> None:
    roles: Any = ["labels", "scores"]
    others = [
        TaggerStage(load_gliner(random_gliner, classes={"person": "O"}), roles),
        TaggerStage(load_gliner(random_gliner, asked_classes=["person"]), roles),
        TaggerStage(load_gliner(random_gliner, threshold=0.6), roles),
        TaggerStage(load_gliner(gliner(seed=1)), roles),
    ]
    stage = TaggerStage(load_gliner(random_gliner, lazily=True), roles)
    wrong = null_word(table(), schema.TOKENS, 2)
    check_stage(stage, table(), wrong=wrong, others=others, elsewhere=["spawn"], tolerance=1e-4)


@gliner_only
def test_gliner_on_the_command_line(files: Path, random_gliner: str) -> None:
    asked = ("--classes", "person,location", "--class-map", "person=PER", "--tagger-threshold", "0.45")
    run = done(
        xner(
            "tag",
            "en.txt",
            "--model",
            f"gliner:{random_gliner}",
            "--device",
            "cpu",
            *asked,
            "-o",
            "o.parquet",
            cwd=files,
        )
    )
    assert "asked:person,location|threshold:0.45|classes:PER,location" in run.stderr
    expected = load_gliner(random_gliner, classes={"person": "PER"}, threshold=0.45)
    words = [words for words in SENTENCES[:3] if words]
    assert io.read(files / "o.parquet")["labels"].to_pylist() == labels_of(expected, words)
    options = ("--tagger", f"gliner:{random_gliner}", "--tagger-device", "cpu", *asked, "--candidates", "given")
    sides = ("--source", "en.conll", "--target", "de.txt", "--links", "l.pharaoh")
    done(xner("project", *sides, *options, "-o", "o.conll", cwd=files))
