"""The map of the code is true: its files are there, its lists are whole, its words are in the code."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.draw_architecture import WAY
from scripts.trace_order import traced

ROOT = Path(__file__).parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
GLOSSARY = (ROOT / "docs/explanation/glossary.md").read_text()
SECTIONS = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", CONTRIBUTING, re.MULTILINE | re.DOTALL))
_PATH = re.compile(r"`((?:src|infra|tests|docs|scripts)/[\w/.-]+)`")
#: The standard library's package of that name is not the field.
_LIBRARY = re.compile(r"^(from|import) email.*", re.MULTILINE)
#: Files on the way of an order that simulated gateways and a server without mail leave out.
ELSEWHERE = {
    "app/gateways/payment.py",
    "app/gateways/restaurant.py",
    "app/mails.py",
    "embedded/engine/gateways.py",
    "embedded/mail/outbox.py",
    "embedded/web/feed.py",
}


def naming(word: str) -> Iterator[str]:
    """The files below src and infra that name the word."""
    for folder in ("src", "infra"):
        for file in (ROOT / folder).rglob("*.*"):
            if file.suffix in {".py", ".json", ".graphql", ".sql", ".html", ".css"}:
                text = _LIBRARY.sub("", file.read_text())
                if re.search(rf"\b{word}\b", text):
                    yield file.relative_to(ROOT).as_posix()


def test_every_path_in_contributing_is_there() -> None:
    assert [path for path in _PATH.findall(CONTRIBUTING) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("section", SECTIONS)
def test_the_list_of_a_change_has_every_file_that_names_its_example(section: str) -> None:
    text = SECTIONS[section]
    (example,) = re.findall(r"^Example: `(\w+)`$", text, re.MULTILINE)
    found = {file for file in naming(example) if example != "email" or file.startswith("src/")}
    assert len(found) > 3
    assert found - set(_PATH.findall(text)) == set()


def test_there_are_lists_for_a_field_a_task_a_status_an_operation_and_a_gateway() -> None:
    assert [re.sub(r"^Add an? (\w+).*", r"\1", section) for section in SECTIONS] == [
        "field",
        "task",
        "status",
        "operation",
        "gateway",
    ]


def test_the_glossary_has_at_most_40_terms_and_each_is_in_its_file() -> None:
    rows = re.findall(r"^\| (.+?) \| .+ \| `(\w+)` in `([\w/.]+)` \|$", GLOSSARY, re.MULTILINE)
    assert len(rows) == len([line for line in GLOSSARY.splitlines() if line.startswith("| ")]) - 2 <= 40
    missing = [
        term for term, name, file in rows if not re.search(rf"\b{name}\b", (ROOT / "src/expediter" / file).read_text())
    ]
    assert missing == []


def test_the_pictures_are_as_the_code_has_them_now() -> None:
    command = [sys.executable, "-m", "scripts.draw_architecture", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_files_on_the_way_of_an_order_are_those_that_an_order_is_traced_through() -> None:
    drawn = {file for phase in WAY for step in phase.steps for file in step.files}
    through = {call.file for calls in traced() for call in calls}
    assert drawn - through == ELSEWHERE
    assert all((ROOT / "src/expediter" / file).exists() for file in drawn)
