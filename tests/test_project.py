"""The project's own promises: exact locks, the make targets that the documents name, sizes, and what a wheel holds."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
TARGETS = frozenset({"help", "setup", "run", "test", "test-all", "check", "demo", "bench", "crash", "lock"})

each_lock = pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)


def entries(lock: Path) -> list[str]:
    """The lock's requirements, each with its hashes, on one line each."""
    text = re.sub(r"^\s*#.*\n", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return text.replace("\\\n", " ").strip().splitlines()


def pins(lock: Path) -> set[tuple[str, str, str]]:
    """(name, version, environment marker) of every requirement in the lock."""
    return {(r.name, str(r.specifier), str(r.marker or "")) for r in map(requirement, entries(lock))}


def requirement(entry: str) -> Requirement:
    return Requirement(entry.split(" --hash", maxsplit=1)[0])


def wanted(source: Path) -> list[str]:
    """The requirements that a person wrote into an .in file."""
    lines = (line.split("#")[0].strip() for line in source.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("-")]


def dependencies() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["dependencies"])


#: Locks of virtualenvs that hold nothing else.
APART = {"client", "localstack", "release"}


@each_lock
def test_a_lock_pins_one_version_with_hashes_for_every_requirement(lock: Path) -> None:
    loose = [entry for entry in entries(lock) if not re.match(r"[\w.-]+==[\w.]+\s.*--hash=sha256:[0-9a-f]{64}", entry)]
    assert loose == []
    assert entries(lock)


@each_lock
def test_a_lock_names_no_address_and_no_folder(lock: Path) -> None:
    assert re.findall(r".*(?:://|--index|--extra-index|--find-links|--trusted|(?<![\w.])/\w).*", lock.read_text()) == []


@each_lock
def test_a_lock_holds_everything_its_source_asks_for(lock: Path) -> None:
    asked = wanted(lock.with_suffix(".in")) + (dependencies() if lock.stem == "run" else [])
    locked = {r.name: r.specifier for r in map(requirement, entries(lock))}
    assert {Requirement(text).name for text in asked} <= locked.keys()
    versions = {name: str(pin).removeprefix("==") for name, pin in locked.items()}
    assert [text for text in asked if versions[Requirement(text).name] not in Requirement(text).specifier] == []


@each_lock
def test_no_lock_disagrees_with_what_the_server_runs_on(lock: Path) -> None:
    if lock.stem in APART:
        return
    run = {name: version for name, version, _ in pins(ROOT / "requirements/run.txt")}
    assert [pin for pin in pins(lock) if run.get(pin[0], pin[1]) != pin[1]] == []


def test_the_make_targets_of_the_design_exist_and_say_what_they_do() -> None:
    described = re.findall(r"^([a-z-]+):.* ## \w", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(described) >= TARGETS


def test_no_file_and_no_function_is_too_long() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/check_sizes.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("lines", "code"), [(350, 0), (351, 1)])
def test_the_size_check_refuses_a_file_past_its_limit(tmp_path: Path, lines: int, code: int) -> None:
    (tmp_path / "long.py").write_text("x = 1\n" * lines)
    assert check_sizes(tmp_path) == code


@pytest.mark.parametrize(("lines", "code"), [(40, 0), (41, 1)])
def test_the_size_check_measures_a_function_without_its_docstring(tmp_path: Path, lines: int, code: int) -> None:
    body = '    """One.\n\n    Two.\n    """\n' + "    x = 1\n" * (lines - 1)
    (tmp_path / "long.py").write_text(f"def f():\n{body}")
    assert check_sizes(tmp_path) == code


def check_sizes(folder: Path) -> int:
    command = [sys.executable, "scripts/check_sizes.py", str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode


@pytest.mark.heavy
def test_a_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(tmp_path), str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("expediter-*.whl")

    packed = set(zipfile.ZipFile(wheel).namelist())

    sources = (path for path in (ROOT / "src/expediter").rglob("*") if path.is_file())
    here = {path.relative_to(ROOT / "src").as_posix() for path in sources if "__pycache__" not in path.parts}
    assert here - packed == set()
