"""Encoders in CTranslate2 beside the same ones in torch."""

from __future__ import annotations

import extras

extras.need("models")
extras.need("translate")

import pickle
import random
import shutil
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers

import tiny_models
from xner import Error, schema
from xner._support.arrow import pylist
from xner._support.folders import cache_folder
from xner.models.aligners import EncoderAligner
from xner.models.network import conversion
from xner.models.network.encoder import Encoder
from xner.pipelines.aligning import AligningOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa

CPU = torch.device("cpu")


def save_distilbert(folder: Path) -> Path:
    tokenizer = tiny_models.bert_tokenizer(64)
    sizes = {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 64, "max_position_embeddings": 64} | LARGE
    torch.manual_seed(0)
    transformers.DistilBertModel(transformers.DistilBertConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(
        folder
    )
    tokenizer.save_pretrained(folder)
    return folder


def save_camembert(folder: Path) -> Path:
    """An XLM-R under the name of a model that is built alike."""
    tiny_models.save_xlm_roberta(folder)
    config = transformers.CamembertConfig.from_pretrained(folder, **LARGE)
    torch.manual_seed(0)
    transformers.CamembertModel(config).save_pretrained(folder)
    return folder


# Weights large enough for similarities that differ by more than rounding.
LARGE: dict[str, Any] = {"initializer_range": 0.1}
FAMILIES: dict[str, Callable[[Path], Path]] = {
    "bert": partial(tiny_models.save_bert, **LARGE),
    "masked-bert": partial(tiny_models.save_bert, head="BertForMaskedLM", **LARGE),
    "short-bert": partial(tiny_models.save_bert, longest=24, **LARGE),
    "xlm-roberta": partial(tiny_models.save_xlm_roberta, **LARGE),
    "roberta": partial(tiny_models.save_roberta, **LARGE),
    "distilbert": save_distilbert,
    "camembert": save_camembert,
}


# Alike others, or seldom.
SLOW = {"masked-bert", "camembert", "distilbert"}


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in FAMILIES])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return FAMILIES[request.param](tmp_path / "model")


def sentences(count: int, seed: int) -> list[list[str]]:
    """Random ones; some are empty, one has 600 words, and some words make no pieces in any tokenizer but of bytes."""
    draw = random.Random(seed)
    words = [*tiny_models.WORDS, "x1", "Zug,", "abcdefghij", "\u200b"]
    lengths = [600, 0, *(draw.choice([0, 1, 3, 8, 20, 45]) for _ in range(count - 2))]
    return [draw.choices(words, k=length) for length in lengths]


def load(folder: Path, **options: Any) -> EncoderAligner:
    settings: dict[str, Any] = {"device": "cpu", "layer": 2, "engine": "ctranslate2", "window_overlap": 8}
    return EncoderAligner.load("simalign-mbert", str(folder), **(settings | options))


def same_links(one: pa.Array[Any], other: pa.Array[Any]) -> float:
    """Links that both have, as a share of those that either has."""
    first, second = (
        {(row, link["source"], link["target"]) for row, links in enumerate(pylist(side)) for link in links}
        for side in (one, other)
    )
    return len(first & second) / len(first | second)


def test_in_float32_it_says_what_torch_says(model: Path) -> None:
    source, target = sentences(40, 0), sentences(40, 1)
    torch_encoder = Encoder.load(str(model), 2, device=CPU, dtype=torch.float32)
    other = Encoder.convert(str(model), 2, dtype="float32")
    assert other.capacity == torch_encoder.capacity
    pieces = torch_encoder.tokenizer.pieces(source)
    settings: dict[str, Any] = {"token_budget": 300, "overlap": 8}
    for one, two in zip(torch_encoder.embed(pieces, **settings), other.embed(pieces, **settings), strict=True):
        if len(one):
            torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-4)

    found = load(model).align_batch(source, target)
    expected = load(model, engine="transformers").align_batch(source, target)
    assert found.column(schema.STATUS).to_pylist() == expected.column(schema.STATUS).to_pylist()
    assert "empty_source" in found.column(schema.STATUS).to_pylist()
    assert max(map(len, pieces)) > torch_encoder.capacity, "one is encoded in windows"
    links, expected_links = found.column(schema.LINKS), expected.column(schema.LINKS)
    assert same_links(links[1:], expected_links[1:]) > 0.999
    # Among 360 000 pairs of twenty different words, a few similarities are as good as the same.
    assert same_links(links[:1], expected_links[:1]) > 0.99


