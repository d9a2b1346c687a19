"""Where the errors of projected labels come from: translation, source tags, links, boundaries, class.

What is wrong is told from gold labels, as in `xner.evaluation.error_kinds`; where it comes from, from what the source
side has. Each error has one cause, the first that applies:

- `translation`: the sentence's translation failed (`translation_status` is not `ok`).
- `class`: predicted and gold entity share words, and differ in class.
- `boundary`: they share words and class, and not all words.
- `source tag`: gold entities of a class that the source sentence has too few of, whatever links say; or spurious ones
  of a class that it has too many of. Where people labelled both sides this is where they do not agree; where a tagger
  labelled the source side, its errors are here as well.
- `link`: the others. The source side has the entity, and it was given to no word or to other ones.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from xner.errors import Error
from xner.evaluation._sides import GOLD, PREDICTED, ignored_classes, read_sides
from xner.evaluation.error_kinds import decoded, paired

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xner._support.sentences import Sentences

__all__ = ["CAUSES", "error_causes"]

CAUSES: Final = ("translation", "source tag", "link", "boundary", "class")


def error_causes(
    gold_labels: Sentences,
    predicted_labels: Sentences,
    source_entities: Iterable[Sequence[Mapping[str, Any]] | None],
    *,
    translation_status: Iterable[str | None] | None = None,
    ignore: Sequence[str] = (),
) -> dict[str, int | None]:
    """Count errors by cause, a name of `CAUSES`; a wrong pair of a gold and a predicted entity is one error.

    Args:
        gold_labels: the tags of each sentence's words, in any form that `evaluate` takes.
        predicted_labels: likewise; as many sentences, of as many words.
        source_entities: of each sentence, with `label`; None for a sentence without.
        translation_status: of each sentence; None where nothing was translated, and errors of translation are None.
        ignore: classes whose entities are left out on all sides.

    Raises:
        Error: different numbers of sentences, or an unusable argument.
        DataError: sentences of different lengths, or something that is not a tag; the message names the row.
    """
    ignored = ignored_classes(ignore)
    gold_lists, predicted_lists, _ = read_sides(gold_labels, predicted_labels)
    sources = list(source_entities)
    statuses = ["ok"] * len(sources) if translation_status is None else list(translation_status)
    for name, values in (("source_entities", sources), ("translation_status", statuses)):
        if len(values) != len(gold_lists):
            raise Error(f"{GOLD} has {len(gold_lists)} sentences but {name} has {len(values)}")
    found: Counter[str] = Counter()
    for gold, predicted, source, status in zip(
        decoded(gold_lists, GOLD, ignored), decoded(predicted_lists, PREDICTED, ignored), sources, statuses, strict=True
    ):
        pairs = [(one, other) for one, other in paired(gold, predicted) if one != other]
        if status != "ok":
            found["translation"] += len(pairs)
            continue
        both = [(one, other) for one, other in pairs if one is not None and other is not None]
        found["class"] += sum(one[2] != other[2] for one, other in both)
        found["boundary"] += sum(one[2] == other[2] for one, other in both)
        has = Counter(one["label"] for one in source or ())
        wanted = Counter(label for *_, label in gold)
        missed = Counter(one[2] for one, other in pairs if one is not None and other is None)
        spurious = Counter(other[2] for one, other in pairs if one is None and other is not None)
        of_source = (missed & (wanted - has)).total() + (spurious & (has - wanted)).total()
        found["source tag"] += of_source
        found["link"] += missed.total() + spurious.total() - of_source
    known: dict[str, int | None] = {cause: found[cause] for cause in CAUSES}
    return known | ({"translation": None} if translation_status is None else {})
