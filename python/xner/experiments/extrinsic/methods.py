"""Ways to a tagger, and the taggers that they come to: what studies compare."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xner._support.digests import table_digest
from xner.errors import Error, OptionError
from xner.experiments.pages.provenance import Data
from xner.models.taggers.catalogue import load_tagger, takes_options_of
from xner.models.taggers.tagger import Tagger
from xner.training.distillation.distilling import distill
from xner.training.run import train

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from xner.models.taggers.tagger import WordTagger
    from xner.training.fine_tuning import Moment
    from xner.training.noise import NoiseOptions
    from xner.training.run import Corpus, Judged
    from xner.training.settings import TrainingSettings

__all__ = ["MadeTagger", "Making", "Method", "check_distinct", "data_of", "made_taggers", "run_name"]

_NAME = re.compile(r"[\w+-][\w.+-]*")


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """A way to a tagger.

    Attributes:
        name: letters, digits and `.+-_`, the first one no dot, as it names a folder.
        training: what it learns from, all together; empty for taggers that are there already.
        tagger: that one, as for `load_tagger`, or anything that tags as a `WordTagger` does; or several, runs of the
            same training with other seeds.
        development: chooses the best checkpoint and stops training early.
        teachers: what it is distilled from: names of methods that stand before it, each by its run of the same seed, or
            taggers as for `distill`.
        text: of which the teachers say what the student learns; sentences without labels.
        hard_labels: whether it learns their labels alone, and not their probabilities.
    """

    name: str
    training: Sequence[Corpus] = ()
    tagger: str | WordTagger | Sequence[str | WordTagger] | None = None
    development: Corpus | None = None
    teachers: Sequence[str] = ()
    text: Corpus | None = None
    hard_labels: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise Error(f"method {self.name!r}: a name has letters, digits and . + - _ only, and no dot in front")
        if bool(self.training) + bool(self.taggers) + bool(self.teachers) != 1:
            ways = "either data to train on or a tagger that is there already, or teachers"
            raise Error(f"method '{self.name}' needs {ways}")
        if bool(self.teachers) != (self.text is not None):
            raise Error(f"method '{self.name}': teachers and text go together")
        if self.hard_labels and not self.teachers:
            raise Error(f"method '{self.name}': hard_labels goes with teachers")

    @property
    def learnt_from(self) -> tuple[Corpus, ...]:
        """What it learns from: labelled data, or the text of its teachers."""
        return (*self.training, *(() if self.text is None else (self.text,)))

    @property
    def taggers(self) -> tuple[str | WordTagger, ...]:
        """Those that are there already."""
        if self.tagger is None:
            return ()
        if isinstance(self.tagger, str) or not isinstance(self.tagger, Sequence):
            return (self.tagger,)
        return tuple(self.tagger)


@dataclass(frozen=True, slots=True, eq=False)
class MadeTagger:
    """A tagger that a method has come to.

    Attributes:
        method: its name.
        seed: of its training, or the number of one of several taggers that were there already; None for the only one.
        identity: a digest that tells it from all others: of what its training went by, or of what it is.
        load: gives the tagger, whose weights are not read before they are needed.
    """

    method: str
    seed: int | None
    identity: str
    load: Callable[[], WordTagger]


def run_name(method: str, seed: int | None) -> str:
    """What a run is called: `METHOD`, or `METHOD/seed-N`."""
    return method if seed is None else f"{method}/seed-{seed}"


def check_distinct(what: str, names: Sequence[str] | Sequence[int]) -> None:
    """That there are names, and none of them twice.

    Raises:
        Error: there are none, or one is there twice.
    """
    if not names:
        raise Error(f"there are no {what}")
    if twice := [name for place, name in enumerate(names) if name in names[:place]]:
        raise Error(f"{what}: {twice[0]!r} is there twice")


@dataclass(frozen=True, slots=True, eq=False)
class Making:
    """How the taggers of a study are made, the same for all methods; see `study_extrinsic`.

    Attributes:
        model: what training starts from; None where nothing is trained.
        seeds: of the trainings.
        settings: of them; the seed is replaced.
        noise: what is done about doubtful labels; None for the default.
        classes: what classes become, in all data and taggers.
        asked_classes: those that taggers are asked for which find what they are told.
        random_weights: whether trainings start from random weights.
        device: `auto`, or `cpu`.
        resume: whether interrupted trainings go on.
        progress: called with the method, the seed, and how far its training has come.
    """

    model: str | None
    seeds: Sequence[int]
    settings: TrainingSettings
    noise: NoiseOptions | None
    classes: Mapping[str, str]
    asked_classes: Sequence[str]
    random_weights: bool
    device: str
    resume: bool
    progress: Callable[[str, int, Moment], None] | None

    def check(self, methods: Sequence[Method]) -> None:
        """That the methods can be made so.

        Raises:
            Error: there are no methods, or no model for those that train; names or seeds repeat.
            OptionError: there are classes to ask for, and no tagger that is asked.
        """
        named = [one for method in methods for one in method.taggers if isinstance(one, str)]
        if self.asked_classes and not any(takes_options_of(one, "classes") for one in named):
            raise OptionError("asked_classes goes with a tagger that is asked for classes: gliner:MODEL")
        check_distinct("methods", [one.name for one in methods])
        check_distinct("seeds", self.seeds)
        if self.model is None and (trained := [method.name for method in methods if not method.taggers]):
            raise Error(f"training needs a model to start from: the method '{trained[0]}' has to be trained")

    def ready(self, method: Method) -> Iterator[MadeTagger]:
        """The taggers of a method that are there already.

        Raises:
            Error: two of them are the same, whose luck would count as that of two trainings.
        """
        taggers = [self._loaded(named) if isinstance(named, str) else named for named in method.taggers]
        identities = [hashlib.sha256(tagger.identity.encode()).hexdigest() for tagger in taggers]
        for number, identity in enumerate(identities):
            if (first := identities.index(identity)) < number:
                both = ", ".join(str(method.taggers[place]) for place in (first, number))
                raise Error(f"method '{method.name}': two of its runs are the same tagger ({both}): give it once")
        for number, (tagger, identity) in enumerate(zip(taggers, identities, strict=True)):
            seed = number if len(taggers) > 1 else None
            yield MadeTagger(method.name, seed, identity, partial(_itself, tagger))

    def trained(self, method: Method, taught: Sequence[Sequence[str]], folder: Path) -> Iterator[MadeTagger]:
        """The taggers of a method that trains, one a seed.

        Args:
            method: which.
            taught: the teachers of each seed's student; empty where there are none.
            folder: of the study.
        """
        place = folder / "models" / method.name
        place.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(self.seeds):
            given: dict[str, Any] = {
                "development": method.development,
                "settings": replace(self.settings, seed=seed),
                "classes": self.classes,
                "random_weights": self.random_weights,
                "device": self.device,
                "resume": self.resume,
                "progress": None if self.progress is None else _named(self.progress, method.name, seed),
            }
            model, output = self.model or "", place / f"seed-{seed}"
            if method.text is None:
                report = train(model, method.training, output, noise=self.noise, **given)
            else:
                teachers = taught[number]
                given |= {"steps": _steps(folder, teachers, method.text), "hard_labels": method.hard_labels}
                report = distill(model, teachers, method.text, output, **given)
            load = partial(Tagger.load, str(report.folder), device=self._tagger_device, dtype="float32")
            yield MadeTagger(method.name, seed, report.metrics["run"], load)

    @property
    def _tagger_device(self) -> str:
        return "cpu" if self.device == "cpu" else "auto"

    def _loaded(self, tagger: str) -> WordTagger:
        asked = {"asked_classes": self.asked_classes} if takes_options_of(tagger, "classes") else {}
        return load_tagger(tagger, device=self._tagger_device, classes=self.classes, lazily=True, **asked)


def made_taggers(methods: Sequence[Method], folder: str | os.PathLike[str], making: Making) -> Iterator[MadeTagger]:
    """The taggers of methods, in their order, each trained when it is asked for. Wrong methods are an error at once.

    Args:
        methods: ways to a tagger.
        folder: gets `models/METHOD/seed-N`.
        making: how they are made.

    Raises:
        Error: methods that cannot be made so, or whatever training raises.
        OptionError: see `Making.check`.
    """
    making.check(methods)
    place = Path(folder)
    taught = {one.name: _teachers(one, methods, place, making.seeds) for one in methods if one.teachers}
    return (
        made
        for one in methods
        for made in (making.ready(one) if one.taggers else making.trained(one, taught.get(one.name, ()), place))
    )


def _itself(tagger: WordTagger) -> WordTagger:
    return tagger


def _teachers(method: Method, methods: Sequence[Method], folder: Path, seeds: Sequence[int]) -> list[list[str]]:
    """The teachers of a method's student with each seed, by the names of models.

    Raises:
        Error: a method that does not stand before it, or whose runs are not one, nor one a seed, nor named.
    """
    names = [one.name for one in methods]
    before = {one.name: one for one in methods[: names.index(method.name)]}

    def model_of(teacher: str, number: int, seed: int) -> str:
        if teacher not in before:
            return teacher
        taggers = before[teacher].taggers
        if not taggers:
            return str(folder / "models" / teacher / f"seed-{seed}")
        if len(taggers) not in {1, len(seeds)}:
            raise Error(
                f"method '{method.name}': its teacher '{teacher}' has {len(taggers)} runs for {len(seeds)} seeds"
            )
        found = taggers[number % len(taggers)]
        if not isinstance(found, str):
            raise Error(f"method '{method.name}': its teacher '{teacher}' is no model that has a name")
        return found

    for teacher in method.teachers:
        if teacher in names and teacher not in before:
            raise Error(
                f"method '{method.name}': its teacher '{teacher}' must stand before it"
                + (", and no method teaches itself" if teacher == method.name else "")
            )
    return [[model_of(teacher, number, seed) for teacher in method.teachers] for number, seed in enumerate(seeds)]


def _steps(folder: Path, teachers: Sequence[str], text: Corpus) -> Path:
    """Where it is kept what teachers say of a text: the same place for all students of theirs."""
    key = hashlib.sha256(repr([*teachers, table_digest(text.table)]).encode()).hexdigest()[:12]
    place = folder / "teachers" / key
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _named(progress: Callable[[str, int, Moment], None], method: str, seed: int) -> Callable[[Moment], None]:
    return lambda moment: progress(method, seed, moment)


def data_of(
    methods: Iterable[Method], tests: Iterable[Judged], others: Iterable[tuple[Corpus, str]] = ()
) -> list[Data]:
    """Test data, what methods learnt from, and what chose checkpoints; each once, with all its uses.

    Args:
        methods: ways to a tagger.
        tests: test data.
        others: further data, each with its use.
    """
    used: dict[tuple[str, int, str], list[str]] = {}
    for one in tests:
        used.setdefault((one.name, len(one.sentences), one.sentences.digest()), []).append("test")
    uses: list[tuple[Corpus, str]] = []
    for method in methods:
        uses += [(corpus, f"training of {method.name}") for corpus in method.training]
        if method.development is not None:
            uses.append((method.development, f"development of {method.name}"))
        if method.text is not None:
            uses.append((method.text, f"text of {method.name}"))
    for corpus, use in (*uses, *others):
        used.setdefault((corpus.name, corpus.table.num_rows, table_digest(corpus.table)), []).append(use)
    return [Data(*key, use=", ".join(its)) for key, its in used.items()]
