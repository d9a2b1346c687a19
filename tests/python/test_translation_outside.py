"""Translators that are programs and services."""

from __future__ import annotations

import json
import logging
import shlex
import shutil
import sys
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from command_line import done, xner
from xner import io
from xner.errors import Error, OptionError
from xner.models import load_translator
from xner.models.translators import chat
from xner.models.translators.catalogue import takes_options_of
from xner.models.translators.chat import ChatTranslator, check_base_url
from xner.models.translators.command import CommandTranslator
from xner.pipelines.projection_run import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LANGUAGES = "eng_Latn", "spa_Latn"
KEY = "sk-not-to-be-seen"


class Program(Protocol):
    """Makes a command of Python's lines, which have the lines that they read as `lines`."""

    def __call__(self, body: str, arguments: str = "") -> str: ...


@pytest.fixture
def program(tmp_path: Path) -> Program:
    def make(body: str, arguments: str = "") -> str:
        path = tmp_path / "program.py"
        begin = f"import os, sys, time\nstarts = open({str(tmp_path / 'starts')!r}, 'a+')\nstarts.write('x')\n"
        path.write_text(f"{begin}starts.flush()\nlines = sys.stdin.read().split('\\n')[:-1]\n{body}\n")
        return f"{shlex.quote(sys.executable)} {shlex.quote(str(path))} {arguments}".strip()

    return make


def starts(folder: Path) -> int:
    path = folder / "starts"
    return len(path.read_text()) if path.exists() else 0


UPPER = "print(*[line.upper() for line in lines], sep='\\n')"


def test_lines_in_lines_out(program: Program, tmp_path: Path) -> None:
    translator = load_translator(f"command:{program(UPPER)}", engine="auto", lazily=True)
    texts = ["one two", "", "a\nb\r\nc", "one two", "  ", "élan\u00a0vital", "same words as IT was"]
    found = translator.translate(texts, *LANGUAGES)
    assert [one.text for one in found] == ["ONE TWO", "", "A B C", "ONE TWO", "", "ÉLAN\u00a0VITAL", texts[-1].upper()]
    statuses = ["ok", "empty_source", "ok", "ok", "empty_source", "ok", "copied"]
    assert [one.status for one in found] == statuses
    assert starts(tmp_path) == 1
    assert translator.identity == f"command:{program(UPPER)}"
    assert translator.identity in translator.signature


def test_nothing_to_translate_starts_nothing(tmp_path: Path, program: Program) -> None:
    assert [one.status for one in CommandTranslator(program(UPPER)).translate(["", " "], *LANGUAGES)] == [
        "empty_source"
    ] * 2
    assert starts(tmp_path) == 0


def test_many_texts_go_in_batches(program: Program, tmp_path: Path) -> None:
    reported: list[tuple[int, int]] = []
    texts = [f"text {number}" for number in range(2_500)]
    found = CommandTranslator(program(UPPER)).translate(
        texts, *LANGUAGES, progress=lambda _, n, total: reported.append((n, total))
    )
    assert [one.text for one in found] == [text.upper() for text in texts]
    assert starts(tmp_path) == 3
    assert reported == [(1_000, 2_500), (2_000, 2_500), (2_500, 2_500)]


def test_what_is_kept_is_not_asked_again(program: Program, tmp_path: Path) -> None:
    translator, cache = CommandTranslator(program(UPPER)), tmp_path / "cache.sqlite"
    first = translator.translate(["a b", "c"], *LANGUAGES, cache=cache)
    assert translator.translate(["c", "a b"], *LANGUAGES, cache=cache) == first[::-1]
    assert starts(tmp_path) == 1
    translator.translate(["c", "d"], "eng_Latn", "deu_Latn", cache=cache)
    CommandTranslator(program(UPPER, "--other")).translate(["c"], *LANGUAGES, cache=cache)
    assert starts(tmp_path) == 3


@pytest.mark.parametrize(
    ("places", "languages", "filled"),
    [
        ("{source}-{target}", LANGUAGES, ["eng_Latn-spa_Latn"]),
        ("{source3} '{target3} x' {other}", LANGUAGES, ["eng", "spa x", "{other}"]),
        ("{source2}/{target2}", ("eng_Latn", "ace_Latn"), ["en/ace"]),
        ("{target}", ("en", "a; b $HOME"), ["a; b $HOME"]),
        ("'|' $HOME ;", LANGUAGES, ["|", "$HOME", ";"]),
    ],
)
def test_places_of_languages(program: Program, places: str, languages: tuple[str, str], filled: list[str]) -> None:
    command = program("import json\nprint(json.dumps(sys.argv[1:]))", places)
    (found,) = CommandTranslator(command).translate(["a"], *languages)
    assert json.loads(found.text) == filled


