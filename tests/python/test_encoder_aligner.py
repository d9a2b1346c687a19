from __future__ import annotations

import extras

extras.need("models")

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
import torch

import command_line
import tiny_models
import xner
from xner import DataError, Error, OptionError, schema
from xner._support.arrow import pylist
from xner.models.aligners import ENCODER_PRESETS, EncoderAligner, EncoderAlignerOptions
from xner.models.aligners import _work as alignment_work
from xner.models.aligners._work import Corpus
from xner.models.aligners.encoder_aligner import STATUSES

if TYPE_CHECKING:
    from pathlib import Path

    from xner.models.network.encoder import Encoder

ENGLISH = [
    ["Angela", "Merkel", "visited", "Madrid", "."],
    ["the", "walker", "of", "Madrid"],
    [],
    ["Angela", "Merkel", "visited", "Madrid", "."],
    ["on", "\u200b", "it"],
    ["a"],
]
OTHER = [
    ["Madrid", "visited", "Angela", "Merkel", "."],
    ["Madrid", "of", "the", "walker"],
    ["the"],
    ["visited", "Madrid", "."],
    ["on", "it"],
    [],
]


def load(folder: Path, preset: str = "simalign-mbert", **options: Any) -> EncoderAligner:
    settings: dict[str, Any] = {"device": "cpu", "layer": 2}
    return EncoderAligner.load(preset, str(folder), **(settings | options))


def pairs(links: pa.Array[Any]) -> list[list[tuple[int, int]]]:
    return [[(link["source"], link["target"]) for link in row] for row in pylist(links)]


