"""The code of all functions: one folder with our package and its dependencies, built without network.

`make setup-aws` fetched the wheels of requirements/lambda.txt. boto3 is part of Lambda's Python. The workflow language
is left out but for the protocol whose names the use cases mention: Step Functions runs the workflow there, and what it
imports would double a cold start.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
#: Where `make setup-aws` put the wheels.
WHEELS = Path(sys.prefix) / "lambda-wheels"
PACKAGES = ("api", "app", "aws", "contracts", "domain")


class Target(NamedTuple):
    """The runtime of the bundle: a Python version, and an architecture in the words of wheels."""

    python: str
    machine: str


#: arm64 costs a fifth less than x86_64.
LAMBDA = Target("3.14", "aarch64")


def bundle(folder: Path, target: Target = LAMBDA) -> Path:
    """Fills the folder. The same sources give the same bytes, so that an unchanged function is not deployed again."""
    shutil.rmtree(folder, ignore_errors=True)
    package = folder / "expediter"
    source = ROOT / "src/expediter"
    for name in PACKAGES:
        shutil.copytree(source / name, package / name, ignore=shutil.ignore_patterns("__pycache__", "examples"))
    shutil.copy(source / "__init__.py", package)
    (package / "asl").mkdir()
    (package / "asl/__init__.py").write_text('"""Only the protocol: Step Functions runs the workflow."""\n')
    shutil.copy(source / "asl/protocol.py", package / "asl")
    _install(folder, target)
    return folder


def _install(folder: Path, target: Target) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--no-index", "--find-links", str(WHEELS), "--target", str(folder), "--no-deps", "--only-binary=:all:"]
    command += ["--platform", f"manylinux2014_{target.machine}", "--platform", f"manylinux_2_28_{target.machine}"]
    command += ["--python-version", target.python, "--require-hashes"]
    subprocess.run([*command, "-r", str(ROOT / "requirements/lambda.txt")], check=True)
