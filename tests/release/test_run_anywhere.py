"""The Dockerfile, compose.yaml, the Caddyfile and the systemd unit: what their own tools say, and whether they fit."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from expediter.embedded.settings import defaults, from_environment

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy/expediter.service"
HADOLINT = Path(sys.prefix) / "release/bin/hadolint"


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def settings_named(text: str) -> set[str]:
    return set(re.findall(r"EXPEDITER_[A-Z_]*[A-Z]", text))


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "deploy/expediter.service"])
def test_every_setting_they_name_is_one(name: str) -> None:
    named = settings_named((ROOT / name).read_text())

    assert named
    assert {setting.removesuffix("_FILE") for setting in named} - defaults().keys() == set()


@pytest.mark.heavy
@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint is not installed (make test-heavy does)")
def test_the_dockerfile_has_no_fault_that_hadolint_knows() -> None:
    done = subprocess.run([HADOLINT, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_takes_only_what_it_copies(tmp_path: Path) -> None:
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    allowed = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)

    assert {file for files in copied for file in files.split()} == set(allowed)
    assert all((ROOT / file).exists() for file in allowed)


def test_the_container_runs_as_nobody_in_particular_and_is_asked_whether_it_is_ready() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()

    assert "USER 10001" in lines[lines.index("FROM python:3.13-slim-bookworm", 3) :]
    assert any("/readyz" in line for line in lines)
    assert 'CMD ["serve"]' in lines


def test_compose_gives_the_server_a_token_a_folder_and_nothing_to_write_elsewhere(compose: Any) -> None:
    server = compose["services"]["expediter"]

    assert server["read_only"] is True
    assert server["cap_drop"] == ["ALL"]
    assert "ports" not in server
    assert server["volumes"] == ["orders:/data"]
    assert server["environment"]["EXPEDITER_TOKEN_FILE"] == "/run/secrets/token"
    assert server["secrets"] == list(compose["secrets"]) == ["token"]


def test_compose_trusts_the_proxy_and_nobody_else(compose: Any) -> None:
    trusted = compose["services"]["expediter"]["environment"]["EXPEDITER_TRUSTED_PROXIES"]

    assert [{"subnet": trusted}] == compose["networks"]["inside"]["ipam"]["config"]
    found = from_environment({"EXPEDITER_TRUSTED_PROXIES": trusted, "EXPEDITER_TOKEN": "x" * 16})
    assert [str(network) for network in found.trusted_proxies] == [trusted]


@pytest.mark.skipif(not shutil.which("caddy"), reason="there is no caddy here")
def test_caddy_takes_its_file() -> None:
    command = ["caddy", "validate", "--adapter", "caddyfile", "--config", str(ROOT / "deploy/Caddyfile")]
    done = subprocess.run(
        command, env={"DOMAIN": "orders.example.com", "HOME": "/tmp"}, capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_finds_little_that_the_unit_could_do_to_the_machine() -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    (exposure,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert float(exposure) <= 2.5


def test_the_unit_leaves_the_server_what_it_needs() -> None:
    text = UNIT.read_text()

    assert "AF_UNIX" in text, "the event loop wakes itself by a pair of sockets"
    assert "~@privileged\n" in text, "@resources stays: it sets limits for what the console tries"
