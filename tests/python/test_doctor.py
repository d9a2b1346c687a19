"""What `xner doctor` says of an installation, and what `xner cache` shows and does away with."""

from __future__ import annotations

import importlib.util
import json
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from command_line import done, xner
from xner import _core
from xner._support import installation
from xner._support.folders import bytes_of, bytes_text, cache_folder, hub_folder
from xner._support.installation import Package, packages_of, try_imports
from xner._version import __version__
from xner.cli.commands import doctor
from xner.models.translators.cache import TranslationCache, content_key, default_cache_path

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules can be imported, by other processes too."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "sound_one.py").write_text("print('hello')")
    (folder / "broken_one.py").write_text("raise ImportError('libfoo.so.1: cannot open\\nmore')")
    (folder / "deadly_one.py").write_text("import os; os.kill(os.getpid(), 9)")
    (folder / "endless_one.py").write_text("import time; time.sleep(60)")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


def installed(monkeypatch: pytest.MonkeyPatch, *packages: Package) -> None:
    monkeypatch.setattr(doctor, "packages_of", lambda: {"": [], "words": list(packages)})


def doctors_json(*options: str, status: int = 0) -> Any:
    run = xner("doctor", "--json", *options)
    assert run.returncode == status, run.stderr
    return json.loads(run.stdout)


