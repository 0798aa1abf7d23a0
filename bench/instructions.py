"""How many instructions an order takes in the server's process, counted by valgrind: it says the same whatever else the
machine does, but for what the server does by the clock.

    python -m bench.instructions [--connections 3 64]      needs valgrind

Orders come over HTTP on keep-alive connections in a closed loop, without a hold, with simulated gateways. The first
ones are not counted.
"""

import argparse
import os
import re
import shutil
import subprocess
import time
from itertools import repeat

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
        log = folder / "valgrind.log"
        out = f"--callgrind-out-file={folder / 'callgrind.out'}"
        tool = ("valgrind", "--tool=callgrind", "--instr-atstart=no", f"--log-file={log}", out)
        with serving({}, under=tool) as server:
            closed(server.port, connections, repeat(REST, WARM), ACCEPTED)
            server.all_ended(WARM, PATIENCE)
            _count(server, "on")
            closed(server.port, connections, repeat(REST, count), ACCEPTED)
            time.sleep(SETTLED)
            _count(server, "off")
            server.all_ended(WARM + count, PATIENCE)
        found = re.search(r"Collected : (\d+)", log.read_text())
    if found is None:
        raise RuntimeError("valgrind did not say how many instructions it counted")
    return int(found[1]) / count


def _count(server: Server, how: str) -> None:
    command = ("callgrind_control", "-i", how, str(server.process.pid))
    subprocess.run(command, check=True, capture_output=True)


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
