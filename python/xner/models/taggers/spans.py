"""Taggers that find spans, as those of other libraries do: what they find as labels and distributions of words."""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from xner import labels as word_labels
from xner import schema
from xner._support.arrow import list_lengths
from xner._support.progress import Reporter, silent
from xner._support.sentences import Sentences, to_arrow, word_lists
from xner._version import __version__
from xner.models.network.loading import Reloaded
from xner.models.taggers.tag_schemes import read_tags
from xner.models.taggers.tagger import STATUSES, TaggedBatch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["FoundSpan", "SpanTagger", "spans_of_text", "without_overlaps"]

_EVERY = 256  # sentences between two reports of progress


class FoundSpan(NamedTuple):
    """A span of a sentence.

    Attributes:
        start: its first word.
        end: one past its last word.
        label: its class, as the model calls it.
        score: the model's probability of it, from 0 to 1; 1 where the model does not say.
    """

    start: int
    end: int
    label: str
    score: float = 1.0


class SpanTagger(Reloaded):
    """Labels the words of sentences by the spans that a model finds in them; a base of taggers.

    Of spans that overlap the one with the highest score stays, of equal ones the longest, then the first. Then classes
    are renamed. The distribution of a span's word has its score for the word's label and the rest for `O`; other words
    are `O` for certain. Words without a character that is not blank are left out of what the model is shown.

    Attributes:
        name: of the model, or its folder.
        label_names: `O`, then `B-X` and `I-X` for each class.
        classes: of entities, renamed ones under their new names.
    """

    def __init__(self, model: str, found: Sequence[str], renamed: Mapping[str, str]) -> None:
        """Has what all such taggers have.

        Args:
            model: its name.
            found: the classes that it can find.
            renamed: new names of classes, by the model's; `O` for those that do not count.

        Raises:
            Error: a class to rename that the model does not have, or none is left.
        """
        self.name = model
        self._renamed = dict(renamed)
        labels = ["O", *(f"{prefix}-{name}" for name in found for prefix in "BI")]
        tags = read_tags(dict(enumerate(labels)), model, scheme="IOB2", classes=self._renamed)
        self.label_names = tags.label_names
        self.classes = tags.classes
        self._found = tuple(found)

    @abstractmethod
    def _find(self, sentences: Sequence[Sequence[str]]) -> Iterator[Sequence[FoundSpan]]:
        """What the model finds in each sentence; every sentence has a word, and every word a character."""

    @property
    @abstractmethod
    def _settings(self) -> str:
        """What decides the output besides the model and the names of classes."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, classes={','.join(self.classes)!r})"

    @property
    def signature(self) -> str:
        """One line that tells how sentences were tagged, for tables and papers."""
        renamed = ",".join(f"{old}>{new}" for old, new in self._renamed.items())
        parts = [f"xner:{__version__}", f"tagger:{self.name}", self._settings, f"classes:{','.join(self.classes)}"]
        return "|".join([*parts, *([f"renamed:{renamed}"] if renamed else [])])

    @property
    def identity(self) -> str:
        """Tells what decides the output, the model's content above all, from all others."""
        meaning = [[name, self._renamed.get(name, name)] for name in self._found]
        return f"{self._identity_of(self.name)}|{self._settings}|{json.dumps(meaning)}"

    def tag_batch(
        self, sentences: Sentences, *, column: str = schema.TOKENS, progress: Reporter = silent
    ) -> TaggedBatch:
        """Tag sentences.

        Args:
            sentences: lists of words, or an Arrow array of lists of strings; a missing row is an empty one.
            column: their name in error messages.
            progress: told `tag`, the sentences done, and their number.

        Raises:
            DataError: something else than a list of words; the message names the row.
            Error: the model fails.
        """
        array = to_arrow(sentences, column)
        rows = word_lists(array, column)
        shown = [[place for place, word in enumerate(row) if word.strip()] for row in rows]
        found = self._find(
            [[row[place] for place in places] for row, places in zip(rows, shown, strict=True) if places]
        )
        places_of = {name: 2 * number + 1 for number, name in enumerate(self.classes)}
        lengths = list_lengths(array)
        codes = np.zeros(int(lengths.sum()), np.int64)
        probabilities = np.zeros((len(codes), len(self.label_names)), np.float32)
        probabilities[:, 0] = 1
        first = 0
        for done, (row, places) in enumerate(zip(rows, shown, strict=True), 1):
            for span in without_overlaps(next(found)) if places else ():
                name = self._renamed.get(span.label, span.label)
                if name == "O":
                    continue
                # A blank word within a span belongs to it.
                start, end = first + places[span.start], first + places[span.end - 1] + 1
                codes[start:end] = places_of[name] + 1
                codes[start] = places_of[name]
                probabilities[start:end, 0] = 1 - span.score
                probabilities[np.arange(start, end), codes[start:end]] = span.score
            first += len(row)
            if done % _EVERY == 0 or done == len(rows):
                progress("tag", done, len(rows))
        status = ["empty" if not row else _status(row, places) for row, places in zip(rows, shown, strict=True)]
        names = pa.array(self.label_names, pa.string())
        offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
        lists = pa.ListArray.from_arrays(offsets, names.take(codes))
        return TaggedBatch(
            lists,
            word_labels.decode_batch(lists),
            probabilities,
            lengths,
            pa.DictionaryArray.from_arrays(
                pa.array([list(STATUSES).index(one) for one in status], pa.int32()), pa.array(list(STATUSES))
            ),
        )


def _status(row: Sequence[str], places: Sequence[int]) -> str:
    return "ok" if len(places) == len(row) else "words_without_pieces"


def without_overlaps(spans: Sequence[FoundSpan]) -> list[FoundSpan]:
    """Those that overlap none with a higher score, or with the same and longer, or likewise and before them.

    Returns:
        In the order of the sentence.
    """
    kept: list[FoundSpan] = []
    for span in sorted(spans, key=lambda one: (-one.score, one.start - one.end, one.start)):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return sorted(kept)


def spans_of_text(words: Sequence[str], found: Sequence[tuple[int, int, str, float]]) -> list[FoundSpan]:
    """Spans of characters of a text, which is words with a blank between any two, as spans of the words they touch.

    Args:
        words: none of them empty.
        found: first character, one past the last, class, score.
    """
    starts = np.cumsum([0, *(len(word) + 1 for word in words)])
    ends = starts[1:] - 1
    spans = []
    for start, end, label, score in found:
        first, last = int(np.searchsorted(ends, start, "right")), int(np.searchsorted(starts[:-1], end, "left"))
        if first < last:
            spans.append(FoundSpan(first, last, label, score))
    return spans