def test_words_find_their_twins_wherever_they_stand(tmp_path: Path) -> None:
    """In the embedding layer of a model without positions, a word is most similar to itself."""
    from safetensors.torch import load_file, save_file

    tiny_models.save_bert(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    weights["embeddings.position_embeddings.weight"].zero_()
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    source, target = ["the", "Merkel", "in", "Madrid", "."], ["Madrid", ".", "in", "Merkel"]
    [links] = pylist(load(tmp_path, layer=0, extraction="inter").align([source], [target]))
    twins = [(s, target.index(word)) for s, word in enumerate(source) if word in target]
    assert [(link["source"], link["target"]) for link in links if link["score"] > 0.999] == twins


def test_links_are_those_of_the_similarities_row_by_row(tiny_bert: Path) -> None:
    """Batches, windows and threads change nothing: each row is what the plain computation gives for it alone."""
    aligner = load(tiny_bert)
    encoder: Encoder = aligner._encoders[0]
    for row, found in enumerate(pairs(aligner.align(ENGLISH, OTHER))):
        sides = encoder.tokenizer.pieces([ENGLISH[row], OTHER[row]])
        if not all(map(len, sides)):
            assert found == []
            continue
        first, second = encoder.embed(sides, token_budget=1000, overlap=8)
        cosine = torch.nn.functional.cosine_similarity(first[:, None], second[None], dim=-1)
        expected = xner.links.extract(
            ((cosine + 1) / 2).numpy(), "itermax", source_words=sides[0].words, target_words=sides[1].words
        )
        assert found == [tuple(pair) for pair in expected.pairs.tolist()]


@pytest.mark.parametrize("preset", ["simalign-mbert", "awesome-mbert", "labse"])
def test_presets(tiny_bert: Path, preset: str) -> None:
    aligner = load(tiny_bert, preset)
    batch = aligner.align_batch(ENGLISH, OTHER)
    assert batch.schema.field("links").type == schema.LINKS_TYPE
    assert batch.column("status").to_pylist() == ["ok", "ok", "empty_source", "ok", "words_skipped", "empty_target"]


def test_every_preset_is_valid() -> None:
    assert {"simalign-mbert", "simalign-xlmr", "awesome-mbert", "labse", "nllb-encoder"} <= set(ENCODER_PRESETS)


def test_statuses(short_bert: Path) -> None:
    source = [["the"], ["the"] * 40, ["\u200b", " "], ["the", "\u200b"], [], ["the"]]
    target = [["of"], ["of"] * 3, ["of"], ["of"], ["of"], []]
    batch = load(short_bert).align_batch(source, target)
    expected = ["ok", "windowed", "no_pieces", "words_skipped", "empty_source", "empty_target"]
    assert batch.column("status").to_pylist() == expected
    assert set(expected) <= set(STATUSES)


def test_nothing_passes_the_threshold(tiny_bert: Path) -> None:
    aligner = load(tiny_bert, "awesome-mbert", similarity="cosine", threshold=0.9)
    batch = aligner.align_batch([["the", "of"]], [["in", "to", "is"]])
    assert batch.column("status").to_pylist() == ["no_links"]


def test_a_sentence_of_700_words_is_aligned_to_its_end(short_bert: Path) -> None:
    generator = np.random.default_rng(0)
    words = [str(word) for word in generator.choice(["the", "of", "in", "to", "is", "on"], 700)]
    batch = load(short_bert, layer=0, extraction="fwd", window_overlap=8).align_batch([words], [words])
    links = pairs(batch.column("links"))[0]
    assert batch.column("status").to_pylist() == ["windowed"]
    assert {source for source, _ in links} == set(range(700))
    assert max(target for _, target in links) > 650


HOSTILE = [
    ["\U0001f469\u200d\U0001f4bb", "the"],
    ["\u3000", "the", "\u3000"],
    ["", "the", ""],
    ["\u200d"],
    ["a\u0301", "\ufeff", "the\u00a0of"],
    ["x" * 500],
]


@pytest.mark.parametrize("model", ["tiny_bert", "tiny_xlm_roberta"])
def test_hostile_words_keep_their_place(model: str, request: pytest.FixtureRequest) -> None:
    aligner = load(request.getfixturevalue(model))
    plain = [["the", "of"]] * len(HOSTILE)
    for sides in ((HOSTILE, plain), (plain, HOSTILE), (HOSTILE, HOSTILE)):
        links = aligner.align(*sides)
        assert len(links) == len(HOSTILE)
        for row, found in enumerate(pairs(links)):
            assert all(0 <= s < len(sides[0][row]) and 0 <= t < len(sides[1][row]) for s, t in found)


def test_each_distinct_sentence_is_encoded_once(tiny_bert: Path) -> None:
    aligner = load(tiny_bert)
    aligner.align(ENGLISH * 3, OTHER * 3)
    distinct = {tuple(words) for words in ENGLISH + OTHER if words}
    assert aligner.encoded_sentences == len(distinct)


def test_also_across_chunks(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = load(tiny_bert).align(ENGLISH, OTHER)
    monkeypatch.setattr(alignment_work, "_CHUNK_WORDS", 6)
    corpus = Corpus.of(pa.array(ENGLISH), pa.array(OTHER), (None, None))
    assert len(corpus.chunks) > 2
    aligner = load(tiny_bert)
    assert pairs(aligner.align(ENGLISH, OTHER)) == pairs(whole)
    assert aligner.encoded_sentences == len({tuple(words) for words in ENGLISH + OTHER if words})


def test_without_room_to_keep_embeddings_sentences_are_encoded_again(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = load(tiny_bert).align(ENGLISH, OTHER)
    monkeypatch.setattr(alignment_work, "_CHUNK_WORDS", 6)
    monkeypatch.setattr(alignment_work, "_KEPT_PIECES", 0)
    aligner = load(tiny_bert)
    assert pairs(aligner.align(ENGLISH, OTHER)) == pairs(whole)
    assert aligner.encoded_sentences > len({tuple(words) for words in ENGLISH + OTHER if words})


def test_similarities_in_several_blocks(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = load(tiny_bert).align(ENGLISH, OTHER)
    monkeypatch.setattr(alignment_work, "_SIMILARITY_CELLS", 30)
    assert pairs(load(tiny_bert).align(ENGLISH, OTHER)) == pairs(whole)


def test_several_devices_share_the_work(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment_work, "_CHUNK_WORDS", 6)
    aligner = load(tiny_bert, device=["cpu", "cpu", "cpu"])
    assert pairs(aligner.align(ENGLISH, OTHER)) == pairs(load(tiny_bert).align(ENGLISH, OTHER))


def test_a_failure_on_one_device_ends_the_work(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment_work, "_CHUNK_WORDS", 6)
    aligner = load(tiny_bert, device=["cpu", "cpu"])

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the device is gone")

    monkeypatch.setattr(aligner._encoders[1], "embed", fail)
    monkeypatch.setattr(aligner._encoders[0], "embed", fail)
    with pytest.raises(RuntimeError, match="the device is gone"):
        aligner.align(ENGLISH, OTHER)


def test_similarities_that_overflow(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aligner = load(tiny_bert)
    embed = aligner._encoders[0].embed
    monkeypatch.setattr(aligner._encoders[0], "embed", lambda *a, **k: [e * float("nan") for e in embed(*a, **k)])
    with pytest.raises(Error, match="similarities that are not finite numbers; a wider dtype"):
        aligner.align(ENGLISH, OTHER)


def test_the_same_words_in_two_languages_are_two_sentences(tiny_nllb: Path) -> None:
    aligner = load(tiny_nllb, "nllb-encoder", source_language="eng_Latn", target_language="deu_Latn")
    aligner.align([["a", "b"]], [["a", "b"]])
    assert aligner.encoded_sentences == 2
    assert "languages:eng_Latn-deu_Latn" in aligner.signature


def test_an_encoder_that_needs_languages(tiny_nllb: Path) -> None:
    with pytest.raises(Error, match=r"name those of both sides \(source_language and target_language"):
        load(tiny_nllb, "nllb-encoder", source_language="eng_Latn")


def test_languages_that_change_nothing(tiny_bert: Path, tiny_nllb: Path, tmp_path: Path) -> None:
    reason = f"the encoder '{tiny_bert}' does not mark sentences with their language"
    with pytest.raises(OptionError, match=f"^target_language='de': {reason}"):
        load(tiny_bert, target_language="de")
    for name in ("en", "de"):
        (tmp_path / f"{name}.conll").write_text("a\tB-PER\nb\tO\n")
    languages = ("--source-language", "eng_Latn", "--target-language", "deu_Latn")
    aligner = ("--aligner", "labse", "--aligner-model", f"labse={tiny_bert}", "--layer", "1")
    sides = ("--source", "en.conll", "--target", "de.conll", *aligner, *languages)
    for command, output in (("align", "o.pharaoh"), ("project", "o.conll")):
        run = command_line.xner(command, *sides, "-o", output, cwd=tmp_path)
        assert run.returncode
        assert f"--source-language='eng_Latn': {reason}" in " ".join(run.stderr.split())
    marking = ("--aligner", "nllb-encoder", "--aligner-model", f"nllb-encoder={tiny_nllb}")
    command_line.done(command_line.xner("align", *sides, *marking, "-o", "o.pharaoh", cwd=tmp_path))


def test_progress_and_nothing_to_do(tiny_bert: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    aligner = load(tiny_bert, token_budget=8)
    aligner.align(ENGLISH, OTHER, progress=lambda *step: seen.append(step))
    assert seen[-1] == ("encode", 9, 9)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert len(aligner.align([], [])) == 0


def test_arrow_in_any_shape(tiny_bert: Path) -> None:
    aligner = load(tiny_bert)
    expected = pairs(aligner.align(ENGLISH, OTHER))
    chunks = pa.chunked_array([pa.array(ENGLISH[:2]), pa.array(ENGLISH[2:])])
    large = pa.array([["x"], *OTHER], pa.large_list(pa.large_string())).slice(1)
    assert pairs(aligner.align(chunks, large)) == expected
    missing = pa.array([words or None for words in ENGLISH])
    assert pairs(aligner.align(missing, OTHER)) == expected


def test_the_stage_adds_columns_and_replaces_them(tiny_bert: Path) -> None:
    batch = pa.record_batch({"source_tokens": pa.array(ENGLISH), "tokens": pa.array(OTHER), "status": ["?", "ok"] * 3})
    aligner = load(tiny_bert)
    done = aligner(aligner(batch))
    assert done.schema.names == ["source_tokens", "tokens", "status", "links"]
    assert done.column("status").to_pylist()[2] == "empty_source"
    assert done.column("status").to_pylist()[0] == "?", "what was said before stays"
    with pytest.raises(Error, match=r"needs the column\(s\) source_tokens"):
        aligner(batch.select(["tokens"]))


class TestBadInput:
    def test_row_counts(self, tiny_bert: Path) -> None:
        with pytest.raises(Error, match="found 2 source and 1 target sentences"):
            load(tiny_bert).align([["a"], ["b"]], [["a"]])

    def test_a_missing_word(self, tiny_bert: Path) -> None:
        with pytest.raises(DataError, match="row 1, column 'tokens', value null: a word is missing"):
            load(tiny_bert).align([["a"], ["b"]], pa.array([["a"], ["b", None]]))

    def test_no_list_of_words(self, tiny_bert: Path) -> None:
        with pytest.raises(DataError, match="row 0, column 'source_tokens', value 'a b': expected a list of words"):
            load(tiny_bert).align(["a b"], [["a"]])

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"preset": "simalign"}, "preset='simalign': expected one of 'simalign-mbert'"),
            ({"layers": 3}, "unknown option 'layers'; did you mean 'layer'"),
            ({"similarity": "euclidean"}, "similarity='euclidean': expected one of 'cosine', 'dot'"),
            ({"extraction": "best"}, "extraction='best': expected one of 'fwd'"),
            ({"token_budget": 0}, "token_budget=0: expected a whole number from 1"),
            ({"window_overlap": -1}, "window_overlap=-1: expected a whole number from 0"),
            ({"extraction": "inter", "threshold": 0.1}, "threshold"),
        ],
    )
    def test_options(self, tiny_bert: Path, options: dict[str, Any], message: str) -> None:
        with pytest.raises(Error, match=message):
            load(tiny_bert, **options)

    def test_a_preset_without_its_methods_threshold(self) -> None:
        changed = EncoderAlignerOptions("x", extraction="softmax", threshold=0.1)
        assert changed.extraction_options == {"threshold": 0.1}


def test_without_torch_there_is_one_clear_sentence() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import xner\n"
        "try: xner.EncoderAligner.load()\n"
        "except xner.Error as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "the encoder aligner needs torch, which is not installed; pip install 'xner[models]' brings it\n"
    )


def test_importing_xner_does_not_import_torch() -> None:
    heavy = "{'torch', 'transformers', 'accelerate'}"
    code = f"import sys, xner, xner.cli.commands.align; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.gpu
def test_on_a_gpu(tiny_bert: Path) -> None:
    aligner = EncoderAligner.load("simalign-mbert", str(tiny_bert), layer=2, device="cuda")
    assert pairs(aligner.align(ENGLISH, OTHER))[2] == []
    exact = EncoderAligner.load("simalign-mbert", str(tiny_bert), layer=2, device="cuda", dtype="float32")
    assert pairs(exact.align(ENGLISH, OTHER)) == pairs(load(tiny_bert).align(ENGLISH, OTHER))


def test_a_checkpoint_with_other_heads(tmp_path: Path) -> None:
    """As fine-tuned aligners are published: a language model's weights and some more."""
    from safetensors.torch import load_file, save_file

    tiny_models.save_bert(tmp_path, head="BertForMaskedLM")
    weights = load_file(tmp_path / "model.safetensors")
    weights |= {"psi_cls.transform.weight": torch.zeros(3, 3)}
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    assert len(load(tmp_path, "awesome-mbert").align(ENGLISH, OTHER)) == len(ENGLISH)
