from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from xner import Error
from xner.models.network.pieces import PieceTokenizer

if TYPE_CHECKING:
    from pathlib import Path


def load(folder: Path) -> PieceTokenizer:
    return PieceTokenizer.load(str(folder), what="a test")


def test_each_piece_knows_its_word(tiny_bert: Path) -> None:
    found = load(tiny_bert).pieces([["Angela", "walked"], [], ["the"]])
    assert [list(pieces.words) for pieces in found] == [[0, 1, 1, 1, 1, 1], [], [0]]
    assert [len(pieces) for pieces in found] == [6, 0, 1]
    assert found[0].words.dtype == np.int32


def test_words_that_the_tokenizer_drops_keep_their_place(tiny_bert: Path) -> None:
    [pieces] = load(tiny_bert).pieces([["the", "\u200b", "", " ", "\u3000", "of", "\u200d", "😀"]])
    assert sorted(set(pieces.words)) == [0, 5, 7]


def test_the_unknown_word_is_a_piece(tiny_bert: Path) -> None:
    [pieces] = load(tiny_bert).pieces([["日本", "the"]])
    assert set(pieces.words) == {0, 1}


def test_special_tokens_around_a_sentence(tiny_bert: Path, tiny_xlm_roberta: Path) -> None:
    assert load(tiny_bert).around() == ([2], [3])
    assert load(tiny_xlm_roberta).around() == ([0], [2])


def test_a_language_is_marked_on_the_side_it_is_of(tiny_nllb: Path) -> None:
    tokenizer = load(tiny_nllb)
    assert tokenizer.needs_language
    marks = {language: tokenizer.around(language) for language in ("eng_Latn", "deu_Latn")}
    (english, end), (german, _) = marks.values()
    assert len(english) == len(german) == 1
    assert english != german
    assert end == [2]
    names = tokenizer._tokenizer.convert_ids_to_tokens([*english, *german])
    assert names == ["eng_Latn", "deu_Latn"]


def test_a_missing_or_unknown_language(tiny_nllb: Path) -> None:
    tokenizer = load(tiny_nllb)
    with pytest.raises(Error, match="marks sentences with their language, which is not given"):
        tokenizer.around()
    with pytest.raises(Error, match="does not know the language 'xxx_Latn'; it spells them like 'eng_Latn'"):
        tokenizer.around("xxx_Latn")


@pytest.mark.needs("models")
def test_no_such_model(tmp_path: Path) -> None:
    with pytest.raises(Error, match="cannot load the tokenizer of"):
        load(tmp_path)


def test_saved_it_is_the_same(tiny_bert: Path, tmp_path: Path) -> None:
    tokenizer = load(tiny_bert)
    tokenizer.save(tmp_path)
    again = load(tmp_path)
    sentence = ["Angela", "visited", "Madrid", "."]
    assert again.pieces([sentence])[0].ids == tokenizer.pieces([sentence])[0].ids
