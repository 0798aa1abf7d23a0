"""``expediter serve`` that looks at its own stack: what ``bench.profile`` starts.

From SIGUSR1 on, a sample each time that the process used a millisecond of processor time (the system's clock may be
coarser), until SIGUSR2 writes what was seen to the file that BENCH_SAMPLES names. A sample is the main thread's stack,
so the thread that commits is seen in the processor time of threads only.
"""

import os
import signal
from collections import Counter
from pathlib import Path
from types import FrameType

import msgspec

from expediter.cli import main

INTERVAL = 0.001
#: Frames of a stack that are kept, innermost first.
DEPTH = 48

Stack = tuple[str, ...]
_stacks: Counter[Stack] = Counter()
_threads: dict[str, float] = {}


class Samples(msgspec.Struct):
    """Stacks as ``file:function``, innermost first, and how often each was seen; seconds of processor time."""

    stacks: list[tuple[Stack, int]]
    main_thread: float
    other_threads: float


def sample(_: int, frame: FrameType | None) -> None:
    stack = list[str]()
    while frame is not None and len(stack) < DEPTH:
        stack.append(f"{frame.f_code.co_filename}:{frame.f_code.co_name}")
        frame = frame.f_back
    _stacks[tuple(stack)] += 1


def begin(_: int, __: FrameType | None) -> None:
    _stacks.clear()
    _threads.update(used())
    signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)


def end(_: int, __: FrameType | None) -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)
    spent = {name: seconds - _threads[name] for name, seconds in used().items()}
    found = Samples(list(_stacks.items()), spent["main"], spent["others"])
    file = Path(os.environ["BENCH_SAMPLES"])
    file.with_suffix(".part").write_bytes(msgspec.json.encode(found))
    file.with_suffix(".part").rename(file)


def used() -> dict[str, float]:
    """Seconds of processor time of the main thread, and of the others together."""
    ticks, seconds = os.sysconf("SC_CLK_TCK"), {"main": 0.0, "others": 0.0}
    for stat in Path("/proc/self/task").glob("*/stat"):
        fields = stat.read_text().rpartition(")")[2].split()
        name = "main" if stat.parent.name == str(os.getpid()) else "others"
        seconds[name] += (int(fields[11]) + int(fields[12])) / ticks
    return seconds


if __name__ == "__main__":
    signal.signal(signal.SIGPROF, sample)
    signal.signal(signal.SIGUSR1, begin)
    signal.signal(signal.SIGUSR2, end)
    main()
