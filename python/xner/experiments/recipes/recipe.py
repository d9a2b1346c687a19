"""Recipes: files that say which data are projected, how, and how the labels are scored.

recipe = Recipe.read("politov2025/ngram").changed(data={"dataset": "europarl-ner", "folder": "clone"})
print(recipe.plan())
print(recipe.run("ngram").results)
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from xner._support.arguments import did_you_mean, unknown_option
from xner._support.options import Declared, DeclaredOptions, Many, ReadFile, Text, check_names, declared
from xner._support.progress import logger
from xner._support.toml_tables import TomlTable, parsed_toml, pattern_problem, read_text, toml_text
from xner.errors import Error, FormatError, OptionError
from xner.experiments.recipes.approaches.catalogue import OPTIONS, approach_of
from xner.experiments.recipes.data import catalogue_of, pairs_of
from xner.experiments.recipes.options import FIELDS, DataOptions, EvaluationOptions, LinksOptions
from xner.experiments.recipes.running import LOCK, RECIPE, Job, RecipeRun, run_jobs
from xner.pipelines.checkpoints import alone
from xner.pipelines.projection_run import plain_value
from xner.text.languages import language as understood

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from xner.experiments.recipes.approaches.base import Approach
    from xner.experiments.recipes.data import Pair
    from xner.pipelines.projection_run import Pipeline

__all__ = ["Plan", "Recipe", "parse_options", "recipe_names"]

T = TypeVar("T", bound=DeclaredOptions)

_ONLY: Final = "default"
_LONGEST_NAME: Final = 100
_NONE: Final = "none"
_SHIPPED: Final = "shipped"
_NOT_HERE: Final = ("translate_to",)  # which each pair of languages decides by itself
_LANGUAGES: Final = ("source_language", "target_language")
_PER_PAIR: Final = (*_LANGUAGES, "translations", "lexicon", "corrections")  # whose values may have fields
_PATHS: Final = ("PATTERN", "FOLDER")
_MODEL: Final = "MODEL"
_NAMED: Final = re.compile(r"(\w[\w-]*[:=])?(.*)", re.DOTALL)
_PROGRAM: Final = "command:"  # what stands behind it is run, and no model


def recipe_names() -> list[str]:
    """The names of the recipes of this package, sorted."""
    root = files("xner.experiments.recipes").joinpath(_SHIPPED)
    return sorted(
        f"{folder.name}/{one.name.removesuffix('.toml')}"
        for folder in root.iterdir()
        if folder.is_dir()
        for one in folder.iterdir()
        if one.name.endswith(".toml")
    )


def _option_of(name: str) -> Declared:
    """What is known of an option of a pipeline.

    Raises:
        OptionError: there is none of that name; the message has the nearest.
    """
    if name in _NOT_HERE:
        raise OptionError(f"{name}: the languages of the data say it")
    if name not in OPTIONS:
        raise unknown_option(name, OPTIONS)
    return OPTIONS[name]


def parse_options(texts: Iterable[str]) -> dict[str, Any]:
    """Options of a pipeline out of texts, for `Recipe.changed`.

    Args:
        texts: `NAME=VALUE`, or `VARIANT.NAME=VALUE`; an option that takes several values may be there several times.

    Raises:
        OptionError: another text, an option that there is not, a value that is none of its kind, one given twice.
    """
    found: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise OptionError(f"{text!r}: expected NAME=VALUE")
        its = _option_of(key.rpartition(".")[2])
        made: Any = None if value == _NONE and _takes_none(its) else its.kind.parse(its.name, value)
        if key in found and not isinstance(its.kind, Many):
            raise OptionError(f"{key} is given twice, and takes one value")
        found[key] = (*found.get(key, ()), *made) if isinstance(its.kind, Many) else made
    return found


def _checked(name: str, value: Any) -> Any:
    """An option's value in the form that is kept."""
    its = _option_of(name)
    found = its.check(None if value == _NONE and _takes_none(its) else value)
    if name in _PER_PAIR:
        for one in [found] if isinstance(found, str) else found or ():
            if problem := pattern_problem(one, FIELDS):
                raise OptionError(f"{name}={problem}")
    return found


