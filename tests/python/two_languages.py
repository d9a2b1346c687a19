"""A made-up world of two languages with the same names and other words around them.

A name's ending says its class, `ix` for persons and `ov` for places, but half of the names end in `um` and may be
either: there only the word beside the name tells, before it in the source language, behind it in the target. That class
is a fair coin's. So a tagger that knows the target's words can be right always, while one that has seen the source's
alone can only guess for half of the names: its F1 is about 3/4 at best, whatever it has learnt.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

import tiny_models
import xner
from xner import schema
from xner.models.network.loading import import_transformers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TRANSFER_LIMIT = 0.75
"""Expected F1 of the best tagger that cannot read the target's words."""

_STEMS = ["Ba", "Do", "Fi", "Gu", "Ka", "Lo", "Mi", "Nu", "Pa", "Ro", "Si", "Tu", "Va", "Ze"]
_ENDINGS = {"PER": "ix", "LOC": "ov"}
_EITHER = "um"
_TELLING = {"PER": 3, "LOC": 3}
_ORDINARY = 25


def _words(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


# Words are whole pieces: x... in the source language, y... in the target.
SOURCE_WORDS = _words("xw", _ORDINARY) + [w for label, n in _TELLING.items() for w in _words(f"x{label.lower()}", n)]
TARGET_WORDS = ["y" + word[1:] for word in SOURCE_WORDS]


@dataclass(frozen=True)
class Pair:
    """A sentence, its translation, and what belongs together."""

    source: list[str]
    source_entities: list[tuple[int, int, str]]
    target: list[str]
    target_entities: list[tuple[int, int, str]]
    links: list[tuple[int, int]]


def pairs(count: int, *, seed: int) -> list[Pair]:
    """Random sentences and their translations."""
    draw = random.Random(seed)
    return [_pair(draw) for _ in range(count)]


def _pair(draw: random.Random) -> Pair:
    made = Pair([], [], [], [], [])

    def say(source: list[str], target: list[str]) -> None:
        """Add words that stand in the same order on both sides."""
        places = len(made.source), len(made.target)
        made.links.extend((places[0] + k, places[1] + k) for k in range(len(source)))
        made.source.extend(source)
        made.target.extend(target)

    for _ in range(draw.randint(1, 3)):
        ordinary = [draw.choice(SOURCE_WORDS[:_ORDINARY]) for _ in range(draw.randint(1, 4))]
        say(ordinary, ["y" + word[1:] for word in ordinary])
        label = draw.choice(["PER", "LOC"])
        ending = _ENDINGS[label] if draw.random() < 0.5 else _EITHER
        name = [draw.choice(_STEMS) + ending for _ in range(draw.randint(1, 2))]
        telling = f"x{label.lower()}{draw.randrange(_TELLING[label])}"
        # The word that tells stands before the name in the source, behind it in the target.
        start, target_start = len(made.source) + 1, len(made.target)
        made.links.append((start - 1, target_start + len(name)))
        made.links.extend((start + k, target_start + k) for k in range(len(name)))
        made.source.extend([telling, *name])
        made.target.extend([*name, "y" + telling[1:]])
        made.source_entities.append((start, start + len(name), label))
        made.target_entities.append((target_start, target_start + len(name), label))
    say(["."], ["."])
    return made


def source_table(some: list[Pair]) -> pa.Table:
    """Labelled sentences of the source language."""
    return table([(one.source, one.source_entities) for one in some])


def target_table(some: list[Pair]) -> pa.Table:
    """Labelled sentences of the target language: gold."""
    return table([(one.target, one.target_entities) for one in some])


def table(rows: list[tuple[list[str], list[tuple[int, int, str]]]]) -> pa.Table:
    """Labelled sentences, from words and entities."""
    return pa.table(
        {
            schema.TOKENS: pa.array([words for words, _ in rows], schema.WORDS_TYPE),
            schema.LABELS: pa.array([xner.labels.encode(found, len(words)) for words, found in rows]),
        }
    )


def projected_table(some: list[Pair], *, lost_links: float = 0.0, seed: int = 0) -> pa.Table:
    """The target's sentences with the source's labels projected onto them.

    Args:
        some: sentence pairs.
        lost_links: share of the words' links that are missing.
        seed: of which ones are.
    """
    draw = random.Random(seed)
    entities = [[{"start": s, "end": e, "label": c} for s, e, c in one.source_entities] for one in some]
    links = [[(s, t) for s, t in one.links if draw.random() >= lost_links] for one in some]
    rows = pa.table(
        {
            schema.TOKENS: pa.array([one.target for one in some], schema.WORDS_TYPE),
            schema.SOURCE_TOKENS: pa.array([one.source for one in some], schema.WORDS_TYPE),
            schema.SOURCE_ENTITIES: pa.array(entities, schema.SOURCE_ENTITIES_TYPE),
            schema.LINKS: pa.array(
                [[{"source": s, "target": t, "score": 1.0} for s, t in row] for row in links], schema.LINKS_TYPE
            ),
        }
    )
    return xner.Projector()(rows)


def save_shape(folder: Path, *, others: Sequence[str] = (), **changes: Any) -> Path:
    """Save a tokenizer that knows the words of both languages, and the configuration of a small encoder.

    Args:
        folder: where to.
        others: more words that it knows.
        **changes: settings of the configuration.
    """
    transformers = import_transformers("a test")
    endings = [f"##{ending}" for ending in (*_ENDINGS.values(), _EITHER)]
    pieces = [*tiny_models.SPECIAL, ".", *SOURCE_WORDS, *TARGET_WORDS, *_STEMS, *endings, *others]
    tokenizer: Any = transformers.BertTokenizer(
        vocab={piece: number for number, piece in enumerate(pieces)}, do_lower_case=False, model_max_length=64
    )
    tokenizer.save_pretrained(folder)
    settings = {"hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 128, "initializer_range": 0.1}
    tiny_models.bert_config(tokenizer, **(settings | changes)).save_pretrained(folder)
    return folder


def share_embeddings(folder: Path, others: Sequence[str] = TARGET_WORDS) -> Path:
    """Give each target word its source word's embedding in a saved model, as encoders of many languages nearly do.

    A tagger that has learnt the source language then reads the target's words. Only their order is foreign: what tells
    a name's class stands on its other side.

    Args:
        folder: of the model.
        others: the words of the target language, in the order of `SOURCE_WORDS`.
    """
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    tokenizer = import_transformers("a test").AutoTokenizer.from_pretrained(folder)
    source, target = (tokenizer.convert_tokens_to_ids(list(words)) for words in (SOURCE_WORDS, others))
    [embeddings] = (one for name, one in weights.items() if name.endswith("embeddings.word_embeddings.weight"))
    embeddings[target] = embeddings[source]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder
