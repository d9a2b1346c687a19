"""Labelled parallel text of `XNER_TEST_DATA`, and small encoders, for the programs that train taggers on them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "python"))

import tiny_models
import xner

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa

DATA = Path(os.environ.get("XNER_TEST_DATA", "../shared/data"))
LAFAND = DATA / "lafand-masakhaner2"
_EUROPARL = DATA / "europarl-ner"
_EUROPARL_TRAINING = 500  # of 799 rows; the others are the test data


@dataclass(frozen=True, eq=False)
class ParallelText:
    """Sentence pairs of a language: `tokens`, `gold_labels`, `source_tokens`, `source_entities`.

    Attributes:
        training: what taggers learn from.
        test: what they are scored on.
    """

    training: pa.Table
    test: pa.Table

    @classmethod
    def read(cls, language: str) -> ParallelText:
        """The pairs of a language.

        Args:
            language: `lug` or `twi` of LAFAND, whose English labels are a small tagger's, or one of Europarl's, gold on
                both sides.
        """
        if (LAFAND / f"{language}.test.gold.conll").is_file():
            parts = (LAFAND / f"{language}.{part}" for part in ("train", "test"))
            return cls(*(xner.read_pairs(f"{part}.en.conll", f"{part}.gold.conll") for part in parts))
        files = (_EUROPARL / f"{one}-europarl.test.conll02" for one in ("en", language))
        pairs = xner.read_pairs(*files)
        return cls(pairs.slice(0, _EUROPARL_TRAINING), pairs.slice(_EUROPARL_TRAINING))


def save_shape(folder: Path, sentences: Iterable[Sequence[str]]) -> None:
    """A tokenizer of sentences, and the configuration of a small encoder."""
    tokenizer = tiny_models.learned_bert_tokenizer(sentences, longest=256)
    tokenizer.save_pretrained(folder)
    sizes = {"hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 128}
    tiny_models.bert_config(tokenizer, **sizes).save_pretrained(folder)


def save_first_layers(folder: Path, encoder: str, layers: int) -> None:
    """The first layers of an encoder, with its tokenizer."""
    import transformers

    transformers.AutoModel.from_pretrained(encoder, num_hidden_layers=layers).save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(encoder).save_pretrained(folder)
