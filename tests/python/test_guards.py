"""What commands refuse before they begin: to overwrite what is not theirs, options that are given twice. Streams."""

from __future__ import annotations

import gzip
import os
import shlex
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from command_line import Run, done, started, xner
from xner.pipelines.projection_run import Run as PipelineRun

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE, TARGET, LABELLED = "Anna\tB-PER\ncame\tO\n", "Anna kam\n", "Anna\tB-PER\nkam\tO\n\n"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "en.conll").write_text(SOURCE)
    (tmp_path / "de.txt").write_text(TARGET)
    (tmp_path / "de.conll").write_text("Anna\tB-PER\nkam\tB-X\n")
    return tmp_path


def project(files: Path, *options: str, source: str = "en.conll", target: str = "de.txt") -> Run:
    return xner("project", "--source", source, "--target", target, *options, cwd=files)


def refused(run: Run, message: str) -> None:
    assert run.returncode == 2
    assert message in " ".join(run.stderr.split())


class TestOverwriting:
    def test_two_outputs_are_two_files(self, files: Path) -> None:
        run = project(files, "-o", "o.parquet", "--save-aligner", "./o.parquet")
        refused(run, "--save-aligner o.parquet: this is the file of --output as well; give each its own")
        command = ("pair", "en.conll", "de.conll", "--on", "text", "-o", "p.jsonl", "--alone")
        refused(xner(*command, "p.jsonl", cwd=files), "--alone p.jsonl: this is the file of --output as well")
        done(xner(*command[:-1], "--alone", "q.jsonl", cwd=files))

    def test_an_input_stays(self, files: Path) -> None:
        gold = (files / "de.conll").read_bytes()
        run = project(files, "-o", "de.conll", target="de.conll")
        refused(run, "--output de.conll: this file is --target as well; --overwrite replaces it")
        refused(project(files, "-o", "./en.conll"), "this file is --source as well")
        assert (files / "de.conll").read_bytes() == gold
        done(project(files, "-o", "de.conll", "--overwrite", target="de.conll"))
        assert (files / "de.conll").read_text() == LABELLED

    def test_what_the_command_made_is_made_anew(self, files: Path) -> None:
        for _ in range(2):
            done(project(files, "-o", "o.conll"))
        done(project(files, "-o", "o.conll", "--method", "heuristic"))
        corrected = (files / "o.conll").read_text().replace("O", "B-LOC")
        (files / "o.conll").write_text(corrected)
        run = project(files, "-o", "o.conll")
        refused(run, "there is such a file, which `xner project` has not made or which was changed since")
        assert (files / "o.conll").read_text() == corrected
        done(project(files, "-o", "o.conll", "--overwrite"))
        done(project(files, "-o", "o.conll"))

    def test_a_second_run_when_the_first_has_but_to_end(self, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The first one notes nothing of a file that is the second one's by now."""
        command = ("project", "--source", "en.conll", "--target", "de.txt", "-o", "o.conll")
        lines = PipelineRun.lines

        def overtaken(self: PipelineRun) -> Iterator[str]:
            done(started(*command, cwd=files))
            return lines(self)

        with monkeypatch.context() as patch:
            patch.setattr(PipelineRun, "lines", overtaken)
            done(xner(*command, cwd=files))
        done(xner(*command, cwd=files))

    def test_however_the_command_is_started(self, files: Path) -> None:
        done(started("project", "--source", "en.conll", "--target", "de.txt", "-o", "o.conll", cwd=files))
        done(project(files, "-o", "o.conll"))

    def test_another_commands_file_stays(self, files: Path) -> None:
        done(project(files, "-o", "o.parquet"))
        run = xner("filter", "en.conll", "--filter", "one-word", "-o", "o.parquet", cwd=files)
        refused(run, "which `xner filter` has not made")

    def test_what_is_handed_to_people_replaces_nothing(self, files: Path) -> None:
        done(project(files, "-o", "o.jsonl"))
        run = xner("export", "o.jsonl", "--to", "doccano", "-o", "o.jsonl", cwd=files)
        refused(run, "--output o.jsonl: this file is TABLE as well")
        (files / "mine.json").write_text("x")
        refused(xner("export", "o.jsonl", "--to", "doccano", "-o", "mine.json", cwd=files), "--overwrite replaces it")
        done(xner("export", "o.jsonl", "--to", "doccano", "-o", "mine.json", "--overwrite", cwd=files))
        done(xner("export", "o.jsonl", "--to", "brat", "-o", "folder", cwd=files))

    @pytest.mark.parametrize("moved", [False, True])
    def test_what_a_killed_command_made_is_its_own(
        self, files: Path, monkeypatch: pytest.MonkeyPatch, *, moved: bool
    ) -> None:
        """Whether it was killed right before or right after the output came into its place."""
        done(project(files, "-o", "o.conll"))
        old = (files / "o.conll").read_bytes()
        with monkeypatch.context() as patch:
            replace = Path.replace

            def killed(self: Path, target: Path) -> Path:
                if target.name != "o.conll":
                    return replace(self, target)
                if moved:
                    replace(self, target)
                raise KeyboardInterrupt

            patch.setattr(Path, "replace", killed)
            assert project(files, "--method", "heuristic", "--on-error", "skip", "-o", "o.conll").returncode == 130
        assert moved or (files / "o.conll").read_bytes() == old
        done(project(files, "-o", "o.conll"))
        (files / "o.conll").write_bytes(old + b"\n")
        refused(project(files, "-o", "o.conll"), "which was changed since")

    def test_without_a_place_for_notes_it_asks(self, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (files / "file").write_text("")
        monkeypatch.setenv("XDG_CACHE_HOME", str(files / "file"))
        done(project(files, "-o", "o.conll"))
        refused(project(files, "-o", "o.conll"), "--overwrite replaces it")


def test_an_option_that_takes_one_value_is_given_once(files: Path) -> None:
    run = project(files, "--target", "de.conll", "-o", "o.conll")
    refused(run, "--target is given 2 times, and takes one value")
    assert not (files / "o.conll").exists()
    done(project(files, "--filter", "one-word", "--filter", "class-counts", "-o", "o.conll"))


class TestStreams:
    def command(self, *options: str) -> list[str]:
        return [sys.executable, "-m", "xner", "project", *options]

    def test_standard_input_and_output(self, files: Path) -> None:
        command = self.command("--source", "-", "--target", "de.txt", "-o", "-", "--format", "conll")
        run = subprocess.run(command, input=SOURCE, capture_output=True, text=True, cwd=files, check=True)
        assert run.stdout == LABELLED
        assert not (files / "-").exists()

    def test_a_table_from_standard_input(self, files: Path) -> None:
        done(project(files, "-o", "o.parquet"))
        table = (files / "o.parquet").read_bytes()
        command = [sys.executable, "-m", "xner", "filter", "-", "--filter", "one-word", "-o", "-", "--format", "jsonl"]
        run = subprocess.run(command, input=table, capture_output=True, cwd=files, check=True)
        assert b'"labels": ["B-PER", "O"]' in run.stdout

    def test_streams_have_no_names(self, files: Path) -> None:
        refused(project(files, "-o", "-"), "--output -: give --format, as standard output has no name that tells it")
        command = self.command("--source", "-", "--target", "-", "-o", "o.conll")
        run = subprocess.run(command, input=SOURCE, capture_output=True, text=True, cwd=files, check=False)
        refused(run, "standard input can be read once")
        pairs = xner("pair", "en.conll", "en.conll", "--on", "text", "-o", "-", cwd=files)
        assert '"source_tokens": ["Anna", "came"]' in done(pairs).stdout

    def test_a_reader_that_has_seen_enough(self, files: Path) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        command = self.command("--source", "en.conll", "--target", "de.txt", "-o", "-", "--format", "conll")
        run = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, cwd=files, check=False)
        assert run.returncode == 141
        assert run.stderr == "en.conll: IOB2: PER\n"
        run = subprocess.run([*command[:3], "--help"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
        os.close(writing)
        assert (run.returncode, run.stderr) == (141, "")

    @pytest.mark.slow
    def test_standard_output_that_takes_nothing(self, files: Path) -> None:
        options = ("--source", "en.conll", "--target", "de.txt", "-o", "-", "--format", "conll")
        command = shlex.join(self.command(*options))
        full, closed = (
            subprocess.run(f"{command} {to}", shell=True, capture_output=True, text=True, cwd=files, check=False)
            for to in (">/dev/full", ">&-")
        )
        assert full.returncode == 1
        assert full.stderr.endswith("xner: cannot use the file '-': No space left on device\n")
        assert "written to" not in full.stderr
        refused(closed, "'--output' / '-o': standard output is closed")

    def test_two_outputs_on_one_stream(self, files: Path) -> None:
        run = project(files, "-o", "-", "--format", "conll", "--save-aligner", "-")
        refused(run, "--save-aligner -: this is the file of --output as well; give each its own")

    def test_what_has_a_format_of_its_own(self, files: Path) -> None:
        done(project(files, "-o", "o.parquet"))
        export = ("export", "o.parquet", "--to")
        assert '"text": "Anna kam"' in done(xner(*export, "doccano", "-o", "-", cwd=files)).stdout
        refused(xner(*export, "brat", "-o", "-", cwd=files), "--output -: brat takes a folder")
        page = ("view", "o.parquet", "--format", "parquet", "-o", "-")
        assert done(xner(*page, cwd=files)).stdout.startswith("<!doctype html>")

    @pytest.mark.slow
    def test_messages_have_the_names_that_were_given(self, files: Path) -> None:
        command = self.command("--source", "-", "--target", "de.txt", "-o", "-", "--format", "conll")
        run = subprocess.run(command, input=SOURCE, capture_output=True, text=True, cwd=files, check=True)
        assert run.stdout == LABELLED
        assert run.stderr.startswith("-: IOB2: PER\n")
        assert "\nwritten to -\n" in run.stderr
        assert "standard-" not in run.stderr
        wrong = SOURCE.replace("B-PER", "HUH").replace("\tO", "\tB-X", 1)
        run = subprocess.run(command, input=wrong, capture_output=True, text=True, cwd=files, check=False)
        assert run.returncode == 1
        assert "line 1 of '-': no label" in run.stderr
        assert "standard-" not in run.stderr
        run = subprocess.run(
            [sys.executable, "-m", "xner", "pair", "-", "de.conll", "--on", "text", "-o", "p.jsonl", "--alone", "-"],
            input=SOURCE,
            capture_output=True,
            text=True,
            cwd=files,
            check=True,
        )
        assert '"file": "-"' in run.stdout
        assert "-: 1 rows without a partner: 0" in run.stderr

    def test_a_pipe_of_packed_text(self, files: Path) -> None:
        os.mkfifo(files / "f.conll.gz")
        packed = gzip.compress(SOURCE.encode())
        writer = threading.Thread(target=(files / "f.conll.gz").write_bytes, args=[packed])
        writer.start()
        shown = done(xner("inspect", "f.conll.gz", cwd=files)).stdout
        writer.join()
        assert "f.conll.gz: conll" in shown
        assert "1 sentences, 2 words" in shown

    def test_a_pipe_with_a_name_is_read_once(self, files: Path) -> None:
        os.mkfifo(files / "pipe")
        writer = threading.Thread(target=(files / "pipe").write_text, args=[SOURCE])
        writer.start()
        command = self.command("--source", "pipe", "--target", "de.txt", "-o", "o.conll")
        subprocess.run(command, capture_output=True, cwd=files, check=True, timeout=60)
        writer.join()
        assert (files / "o.conll").read_text() == LABELLED
        writer = threading.Thread(target=(files / "pipe").write_text, args=["Anna\tHUH\ncame\tB-X\n"])
        writer.start()
        run = subprocess.run(command, capture_output=True, text=True, cwd=files, check=False, timeout=60)
        writer.join()
        assert "line 1 of 'pipe': no label" in run.stderr


class TestWithoutEffect:
    """What would change nothing is an error."""

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--comment", "%"), "--comment says nothing of files of the format jsonl and text"),
            (("--empty-token", "_"), "--empty-token says nothing of files of the format jsonl and text"),
            (("--strip-prefix",), "--strip-prefix says nothing of files of the format jsonl and text"),
            (("--source-language", "xx"), "--source-language goes with --translate-to, or with an aligner"),
            (("--target-language", "de"), "--target-language goes with --translate-to, or with an aligner"),
            (("-n", "0"), "--n=0 with --constraint '<=': no entity could be projected"),
            (("-n", "1", "--constraint", "<"), "--n=1 with --constraint '<': no entity could be projected; n is"),
        ],
    )
    def test_of_projection(self, files: Path, options: tuple[str, ...], message: str) -> None:
        (files / "en.jsonl").write_text('{"tokens":["Anna","came"],"entities":[[0,1,"PER"]]}\n')
        refused(project(files, "-o", "o.conll", *options, source="en.jsonl"), message)

    def test_what_may_have_an_effect(self, files: Path) -> None:
        done(project(files, "-o", "a.conll", "-n", "0", "--constraint", ">="))
        done(project(files, "-o", "b.conll", "--comment", "%", "--label-column", "1"))
        (files / "numbers.conll").write_text("Anna\t1\nkam\t0\n")
        done(xner("view", "numbers.conll", "--class-names", "O,B-PER", "-o", "c.html", cwd=files))
        numbers = ("evaluate", "--gold", "numbers.conll", "--predicted", "texts.jsonl", "--bootstrap", "0")
        (files / "texts.jsonl").write_text('{"tokens":["Anna","kam"],"labels":["B-PER","O"]}\n')
        assert "1.0" in done(xner(*numbers, "--class-names", "O,B-PER", cwd=files)).stdout

    @pytest.mark.parametrize("labels", ['"labels":["B-PER","O"]', '"entities":[[0,1,"PER"]]'])
    def test_of_names_of_numbers(self, files: Path, labels: str) -> None:
        (files / "a.jsonl").write_text('{"tokens":["Anna","kam"],' + labels + "}\n")
        (files / "a.conll").write_text("Anna\tB-PER\nkam\tO\n")
        for name in ("a.jsonl", "a.conll"):
            run = xner("view", name, "--class-names", "O,B-PER", "-o", "d.html", cwd=files)
            refused(run, f"--class-names is of labels that are numbers; there are none in '{name}'")

    def test_of_names_of_numbers_in_several_files_and_columns(self, files: Path) -> None:
        for folder, tags in (("texts", ("B-PER", "O")), ("numbers", ("1", "0"))):
            (files / folder).mkdir()
            for name, last in (("a", tags), ("b", ("B-PER", "O"))):
                (files / folder / f"{name}.conll").write_text(f"Anna\t{last[0]}\tB-PER\nkam\t{last[1]}\tO\n")
        (files / "links.pharaoh").write_text("0-0 1-1\n")
        names = ("--class-names", "O,B-PER")
        reason = "--class-names is of labels that are numbers; there are none in 'texts/a.conll', 'texts/b.conll'"
        for place in ("texts", "texts/*.conll"):
            sides = ("--source", place, "--target", place, "--label-column", "1", "--token-column", "0")
            refused(xner("project", *sides, *names, "-o", "out", "--dry-run", cwd=files), reason)
        sides = ("--source", "numbers", "--target", "texts", "--label-column", "1", "--token-column", "0")
        message = "for --class-names the corpus has to be in one file"  # as some of these labels are numbers
        refused(xner("project", *sides, *names, "-o", "out", "--dry-run", cwd=files), message)
        score = ("evaluate", "--predicted", "numbers/a.conll", "--bootstrap", "0", "--token-column", "0", *names)
        done(xner(*score, "--gold-column", "1", "--predicted-column", "2", cwd=files))
        done(xner(*score, "--gold-column", "2", "--predicted-column", "1", cwd=files))
        message = "there are none in 'numbers/a.conll'"
        refused(xner(*score, "--gold-column", "2", "--predicted-column", "2", cwd=files), message)
        gold = ("--gold", "numbers/a.conll", "--gold-column")
        done(xner(*score, *gold, "1", cwd=files))
        refused(xner(*score, *gold, "2", cwd=files), message)
        comment = ("--source", "texts/*.jsonl", "--comment", "%")
        (files / "texts" / "a.jsonl").write_text('{"tokens":["a"],"labels":["O"]}\n')
        message = "--comment says nothing of files of the format jsonl and text"
        refused(xner("project", *comment, "--target", "de.txt", "-o", "out", cwd=files), message)

    def test_of_other_commands(self, files: Path) -> None:
        of_columns = ("view", "de.conll", "-o", "o.html")
        message = "--labels-from says nothing of files of the format conll"
        refused(xner(*of_columns, "--labels-from", "labels", cwd=files), message)
        message = "--token-column says nothing of files of the format text"
        refused(xner("inspect", "de.txt", "--token-column", "0", cwd=files), message)
        align = ("align", "--source", "en.conll", "--target", "de.txt", "-o", "o.pharaoh")
        message = "--source-language goes with an aligner that is an encoder"
        refused(xner(*align, "--source-language", "en", cwd=files), message)

    def test_a_corpus_is_no_list_of_names(self, files: Path) -> None:
        run = xner("shift", "en.conll", "--kind", "entities", "--names", "de.conll", "-o", "o.conll", cwd=files)
        assert "'de.conll' has words and labels (Anna B-PER), where each line has a class and a name" in run.stderr


class TestPlacesToWrite:
    def test_standard_output_by_its_names(self, files: Path) -> None:
        for name in ("/dev/stdout", "/dev/fd/1"):
            refused(
                project(files, "-o", name), "--output -: give --format, as standard output has no name that tells it"
            )
            assert done(project(files, "-o", name, "--format", "conll")).stdout == LABELLED

    def test_a_pipe(self, files: Path) -> None:
        os.mkfifo(files / "pipe")
        refused(project(files, "-o", "pipe"), "--output pipe: give --format, as a pipe has no name that tells it")
        found: list[str] = []
        reader = threading.Thread(target=lambda: found.append((files / "pipe").read_text()))
        reader.start()
        assert "written to pipe" in done(project(files, "-o", "pipe", "--format", "conll")).stderr
        reader.join(10)
        assert found == [LABELLED]

    def test_no_name(self, files: Path) -> None:
        refused(project(files, "-o", ""), "expected the name of a file")
