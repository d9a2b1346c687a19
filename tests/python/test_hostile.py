"""What hostile content may not do: become markup, leave its folder, or be run."""

from __future__ import annotations

import ast
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import xner
from command_line import done
from command_line import xner as run_xner
from test_view import Page, payload, rendered, table
from xner import evaluation, io, viewer
from xner.alignment.aligner import Aligner
from xner.errors import Error
from xner.evaluation.error_kinds import analyse
from xner.experiments.extrinsic import Method
from xner.pipelines.checkpoints import Checkpoints
from xner.pipelines.recipes import Step
from xner.training.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

PACKAGE = Path(xner.__file__).parent
MARK = "xnermark"  # what is in every attack, to find it by

ATTACKS = [
    f"<script>{MARK}()</script>",
    f"</script><script>{MARK}()</script>",
    f"<img src=x onerror={MARK}()>",
    f"<svg/onload={MARK}()>",
    f'"><b id={MARK}>',
    f"'><b id={MARK}>",
    f'" onmouseover="{MARK}()',
    f"' onfocus='{MARK}()' autofocus='",
    f"` onclick={MARK}()",
    f"<!--{MARK}",
    f"--><b id={MARK}>",
    f"]]><b id={MARK}>",
    f"</style><b id={MARK}>",
    f"</title><b id={MARK}>",
    f"</textarea><b id={MARK}>",
    f"javascript:{MARK}()",
    f"<a href=javascript:{MARK}()>",
    f"<iframe srcdoc='<script>{MARK}()</script>'>",
    f"<base href=//{MARK}>",
    f"<meta http-equiv=refresh content=0;url=//{MARK}>",
    f"&lt;b id={MARK}&gt;",
    f"&#60;b id={MARK}&#62;",
    f"\\u003cb id={MARK}\\u003e",
    f"<\u200bscript>{MARK}()</script>",
    f"＜script＞{MARK}()",
    f"{{{{data}}}}{MARK}",
    f"<math><mtext></mtext><mglyph><style><img src=x onerror={MARK}()>",
    f"<x\tonclick={MARK}()>",
    f"<details/open/ontoggle={MARK}()>",
]


