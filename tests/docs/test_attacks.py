"""The table of attacks on the durability page: each row says what happens, and names tests that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_ROWS = re.compile(r"^\| (?!attack \||--- \|)(.+) \| (.+) \| (.+) \|$", re.MULTILINE)


def rows() -> list[tuple[str, str, str]]:
    _, _, part = (ROOT / "docs/explanation/durability.md").read_text().partition("## What attacks meet")
    return _ROWS.findall(part)


def test_the_table_has_a_row_for_each_attack() -> None:
    assert len(rows()) >= 40


@pytest.mark.parametrize(("attack", "happens", "tests"), rows(), ids=lambda text: text[:40])
def test_an_attack_has_tests_that_there_are(attack: str, happens: str, tests: str) -> None:
    named = re.findall(r"`([^`]+)`", tests)

    assert attack
    assert happens
    assert named
    for path in named:
        assert (ROOT / "tests" / path).exists(), path
