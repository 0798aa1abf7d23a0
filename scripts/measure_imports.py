"""What a cold start of each function spends on imports: python -m scripts.measure_imports [RUNS]

Every function's module is imported from the bundle by a new interpreter, RUNS times (20), after boto3 and urllib3,
which Lambda's runtime brings along; told are the milliseconds of processor time beyond those. The budget is 50 ms: see
docs/reference/aws-checks.md.
"""

import json
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from expediter.aws.functions.table import FUNCTIONS
from infra.bundle import Target, bundle

HERE = Target(f"{sys.version_info.major}.{sys.version_info.minor}", platform.machine())
IMPORT = """
import sys, time
import boto3, urllib3
known, before = set(sys.modules), time.process_time()
import importlib
importlib.import_module(sys.argv[1])
spent = (time.process_time() - before) * 1000
import json
print(json.dumps([spent, len(set(sys.modules) - known)]))
"""


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        code = bundle(Path(folder) / "code", HERE)
        print(f"{'module':44} {'median ms':>9} {'from':>6} {'to':>6} {'modules':>8}")
        for module in sorted({path.rpartition(".")[0] for path in FUNCTIONS.values()}):
            imported(code, module)  # the disk is warm from here on
            found = [imported(code, module) for _ in range(runs)]
            times = sorted(spent for spent, _ in found)
            print(f"{module:44} {statistics.median(times):9.1f} {times[0]:6.1f} {times[-1]:6.1f} {found[0][1]:8}")


def imported(code: Path, module: str) -> tuple[float, int]:
    """Milliseconds and modules beyond boto3's."""
    command = [sys.executable, "-c", IMPORT, module]
    done = subprocess.run(command, env={"PYTHONPATH": str(code)}, capture_output=True, check=True)
    spent, modules = json.loads(done.stdout)
    return spent, modules


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
