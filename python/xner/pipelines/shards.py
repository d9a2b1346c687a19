"""A corpus in several files, each worked on by itself, piece by piece, into a folder whose manifest says what is there.

    manifest.json: {"signature": ..., "shards": [{"name": ..., "rows": ..., "bytes": ..., "sha256": ...}, ...]}

The manifest is written before the first shard, and after each: a run that was stopped goes on with the next one. Until
the last one is there, `missing` has the names of those to come.

Or into one file, which is put together from such a folder, `.OUTPUT.shards`.
"""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from xner import io
from xner._support.digests import file_digest
from xner._support.pieces import PIECE_ROWS, WholeNeededError
from xner._support.progress import each_once, logger
from xner.errors import Error, OptionError, OutsideError
from xner.io.formats import format_to_read
from xner.pipelines import runner
from xner.pipelines.checkpoints import Checkpoints, alone, checkpoints
from xner.pipelines.counts import RunCounts
from xner.pipelines.identity import fingerprint
from xner.pipelines.projection_run import CORRECTIONS, FITS, MEMORY, NO_LINKS, Run, reporting
from xner.pipelines.recipes import StepRun
from xner.pipelines.shard_names import (
    MANIFEST,
    check_formats,
    check_names,
    left_out_lines,
    names_of,
    shard_files,
    together,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from xner._support.progress import Reporter
    from xner.io.pairs import Pairs
    from xner.pipelines.corpus import Prepared
    from xner.pipelines.engines import Engine
    from xner.pipelines.projection_run import Pipeline

__all__ = [
    "Shard",
    "plan_lines",
    "project_into_one",
    "project_shards",
    "run_into_one",
    "run_shards",
    "shards_of",
]

_PIECES_AT_ONCE: Final = 7  # in all stages together, read twice over while they are decoded
_BASE_BYTES: Final = 250_000_000  # of the process before it reads anything
_CORPUS: Final = "corpus"  # what is kept of all shards is beside it
_IS_OF: Final = "is of a run of other files"


class Counts(runner.Counts, Protocol):
    """Counts that say of how many rows they are."""

    @property
    def rows(self) -> int:
        """How many."""


CountsT = TypeVar("CountsT", bound=Counts)


def shards_of(pairs: Pairs, *, told: Callable[[str], None] | None = None) -> list[Pairs] | None:
    """The shards of a corpus whose files are folders or patterns; None where each of them is one file.

    Args:
        pairs: the files, the folders and the patterns.
        told: gets a line about files of folders that are left out, as they are plainly no shards; None: the pairs' own.

    Raises:
        Error: a file has no partner, or may be data of no known format; there are none.
    """
    formats = {"source": pairs.source_format, "target": pairs.target_format}
    for role, place in pairs.files.items():
        files = shard_files(place)
        if files is None:
            continue
        if role not in formats:
            check_names(place, files)
        elif formats[role] is None:
            check_formats(place, files, f"{role}_format")
    for line in left_out_lines(pairs.files.values()):
        (told or pairs.told)(line)
    found = together(pairs.files)
    if found is None:
        return None
    scores = len(pairs.scores)
    return [
        replace(pairs, source=source, target=target, scores=tuple(others[:scores]), links=tuple(others[scores:]))
        for source, target, *others in found
    ]


@dataclass(frozen=True, slots=True)
class Shard(Generic[CountsT]):
    """A file to be made of others.

    Attributes:
        inputs: by what they are, the files that it is made of.
        name: of the file, in a folder.
        key: tells everything that decides what is in it.
        make: makes it, as a file of that path, and counts what is to be said of it.
    """

    inputs: Mapping[str, str | os.PathLike[str]]
    name: str
    key: Callable[[], str]
    make: Callable[[Path], CountsT]


def run_shards(
    shards: Sequence[Shard[CountsT]],
    output: str | os.PathLike[str],
    *,
    signature: str,
    counts: CountsT,
    resume: bool = True,
    overwrite: bool = False,
    told: Callable[[str], None] = logger.info,
) -> CountsT:
    """Make each shard; one that is there from an earlier run is not made again.

    Args:
        shards: each with a name of its own.
        output: a folder, which need not be there.
        signature: of all, for the manifest.
        counts: those of no rows, to which the others are added.
        resume: whether to take up what earlier runs have left.
        overwrite: whether shards of other runs go, and files of the shards' names are replaced; others stay.
        told: gets a line for each.

    Returns:
        The counts of all shards.

    Raises:
        OptionError: the folder is a file, or one whose files are read.
        Error: it has other files, or one that was changed since it was written; whatever making a shard raises.
    """
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise OptionError(f"output: several files go into a folder, and '{folder}' is a file")
    _check_folder(folder, [shard.inputs for shard in shards])
    with alone(folder):
        manifest = _Manifest.open(folder, signature, [one.name for one in shards], overwrite=overwrite)
        for number, shard in enumerate(shards, start=1):
            key = shard.key()
            found = manifest.finished(shard.name, key) if resume else None
            if found is None:
                manifest.announce(shard.name)
                told(f"{shard.name}: shard {number} of {len(shards)}")
                known = shard.make(folder / shard.name)
                manifest.note(shard.name, key, known)
            else:
                known = type(counts).from_dict(found)
                Checkpoints.clear(folder / shard.name)
                told(f"{shard.name}: taken as it is there")
            counts.add(known)
    return counts


def run_into_one(
    shards: Sequence[Shard[CountsT]], output: str | os.PathLike[str], kind: str, *, counts: CountsT, **how: Any
) -> CountsT:
    """Make each shard, and one file of them, in their order; ids stay what they are in each.

    Args:
        shards: as for `run_shards`, as are the errors.
        output: the file.
        kind: its format, and theirs.
        counts: likewise.
        **how: further arguments of `run_shards`.
    """
    path = Path(output)
    folder = _folder_for(path)
    with alone(path):
        try:
            counts = run_shards(shards, folder, counts=counts, **how, overwrite=True)
        except OutsideError:
            raise
        except Error:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        parts = [folder / one.name for one in shards]
        join = io.FORMATS[kind].join
        if join is not None:
            with io.replacing(path) as file:
                join(parts, file)
        else:
            with io.open_writer(path, kind) as writer:
                for part in parts:
                    for batch in io.iter_batches(part, kind, batch_rows=PIECE_ROWS):
                        writer.write(batch)
        shutil.rmtree(folder)
    return counts


def _folder_for(output: Path) -> Path:
    """The folder that a file is put together from."""
    return output.with_name(f".{output.name}.shards")


def project_shards(
    pipeline: Pipeline,
    shards: Sequence[Pairs],
    output: str | os.PathLike[str],
    *,
    format: str | None = None,
    resume: bool = True,
    overwrite: bool = False,
    progress: Reporter | None = None,
    told: Callable[[str], None] = logger.info,
) -> Run:
    """Project each shard, as `Pipeline.run` does the corpus in one file; one that is there already is not done again.

    An aligner that is fitted and the corpus's memory are of all shards, which are read before for these: where one has
    changed, all are projected again.

    Args:
        pipeline: that projects.
        shards: each with a name of its own, that of its target file.
        output: a folder, which need not be there.
        format: of its files; None is that of the source files.
        resume: whether to take up what earlier runs have left.
        overwrite: as for `run_shards`.
        progress: as for `Pipeline.run`, as are the errors.
        told: likewise.

    Returns:
        The run, with the counts of all shards.

    Raises:
        Error: as `run_shards`.
        OptionError: the pipeline needs the corpus in one file.
    """
    kind = format or format_to_read(shards[0].source, shards[0].source_format)
    if kind == "text":
        raise OptionError("format='text' holds words alone; name a format that holds labels")
    how: Any = {"resume": resume, "told": told}
    with _projecting(pipeline, shards, kind, Path(output), progress=progress, **how) as (made, signature):
        counts = run_shards(made, output, signature=signature, counts=RunCounts(), overwrite=overwrite, **how)
    return _run(pipeline, shards, Path(output), kind, counts)


def project_into_one(
    pipeline: Pipeline,
    shards: Sequence[Pairs],
    output: str | os.PathLike[str],
    *,
    format: str | None = None,
    resume: bool = True,
    progress: Reporter | None = None,
    told: Callable[[str], None] = logger.info,
) -> Run:
    """Project each shard by itself into one file, in their order; ids stay what they are in each.

    Args:
        pipeline: as for `project_shards`, as are the others and the errors.
        shards: likewise.
        output: the file.
        format: of it; None goes by its name.
        resume: likewise.
        progress: likewise.
        told: likewise.
    """
    path = Path(output)
    kind = io.format_of(path, format)
    how: Any = {"resume": resume, "told": told}
    with _projecting(pipeline, shards, kind, _folder_for(path), progress=progress, **how) as (made, signature):
        counts = run_into_one(made, path, kind, signature=signature, counts=RunCounts(), **how)
    return _run(pipeline, shards, path, kind, counts)


def _run(pipeline: Pipeline, shards: Sequence[Pairs], output: Path, kind: str, counts: RunCounts) -> Run:
    return Run(None, output, kind, pipeline, memory=pipeline.uses_memory(shards[0]), known_counts=counts)


@contextmanager
def _projecting(
    pipeline: Pipeline,
    shards: Sequence[Pairs],
    kind: str,
    folder: Path,
    *,
    resume: bool,
    progress: Reporter | None,
    told: Callable[[str], None],
) -> Iterator[tuple[list[Shard[RunCounts]], str]]:
    """What is to be made of the shards of a corpus within the block, and how.

    Raises:
        OptionError: the pipeline needs the corpus in one file.
    """
    _check_shards(pipeline, shards)
    names = names_of([one.target for one in shards], kind)
    signature = pipeline.signature_with(memory=pipeline.uses_memory(shards[0]))
    with pipeline.workers() as engine, reporting(progress) as report, each_once(), ExitStack() as stack:
        how: Any = {"resume": resume, "told": told}
        corpus = None
        if pipeline.read_before(shards[0]):
            corpus = _Corpus(pipeline, shards, kind, folder, stack, report=report, engine=engine, **how)

        def key(shard: Pairs, place: int) -> str:
            return pipeline.pieces_key(shard, kind) if corpus is None else corpus.key_of(place)

        def make(shard: Pairs, path: Path) -> RunCounts:
            of: Any = {} if corpus is None else {"corpus": corpus.prepared()}
            return pipeline.run(shard, path, format=kind, progress=report, **of, **how).counts

        yield (
            [
                Shard(shard.files, name, partial(key, shard, place), partial(make, shard))
                for place, (shard, name) in enumerate(zip(shards, names, strict=True))
            ],
            signature,
        )
    if folder.is_dir():
        Checkpoints.clear(folder / _CORPUS)


def _check_shards(pipeline: Pipeline, shards: Sequence[Pairs]) -> None:
    """That shards can be projected one by one.

    Raises:
        OptionError: they cannot; the message has a remedy.
    """
    reasons = dict.fromkeys(reason for one in shards for reason in pipeline.needs_whole(one))
    others = [reason for reason in reasons if reason not in {NO_LINKS, FITS, MEMORY, CORRECTIONS}]
    said = [f"for {', '.join(others)} the corpus has to be in one file"] if others else []
    if CORRECTIONS in reasons:
        said.append("rows of corrections have ids or numbers that files may share, so project their file by itself")
    if said:
        raise OptionError(f"several files are projected one by one: {'; '.join(said)}")


class _Corpus:
    """What is of all shards together; it is looked for when a shard has to be made, and once.

    Args:
        pipeline: that projects.
        shards: all of them.
        kind: the format of the output.
        folder: in which what was found is kept.
        stack: closed when all shards are made.
        report: told how far the work has come.
        engine: where pieces are worked on.
        resume: whether to take up what earlier runs have left.
        told: gets a line when the shards are read.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        shards: Sequence[Pairs],
        kind: str,
        folder: Path,
        stack: ExitStack,
        *,
        report: Reporter,
        engine: Engine,
        resume: bool,
        told: Callable[[str], None],
    ) -> None:
        self._pipeline, self._shards, self._kind, self._folder = pipeline, list(shards), kind, folder
        self._stack, self._report, self._engine, self._resume, self._told = stack, report, engine, resume, told
        self._prepared: Prepared | None = None

    @cached_property
    def _key(self) -> str:
        return fingerprint({}, {"shards": [self._pipeline.pieces_key(one, self._kind) for one in self._shards]})

    def key_of(self, place: int) -> str:
        """Tells everything that decides what is in a shard: all of them do."""
        return fingerprint({}, {"corpus": self._key, "shard": place})

    def prepared(self) -> Prepared:
        """What was found.

        Raises:
            Error: as `Pipeline.prepared`.
        """
        if self._prepared is None:
            kept = self._stack.enter_context(checkpoints(self._folder / _CORPUS, self._key, resume=self._resume))
            if passes := self._pipeline.read_before(self._shards[0], kept):
                self._told(f"all shards are read first, {', and '.join(passes)}")
            run = StepRun(kept, self._report, self._told, self._engine)
            while self._prepared is None:
                with suppress(WholeNeededError):  # of one more shard, which is then read so
                    self._prepared = self._pipeline.prepared(self._shards, run, key=self._key)
        return self._prepared


def plan_lines(pipeline: Pipeline, pairs: Pairs, output: str | os.PathLike[str]) -> Iterator[str]:
    """What projecting a corpus would do, as far as that can be known without reading it.

    Args:
        pipeline: that projects.
        pairs: the files; folders and patterns are shards.
        output: where it would write.

    Raises:
        Error: as `shards_of`.
    """
    several = shards_of(pairs)
    shards = several or [pairs]
    if Path(output).is_dir():
        _check_folder(Path(output), [one.files for one in shards])
    rows = [one.rows for one in shards]
    known = sum(one for one in rows if one is not None)
    unknown = rows.count(None)
    files = "" if several is None else f"{len(shards)} shards, "
    yield f"{files}{known if unknown < len(rows) else 'an unknown number of'} rows" + (
        f", and those of {unknown} shards, which do not say" if 0 < unknown < len(rows) else ""
    )
    if several is not None:
        _check_shards(pipeline, shards)
    if all(pipeline.takes_pieces(one) for one in shards):
        parts = sum(max(1, -(-(one or 0) // PIECE_ROWS)) for one in rows)
        sizes = [one.piece_bytes for one in shards]
        memory = max(size or 0 for size in sizes) * _PIECES_AT_ONCE + _BASE_BYTES
        shown = "memory does not depend on their number" if None in sizes else f"about {memory / 1e6:.0f} MB of memory"
        pieces = "" if unknown else f"{parts} parts, "
        passes = dict.fromkeys(what for one in shards for what in pipeline.read_before(one))
        before = f"; before that they are read {', and '.join(passes)}" if passes else ""
        yield f"piece by piece, {PIECE_ROWS} rows each: {pieces}{shown}{before}"
    else:
        yield f"as a whole: {', '.join(pipeline.needs_whole(pairs))}"
    yield f"would be written to {output}"


def _check_folder(folder: Path, shards: Sequence[Mapping[str, str | os.PathLike[str]]]) -> None:
    """Refuse a folder for outputs whose files are read: those of other runs are removed there.

    Raises:
        OptionError: there is such a file; `overwrite` does not change that.
    """
    for inputs in shards:
        for role, file in inputs.items():
            path = Path(file)
            if folder.resolve() in {path.absolute().parent.resolve(), path.resolve().parent}:
                raise OptionError(
                    f"output: '{folder}' is the folder of the {role} '{path}', which is read; name another"
                )


class _Manifest:
    """What a folder of shards says of itself."""

    def __init__(self, folder: Path, signature: str, shards: dict[str, dict[str, Any]]) -> None:
        self._folder, self._signature, self._shards = folder, signature, shards

    @classmethod
    def open(cls, folder: Path, signature: str, names: Sequence[str], *, overwrite: bool) -> _Manifest:
        """That of a folder, made where it is missing, with these shards to come.

        Raises:
            Error: there are files that are no shards of it, or were changed, and are not to be overwritten.
        """
        found = [one for one in sorted(folder.iterdir()) if not one.name.startswith(".")] if folder.is_dir() else []
        try:
            before = _read_manifest(folder) if found else {}
        except Error:
            if not overwrite:
                raise
            before = {}
        for path in found:
            if path.name == MANIFEST:
                continue
            problem = _problem(path, before, names)
            if problem and not overwrite:
                joint = "; " if problem == _IS_OF else ", or "
                raise Error(f"'{path}' {problem}{joint}name another folder")
            if problem:
                before.pop(path.name, None)
                if problem == _IS_OF:
                    path.unlink()
        folder.mkdir(exist_ok=True)
        made = cls(folder, signature, {name: before.get(name, {"name": name}) for name in names})
        made._write()
        return made

    def finished(self, name: str, key: str) -> dict[str, Any] | None:
        """The counts of a shard that is there; None of one that is to be made."""
        found = self._shards[name]
        if found.get("key") != key or not (self._folder / name).is_file():
            return None
        counts: dict[str, Any] = found["counts"]
        return counts

    def announce(self, name: str) -> None:
        """Note that a shard is to come: what is there of that name is of another run, and may be replaced."""
        if "sha256" in self._shards[name]:
            self._shards[name] = {"name": name}
            self._write()

    def note(self, name: str, key: str, counts: Counts) -> None:
        """Note that a shard is there."""
        path = self._folder / name
        about = {"rows": counts.rows, "bytes": path.stat().st_size, "sha256": file_digest(path)}
        self._shards[name] = {"name": name, **about, "key": key, "counts": counts.to_dict()}
        self._write()

    def _write(self) -> None:
        known = self._shards.values()
        content: dict[str, Any] = {"signature": self._signature, "shards": [one for one in known if "sha256" in one]}
        if missing := [one["name"] for one in known if "sha256" not in one]:
            content["missing"] = missing
        with io.replacing(self._folder / MANIFEST) as file:
            file.write((json.dumps(content, indent=1) + "\n").encode())


def _read_manifest(folder: Path) -> dict[str, dict[str, Any]]:
    """The shards that a folder's manifest names, those to come as well.

    Raises:
        Error: there is none that can be read.
    """
    try:
        known = json.loads((folder / MANIFEST).read_bytes())
        shards = [*known["shards"], *({"name": str(name)} for name in known.get("missing", ()))]
        return {one["name"]: one for one in shards}
    except FileNotFoundError:
        reason = f"there are files in it and no '{MANIFEST}' that says whose they are"
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        reason = f"its '{MANIFEST}', which says whose its files are, is damaged"
    raise Error(f"cannot write to '{folder}': {reason}; name another folder")


def _problem(path: Path, before: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> str:
    """Why a file of a folder of shards is not to be written over; empty where it may be."""
    if path.name not in before:
        return f"is none of the shards that '{MANIFEST}' names; move it"
    digest = before[path.name].get("sha256")
    if digest is not None and file_digest(path) != digest:
        return "was changed since it was written; move it"
    return "" if path.name in names else _IS_OF
