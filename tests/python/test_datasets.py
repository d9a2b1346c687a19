"""Data sets by name: what the file of them says holds together, and each loads out of the folders that it describes."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError
from io import StringIO
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from command_line import Run, done, xner
from xner import Projector, io, schema
from xner._support.arrow import pylist
from xner.errors import Error, FormatError, OptionError
from xner.io import datasets
from xner.io.datasets import DATASETS, METADATA, SPLITS, Dataset, Files, load, read_catalogue
from xner.text.languages import language, languages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAMES = ["wikiann", "masakhaner2", "masakhaner2-lafand", "europarl-ner", "uner", "xsid", "conll2003"]
WAYS = [
    pytest.param(name, number, marks=[pytest.mark.needs("words")] if files.texts else [])
    for name, one in DATASETS.items()
    for number, files in enumerate(one.files)
]

SOURCE = [("Anna", "B-PER"), ("lives", "O"), ("in", "O"), ("Bonn", "B-LOC")]
TARGET = [("Anna", "B-PER"), ("wohnt", "O"), ("in", "O"), ("Bonn", "B-LOC")]


# --- the file


def test_the_data_sets() -> None:
    assert list(DATASETS) == NAMES
    assert len(DATASETS["wikiann"].languages) == 40
    assert len(DATASETS["masakhaner2"].languages) == 20
    assert len(DATASETS["xsid"].languages) == 19
    assert [name for name, one in DATASETS.items() if one.is_parallel] == [
        "masakhaner2-lafand",
        "europarl-ner",
        "uner",
        "xsid",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_is_sound(name: str) -> None:
    one = DATASETS[name]
    assert one.title
    assert one.licence
    assert one.paper
    assert one.homepage.startswith("https://")
    assert set(one.splits) <= set(SPLITS)
    for spoken in one.languages.values():
        if spoken.code:
            assert language(spoken.code).name == spoken.title
    for source in {one.source, *one.sources.values()} - {""}:
        assert language(source).code
    assert set(one.counts) <= set(one.splits)
    assert pickle.loads(pickle.dumps(one.files)) == one.files
    with pytest.raises(FrozenInstanceError):
        one.name = "other"  # type: ignore[misc]  # which is what fails


def test_a_catalogue_shows_its_names() -> None:
    assert repr(DATASETS) == f"<Catalogue: {', '.join(NAMES)}>"


def test_what_the_default_translator_lacks() -> None:
    codes = {one.code for one in languages()}
    for name in ("masakhaner2", "masakhaner2-lafand"):
        lacking = [one.name for one in DATASETS[name].languages.values() if one.code not in codes]
        assert lacking == ["bbj", "pcm"]
    assert [one.name for one in DATASETS["xsid"].languages.values() if not one.code] == [
        *("de-ba", "de-muc", "de-st", "gsw", "nap", "sr")
    ]
    assert all(one.code for one in DATASETS["wikiann"].languages.values())


def test_what_is_known_of_sizes() -> None:
    wikiann = DATASETS["wikiann"]
    assert {split: wikiann.counts_for("en", split) for split in SPLITS} == {
        split: datasets.Counts(size, None, None, "published")
        for split, size in (("train", 20000), ("validation", 10000), ("test", 10000))
    }
    assert DATASETS["masakhaner2"].counts_for("tsn", "train") is None
    assert str(DATASETS["europarl-ner"].counts_for("de", "test")) == (
        "799 sentences, 20187 tokens, 693 entities (measured)"
    )


def test_other_sides() -> None:
    lafand = DATASETS["masakhaner2-lafand"]
    assert {lafand.other_side(one) for one in ("hau", "lug", "twi")} == {"en"}
    assert {lafand.other_side(one) for one in ("bam", "fon", "wol")} == {"fr"}
    assert DATASETS["xsid"].other_side("de-ba") == ""
    assert DATASETS["xsid"].other_side("en") == ""


# --- folders that are laid out as the file says


def lines(rows: list[tuple[str, str]], write: Callable[[int, str, str], str]) -> str:
    return "".join(write(number, word, tag) + "\n" for number, (word, tag) in enumerate(rows)) + "\n"


def written_as(files: Files, prefix: str) -> Callable[[int, str, str], str]:
    """A line of a word and its tag, in the columns that a way of laying files out has."""
    if files.label_column is None:
        return lambda _, word, tag: f"{prefix}{word}\t{tag}"
    last = files.label_column

    def write(number: int, word: str, tag: str) -> str:
        fields = [str(number + 1), *["x"] * ((files.columns or last + 2) - 1)]
        fields[files.token_column or 0], fields[last] = prefix + word, tag
        return "\t".join(fields)

    return write


def lay_out(folder: Path, dataset: Dataset, files: Files, name: str, split: str) -> None:
    """Write the files of a language's split, and those of its other side."""
    source = dataset.other_side(name)
    sides = [(name, files.path, TARGET)]
    if source and not files.texts:
        sides.append((name, files.source_path, SOURCE) if files.source_path else (source, files.path, SOURCE))
    for of, pattern, rows in sides:
        path = folder / files.fill(pattern, language=of, split=split, source=source or of).replace("*", "Any")
        path.parent.mkdir(parents=True, exist_ok=True)
        prefix = f"{of}:" if files.strip_prefix else ""
        path.write_text(lines(rows, written_as(files, prefix)) * 2, encoding="utf-8")
    for pattern in files.texts[:1]:
        path = folder / files.fill(pattern, language=name, split=split, source=source)
        path.parent.mkdir(parents=True, exist_ok=True)
        both = {source: "Anna lives in Bonn.", name: "Anna wohnt in Bonn"}
        path.write_text(json.dumps({"translation": both}) + "\n", encoding="utf-8")


