"""Translators that are programs: lines in, lines out.

    translator = CommandTranslator.load("apertium -u eng-spa")
    translator.translate(["Angela Merkel visited Madrid."], "en", "es")

The program is started once for each batch of lines, with all of them as its input, and is to end with as many lines as
it was given. So nothing depends on whether it writes each line as soon as it has it, and one that crashed is started
anew.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from xner._support.arguments import number
from xner._support.progress import Reporter, logger, silent
from xner._version import __version__
from xner.errors import OptionError, OutsideError
from xner.models.translators.outside import translate_once
from xner.models.translators.translator import Translation, judge_translation
from xner.text.languages import language

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Self

    from xner.models.translators.translator import Spread

__all__ = ["CommandTranslator"]

_TIMEOUT: Final = 600.0
_BATCH: Final = 1_000  # texts
_STARTS: Final = 2
_USER: Final = re.compile(r"://[^/\s@]*@")
_PLACE: Final = re.compile(r"\{(source|target)([23]?)\}")


@dataclass(frozen=True, slots=True)
class CommandTranslator:
    """Translates texts by a program. Make one with `CommandTranslator.load`.

    Attributes:
        command: the program and its arguments, as in a shell, but without one: quotes count, pipes and variables are
            words like others. `{source}` and `{target}` stand for the languages' codes (`eng_Latn`), `{source3}` and
            `{target3}` for those of ISO 639-3 (`eng`), `{source2}` and `{target2}` for the two-letter ones (`en`)
            where there are such.
        timeout: the most seconds for a batch.

    Raises:
        OptionError: no command, an open quote in it, or no time.
    """

    command: str
    timeout: float = _TIMEOUT

    def __post_init__(self) -> None:
        number("timeout", self.timeout, "of seconds above 0", lambda value: 0 < value < 1e6)
        if not self._words:
            raise OptionError("command: names no program; expected one like command:'apertium -u eng-spa'")

    @classmethod
    def load(cls, model: str, *, timeout: float | None = None, **_: Any) -> Self:
        """Prepare a program; it is started when there is something to translate, and not before.

        Args:
            model: the command.
            timeout: the most seconds for a batch; None for the default.

        Raises:
            OptionError: as the class itself.
        """
        return cls(model, _TIMEOUT if timeout is None else timeout)

    @property
    def signature(self) -> str:
        """What translates, for tables and papers; of users and passwords in URLs nothing is left."""
        return f"xner:{__version__}|translator:{_USER.sub('://...@', self.identity)}"

    @property
    def identity(self) -> str:
        """The command: what the program is and does besides is not known."""
        return f"command:{self.command}"

    def translate(
        self,
        texts: Sequence[str],
        source_language: str,
        target_language: str,
        *,
        cache: str | os.PathLike[str] | None = None,
        progress: Reporter = silent,
        spread: Spread | None = None,
    ) -> list[Translation]:
        """Translate texts, each distinct one once.

        Args:
            texts: sentences; one that has line breaks is given to the program as one line.
            source_language: `eng_Latn`, `en`, `English`; fills places in the command, and is not checked else.
            target_language: likewise.
            cache: a file that keeps translations by the command's text, for runs to come; None for none.
            progress: told `translate`, the distinct texts done, and their number.
            spread: see `Translator.translate`; the program is started where batches are handed to.

        Returns:
            One translation a text, in order.

        Raises:
            OptionError: there is no such program, or a language that is unknown and fills a place.
            OutsideError: the program fails twice, takes too long, or gives another number of lines; the message has the
                command, the numbers of lines, and the last line of what it said of errors.
        """
        arguments = self._arguments(source_language, target_language)

        def ask(missing: Sequence[str]) -> Iterator[Mapping[str, Translation]]:
            batches = [missing[first : first + _BATCH] for first in range(0, len(missing), _BATCH)]
            asked = ([" ".join(text.splitlines()) for text in batch] for batch in batches)
            for batch, lines in zip(batches, (spread or map)(partial(self._run, arguments), asked), strict=True):
                yield {
                    text: Translation(line, judge_translation(text, line, ended=True))
                    for text, line in zip(batch, lines, strict=True)
                }

        found = translate_once(
            texts,
            ask,
            identity=self.identity,
            languages=(source_language, target_language),
            cache=cache,
            progress=progress,
        )
        _warn_of_marks(zip(texts, found, strict=True))
        return found

    @property
    def _words(self) -> list[str]:
        try:
            return shlex.split(self.command)
        except ValueError as error:
            raise OptionError(f"command {self.command!r}: {str(error).lower()}: close the quote") from None

    def _arguments(self, source_language: str, target_language: str) -> list[str]:
        """The words of the command, with languages in their places."""
        given = {"source": source_language, "target": target_language}
        return [_PLACE.sub(lambda place: _code(given[place[1]], place[2]), word) for word in self._words]

    def _run(self, arguments: Sequence[str], lines: Sequence[str]) -> list[str]:
        """The program's answers to lines."""
        sent = "".join(f"{line}\n" for line in lines).encode()
        for start in range(1, _STARTS + 1):
            status, output, said = self._start(arguments, sent, len(lines))
            if status == 0:
                break
            ended = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
            problem = f"{self._named(arguments)} {ended} on {len(lines)} lines{said}"
            if start == _STARTS:
                raise OutsideError(f"{problem}. It was started {_STARTS} times; try it by hand with such lines")
            logger.warning("%s; it is started again", problem)
        try:
            text = output.decode()
        except UnicodeDecodeError as error:
            raise OutsideError(
                f"{self._named(arguments)} gave what is not UTF-8, at byte {error.start}: set its encoding, or the "
                "environment's (LANG=C.UTF-8)"
            ) from None
        answers = text.split("\n")
        if not answers[-1]:
            answers.pop()
        if len(answers) != len(lines):
            raise OutsideError(
                f"{self._named(arguments)} gave {len(answers)} lines for {len(lines)}{said}: it has to write one line "
                "for each that it reads"
            )
        return [answer.strip() for answer in answers]

    def _start(self, arguments: Sequence[str], sent: bytes, lines: int) -> tuple[int, bytes, str]:
        """Start the program: its exit status, its output, and the last line of what it said of errors."""
        try:
            # In a session of its own: what it starts ends with it.
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            reason = "there is no such program" if isinstance(error, FileNotFoundError) else error.strerror
            raise OptionError(
                f"cannot start {arguments[0]!r} of {self._named(arguments)}: {reason}; install it, or give its path"
            ) from None
        with process:
            try:
                output, errors = process.communicate(sent, timeout=self.timeout)
            except BaseException as error:
                _kill(process)
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                raise OutsideError(
                    f"{self._named(arguments)} took longer than {self.timeout:g} seconds for {lines} lines; a longer "
                    "timeout gives it more"
                ) from None
        return process.returncode, output, _last_line(errors)

    def _named(self, arguments: Sequence[str]) -> str:
        return f"the command {shlex.join(arguments)!r}"


def _code(given: str, letters: str) -> str:
    """A language's code: as it was given, or that of two or three letters."""
    if not letters:
        return given
    known = language(given)
    three = known.code.partition("_")[0]
    return three if letters == "3" else next((code for code in known.others if len(code) == 2), three)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a program and all that it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()


def _last_line(errors: bytes) -> str:
    lines = errors.decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f", and said {last!r}" if last else ""


# What Apertium puts before words that it does not know, cannot translate, or cannot inflect, and what leaves it out.
_MARKS: Final = {"*": "unknown words", "@": "words without a translation", "#": "words that it cannot inflect"}
_MARKED: Final = re.compile(r"(?<!\w)([*@#])(?=\w)")


def _warn_of_marks(pairs: Iterable[tuple[str, Translation]]) -> None:
    """Tell of Apertium's marks, which translations keep as parts of words and which names are then spelled with."""
    found = Counter(
        mark for text, translation in pairs for mark in _MARKED.findall(translation.text) if mark not in text
    )
    for mark, count in sorted(found.items()):
        words = "1 word carries" if count == 1 else f"{count} words carry"
        logger.warning("%s Apertium's mark of %s %r; `apertium -u` leaves it out", words, _MARKS[mark], mark)
