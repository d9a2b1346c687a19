from __future__ import annotations

import extras

extras.need("train")

from typing import TYPE_CHECKING, Any

import datasets
import pytest

from xner import DataError, Error
from xner.io import read_hugging_face
from xner.io.hugging_face import DatasetName

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
ROWS: dict[str, Any] = {
    "tokens": [["Angela", "Merkel", "left"], ["in", "Rome"], []],
    "ner_tags": [[1, 2, 0], [0, 3], []],
}
READ = [["B-PER", "I-PER", "O"], ["O", "B-LOC"], []]


def features(names: list[str] | None = NAMES) -> datasets.Features:
    kind = datasets.Value("int64") if names is None else datasets.ClassLabel(names=names)
    return datasets.Features({"tokens": datasets.List(datasets.Value("string")), "ner_tags": datasets.List(kind)})


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A data set as the hub keeps it: a folder of Parquet files."""
    folder = tmp_path / "files"
    (folder / "data").mkdir(parents=True)
    made = datasets.Dataset.from_dict(ROWS, features=features())
    made.to_parquet(str(folder / "data" / "train-00000-of-00001.parquet"))
    made.select([1]).to_parquet(str(folder / "data" / "validation-00000-of-00001.parquet"))
    return folder


def named(text: str, split: str = "train") -> DatasetName:
    found = DatasetName.parse(text, split=split)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hf:conll2003", DatasetName("conll2003", None, "test")),
        ("hf:masakhane/masakhaner2:yor", DatasetName("masakhane/masakhaner2", "yor", "test")),
        ("hf:wikiann:de:validation", DatasetName("wikiann", "de", "validation")),
        ("hf:conll2003::train", DatasetName("conll2003", None, "train")),
        ("train.conll", None),
    ],
)
def test_names(text: str, expected: DatasetName | None) -> None:
    assert DatasetName.parse(text, split="test") == expected


def test_data_files(files: Path) -> None:
    table = read_hugging_face(named(f"hf:{files}"))
    assert table.column_names == ["tokens", "labels"]
    assert table["tokens"].to_pylist() == ROWS["tokens"]
    assert table["labels"].to_pylist() == READ
    assert read_hugging_face(named(f"hf:{files}", "validation"))["labels"].to_pylist() == [READ[1]]


def test_a_saved_data_set(tmp_path: Path) -> None:
    made = datasets.Dataset.from_dict(ROWS, features=features())
    made.save_to_disk(tmp_path / "one")
    datasets.DatasetDict({"train": made, "test": made.select([0])}).save_to_disk(tmp_path / "several")
    assert read_hugging_face(named(f"hf:{tmp_path / 'one'}"))["labels"].to_pylist() == READ
    assert read_hugging_face(named(f"hf:{tmp_path / 'several'}::test"))["labels"].to_pylist() == READ[:1]


def test_labels_as_texts_and_columns_by_name(tmp_path: Path) -> None:
    rows = {"sentence": ROWS["tokens"], "bio": READ, "tags": [[0, 0, 0], [0, 0], []]}
    datasets.Dataset.from_dict(rows).save_to_disk(tmp_path / "one")
    table = read_hugging_face(named(f"hf:{tmp_path / 'one'}"), words_column="sentence", labels_column="bio")
    assert table["tokens"].to_pylist() == ROWS["tokens"]
    assert table["labels"].to_pylist() == READ


class TestBadInput:
    @pytest.mark.parametrize("text", ["hf:", "hf::de", "hf:a:b:c:d"])
    def test_no_name(self, text: str) -> None:
        with pytest.raises(Error, match=f"'{text}': expected hf:NAME, hf:NAME:CONFIGURATION or"):
            DatasetName.parse(text, split="train")

    def test_no_such_data_set(self, tmp_path: Path) -> None:
        with pytest.raises(Error, match=r"cannot read the data set '.*nothing', split 'train': "):
            read_hugging_face(named(f"hf:{tmp_path / 'nothing'}"))

    def test_no_such_split(self, files: Path, tmp_path: Path) -> None:
        with pytest.raises(Error, match=r"cannot read the data set '.*', split 'dev': .*dev"):
            read_hugging_face(named(f"hf:{files}::dev"))
        made = datasets.Dataset.from_dict(ROWS, features=features())
        datasets.DatasetDict({"train": made}).save_to_disk(tmp_path / "several")
        with pytest.raises(Error, match=r"the data set '.*several' has no split 'dev', only: train"):
            read_hugging_face(named(f"hf:{tmp_path / 'several'}::dev"))

    def test_no_column(self, tmp_path: Path) -> None:
        datasets.Dataset.from_dict({"text": ["a"], "tags": [["O"]]}).save_to_disk(tmp_path / "one")
        with pytest.raises(
            Error, match=r"cannot tell the column of the words: none of 'tokens', 'words'; it has: text, tags"
        ):
            read_hugging_face(named(f"hf:{tmp_path / 'one'}"))
        with pytest.raises(Error, match="cannot tell the column of the labels: none of 'bio'; it has: text, tags"):
            read_hugging_face(named(f"hf:{tmp_path / 'one'}"), words_column="text", labels_column="bio")

    def test_two_columns(self, tmp_path: Path) -> None:
        datasets.Dataset.from_dict({**ROWS, "tags": READ}).save_to_disk(tmp_path / "one")
        with pytest.raises(Error, match="cannot tell the column of the labels: ner_tags and tags; it has"):
            read_hugging_face(named(f"hf:{tmp_path / 'one'}"))

    def test_numbers_without_names(self, tmp_path: Path) -> None:
        datasets.Dataset.from_dict(ROWS, features=features(None)).save_to_disk(tmp_path / "one")
        with pytest.raises(Error, match="the labels in column 'ner_tags' are int64 without names"):
            read_hugging_face(named(f"hf:{tmp_path / 'one'}"))

    def test_a_number_without_a_name(self, tmp_path: Path) -> None:
        rows = {"tokens": [["a"], ["b", "c"]], "ner_tags": [[0], [1, -1]]}
        datasets.Dataset.from_dict(rows, features=features()).save_to_disk(tmp_path / "one")
        with pytest.raises(DataError, match=r"row 1.*ner_tags.*-1.*there are names for the numbers 0 to 4"):
            read_hugging_face(named(f"hf:{tmp_path / 'one'}"))