@pytest.mark.parametrize(("name", "number"), WAYS)
def test_a_folder_in_each_layout(name: str, number: int, tmp_path: Path) -> None:
    dataset = DATASETS[name]
    files = dataset.files[number]
    for split in dataset.splits:
        for of in list(dataset.languages)[:3]:
            folder = tmp_path / split / of
            lay_out(folder, dataset, files, of, split)
            said: list[str] = []
            table = load(name, language=of, split=split, folder=folder, ignore_counts=True, told=said.append)
            words, tags = [word for word, _ in TARGET], [tag for _, tag in TARGET]
            if not dataset.other_side(of):
                assert table.column_names == ["id", "tokens", "labels"]
                assert table["labels"].to_pylist() == [tags] * 2
            elif files.texts:
                assert table["source_tokens"].to_pylist() == [["Anna", "lives", "in", "Bonn", "."]]
                assert table["gold_labels"].to_pylist() == [tags]
                assert any("1 rows without a partner" in line for line in said)
            else:
                assert table["source_tokens"].to_pylist() == [[word for word, _ in SOURCE]] * 2
                assert [len(row) for row in pylist(table["source_entities"])] == [2, 2]
                assert table["gold_labels"].to_pylist() == [tags] * 2
            assert table["tokens"].to_pylist()[0] == words


def test_metadata_stays_in_parquet(tmp_path: Path) -> None:
    lay_out(tmp_path, DATASETS["xsid"], DATASETS["xsid"].files[0], "de", "test")
    table = load("xsid", language="deu_Latn", split="test", folder=tmp_path, ignore_counts=True)
    io.write(table, tmp_path / "de.parquet")
    said = pq.read_schema(tmp_path / "de.parquet").metadata
    expected = ["xsid", "0.7", "CC BY-SA 4.0", "de", "test"]
    assert [said[name.encode()].decode() for name in METADATA] == expected


def test_labels_are_brought_to_iob2(tmp_path: Path) -> None:
    (tmp_path / "eng.testb").write_text(
        "-DOCSTART- -X- O O\n\nU.N. NNP I-NP I-ORG\nofficial NN I-NP O\nEkeus NNP I-NP I-PER\n\n"
    )
    table = load("conll2003", split="test", folder=tmp_path, ignore_counts=True)
    assert table["labels"].to_pylist() == [["B-ORG", "O", "B-PER"]]


