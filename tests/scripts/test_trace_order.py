"""The trace counts our functions in the sequence in which they are called, and prints what it counted."""

import re
import subprocess
import sys
from pathlib import Path

from scripts.trace_order import Called, by_file, figures

ROOT = Path(__file__).parents[2]
CALLS = [Called("api/rest.py", "post"), Called("app/orders.py", "accept"), Called("api/rest.py", "post")]


def test_the_figures_count_calls_functions_files_and_file_changes() -> None:
    assert figures(CALLS) == {"calls": 3, "functions": 2, "files": 2, "file changes": 2}


def test_the_list_shows_the_file_with_the_most_calls_first_and_its_functions_below() -> None:
    assert list(by_file(CALLS)) == ["    2  api/rest.py", f"{2:10}  post", "    1  app/orders.py", f"{1:10}  accept"]


def test_the_trace_of_a_real_order_goes_from_the_connection_to_the_task_that_completes_it() -> None:
    words = [sys.executable, "-m", "scripts.trace_order", "--sequence", "--list"]

    printed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    counted = dict(re.findall(r"^(calls|functions|files|file changes) +\d+ +(\d+)$", printed, re.MULTILINE))
    assert list(counted) == ["calls", "functions", "files", "file changes"]
    assert sum(map(int, re.findall(r"^ *(\d+)  \S+\.py$", printed, re.MULTILINE))) == int(counted["calls"])
    assert len(re.findall(r"\.py$", printed, re.MULTILINE)) == int(counted["files"])
    assert re.search(r"\.connection_made$.*app/tasks/order\.py  complete$", printed, re.DOTALL | re.MULTILINE)