CRASH_ONCE = f"starts.seek(0)\nif len(starts.read()) == 1: sys.exit('out of luck')\n{UPPER}"


def test_a_crash_is_tried_again_once(program: Program, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert CommandTranslator(program(CRASH_ONCE)).translate(["a"], *LANGUAGES)[0].text == "A"
    assert "ended with status 1 on 1 lines, and said 'out of luck'; it is started again" in caplog.text
    assert starts(tmp_path) == 2


@pytest.mark.parametrize(
    ("body", "message", "started"),
    [
        (
            "sys.exit('first\\nthe last line\\n\\n')",
            "status 1 on 2 lines, and said 'the last line'.*started 2 times",
            2,
        ),
        ("os.kill(os.getpid(), 9)", "the command .*program.py.* was ended by signal 9 on 2 lines", 2),
        ("print('a')\nprint('why', file=sys.stderr)", "gave 1 lines for 2, and said 'why': it has to write one", 1),
        ("print('a\\nb\\nc')", "gave 3 lines for 2: it has to write one line for each", 1),
        ("pass", "gave 0 lines for 2", 1),
        ("sys.stdout.buffer.write(b'a\\xff\\nb\\n')", "gave what is not UTF-8, at byte 1: set its encoding", 1),
    ],
)
def test_what_goes_wrong(program: Program, tmp_path: Path, body: str, message: str, started: int) -> None:
    with pytest.raises(Error, match=message):
        CommandTranslator(program(body)).translate(["a", "b"], *LANGUAGES)
    assert starts(tmp_path) == started


def test_what_takes_too_long_is_ended_with_all_that_it_started(program: Program, tmp_path: Path) -> None:
    body = "import subprocess\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    with pytest.raises(Error, match="took longer than 1 seconds for 1 lines; a longer timeout"):
        load_translator(f"command:{program(body)}", timeout=1.0).translate(["a"], *LANGUAGES)
    assert starts(tmp_path) == 1


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "names no program"),
        ("  ", "names no program"),
        ("a 'b", 'command "a \'b": no closing quotation: close the quote'),
    ],
)
def test_commands_that_are_none(command: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        CommandTranslator(command)


def test_programs_that_there_are_not(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"cannot start 'no-such-program' .*: there is no such program; install it"):
        CommandTranslator("no-such-program -x").translate(["a"], *LANGUAGES)
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="Permission denied"):
        CommandTranslator(str(tmp_path / "file")).translate(["a"], *LANGUAGES)
    with pytest.raises(OptionError, match="timeout=0: expected a number of seconds above 0"):
        CommandTranslator("cat", 0)


def test_apertiums_marks_are_told(program: Program, caplog: pytest.LogCaptureFixture) -> None:
    texts = ["one", "two words", "#tag", "mail a@b", "5*3"]
    body = "print(*['*one', '[*two] *words @x', '#tag', 'mail a@b', '5*3'], sep='\\n')"
    CommandTranslator(program(body)).translate(texts, *LANGUAGES)
    assert "3 words carry Apertium's mark of unknown words '*'; `apertium -u` leaves it out" in caplog.text
    assert "1 word carries Apertium's mark of words without a translation '@'" in caplog.text
    assert "'#'" not in caplog.text


@pytest.mark.skipif(shutil.which("apertium") is None, reason="the program apertium is not installed")
def test_apertium() -> None:
    texts = ["Angela Merkel visited Madrid.", "The house is big.", ""]
    found = load_translator("command:apertium -u {source3}-{target3}").translate(texts, *LANGUAGES)
    assert [one.status for one in found] == ["ok", "ok", "empty_source"]
    assert "Madrid" in found[0].text
    assert "casa" in found[1].text


