"""Models of GLiNER as taggers: they find the classes that they are asked for, by name.

    tagger = GlinerTagger.load("FOLDER", asked_classes=["person", "location"], classes={"person": "PER"})

Source: Zaratiana et al. 2024, GLiNER: Generalist Model for Named Entity Recognition using Bidirectional Transformer;
https://github.com/urchade/GLiNER
"""

from __future__ import annotations

import itertools
import json
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from safetensors import safe_open

from xner._support.arguments import number
from xner._support.arguments import words as texts_of
from xner._support.extras import require
from xner.errors import Error, OptionError
from xner.models.network.device import resolve_devices
from xner.models.network.loading import first_line, import_transformers, load_config, model_identity, quiet
from xner.models.taggers.spans import FoundSpan, SpanTagger, spans_of_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

__all__ = ["GlinerTagger"]

_WHAT: Final = "the tagger of GLiNER"
_CONFIG: Final = "gliner_config.json"
_WEIGHTS: Final = "model.safetensors"
_CHUNK: Final = 256  # sentences that are handed to the model together
_BATCH: Final = 8
_OVERLAP: Final = 32  # words, at most, that neighbouring windows of a long sentence share
_ENDLESS: Final = 1_000_000  # tokenizers without a limit have one of 1e30


class GlinerTagger(SpanTagger):
    """Labels the words of sentences by a model of GLiNER. Make one with `GlinerTagger.load`.

    The model is shown the words with a blank between any two, and splits that text as it was trained to; what it finds
    becomes the words that it touches. Longer sentences than it takes are cut into windows that overlap.
    """

    def __init__(
        self,
        model: str,
        asked: Sequence[str],
        *,
        renamed: Mapping[str, str],
        threshold: float,
        device: str | Sequence[str],
    ) -> None:
        """Use `GlinerTagger.load`, whose arguments these are."""
        super().__init__(model, asked, renamed)
        self.threshold = threshold
        self._device = device

    @classmethod
    def load(
        cls,
        model: str,
        *,
        asked_classes: Sequence[str] = (),
        classes: Mapping[str, str] | None = None,
        threshold: float = 0.5,
        device: str | Sequence[str] = "auto",
        lazily: bool = False,
        **_: Any,
    ) -> GlinerTagger:
        """Load a model of GLiNER.

        Args:
            model: name on the Hugging Face hub, or folder. Weights come from safetensors files; code that comes with a
                model is not run.
            asked_classes: names of the classes to ask for, as the model would read them: `["person", "location"]`.
            classes: new names of classes, by those asked for: `{"person": "PER", "miscellaneous": "O"}`.
            threshold: the least score of a span, from 0 to below 1.
            device: `auto`, or a name (`cuda:1`); one.
            lazily: whether the weights are read when they are needed first, and not before.

        Raises:
            Error: the extra `gliner` is not installed, no classes are asked for, an option has no meaning, or the model
                cannot be used: there is none, none that finds entities of classes it is told, or not in safetensors
                files.
        """
        asked = texts_of("asked_classes", asked_classes)
        if not asked or any(not name.strip() or name == "O" for name in asked):
            raise OptionError(f"asked_classes={asked!r}: expected the names of the classes to find, like 'person'")
        if len(set(asked)) < len(asked):
            raise OptionError(f"asked_classes={asked!r}: a name is there twice")
        limit = number("threshold", threshold, "from 0 on and below 1", lambda value: 0 <= value < 1)
        require("gliner", extra="gliner", what=_WHAT)
        made = cls(model, asked, renamed=classes or {}, threshold=limit, device=device)
        _check_config(made._folder, model)
        if not lazily:
            _ = made._model
        return made

    @cached_property
    def _folder(self) -> Path:
        folder = Path(self.name)
        if folder.is_dir():
            return folder
        import_transformers(_WHAT)  # which brings the hub's library
        hub = require("huggingface_hub", extra="gliner", what=_WHAT)
        try:
            # Nothing that could hold code.
            patterns = ["*.json", "*.safetensors", "*.model", "*.txt"]
            return Path(hub.snapshot_download(self.name, allow_patterns=patterns))
        except Exception as error:  # of requests, files and names
            raise Error(f"cannot load the model of GLiNER '{self.name}': {first_line(error)}") from error

    @cached_property
    def _model(self) -> Any:
        self._check_sources()
        devices = resolve_devices(self._device, what=_WHAT)
        if len(devices) > 1 and self._device != "auto":
            raise OptionError(f"device={self._device!r}: GLiNER computes on one device")
        return _loaded(self._folder, self.name, str(devices[0]))

    @property
    def _sources(self) -> dict[str, str]:
        return {self.name: _WHAT}

    def _identity_of(self, name: str) -> str:
        return model_identity(name, what=_WHAT, config=_CONFIG)

    @property
    def _settings(self) -> str:
        return f"gliner:{metadata.version('gliner')}|asked:{','.join(self._found)}|threshold:{self.threshold:g}"

    def _find(self, sentences: Sequence[Sequence[str]]) -> Iterator[Sequence[FoundSpan]]:
        for first in range(0, len(sentences), _CHUNK):
            chunk = sentences[first : first + _CHUNK]
            windows = [
                (row, window) for row, words in enumerate(chunk) for window in self._windows(words, self._limits)
            ]
            # Those of similar length together, so that little is padded.
            windows.sort(key=lambda one: one[1].end - one[1].start)
            found: list[list[FoundSpan]] = [[] for _ in chunk]
            shown = [chunk[row][window.start : window.end] for row, window in windows]
            for (row, window), words, entities in zip(windows, shown, self._ask(shown), strict=True):
                places = [(one["start"], one["end"], one["label"], float(one["score"])) for one in entities]
                for span in spans_of_text(words, places):
                    start = span.start + window.start
                    if window.own_start <= start < window.own_end:
                        found[row].append(span._replace(start=start, end=span.end + window.start))
            yield from found

    def _ask(self, sentences: Sequence[Sequence[str]]) -> list[Any]:
        texts = [" ".join(words) for words in sentences]
        try:
            found = self._model.inference(
                texts, list(self._found), threshold=self.threshold, flat_ner=True, batch_size=_BATCH
            )
        except Exception as error:  # whatever a model's own code raises
            raise Error(f"the model of GLiNER '{self.name}' fails: {first_line(error)}") from error
        return list(found)

    @cached_property
    def _limits(self) -> tuple[int, float]:
        """How many of its own words the model takes, and how many word pieces beside the classes.

        Raises:
            Error: the names of the classes leave no room for words.
        """
        model = self._model
        tokenizer = model.data_processor.transformer_tokenizer
        if tokenizer.model_max_length > _ENDLESS:
            return int(model.config.max_len), float("inf")
        prompt = [part for name in self._found for part in (model.config.ent_token, name)]
        pieces = len(tokenizer([*prompt, model.config.sep_token], is_split_into_words=True)["input_ids"])
        room = tokenizer.model_max_length - pieces
        if room < 1:
            raise Error(
                f"the model of GLiNER '{self.name}' takes {tokenizer.model_max_length} word pieces, and the names of "
                f"{len(self._found)} classes are {pieces}: ask for fewer"
            )
        return int(model.config.max_len), room

    def _windows(self, words: Sequence[str], limits: tuple[int, float]) -> list[_Window]:
        """What the model is shown of a sentence: all of it, or windows one after the other."""
        processor = self._model.data_processor
        own = list(processor.words_splitter(" ".join(words)))
        ends = np.cumsum([len(word) + 1 for word in words])
        owners = np.searchsorted(ends, [start for _, start, _ in own], "right")
        costs = np.bincount(owners, minlength=len(words))
        pieces = np.zeros(len(words), np.int64)
        if own and limits[1] != float("inf"):
            encoded = processor.transformer_tokenizer(
                [word for word, _, _ in own], is_split_into_words=True, add_special_tokens=False, verbose=False
            )
            pieces = np.bincount(owners[encoded.word_ids()], minlength=len(words))
        return windows_of([(costs, limits[0]), (pieces, limits[1])], len(words), _OVERLAP)