def test_classes_that_do_not_count_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "UNER_English-PUD"
    folder.mkdir()
    (folder / "en_pud-ud-test.iob2").write_text(
        "# sent_id = n01\n1\tAnna\tB-PER\t-\t-\n2\tOscar\tB-OTH\t-\t-\n\n", encoding="utf-8"
    )
    table = load("uner", language="en", folder=tmp_path, ignore_counts=True)
    assert table["labels"].to_pylist() == [["B-PER", "O"]]
    assert table["id"].to_pylist() == ["n01"]


def test_a_file_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "own.conll").write_text(lines(TARGET, lambda _, word, tag: f"{word}\t{tag}"))
    table = load(str(tmp_path / "own.conll"))
    assert table["labels"].to_pylist() == [[tag for _, tag in TARGET]]
    with pytest.raises(OptionError, match=r"split='test': '.*own.conll' is a file, and has none"):
        load(str(tmp_path / "own.conll"), split="test")


def test_comments_of_xsid_are_none_of_its_words(tmp_path: Path) -> None:
    rows = {
        "de": "# id = 7\n# text-en = hot?\n# text = heiß?\n# intent = weather/find\n"
        "1\theiß\tweather/find\tB-weather/attribute\n2\t?\tweather/find\tO\n\n",
        "en": "# id = 7\n# text = hot?\n1\thot\tweather/find\tB-weather/attribute\n2\t?\tweather/find\tO\n\n",
    }
    for of, text in rows.items():
        (tmp_path / f"{of}.valid.conll").write_text(text, encoding="utf-8")
    table = load("xsid", language="de", split="valid", folder=tmp_path, ignore_counts=True)
    assert table.to_pylist() == [
        {
            "id": "7",
            "source_tokens": ["hot", "?"],
            "source_entities": [{"start": 0, "end": 1, "label": "weather/attribute"}],
            "tokens": ["heiß", "?"],
            "gold_labels": ["B-weather/attribute", "O"],
        }
    ]


# --- what goes wrong


def test_unknown_names() -> None:
    with pytest.raises(Error, match=r"there is no data set 'wikian' and no such file.*did you mean 'wikiann'"):
        load("wikian", language="de", split="test")
    with pytest.raises(OptionError, match=r"language='fr': 'europarl-ner' has de, en, es, it$"):
        load("europarl-ner", language="fr", split="test")
    with pytest.raises(OptionError, match="language: 'europarl-ner' has several; say which: de, en, es, it"):
        load("europarl-ner", split="test")
    with pytest.raises(OptionError, match="split='train': 'europarl-ner' has test"):
        load("europarl-ner", language="de", split="train")
    with pytest.raises(OptionError, match="split: 'wikiann' has several; say which: train, validation, test"):
        load("wikiann", language="de")


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(Error, match="there is no such folder"):
        load("europarl-ner", language="de", folder=tmp_path / "nothing")
    message = (
        r"has no validation split of 'masakhaner2' for 'hau'; looked for 'MasakhaNER2.0/data/hau/dev.txt' \(a clone of "
        r"https://.*\) and 'hau/dev.txt' \(its folder"
    )
    with pytest.raises(Error, match=message):
        load("masakhaner2", language="hau", split="dev", folder=tmp_path)
    (tmp_path / "de-europarl.test.conll02").write_text("Bonn\tB-LOC\n\n")
    with pytest.raises(Error, match=r"has 'de-europarl.test.conll02' and lacks its other side, 'en-europarl.test"):
        load("europarl-ner", language="de", folder=tmp_path, ignore_counts=True)


def test_sides_of_different_lengths(tmp_path: Path) -> None:
    (tmp_path / "de-europarl.test.conll02").write_text("Bonn\tB-LOC\n\n")
    (tmp_path / "en-europarl.test.conll02").write_text("Bonn\tB-LOC\n\nRome\tB-LOC\n\n")
    with pytest.raises(Error, match=r"2 .*1 "):
        load("europarl-ner", language="de", folder=tmp_path, ignore_counts=True)


