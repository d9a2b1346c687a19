"""Families of translation models: each told its languages as its makers do, the same by both engines."""

from __future__ import annotations

import extras

extras.need("models")

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers

import tiny_models
from test_translation import sentences
from xner import Error
from xner.models.scorers import load_translation_scorer
from xner.models.translators import Translator
from xner.models.translators.families import FAMILIES
from xner.models.translators.seq2seq import Seq2SeqTokenizer, add_marks, no_advice
from xner.models.translators.translator import Decoding, convert_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xner.models.translators.engines import Generated

GREEDY = Decoding(beams=1)


@dataclass(frozen=True)
class Case:
    """A tiny model of a family.

    Attributes:
        model: the fixture that makes it.
        title: of its family.
        languages: source and target, as the model spells them.
        marked: the tokens of the text "ab c", as the makers of the family have it.
        start: the tokens that are forced upon the decoder.
        spellings: other ways to name the two languages.
    """

    model: str
    title: str
    languages: tuple[str, str]
    marked: list[str]
    start: list[str]
    spellings: tuple[tuple[str, str], ...]


CASES = [
    Case(
        "outspoken_nllb",
        "NLLB-200",
        ("eng_Latn", "deu_Latn"),
        ["eng_Latn", "▁a", "b", "▁c", "</s>"],
        ["deu_Latn"],
        (("en", "German"), ("English", "deu")),
    ),
    Case(
        "tiny_m2m100",
        "M2M-100",
        ("en", "sw"),
        ["__en__", "▁a", "b", "▁c", "</s>"],
        ["__sw__"],
        (("eng_Latn", "swh_Latn"), ("__en__", "__sw__"), ("English", "swa")),
    ),
    Case(
        "tiny_mbart50",
        "mBART-50",
        ("en_XX", "sw_KE"),
        ["en_XX", "▁a", "b", "▁c", "</s>"],
        ["sw_KE"],
        (("eng_Latn", "swh_Latn"), ("en", "sw"), ("English", "Swahili")),
    ),
    Case(
        "tiny_madlad",
        "MADLAD-400",
        ("en", "sw"),
        ["▁", "<2sw>", "▁a", "b", "▁c", "</s>"],
        [],
        (("eng_Latn", "swh_Latn"), ("<2en>", "<2sw>"), ("English", "swa")),
    ),
    Case(
        "tiny_marian",
        "Marian (OPUS-MT)",
        ("en", "de"),
        ["▁a", "b", "▁c", "</s>"],
        [],
        (("eng_Latn", "deu_Latn"), ("English", "German")),
    ),
    Case(
        "tiny_multilingual_marian",
        "Marian (OPUS-MT)",
        ("swh_Latn", "fra"),
        [">>fra<<", "▁a", "b", "▁c", "</s>"],
        [],
        (("sw", ">>fra<<"), ("Swahili", "French")),
    ),
]


# Two families in every run of the tests, all of them in the slow ones.
COSTLY = [
    one if one.model in {"outspoken_nllb", "tiny_marian"} else pytest.param(one, marks=pytest.mark.slow, id=one.model)
    for one in CASES
]


