"""Pipelines of spaCy as taggers.

    tagger = SpacyTagger.load("xx_ent_wiki_sm", classes={"MISC": "O"})

The words are given, so the pipeline's own tokenizer is left out; all its other components run.

Source: https://spacy.io/usage/processing-pipelines
"""

from __future__ import annotations

from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from xner._support.extras import require
from xner.errors import Error, OptionError
from xner.models.network.loading import first_line, folder_digest
from xner.models.taggers.spans import FoundSpan, SpanTagger, spans_of_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["SpacyTagger"]

_WHAT: Final = "the tagger of spaCy"
_ENTITIES, _GROUPS = "doc.ents", "doc.spans"


class SpacyTagger(SpanTagger):
    """Labels the words of sentences by a pipeline of spaCy. Make one with `SpacyTagger.load`.

    Entities are `Doc.ents`; where no component makes these, the groups of spans that components make, such as those of
    `spancat`, with their scores. Entities of `Doc.ents` have no scores: their words have their labels for certain.
    """

    def __init__(self, model: str, pipeline: Any, *, renamed: Mapping[str, str], device: str) -> None:
        """Use `SpacyTagger.load`, whose arguments these are. `pipeline`: what was loaded."""
        super().__init__(model, _classes_of(pipeline, model), renamed)
        self._device = device
        self.__dict__["_pipeline"] = pipeline

    @classmethod
    def load(
        cls,
        model: str,
        *,
        classes: Mapping[str, str] | None = None,
        device: str | Sequence[str] = "auto",
        **_: Any,
    ) -> SpacyTagger:
        """Load a pipeline, by spaCy's own `spacy.load`.

        Args:
            model: name of an installed package, or a folder that a pipeline was saved to.
            classes: new names of classes, by the pipeline's: `{"PERSON": "PER", "MISC": "O"}`. Others keep theirs.
            device: `auto` leaves it to spaCy, which computes on the processor unless `spacy.prefer_gpu` was called;
                `cpu` and `cuda:0` have it computing there, in all of this process.

        Raises:
            Error: the extra `spacy` is not installed, there is no such pipeline, it cannot be loaded, or it finds no
                entities; a class to rename that it does not have; a device that there is not.
        """
        named = [device] if isinstance(device, str) else list(device)
        if len(named) != 1:
            raise OptionError(f"device={device!r}: spaCy computes on one device")
        return cls(model, _loaded(model, named[0]), renamed=classes or {}, device=named[0])

    @cached_property
    def _pipeline(self) -> Any:
        """Read again where this was pickled."""
        self._check_sources()
        return _loaded(self.name, self._device)

    @property
    def _sources(self) -> dict[str, str]:
        return {self.name: _WHAT}

    def _identity_of(self, name: str) -> str:
        if Path(name).is_dir():
            return folder_digest(Path(name), deep=True)
        try:
            return f"{name}=={metadata.version(name)}"
        except metadata.PackageNotFoundError:
            raise _no_pipeline(name) from None

    @property
    def _settings(self) -> str:
        return f"spacy:{metadata.version('spacy')}"

    def _find(self, sentences: Sequence[Sequence[str]]) -> Iterator[Sequence[FoundSpan]]:
        pipeline = self._pipeline
        make = require("spacy", extra="spacy", what=_WHAT).tokens.Doc
        docs = pipeline.pipe(make(pipeline.vocab, words=list(words)) for words in sentences)
        makers = _makers(pipeline)
        groups = [] if _ENTITIES in makers.values() else [pipeline.get_pipe(name).key for name in makers]
        known = set(self._found)
        for words in sentences:
            try:
                doc = next(docs)
            except Exception as error:
                raise Error(f"the spaCy pipeline '{self.name}' fails: {first_line(error)}") from error
            # By characters: components that merge tokens change their numbers, never the text.
            found = spans_of_text(words, list(_of_groups(doc, groups) if groups else _of_entities(doc)))
            for span in found:
                if span.label not in known:
                    raise Error(
                        f"the spaCy pipeline '{self.name}' finds the class {span.label!r}, which its components do not "
                        f"have among their labels: {', '.join(self._found)}"
                    )
            yield found


def _of_entities(doc: Any) -> Iterator[tuple[int, int, str, float]]:
    for span in doc.ents:
        yield span.start_char, span.end_char, span.label_, 1.0


def _of_groups(doc: Any, groups: Iterable[str]) -> Iterator[tuple[int, int, str, float]]:
    for name in groups:
        if name not in doc.spans:
            continue
        group = doc.spans[name]
        scores = group.attrs.get("scores")
        for number, span in enumerate(group):
            yield span.start_char, span.end_char, span.label_, 1.0 if scores is None else float(scores[number])


def _loaded(model: str, device: str) -> Any:
    """A pipeline.

    Raises:
        Error: see `SpacyTagger.load`.
    """
    spacy = require("spacy", extra="spacy", what=_WHAT)
    if device == "cpu":
        spacy.require_cpu()
    elif device != "auto":
        kind, _, place = device.partition(":")
        if kind != "cuda" or not (place or "0").isdecimal():
            raise OptionError(f"device={device!r}: expected 'auto', 'cpu', or a GPU: 'cuda:0'")
        try:
            spacy.require_gpu(int(place or 0))
        except ValueError as error:
            raise OptionError(f"device={device!r}: cannot compute there: {first_line(error)}") from error
    folder = Path(model)
    if not model or not (folder.is_dir() or spacy.util.is_package(model)):
        raise _no_pipeline(model)
    try:
        return spacy.load(folder if folder.is_dir() else model)
    except Exception as error:  # of any component, whose code may be anybody's
        raise Error(f"cannot load the spaCy pipeline '{model}': {first_line(error)}") from error


def _no_pipeline(model: str) -> Error:
    return Error(
        f"there is no spaCy pipeline '{model}': neither a folder nor an installed package; `python -m spacy download "
        "NAME` installs those of https://spacy.io/models, and `nlp.to_disk(FOLDER)` saves one of yours"
    )


def _makers(pipeline: Any) -> dict[str, str]:
    """The components that find entities, and whether in `doc.ents` or in groups of `doc.spans`."""
    found = {}
    for name in pipeline.pipe_names:
        component, assigns = pipeline.get_pipe(name), pipeline.get_pipe_meta(name).assigns
        if _ENTITIES in assigns or getattr(component, "annotate_ents", False):
            found[name] = _ENTITIES
        elif _GROUPS in assigns and hasattr(component, "key"):
            found[name] = _GROUPS
    return found


def _classes_of(pipeline: Any, model: str) -> list[str]:
    """The classes that a pipeline finds.

    Raises:
        Error: none.
    """
    makers = _makers(pipeline)
    if not makers:
        components = ", ".join(pipeline.pipe_names) or "none"
        raise Error(
            f"the spaCy pipeline '{model}' finds no entities: it needs a component like ner, entity_ruler or spancat, "
            f"and its components are: {components}"
        )
    if _ENTITIES in makers.values():
        makers = {name: where for name, where in makers.items() if where == _ENTITIES}
    labels = [str(label) for name in makers for label in getattr(pipeline.get_pipe(name), "labels", ())]
    if not labels:
        raise Error(f"the spaCy pipeline '{model}' finds no entities: {', '.join(makers)} has no labels")
    return list(dict.fromkeys(labels))