class Service(ThreadingHTTPServer):
    """An endpoint of the chat interface that answers in capitals; `failures` are answered first, each once."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.failures: list[tuple[int, dict[str, str], bytes]] = []
        self.answer: bytes | None = None
        self.finish = "stop"
        self.lock = threading.Lock()

    def handle_error(self, *_: Any) -> None:
        """Keep quiet of clients that have gone."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.asked.append((self.path, dict(self.headers), body))
            failure = self.server.failures.pop(0) if self.server.failures else None
        status, headers, content = failure or (200, {}, self.server.answer or self._answer(body))
        if status == 0:  # breaks off
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, body: dict[str, Any]) -> bytes:
        text = body["messages"][0]["content"].partition("\n\n")[2].upper()
        choice = {"message": {"role": "assistant", "content": f" {text}\n"}, "finish_reason": self.server.finish}
        usage = {"prompt_tokens": 10, "completion_tokens": 3}
        return json.dumps({"choices": [choice], "usage": usage}).encode()

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(chat, "_FIRST_WAIT", 0.001)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(service: Service, *texts: str, **options: Any) -> list[tuple[str, str]]:
    translator = load_translator("openai:some-model", base_url=service.url, **options)
    return [(one.text, one.status) for one in translator.translate(texts, *LANGUAGES)]


