"""Where the pieces of a run are worked on: in this process, or by the workers of a Ray cluster.

Pieces are handed out in order, some ahead, and come back in order. What is read, kept and written stays with the
process that runs, so that checkpoints, outputs and messages are the same, byte for byte.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections import deque
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, Self, TypeVar, get_args

from xner._support.extras import require
from xner.errors import Error, OptionError, OutsideError

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
_PART_ROWS: Final = 25_000  # enough that what a task costs does not count, few enough for all workers, and for memory
_STAGES: Final[dict[str, Any]] = {}  # of a worker: the stage that it has, whose model is loaded once


Piece = TypeVar("Piece")
Made = TypeVar("Made")


class Engine(Protocol):
    """Runs a stage over pieces, batches or tables."""

    @property
    def part_rows(self) -> int | None:
        """Rows that are best handed out at a time, of pieces that may be cut anywhere; None: pieces as they are."""

    def map(
        self,
        stage: Callable[[Piece], Made],
        pieces: Iterable[Piece],
        *,
        has_model: bool = False,
        memory: int | None = None,
    ) -> Iterator[Made]:
        """What a stage makes of each piece, in order.

        Args:
            stage: keeps every row where it is; can be pickled.
            pieces: read as they are needed.
            has_model: whether it computes with a model, for which a GPU is of use.
            memory: what a piece takes, in bytes, where that is much.

        Raises:
            Error: whatever the stage raises.
        """

    def threads(self, wanted: int) -> int:
        """How many threads a piece is worked on with.

        Args:
            wanted: 0 for as many as there is room for.

        Returns:
            0 for one a core.
        """


class LocalEngine:
    """This process: one piece after the other."""

    part_rows: Final = None

    def map(
        self,
        stage: Callable[[Piece], Made],
        pieces: Iterable[Piece],
        *,
        has_model: bool = False,
        memory: int | None = None,
    ) -> Iterator[Made]:
        """See `Engine`."""
        return map(stage, pieces)

    def threads(self, wanted: int) -> int:
        """See `Engine`."""
        return wanted


LOCAL: Final = LocalEngine()


class RayEngine:
    """The workers of a Ray cluster, each of which works on a piece at a time with a processor of its own.

    Where the cluster has GPUs, a stage with a model has a worker for each of them, and no other. A stage is sent to a
    machine once, and a worker loads its model once; relative paths are from the folder of this process, which other
    machines may have as well. A piece whose worker dies is done again by another one. With a cluster of its own on one
    machine, that ends with the block; it is a context manager.

    Args:
        address: of a cluster that is there, `auto` for the one that this machine is part of; None starts one here.

    Raises:
        Error: the extra `ray` is not installed; there is no cluster at the address.
    """

    part_rows: Final = _PART_ROWS

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

    def map(
        self,
        stage: Callable[[Piece], Made],
        pieces: Iterable[Piece],
        *,
        has_model: bool = False,
        memory: int | None = None,
    ) -> Iterator[Made]:
        """See `Engine`."""
        found = self._ray.cluster_resources()
        cpus, gpus = float(found.get("CPU", 1)), int(found.get("GPU", 0))
        sent = [self._ray.put(stage), str(Path.cwd())]
        if has_model and gpus:
            return self._on_gpus(sent, pieces, gpus, cpus)
        return self._on_cpus(sent, pieces, cpus, self._reserved(memory))

    def _reserved(self, memory: int | None) -> int | None:
        """Memory that a piece is to have to itself, which one of the machines must have in all."""
        if memory is None:
            return None
        return min(memory, int(max(node["Resources"].get("memory", 0) for node in self._ray.nodes() if node["Alive"])))

    def threads(self, wanted: int) -> int:
        """See `Engine`: a worker has a processor."""
        return wanted or 1

    def _on_cpus(self, sent: list[Any], pieces: Iterable[Any], cpus: float, memory: int | None) -> Iterator[Any]:
        ray = self._ray
        work = ray.remote(_work).options(num_cpus=1, memory=memory, max_retries=_RETRIES)
        name = uuid.uuid4().hex
        waiting: deque[Any] = deque()
        try:
            yield from _in_order(
                ray, (work.remote(name, sent, piece) for piece in pieces), waiting, 2 * max(1, int(cpus))
            )
        finally:
            for one in waiting:
                ray.cancel(one)

    def _on_gpus(self, sent: list[Any], pieces: Iterable[Any], gpus: int, cpus: float) -> Iterator[Any]:
        """With a worker for each GPU, as long as this lasts.

        Ray ends the workers of mere tasks on GPUs after each, and one that is kept may be handed another GPU later,
        which CUDA does not notice once it has begun.
        """
        ray = self._ray
        worker = ray.remote(_Worker).options(
            num_gpus=1, num_cpus=min(1.0, cpus / gpus), max_restarts=-1, max_task_retries=_RETRIES
        )
        workers = [worker.remote() for _ in range(gpus)]
        busy = {one.begin.remote(): one for one in workers}  # GPUs that other runs have now come later

        def handed_out() -> Iterator[Any]:
            for piece in pieces:
                free = busy.pop(ray.wait(list(busy), num_returns=1)[0][0])
                made = free.work.remote(sent, piece)
                busy[made] = free
                yield made

        try:
            yield from _in_order(ray, handed_out(), deque(), 2 * gpus)
        finally:
            for one in workers:
                ray.kill(one)


def _in_order(ray: Any, handed_out: Iterable[Any], waiting: deque[Any], ahead: int) -> Iterator[Any]:
    """What comes of pieces that are handed out, so many ahead at most; those that were not fetched yet are waiting."""
    for one in handed_out:
        waiting.append(one)
        if len(waiting) >= ahead:
            yield _fetched(ray, waiting.popleft())
    while waiting:
        yield _fetched(ray, waiting.popleft())


class _Worker:
    """Has a GPU and a stage; runs in a process of its own."""

    def __init__(self) -> None:
        self._stage: Any = None

    def begin(self) -> None:
        """Nothing: whoever waits for it knows that the worker is there."""

    def work(self, sent: list[Any], piece: Any) -> Any:
        """Work on a piece, by the stage that is to be fetched if this worker does not have it yet."""
        if self._stage is None:
            self._stage = _received(*sent)
        return self._stage(piece)


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
        sent: where it is to be fetched, if this worker does not have it yet, and the folder that paths go from.
        piece: some rows.
    """
    if name not in _STAGES:
        _STAGES.clear()  # of stages before, whose models would stay in memory
        _STAGES[name] = _received(*sent)
    return _STAGES[name](piece)


def _received(stage: Any, folder: str) -> Any:
    """A stage that was sent; runs in a worker, which goes where the process is that sent it, for the sake of paths."""
    import ray

    with suppress(OSError):  # a machine that lacks the folder, where absolute paths or names will do
        os.chdir(folder)
    return ray.get(stage)


def _fetched(ray: Any, one: Any) -> Any:
    try:
        return ray.get(one)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise OutsideError(f"a worker of the Ray cluster failed {_RETRIES} times: {error}") from None


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
