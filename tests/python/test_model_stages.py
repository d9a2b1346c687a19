"""That stages which run models keep what stages promise: in this process, in others, and with other models."""

from __future__ import annotations

import extras

extras.need("train")

import copy
import pickle
import shutil
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import tiny_models
from stage_checks import check_stage, null_word
from xner import ProjectionOptions, schema
from xner._support.arrow import pylist
from xner.errors import Error
from xner.models import EncoderAligner, NmtScorer, NmtStage, Tagger, TaggerStage, Translator, load_translation_scorer
from xner.models.translators import Translation, TranslationCache
from xner.models.translators.translator import Decoding
from xner.translation.direction import Direction
from xner.translation.stages import BackTranslation, MarkedAdoption, SourceTranslation, TargetTranslation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xner._support.stages import Stage

HERE = ("datasets",)
OTHERS = ("fork", "spawn")
NEAR = 1e-5  # how far what networks compute may be off in other batches
LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def pairs() -> pa.Table:
    """Sentence pairs, two of which are empty on a side."""
    sources = [["Angela", "Merkel", "was", "in", "Madrid"], ["a", "is", "on"], [], ["the", "end"], ["x"]]
    targets = [["in", "Madrid", "was", "Angela"], ["is", "a"], ["on"], ["end", "the"], []]
    entities = [[(0, 2, "PER"), (4, 5, "LOC")], [], [], [(1, 2, "LOC")], []]
    spans = [[{"start": s, "end": e, "label": kind} for s, e, kind in row] for row in entities]
    return pa.table(
        {
            schema.ID: [f"s{number}" for number in range(5)],
            schema.SOURCE_TOKENS: pa.array(sources, schema.WORDS_TYPE),
            schema.TOKENS: pa.array(targets, schema.WORDS_TYPE),
            schema.SOURCE_ENTITIES: pa.array(spans, schema.SOURCE_ENTITIES_TYPE),
        }
    )


def aligner(model: Path, **options: Any) -> EncoderAligner:
    return EncoderAligner.load("simalign-mbert", str(model), device="cpu", **({"layer": 2} | options))


OTHER_ENCODERS: list[dict[str, Any]] = [
    {"layer": 1},
    {"similarity": "dot"},
    {"extraction": "fwd"},
    {"extraction": "softmax", "threshold": 0.2},
    {"alpha": 0.8},
    {"max_count": 3},
    {"distortion": 0.1},
    {"window_overlap": 5},
    {"dtype": "bfloat16"},
    {"engine": "ctranslate2"},
    {"engine": "ctranslate2", "dtype": "int8"},
]


@pytest.mark.slow
def test_encoder_aligner(tiny_bert: Path, short_bert: Path) -> None:
    table = pairs()
    others = [aligner(tiny_bert, **options) for options in OTHER_ENCODERS] + [aligner(short_bert)]
    wrong = null_word(table, schema.TOKENS, 1)
    check_stage(aligner(tiny_bert), table, wrong=wrong, others=others, elsewhere=HERE, tolerance=NEAR)


def test_encoder_aligner_with_languages(tiny_nllb: Path) -> None:
    languages = {"source_language": "eng_Latn", "target_language": "deu_Latn"}
    one, other = aligner(tiny_nllb, **languages), aligner(tiny_nllb, **languages | {"target_language": "eng_Latn"})
    check_stage(one, pairs(), others=[other], elsewhere=[], tolerance=NEAR)


def tagger(model: Path, **options: Any) -> Tagger:
    return Tagger.load(str(model), device="cpu", **options)


@pytest.fixture(scope="session")
def small_tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.save_tagger(tmp_path_factory.mktemp("small_tagger"), LABELS)


OTHER_TAGGERS: list[dict[str, Any]] = [
    {"words": "mean"},
    {"words": "max"},
    {"decoding": "viterbi"},
    {"classes": {"LOC": "GPE"}},
    {"classes": {"LOC": "PER", "PER": "LOC"}},
    {"classes": {"LOC": "O"}},
    {"overlap": 5},
    {"dtype": "bfloat16"},
    {"scheme": "IOB1"},
]


