"""Translation and projection by meaning: into a made-up language that a model has learned (see `cipher`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import cipher
from xner import Aligner, Projector, evaluate, labels, schema
from xner.marked_translation import count_problems, translate_marked
from xner.models.translation import Decoding, Translator
from xner.word_splitting import by_blanks

if TYPE_CHECKING:
    from collections.abc import Sequence

LANGUAGE = cipher.Language()
TRAINING, HELD_OUT = cipher.corpora(LANGUAGE)
GOLD = [labels.encode(target.entities, len(target.words)) for _, target in HELD_OUT]


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> Translator:
    folder = cipher.train(tmp_path_factory.mktemp("cipher"), LANGUAGE, TRAINING)
    return Translator.load(str(folder), decoding=Decoding(beams=1), device="cpu")


def translate(translator: Translator, texts: Sequence[str]) -> list[str]:
    return [found.text for found in translator.translate(texts, cipher.SOURCE, cipher.TARGET)]


def fitted(predicted: list[list[str]]) -> list[list[str]]:
    """Labels as long as the gold ones: a translation that is too short or long has its words compared one by one."""
    return [(row + ["O"] * len(gold))[: len(gold)] for row, gold in zip(predicted, GOLD, strict=True)]


def project(translations: list[list[str]]) -> list[list[str]]:
    """Align with the sources, and project."""
    sources = [source.words for source, _ in HELD_OUT]
    rows = {
        schema.TOKENS: pa.array(translations, schema.WORDS_TYPE),
        schema.SOURCE_TOKENS: pa.array(sources, schema.WORDS_TYPE),
        schema.SOURCE_ENTITIES: pa.array(
            [[{"start": s, "end": e, "label": k} for s, e, k in source.entities] for source, _ in HELD_OUT],
            schema.SOURCE_ENTITIES_TYPE,
        ),
        schema.LINKS: Aligner.fit(sources, translations).align(sources, translations),
    }
    found: Any = Projector()(pa.table(rows))
    predicted: list[list[str]] = found.column(schema.LABELS).to_pylist()
    return predicted


def test_held_out_sentences_are_translated(translator: Translator) -> None:
    assert not {tuple(source.words) for source, _ in TRAINING} & {tuple(source.words) for source, _ in HELD_OUT}
    found = translate(translator, [" ".join(source.words) for source, _ in HELD_OUT])
    right = sum(text == " ".join(target.words) for text, (_, target) in zip(found, HELD_OUT, strict=True))
    assert right / len(HELD_OUT) >= 0.95


def test_translate_align_project(translator: Translator) -> None:
    found = translate(translator, [" ".join(source.words) for source, _ in HELD_OUT])
    scores = evaluate(GOLD, fitted(project([text.split() for text in found])))
    assert scores.support > 300
    assert scores.f1 >= 0.95


def test_translate_with_markers(translator: Translator) -> None:
    """Sentences whose markers broke fall back to alignment."""
    found = translate_marked(
        [source.words for source, _ in HELD_OUT],
        [source.entities for source, _ in HELD_OUT],
        lambda texts: translate(translator, texts),
        by_blanks,
        join=" ".join,
    )
    words = [[word.text for word in one.words] for one in found]
    aligned = project(words)
    predicted = [
        aligned[row] if one.problem is not None else labels.encode([span[:3] for span in one.entities], len(words[row]))
        for row, one in enumerate(found)
    ]
    assert evaluate(GOLD, fitted(predicted)).f1 >= 0.95
    assert sum(count_problems(found).values()) <= 0.1 * len(found), "the markers themselves do it, not the alignment"