def test_wrong_counts_are_refused(tmp_path: Path) -> None:
    lay_out(tmp_path, DATASETS["europarl-ner"], DATASETS["europarl-ner"].files[0], "de", "test")
    with pytest.raises(Error, match=r"has 2 sentences, and 799 are known \(measured\).*`ignore_counts`"):
        load("europarl-ner", language="de", folder=tmp_path)
    write = written_as(DATASETS["europarl-ner"].files[0], "")
    (tmp_path / "it-europarl.test.conll02").write_text(lines(TARGET, write) * 799)
    with pytest.raises(Error, match=r"en-europarl.test.conll02' has 2 sentences, and 799 are known"):
        load("europarl-ner", language="it", folder=tmp_path)
    own = tmp_path / "own.toml"
    own.write_text(CATALOGUE + '[own.counts.test]\nen = {sentences = 2, tokens = 9, origin = "published"}\n')
    (tmp_path / "en.conll").write_text(lines(SOURCE, lambda _, word, tag: f"{word}\t{tag}") * 2)
    with pytest.raises(Error, match=r"has 8 tokens, and 9 are known \(published\)"):
        load("own", folder=tmp_path, catalogue=own)
    assert load("own", folder=tmp_path, catalogue=own, ignore_counts=True).num_rows == 2


# --- a user's own file

CATALOGUE = """[own]
title = "Mine"
splits = ["test"]
languages = {en = "eng_Latn"}
hub = {name = "HUB"}

[[own.files]]
where = "a folder"
path = "{language}.conll"

"""


def catalogue(folder: Path, old: str = "", new: str = "", more: str = "") -> Path:
    path = folder / "own.toml"
    assert old in CATALOGUE
    path.write_text(CATALOGUE.replace(old, new, 1) + more, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "Mine"', 'titel = "Mine"', "line 1: own: the key 'title' is missing"),
        ('title = "Mine"', "title = 3", "line 2: own.title: expected a text, found the number 3"),
        ("splits", "licens = 'x'\nsplits", "line 3: own.licens: there is no such key; did you mean 'licence'"),
        ('["test"]', '"test"', "line 3: own.splits: expected a list of texts, found the text 'test'"),
        ('["test"]', '["dev"]', "line 3: own.splits: expected some of train, validation, test, found 'dev'"),
        ("eng_Latn", "eng_Latin", "line 4: own.languages.en: 'eng_Latin' is no language of FLORES-200.*'eng_Latn'"),
        ('"HUB"', '"HUB", kind = "x"', "line 5: own.hub.kind: there is no such key"),
        ("{language}.conll", "{lang}.conll", r"line 9: own.files.0.path: '\{lang\}.conll': there is no field \{lang\}"),
        ("{language}.conll", "{language.conll", "line 9: own.files.0.path: .*expected '}'"),
        ('"a folder"', '"a folder"\ntoken_column = true', "line 9: own.files.0.token_column: expected a whole number"),
        ('"a folder"', '"a folder"\ntoken_column = -1', "line 9: own.files.0.token_column: .* from 0 on, found -1"),
        (
            '"a folder"',
            '"a folder"\ncounts_of = "xsed"',
            "line 9: own.files.0.counts_of: .*'xsed'; did you mean 'xsid'",
        ),
        ("[own]", "[Own]", "line 1: Own: a data set's name has small letters"),
        ("[own]", "[own", r"own.toml: .*\(at line 1"),
        ('splits = ["test"]', "", "line 1: own: the key 'splits' is missing"),
        ('languages = {en = "eng_Latn"}', "", "line 1: own: it has no languages"),
        (
            '["test"]',
            '["train", "test"]',
            r"line 9: own.files.0.path: .* lacks \{split\}: train, test would be the same",
        ),
        (
            'en = "eng_Latn"}\nhub = {name = "HUB"}\n\n[[own.files]]\nwhere = "a folder"\npath = "{language}',
            'en = "eng_Latn", de = "deu_Latn"}\n\n[[own.files]]\nwhere = "a folder"\npath = "all',
            r"line 8: own.files.0.path: 'all.conll' lacks \{language\}: de, en would be the same",
        ),
        (
            'en = "eng_Latn"}',
            'en = "eng_Latn", de = "deu_Latn"}',
            r"line 5: own.hub.configuration: '' lacks \{language\}",
        ),
        ('languages = {en = "eng_Latn"}', 'unordered = ["x"]\nlanguages = {en = "eng_Latn"}', "line 4: .*'x' is none"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=message):
        read_catalogue(catalogue(tmp_path, old, new))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("[own.counts.train]\n", "line 11: own.counts.train: the data set has no such split, only test"),
        ("[own.counts]\ntest.de = {sentences = 1}\n", "line 12: own.counts.test.de: .*no such language"),
        ("[own.counts.test]\nen = {tokens = 1}\n", "line 12: own.counts.test.en: the key 'sentences' is missing"),
        ('[own.counts.test]\nen = {sentences = "1"}\n', "line 12: .*: expected a whole number, found the text '1'"),
        ('[own.counts.test]\nen = {sentences = 1, origin = "me"}\n', "line 12: .*published, measured, found 'me'"),
        ("[xsid]\n", "line 11: xsid: the key 'title' is missing|line 11: xsid: it has no languages"),
    ],
)
def test_what_is_wrong_in_counts_is_named(more: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=message):
        read_catalogue(catalogue(tmp_path, more=more))


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("\nown = 3\n")
    with pytest.raises(FormatError, match="line 2: own: expected a table, found the number 3"):
        read_catalogue(path)
    path.write_bytes(b"# \xff\n")
    with pytest.raises(FormatError, match=r"own.toml: not UTF-8"):
        read_catalogue(path)


