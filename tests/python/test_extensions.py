"""Extensions that installed distributions add by name: a made-up one, and what may be wrong with it."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from distributions import REGISTRIES, distribution, forget
from xner import filters, io, schema
from xner._support.arrow import pylist
from xner.errors import Error, OptionError
from xner.filters import FILTERS, Filters
from xner.models import TAGGERS, TaggerStage, load_aligner, load_tagger, load_translator
from xner.translation.direction import Direction
from xner.translation.stages import SourceTranslation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


MODULE = """
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
import pyarrow as pa
from xner import io, labels, schema
from xner.models.taggers.tagger import TaggedBatch
from xner.models.translators import Translation

@dataclass(frozen=True)
class Never:
    least: int = 1
    name: ClassVar[str] = "never"
    columns: ClassVar[tuple[str, ...]] = ()
    def apply(self, entities):
        entities.drop(np.ones(len(entities.row), bool), self.name)

class Tabbed:
    def __init__(self, file): self.file = file
    def write(self, batch):
        for words in batch.column("tokens").to_pylist():
            self.file.write(("\\t".join(words) + "\\n").encode())
    def close(self): pass

def read_tabbed(path, *, batch_rows=1000):
    with open(path) as file:
        lines = file.read().splitlines()
    yield pa.record_batch({"tokens": pa.array([line.split("\\t") for line in lines], schema.WORDS_TYPE)})

TABBED = io.FORMATS["text"].__class__((".tabbed",), read_tabbed, Tabbed)

class Diagonal:
    reads = ("source_tokens", "tokens")
    writes = ("links", "status")
    def __init__(self, model=None, **options): self.signature = self.identity = f"diagonal:{model}"
    def align_batch(self, source, target, *, threads=0, progress=None):
        rows = [[{"source": i, "target": i, "score": 1.0} for i in range(min(len(s), len(t)))]
                for s, t in zip(source.to_pylist(), target.to_pylist())]
        status = pa.array(["ok"] * len(rows))
        return pa.record_batch([pa.array(rows, schema.LINKS_TYPE), status], names=["links", "status"])
    def __call__(self, rows, *, progress=None):
        return rows.append_column("links", self.align_batch(rows["source_tokens"], rows["tokens"])["links"])

class Upper:
    label_names = ("O", "B-X", "I-X")
    def __init__(self, model, **options): self.signature = self.identity = f"upper:{model}"
    def tag_batch(self, sentences, *, column="tokens", progress=None):
        rows = [["B-X" if w.isupper() else "O" for w in row or []] for row in sentences.to_pylist()]
        lists = pa.array(rows, schema.WORDS_TYPE)
        lengths = np.array([len(row) for row in rows])
        return TaggedBatch(lists, labels.decode_batch(lists), np.zeros((lengths.sum(), 3), np.float32), lengths,
                           pa.array(["ok"] * len(rows)))

class Reversed:
    def __init__(self, model, **options): self.signature = self.identity = f"reversed:{model}"
    def translate(self, texts, source, target, *, cache=None, progress=None):
        return [Translation(" ".join(text.split()[::-1]), "ok") for text in texts]
"""

ENTRY_POINTS = """
[xner.filters]
never = made_up_extension:Never
one-word = made_up_extension:Never
broken = made_up_extension:Missing
twice = made_up_extension:Never

[xner.formats]
tabbed = made_up_extension:TABBED

[xner.aligners]
diagonal = made_up_extension:Diagonal

[xner.taggers]
upper = made_up_extension:Upper

[xner.translators]
reversed = made_up_extension:Reversed
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "made_up_extension.py").write_text(MODULE)
    distribution(tmp_path, "made-up", ENTRY_POINTS)
    distribution(tmp_path, "other", "[xner.filters]\ntwice = made_up_extension:Tabbed\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    forget()
    yield tmp_path
    forget()
    sys.modules.pop("made_up_extension", None)


def words(*rows: str) -> pa.Array[Any]:
    return pa.array([row.split() for row in rows], schema.WORDS_TYPE)


def test_filters(installed: Path) -> None:
    made = Filters(["never", "never=3:row"])
    assert made.signature == "filter:never=1|filter:never=3:row"
    assert {"never", "one-word"} <= set(FILTERS)
    assert list(FILTERS).index("one-word") < list(FILTERS).index("never")
    assert filters.usage(FILTERS["never"]) == "never[=1]"


def test_formats(installed: Path) -> None:
    path = installed / "a.tabbed"
    table = pa.table({"tokens": words("a b", "c")})
    io.write(table, path)
    assert path.read_text() == "a\tb\nc\n"
    assert io.read(path).equals(table)
    assert io.read(path, "tabbed").equals(table)


def test_aligners(installed: Path) -> None:
    aligner = load_aligner("diagonal", "m", device="cpu")
    assert aligner.identity == "diagonal:m"
    assert pylist(aligner.align_batch(words("a b"), words("c d e"))["links"])[0][1]["target"] == 1


def test_taggers(installed: Path) -> None:
    stage = TaggerStage(load_tagger("upper:m", classes={}, device="auto"), "labels")
    assert stage.signature == "upper:m|roles:labels|probabilities:none"
    assert stage(pa.table({"tokens": words("a B")}))["labels"].to_pylist() == [["O", "B-X"]]


@pytest.mark.needs("words")
def test_translators(installed: Path) -> None:
    into = Direction(load_translator("reversed:m", device="auto"), "en", "de")
    found = SourceTranslation(into, by_blanks=True)(pa.table({"tokens": words("a b c")}))
    assert found["source_tokens"].to_pylist() == [["c", "b", "a"]]
    assert "reversed:m" in SourceTranslation(into).signature


def test_own_names_cannot_be_taken(installed: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="xner"):
        assert FILTERS["one-word"] is filters.OneWord
        assert set(FILTERS)
    assert "the filter 'one-word' of the distribution 'made-up' is not used: xner has one" in caplog.text


def test_what_is_wrong_names_the_distribution(installed: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Error, match="filter 'broken' of the distribution 'made-up' cannot be imported from made_up"):
        Filters(["broken"])
    with pytest.raises(Error, match="the distributions 'made-up' and 'other' each have a filter 'twice'"):
        Filters(["twice"])
    with caplog.at_level(logging.WARNING, logger="xner"):
        assert "never" in FILTERS.working()
        assert not {"broken", "twice"} & FILTERS.working().keys()
    assert "'broken'" in caplog.text


def test_unknown_names_get_the_nearest(installed: Path) -> None:
    with pytest.raises(OptionError, match=r"filter 'nevr': there is no filter 'nevr'; did you mean 'never'"):
        Filters(["nevr"])
    with pytest.raises(OptionError, match=r"there is no aligner 'diagnal'; did you mean 'diagonal'\?"):
        load_aligner("diagnal")
    with pytest.raises(KeyError):
        FILTERS["nevr"]


def test_without_distributions_there_are_the_own_ones() -> None:
    forget()
    for registry in REGISTRIES:
        assert len(registry) == len(list(registry)) > 0
        assert set(registry.working()) == set(registry)
    assert TAGGERS.prefixed("some/model") is None
    assert TAGGERS.prefixed("/a/folder") is None
    assert FILTERS["min-score"] is filters.MinScore