class Elements(HTMLParser):
    """What a parser finds in a page, and which of it came from an attack."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.count, self.tags, self.found = 0, set[str](), list[str]()
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count += 1
        self.tags.add(tag)
        for name, value in attrs:
            # A frame's content is a page of its own.
            if name == "srcdoc":
                inner = Elements(value or "")
                self.found += inner.found
            elif (
                MARK in name or name.startswith("on") or (MARK in (value or "") and name not in {"title", "aria-label"})
            ):
                self.found.append(f"<{tag} {name}={value!r}>")
        if MARK in tag:
            self.found.append(tag)

    def handle_comment(self, data: str) -> None:
        if MARK in data:
            self.found.append(f"<!--{data}-->")


def labelled(words: list[str], name: str = "X") -> pa.Table:
    tags = [f"B-{word}" if "\t" not in word else "O" for word in words]
    return table(id=[name], tokens=[words], source_tokens=[words], labels=[tags], gold_labels=[tags[::-1]])


class TestMarkup:
    def test_view(self, tmp_path: Path) -> None:
        rows = labelled(ATTACKS, ATTACKS[0])
        io.write(rows, tmp_path / "a.parquet")
        for title in (ATTACKS[1], ATTACKS[13]):
            done(run_xner("view", "a.parquet", "--title", title, "-o", "a.html", "--overwrite", cwd=tmp_path))
            source = (tmp_path / "a.html").read_text(encoding="utf-8")
            plain = viewer.render(labelled(["a"]))
            assert Elements(source).found == []
            assert Elements(source).count == Elements(plain).count
            assert payload(source)["rows"][0]["tokens"] == ATTACKS

    @pytest.mark.parametrize("attack", ATTACKS)
    def test_what_notebooks_show(self, attack: str) -> None:
        word = attack.replace(" ", "_")
        links = [(0, 0), (1, 1)]
        shown: dict[str, Any] = {}
        for what in ("harmless", word):
            labels = [[f"B-{what}", "O"]], [["O", f"B-{what}"]]
            made = (
                xner.project([what, "b"], source_entities=[(0, 1, what)], links=links),
                xner.project_spans(f"{what} b", f"{what} b", [(0, len(what), what)], links=links),
                evaluation.evaluate(*labels),
                analyse(*labels),
                viewer.view(labelled([what])),
            )
            shown[what] = [Elements(one._repr_html_()) for one in made]
        for harmless, found in zip(shown["harmless"], shown[word], strict=True):
            assert found.found == []
            assert found.count == harmless.count

    def test_in_a_browser(self, chromium: str, tmp_path: Path) -> None:
        page = rendered(chromium, tmp_path, viewer.render(labelled(ATTACKS, ATTACKS[0]), title=ATTACKS[1]))
        assert page.text("span", class_="text")[: len(ATTACKS)] == ATTACKS
        plain = rendered(chromium, tmp_path, viewer.render(labelled(["a"])))
        kinds = {tag for tag, _ in plain.elements} | {"path", "g", "mark"}
        assert {tag for tag, _ in page.elements} <= kinds
        assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
        assert isinstance(page, Page)


NAMES = ["..", ".", "../x", "a/../../x", "/tmp/x", "a/b", "", ".hidden", "a\0b", "a\nb", "~/x"]


class TestFolders:
    @pytest.mark.parametrize("name", NAMES)
    def test_names_that_become_files(self, name: str) -> None:
        with pytest.raises(Error, match="a name has letters, digits and"):
            Step(name, "", lambda table, _: table)
        with pytest.raises(Error, match="a name has letters, digits and"):
            Method(name, tagger="some/model")

    @pytest.mark.parametrize("name", NAMES)
    def test_names_of_documents(self, tmp_path: Path, name: str) -> None:
        folder = tmp_path / "in" / "out"
        folder.parent.mkdir()
        try:
            io.write_brat(table(id=[name], tokens=[["a"]], labels=[["B-X"]]), folder)
        except Error:
            assert name == "", "the empty one alone is none"
        else:
            assert len(list(folder.iterdir())) == 3
        assert [path.name for path in tmp_path.iterdir()] == ["in"]
        assert {path.name for path in folder.parent.iterdir()} <= {"out"}

    @pytest.mark.parametrize("kind", [Checkpoints, Workspace])
    def test_checkpoints_by_a_link(self, tmp_path: Path, kind: Any) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "precious").write_text("x")
        (tmp_path / ".out.parts").symlink_to(outside)
        (tmp_path / ".out.training").symlink_to(outside)
        with pytest.raises(Error, match="is a link, which may lead anywhere"):
            kind.open(tmp_path / "out", "key")
        assert [path.name for path in outside.iterdir()] == ["precious"]

    def test_links_within_checkpoints(self, tmp_path: Path) -> None:
        """What a folder of another run links to stays when the folder goes."""
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "precious").write_text("x")
        (tmp_path / ".out.parts").mkdir()
        (tmp_path / ".out.parts" / "link").symlink_to(outside)
        kept = Checkpoints.open(tmp_path / "out", "key")
        (kept.folder / "link").symlink_to(outside)
        kept.finish()
        assert (outside / "precious").read_text() == "x"

    @pytest.mark.needs("translate")
    @pytest.mark.parametrize("dtype", ["../../x", "/tmp/x", "..", "a/b"])
    def test_converted_models(self, tmp_path: Path, dtype: str) -> None:
        from xner.models.translators.conversion import convert_model

        with pytest.raises(Error, match="dtype="):
            convert_model("a/b", dtype, folder=tmp_path / "models")
        assert not list(tmp_path.iterdir())


class TestWriters:
    def test_the_name_aside_cannot_be_guessed(self, tmp_path: Path) -> None:
        names = set()
        for _ in range(3):
            with io.replacing(tmp_path / "a.txt") as file:
                (aside,) = [path for path in tmp_path.iterdir() if path.name != "a.txt"]
                names.add(aside.name)
                file.write(b"x")
        assert len(names) == 3
        assert all(re.fullmatch(r"\.a\.txt\.[0-9a-f]{12}\.tmp", name) for name in names)

    def test_a_link_in_the_place_aside_is_not_followed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("secrets.token_hex", lambda _: "known")
        (tmp_path / "precious").write_text("x")
        (tmp_path / ".a.txt.known.tmp").symlink_to(tmp_path / "precious")
        with pytest.raises(FileExistsError), io.replacing(tmp_path / "a.txt") as file:
            file.write(b"y")
        assert (tmp_path / "precious").read_text() == "x"

    def test_an_aligner_is_replaced_whole(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "a.safetensors"
        aligner = Aligner.fit([["a", "b"]] * 3, [["c", "d"]] * 3)
        aligner.save(path)
        before = path.read_bytes()

        def fail(*_: Any) -> None:
            raise OSError("disk full")

        monkeypatch.setattr(Path, "replace", fail)
        with pytest.raises(OSError, match="disk full"):
            aligner.save(path)
        assert path.read_bytes() == before
        assert [one.name for one in tmp_path.iterdir()] == ["a.safetensors"]

    def test_what_a_killed_process_left_goes(self, tmp_path: Path) -> None:
        left = tmp_path / ".a.txt.0123456789ab.tmp"
        others = [".b.txt.0123456789ab.tmp", ".a.txt.mine.tmp", "a.txt.0123456789ab.tmp"]
        for path in (left, *(tmp_path / name for name in others)):
            path.write_text("half")
        (tmp_path / ".a.txt.ba9876543210.tmp").symlink_to(tmp_path / others[0])
        with io.replacing(tmp_path / "a.txt") as file:
            file.write(b"x")
        assert not left.exists()
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*others, ".a.txt.ba9876543210.tmp", "a.txt"])

    def test_what_another_one_writes_just_now_stays(self, tmp_path: Path) -> None:
        with io.replacing(tmp_path / "a.txt") as first:
            first.write(b"first")
            with io.replacing(tmp_path / "a.txt") as second:
                second.write(b"second")
            assert (tmp_path / "a.txt").read_bytes() == b"second"
        assert (tmp_path / "a.txt").read_bytes() == b"first"
        assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]

    def test_nothing_else_opens_files_for_writing(self) -> None:
        """But for new folders of unpredictable names, and a lock and a log, which follow no link."""
        exempt = {"io/atomic.py", "io/annotation/brat.py", "cli/options/inputs.py", "pipelines/checkpoints.py"}
        exempt |= {"experiments/recipes/running.py"}
        writing = re.compile(r"open\((?:[^()]*, )?[\"'][rb]*[wax]|\.write_(?:text|bytes)\(|mktemp\(")
        found = {name for name, text, _ in sources() if writing.search(text)}
        assert found - {"_support/installation.py"} <= exempt  # whose process writes to its standard output


def sources() -> Iterator[tuple[str, str, ast.Module]]:
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        yield path.relative_to(PACKAGE).as_posix(), text, ast.parse(text)


FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml", "xml"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_ATTRIBUTES = {
    ("torch", "load"),
    ("yaml", "load"),
    ("os", "system"),
    ("os", "popen"),
    ("np", "load"),
    ("pd", "read_pickle"),
}
FORBIDDEN_VALUES = {
    "trust_remote_code": True,
    "shell": True,
    "verify": False,
    "allow_pickle": True,
    "weights_only": False,
}


def test_nothing_in_the_package_runs_what_it_reads() -> None:
    wrong = []
    for name, _, tree in sources():
        for node in ast.walk(tree):
            said = ""
            if isinstance(node, ast.Import):
                said = " ".join(one.name for one in node.names if one.name.partition(".")[0] in FORBIDDEN_MODULES)
            elif isinstance(node, ast.ImportFrom):
                said = (node.module or "") if (node.module or "").partition(".")[0] in FORBIDDEN_MODULES else ""
            elif isinstance(node, ast.Call):
                called = node.func
                if isinstance(called, ast.Name) and called.id in FORBIDDEN_CALLS:
                    said = called.id
                if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
                    said = called.attr if (called.value.id, called.attr) in FORBIDDEN_ATTRIBUTES else said
                for keyword in node.keywords:
                    value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
                    if keyword.arg in FORBIDDEN_VALUES and value is FORBIDDEN_VALUES[keyword.arg]:
                        said = f"{keyword.arg}={value}"
            elif isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                given = {
                    one.value: two.value
                    for one, two in pairs
                    if isinstance(one, ast.Constant) and isinstance(two, ast.Constant)
                }
                said = " ".join(str(key) for key, value in FORBIDDEN_VALUES.items() if given.get(key) is value)
            if said:
                wrong.append(f"{name}, line {getattr(node, 'lineno', 0)}: {said}")
    assert wrong == []


def test_terminals_obey_nothing_of_a_file(tmp_path: Path) -> None:
    escape = "\x1b]0;title\x07"
    (tmp_path / "a.conll").write_text(f"Rome{escape}\tB-LOC{escape}\nx\tI-PER x\n\n")
    shown = done(run_xner("inspect", "a.conll", cwd=tmp_path))
    assert r"LOC\x1b]0;title\x07" in shown.stdout
    (tmp_path / "a.jsonl").write_text(json.dumps({"tokens": ["a"], "labels": [f"B{escape}"]}) + "\n")
    refused = run_xner("evaluate", "--gold", "a.jsonl", "--predicted", "a.jsonl", cwd=tmp_path)
    assert refused.returncode == 1
    assert r"B\x1b]0;title\x07" in refused.stderr
    for text in (shown.stdout, refused.stderr):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