def test_in_int8_it_says_nearly_the_same(tiny_bert: Path) -> None:
    source, target = sentences(60, 0), sentences(60, 1)
    rough, exact = (Encoder.convert(str(tiny_bert), 2, dtype=dtype) for dtype in ("int8", "float32"))
    pieces = exact.tokenizer.pieces(source)
    one, other = (torch.cat(encoder.embed(pieces, token_budget=300, overlap=8)) for encoder in (rough, exact))
    cosine = torch.nn.functional.cosine_similarity(one, other)
    assert 0.99 < float(cosine.min()) < 1
    found, expected = load(tiny_bert, dtype="int8").align_batch(source, target), load(tiny_bert).align(source, target)
    assert 0.7 < same_links(found.column(schema.LINKS), expected) < 1


@pytest.mark.parametrize(("cores", "workers", "threads"), [(1, 1, 1), (2, 2, 1), (10, 4, 2)])
def test_several_batches_at_once(
    cores: int, workers: int, threads: int, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ctranslate2

    made: list[dict[str, Any]] = []
    kind = ctranslate2.Encoder

    def spy(folder: str, **options: Any) -> Any:
        made.append(options)
        return kind(folder, **options)

    source, target = sentences(20, 0), sentences(20, 1)
    expected = load(tiny_bert).align(source, target)
    monkeypatch.setattr(ctranslate2, "Encoder", spy)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)))
    assert same_links(load(tiny_bert, token_budget=40).align(source, target)[1:], expected[1:]) > 0.99
    assert [(one["inter_threads"], one["intra_threads"]) for one in made] == [(workers, threads)]


def test_torch_has_as_many_threads_as_before(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        load(tiny_bert).align([["the"]], [["of"]])
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_signature_identity_and_a_pickled_one(tiny_bert: Path) -> None:
    kinds: list[dict[str, Any]] = [{"engine": "transformers"}, {}, {"dtype": "int8"}]
    aligners = [load(tiny_bert, **options) for options in kinds]
    assert len({one.signature for one in aligners}) == len({one.identity for one in aligners}) == 3
    assert "|engine:ctranslate2|dtype:float32" in aligners[1].signature
    assert "|engine:ctranslate2|dtype:int8" in aligners[2].signature
    assert load(tiny_bert, dtype="float32").identity == aligners[1].identity, "which is what 'auto' is"
    again = pickle.loads(pickle.dumps(aligners[2]))
    assert again.signature == aligners[2].signature
    assert again.align([["the", "of"]], [["of"]]) == aligners[2].align([["the", "of"]], [["of"]])


class TestConversion:
    @pytest.fixture(autouse=True)
    def caches(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))

    def kept(self) -> list[str]:
        return sorted(path.name.partition("-")[2] for path in (cache_folder() / "ctranslate2").iterdir())

    def test_once_for_each_layer_and_precision(self, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        load(tiny_bert)
        load(tiny_bert, dtype="int8")
        load(tiny_bert, layer=1)
        assert self.kept() == ["layer1-float32", "layer2-float32", "layer2-int8"]
        monkeypatch.setattr(conversion, "quiet", None)  # what converting would need
        load(tiny_bert)

    def test_layers_above_are_not_kept(self, tiny_bert: Path) -> None:
        load(tiny_bert, layer=1)
        load(tiny_bert, layer=3)
        sizes = [path.stat().st_size for path in sorted((cache_folder() / "ctranslate2").glob("*/model.bin"))]
        assert sizes[1] - sizes[0] > 2 * 4 * (4 * 32 * 32 + 2 * 32 * 64)

    def test_another_model_in_the_same_place(self, tmp_path: Path) -> None:
        tiny_models.save_bert(tmp_path / "model")
        before = load(tmp_path / "model").identity
        tiny_models.save_bert(tmp_path / "model", seed=1)
        assert load(tmp_path / "model").identity != before
        assert self.kept() == ["layer2-float32", "layer2-float32"]

    @pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("no space left on device")])
    def test_one_that_was_interrupted_leaves_nothing(
        self, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
    ) -> None:
        from ctranslate2.specs import TransformerEncoderModelSpec

        def fail(self: Any, path: str) -> None:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr(TransformerEncoderModelSpec, "save", fail)
            with pytest.raises((KeyboardInterrupt, Error)):
                load(tiny_bert)
        assert self.kept() == []
        assert len(load(tiny_bert).align([["the"]], [["of"]])) == 1

    def test_what_was_killed_is_not_taken(self, tiny_bert: Path) -> None:
        load(tiny_bert)
        [place] = (cache_folder() / "ctranslate2").iterdir()
        place.rename(place.with_name(f".{place.name}.abc"))
        (place.with_name(f".{place.name}.abc") / "model.bin").write_bytes(b"half")
        assert len(load(tiny_bert).align([["the"]], [["of"]])) == 1

    def test_a_kept_one_that_is_damaged(self, tiny_bert: Path) -> None:
        load(tiny_bert)
        [file] = (cache_folder() / "ctranslate2").glob("*/model.bin")
        file.write_bytes(b"half")
        with pytest.raises(Error, match=r"cannot load the encoder '.*' into CTranslate2: "):
            load(tiny_bert)


