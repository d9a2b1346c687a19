"""Languages by code and name."""

from __future__ import annotations

import pytest

from xner import Error
from xner.text import language, meanings, model_code
from xner.text.languages import languages


def test_there_are_all_of_nllbs() -> None:
    transformers = pytest.importorskip("transformers")
    codes = [one.code for one in languages()]
    assert len(set(codes)) == len(codes) == 202
    assert codes == sorted(codes)
    assert set(codes) == set(transformers.models.nllb.tokenization_nllb.FAIRSEQ_LANGUAGE_CODES)
    assert all(one.name and one.script.istitle() for one in languages())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("yor_Latn", "yor_Latn"),
        ("yor", "yor_Latn"),
        ("yo", "yor_Latn"),
        ("Yoruba", "yor_Latn"),
        ("YORUBA", "yor_Latn"),
        ("sw", "swh_Latn"),
        ("swa", "swh_Latn"),
        ("swh_Latn", "swh_Latn"),
        ("swa_Latn", "swh_Latn"),
        ("de", "deu_Latn"),
        ("ger", "deu_Latn"),
        ("zh-Hans", "zho_Hans"),
        ("zho_hant", "zho_Hant"),
        ("Chinese (Traditional)", "zho_Hant"),
        ("ar", "arb_Arab"),
        ("twi", "twi_Latn"),
        (" en ", "eng_Latn"),
        ("en-US", "eng_Latn"),
        ("pt-BR", "por_Latn"),
        ("pt_br", "por_Latn"),
        ("es-419", "spa_Latn"),
        ("nb-NO", "nob_Latn"),
        ("sr-RS", "srp_Cyrl"),
        ("sr-Cyrl-RS", "srp_Cyrl"),
        ("zh-CN", "zho_Hans"),
        ("zh-SG", "zho_Hans"),
        ("zh-TW", "zho_Hant"),
        ("zh_HK", "zho_Hant"),
        ("zh-Hant", "zho_Hant"),
        ("zh-Hans-HK", "zho_Hans"),
        ("ms-MY", "zsm_Latn"),
        ("yue-HK", "yue_Hant"),
    ],
)
def test_codes_and_names(text: str, code: str) -> None:
    assert language(text).code == code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("zh", r"language 'zh' may be zho_Hans \(Chinese \(Simplified\)\), zho_Hant .*: say which"),
        ("Chinese", r"language 'Chinese' may be zho_Hans \(Chinese \(Simplified\)\), zho_Hant .*: say which"),
        ("no", r"may be nno_Latn \(Norwegian Nynorsk\), nob_Latn"),
        ("ks", r"may be kas_Arab \(Kashmiri\), kas_Deva"),
        ("Yorubaa", r"language 'Yorubaa' is unknown; the nearest are yor_Latn \(Yoruba\)"),
        ("yor_Latin", r"is unknown; the nearest are yor_Latn \(Yoruba\)"),
        ("", r"language '' is unknown; codes are like yor_Latn or yo"),
        ("qqq", r"language 'qqq' is unknown"),
        ("qqq-BR", r"language 'qqq-BR' is unknown"),
        ("en-GB-oxendict", r"language 'en-GB-oxendict' is unknown"),
        ("sr-Latn", r"'sr-Latn' is written in Latn, and is known as srp_Cyrl \(Serbian\) alone"),
        ("sr-latn-RS", r"'sr-latn-RS' is written in Latn, and is known as srp_Cyrl \(Serbian\) alone"),
        ("pa-PK", r"'pa-PK' is written in Arab, and is known as pan_Guru \(Punjabi\) alone"),
        ("zh-DE", r"'zh-DE' may be zho_Hans .*, zho_Hant .*: say which"),
        ("zh-Latn", r"is known as zho_Hans .*, zho_Hant .* alone"),
        ("no-NO", r"may be nno_Latn .*, nob_Latn"),
    ],
)
def test_unknown_or_in_doubt(text: str, message: str) -> None:
    with pytest.raises(Error, match=message):
        language(text)


def test_every_language_goes_by_all_its_codes_that_leave_no_doubt() -> None:
    for one in languages():
        assert language(one.code) == one
        for other in one.others:
            if other not in {"no", "nor"}:  # Bokmål or Nynorsk
                assert language(f"{other}_{one.script}") == one


NLLB = [one.code for one in languages() if one.code[:3] not in {"xho", "nob", "kas"}]
M2M100 = ["en", "sw", "yo", "zh", "de"]
MBART = ["en_XX", "de_DE", "zh_CN", "sw_KE"]
MARIAN = ["fr_CA", "fr", "cmn", "cmn_Hans", "srp_Latn"]


@pytest.mark.parametrize(
    ("text", "supported", "code"),
    [
        ("yo", NLLB, "yor_Latn"),
        ("yor_Latn", M2M100, "yo"),
        ("Swahili", MBART, "sw_KE"),
        ("sw_KE", MBART, "sw_KE"),
        ("zho_Hans", M2M100, "zh"),
        ("zho_Hans", MBART, "zh_CN"),
        ("english", MBART, "en_XX"),
        ("French", MARIAN, "fr"),
        ("fr_CA", MARIAN, "fr_CA"),
        ("zho_Hans", MARIAN, "cmn_Hans"),
        ("zho_Hant", MARIAN, "cmn"),
    ],
)
def test_codes_of_models(text: str, supported: list[str], code: str) -> None:
    assert model_code(text, supported) == code


@pytest.mark.parametrize(
    ("text", "supported", "message"),
    [
        ("xh", NLLB, r"the model does not support Xhosa \(xho_Latn\); the nearest that it does are .*_Latn"),
        ("nb", NLLB, r"Norwegian Bokmål \(nob_Latn\); the nearest that it does are nno_Latn"),
        ("klingon", NLLB, "language 'klingon' is unknown"),
        ("zho_Hant", MBART, r"Chinese \(Traditional\) \(zho_Hant\); the nearest that it does are zh_CN"),
        ("yo", MBART, r"the model does not support Yoruba \(yor_Latn\)"),
        ("srp_Cyrl", MARIAN, r"the model does not support Serbian \(srp_Cyrl\)"),
    ],
)
def test_what_models_do_not_support(text: str, supported: list[str], message: str) -> None:
    with pytest.raises(Error, match=message):
        model_code(text, supported)


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("pt_BR", ["por_Latn"]),
        ("zh_TW", ["zho_Hant"]),
        ("zh_HK", ["zho_Hant"]),
        ("ms_CN", ["zsm_Latn"]),
        ("zh", ["zho_Hans", "zho_Hant"]),
        ("el_Latn", []),
        ("mul", []),
        ("ROMANCE", []),
        ("cat_oci_spa", []),
    ],
)
def test_what_codes_of_models_mean(code: str, meant: list[str]) -> None:
    assert [one.code for one in meanings(code)] == meant


def test_what_a_model_does_not_support_as_what() -> None:
    with pytest.raises(
        Error, match=r"does not support French \(fra_Latn\) as target; the nearest that it does are de$"
    ):
        model_code("fr", ["de"], role="as target")
