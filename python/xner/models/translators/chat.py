"""Translators that are language models behind a service: any endpoint of OpenAI's chat interface.

    translator = ChatTranslator.load("gpt-4o-mini")
    translator = ChatTranslator.load("qwen3:8b", base_url="http://localhost:11434/v1")

The key is read from the environment variable `OPENAI_API_KEY` when something is asked for, and goes nowhere but into
the header of requests to that endpoint.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from xner._support.arguments import number
from xner._support.progress import Reporter, logger, silent, usage_logger
from xner._version import __version__
from xner.errors import Error, OptionError, OutsideError
from xner.models.translators.outside import translate_once
from xner.models.translators.translator import Translation, judge_translation
from xner.text.languages import language

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Self

__all__ = ["BASE_URL", "KEY", "ChatTranslator", "check_base_url"]

BASE_URL: Final = "https://api.openai.com/v1"
"""Where OpenAI's own models are."""

KEY: Final = "OPENAI_API_KEY"
"""The environment variable that has the key."""

_PROMPT: Final = "Translate the following text from {source} to {target}. Answer with the translation alone.\n\n{text}"
_TEMPERATURE: Final = 0
_TIMEOUT: Final = 120.0
_REQUESTS: Final = 4  # at a time
_TRIES: Final = 6
_PASSING: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})  # statuses that another try may not meet
_FIRST_WAIT: Final = 1.0  # seconds, and twice as long each time
_LONGEST_WAIT: Final = 600.0
_SHOWN: Final = 300  # characters of what a service says


class _Answer(NamedTuple):
    """What a model said.

    Attributes:
        text: the translation.
        ended: whether the model ended it, rather than a limit.
        prompt_tokens: that were read; 0 where the service does not say.
        completion_tokens: that were written, likewise.
    """

    text: str
    ended: bool
    prompt_tokens: int
    completion_tokens: int


class _PassingError(OutsideError):
    """A request that failed, and that another try may fulfil.

    Attributes:
        wait: seconds that the service asks to wait; None where it says nothing.
    """

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirects, which would take the key elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        """See `urllib.request.HTTPRedirectHandler`: None leaves the redirect an error."""