@pytest.fixture(params=CASES, ids=lambda case: case.model)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def folder(case: Case, request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(case.model)
    return found


def load(folder: Path | str, **options: Any) -> Translator:
    return Translator.load(str(folder), decoding=GREEDY, device="cpu", **options)


def test_there_is_a_case_for_each_family() -> None:
    assert {case.title for case in CASES} == {family.title for family in FAMILIES}


def test_what_reaches_the_model(case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    translator = load(folder)
    seen: list[tuple[list[int], list[int]]] = []

    def generate(
        _: Any, sources: Sequence[Sequence[int]], start: Sequence[int], beams: int, limit: int
    ) -> list[Generated]:
        seen.append((list(sources[0]), list(start)))
        raise KeyboardInterrupt

    monkeypatch.setattr(translator._engine, "generate", generate)
    with pytest.raises(KeyboardInterrupt):
        translator.translate(["ab c"], *case.languages)
    tokenizer = translator._tokenizer
    assert tokenizer.family.title == case.title
    [(source, start)] = seen
    assert tokenizer.tokens(source) == case.marked
    assert tokenizer.tokens(start) == case.start
    assert source == tokenizer.ids(case.marked), "no two tokens have one name"


def test_languages_go_by_many_names(case: Case, folder: Path) -> None:
    translator = load(folder)
    for spelling in (case.languages, *case.spellings):
        assert translator.language_codes(*spelling) == case.languages


@pytest.mark.parametrize("case", COSTLY, indirect=True, ids=lambda case: case.model)
def test_is_what_the_makers_of_the_family_say(case: Case, folder: Path) -> None:
    """One text at a time, by transformers alone."""
    with no_advice():
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    add_marks(tokenizer)  # special ones, left out of texts
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    source, target = case.languages
    forced = {}
    prefix = ""
    if case.start:
        tokenizer.src_lang = source
        forced = {"forced_bos_token_id": tokenizer.convert_tokens_to_ids(case.start[0])}
    elif case.title == "MADLAD-400":
        prefix = f"<2{target}> "
    elif case.model == "tiny_multilingual_marian":
        prefix = f">>{target}<< "
    texts = sentences(12)
    for text, found in zip(texts, load(folder).translate(texts, *case.languages), strict=True):
        inputs = tokenizer(prefix + text, return_tensors="pt")
        assert tokenizer.unk_token_id not in inputs["input_ids"]
        limit = GREEDY.limit(inputs["input_ids"].shape[1])
        with torch.inference_mode():
            ids = model.generate(
                **inputs,
                **forced,
                num_beams=1,
                max_new_tokens=limit + 1 + len(case.start),
                max_length=None,
                forced_eos_token_id=None,
            )
        said = ids[0, 1 + len(case.start) :]
        assert found.text == str(tokenizer.decode(said, skip_special_tokens=True)).strip()
        assert (found.status == "cut") <= (tokenizer.eos_token_id not in said)


@pytest.mark.parametrize("case", COSTLY, indirect=True, ids=lambda case: case.model)
@pytest.mark.parametrize("texts", [15, pytest.param(60, marks=pytest.mark.slow)])
def test_engines_agree_token_for_token(
    case: Case, folder: Path, texts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Greedily, in float32."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    engines = load(folder)._engine, load(folder, engine="ctranslate2")._engine
    tokenizer = engines[0].tokenizer
    sources = tokenizer.encode(sentences(texts), *case.languages)
    start = tokenizer.start(case.languages[1])
    ours, theirs = (
        [one for source in sources for one in engine.generate(engine.models[0], [source], start, 1, 30)]
        for engine in engines
    )
    assert ours == theirs
    assert len({tuple(one.ids) for one in ours}) > texts / 6, "sources make a difference"


@pytest.mark.parametrize("case", COSTLY, indirect=True, ids=lambda case: case.model)
@pytest.mark.parametrize("engine", ["transformers", "ctranslate2"])
def test_texts_that_are_too_long_are_not_translated(
    case: Case, folder: Path, engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no translation goes beyond what the model takes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    decoding = Decoding(beams=1, length_ratio=3)
    translator = Translator.load(str(folder), engine=engine, decoding=decoding, device="cpu")
    longest = translator._engine.longest
    assert (longest is None) == (case.title == "MADLAD-400")
    found = translator.translate(["ab " * 100, "ab c", "ab " * 40], *case.languages)
    assert (found[0].status == "too_long") == (longest is not None)
    assert "too_long" not in {one.status for one in found[1:]}
    if longest is not None:
        assert found[0].text == ""


@pytest.mark.slow
def test_converted_folders_are_of_a_family_by_their_tokenizer(case: Case, folder: Path, tmp_path: Path) -> None:
    converted = tmp_path / "converted"
    shutil.copytree(convert_model(str(folder), folder=tmp_path / "kept"), converted)
    for path in folder.iterdir():
        if path.name not in {"config.json", "generation_config.json", "model.safetensors"}:
            shutil.copy(path, converted)
    translator = load(converted)
    assert translator._engine.signature == "ctranslate2-float32"
    assert translator._tokenizer.family.title == case.title
    texts = sentences(20)
    assert translator.translate(texts, *case.languages) == load(folder).translate(texts, *case.languages)


# Which languages there are


@pytest.mark.parametrize(
    ("model", "languages", "message"),
    [
        ("outspoken_nllb", ("eng_Latn", "yo"), r"does not support Yoruba \(yor_Latn\); the nearest that it does are"),
        ("tiny_m2m100", ("eng", "bam"), r"does not support Bambara \(bam_Latn\); the nearest that it does are"),
        ("tiny_mbart50", ("en", "zho_Hant"), r"Chinese \(Traditional\) .*; the nearest that it does are zh_CN"),
        ("tiny_madlad", ("en", "yo"), r"does not support Yoruba \(yor_Latn\); the nearest that it does are"),
        ("tiny_marian", ("en", "fr"), r"does not support French \(fra_Latn\) as target; the nearest .* are de$"),
        ("tiny_marian", ("de", "en"), r"does not support German \(deu_Latn\) as source; the nearest .* are en$"),
        ("tiny_multilingual_marian", ("sw", "en"), r"does not support English \(eng_Latn\) as target; .* deu, fra"),
        ("tiny_multilingual_marian", ("swahily", "fr"), r"'swahily' is unknown; the nearest are swh_Latn"),
    ],
)
@pytest.mark.parametrize("engine", ["transformers", "ctranslate2"])
def test_languages_are_refused_before_weights_are_read(
    model: str,
    languages: tuple[str, str],
    message: str,
    engine: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """There are no weights to be read."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    bare = tmp_path / "bare"
    shutil.copytree(request.getfixturevalue(model), bare, ignore=shutil.ignore_patterns("*.safetensors"))
    translator = load(bare, engine=engine)
    with pytest.raises(Error, match=message):
        translator.translate(["ab c"], *languages)
    with pytest.raises(Error, match="safetensors"):
        translator.translate(["ab c"], *next(case.languages for case in CASES if case.model == model))


def test_all_cached_runs_read_no_weights(tiny_marian: Path, tmp_path: Path) -> None:
    texts = sentences(5)
    found = load(tiny_marian).translate(texts, "en", "de", cache=tmp_path / "cache")
    again = load(tiny_marian)
    again._engine.__dict__["models"] = None  # in place of the cached property
    assert again.translate(texts, "en", "de", cache=tmp_path / "cache") == found


def tokenizer_of(folder: Path) -> Seq2SeqTokenizer:
    return Seq2SeqTokenizer.load(str(folder), what="a test")


def test_marians_languages_by_name(tmp_path: Path) -> None:
    """Where the tokenizer does not tell them."""
    plain = tiny_models.save_marian(tmp_path / "made", pair=(None, None))
    with pytest.raises(Error, match="does not tell its languages, neither by marks for them nor by its name"):
        tokenizer_of(plain)
    for name, source, target in (
        ("opus-mt-en-de", ["en"], ["de"]),
        ("opus-mt-tc-big-sw-eng", ["sw"], ["eng"]),
        ("opus-mt-ROMANCE-en", None, ["en"]),
        ("opus-mt-cat_oci_spa-en", None, ["en"]),
    ):
        shutil.copytree(plain, tmp_path / name)
        languages = tokenizer_of(tmp_path / name).languages
        assert (languages.sources and list(languages.sources)) == source
        assert list(languages.targets) == target
    shutil.copytree(plain, tmp_path / "opus-mt-en-roa")
    with pytest.raises(Error, match="does not tell its languages"):
        tokenizer_of(tmp_path / "opus-mt-en-roa")  # a group of target languages, and no marks for them


def test_the_plainest_mark_of_a_language_is_taken(tiny_multilingual_marian: Path) -> None:
    tokenizer = tokenizer_of(tiny_multilingual_marian)
    assert tokenizer.target_code("fr") == "fra"
    assert tokenizer.target_code("fra_CA") == "fra_CA"


def test_mbart_25_is_not_mbart_50(tiny_mbart50: Path, tmp_path: Path) -> None:
    """It marks source texts at their end."""
    shutil.copytree(tiny_mbart50, tmp_path / "old")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / "old" / name).unlink()
    tokenizer = transformers.MBartTokenizer(
        vocab=[("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁a", -1.0)]
    )
    tokenizer.save_pretrained(tmp_path / "old")
    with pytest.raises(Error, match="does not tell its languages"):
        load(tmp_path / "old")


def test_marian_with_a_vocabulary_a_language(tiny_marian: Path, tmp_path: Path) -> None:
    """CTranslate2's converter would take the source's for the target's."""
    shutil.copytree(tiny_marian, tmp_path / "apart")
    (tmp_path / "apart" / "target_vocab.json").write_bytes((tiny_marian / "vocab.json").read_bytes())
    config = tmp_path / "apart" / "tokenizer_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "separate_vocabs": True}))
    texts = sentences(5)
    assert load(tmp_path / "apart").translate(texts, "en", "de") == load(tiny_marian).translate(texts, "en", "de")
    with pytest.raises(Error, match="has a vocabulary a language, which CTranslate2's converter does not take"):
        load(tmp_path / "apart", engine="ctranslate2")


def test_a_mark_that_the_tokenizer_takes_apart(tiny_multilingual_marian: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = tokenizer_of(tiny_multilingual_marian)
    monkeypatch.setattr(tokenizer._tokenizer, "remove_language_code", lambda text: ([], text))
    with pytest.raises(Error, match="does not keep the mark >>deu<< whole"):
        tokenizer.encode(["ab c"], "en", "de")


# Scores


@pytest.mark.parametrize("model", ["tiny_m2m100", "tiny_mbart50"])
def test_families_that_mark_both_sides_score(
    model: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = str(request.getfixturevalue(model))
    texts = sentences(20)
    pairs = list(zip(texts, texts[::-1], strict=True))
    found = []
    for engine in ("transformers", "ctranslate2"):
        scorer = load_translation_scorer(folder, engine=engine, device="cpu")
        codes = scorer.language_code("en"), scorer.language_code("de")
        values = [0.0] * len(pairs)
        for rows, batch in scorer.log_probabilities(pairs, *codes):
            for row, value in zip(rows, batch, strict=True):
                values[row] = value
        found.append(values)
    assert found[0] == pytest.approx(found[1], abs=1e-3)
    assert len(set(found[0])) == len(pairs)


@pytest.mark.parametrize("model", ["tiny_madlad", "tiny_marian"])
def test_other_families_do_not_score(model: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(Error, match=r"cannot score: models of the family .* are not told what language a source text"):
        load_translation_scorer(str(request.getfixturevalue(model)))
