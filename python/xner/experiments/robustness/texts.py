"""The versions of test data that taggers are scored on: the clean text and its shifts, kept in a folder.

A shifted text is made once. It goes by the clean text, the shift's options and the version of xner, all of which its
file's name has a digest of.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from xner import io, schema
from xner._support.arguments import unknown_option
from xner._support.arrow import list_lengths, one_array
from xner._support.digests import table_digest
from xner._support.frames import to_table
from xner._support.options import declared
from xner._version import __version__
from xner.errors import Error, OptionError
from xner.experiments.shift.options import MATERIAL, ShiftOptions, check_material
from xner.experiments.shift.shifting import shift

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from xner.experiments.shift.edits import Kind
    from xner.training.run import Judged

__all__ = ["CLEAN", "StudiedShift", "Text", "texts_of"]

CLEAN: Final = "clean"
_TABLES: Final = ("unseen_in", "context_from")
_OF_SEARCH: Final = ("against", "search", "budget")
_OF_STUDY: Final = ("kind", "severity", "seed")
_DIGITS: Final = 12


def _check_names(given: Iterable[str]) -> None:
    """Look for names that are no options of a studied shift.

    Raises:
        OptionError: the first such name, with those that are nearest to it.
    """
    known = [name for name in declared(ShiftOptions) if name not in _OF_STUDY]
    for name in given:
        if name not in known:
            raise unknown_option(name, known)


@dataclass(frozen=True, slots=True, eq=False)
class StudiedShift:
    """A kind of shift whose severities are studied.

    Attributes:
        kind: what is shifted.
        options: what else `shift` takes beside the corpus, severity and seed: options of the kind, `names`, `against`.
        name: what it is called; by default the kind, with the options that are texts or numbers.

    Raises:
        OptionError: options that there are not, or that do not go with the kind.
    """

    kind: Kind
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        of_kind = {name: value for name, value in self.options.items() if name not in {*MATERIAL, *_OF_SEARCH}}
        if taken := [name for name in _OF_STUDY if name in of_kind]:
            raise OptionError(f"{taken[0]}: the study takes several, and each shift all of them")
        _check_names(of_kind)
        check_material(ShiftOptions(kind=self.kind, **of_kind), set(MATERIAL) & set(self.options))
        if not self.name:
            told = ", ".join(f"{name} {declared(ShiftOptions)[name].shown(value)}" for name, value in of_kind.items())
            object.__setattr__(self, "name", f"{self.kind} ({told})" if told else self.kind)
        if self.name == CLEAN:
            raise OptionError(f"name={CLEAN!r}: the text that is not shifted has it")

    @classmethod
    def parse(cls, text: str, **material: Any) -> StudiedShift:
        """A shift as on the command line: `KIND`, or `KIND:OPTION=VALUE:...`.

        Args:
            text: the kind and its options.
            **material: what is put in with some kind; what goes with another one is left out.

        Raises:
            OptionError: it is none.
        """
        kind, *parts = text.split(":")
        options: dict[str, Any] = {}
        for part in parts:
            name, equals, value = part.partition("=")
            if not equals:
                raise OptionError(f"kind={text!r}: expected KIND:OPTION=VALUE, found {part!r}")
            if name not in _OF_STUDY:
                _check_names([name])
            options[name] = declared(ShiftOptions)[name].kind.parse(name, value)
        fitting = {name: value for name, value in material.items() if MATERIAL.get(name, kind) == kind}
        return cls(kind, {**options, **fitting})  # type: ignore[arg-type]  # it is checked

    @property
    def region(self) -> str | None:
        """`entities` or `context`, where it changes words of one of them alone."""
        if self.kind in {"entities", "context"}:
            return self.kind
        where = self.options.get("where")
        return where if where in {"entities", "context"} else None

    @property
    def is_attack(self) -> bool:
        """Whether its changes are looked for, those that cost a tagger most."""
        return "against" in self.options

    @property
    def by_chance(self) -> StudiedShift:
        """The same without a tagger that it is against: its changes are drawn."""
        return replace(self, options={key: value for key, value in self.options.items() if key not in _OF_SEARCH})

    def digest(self) -> str:
        """Tells what it does from what others do."""
        told = {name: _identity(name, value) for name, value in self.options.items()}
        return hashlib.sha256(json.dumps([self.kind, sorted(told.items())]).encode()).hexdigest()


def _identity(name: str, value: Any) -> str:
    if name in _TABLES:
        return table_digest(to_table(value))
    return str(value.identity) if name == "against" else repr(value)


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """A version of test data.

    Attributes:
        shift: the name of the shift; `CLEAN` for none.
        severity: 1 to 5; 0 for the clean text.
        seed: of the shift; None for the clean text.
        tokens: list<string>.
        gold: list<string>, the right labels.
        origin: for each word the row of the clean text that it is in the place of.
        asked: the share of units that was to change.
        changed: the share that differs.
        unit: what is changed or is not.
        reason: why less changed than was asked for; empty if it did not.
        file: where it is, within the study's folder.
        digest: of its words.
    """

    shift: str
    severity: int
    seed: int | None
    tokens: pa.Array[Any]
    gold: pa.Array[Any]
    origin: npt.NDArray[np.int64]
    asked: float
    changed: float
    unit: str
    reason: str
    file: str
    digest: str

    @property
    def name(self) -> str:
        """What it is called in messages: `characters, severity 2, seed 1`."""
        return self.shift if self.seed is None else f"{self.shift}, severity {self.severity}, seed {self.seed}"


def texts_of(
    test: Judged,
    number: int,
    shifts: Sequence[StudiedShift],
    severities: Sequence[int],
    seeds: Sequence[int],
    folder: Path,
) -> list[Text]:
    """The clean text, then each shift's versions by severity and seed, made or found.

    Args:
        test: the clean test data.
        number: of these among all, for the names of files.
        shifts: kinds of shift.
        severities: 1 to 5.
        seeds: of the shifts.
        folder: of the study; gets them, in `texts`, and their edits in `edits`.

    Raises:
        Error: a file that is there is not what was written; whatever a shift raises.
    """
    clean = pa.table(
        {
            schema.TOKENS: pa.array(test.sentences.tokens, schema.WORDS_TYPE),
            schema.LABELS: pa.array(test.gold, schema.WORDS_TYPE),
        }
    )
    digest = table_digest(clean)
    (folder / "texts").mkdir(parents=True, exist_ok=True)
    place = f"texts/{number}-{CLEAN}-{digest[:_DIGITS]}.parquet"
    if not (folder / place).is_file():
        io.write(clean, folder / place)
    lengths = list_lengths(one_array(clean[schema.TOKENS]))
    told = {"unit": "words", "asked": 0.0, "changed": 0.0, "reason": ""}
    found = [_text(clean, CLEAN, 0, None, _rows(lengths), told, place)]
    for one in shifts:
        for severity in severities:
            for seed in seeds:
                key = hashlib.sha256(json.dumps([__version__, digest, one.digest(), severity, seed]).encode())
                slug = re.sub(r"[^\w-]+", "-", one.name).strip("-")[:40]
                place = f"texts/{number}-{slug}-{severity}-{seed}-{key.hexdigest()[:_DIGITS]}.parquet"
                table, told = _kept(folder / place) or _made(clean, one, severity, seed, folder / place)
                own = list_lengths(one_array(table[schema.TOKENS]))
                # Words stay where they are when borders between sentences move, else rows do.
                origin = _rows(lengths if one.kind == "length" else own)
                found.append(_text(table, one.name, severity, seed, origin, told, place))
    return found


def _rows(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.repeat(np.arange(len(lengths)), lengths)


def _text(
    table: pa.Table,
    name: str,
    severity: int,
    seed: int | None,
    origin: npt.NDArray[np.int64],
    told: Mapping[str, Any],
    place: str,
) -> Text:
    tokens, gold = (one_array(table[column]) for column in (schema.TOKENS, schema.LABELS))
    digest = table_digest(table.select([schema.TOKENS]))
    return Text(name, severity, seed, tokens, gold, origin, file=place, digest=digest, **told)


def _plain(table: pa.Table) -> pa.Table:
    """Words and labels alone, of the same types wherever they come from."""
    columns = (schema.TOKENS, schema.LABELS)
    return pa.table({name: one_array(table[name]).cast(schema.WORDS_TYPE) for name in columns})


def _kept(place: Path) -> tuple[pa.Table, dict[str, Any]] | None:
    """What was made before; what is told of it is written last."""
    told = place.with_suffix(".json")
    if not told.is_file():
        return None
    found: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
    table = _plain(io.read(place))
    if table_digest(table) != found.pop("digest"):
        raise Error(f"'{place}' was changed since it was made; remove it, and it is made anew")
    return table, found


def _made(clean: pa.Table, one: StudiedShift, severity: int, seed: int, place: Path) -> tuple[pa.Table, dict[str, Any]]:
    shifted = shift(clean, one.kind, severity=severity, seed=seed, **one.options)
    summary = shifted.summary
    told = {"unit": summary.unit, "asked": summary.target, "changed": summary.share, "reason": summary.reason}
    edits = place.parents[1] / "edits" / place.name
    edits.parent.mkdir(exist_ok=True)
    io.write(shifted.edits_table(), edits)
    table = _plain(shifted.table)
    io.write(table, place)
    with io.replacing(place.with_suffix(".json")) as file:
        file.write(json.dumps({**told, "digest": table_digest(table)}).encode())
    return table, told