class _Window(NamedTuple):
    """A part of a sentence that a model is shown.

    Attributes:
        start: its first word.
        end: one past its last word.
        own_start: the first word at which a span may begin that is taken from this window and no other.
        own_end: one past the last such word.
    """

    start: int
    end: int
    own_start: int
    own_end: int


def windows_of(budgets: Sequence[tuple[npt.NDArray[np.int64], float]], length: int, overlap: int) -> list[_Window]:
    """Cut a sentence into windows, as long as may be.

    Args:
        budgets: what each word costs, and how much a window may cost; of several kinds. A word that costs more is a
            window of its own.
        length: words of the sentence, at least one.
        overlap: words that neighbours share; at most half a window.
    """
    totals = [(np.concatenate([[0], np.cumsum(costs)]), most) for costs, most in budgets]

    def end_of(start: int) -> int:
        longest = min(int(np.searchsorted(total, total[start] + most, "right")) - 1 for total, most in totals)
        return min(max(longest, start + 1), length)

    bounds = [(0, end_of(0))]
    while (before := bounds[-1])[1] < length:
        start, end = before
        start = max(end - min(overlap, (end - start) // 2), start + 1)
        while end_of(start) <= end:  # a costly word comes next: another window has to hold it
            start += 1
        bounds.append((start, end_of(start)))
    # Within what two windows share, spans that begin in its first half are the left one's, which has more of what is
    # before them.
    cuts = [0, *((after[0] + before[1]) // 2 for before, after in itertools.pairwise(bounds)), length]
    return [_Window(*bound, *own) for bound, own in zip(bounds, itertools.pairwise(cuts), strict=True)]


def _check_config(folder: Path, model: str) -> None:
    """Look for what would keep a model from being loaded, or run its code.

    Raises:
        Error: there is such a thing.
    """
    whose = f"the model of GLiNER '{model}'"
    try:
        config = json.loads((folder / _CONFIG).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Error(f"cannot load {whose}: no {_CONFIG}, or none in JSON: {first_line(error)}") from error
    if not isinstance(config, dict):
        raise Error(f"cannot load {whose}: {_CONFIG} holds no object")
    if not (folder / _WEIGHTS).is_file():
        raise Error(
            f"cannot load {whose}: it has no {_WEIGHTS}, and weights are read from safetensors files only; "
            "`GLiNER.from_pretrained(NAME).save_pretrained(FOLDER, safe_serialization=True)` writes one"
        )
    for name, what in (("labels_decoder", "makes up classes"), ("relations_layer", "finds relations")):
        if config.get(name) is not None:
            raise Error(f"{whose} {what}: only those can tag that find entities of the classes they are told")
    # GLiNER lets transformers run what an encoder's configuration names as its code.
    encoders = {"encoder_config": config.get("model_name")}
    if config.get("labels_encoder"):
        encoders["labels_encoder_config"] = config["labels_encoder"]
    for name, where in encoders.items():
        given = config.get(name)
        if given is None:
            given = load_config(str(where), kind="encoder", what=_WHAT).to_dict()
        if _has_code(given):
            raise Error(f"{whose} comes with code of its own (auto_map in its configuration), which is not run")


def _has_code(config: Any) -> bool:
    if isinstance(config, dict):
        return "auto_map" in config or any(map(_has_code, config.values()))
    return isinstance(config, list) and any(map(_has_code, config))


def _loaded(folder: Path, model: str, device: str) -> Any:
    transformers = import_transformers(_WHAT)
    gliner = require("gliner", extra="gliner", what=_WHAT)
    try:
        with quiet(transformers):
            made = gliner.GLiNER.from_pretrained(str(folder), map_location=device).eval()
        with safe_open(folder / _WEIGHTS, framework="np") as weights:
            stored = set(weights.keys())
    except Exception as error:  # whatever a model's own code raises
        raise Error(f"cannot load the model of GLiNER '{model}': {first_line(error)}") from error
    # GLiNER leaves what is missing random. Of weights that are shared a file may have one name alone.
    places = {name: weight.data_ptr() for name, weight in made.model.state_dict().items()}
    known = {place for name, place in places.items() if name in stored}
    if missing := sorted(name for name, place in places.items() if name not in stored and place not in known):
        raise Error(
            f"'{model}' has not the weights of a model of GLiNER: {len(missing)} are missing, {missing[0]} for one"
        )
    return made
