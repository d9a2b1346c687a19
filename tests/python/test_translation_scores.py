"""Probabilities of translations by both engines."""

from __future__ import annotations

import extras

extras.need("models", "translate")

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
import transformers

import tiny_models
from reference.nmt_score import mean_log_probability
from xner import Error
from xner.models.scorers import load_translation_scorer
from xner.models.scorers.translation_scores import ModelScorer
from xner.models.translators.engines import CTranslate2Engine, TransformersEngine
from xner.models.translators.seq2seq import Seq2SeqTokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LANGUAGES = ("eng_Latn", "deu_Latn")
PAIRS = [
    ("Angela Merkel", "Frau Merkel"),
    ("Angela Merkel", "Merkel"),
    ("the Bank of England", "a"),
    ("a", "die Bank von England"),
    ("Madrid", "Madrid"),
    ("", ""),
    ("Angela Merkel", "Frau Merkel"),
]


def load(folder: Path, **options: Any) -> ModelScorer:
    scorer = load_translation_scorer(str(folder), device=options.pop("device", "cpu"), **options)
    assert isinstance(scorer, ModelScorer)
    return scorer


def model_of(scorer: ModelScorer) -> Any:
    """The first copy of its model: what goes in and out is not seen from outside."""
    return scorer._engine.models[0]


def scores(
    scorer: ModelScorer, pairs: Sequence[tuple[str, str]] = PAIRS, languages: tuple[str, str] = LANGUAGES
) -> Any:
    found = np.full(len(pairs), np.nan)
    for rows, values in scorer.log_probabilities(pairs, *languages):
        assert np.isnan(found[list(rows)]).all(), "each pair once"
        found[list(rows)] = values
    return found


@pytest.fixture(scope="module")
def expected(outspoken_nllb: Path) -> Any:
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(outspoken_nllb).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(outspoken_nllb)
    return np.array([mean_log_probability(model, tokenizer, *pair, LANGUAGES) for pair in PAIRS])


@pytest.mark.parametrize("engine", ["outspoken_nllb", "converted_nllb"])
@pytest.mark.parametrize("token_budget", [None, 1, 24])
def test_log_probabilities_are_the_reference(
    engine: str, token_budget: int | None, expected: Any, request: pytest.FixtureRequest
) -> None:
    scorer = load(request.getfixturevalue(engine), token_budget=token_budget)
    np.testing.assert_allclose(scores(scorer), expected, atol=1e-4)


def test_engines_agree(outspoken_nllb: Path, converted_nllb: Path) -> None:
    """On texts of all lengths, in all directions, to 1e-3 and better."""
    generator = np.random.default_rng(5)
    texts = ["".join(generator.choice(list("abcdefgh  .,"), length)) for length in range(1, 60)]
    pairs = [(source, target) for source, target in zip(texts, generator.permutation(texts).tolist(), strict=True)]
    both = load(outspoken_nllb), load(converted_nllb)
    assert isinstance(both[0]._engine, TransformersEngine)
    assert isinstance(both[1]._engine, CTranslate2Engine)
    seen = []
    for languages in (LANGUAGES, LANGUAGES[::-1], ("deu_Latn", "deu_Latn"), ("eng_Latn", "fra_Latn")):
        ours, theirs = (scores(scorer, pairs, languages) for scorer in both)
        np.testing.assert_allclose(ours, theirs, atol=1e-3)
        seen.append(ours)
    assert all(np.abs(one - other).max() > 0.05 for k, one in enumerate(seen) for other in seen[:k]), "languages matter"


def test_the_model_sees_the_marks_of_both_languages(outspoken_nllb: Path) -> None:
    scorer = load(outspoken_nllb)
    model = model_of(scorer)
    seen: list[Any] = []
    for part in (model.get_encoder(), model.get_decoder()):
        part.register_forward_pre_hook(
            lambda _, __, values: seen.append(values["input_ids"].tolist()), with_kwargs=True
        )
    scores(scorer, [("ab", "b a")])
    tokenizer = transformers.AutoTokenizer.from_pretrained(outspoken_nllb)
    english, german = map(tokenizer.convert_tokens_to_ids, LANGUAGES)
    end = tokenizer.eos_token_id
    a, b, other_b = map(tokenizer.convert_tokens_to_ids, ("▁a", "b", "▁b"))
    assert english != german
    assert seen == [[[english, a, b, end]], [[end, german, other_b, a]]]


def test_tokens_are_those_of_the_tokenizer_itself(outspoken_nllb: Path) -> None:
    ours = Seq2SeqTokenizer.load(str(outspoken_nllb), what="a test")
    theirs = transformers.AutoTokenizer.from_pretrained(outspoken_nllb)
    texts = ["Angela Merkel", "", "don't? «x»", "a"]
    for language in ("eng_Latn", "fra_Latn"):
        theirs.src_lang = theirs.tgt_lang = language
        assert ours.encode(texts, language, "deu_Latn") == theirs(texts)["input_ids"]
        assert ours.encode_targets(texts, language) == theirs(text_target=texts)["input_ids"]
    assert ours.encode([], "eng_Latn", "deu_Latn") == []
    assert list(ours.languages.targets) == ["deu_Latn", "eng_Latn", "fra_Latn"]
    codes = [ours.source_code(language) for language in ("fra_Latn", "de", "English")]
    assert codes == ["fra_Latn", "deu_Latn", "eng_Latn"]


