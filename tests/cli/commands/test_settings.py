"""``expediter settings`` and ``expediter init``, as processes of their own in a folder of their own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from expediter.embedded.settings import defaults
from tests.cli.conftest import plain_environment


def run(here: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = plain_environment() | {f"EXPEDITER_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "expediter", *words]
    return subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, check=False)


def shown(here: Path, **settings: str) -> dict[str, tuple[str, str]]:
    rows = json.loads(run(here, "settings", "--json", **settings).stdout)
    return {row["name"].removeprefix("EXPEDITER_"): (row["value"], row["source"]) for row in rows}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with the file that ``expediter init`` writes."""
    assert run(tmp_path, "init").returncode == 0
    return tmp_path


def uncommented(file: Path, *names: str) -> None:
    lines = file.read_text().splitlines()
    wanted = tuple(f"#EXPEDITER_{name}=" for name in names)
    file.write_text("\n".join(line.removeprefix("#") if line.startswith(wanted) else line for line in lines))


def test_the_file_that_it_writes_changes_nothing_and_is_its_owners(here: Path) -> None:
    assert {source for _, source in shown(here).values()} == {"default"}
    assert (here / "expediter.env").stat().st_mode & 0o777 == 0o600


def test_the_file_has_every_setting_and_all_of_its_lines_may_be_used(here: Path) -> None:
    uncommented(here / "expediter.env", *(name.removeprefix("EXPEDITER_") for name in defaults()))

    done = run(here, "settings")

    assert done.stderr == ""
    assert done.stdout.count("expediter.env") == len(defaults())


def test_what_is_there_is_not_written_over(here: Path) -> None:
    before = (here / "expediter.env").read_text()
    refused = run(here, "init")

    assert (refused.returncode, "is there already" in refused.stderr) == (2, True)
    assert (here / "expediter.env").read_text() == before
    assert run(here, "init", "nowhere/x.env").stderr.endswith("cannot be written: No such file or directory.\n")


def test_each_setting_is_shown_with_its_source_and_no_secret(here: Path) -> None:
    uncommented(here / "expediter.env", "TOKEN", "CURRENCY")
    (here / "key").write_text("sk_test_1\n")

    found = shown(here, PORT="0", STRIPE_KEY_FILE="key", SMTP_URL="smtp://me:hidden@mail:25")

    assert found["TOKEN"] == ("(secret)", "expediter.env")
    assert found["CURRENCY"] == ("USD", "expediter.env")
    assert found["PORT"] == ("0", "environment")
    assert found["STRIPE_KEY"] == ("(secret)", "key (EXPEDITER_STRIPE_KEY_FILE)")
    assert found["SMTP_URL"] == ("(secret)", "environment")
    assert found["DATA"] == ("./data", "default")


def test_an_unknown_setting_is_named_without_its_value(here: Path) -> None:
    done = run(here, "settings", TOKNE="hidden")

    assert done.returncode == 2
    assert "Did you mean EXPEDITER_TOKEN?" in done.stderr
    assert "hidden" not in done.stdout + done.stderr


def test_every_command_reads_the_file(here: Path) -> None:
    (here / "expediter.env").write_text("EXPEDITER_PORT=1\nEXPEDITER_DATA=elsewhere\n")

    assert "http://127.0.0.1:1 " in run(here, "orders", "cancel", "00000000-0000-0000-0000-000000000000").stderr
    assert "There is no data in elsewhere" in run(here, "orders", "list").stderr
    assert "There is no data in other" in run(here, "orders", "list", DATA="other").stderr


def test_a_wrong_line_stops_every_command_with_one_sentence(here: Path) -> None:
    (here / "expediter.env").write_text("EXPEDITER_PORT: 1\n")
    refused = run(here, "orders", "list")

    assert refused.returncode == 2
    assert refused.stderr == "expediter: expediter.env, line 1: give NAME=VALUE, or begin a comment with #.\n"