def _name_problem(variant: str) -> str:
    """What is wrong with a variant's name, which files are called by; empty where nothing is."""
    if not variant.replace("-", "").replace("_", "").isalnum():
        return "a variant's name has letters, digits, - and _ alone"
    longest = f"a variant's name has at most {_LONGEST_NAME} bytes in UTF-8"
    return longest if len(variant.encode()) > _LONGEST_NAME else ""


def _takes_none(its: Declared) -> bool:
    """Whether the text `none` stands for no value, which TOML cannot say otherwise."""
    return its.is_optional and not isinstance(its.kind, Text)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is run, on what, and how it is scored.

    Attributes:
        name: in results: that of the package's recipe, or of the file without `.toml`.
        title: a line for people.
        paper: where the method is from; empty where that is nowhere.
        notes: what else there is to know.
        data: the sentences.
        links: word links that are there already.
        evaluation: how labels are compared with gold ones.
        options: of `xner.Pipeline`, for all variants. The fields of `FIELDS` may stand in `lexicon`, `corrections`,
            `translations`, `source_language` and `target_language`, and each pair of languages fills them in.
        variants: by name, the options in which each differs; without any, there is one named `default`.

    Raises:
        OptionError: an option that there is not, is none of its kind, or does not go with the others.
    """

    name: str
    title: str = ""
    paper: str = ""
    notes: tuple[str, ...] = ()
    data: DataOptions = field(default_factory=DataOptions)
    links: LinksOptions = field(default_factory=LinksOptions)
    evaluation: EvaluationOptions = field(default_factory=EvaluationOptions)
    options: Mapping[str, Any] = field(default_factory=dict)
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for variant in self.variants:
            if problem := _name_problem(variant):
                raise OptionError(f"variants={variant!r}: {problem}")
        options = {name: _checked(name, value) for name, value in self.options.items()}
        variants = {
            variant: {name: _checked(name, value) for name, value in its.items()}
            for variant, its in self.variants.items()
        }
        object.__setattr__(self, "options", options)
        object.__setattr__(self, "variants", variants)
        self.approaches()

    @classmethod
    def read(cls, place: str | os.PathLike[str]) -> Self:
        """Read a recipe.

        Args:
            place: a name of `recipe_names()`, or what stands behind its / where no other has that; or a TOML file,
                whose paths are from its own folder; but models that are folders are from the working one, as what is
                no folder there has its name on the hub.

        Raises:
            Error: there is no such recipe, and no such file; the message names the nearest.
            FormatError: a key or a value is none that there may be; the message has file, line and key.
        """
        names = recipe_names()
        path = Path(place)
        meant = [one for one in names if str(place) in {one, one.partition("/")[2]}]
        if len(meant) > 1 and not path.is_file():
            raise Error(f"'{place}' may be {' or '.join(meant)}: give one of these names")
        if meant and not path.is_file():
            folder, name = meant[0].split("/")
            text = files("xner.experiments.recipes").joinpath(_SHIPPED, folder, f"{name}.toml").read_text("utf-8")
            return cls._parsed(meant[0], text, meant[0], None)
        if path.is_dir():
            own = f"; that of its run is '{path / RECIPE}'" if (path / RECIPE).is_file() else ""
            raise Error(f"'{place}' is a folder, and a recipe is a TOML file{own}")
        if not path.is_file():
            raise Error(
                f"there is no recipe '{place}' and no such file; the recipes are {', '.join(names)}"
                f"{did_you_mean(str(place), names)}"
            )
        return cls._parsed(str(path), read_text(path), path.name.removesuffix(".toml"), path.parent)

    @classmethod
    def _parsed(cls, path: str, text: str, name: str, folder: Path | None) -> Self:
        """A recipe out of a text.

        Args:
            path: of its file, for messages.
            text: in TOML.
            name: where the text has none.
            folder: that paths are from; None where there may be none.
        """
        table = TomlTable(path, text, (), parsed_toml(path, text))
        given: dict[str, Any] = {
            "name": table.text("name") or name,
            "title": table.text("title"),
            "paper": table.text("paper"),
            "notes": table.texts("notes"),
        }
        parts: tuple[tuple[str, type[DeclaredOptions]], ...] = (
            ("data", DataOptions),
            ("links", LinksOptions),
            ("evaluation", EvaluationOptions),
        )
        for key, kind in parts:
            given[key] = _options(table.table(key), kind, folder)
        variants = table.table("variants")
        given["options"] = _pipeline_options(table.table("options"), None if variants.items() else {}, folder)
        given["variants"] = {
            one: _pipeline_options(variants.table(one), given["options"], folder) for one, _ in variants.items()
        }
        for one in given["variants"]:
            if problem := _name_problem(one):
                raise variants.error(one, problem)
        table.done()
        if given["data"].dataset is not None:
            try:
                catalogue_of(given["data"]).choose(given["data"].dataset)
            except FormatError:
                raise
            except Error as error:
                raise table.table("data").error("dataset", str(error)) from None
        return cls(**given)

    def changed(
        self,
        *,
        data: Mapping[str, Any] | None = None,
        links: Mapping[str, Any] | None = None,
        evaluation: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        variants: Sequence[str] = (),
    ) -> Self:
        """This recipe with other values.

        Args:
            data: by name, of `DataOptions`. A data set takes the place of files by path, and the other way round.
            links: of `LinksOptions`.
            evaluation: of `EvaluationOptions`.
            options: of `xner.Pipeline`, for all variants, or for one as `VARIANT.NAME`.
            variants: the only ones to run; empty for all.

        Raises:
            OptionError: an option or a variant that there is not, or that does not go with the others.
        """
        chosen = {one: dict(self._variant(one)) for one in variants} or {k: dict(v) for k, v in self.variants.items()}
        common = dict(self.options)
        for name, value in sorted((options or {}).items(), key=lambda one: "." in one[0]):
            variant, dot, inner = name.rpartition(".")
            if dot:
                if variant not in self.variants:
                    raise self._no_variant(variant)
                if variant in chosen:
                    chosen[variant][inner] = value
                continue
            common[name] = value
            for its in chosen.values():
                its.pop(name, None)
        return replace(
            self,
            data=_with(self.data, data or {}, _kept_places(self.data, data or {})),
            links=_with(self.links, links or {}, self.links.changes()),
            evaluation=_with(self.evaluation, evaluation or {}, self.evaluation.changes()),
            options=common,
            variants=chosen,
        )

    def _variant(self, name: str) -> Mapping[str, Any]:
        if name not in self.variants:
            raise self._no_variant(name)
        return self.variants[name]

    def _no_variant(self, name: str) -> OptionError:
        known = ", ".join(self.variants) or "none"
        return OptionError(f"variant={name!r}: '{self.name}' has {known}{did_you_mean(name, self.variants)}")

    def pipelines(self) -> dict[str, Pipeline]:
        """A pipeline for each variant, by its name."""
        return {name: one.pipeline for name, one in self.approaches().items()}

    def approaches(self) -> dict[str, Approach]:
        """What each variant does, by its name.

        Raises:
            OptionError: options that do not go with each other.
        """
        variants: Mapping[str, Mapping[str, Any]] = self.variants or {_ONLY: {}}
        return {name: approach_of({**self.options, **its}) for name, its in variants.items()}

    def plan(self) -> Plan:
        """What `run` would do; nothing but the places of data and links is looked at.

        Raises:
            OptionError: a language, a split or a data set that cannot be projected.
            Error: a data set, a folder or a file that is not there.
        """
        approaches = self.approaches()
        translates = {one.makes_targets for one in approaches.values()}
        if len(translates) > 1:
            raise OptionError("translator: all variants translate, or none does")
        needs_sources = any(one.reads_sources for one in approaches.values())
        are_for_training = any(map(_learns_projected, approaches.values()))
        are_read = any(one.reads_links for one in approaches.values()) or not are_for_training
        links = self.links if are_read else LinksOptions()
        pairs = pairs_of(self.data, links, translates=True in translates, needs_sources=needs_sources)
        taught = {name: self._training_pairs(one, pairs) for name, one in approaches.items() if one.trains}
        for pair in (*pairs, *(one for some in taught.values() for one in some)):
            pair.check()
        jobs = []
        for place, pair in enumerate(pairs):
            for variant, approach in approaches.items():
                training = taught[variant][place] if variant in taught else None
                projected = training if training is not None and _learns_projected(approach) else pair
                of_pair = _for(projected, approach)
                jobs += [Job(pair, f"{variant}{end}", one, training) for end, one in of_pair.by_seed()]
        return Plan(self, tuple(pairs), tuple(jobs))

    def _training_pairs(self, approach: Approach, pairs: Sequence[Pair]) -> list[Pair]:
        """The data that an approach learns from, for each pair of languages."""
        lesson, data = approach.options.learn_from, self.data.for_training
        translates = lesson == "source" or (_learns_projected(approach) and approach.pipeline.translating.translates)
        if data.dataset is None:
            needed = {"source": lesson in {"source", "projected"}, "target": not translates}
            if missing := [side for side, is_needed in needed.items() if is_needed and getattr(data, side) is None]:
                raise OptionError(
                    f"learn_from={lesson!r} needs training_{missing[0]}, the file of what is learnt, among the data"
                )
            source, target = (getattr(data, side) if is_needed else None for side, is_needed in needed.items())
            data = replace(data, source=source, target=target)
        data = replace(data, languages=tuple(pair.target for pair in pairs))
        links = self.links if _learns_projected(approach) and not translates else LinksOptions()
        return pairs_of(data, links, translates=translates, needs_sources=lesson == "projected", is_training=True)

    def to_toml(self) -> str:
        """The recipe as a file, whose paths are whole ones, so that it says the same anywhere."""
        about = {"name": self.name, "title": self.title, "paper": self.paper, "notes": list(self.notes)}
        parts = {"data": self.data, "links": self.links, "evaluation": self.evaluation}
        tables: dict[str, Any] = {key: value for key, value in about.items() if value}
        for name, part in parts.items():
            tables[name] = _plain_options(declared(type(part)), part.changes())
        tables["options"] = _plain_options(OPTIONS, self.options)
        tables["variants"] = {name: _plain_options(OPTIONS, its) for name, its in self.variants.items()}
        return toml_text({key: value for key, value in tables.items() if value})

    def run(
        self,
        folder: str | os.PathLike[str],
        *,
        resume: bool = True,
        overwrite: bool = False,
        steps: str | os.PathLike[str] | None = None,
        told: Callable[[str], None] = logger.info,
    ) -> RecipeRun:
        """Project every language by every variant, and score what has gold labels.

        What is done already is taken from the folder as long as all that decides it is the same: options, sentences,
        links, models. A run that was killed goes on where it stopped, and ends with the same bytes.

        Args:
            folder: gets `recipe.toml`, `versions.json`, `log.txt`, `outputs/LANGUAGE.VARIANT.parquet`, the tidy table
                as `results.parquet`, `.csv` and `.md`, and `timings.csv`; made where it is missing. `steps` has links,
                tags and translations that were computed, which variants share.
            resume: False does everything anew.
            overwrite: whether the folder may have the run of another recipe, or other files.
            steps: a folder for links, tags and translations that other runs share; None for `steps` of this one.
            told: gets a line for each output, and what readers and pipelines have to say.

        Returns:
            The results.

        Raises:
            OptionError: a language, a split or a data set that cannot be projected.
            Error: data or links that are missing or wrong; a folder that has something else, or that the recipe reads.
        """
        plan, target, record = self.plan(), Path(folder), self.to_toml()
        target.mkdir(parents=True, exist_ok=True)
        with alone(target, target / LOCK):
            if not overwrite:
                _check_folder(target, record)
            _check_reads(plan.jobs, target)
            return run_jobs(
                plan.jobs,
                target,
                name=self.name,
                evaluation=self.evaluation,
                record=record,
                resume=resume,
                told=told,
                steps=None if steps is None else Path(steps),
            )


@dataclass(frozen=True, slots=True)
class Plan:
    """What a recipe is about to do; as text, what there is to say of it.

    Attributes:
        recipe: that runs.
        pairs: of languages, in order.
        jobs: one for each of these and each variant.
    """

    recipe: Recipe
    pairs: tuple[Pair, ...]
    jobs: tuple[Job, ...]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """Data, stages, options and signatures."""
        recipe = self.recipe
        yield f"recipe: {recipe.name}{f' – {recipe.title}' if recipe.title else ''}"
        for pair in self.pairs:
            yield f"data: {pair}: {', '.join(pair.places)}"
            if pair.link_files:
                yield f"  links: {', '.join(map(str, pair.link_files))}"
        for pair in dict.fromkeys(job.training for job in self.jobs if job.training is not None):
            yield f"data for training: {pair}: {', '.join(pair.places)}"
        for variant, approach in recipe.approaches().items():
            yield f"variant: {variant}"
            yield f"  stages: {', then '.join(approach.stages(has_links=bool(recipe.links.files)))}"
            options = [f"{name}={value!r}" for name, value in approach.to_dict().items()]
            yield f"  options: {', '.join(options) or 'all at their defaults'}"
            if (signature := approach.signature) is not None:
                yield f"  signature: {signature}"
        shown = [f"{name}={value!r}" for name, value in recipe.evaluation.changes().items()]
        yield f"evaluation: {', '.join(shown) or 'as by default'}, where there are gold labels"
        yield from self._calls()
        yield f"outputs: {len(self.jobs)}"

    def _calls(self) -> Iterator[str]:
        """How many sentences each model gets, of which variants share what they can."""
        found: dict[str, dict[str, Pair]] = {}
        for job in self.jobs:
            for call in job.approach.calls():
                pair = job.training if call.is_training and job.training is not None else job.pair
                found.setdefault(f"{call.model}, {call.what}", {})[f"{pair.places} {call.key}"] = pair
        counts = {pair: pair.sentences() for of in found.values() for pair in of.values()}
        for what, of in found.items():
            numbers = [counts[pair] for pair in of.values()]
            known = sum(number for number in numbers if number is not None)
            rest = " and those that are not counted yet" if None in numbers else ""
            yield f"model calls: {what}: {known} sentences{rest}"


def _learns_projected(approach: Approach) -> bool:
    return approach.trains and approach.options.learn_from == "projected"


def _for(pair: Pair, approach: Approach) -> Approach:
    """An approach, for a pair of languages.

    Raises:
        Error: there is no such file of translations, or no such language.
    """
    options = approach.pipeline.to_dict()
    filled: dict[str, Any] = {
        name: pair.filled(value) if isinstance(value, str) else list(map(pair.filled, value))
        for name, value in options.items()
        if name in _PER_PAIR
    }
    for name in _LANGUAGES:
        if name in filled:
            filled[name] = understood(filled[name]).code
    if "translations" in filled and not Path(filled["translations"]).is_file():
        raise Error(f"there is no file of translations '{filled['translations']}', for {pair}")
    if pair.is_translated:
        filled = {"source_language": pair.source, **filled, "translate_to": pair.target}
    elif approach.pipeline.translating.translates:
        filled = {"source_language": pair.source, "target_language": pair.target, **filled}
    return approach.with_pipeline(**filled) if filled else approach


def _options(table: TomlTable, kind: type[T], folder: Path | None) -> T:
    """Declared options out of a table."""
    known = declared(kind)
    of_flags = {flag.lstrip("-"): name for name, its in known.items() for flag in its.flags}
    found = {}
    for key, value in table.items():
        if key in of_flags:
            raise table.error(
                key, f"there is no such key; what is --{key} on the command line is '{of_flags[key]}' here"
            )
        if key not in known:
            raise table.error(key, f"there is no such key{did_you_mean(key, known) or _there_are(known)}")
        found[key] = _from(folder, known[key], _of_table(table, key, known[key].check, value))
    try:
        return kind(**found)
    except Error as error:
        raise table.error("", str(error)) from None


def _pipeline_options(table: TomlTable, common: Mapping[str, Any] | None, folder: Path | None) -> dict[str, Any]:
    """Options of a pipeline out of a table.

    Args:
        table: of the file.
        common: options that they go with; None where each variant has others, and none is checked yet.
        folder: that paths are from.
    """
    found = {}
    for key, value in table.items():
        try:
            its = _option_of(key)
        except OptionError as error:
            raise table.error(key, str(error)) from None
        found[key] = _from(folder, its, _of_table(table, key, partial(_checked, key), value))
    try:
        if common is not None:
            approach_of({**common, **found})
    except Error as error:
        raise table.error("", str(error)) from None
    return found


def _of_table(table: TomlTable, key: str, check: Callable[[Any], Any], value: Any) -> Any:
    """A value of a table, checked."""
    try:
        return check(value)
    except Error as error:
        raise table.error(key, str(error).removeprefix(f"{key}=").removesuffix(", or None")) from None


def _there_are(known: Iterable[str]) -> str:
    return f"; there are {', '.join(known)}"


def _from(folder: Path | None, its: Declared, value: Any) -> Any:
    """A value whose paths are from a folder."""
    return value if folder is None else _with_paths(its, value, folder.joinpath)


def _with_paths(its: Declared, value: Any, make: Callable[[str], Path]) -> Any:
    """An option's value, in which paths of files and folders are made others."""
    each = its.kind.each if isinstance(its.kind, Many) else its.kind
    if value is None or not (isinstance(each, ReadFile) or each.metavar in _PATHS or its.name == "translations"):
        return value
    return str(make(value)) if isinstance(value, str) else tuple(str(make(one)) for one in value)