class TestPackages:
    def test_extras_are_those_of_the_metadata(self) -> None:
        found = packages_of()
        assert {"", "models", "exact", "words", "icu", "translate", "train", "spacy", "gliner"} <= set(found)
        assert not {"test", "bench", "dev", "all"} & set(found)
        assert {"numpy", "pyarrow", "click", "rich", "safetensors"} == {one.name for one in found[""]}
        assert {one.name for one in found["train"]} > {one.name for one in found["models"]} > {"torch"}

    def test_modules_are_named_right(self) -> None:
        for packages in packages_of().values():
            for one in packages:
                if one.version is not None:
                    assert importlib.util.find_spec(one.module), one
                    assert one.fits, one

    @pytest.mark.parametrize(
        ("wanted", "version", "fits"),
        [
            ("", "1", True),
            (">=2.0", "2", True),
            (">=2.0", "1.26.4", False),
            ("<0.2.3,>=0.2", "0.2.2", True),
            ("<0.2.3,>=0.2", "0.2.3", False),
            (">=2.6", "2.13.0+cpu", True),
            (">=2.6", None, False),
        ],
    )
    def test_versions(self, wanted: str, version: str | None, fits: bool) -> None:
        assert Package("a", "a", wanted, version).fits is fits

    def test_imports_are_tried_elsewhere(self, modules: Path) -> None:
        found = try_imports(["broken_one", "deadly_one", "sound_one", "no_such_one"])
        assert found["sound_one"].error is None
        assert found["broken_one"].error == "ImportError: libfoo.so.1: cannot open"
        assert found["deadly_one"].error == "importing it ended the process by signal 9"
        assert found["no_such_one"].error == "ModuleNotFoundError: No module named 'no_such_one'"

    @pytest.mark.slow
    def test_what_takes_too_long_is_broken(self, modules: Path) -> None:
        found = try_imports(["sound_one", "endless_one"], seconds=3)
        assert found["sound_one"].error is None
        assert found["endless_one"].error == "importing it took longer than 3 seconds"

    def test_the_folder_of_work_has_no_libraries(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "planted_one.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
        assert "No module named" in str(try_imports(["planted_one"])["planted_one"].error)
        assert not (tmp_path / "ran").exists()


class TestDoctor:
    def test_what_is_there(self, modules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        installed(monkeypatch, Package("sound-one", "sound_one", ">=1", "1.2"), Package("absent", "absent", "", None))
        found = doctors_json()
        assert found["xner"]["version"] == found["xner"]["core"] == __version__
        assert found["xner"]["instruction_sets"] == _core.simd_levels()
        assert found["extras"]["words"] == {
            "packages": {"sound-one": "1.2", "absent": None},
            "missing": ["absent"],
            "install": "pip install 'xner[words]'",
        }
        assert found["broken"] == {}
        assert found["memory_available"] > 0
        assert found["devices"] == {"cpu_cores": os.cpu_count(), "cuda": None}
        assert found["encoding"]["output"] == "utf-8"
        text = done(xner("doctor")).stdout
        assert "words         sound-one 1.2, absent (missing)\n              pip install 'xner[words]'" in text

    def test_what_is_broken_is_an_error(self, modules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        installed(monkeypatch, Package("broken", "broken_one", "", "1"), Package("sound", "sound_one", ">=3", "2.9"))
        expected = {"broken": "ImportError: libfoo.so.1: cannot open", "sound": "is 2.9, and >=3 is needed"}
        assert doctors_json(status=1)["broken"] == expected
        run = xner("doctor")
        assert run.returncode == 1
        assert "broken:\n  broken: ImportError: libfoo.so.1: cannot open\n" in run.stdout
        quick = doctors_json("--quick", status=1)
        assert list(quick["broken"]) == ["sound"]
        assert quick["imported"] is False

    def test_an_instruction_set_that_there_is_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        installed(monkeypatch)
        monkeypatch.setenv("XNER_SIMD", "sse9")
        levels = ", ".join(_core.simd_levels())
        assert doctors_json("--quick", status=1)["broken"] == {"XNER_SIMD": f"is 'sse9', and this CPU has {levels}"}

    def test_what_is_missing_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        installed(monkeypatch, Package("absent", "absent", "", None))
        assert doctors_json()["broken"] == {}

    def test_a_file_that_is_no_cache_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        default_cache_path().parent.mkdir()
        default_cache_path().write_text("no database")
        assert "file is not a database" in doctors_json("--quick")["caches"]["error"]

    def test_version(self) -> None:
        level = installation.instruction_set()
        assert done(xner("--version")).stdout.startswith(
            f"xner, version {__version__} (core {__version__}, {level} of "
        )


def test_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    assert (cache_folder(), hub_folder()) == (Path("/c/xner"), Path("/c/huggingface/hub"))
    monkeypatch.setenv("HF_HOME", "/h")
    assert hub_folder() == Path("/h/hub")
    monkeypatch.setenv("HF_HUB_CACHE", "/hub")
    assert hub_folder() == Path("/hub")
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert (bytes_of(tmp_path), bytes_of(tmp_path / "b"), bytes_of(tmp_path / "none")) == (3, 0, 0)
    assert [bytes_text(size) for size in (12, 1500, 2_000_000, 3_210_000_000)] == ["12 B", "1.5 kB", "2.0 MB", "3.2 GB"]


class TestCache:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A folder of caches with two translations, a score, a converted model and one of the hub."""
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        with TranslationCache(default_cache_path()) as cache:
            cache.put({content_key("a"): "eins", content_key("b"): "zwei", content_key("c"): -0.5})
        model = default_cache_path().parent / "ctranslate2" / "abc-int8"
        model.mkdir(parents=True)
        (model / "model.bin").write_bytes(b"0" * 2000)
        hub = tmp_path / "cache" / "huggingface" / "hub" / "models--a"
        hub.mkdir(parents=True)
        (hub / "model.safetensors").write_bytes(b"1")
        return tmp_path

    def entries(self) -> dict[str, int]:
        kinds = json.loads(done(xner("cache", "list", "--json")).stdout)["kinds"]
        return {kind: one["entries"] for kind, one in kinds.items()}

    def test_list(self) -> None:
        assert self.entries() == {"translations": 2, "scores": 1, "models": 1}
        text = done(xner("cache", "list")).stdout
        assert "models              1  2.0 kB" in text
        assert str(cache_folder()) in text

    @pytest.mark.parametrize(
        ("options", "left"),
        [
            ((), [0, 0, 0]),
            (("--which", "translations"), [0, 1, 1]),
            (("--which", "scores", "--which", "models"), [2, 0, 0]),
        ],
    )
    def test_clear(self, folder: Path, options: Sequence[str], left: list[int]) -> None:
        done(xner("cache", "clear", "--yes", *options))
        assert list(self.entries().values()) == left
        assert (folder / "cache/huggingface/hub/models--a/model.safetensors").is_file()
        assert "nothing is kept of" in done(xner("cache", "clear", "--yes", *options)).stderr
        with TranslationCache(default_cache_path()) as cache:  # which can still be used
            cache.put({content_key("d"): "vier"})

    def test_it_asks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        run = xner("cache", "clear")  # with no answer
        assert run.returncode != 0
        assert "delete 2 translations (" in run.stderr
        assert self.entries() == {"translations": 2, "scores": 1, "models": 1}

    def test_links_are_not_followed(self, folder: Path) -> None:
        outside = folder / "outside"
        outside.mkdir()
        (outside / "precious").write_text("x")
        models = default_cache_path().parent / "ctranslate2"
        (models / "link").symlink_to(outside)
        (models / "abc-int8" / "link").symlink_to(outside)
        (models / "abc-int8" / "file").symlink_to(outside / "precious")
        done(xner("cache", "clear", "--yes"))
        assert not list(models.iterdir())
        assert (outside / "precious").read_text() == "x"

    def test_a_folder_or_file_that_is_a_link_is_left_alone(self, folder: Path) -> None:
        outside = folder / "outside"
        (default_cache_path().parent / "ctranslate2").rename(outside)
        (default_cache_path().parent / "ctranslate2").symlink_to(outside)
        other = folder / "other.sqlite"
        default_cache_path().rename(other)
        default_cache_path().symlink_to(other)
        assert "nothing is kept of" in done(xner("cache", "clear", "--yes")).stderr
        assert (outside / "abc-int8" / "model.bin").is_file()
        connection = sqlite3.connect(other)
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (3,)
        connection.close()

    def test_a_file_that_is_no_cache_is_named(self) -> None:
        default_cache_path().write_text("no database")
        run = xner("cache", "clear", "--yes")
        assert run.returncode == 1
        assert f"cannot use '{default_cache_path()}' as a cache: file is not a database" in run.stderr