class TestWhatCannotBe:
    def test_other_families(self, tiny_nllb: Path) -> None:
        with pytest.raises(
            Error, match=r"takes encoders of the types 'bert', .*is of type 'm2m_100', which transformers"
        ):
            EncoderAligner.load(
                "nllb-encoder",
                str(tiny_nllb),
                engine="ctranslate2",
                layer=2,
                source_language="eng_Latn",
                target_language="deu_Latn",
            )

    def test_the_embedding_layer(self, tiny_bert: Path) -> None:
        with pytest.raises(Error, match="layer=0: CTranslate2 computes layers from 1 on"):
            load(tiny_bert, layer=0)

    def test_too_few_layers(self, tiny_bert: Path) -> None:
        with pytest.raises(Error, match=r"layer=5: the encoder '.*' has the layers 0 to 4"):
            load(tiny_bert, layer=5)

    def test_an_activation_that_the_converter_does_not_know(self, tmp_path: Path) -> None:
        tiny_models.save_bert(tmp_path, hidden_act="mish")
        with pytest.raises(Error, match=r"cannot convert '.*' to CTranslate2's format: 'mish'"):
            load(tmp_path)

    def test_pickled_weights(self, tiny_bert: Path, tmp_path: Path) -> None:
        shutil.copytree(tiny_bert, tmp_path / "model")
        (tmp_path / "model" / "model.safetensors").rename(tmp_path / "model" / "pytorch_model.bin")
        with pytest.raises(Error, match="it has no weights in safetensors files"):
            load(tmp_path / "model")

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"engine": "onnx"}, "engine='onnx': expected one of 'transformers', 'ctranslate2'"),
            ({"engine": "transformers", "dtype": "int8"}, "dtype='int8': that is for engine='ctranslate2'"),
            ({"dtype": "bfloat16"}, "dtype='bfloat16': that is for engine='transformers'; expected float32 or int8"),
            ({"device": "cuda"}, "device='cuda': that is for engine='transformers'; CTranslate2 computes"),
            ({"compile": True}, "compile=True: that is for engine='transformers'"),
        ],
    )
    def test_options(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(Error, match=message):
            EncoderAligner.load("simalign-mbert", lazily=True, **({"engine": "ctranslate2"} | options))

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"aligner_dtype": "int8"}, "aligner_dtype='int8': that is for aligner_engine='ctranslate2'"),
            (
                {"aligner_engine": "ctranslate2", "aligner_dtype": "float16"},
                "aligner_dtype='float16': that is for aligner_engine='transformers'; expected float32 or int8",
            ),
            (
                {"aligner_engine": "ctranslate2", "aligner_device": "cuda"},
                "aligner_device='cuda': that is for aligner_engine='transformers'; CTranslate2 computes",
            ),
            (
                {"aligner_engine": "ctranslate2", "aligner_compile": True},
                "aligner_compile=True goes with aligner_engine='transformers'",
            ),
        ],
    )
    def test_options_of_a_pipeline(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(Error, match=message):
            AligningOptions(aligner=("labse",), **options)

    def test_without_the_extra(self, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "ctranslate2", None)
        with pytest.raises(Error, match=r"aligner with CTranslate2 needs ctranslate2.*'xner\[translate\]'"):
            load(tiny_bert)
