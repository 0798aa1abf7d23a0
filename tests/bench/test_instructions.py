"""The instructions of an order are counted where valgrind is."""

from pathlib import Path

import pytest

from bench.instructions import main


def test_without_valgrind_a_sentence_says_that_nothing_is_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    main([])

    assert capsys.readouterr().out == "Instructions an order are not counted: valgrind is not installed.\n"
