"""Where a model computes, and in what precision."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from xner._support.arguments import choose
from xner._support.extras import require
from xner.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor, Future

    import torch

__all__ = [
    "DTYPES",
    "Dtype",
    "batch_threads",
    "device_names",
    "dtype_name",
    "import_torch",
    "in_halves",
    "load_apart",
    "resolve_devices",
    "resolve_dtype",
    "share_of_cores",
    "side_by_side",
]

B = TypeVar("B")
R = TypeVar("R")
T = TypeVar("T")

_PROCESS = os.getpid()  # that imported this module; a forked one did not

# Batches that are on a processor at once: on two cores, two batches with a thread each are nearly twice as fast as one
# with two threads, which wait for each other at every layer. More would ask for more memory.
_MOST_AT_ONCE = 4

Dtype = Literal["auto", "float32", "float16", "bfloat16"]
DTYPES = {"auto": None, "float32": "float32", "float16": "float16", "bfloat16": "bfloat16"}


def import_torch(what: str) -> Any:
    """The module `torch`.

    A process that was forked computes with one thread: OpenMP's other threads do not survive a fork, and whoever counts
    on them waits forever.

    Args:
        what: who needs it, for the message of the error.

    Raises:
        MissingExtraError: it is not installed.
    """
    torch = require("torch", extra="models", what=what)
    if os.getpid() != _PROCESS and torch.get_num_threads() > 1:
        torch.set_num_threads(1)
    return torch


def resolve_devices(device: str | Sequence[str], *, what: str) -> list[torch.device]:
    """The devices to compute on.

    Args:
        device: `auto` (all CUDA devices, else Apple's MPS, else the processor), a device's name as torch spells it
            (`cuda:1`, `cpu`), or several names.
        what: who asks, for error messages.

    Raises:
        Error: no such device here; no device at all.
    """
    torch = import_torch(what)
    if device == "auto":
        if torch.cuda.is_available():
            return [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
        return [torch.device("mps" if torch.backends.mps.is_available() else "cpu")]
    names = [device] if isinstance(device, str) else list(device)
    if not names:
        raise OptionError("device=[]: expected 'auto' or the name of at least one device")
    devices = []
    for name in names:
        try:
            found = torch.device(name)
            torch.empty(0, device=found)
        except (AssertionError, NotImplementedError, RuntimeError, TypeError) as error:
            reason = str(error).partition("\n")[0]
            raise OptionError(f"device={name!r}: cannot compute there: {reason}") from None
        devices.append(found)
    return devices


def resolve_dtype(dtype: Dtype, device: torch.device, *, what: str) -> torch.dtype:
    """The precision of a model's weights and activations.

    Args:
        dtype: by name; `auto` is bfloat16 on CUDA devices that have it, float16 on others, float32 elsewhere.
        device: where the model will be.
        what: who asks, for error messages.

    Raises:
        Error: no such precision.
    """
    import_torch(what)
    import torch

    name = choose("dtype", dtype, DTYPES)
    if name is None:
        half = "bfloat16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "float16"
        name = half if device.type == "cuda" else "float32"
    found: torch.dtype = getattr(torch, name)
    return found


def dtype_name(dtype: torch.dtype) -> Dtype:
    """A precision's name, as `resolve_dtype` takes it."""
    return cast("Dtype", str(dtype).removeprefix("torch."))


def in_halves(work: Callable[[Sequence[T]], None], batch: Sequence[T]) -> None:
    """Do a batch of work, in two halves where the device has not the memory for it at once, and so on.

    Args:
        work: takes a batch; what it leaves behind when it fails must not matter.
        batch: at least one item.

    Raises:
        MemoryError: a single item is too large.
        torch.OutOfMemoryError: likewise.
    """
    torch = sys.modules.get("torch")  # other libraries compute without it
    out_of_memory = (MemoryError,) if torch is None else (MemoryError, torch.OutOfMemoryError)
    try:
        work(batch)
        return
    except out_of_memory:
        if len(batch) == 1:
            raise
    # Outside the handler: its traceback would keep the failed batch's tensors alive.
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
    middle = len(batch) // 2
    in_halves(work, batch[:middle])
    in_halves(work, batch[middle:])


def side_by_side(threads: Executor | None, work: Callable[[B], R], batches: Sequence[B]) -> Iterator[R]:
    """Do batches of work in several threads at once; a single batch is done here, with all threads of its own.

    Where one fails, or whoever waits is interrupted, no others are begun.

    Args:
        threads: None does one batch after the other.
        work: takes a batch.
        batches: what it takes.

    Yields:
        What `work` gives for each batch, in order.
    """
    if threads is None or len(batches) < 2:
        yield from map(work, batches)
        return
    begun: deque[Future[R]] = deque()
    try:
        for batch in batches:
            begun.append(threads.submit(work, batch))
        while begun:
            found = begun[0].result()
            begun.popleft()
            yield found
    finally:
        for one in begun:
            one.cancel()


def device_names(device: str) -> str | list[str]:
    """What an option for a device says, as models take it: several with commas."""
    return device if device == "auto" else device.split(",")


def share_of_cores(devices: int = 1) -> tuple[int, int]:
    """How many batches a model works on at once, and with how many threads each.

    On the cores that the process may use, and no more than `OMP_NUM_THREADS` says, as with torch.

    Args:
        devices: models that share the processor.
    """
    # Not every system says which cores this process may use.
    present = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    allowed = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()  # others are for regions within regions
    most = int(allowed) if allowed.isdecimal() and int(allowed) else present
    return _shares(max(1, min(present, most) // devices))


def _shares(cores: int) -> tuple[int, int]:
    workers = min(cores, _MOST_AT_ONCE)
    return workers, cores // workers


def load_apart(load: Callable[[], T]) -> T:
    """Load a model into CTranslate2 in a thread of its own.

    CTranslate2 sets OpenMP's number of threads in the thread that loads a model. Torch goes by the same number, and
    would compute there with as many as a batch has in CTranslate2: with one, most often.

    Args:
        load: gives the model.
    """
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(load).result()


def batch_threads() -> ThreadPoolExecutor | None:
    """Threads that compute a batch each on the processor, with torch; None where it computes with a single thread."""
    import torch

    threads = torch.get_num_threads()
    return _batch_threads(threads, os.getpid()) if threads > 1 else None


@lru_cache(maxsize=1)
def _batch_threads(threads: int, process: int) -> ThreadPoolExecutor:
    """See `batch_threads`; a process has one set of them, whatever the number of its models."""
    import torch

    workers, share = _shares(threads)
    all_there = threading.Barrier(workers)

    def begin() -> None:
        torch.get_num_threads()  # or torch would set what is set below anew when this thread first computes
        torch.set_num_threads(share)
        all_there.wait()

    pool = ThreadPoolExecutor(workers)
    for begun in [pool.submit(begin) for _ in range(workers)]:
        begun.result()
    torch.set_num_threads(threads)  # of this thread, and of those to come
    return pool