def test_names_are_not_taken_twice(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(CATALOGUE.replace("own", "xsid"))
    with pytest.raises(FormatError, match="line 1: there is a data set 'xsid' already"):
        read_catalogue(path)
    assert list(read_catalogue(catalogue(tmp_path))) == [*NAMES, "own"]


# --- the hub


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set that its library has saved, as it would be fetched."""
    from datasets import ClassLabel, DatasetDict, Features, List, Value, config
    from datasets import Dataset as Saved

    names = ["O", "B-PER", "B-LOC"]
    features = Features({"tokens": List(Value("string")), "ner_tags": List(ClassLabel(names=names))})
    rows: dict[str, Any] = {
        "tokens": [[word for word, _ in SOURCE]],
        "ner_tags": [[names.index(tag) for _, tag in SOURCE]],
    }
    monkeypatch.setattr(config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    made = Saved.from_dict(rows, features=features)
    DatasetDict({"test": made}).save_to_disk(str(tmp_path / "saved"))
    (tmp_path / "files" / "en" / "test").mkdir(parents=True)
    made.to_parquet(str(tmp_path / "files" / "en" / "test" / "0000.parquet"))
    return tmp_path


@pytest.mark.needs("train")
class TestHub:
    def test_a_data_set_of_the_library(self, saved: Path) -> None:
        own = catalogue(saved, "HUB", str(saved / "saved"))
        table = load("own", catalogue=own)
        assert table["labels"].to_pylist() == [[tag for _, tag in SOURCE]]
        assert table["id"].to_pylist() == ["0"]
        assert load(f"hf:{saved / 'saved'}", split="test")["labels"].to_pylist() == table["labels"].to_pylist()

    def test_a_file(self, saved: Path) -> None:
        own = catalogue(saved, '"HUB"', f'"{saved / "files"}", path = "{{language}}/{{split}}/0000.parquet"')
        assert load("own", catalogue=own)["labels"].to_pylist() == [[tag for _, tag in SOURCE]]
        own = catalogue(saved, '"HUB"', f'"{saved / "files"}", path = "{{language}}/0000.parquet"')
        with pytest.raises(Error, match=r"has no file 'en/0000.parquet'"):
            load("own", catalogue=own)

    @pytest.mark.needs("words")
    def test_sentences_joined_to_translations(self, saved: Path) -> None:
        both = [{"en": "Anna lives in Bonn.", "fr": "Anna habite à Bonn."}, {"en": "No.", "fr": "Non."}]
        pq.write_table(pa.table({"translation": both}), saved / "files" / "fr-en.parquet")
        hub = (
            f'"{saved / "files"}", path = "{{language}}/{{split}}/0000.parquet", texts = {{name = "{saved / "files"}", '
        )
        hub += 'paths = ["{source}-{language}.parquet", "{source}-{language}.more.parquet"]}'
        own = catalogue(saved, 'name = "HUB"', f"name = {hub}")
        own.write_text(own.read_text().replace("splits", 'source = "fr"\nsplits', 1))
        said: list[str] = []
        table = load("own", catalogue=own, told=said.append)
        assert table["source_tokens"].to_pylist() == [["Anna", "habite", "à", "Bonn", "."]]
        assert table.column_names == ["id", "source_tokens", "tokens", "gold_labels"]
        assert said == ["1 pairs", "the translations: 1 rows without a partner: 1"]

    def test_what_cannot_be_fetched(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import huggingface_hub

        def fetch(name: str, path: str, *, repo_type: str, revision: str | None) -> str:
            assert (repo_type, revision) == ("dataset", "refs/convert/parquet")
            raise OSError("404: there is none\nand more")

        monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetch)
        message = (
            "cannot fetch 'hau/test/0000.parquet' of the data set 'masakhane/masakhaner2' from the hub: 404: there"
        )
        with pytest.raises(Error, match=f"{message} is none$"):
            load("masakhaner2", language="hau", split="test")

    def test_what_is_not_there(self) -> None:
        with pytest.raises(Error, match="'xsid' is not on the hub; `folder` reads it from a folder: a clone of https"):
            load("xsid", language="de", split="test")


# --- the command line


def refused(run: Run, message: str, status: int = 1) -> None:
    assert run.returncode == status, run.stderr
    assert message in " ".join(run.stderr.split())


class TestCommandLine:
    def test_list(self) -> None:
        shown = done(xner("datasets", "list")).stdout.splitlines()
        assert [line.split()[0] for line in shown] == ["name", *NAMES]
        assert shown[0].split() == ["name", "languages", "parallel", "licence"]
        assert shown[4].startswith("europarl-ner        de en es it                          yes       CC BY-SA 4.0")
        assert "40: af ar bg" in shown[1]

    def test_show(self) -> None:
        shown = done(xner("datasets", "show", "masakhaner2")).stdout
        for line in (
            "masakhaner2: MasakhaNER 2.0",
            "  licence: CC BY-NC 4.0 (the card on the hub says AFL 3.0)",
            "  download: not known",
            "  parallel: no",
            "    MasakhaNER2.0/data/{language}/{split}.txt",
            "    train: bam, tsn: not known",
            "    test: hau: 1633 sentences, 44848 tokens, 4109 entities (measured)",
            "    hau: Hausa (hau_Latn)",
            "    pcm: Nigerian Pidgin (the default translator, NLLB-200, lacks it)",
        ):
            assert line in shown.splitlines()
        assert "  classes: not known" in done(xner("datasets", "show", "xsid")).stdout.splitlines()
        shown = done(xner("datasets", "show", "masakhaner2-lafand")).stdout
        assert "  parallel: with en; with fr: bam, bbj, ewe, fon, mos, wol\n" in shown
        assert "  hub: masakhane/masakhaner2 and masakhane/mafand\n" in shown
        refused(xner("datasets", "show", "wikian"), "did you mean 'wikiann'?")

    def test_get_and_project(self, tmp_path: Path) -> None:
        lay_out(tmp_path, DATASETS["europarl-ner"], DATASETS["europarl-ner"].files[0], "de", "test")
        get = ["datasets", "get", "europarl-ner", "--language", "de", "--from", ".", "-o", "out"]
        refused(xner(*get, cwd=tmp_path), "has 2 sentences, and 799 are known (measured)")
        assert "--ignore-counts" in xner(*get, cwd=tmp_path).stderr
        run = done(xner(*get, "--ignore-counts", cwd=tmp_path))
        assert run.stdout == ""
        assert "europarl-ner.de.test.parquet: 2 sentences (source_tokens, source_entities, tokens" in run.stderr
        path = tmp_path / "out" / "europarl-ner.de.test.parquet"
        sides: list[str | Path] = ["--source", path, "--target", path]
        assert "source entities projected" in done(xner("project", *sides, "-o", "de.conll", cwd=tmp_path)).stderr

    def test_nothing_is_overwritten_silently(self, tmp_path: Path) -> None:
        lay_out(tmp_path, DATASETS["wikiann"], DATASETS["wikiann"].files[0], "de", "test")
        get = [*("datasets", "get", "wikiann", "--language", "de", "--split", "test", "--from", "."), "--ignore-counts"]
        for _ in range(2):
            done(xner(*get, "-o", "out", cwd=tmp_path))
        path = tmp_path / "out" / "wikiann.de.test.parquet"
        path.write_bytes(b"mine")
        refused(xner(*get, "-o", "out", cwd=tmp_path), "there is such a file, which `xner datasets get` has not", 2)
        assert path.read_bytes() == b"mine"
        done(xner(*get, "-o", "out", "--overwrite", cwd=tmp_path))
        assert io.read(path).num_rows == 2

    def test_several_languages_and_splits(self, tmp_path: Path) -> None:
        for of in ("hau", "swa"):
            for split in ("validation", "test"):
                lay_out(tmp_path, DATASETS["masakhaner2"], DATASETS["masakhaner2"].files[0], of, split)
        get = ["datasets", "get", "masakhaner2", "--from", ".", "--ignore-counts", "-o", "out"]
        both = ["--language", "hau", "--language", "swh_Latn", "--split", "dev", "--split", "test"]
        done(xner(*get, *both, cwd=tmp_path))
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
            f"masakhaner2.{of}.{split}.parquet" for of in ("hau", "swa") for split in ("test", "validation")
        ]

    def test_licence_and_size_come_before_a_download(self, tmp_path: Path) -> None:
        run = xner("datasets", "get", "wikiann", "--language", "yo", "-o", "out", cwd=tmp_path)
        refused(run, "from the hub: google/xtreme size: 2 MB a language at most licence: not stated; the sentences", 2)
        assert "--yes loads 'google/xtreme' from the hub" in run.stderr
        assert not (tmp_path / "out").exists()
        run = xner("datasets", "get", "xsid", "--language", "de", "--yes", "-o", "out", cwd=tmp_path)
        refused(run, "'xsid' is not on the hub; give --from FOLDER: a clone of https://github.com/mainlp/xsid or", 2)
        run = xner("datasets", "get", "hf:somebody/something", "-o", "out", cwd=tmp_path)
        refused(run, "from the hub: somebody/something size: not known licence: not known", 2)

    def test_a_question_on_a_terminal(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        class Terminal(StringIO):
            def isatty(self) -> bool:
                return True

        monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
        run = xner("datasets", "get", "wikiann", "--language", "yo", "-o", "out", cwd=tmp_path)
        refused(run, "Load it? [y/N]: Error: nothing was loaded")
        assert not (tmp_path / "out").exists()

    @pytest.mark.needs("train")
    def test_a_data_set_of_the_hub_by_its_name(self, saved: Path) -> None:
        done(xner("datasets", "get", "hf:saved::test", "--yes", "-o", "out", cwd=saved))
        path = saved / "out" / "saved.test.parquet"
        assert io.read(path)["labels"].to_pylist() == [[tag for _, tag in SOURCE]]
        assert pq.read_schema(path).metadata[b"dataset"] == b"hf:saved::test"

    @pytest.mark.needs("train")
    def test_with_a_file_of_ones_own(self, saved: Path) -> None:
        own = catalogue(saved, "HUB", str(saved / "saved"))
        assert "own " in done(xner("datasets", "list", "--catalogue", own)).stdout
        shown = done(xner("datasets", "show", "own", "--catalogue", own)).stdout.splitlines()
        assert {"  licence: not known", "  paper: not known", "    test: not known"} <= set(shown)
        run = done(xner("datasets", "get", "own", "--catalogue", own, "--yes", "-o", "out", cwd=saved))
        assert "size: not known\nlicence: not known\n" in run.stderr
        assert io.read(saved / "out" / "own.en.test.parquet")["labels"].to_pylist() == [[tag for _, tag in SOURCE]]
        own.write_text(own.read_text().replace("title", "titel"))
        refused(xner("datasets", "list", "--catalogue", own), "own.toml, line 1: own: the key 'title' is missing", 2)

    def test_a_file_by_its_path(self, tmp_path: Path) -> None:
        (tmp_path / "own.conll").write_text(lines(TARGET, lambda _, word, tag: f"{word}\t{tag}"))
        done(xner("datasets", "get", "own.conll", "-o", "out", cwd=tmp_path))
        assert io.read(tmp_path / "out" / "own.parquet")["labels"].to_pylist() == [[tag for _, tag in TARGET]]
        run = xner("datasets", "get", "own.conll", "--language", "de", "-o", "out", cwd=tmp_path)
        refused(run, "'own.conll' is no data set by name: it has no --language", 2)

    def test_errors_name_what_there_is(self, tmp_path: Path) -> None:
        get = ["datasets", "get", "europarl-ner", "-o", "out", "--from", "."]
        refused(xner(*get, "--language", "fr", cwd=tmp_path), "'europarl-ner' has de, en, es, it")
        refused(xner(*get, cwd=tmp_path), "has several; say which: de, en, es, it")
        refused(xner(*get, "--language", "de", cwd=tmp_path), "looked for 'de-europarl.test.conll02' (a clone of")

    def test_it_starts_without_what_is_heavy(self) -> None:
        code = (
            "import sys, xner.cli.commands.datasets; print(*{'torch', 'datasets', 'transformers'} & set(sys.modules))"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert run.stdout.split() == []


# --- the real ones


@pytest.mark.parametrize(
    ("name", "of", "split", "folder", "rows", "entities"),
    [
        ("europarl-ner", "de", "test", "europarl-ner", 799, 693),
        ("europarl-ner", "es", "test", "europarl-ner", 799, 697),
        ("uner", "de", "test", "uner-pud", 1000, 1039),
        ("uner", "ru", "test", "uner-pud", 1000, 1036),
        ("xsid", "de", "valid", "xsid", 300, 607),
        ("xsid", "zh", "valid", "xsid", 300, 604),
        ("masakhaner2", "hau", "test", "masakhaner2", 1633, 4109),
        ("masakhaner2", "xho", "train", "masakhaner2", 5718, 6786),
        ("masakhaner2-lafand", "lug", "test", "lafand-masakhaner2", 1409, 2259),
        ("masakhaner2-lafand", "twi", "dev", "lafand-masakhaner2", 563, 351),
    ],
)
def test_real_data(test_data: Path, name: str, of: str, split: str, folder: str, rows: int, entities: int) -> None:
    table = load(name, language=of, split=split, folder=test_data / folder)
    tags = pylist(table["gold_labels" if "gold_labels" in table.column_names else "labels"])
    assert len(tags) == rows
    assert sum(tag.startswith("B-") for row in tags for tag in row) == entities


@pytest.mark.slow
def test_every_count_that_was_measured(test_data: Path) -> None:
    for name, folder in (("masakhaner2", "masakhaner2"), ("europarl-ner", "europarl-ner"), ("uner", "uner-pud")):
        for split, of_split in DATASETS[name].counts.items():
            for of, known in of_split.items():
                if known.origin == "measured":
                    load(name, language=of, split=split, folder=test_data / folder)
    for of, known in DATASETS["xsid"].counts["validation"].items():
        if known.origin == "measured":
            load("xsid", language=of, split="validation", folder=test_data / "xsid", told=lambda line: None)


def test_a_projector_takes_what_is_joined(test_data: Path) -> None:
    table = load("europarl-ner", language="de", split="test", folder=test_data / "europarl-ner").slice(0, 50)
    sides = zip(pylist(table["source_tokens"]), pylist(table["tokens"]), strict=True)
    links = [[(word, word, 1.0) for word in range(min(map(len, both)))] for both in sides]
    named = [[dict(zip(("source", "target", "score"), link, strict=True)) for link in row] for row in links]
    projected = Projector()(table.append_column("links", pa.array(named, schema.LINKS_TYPE)))
    assert set(projected["status"].to_pylist()) <= {"ok", "no_match", "no_entities"}
    assert projected.num_rows == 50