class ChatTranslator:
    """Translates texts by a language model behind a service, one request a text. Make one with `ChatTranslator.load`.

    Attributes:
        model: its name at the service.
        base_url: of the service, without the last slash; requests go to `/chat/completions` below it.
        timeout: the most seconds for a request.
        prompt_tokens: that all requests so far have read, as the service counts them.
        completion_tokens: that they have written.
    """

    def __init__(self, model: str, base_url: str, timeout: float) -> None:
        """Use `ChatTranslator.load`."""
        self.model = model
        self.base_url = base_url
        self.timeout = timeout
        self.prompt_tokens = 0
        self.completion_tokens = 0

    def __repr__(self) -> str:
        return f"ChatTranslator({self.model!r}, base_url={self.base_url!r})"

    @classmethod
    def load(cls, model: str, *, base_url: str | None = None, timeout: float | None = None, **_: Any) -> Self:
        """Prepare a model; nothing is asked of it before there is something to translate.

        Args:
            model: its name at the service.
            base_url: of the service, up to `/v1`; None for OpenAI's own.
            timeout: the most seconds for a request; None for the default.

        Raises:
            OptionError: no model, no time, or a URL that is none, or that has what belongs into the key.
        """
        if not model:
            raise OptionError("openai: names no model; expected one like openai:gpt-4o-mini")
        seconds = number(
            "timeout",
            _TIMEOUT if timeout is None else timeout,
            "of seconds above 0",
            lambda value: 0 < value < 1e6,
        )
        return cls(model, check_base_url(BASE_URL if base_url is None else base_url), seconds)

    @property
    def signature(self) -> str:
        """What translates, for tables and papers."""
        return f"xner:{__version__}|translator:openai:{self.model}|url:{self.base_url}|temperature={_TEMPERATURE}"

    @property
    def identity(self) -> str:
        """The model's name, the service and the prompt: what the service has under that name is not known."""
        return json.dumps(["openai", self.model, self.base_url, _PROMPT, _TEMPERATURE])

    def translate(
        self,
        texts: Sequence[str],
        source_language: str,
        target_language: str,
        *,
        cache: str | os.PathLike[str] | None = None,
        progress: Reporter = silent,
    ) -> list[Translation]:
        """Translate texts, each distinct one once, and log how many tokens that took.

        Args:
            texts: sentences.
            source_language: `eng_Latn`, `en`, `English`; the model is told the language's English name.
            target_language: likewise.
            cache: a file that keeps translations by the service's URL and the model's name; None for none.
            progress: told `translate`, the distinct texts done, and their number.

        Returns:
            One translation a text, in order.

        Raises:
            OptionError: an unknown language, or OpenAI's own service without a key.
            Error: the service refuses, or cannot be had in several tries; the message has the URL and what it said.
                What was translated before is in the cache.
        """
        source, target = language(source_language), language(target_language)
        before = self.prompt_tokens, self.completion_tokens

        def ask(missing: Sequence[str]) -> Iterator[Mapping[str, Translation]]:
            asking = partial(self._ask, key=self._key(), stopped=(stopped := Event()))
            pool = ThreadPoolExecutor(_REQUESTS)
            try:
                prompts = [_PROMPT.format(source=source.name, target=target.name, text=text) for text in missing]
                for text, answer in zip(missing, pool.map(asking, prompts), strict=True):
                    self.prompt_tokens += answer.prompt_tokens
                    self.completion_tokens += answer.completion_tokens
                    yield {text: Translation(answer.text, judge_translation(text, answer.text, ended=answer.ended))}
            finally:
                stopped.set()
                pool.shutdown(cancel_futures=True)

        try:
            return translate_once(
                texts,
                ask,
                identity=self.identity,
                languages=(source.code, target.code),
                cache=cache,
                progress=progress,
            )
        finally:
            self._tell_tokens(*before)

    def _tell_tokens(self, prompt_before: int, completion_before: int) -> None:
        """Log the tokens of a call, and of all so far."""
        prompt, completion = self.prompt_tokens - prompt_before, self.completion_tokens - completion_before
        if prompt or completion:
            usage_logger.info(
                "openai:%s at %s: %d prompt tokens and %d completion tokens; so far %d and %d",
                self.model,
                self.base_url,
                prompt,
                completion,
                self.prompt_tokens,
                self.completion_tokens,
            )

    @property
    def _url(self) -> str:
        return f"{self.base_url}/chat/completions"

    def _key(self) -> str:
        """The key; empty for services that need none.

        Raises:
            OptionError: OpenAI's own needs one; or it holds what no key does.
        """
        key = os.environ.get(KEY, "").strip()
        if not (key.isascii() and key.isprintable()):  # headers take nothing else, and their error would show it
            raise OptionError(f"the environment variable {KEY} holds characters that no key has, such as line breaks")
        if not key and self.base_url == BASE_URL:
            raise OptionError(f"{self.base_url} needs a key: set the environment variable {KEY}, or base_url")
        return key

    def _ask(self, prompt: str, *, key: str, stopped: Event) -> _Answer:
        """Ask the model, several times where the service is busy or away, as long as nothing else has failed."""
        for tries in range(1, _TRIES + 1):
            try:
                return self._ask_once(prompt, key)
            except _PassingError as error:
                wait = _FIRST_WAIT * 2 ** (tries - 1) if error.wait is None else error.wait
                logger.debug("%s; tried again in %g s", error, wait)
                if tries == _TRIES or wait > _LONGEST_WAIT or stopped.wait(wait):
                    raise OutsideError(
                        f"{error}. Tried {tries} times; what was translated is in the cache, and the same command goes "
                        "on from there"
                    ) from None
        raise AssertionError("the last try returns or raises")

    def _ask_once(self, prompt: str, key: str) -> _Answer:
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": _TEMPERATURE,
        }
        headers = {"Content-Type": "application/json", "User-Agent": f"xner/{__version__}"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(self._url, json.dumps(body).encode(), headers)
        try:
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=self.timeout) as response:
                content = _without(key, response.read())  # which some services repeat
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error, key) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._absence(error) from None
        return self._read(content)

    def _refusal(self, error: urllib.error.HTTPError, key: str) -> Error:
        """What a status that is none of success comes to."""
        said = _said(error, key)
        reason = _without(key, str(error.reason).encode()).decode()
        message = f"{self._url} answered {error.code} {reason}{said and f': {said}'}"
        if error.code in _PASSING and "insufficient_quota" not in said:
            return _PassingError(message, _asked_wait(error.headers.get("Retry-After")))
        remedy = {
            401: f"; is {KEY} set to a key of this service?",
            403: f"; may the key of {KEY} use this model?",
            404: f"; is base_url right, and is there a model {self.model!r}?",
        }.get(error.code, "")
        if 300 <= error.code < 400:
            place = _without(key, str(error.headers.get("Location")).encode()).decode()
            remedy = f"; it points to {place!r}: give base_url so that nothing is redirected"
        return OutsideError(f"{message}{remedy}")

    def _absence(self, error: OSError | http.client.HTTPException) -> Error:
        """What a connection that failed comes to."""
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, TimeoutError):
            return _PassingError(f"{self._url} did not answer within {self.timeout:g} seconds")
        if isinstance(reason, ConnectionRefusedError | socket.gaierror):
            return OutsideError(
                f"cannot reach {self._url}: {reason.strerror}; is the service running, and base_url right?"
            )
        if isinstance(reason, ConnectionError | http.client.HTTPException):
            return _PassingError(f"{self._url} broke off: {reason or type(reason).__name__}")
        return OutsideError(f"cannot reach {self._url}: {reason}")

    def _read(self, content: bytes) -> _Answer:
        """The answer in a response's body."""
        try:
            found = json.loads(content)
            choice = found["choices"][0]
            text, usage = choice["message"].get("content") or "", found.get("usage") or {}
            tokens = [int(usage.get(name) or 0) for name in ("prompt_tokens", "completion_tokens")]
            return _Answer(text.strip(), choice.get("finish_reason") != "length", *tokens)
        except (ValueError, LookupError, TypeError, AttributeError):
            shown = content.decode(errors="replace")[:_SHOWN]
            raise Error(
                f"{self._url} gave no answer of OpenAI's chat interface, but {shown!r}; is base_url right?"
            ) from None


