from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xner.text import detokenize


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("Angela Merkel", "Angela Merkel"),
        ("He said , `` no ! '' ( twice ) ; then : left .", "He said, ``no!'' (twice); then: left."),
        ("Merkel 's plan is n't Kohl’s", "Merkel's plan isn't Kohl’s"),
        ('" so " he " said "', '"so" he "said"'),
        ("„ so “ sagt » er «", "„so“ sagt »er«"),
        ('the Europa "', 'the Europa"'),
        ('" Europa', '"Europa'),
        ('"', '"'),
        ("¿ Cómo ? ¡ Bien !", "¿Cómo? ¡Bien!"),
        ("Nord - Süd – 3 / 4 5 % # 1 &", "Nord - Süd – 3 / 4 5% # 1 &"),
        ("東京 大学 の 教授 。 次", "東京大学の教授。次"),
        ("他 说 ： 「 好 」 ！", "他说：「好」！"),
        ("東京 Tower 大学", "東京 Tower 大学"),
        ("กรุงเทพ มหานคร", "กรุงเทพมหานคร"),
        ("서울 대학교", "서울 대학교"),
        ("ꯃꯅꯤꯄꯨꯔ نور ؟", "ꯃꯅꯤꯄꯨꯔ نور؟"),
        ("", ""),
        (",", ","),
        ("(", "("),
    ],
)
def test_text_as_it_is_written(words: str, text: str) -> None:
    assert detokenize(words.split(" ")) == text


def test_blank_words_leave_no_gap() -> None:
    assert detokenize(["a", "", " ", "\u3000", "b"]) == "a b"


@given(words=st.lists(st.text(min_size=1, max_size=4).map(lambda word: "".join(word.split())), max_size=8))
def test_no_character_is_changed(words: list[str]) -> None:
    text = detokenize(words)
    assert text.replace(" ", "") == "".join(words)
    assert text == text.strip()
