from __future__ import annotations

import json

import extras

extras.need("models")

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers

import tiny_models
from xner import Error
from xner.models.network.device import in_halves, resolve_devices, resolve_dtype
from xner.models.network.encoder import Encoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

CPU = torch.device("cpu")
SENTENCES = [["Angela", "Merkel", "visited", "Madrid", "."], ["the", "walker"], [], ["a"] * 9, ["on", "\u200b", "it"]]


def load(folder: Path, layer: int = 2) -> Encoder:
    return Encoder.load(str(folder), layer, device=CPU, dtype=torch.float32)


def embed(encoder: Encoder, sentences: Sequence[Sequence[str]], **options: int) -> list[torch.Tensor]:
    settings = {"token_budget": 40, "overlap": 4} | options
    return encoder.embed(encoder.tokenizer.pieces(sentences), **settings)  # type: ignore[arg-type]  # no language here


@pytest.mark.parametrize("layer", [0, 1, 3, 4])
def test_embeddings_are_the_hidden_states_of_the_whole_model(tiny_bert: Path, layer: int) -> None:
    encoder = load(tiny_bert, layer)
    whole = transformers.AutoModel.from_pretrained(tiny_bert).eval()
    found = embed(encoder, SENTENCES)
    for sentence, embedding in zip(encoder.tokenizer.pieces(SENTENCES), found, strict=True):
        assert embedding.shape == (len(sentence), 32 if len(sentence) else embedding.shape[1])
        if not len(sentence):
            continue
        before, after = encoder.tokenizer.around()
        ids = torch.tensor([[*before, *sentence.ids, *after]])
        with torch.inference_mode():
            states = whole(ids, output_hidden_states=True).hidden_states[layer][0]
        torch.testing.assert_close(embedding, states[len(before) : -len(after)], atol=1e-5, rtol=1e-4)


def test_layers_above_are_not_even_loaded(tiny_bert: Path) -> None:
    encoder = load(tiny_bert, 1)
    network: Any = encoder._network.network
    assert len(network.model.encoder.layer) == 1


def test_batching_changes_nothing_but_rounding(tiny_bert: Path) -> None:
    encoder = load(tiny_bert)
    for one, other in zip(
        embed(encoder, SENTENCES, token_budget=1), embed(encoder, SENTENCES, token_budget=999), strict=True
    ):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_long_sentences_are_encoded_in_windows(short_bert: Path) -> None:
    encoder = load(short_bert)
    assert encoder.capacity == 22
    words = ["the", "of", "in", "to", "is"] * 20
    [embedding] = embed(encoder, [words], overlap=10)
    assert embedding.shape == (100, 32)
    # The first window's beginning, alone.
    [alone] = embed(encoder, [words[:22]])
    torch.testing.assert_close(embedding[:17], alone[:17], atol=1e-5, rtol=1e-4)
    # And the last one's end.
    [alone] = embed(encoder, [words[-22:]])
    torch.testing.assert_close(embedding[-11:], alone[-11:], atol=1e-5, rtol=1e-4)


def test_positions_that_start_behind_the_padding_token(tiny_xlm_roberta: Path) -> None:
    encoder = load(tiny_xlm_roberta)
    assert encoder.capacity == 130 - 2 - 2
    [embedding] = embed(encoder, [["a"] * 400], token_budget=4000)
    assert len(embedding) >= 400
    assert torch.isfinite(embedding).all()


def test_the_encoder_of_a_translation_model(tiny_nllb: Path) -> None:
    whole = transformers.AutoModel.from_pretrained(tiny_nllb).eval()
    encoder = load(tiny_nllb, 3)
    sentences = encoder.tokenizer.pieces([["a", "bc"]])
    [english] = encoder.embed(sentences, language="eng_Latn", token_budget=64, overlap=8)
    [german] = encoder.embed(sentences, language="deu_Latn", token_budget=64, overlap=8)
    assert not torch.allclose(english, german)
    before, after = encoder.tokenizer.around("eng_Latn")
    with torch.inference_mode():
        states = whole.get_encoder()(torch.tensor([[*before, *sentences[0].ids, *after]])).last_hidden_state[0]
    torch.testing.assert_close(english, states[1:-1], atol=1e-5, rtol=1e-4)


def test_a_fine_tuned_language_model_loads_as_it_is(tiny_masked_bert: Path) -> None:
    whole = transformers.AutoModelForMaskedLM.from_pretrained(tiny_masked_bert).eval()
    encoder = load(tiny_masked_bert, 3)
    [sentence] = encoder.tokenizer.pieces([["the", "walker"]])
    [found] = encoder.embed([sentence], token_budget=64, overlap=8)
    with torch.inference_mode():
        states = whole(torch.tensor([[2, *sentence.ids, 3]]), output_hidden_states=True).hidden_states[3][0]
    torch.testing.assert_close(found, states[1:-1], atol=1e-5, rtol=1e-4)


