"""Labels that are there already, in place of a tagger: what a system outside has made of texts, a file each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from xner import schema
from xner._support.arrow import pylist
from xner.errors import Error
from xner.io.layout import AS_TOLD
from xner.models.network.loading import folder_digest
from xner.models.taggers.spans import FoundSpan, SpanTagger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["ReadyLabels"]

_WHAT = "the folder of labels"

# Words of the sentences that have some.
_Words = tuple[tuple[str, ...], ...]


class ReadyLabels(SpanTagger):
    """Gives the labels of whole texts that files of a folder have. Make one with `ReadyLabels.load`.

    A text is found by its words, all of them in their order: a file has the labels of one text.
    """

    def __init__(
        self, model: str, texts: Mapping[_Words, list[list[tuple[int, int, str]]]], *, renamed: Mapping[str, str]
    ) -> None:
        """Use `ReadyLabels.load`. `texts`: entities of each sentence that has words, by the text's words."""
        found = {label for sentences in texts.values() for entities in sentences for _, _, label in entities}
        super().__init__(model, sorted(found), renamed)
        self._texts = texts

    @classmethod
    def load(cls, model: str, *, classes: Mapping[str, str] | None = None, **_: Any) -> Self:
        """Read the files of a folder.

        Args:
            model: the folder; its files have words and labels in any format of `xner.io`, known by their names.
            classes: new names of classes, by those of the files: `{"MISC": "O"}`. Others keep theirs.

        Raises:
            Error: there is no such folder, it has no labels, a file that cannot be read, or two that say different
                things of the same words.
        """
        folder = Path(model)
        if not folder.is_dir():
            raise Error(f"there is no folder '{model}' of labels")
        texts: dict[_Words, list[list[tuple[int, int, str]]]] = {}
        for path in sorted(folder.iterdir()):
            if path.name.startswith(".") or not path.is_file():
                continue
            found = AS_TOLD.labelled(AS_TOLD.read(path), path)
            rows = zip(pylist(found.table[schema.TOKENS]), pylist(found.entities), strict=True)
            kept = [
                (tuple(words), [(one["start"], one["end"], one["label"]) for one in entities or ()])
                for words, entities in rows
                if words
            ]
            key, its = tuple(words for words, _ in kept), [entities for _, entities in kept]
            if texts.setdefault(key, its) != its:
                raise Error(f"'{path}' says something else of the same words than a file before it; remove one of them")
        if not any(entities for its in texts.values() for entities in its):
            raise Error(f"the files of '{model}' have no labels")
        return cls(model, texts, renamed=classes or {})

    @property
    def _sources(self) -> dict[str, str]:
        return {self.name: _WHAT}

    def _identity_of(self, name: str) -> str:
        return folder_digest(Path(name))

    @property
    def _settings(self) -> str:
        return "ready-labels"

    def _find(self, sentences: Sequence[Sequence[str]]) -> Iterator[Sequence[FoundSpan]]:
        found = self._texts.get(tuple(map(tuple, sentences))) if sentences else []
        if found is None:
            begin = " ".join(sentences[0][:6])
            raise Error(
                f"no file of '{self.name}' has the labels of these {len(sentences)} sentences, which begin with "
                f"'{begin}': label the text, and put the file there"
            )
        return iter([[FoundSpan(*entity) for entity in entities] for entities in found])
