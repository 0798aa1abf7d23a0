"""How many instructions an order takes in the server's process, counted by valgrind: it says the same whatever else the
machine does.

    python -m bench.instructions [--connections 3 64]      needs valgrind

Orders come over HTTP on keep-alive connections in a closed loop, without a hold, with simulated gateways. The first
ones are not counted. What the server does by the clock is counted without orders for as long, and is taken off:
valgrind makes the process so slow that this would be a tenth of the figure.
"""

import argparse
import os
import re
import shutil
import subprocess
import time
from itertools import repeat
from pathlib import Path

from bench.path import ACCEPTED, REST
from bench.rig.load import closed
from bench.rig.server import Server, serving, workplace

#: Orders before the count, and orders that are counted for each connection, at least COUNTED in all.
WARM, EACH, COUNTED = 300, 20, 400
#: Seconds in which the last orders end; seconds for all of them under valgrind.
SETTLED, PATIENCE = 2.0, 300.0


def instructions(connections: int) -> float:
    """Instructions an order. Raises RuntimeError when valgrind does not say."""
    count = max(COUNTED, EACH * connections)
    with workplace() as folder:
        out = folder / "callgrind.out"
        options = ("--instr-atstart=no", f"--log-file={folder / 'valgrind.log'}", f"--callgrind-out-file={out}")
        with serving({}, module="bench.rig.slowly", under=("valgrind", "--tool=callgrind", *options)) as server:
            closed(server.port, connections, repeat(REST, WARM), ACCEPTED)
            server.all_ended(WARM, PATIENCE)
            _control(server, "--instr=on")
            begun = time.monotonic()
            closed(server.port, connections, repeat(REST, count), ACCEPTED)
            time.sleep(SETTLED)
            seconds = time.monotonic() - begun
            with_orders = _counted(server, out)
            time.sleep(seconds)
            without = _counted(server, out)
            _control(server, "--instr=off")
            server.all_ended(WARM + count, PATIENCE)
    return (with_orders - without) / count


def _counted(server: Server, out: Path) -> int:
    """The instructions since this was asked last. Raises RuntimeError when valgrind does not say."""
    known = set(out.parent.glob(f"{out.name}.*"))
    _control(server, "--dump")
    for file in set(out.parent.glob(f"{out.name}.*")) - known:
        if found := re.search(r"^totals: (\d+)", file.read_text(), re.MULTILINE):
            return int(found[1])
    raise RuntimeError("valgrind did not say how many instructions it counted")


def _control(server: Server, what: str) -> None:
    subprocess.run(("callgrind_control", what, str(server.process.pid)), check=True, capture_output=True)


def main(arguments: list[str] | None = None) -> None:
    """Prints one line for each number of connections."""
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description=__doc__)
    parser.add_argument("--connections", type=int, nargs="+", default=[3, 64])
    given = parser.parse_args(arguments)
    if shutil.which("callgrind_control") is None:
        print("Instructions an order are not counted: valgrind is not installed.")
        return
    os.environ["PYTHONHASHSEED"] = "0"
    for connections in given.connections:
        thousands = instructions(connections) / 1000
        print(f"{thousands:8,.0f} thousand instructions an order over HTTP, {connections} connections")


if __name__ == "__main__":
    main()
