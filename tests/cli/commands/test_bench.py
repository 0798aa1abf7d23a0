"""``expediter bench`` measures where the measurements are, and says where they are elsewhere."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from expediter.cli.app import app
from expediter.cli.commands import bench


@pytest.mark.parametrize(("arguments", "code"), [(["--only", ""], 0), (["--only", "nothing-of-that-name"], 1)])
def test_a_checkout_measures_and_gives_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], arguments: list[str], code: int
) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench/__main__.py").write_text(
        "import json, sys; print(json.dumps(sys.argv[1:])); sys.exit('nothing-of-that-name' in sys.argv)"
    )
    monkeypatch.setattr(bench, "CHECKOUT", tmp_path)

    done = CliRunner().invoke(app, ["bench", "--rounds", "2", *arguments, "--json"])

    assert done.exit_code == code
    assert json.loads(capfd.readouterr().out) == ["--rounds", "2", "--seconds", "3.0", *arguments, "--json"]


def test_the_installed_package_says_where_the_measurements_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "CHECKOUT", tmp_path)

    done = CliRunner().invoke(app, ["bench"])

    assert done.exit_code == 2
    assert "make bench" in done.stderr


def test_this_checkout_has_the_measurements() -> None:
    assert (bench.CHECKOUT / "bench/__main__.py").exists()