def test_each_source_text_of_a_batch_is_encoded_once(outspoken_nllb: Path) -> None:
    scorer = load(outspoken_nllb)
    encoded: list[int] = []
    encoder = model_of(scorer).get_encoder()
    encoder.register_forward_pre_hook(lambda _, __, values: encoded.append(len(values["input_ids"])), with_kwargs=True)
    scores(scorer, [("Madrid", target) for target in ("a", "b", "c", "d")])
    assert encoded == [1]


def test_long_texts_go_first_in_batches_within_the_budget(outspoken_nllb: Path) -> None:
    scorer = load(outspoken_nllb, token_budget=30)
    shapes: list[tuple[int, ...]] = []
    decoder = model_of(scorer).get_decoder()
    decoder.register_forward_pre_hook(
        lambda _, __, values: shapes.append(tuple(values["input_ids"].shape)), with_kwargs=True
    )
    scores(scorer, [("a", "b" * length) for length in range(1, 12)])
    assert [width for _, width in shapes] == sorted((width for _, width in shapes), reverse=True)
    assert all(rows * width <= 30 for rows, width in shapes)
    assert sum(rows for rows, _ in shapes) == 11
    assert len(shapes) < 6


def test_logits_in_small_parts_are_the_same(
    outspoken_nllb: Path, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xner.models.translators.engines._LOGITS", 300)
    np.testing.assert_allclose(scores(load(outspoken_nllb)), expected, atol=1e-4)


@pytest.mark.parametrize("engine", ["transformers", "ctranslate2"])
def test_of_texts_that_are_too_long_the_beginning_counts(
    tiny_mbart50: Path, engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model with a table of positions has none for the rest."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    scorer = load_translation_scorer(str(tiny_mbart50), engine=engine, device="cpu")
    pairs = [("ab " * 200, "c"), ("ab", "cd " * 200), ("ab " * 201, "c")]
    values = np.empty(3)
    for rows, found in scorer.log_probabilities(pairs, "en_XX", "sw_KE"):
        values[list(rows)] = found
    assert np.isfinite(values).all()
    assert values[0] == pytest.approx(values[2], abs=1e-5)
    [(_, [said])] = scorer.translate(["ab " * 200], "en_XX", "sw_KE")
    assert len(said) < 1000


@pytest.mark.parametrize("engine", ["outspoken_nllb", "converted_nllb"])
def test_several_devices_share_the_batches(engine: str, expected: Any, request: pytest.FixtureRequest) -> None:
    scorer = load(request.getfixturevalue(engine), device=["cpu", "cpu"], token_budget=1)
    np.testing.assert_allclose(scores(scorer), expected, atol=1e-4)


def test_a_batch_that_does_not_fit_is_done_in_halves(
    outspoken_nllb: Path, converted_nllb: Path, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def limited(means: Any, error: BaseException) -> Any:
        def within_memory(self: Any, model: Any, pairs: Any, given: int) -> Any:
            if len(pairs) > 2:
                raise error
            return means(self, model, pairs, given)

        return within_memory

    kinds: Any = ((TransformersEngine, torch.OutOfMemoryError()), (CTranslate2Engine, MemoryError()))
    for kind, error in kinds:
        monkeypatch.setattr(kind, "mean_log_probabilities", limited(kind.mean_log_probabilities, error))
    for folder in (outspoken_nllb, converted_nllb):
        np.testing.assert_allclose(scores(load(folder)), expected, atol=1e-4)


def test_half_precision(outspoken_nllb: Path, expected: Any) -> None:
    scorer = load(outspoken_nllb, dtype="bfloat16")
    assert scorer.signature == "transformers-bfloat16"
    np.testing.assert_allclose(scores(scorer), expected, atol=0.2)


@pytest.mark.slow
def test_translations_are_those_of_the_library(outspoken_nllb: Path, converted_nllb: Path) -> None:
    texts = ["Angela Merkel", "a", "the Bank of England", "Madrid", "b c d", "Angela Merkel"]
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(outspoken_nllb).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(outspoken_nllb, src_lang="eng_Latn")
    german = tokenizer.convert_tokens_to_ids("deu_Latn")
    expected = []
    for text in texts:
        ids = tokenizer(text, return_tensors="pt")
        found = model.generate(**ids, forced_bos_token_id=german, num_beams=5, max_new_tokens=60)
        expected.append(tokenizer.decode(found[0], skip_special_tokens=True)[:20])
    for folder, options in ((outspoken_nllb, {}), (outspoken_nllb, {"token_budget": 20}), (converted_nllb, {})):
        ours = [""] * len(texts)
        for rows, translations in load(folder, **options).translate(texts, "eng_Latn", "deu_Latn"):
            for row, translation in zip(rows, translations, strict=True):
                ours[row] = translation[:20]
        # Beams of random weights come close to each other.
        assert sum(one == other for one, other in zip(ours, expected, strict=True)) >= len(texts) - 1


def test_what_tells_a_model_from_others(outspoken_nllb: Path, converted_nllb: Path, tmp_path: Path) -> None:
    same = tiny_models.save_nllb(tmp_path / "same", languages=("eng_Latn", "deu_Latn", "fra_Latn"), init_std=0.3)
    other = tiny_models.save_nllb(tmp_path / "other", languages=("eng_Latn", "deu_Latn", "fra_Latn"), seed=1)
    assert load(same).identity == load(outspoken_nllb).identity, "wherever it lies"
    identities = {load(folder).identity for folder in (outspoken_nllb, converted_nllb, other)}
    identities |= {load(outspoken_nllb, dtype="bfloat16").identity, load(outspoken_nllb, tokenizer=str(other)).identity}
    assert len(identities) == 5


class TestWhatCannotBeUsed:
    def test_an_unknown_language(self, outspoken_nllb: Path) -> None:
        scorer = load(outspoken_nllb)
        message = r"does not support Yoruba \(yor_Latn\); the nearest that it does are \w+_Latn, \w+_Latn, \w+_Latn"
        with pytest.raises(Error, match=message):
            scorer.language_code("yor_Latn")
        with pytest.raises(Error, match=r"language 'deuLatn' is unknown; the nearest are .*deu_Latn \(German\)"):
            scores(scorer, languages=("eng_Latn", "deuLatn"))
        with pytest.raises(Error, match="language '▁a' is unknown"):
            scorer.language_code("▁a")

    def test_no_such_model(self, tmp_path: Path) -> None:
        with pytest.raises(Error, match=r"cannot load the translation model '.*nothing'"):
            load(tmp_path / "nothing")

    def test_pickled_weights(self, outspoken_nllb: Path, tmp_path: Path) -> None:
        transformers.AutoTokenizer.from_pretrained(outspoken_nllb).save_pretrained(tmp_path)
        model = transformers.AutoModelForSeq2SeqLM.from_pretrained(outspoken_nllb)
        model.config.save_pretrained(tmp_path)
        torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
        with pytest.raises(Error, match=r"cannot load the translation model .* read from safetensors files only"):
            scores(load(tmp_path))

    def test_another_kind_of_model(self, tiny_bert: Path, outspoken_nllb: Path) -> None:
        for options in ({}, {"tokenizer": str(outspoken_nllb)}):
            with pytest.raises(
                Error, match="is a model of type 'bert'; expected one of 'm2m_100': NLLB-200 or M2M-100"
            ):
                load(tiny_bert, **options)
        with pytest.raises(
            Error, match="does not tell its languages, neither by marks for them nor by its name; known"
        ):
            load(outspoken_nllb, tokenizer=str(tiny_bert))

    def test_weights_of_something_else(self, outspoken_nllb: Path, tmp_path: Path) -> None:
        from safetensors.torch import save_file

        tiny_models.save_nllb(tmp_path)
        save_file({"something.else": torch.zeros(2)}, tmp_path / "model.safetensors", {"format": "pt"})
        with pytest.raises(Error, match=r"lacks \d+ weights of a translation model, .* for one"):
            scores(load(tmp_path))

    def test_probabilities_that_are_no_numbers(self, outspoken_nllb: Path) -> None:
        scorer = load(outspoken_nllb)
        model_of(scorer).get_decoder().layer_norm.weight.data.fill_(float("nan"))
        with pytest.raises(Error, match=r"gave probabilities that are not finite numbers; a wider dtype"):
            scores(scorer)

    def test_a_damaged_converted_model(self, outspoken_nllb: Path, tmp_path: Path) -> None:
        tiny_models.save_converted(tmp_path, outspoken_nllb)
        (tmp_path / "model.bin").write_bytes(b"nothing")
        with pytest.raises(Error, match=r"cannot load the translation model '.*' on 'cpu': "):
            scores(load(tmp_path))

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"engine": "onnx"}, "engine='onnx': expected one of 'auto', 'transformers', 'ctranslate2'"),
            ({"dtype": "int4"}, "dtype='int4': expected one of 'auto'"),
            ({"dtype": "int8"}, "dtype='int8': that is for engine='ctranslate2'"),
            ({"token_budget": 0}, "token_budget=0: expected a whole number from 1"),
            ({"device": "gpu"}, "device='gpu': cannot compute there"),
        ],
    )
    def test_options(self, options: dict[str, Any], message: str, outspoken_nllb: Path) -> None:
        with pytest.raises(Error, match=message):
            load(outspoken_nllb, **options)

    @pytest.mark.parametrize(
        ("module", "folder", "extra"),
        [("torch", "outspoken_nllb", "models"), ("ctranslate2", "converted_nllb", "translate")],
    )
    def test_extras_that_are_not_installed(
        self, module: str, folder: str, extra: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        model = request.getfixturevalue(folder)
        monkeypatch.setitem(sys.modules, module, None)
        message = rf"scoring translations.* needs {module}, which is not installed; pip install 'xner\[{extra}\]'"
        with pytest.raises(Error, match=message):
            load(model)
