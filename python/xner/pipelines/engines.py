"""Where the pieces of a run are worked on: in this process, or by the workers of a Ray cluster.

Pieces are handed out in order, some ahead, and come back in order. What is read, kept and written stays with the
process that runs, so that checkpoints, outputs and messages are the same, byte for byte.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, Self, TypeVar, get_args

from xner._support.extras import require
from xner.errors import Error, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

__all__ = ["ENGINES", "LOCAL", "Engine", "EngineName", "LocalEngine", "RayEngine", "engine_of"]

EngineName = Literal["local", "ray"]
ENGINES: Final = get_args(EngineName)

_WHAT: Final = "engine='ray'"
_OWN: Final = "auto"  # the cluster that this machine is part of
_SECONDS: Final = 10.0  # that a cluster may take to answer
_RETRIES: Final = 5  # of a piece whose worker has died
_STAGES: Final[dict[str, Any]] = {}  # of a worker: the stage that it has, whose model is loaded once


Piece = TypeVar("Piece")
Made = TypeVar("Made")


class Engine(Protocol):
    """Runs a stage over pieces, batches or tables."""

    def map(self, stage: Callable[[Piece], Made], pieces: Iterable[Piece]) -> Iterator[Made]:
        """What a stage makes of each piece, in order.

        Args:
            stage: keeps every row where it is; can be pickled.
            pieces: read as they are needed.

        Raises:
            Error: whatever the stage raises.
        """


class LocalEngine:
    """This process: one piece after the other."""

    def map(self, stage: Callable[[Piece], Made], pieces: Iterable[Piece]) -> Iterator[Made]:
        """See `Engine`."""
        return map(stage, pieces)


LOCAL: Final = LocalEngine()


class RayEngine:
    """The workers of a Ray cluster, each of which works on a piece at a time with a processor of its own.

    A stage is sent to a machine once, and a worker loads its model once. A piece whose worker dies is done again by
    another one. With a cluster of its own on one machine, that ends with the block; it is a context manager.

    Args:
        address: of a cluster that is there, `auto` for the one that this machine is part of; None starts one here.

    Raises:
        Error: the extra `ray` is not installed; there is no cluster at the address.
    """

    def __init__(self, address: str | None = None) -> None:
        self._address = address
        self._ray: Any = None
        self._is_own = False

    def __enter__(self) -> Self:
        if self._address not in {None, _OWN}:
            _look_for(str(self._address))
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        self._ray = require("ray", extra="ray", what=_WHAT)
        if not self._ray.is_initialized():
            try:
                self._ray.init(
                    address=self._address or "local",
                    include_dashboard=None if self._address else False,
                    log_to_driver=False,
                    configure_logging=False,
                )
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise Error(f"address={self._address!r}: there is no Ray cluster to be reached: {error}") from None
            self._is_own = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_own:
            self._ray.shutdown()

    def map(self, stage: Callable[[Piece], Made], pieces: Iterable[Piece]) -> Iterator[Made]:
        """See `Engine`."""
        ray = self._ray
        work = ray.remote(_work).options(num_cpus=1, max_retries=_RETRIES)
        ahead = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
        name, sent = uuid.uuid4().hex, [ray.put(stage)]
        waiting: deque[Any] = deque()
        try:
            for piece in pieces:
                waiting.append(work.remote(name, sent, piece))
                if len(waiting) >= ahead:
                    yield _fetched(ray, waiting.popleft())
            while waiting:
                yield _fetched(ray, waiting.popleft())
        finally:
            for one in waiting:
                ray.cancel(one)


def _look_for(address: str) -> None:
    """That something answers at an address, for which Ray itself would wait for minutes.

    Raises:
        OptionError: it is no address.
        Error: nothing answers.
    """
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise OptionError(f"address={address!r}: expected HOST:PORT, or auto for the cluster of this machine")
    try:
        socket.create_connection((host, int(port)), timeout=_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise Error(f"address={address!r}: nothing answers there: {error}") from None


def _work(name: str, sent: list[Any], piece: Any) -> Any:
    """Work on a piece; runs in a worker.

    Args:
        name: of the stage.
        sent: where it is to be fetched, if this worker does not have it yet.
        piece: some rows.
    """
    if name not in _STAGES:
        import ray

        _STAGES.clear()  # of stages before, whose models would stay in memory
        _STAGES[name] = ray.get(sent[0])
    return _STAGES[name](piece)


def _fetched(ray: Any, one: Any) -> Any:
    try:
        return ray.get(one)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise Error(f"a worker of the Ray cluster failed {_RETRIES} times: {error}") from None


@contextmanager
def engine_of(name: EngineName = "local", address: str | None = None) -> Iterator[Engine]:
    """An engine by its name, for the length of a block.

    Args:
        name: `local` or `ray`.
        address: of a Ray cluster, see `RayEngine`.

    Raises:
        OptionError: an address without Ray, another name.
        Error: as `RayEngine`.
    """
    if name not in ENGINES:
        raise OptionError(f"engine={name!r}: expected one of {', '.join(ENGINES)}")
    if name == "local":
        if address is not None:
            raise OptionError(f"address={address!r} goes with engine='ray'")
        yield LOCAL
        return
    with RayEngine(address) as engine:
        yield engine