def test_a_service(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="xner")
    found = ask(service, "one two", "", "a\nb", "one two", engine="auto")
    assert found == [("ONE TWO", "ok"), ("", "empty_source"), ("A\nB", "ok"), ("ONE TWO", "ok")]
    assert len(service.asked) == 2
    path, headers, body = service.asked[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert body["model"] == "some-model"
    assert body["temperature"] == 0
    (message,) = body["messages"]
    assert message["role"] == "user"
    assert message["content"].startswith("Translate the following text from English to Spanish. Answer with the trans")
    assert (
        f"openai:some-model at {service.url}: 20 prompt tokens and 6 completion tokens; so far 20 and 6" in caplog.text
    )
    assert KEY not in caplog.text


def test_answers_that_a_limit_ended_are_cut(service: Service) -> None:
    service.finish = "length"
    assert ask(service, "one") == [("ONE", "cut")]


def test_answers_are_kept_without_the_key(service: Service, tmp_path: Path) -> None:
    cache = tmp_path / "cache.sqlite"
    translator = load_translator("openai:m", base_url=f"{service.url}/")
    texts = [f"text {number}" for number in range(20)]
    first = translator.translate(texts, *LANGUAGES, cache=cache)
    assert translator.translate(texts[::-1], *LANGUAGES, cache=cache) == first[::-1]
    assert len(service.asked) == 20
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert KEY.encode() not in kept
    assert KEY not in f"{translator.identity}{translator.signature}{translator!r}"
    assert service.url in translator.identity
    assert service.url in translator.signature
    assert translator.identity != load_translator("openai:m").identity


def test_what_passes_is_tried_again(service: Service) -> None:
    service.failures = [
        (429, {"Retry-After": "0"}, b"slow down"),
        (503, {"Retry-After": formatdate(usegmt=True)}, b""),
        (500, {}, b"{}"),
        (0, {}, b""),
        (429, {"Retry-After": "what"}, b""),
    ]
    assert ask(service, "one") == [("ONE", "ok")]
    assert len(service.asked) == 6


def test_waits_as_long_as_the_service_asks(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float | None] = []

    class Hasty(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout)
            return False

    monkeypatch.setattr(chat, "Event", Hasty)
    service.failures = [(429, {"Retry-After": "7"}, b""), (500, {}, b""), (500, {}, b"")]
    ask(service, "one")
    assert waited == [7.0, 0.002, 0.004]


@pytest.mark.parametrize(
    ("failures", "message", "asked"),
    [
        (
            6 * [(503, {}, b"busy\nnow")],
            r"chat/completions answered 503 Service Unavailable: busy now. Tried 6 times",
            6,
        ),
        ([(429, {"Retry-After": "86400"}, b"tomorrow")], "answered 429 .*: tomorrow. Tried 1 times", 1),
        (
            [(429, {}, b'{"error": {"message": "no money", "code": "insufficient_quota"}}')],
            "429 .*: no money insufficient_quota$",
            1,
        ),
        (
            [(401, {}, json.dumps({"error": {"message": f"wrong key {KEY}"}}).encode())],
            r"401 Unauthorized: wrong key \.\.\.; is OPENAI_API_KEY set to a key of this service\?",
            1,
        ),
        (
            [(404, {}, b'{"error": "no such"}')],
            "404 Not Found: no such; is base_url right, and is there a model 'some",
            1,
        ),
        (
            [(302, {"Location": "http://elsewhere"}, b"")],
            "302 Found; it points to 'http://elsewhere': give base_url",
            1,
        ),
        ([(200, {}, b"<html>")], "gave no answer of OpenAI's chat interface, but '<html>'; is base_url right", 1),
        ([(200, {}, b'{"choices": []}')], "gave no answer of OpenAI's chat interface", 1),
    ],
)
def test_refusals(
    service: Service, failures: list[tuple[int, dict[str, str], bytes]], message: str, asked: int
) -> None:
    service.failures = list(failures)
    with pytest.raises(Error, match=message) as caught:
        ask(service, "one")
    assert KEY not in str(caught.value)
    assert service.url in str(caught.value)
    assert len(service.asked) == asked


REPEATS: list[tuple[int, dict[str, str], bytes]] = [
    (200, {}, f"<html>{KEY}</html>".encode()),
    (200, {}, json.dumps({"choices": KEY}).encode()),
    (401, {}, f"{'x' * 292}{KEY}".encode()),  # cut within the key
    (400, {}, json.dumps({"error": KEY}).encode()),
    (302, {"Location": f"http://elsewhere/?key={KEY}"}, b""),
    (200, {}, json.dumps({"choices": [{"message": {"content": f"the key is {KEY}"}}]}).encode()),
]


@pytest.mark.needs("words")
@pytest.mark.parametrize("answer", REPEATS)
def test_the_key_is_nowhere(
    service: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    answer: tuple[int, dict[str, str], bytes],
) -> None:
    """Neither in what commands say nor in any file that they leave, whatever the service repeats."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", KEY)
    monkeypatch.setattr(chat, "_TRIES", 2)
    (tmp_path / "en.conll").write_text("Anna\tB-PER\ncame\tO\n\nRome\tB-LOC\n")
    translator = ("--translator", "openai:m", "--base-url", service.url)
    project = ("project", "--source", "en.conll", "--translate-to", "es", *translator)
    runs = [done(xner(*project, "--steps", "steps", "-o", "es.parquet", cwd=tmp_path))]
    service.failures = [answer] * 20
    (tmp_path / "other.conll").write_text("Berlin\tB-LOC\nwaits\tO\n")
    runs.append(xner(*project, "--source-language", "en", "-o", "other.jsonl", cwd=tmp_path))
    model = ("--model", "openai:m", "--base-url", service.url)
    sides = ("--source", "other.conll", "--source-language", "en", "--target-language", "es")
    runs.append(xner("translate", *sides, *model, "-o", "o.jsonl", cwd=tmp_path))
    runs.append(xner("doctor", "--quick", "--json", cwd=tmp_path))
    assert service.asked[0][1]["Authorization"] == f"Bearer {KEY}"
    assert all("Traceback" not in run.stderr for run in runs)
    said = "".join(run.stdout + run.stderr for run in runs) + caplog.text
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) > 4
    for part in (KEY, KEY[:8]):
        assert part not in said
        assert not any(part.encode() in content for content in kept)


def test_passwords_of_commands_are_in_no_signature(program: Program) -> None:
    translator = CommandTranslator(program(UPPER, "http://me:secret@host/path"))
    assert "secret" not in translator.signature
    assert "http://...@host/path" in translator.signature


def test_what_came_before_a_refusal_is_kept(service: Service, tmp_path: Path) -> None:
    translator, cache = load_translator("openai:m", base_url=service.url), tmp_path / "cache.sqlite"
    translator.translate(["one"], *LANGUAGES, cache=cache)
    service.failures = [(400, {}, b"no") for _ in range(100)]
    with pytest.raises(Error, match="400"):
        translator.translate(["one", *map(str, range(50))], *LANGUAGES, cache=cache)
    service.failures = []
    asked = len(service.asked)
    assert asked < 50, "the others are not asked for any more"
    assert translator.translate(["one"], *LANGUAGES, cache=cache)[0].text == "ONE"
    assert len(service.asked) == asked


def test_services_that_are_not_there(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    with Service() as other:
        url = other.url
    with pytest.raises(Error, match=f"cannot reach {url}/chat/completions: Connection refused; is the service running"):
        load_translator("openai:m", base_url=url).translate(["a"], *LANGUAGES)
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(OptionError, match=r"https://api.openai.com/v1 needs a key: set the environment variable"):
        load_translator("openai:m").translate(["a"], *LANGUAGES)
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n{KEY}")
    with pytest.raises(OptionError, match="OPENAI_API_KEY holds characters that no key has") as caught:
        ask(service, "a")
    assert KEY not in str(caught.value)
    monkeypatch.delenv("OPENAI_API_KEY")
    ask(service, "a")
    assert "Authorization" not in service.asked[0][1]


def test_a_service_that_does_not_answer(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "_TRIES", 2)
    released = threading.Event()
    monkeypatch.setattr(Handler, "_answer", lambda *_: released.wait(30) and b"")
    with pytest.raises(Error, match=r"did not answer within 0.2 seconds. Tried 2 times"):
        ask(service, "one", timeout=0.2)
    released.set()


@pytest.mark.parametrize("url", ["", "localhost:8000/v1", "ftp://a/v1", "http://", "http://a:x/v1"])
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(OptionError, match="base_url: expected a URL like http://localhost:8000/v1"):
        check_base_url(url)


@pytest.mark.parametrize("url", ["http://me:secret@a/v1", "http://a/v1?key=secret", "http://a/v1#secret"])
def test_urls_with_secrets(url: str) -> None:
    for use in (check_base_url, lambda url: Pipeline(translate_to="es", translator="openai:m", base_url=url)):
        with pytest.raises(OptionError, match="without user, password") as caught:
            use(url)
        assert "secret" not in str(caught.value)


def test_services_need_a_model() -> None:
    with pytest.raises(OptionError, match="openai: names no model"):
        ChatTranslator.load("")


def test_which_options_a_translator_takes() -> None:
    assert takes_options_of("facebook/nllb", "models")
    assert takes_options_of("no-such:thing", "models")
    assert not takes_options_of("facebook/nllb", "outside")
    assert not takes_options_of("command:a", "models")
    assert not takes_options_of("command:a", "services")
    for options, message in (
        ({"translator": "openai:m", "beams": 2}, "beams=2 goes with a translator that is a model, not a program"),
        (
            {"translator": "command:a", "base_url": "http://a/v1"},
            "base_url=.* goes with a translator that is a service",
        ),
        (
            {"translator": "some/model", "translator_timeout": 3.0},
            "timeout=3.0 goes with a translator that is a program",
        ),
    ):
        with pytest.raises(OptionError, match=message):
            Pipeline(translate_to="es", **options)


def test_on_the_command_line(program: Program, tmp_path: Path, service: Service) -> None:
    (tmp_path / "en.conll").write_text("Ann B-PER\nsaw O\nRome B-LOC\n. O\n\nRome B-LOC\n\n")
    command = f"command:{program(UPPER)}"
    cache = ("--cache", "cache.sqlite")
    options = ("--source", "en.conll", "--translate-to", "es-MX", "--translator", command, "--words", "blanks")
    run = done(xner("project", *options, *cache, "--markers", "brackets", "-o", "es.conll", cwd=tmp_path))
    assert io.read(tmp_path / "es.conll")["tokens"].to_pylist() == [["ANN", "SAW", "ROME."], ["ROME"]]
    assert f"translator:{command}" in run.stderr
    asked = ("--source", "en.conll", "--source-language", "en", "--target-language", "es", *cache, "--words", "blanks")
    run = done(xner("translate", *asked, "--model", command, "--markers", "auto", "-o", "a.conll", cwd=tmp_path))
    assert "markers: brackets; whole came back brackets 2, tags 1 of 2 sentences" in run.stderr
    assert io.read(tmp_path / "a.conll")["labels"].to_pylist() == [["B-PER", "O", "B-LOC"], ["B-LOC"]]
    model = ("--model", "openai:m", "--base-url", service.url, "--translator-timeout", "5")
    run = done(xner("translate", *asked, *model, "-o", "es.txt", cwd=tmp_path))
    assert (tmp_path / "es.txt").read_text().splitlines()[1] == "ROME"
    assert "20 prompt tokens and 6 completion tokens" in run.stderr
    for given, message in (
        (("--beams", "2"), "--beams goes with a --model that is one, not with a program or service"),
        (("--device", "cpu"), "--device goes with a --model"),
    ):
        failed = xner("translate", *asked, *model, *given, "-o", "es.txt", cwd=tmp_path)
        assert failed.returncode == 2
        assert message in " ".join(failed.stderr.split())
