"""The page about the states language as a library: its example runs as it stands."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/how-to/states-language-library.md"


def test_the_example_of_the_page_runs_in_ten_lines() -> None:
    (example,) = re.findall(r"```python\n(.+?)```", PAGE.read_text(), re.DOTALL)

    exec(compile(example, str(PAGE), "exec"), {})
    assert len([line for line in example.splitlines() if line]) <= 10
