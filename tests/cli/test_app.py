"""``expediter`` itself: its version, its help, what the shell completes."""

import subprocess
import sys

import pytest

from expediter import __version__
from tests.cli.conftest import Run


def test_it_says_its_version(typed: Run) -> None:
    assert typed("--version").out == f"expediter {__version__}\n"


@pytest.mark.parametrize("words", [(), ("serve",), ("orders",), ("orders", "list"), ("workflow", "run")])
def test_every_command_explains_itself_with_h_as_with_help(typed: Run, words: tuple[str, ...]) -> None:
    assert typed(*words, "-h") == typed(*words, "--help")
    assert "Usage: " in typed(*words, "-h").out


def test_a_shell_completes_its_commands() -> None:
    asked = {"_EXPEDITER_COMPLETE": "complete_bash", "COMP_WORDS": "expediter re", "COMP_CWORD": "1"}
    command = [sys.executable, "-c", "import sys; sys.argv = ['expediter']; from expediter.cli import main; main()"]
    completed = subprocess.run(command, env=asked, capture_output=True, text=True, check=True)

    assert completed.stdout.split() == ["reconcile"]