def check_base_url(url: str) -> str:
    """The URL of a service without the last slash.

    Raises:
        OptionError: not of HTTP, or with a user, a query or a fragment; the message does not repeat it, as these may
            be secret.
    """
    try:
        parts = urllib.parse.urlsplit(url.strip())
        is_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_host = False
    if not is_host or parts.scheme not in {"http", "https"}:
        raise OptionError("base_url: expected a URL like http://localhost:8000/v1")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise OptionError(
            f"base_url: expected a URL without user, password, '?' and '#', like http://localhost:8000/v1; a key goes "
            f"into the environment variable {KEY}"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _without(key: str, said: bytes) -> bytes:
    """What a service says, without the key."""
    return said.replace(key.encode(), b"...") if key else said


def _said(error: urllib.error.HTTPError, key: str) -> str:
    """What a service says of an error, on one line and without the key, of which no part is left by a cut."""
    try:
        content = _without(key, error.read()).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return ""
    try:
        found = json.loads(content)["error"]
        named = [found.get("message"), found.get("code")] if isinstance(found, dict) else [found]
        content = " ".join(str(one) for one in named if one)
    except (ValueError, LookupError, TypeError):
        pass
    return " ".join(content.split())[:_SHOWN]


def _asked_wait(header: str | None) -> float | None:
    """The seconds that `Retry-After` asks for, as a number or a date; None where it says nothing."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None