def _plain_options(known: Mapping[str, Declared], options: Mapping[str, Any]) -> dict[str, Any]:
    """Options in the types of TOML, their paths whole ones, those of models that are folders as well."""
    found = {}
    for name, value in options.items():
        whole = _with_paths(known[name], value, lambda one: Path(one).absolute())
        each = known[name].kind
        if whole is not None and _MODEL in (each.each if isinstance(each, Many) else each).metavar.split("|"):
            whole = _whole_model(whole) if isinstance(whole, str) else tuple(map(_whole_model, whole))
        found[name] = _NONE if whole is None else plain_value(whole)
    return found


def _whole_model(text: str) -> str:
    """A model by the whole path of its folder, where it is one, behind a name as well: `spacy:FOLDER`."""
    name, place = _NAMED.fullmatch(text).groups("")  # type: ignore[union-attr]  # it matches any text
    return f"{name}{Path(place).absolute()}" if name != _PROGRAM and Path(place).is_dir() else text


def _with(part: T, given: Mapping[str, Any], before: Mapping[str, Any]) -> T:
    check_names(given, type(part))
    return type(part)(**{**before, **given})


def _kept_places(data: DataOptions, given: Mapping[str, Any]) -> dict[str, Any]:
    """What stays of the data where other data are named."""
    before = data.changes()
    if given.get("dataset") is not None:
        for name in ("source", "target", "source_language"):
            before.pop(name, None)
        if given["dataset"] != data.dataset:
            for name in ("folder", "split", "languages"):
                before.pop(name, None)
    elif given.get("source") is not None or given.get("target") is not None:
        for name in ("dataset", "folder", "catalogue", "split", "ignore_counts"):
            before.pop(name, None)
    return before


