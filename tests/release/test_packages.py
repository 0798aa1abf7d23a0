"""The wheel and the source archive, built as a release builds them, and used by somebody who has nothing else."""

import os
import shlex
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Where `make test-heavy` installs what builds a release: beside the Python that runs.
TOOLS = Path(sys.prefix) / "release/bin"
#: What pyproject.toml promises; of these, the ones that are here, from pyenv or the system.
VERSIONS = ["3.11", "3.12", "3.13", "3.14"]
pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(not TOOLS.exists(), reason="what builds a release is not installed (make test-heavy does)"),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with both, built from what git would hand out."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__"))
    command: list[str | Path] = [TOOLS / "python", "-m", "build", "--no-isolation", "--outdir", folder, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_pypi_would_show_the_description(built: Path) -> None:
    command: list[str | Path] = [TOOLS / "twine", "check", "--strict", *built.iterdir()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
    assert done.stdout.count("PASSED") == 2


def test_the_source_archive_has_every_file_of_the_package(built: Path) -> None:
    (archive,) = built.glob("expediter-*.tar.gz")
    with tarfile.open(archive) as opened:
        packed = {name.partition("/")[2] for name in opened.getnames()}
    here = {path.relative_to(ROOT).as_posix() for path in (ROOT / "src").rglob("*") if path.is_file()}

    assert {name for name in here if "__pycache__" not in name} - packed == set()
    assert {"LICENSE", "README.md", "pyproject.toml"} <= packed


def python(version: str) -> str | None:
    """An interpreter of that version that works, where there is one."""
    pyenv = sorted(Path("~/.pyenv/versions").expanduser().glob(f"{version}.*/bin/python"))
    for candidate in (shutil.which(f"python{version}"), *map(str, pyenv)):
        works = candidate and subprocess.run([candidate, "-c", "import venv, ssl"], capture_output=True, check=False)
        if works and works.returncode == 0:
            return candidate
    return None


@contextmanager
def served(command: Path, folder: Path) -> Iterator[str]:
    """``expediter serve`` in an empty folder with an emptied environment; its banner."""
    environment = {"PATH": os.defpath, "EXPEDITER_PORT": "0"}
    with subprocess.Popen(
        [command, "serve"], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield "".join(iter(process.stdout.readline, "Ctrl-C stops it; no order is lost.\n"))
        finally:
            process.terminate()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_first_order_from_the_wheel_alone(built: Path, tmp_path: Path, version: str) -> None:
    interpreter = python(version)
    if interpreter is None:
        pytest.skip(f"there is no Python {version} here")
    home, folder = tmp_path / "venv", tmp_path / "empty"
    folder.mkdir()
    subprocess.run([interpreter, "-m", "venv", "--without-pip", home], check=True)
    install: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        home / "bin/python",
        "install",
        "--quiet",
        "--no-input",
    ]
    locked: list[str | Path] = ["--require-hashes", "--only-binary", ":all:", "-r", ROOT / "requirements/run.txt"]
    subprocess.run([*install, *locked], check=True)
    (wheel,) = built.glob("*.whl")
    subprocess.run([*install, "--no-deps", wheel], check=True)

    with served(home / "bin/expediter", folder) as banner:
        (first,) = [line for line in banner.splitlines() if line.strip().startswith("curl")]
        answer = subprocess.run([*shlex.split(first), "-sS"], capture_output=True, text=True, check=True).stdout
        listing: list[str | Path] = [home / "bin/expediter", "orders", "list"]
        listed = subprocess.run(listing, cwd=folder, capture_output=True, text=True, check=True)

    assert answer.startswith("HTTP/1.1 204")
    assert answer.split("order-id: ")[1].split()[0] in listed.stdout
