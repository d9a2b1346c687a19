"""What taggers say of texts, kept by what the tagger is and what the text is: nothing is tagged twice."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xner import io, schema
from xner._support.arrow import flattened, list_lengths, one_array
from xner._support.progress import Reporter, silent
from xner.errors import Error
from xner.experiments.extrinsic.methods import run_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from xner.experiments.extrinsic.methods import MadeTagger
    from xner.experiments.robustness.texts import Text
    from xner.models.taggers.tagger import WordTagger

__all__ = ["Labelled", "labelled"]

_PROBABILITY = "probability"


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """What a tagger says of a text.

    Attributes:
        labels: list<string>, valid IOB2, one a word.
        probabilities: float32, the tagger's probability of each word's label, text after text.
        file: where it is, within the study's folder.
    """

    labels: pa.Array[Any]
    probabilities: npt.NDArray[np.float32]
    file: str


def labelled(made: MadeTagger, texts: Sequence[Text], folder: Path, *, report: Reporter = silent) -> list[Labelled]:
    """What a tagger says of texts; it is loaded where something of that is not there yet.

    Args:
        made: the tagger.
        texts: that it labels.
        folder: of the study; gets the labels, in `labels`, each file as soon as a text is done.
        report: told the run's name, and how many texts are done.

    Raises:
        Error: a file that is there is not of these words; whatever tagging raises.
    """
    (folder / "labels").mkdir(parents=True, exist_ok=True)
    tagger: WordTagger | None = None
    found = []
    name = run_name(made.method, made.seed)
    for done, text in enumerate(texts, 1):
        key = hashlib.sha256(f"{made.identity}|{text.digest}".encode()).hexdigest()[:16]
        place = f"labels/{key}.parquet"
        if (folder / place).is_file():
            table = io.read(folder / place)
            if not one_array(table[schema.TOKENS]).cast(schema.WORDS_TYPE).equals(text.tokens):
                raise Error(f"'{folder / place}' was changed since it was made; remove it, and it is made anew")
        else:
            tagger = made.load() if tagger is None else tagger
            table = _tagged(tagger, text)
            io.write(table, folder / place)
        probabilities = flattened(one_array(table[_PROBABILITY])).to_numpy(zero_copy_only=False)
        found.append(Labelled(one_array(table[schema.LABELS]), np.asarray(probabilities, np.float32), place))
        report(name, done, len(texts))
    return found


def _tagged(tagger: WordTagger, text: Text) -> pa.Table:
    tagged = tagger.tag_batch(text.tokens)
    labels = one_array(tagged.labels).cast(schema.WORDS_TYPE)
    names = pa.array(tagger.label_names, pa.string())
    columns = np.asarray(pc.index_in(flattened(labels), value_set=names).to_numpy(zero_copy_only=False), np.int64)
    chosen = np.asarray(tagged.probabilities, np.float32)[np.arange(len(columns)), columns]
    offsets = np.fromiter(itertools.accumulate(list_lengths(labels).tolist(), initial=0), np.int32)
    probabilities = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(chosen, pa.float32()))
    return pa.table({schema.TOKENS: text.tokens, schema.LABELS: labels, _PROBABILITY: probabilities})