@pytest.mark.slow
def test_tagger_stage(small_tagger: Path) -> None:
    stage = TaggerStage(tagger(small_tagger), ["labels", "source", "scores"])
    others = [TaggerStage(tagger(small_tagger, **options), stage.roles) for options in OTHER_TAGGERS]
    others += [
        TaggerStage(tagger(small_tagger), "labels"),
        TaggerStage(tagger(small_tagger), stage.roles, float16=True),
    ]
    table = pairs()
    check_stage(stage, table, wrong=null_word(table, schema.TOKENS, 1), others=others, elsewhere=HERE, tolerance=NEAR)


def translator(model: Path, **options: Any) -> Translator:
    return Translator.load(
        str(model), device="cpu", **({"decoding": Decoding(beams=1, length_ratio=1.0, length_extra=0)} | options)
    )


def into(model: Path, target: str = "deu_Latn", **options: Any) -> Direction:
    return Direction(translator(model, **options), "eng_Latn", target)


@pytest.mark.slow
def test_target_translation(outspoken_nllb: Path) -> None:
    model = outspoken_nllb
    others = [
        TargetTranslation(into(model, decoding=Decoding(beams=2, length_ratio=1.0, length_extra=0))),
        TargetTranslation(into(model, decoding=Decoding(beams=1, length_ratio=1.5, length_extra=0))),
        TargetTranslation(into(model, dtype="bfloat16")),
        TargetTranslation(into(model, "fra_Latn")),
        TargetTranslation(into(model), words="blanks"),
        TargetTranslation(into(model), by_blanks=True),
        TargetTranslation(into(model), keep_bad=True),
        TargetTranslation(into(model), markers="brackets"),
        TargetTranslation(into(model), markers="tags"),
        TargetTranslation(into(model), threshold=0.4),
    ]
    check_stage(TargetTranslation(into(model)), pairs(), others=others, elsewhere=HERE, tolerance=NEAR)


class Shouting:
    """A translator that turns words about, and markers stay."""

    signature = "xner:none|translator:shouting"
    identity = "shouting"

    def __repr__(self) -> str:
        return "Shouting()"

    def translate(
        self, texts: Sequence[str], source_language: str, target_language: str, **_: Any
    ) -> list[Translation]:
        return [Translation(text.upper(), "ok" if text else "empty_source") for text in texts]


@pytest.mark.slow
def test_source_and_back_translation() -> None:
    there = Direction(Shouting(), "en", "de")
    check_stage(
        SourceTranslation(there),
        pairs(),
        others=[SourceTranslation(there, keep_bad=True)],
    )
    spans = pairs().column(schema.SOURCE_ENTITIES).to_pylist()
    spans[1] = [{"start": 2, "end": 9, "label": "LOC"}]
    at = pairs().schema.get_field_index(schema.SOURCE_ENTITIES)
    wrong = pairs().set_column(at, schema.SOURCE_ENTITIES, pa.array(spans, schema.SOURCE_ENTITIES_TYPE))
    others = [BackTranslation(there, markers="tags"), BackTranslation(there, threshold=0.4)]
    check_stage(BackTranslation(there), pairs(), wrong=wrong, others=others)


def test_marked_adoption() -> None:
    table = pairs()
    none = pa.array([[]] * 5, schema.ENTITIES_TYPE)
    marked = [{"start": 0, "end": 1, "label": "PER", "score": None, "margin": None, "source": 0}]
    columns: dict[str, Any] = {
        schema.ENTITIES: none,
        schema.LABELS: pa.array([["O"] * len(words) for words in pylist(table[schema.TOKENS])], schema.WORDS_TYPE),
        schema.MARKED_ENTITIES: pa.array([marked, None, [], None, []], schema.ENTITIES_TYPE),
        schema.MARKER_PROBLEM: pa.array([None, "lost", None, None, None]),
        schema.STATUS: pa.array(["no_links"] * 5).dictionary_encode().cast(schema.STATUS_TYPE),
    }
    for name, column in columns.items():
        table = table.append_column(name, column)
    stage: Stage = MarkedAdoption()
    other: Stage = MarkedAdoption(drop_broken=True)
    assert stage.identity != other.identity
    assert stage.signature != other.signature
    assert stage(table).column(schema.STATUS).to_pylist() == ["ok", *["no_links"] * 4]
    again = pickle.loads(pickle.dumps(other))
    assert again == other
    assert again(table).column(schema.STATUS).to_pylist()[1] == "row_dropped:lost"


def nmt(model: Path, cache: TranslationCache | None = None, prune: bool = True, **options: Any) -> NmtStage:
    scored = {"threshold": options.pop("threshold", 0.1), "cap": options.pop("cap", 1.0)}
    scored |= {"pivot": options.pop("pivot", None)}
    loaded = load_translation_scorer(str(model), device="cpu", dtype=options.pop("dtype", "auto"))
    scorer = NmtScorer(loaded, "eng_Latn", options.pop("target", "deu_Latn"), cache=cache, **scored)
    chosen: dict[str, Any] = {"score": "nmt", "max_words": 2} | options
    return NmtStage(scorer, ProjectionOptions(**chosen), prune=prune)


OTHER_SCORERS: list[dict[str, Any]] = [
    {"threshold": 0.2},
    {"cap": 2.0},
    {"pivot": "fra_Latn"},
    {"target": "fra_Latn"},
    {"dtype": "bfloat16"},
    {"prune": False},
    {"max_words": 1},
]


def test_nmt_stage(outspoken_nllb: Path, tmp_path: Path) -> None:
    others = [nmt(outspoken_nllb, **options) for options in OTHER_SCORERS]
    with TranslationCache(tmp_path / "scores") as cache:
        stage = nmt(outspoken_nllb, cache)
        check_stage(stage, pairs(), others=others, elsewhere=HERE, tolerance=NEAR)
        assert stage.counts.pairs > 0
        assert pickle.loads(pickle.dumps(stage)).counts.pairs == 0


@pytest.mark.slow
def test_in_other_processes(small_tagger: Path, tiny_bert: Path, outspoken_nllb: Path) -> None:
    table = pairs()
    wrong = null_word(table, schema.TOKENS, 1)
    check_stage(aligner(tiny_bert), table, wrong=wrong, elsewhere=OTHERS, tolerance=NEAR)
    check_stage(TaggerStage(tagger(small_tagger), "labels"), table, wrong=wrong, elsewhere=OTHERS, tolerance=NEAR)
    check_stage(TargetTranslation(into(outspoken_nllb)), table, elsewhere=OTHERS, tolerance=NEAR)
    check_stage(nmt(outspoken_nllb), table, elsewhere=OTHERS, tolerance=NEAR)


def test_the_weights_are_not_pickled(small_tagger: Path, tiny_bert: Path, outspoken_nllb: Path) -> None:
    made = [aligner(tiny_bert), TaggerStage(tagger(small_tagger)), into(outspoken_nllb), nmt(outspoken_nllb)]
    for one in made:
        assert len(pickle.dumps(one)) < 5000


def test_lazy_models_are_the_same(small_tagger: Path, tiny_bert: Path, outspoken_nllb: Path) -> None:
    both: list[tuple[Any, Any]] = [
        (aligner(tiny_bert), aligner(tiny_bert, lazily=True)),
        (tagger(small_tagger), tagger(small_tagger, lazily=True)),
        (translator(outspoken_nllb), translator(outspoken_nllb, lazily=True)),
    ]
    for eager, lazy in both:
        assert eager.identity == lazy.identity
        assert eager.signature == lazy.signature


def test_a_model_that_has_changed_meanwhile_is_not_used(small_tagger: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(small_tagger, folder)
    stage = TaggerStage(tagger(folder))
    pickled, copied = pickle.dumps(stage), copy.deepcopy(stage)
    identity = stage.identity
    tiny_models.save_tagger(folder, LABELS, seed=1)
    assert stage.identity != identity
    for other in (pickle.loads(pickled), copied):
        with pytest.raises(Error, match=f"the model '{folder}' is another one than when the tagger was pickled"):
            other(pairs())