def _check_folder(folder: Path, record: str) -> None:
    """That a folder is new, or has a run of the same recipe, in whatever languages and by whichever variants.

    Raises:
        Error: it has something else; the message says what differs.
    """
    path = folder / RECIPE
    # What a run has there before its recipe, and may have left when it was killed.
    own = re.compile(rf"{re.escape(LOCK)}|\.{re.escape(RECIPE)}\..*\.tmp").fullmatch
    if all(own(one.name) for one in folder.iterdir()):
        return
    if not path.is_file():
        raise Error(f"'{folder}' has files and no run: name another folder, or overwrite it")
    try:
        before, now = (parsed_toml(str(path), text) for text in (read_text(path), record))
    except FormatError:
        before, now = {}, {"recipe": ""}
    for one in (before, now):
        for key in ("title", "paper", "notes"):
            one.pop(key, None)
        one.get("data", {}).pop("languages", None)
    shared = before.get("variants", {}).keys() & now.get("variants", {}).keys()
    for one in (before, now):
        one["variants"] = {name: its for name, its in one.get("variants", {}).items() if name in shared}
    differing = [key for key in {**before, **now} if before.get(key, {}) != now.get(key, {})]
    if differing:
        what = " and ".join(differing)
        raise Error(f"'{folder}' has a run with other {what}: name another folder, or overwrite it")


def _check_reads(jobs: Sequence[Job], folder: Path) -> None:
    """That nothing is read which the run itself writes.

    Raises:
        Error: data, links or a model are in its folder.
    """
    whole = folder.resolve()
    for job in jobs:
        pairs = (job.pair,) if job.training is None else (job.pair, job.training)
        for path in (*(one for pair in pairs for one in pair.reads), *job.approach.reads):
            if path.resolve().is_relative_to(whole) and os.access(path, os.F_OK):
                raise Error(
                    f"'{path}' is in '{folder}', and the run would read what it writes: name another folder for the run"
                )