def test_half_precision(tiny_bert: Path) -> None:
    encoder = Encoder.load(str(tiny_bert), 2, device=CPU, dtype=torch.bfloat16)
    assert encoder.dtype == "bfloat16"
    [found] = embed(encoder, [["the", "walker"]])
    [exact] = embed(load(tiny_bert), [["the", "walker"]])
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), exact, atol=0.1, rtol=0.1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_compiled_it_is_the_same(tiny_bert: Path) -> None:
    compiled = Encoder.load(str(tiny_bert), 2, device=CPU, dtype=torch.float32, compile=True)
    for one, other in zip(embed(compiled, SENTENCES), embed(load(tiny_bert), SENTENCES), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


class TestWhatCannotBeLoaded:
    def test_no_such_model(self, tmp_path: Path) -> None:
        with pytest.raises(Error, match="cannot load the tokenizer of"):
            load(tmp_path / "nothing")

    def test_too_few_layers(self, tiny_bert: Path) -> None:
        with pytest.raises(Error, match=r"layer=5: the encoder '.*' has the layers 0 to 4"):
            load(tiny_bert, 5)

    def test_pickled_weights(self, tmp_path: Path) -> None:
        tokenizer = tiny_models.bert_tokenizer()
        tokenizer.save_pretrained(tmp_path)
        model = transformers.BertModel(tiny_models.bert_config(tokenizer))
        model.config.save_pretrained(tmp_path)
        torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
        with pytest.raises(Error, match="weights are read from safetensors files only"):
            load(tmp_path)

    @pytest.mark.parametrize("kind", ["bert", "evil"])
    def test_code_of_a_model_is_not_run(self, tiny_bert: Path, tmp_path: Path, kind: str) -> None:
        folder = tmp_path / "model"
        folder.mkdir()
        tiny_models.save_bert(folder)
        config = json.loads((folder / "config.json").read_text())
        classes = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model", "AutoTokenizer": ["evil.Tokenizer", None]}
        (folder / "config.json").write_text(json.dumps({**config, "model_type": kind, "auto_map": classes}))
        (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
        try:
            load(folder)
        except Error:
            assert kind == "evil", "a type that transformers knows is loaded by its own code"
        assert not (tmp_path / "ran").exists()

    def test_weights_of_something_else(self, tiny_bert: Path, tmp_path: Path) -> None:
        from safetensors.torch import save_file

        tiny_models.save_bert(tmp_path)
        save_file({"something.else": torch.zeros(2)}, tmp_path / "model.safetensors", {"format": "pt"})
        with pytest.raises(Error, match=r"has not the weights of an encoder of type 'bert': \d+ are missing"):
            load(tmp_path)

    def test_an_encoder_for_single_tokens(self, tmp_path: Path) -> None:
        with pytest.raises(Error, match="takes 1 word pieces at once; at least 2 are needed"):
            load(tiny_models.save_bert(tmp_path, longest=3))


class TestDevices:
    def test_auto(self) -> None:
        assert len(resolve_devices("auto", what="a test")) >= 1

    def test_by_name(self) -> None:
        assert resolve_devices(["cpu", "cpu"], what="a test") == [CPU, CPU]

    @pytest.mark.parametrize("name", ["cuda:99", "gpu", ""])
    def test_no_such_device(self, name: str) -> None:
        with pytest.raises(Error, match=f"device='{name}': cannot compute there: "):
            resolve_devices([name], what="a test")

    def test_none(self) -> None:
        with pytest.raises(Error, match="at least one device"):
            resolve_devices([], what="a test")

    def test_precision(self) -> None:
        assert resolve_dtype("auto", CPU, what="a test") == torch.float32
        assert resolve_dtype("bfloat16", CPU, what="a test") == torch.bfloat16
        with pytest.raises(Error, match="dtype='int8': expected one of 'auto'"):
            resolve_dtype("int8", CPU, what="a test")  # type: ignore[arg-type]  # on purpose


def test_a_batch_that_does_not_fit_is_done_in_halves() -> None:
    tried: list[int] = []
    done: list[int] = []

    def work(batch: Sequence[int]) -> None:
        tried.append(len(batch))
        if len(batch) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        done.extend(batch)

    in_halves(work, range(10))
    assert done == list(range(10))
    assert tried == [10, 5, 2, 3, 5, 2, 3]


def test_a_single_item_that_does_not_fit() -> None:
    def work(batch: Sequence[int]) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        in_halves(work, [1, 2])


@pytest.fixture
def four_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("four_threads")
class TestBatchesAtOnce:
    def test_all_is_as_with_one_thread(self, tiny_bert: Path) -> None:
        encoder = load(tiny_bert)
        many = [["the", "walker", *"abcdefgh"[:size]] for size in range(8)] * 4
        finished: list[int] = []
        pieces = encoder.tokenizer.pieces(many)
        found = encoder.embed(pieces, token_budget=24, overlap=4, progress=finished.append)
        torch.set_num_threads(1)
        alone = encoder.embed(pieces, token_budget=24, overlap=4)
        assert all(map(torch.equal, found, alone))
        assert sum(finished) == len(many)

    def test_other_threads_compute_as_before(self, tiny_bert: Path) -> None:
        embed(load(tiny_bert), SENTENCES)
        assert torch.get_num_threads() == 4
        with ThreadPoolExecutor(1) as other:
            assert other.submit(torch.get_num_threads).result() == 4

    def test_a_failure_is_raised(self, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        encoder = load(tiny_bert)

        def fail(rows: Sequence[Sequence[int]]) -> torch.Tensor:
            raise RuntimeError(f"{len(rows)} rows")

        monkeypatch.setattr(encoder._network.network, "forward", fail)
        with pytest.raises(RuntimeError, match="rows"):
            embed(encoder, SENTENCES)
