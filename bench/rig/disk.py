"""What the disk takes to make an append durable, as a write-ahead log does it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

#: Bytes of one append: about what a commit writes at the pace of the open loop.
APPEND = 64 * 1024
#: Seconds between the appends of a probe that runs beside something else, so that it is no load of its own.
PAUSE = 0.01


def syncs(folder: Path, seconds: float, pause: float = 0) -> list[float]:
    """Seconds that each fdatasync took, append after append, with a pause between them."""
    file = folder / "appended"
    block, taken = os.urandom(APPEND), list[float]()
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            os.write(descriptor, block)
            begin = time.perf_counter()
            os.fdatasync(descriptor)
            taken.append(time.perf_counter() - begin)
            time.sleep(pause)
    finally:
        os.close(descriptor)
        file.unlink()
    return taken


@contextmanager
def probe(folder: Path, seconds: float) -> Iterator[list[float]]:
    """The same in a process of its own, beside what the block does; the list is filled when it ends.

    The block begins with the first append: what a process takes to start would be the server's in the figures.
    """
    words = [sys.executable, "-m", "bench.rig.disk", str(folder), str(seconds)]
    taken: list[float] = []
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield taken
        output, _ = process.communicate()
    taken.extend(msgspec.json.decode(output, type=list[float]))


if __name__ == "__main__":
    print("ready", flush=True)
    print(msgspec.json.encode(syncs(Path(sys.argv[1]), float(sys.argv[2]), PAUSE)).decode())
