"""The server, with time limits for a process that runs much more slowly: ``python -m bench.rig.slowly serve``.

Under valgrind each instruction takes tens of times as long. Without this the server would refuse orders because they
wait, and would interrupt units of work because they take long: it does neither at its own speed.
"""

import runpy

from expediter.embedded import time_slices
from expediter.embedded.sqlite import units
from expediter.embedded.web import app

#: How many times more slowly the process runs, or less.
SLOWER = 100

if __name__ == "__main__":
    app.TOO_LATE *= SLOWER
    for module in (time_slices, units):  # units has imported the name
        vars(module)["TIME_SLICE"] *= SLOWER
    runpy.run_module("expediter", run_name="__main__", alter_sys=True)
