"""Settings in a file and in files of their own: what is read, what wins, what is refused with its line."""

from pathlib import Path

import pytest

from expediter.cli.setting_file import Given, SettingsUnreadable, gathered


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which commands are typed."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def values(environment: dict[str, str], named: Path | None = None) -> dict[str, str]:
    return {name: given.value for name, given in gathered(environment, named).items()}


def test_without_a_file_the_environment_alone_counts() -> None:
    assert gathered({"EXPEDITER_PORT": "1", "HOME": "/x"}) == {"EXPEDITER_PORT": Given("1", "environment")}


def test_the_environment_wins_over_the_file(here: Path) -> None:
    written(here / "expediter.env", "# ours\n\nEXPEDITER_PORT=1\n EXPEDITER_HOST=::1\nOTEL_SERVICE_NAME=shop\n")

    found = gathered({"EXPEDITER_PORT": "2"})

    assert found["EXPEDITER_PORT"] == Given("2", "environment")
    assert found["EXPEDITER_HOST"] == Given("::1", "expediter.env")
    assert found["OTEL_SERVICE_NAME"].value == "shop"


def test_a_file_that_is_named_is_read_instead_of_the_usual_one(here: Path) -> None:
    written(here / "expediter.env", "EXPEDITER_PORT=1\n")
    other, third = written(here / "other", "EXPEDITER_PORT=2\n"), written(here / "third", "EXPEDITER_PORT=3\n")

    assert values({}, other) == {"EXPEDITER_PORT": "2"}
    assert values({"EXPEDITER_SETTINGS": str(third)}) == {"EXPEDITER_PORT": "3"}
    assert values({"EXPEDITER_SETTINGS": str(third)}, other) == {"EXPEDITER_PORT": "2"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", ""),
        ("plain", "plain"),
        ("two words", "two words"),
        ("smtp://a:25?from=b@c.example", "smtp://a:25?from=b@c.example"),
        ("'a $b #c \\d'", "a $b #c \\d"),
        ('"it\'s so"', "it's so"),
    ],
)
def test_a_value_may_stand_in_quotes(here: Path, text: str, value: str) -> None:
    assert values({}, written(here / "x", f"EXPEDITER_TOKEN={text}\n")) == {"EXPEDITER_TOKEN": value}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("EXPEDITER_PORT=1\nhello", "line 2: give NAME=VALUE"),
        ("export EXPEDITER_PORT=1", "line 1: give NAME=VALUE"),
        ("EXPEDITER_PORT = 1", "line 1: give NAME=VALUE"),
        ("PATH=/x", "line 1: PATH is not a setting"),
        ("EXPEDITER_SETTINGS=/x", "line 1: EXPEDITER_SETTINGS is not a setting"),
        ("EXPEDITER_PORT=1\nEXPEDITER_PORT=2", "line 2: EXPEDITER_PORT is given twice"),
        ("EXPEDITER_TOKEN=secret$1", "line 1: EXPEDITER_TOKEN has a value with"),
        ("EXPEDITER_TOKEN='secret", "Put it in single quotes"),
        ("EXPEDITER_TOKEN=secret # mine", "Put it in single quotes"),
        ('EXPEDITER_TOKEN="secret\\n"', "Put it in single quotes"),
    ],
)
def test_what_is_not_plain_is_refused_with_its_line_and_without_its_value(here: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsUnreadable) as refused:
        gathered({}, written(here / "x", text))

    assert message in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_setting_may_be_in_a_file_of_its_own(here: Path) -> None:
    token = written(here / "token", "s3cret\n", 0o444)

    assert gathered({"EXPEDITER_TOKEN_FILE": str(token)}) == {
        "EXPEDITER_TOKEN": Given("s3cret", f"{token} (EXPEDITER_TOKEN_FILE)")
    }


@pytest.mark.parametrize("content", ["", "\n", "two\nlines\n", "a\tb"])
def test_such_a_file_holds_one_line(here: Path, content: str) -> None:
    with pytest.raises(SettingsUnreadable, match=r"EXPEDITER_TOKEN_FILE=.* has to hold one line"):
        gathered({"EXPEDITER_TOKEN_FILE": str(written(here / "token", content))})


def test_a_setting_and_its_file_are_not_both_taken(here: Path) -> None:
    with pytest.raises(SettingsUnreadable, match="EXPEDITER_TOKEN and EXPEDITER_TOKEN_FILE are both set"):
        gathered({"EXPEDITER_TOKEN": "a", "EXPEDITER_TOKEN_FILE": str(written(here / "token", "b"))})


@pytest.mark.parametrize("name", ["EXPEDITER_SETTINGS", "EXPEDITER_TOKEN_FILE"])
def test_a_file_that_is_not_there_or_is_none_is_refused_in_a_sentence(here: Path, name: str) -> None:
    for path, why in ((here / "none", "No such file"), (here, "not a regular file")):
        with pytest.raises(SettingsUnreadable, match=why):
            gathered({name: str(path)})


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_may_write_is_refused(here: Path, mode: int) -> None:
    path = written(here / "x", "EXPEDITER_PORT=1\n", mode)

    for environment in ({"EXPEDITER_SETTINGS": str(path)}, {"EXPEDITER_TOKEN_FILE": str(path)}):
        with pytest.raises(SettingsUnreadable, match="can be written by others"):
            gathered(environment)
