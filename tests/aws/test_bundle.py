"""What functions carry: everything they import and little else, so that a cold start stays short."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from expediter.aws.functions.table import FUNCTIONS
from infra.bundle import LAMBDA, bundle
from tests.infra.made import Made

#: Modules that a function's own import may load beyond boto3's and urllib3's. What that takes is measured, not tested:
#: see docs/reference/aws-checks.md.
BUDGET = 100
IMPORT = """
import json, sys
import boto3, urllib3
known = set(sys.modules)
import importlib
def refuse(event, _):
    if event.startswith("socket."):
        raise RuntimeError("an import looked to the network: " + event)
sys.addaudithook(refuse)
importlib.import_module(sys.argv[1])
print(json.dumps([len(set(sys.modules) - known), sorted(sys.modules), sys.modules['expediter'].__file__]))
"""


@pytest.fixture(scope="module")
def code(made: Made) -> Path:
    return made.code()


@pytest.mark.parametrize("module", sorted({path.rpartition(".")[0] for path in FUNCTIONS.values()}))
def test_a_function_imports_within_its_budget_without_network_and_only_what_it_carries(code: Path, module: str) -> None:
    command = [sys.executable, "-c", IMPORT, module]
    done = subprocess.run(command, env={"PYTHONPATH": str(code)}, capture_output=True, check=True)
    beyond, loaded, place = json.loads(done.stdout)
    packages = {name.split(".")[0] for name in loaded}
    assert Path(place).is_relative_to(code)
    assert not {"jsonata", "apsw", "starlette", "typer", "graphql", "httpx", "aiohttp"} & packages
    assert not {name for name in loaded if name.startswith("expediter.asl.")} - {"expediter.asl.protocol"}
    assert beyond <= BUDGET


def test_the_same_sources_make_the_same_bundle_for_lambda(tmp_path: Path) -> None:
    first, second = bundle(tmp_path / "one", LAMBDA), bundle(tmp_path / "two", LAMBDA)
    files = [
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (first, second)
    ]
    assert files[0] == files[1]
    assert sum(map(len, files[0].values())) < 2_000_000
    assert not any("__pycache__" in path.parts for path in files[0])
