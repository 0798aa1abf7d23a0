"""An unexpected error of ours: the server ends, instead of accepting orders that never go on."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run, Server, plain_environment, serving
from tests.storm.customers import until

#: A server whose loop fails with an error that nothing expects, once a certain file is there.
BROKEN = """
import pathlib, sys
from expediter.cli import main
from expediter.embedded.{module} import {kind}
works = {kind}.{function}
def breaks(*given):
    if pathlib.Path({file!r}).exists():
        raise ZeroDivisionError
    return works(*given)
{kind}.{function} = breaks
sys.argv = ["expediter", "serve"]
main()
"""


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("module", "kind", "function"),
    [("sqlite.writer", "Writer", "_begin_commit"), ("engine.dispatcher", "Dispatcher", "_look")],
)
def test_a_loop_that_dies_takes_the_server_with_it_and_the_next_one_goes_on(
    tmp_path: Path, module: str, kind: str, function: str, typed: Run
) -> None:
    fault = tmp_path / "fault"
    code = BROKEN.format(module=module, kind=kind, function=function, file=str(fault))
    environment = {**plain_environment(), "EXPEDITER_DATA": str(tmp_path / "data"), "EXPEDITER_PORT": "0"}
    command = [sys.executable, "-c", code]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment, text=True) as process,
    ):
        assert process.stdout
        server = Server(process.stdout.readline().split()[2], tmp_path / "data", "", process)
        order_id = server.accept()
        fault.touch()
        until(lambda: process.poll() is not None, "it ends")

    assert process.returncode == 1
    assert "ZeroDivisionError" in (tmp_path / "log").read_text()
    with serving(server.data) as again:
        assert typed("orders", "show", order_id, "--json", server=again).json["order"]["id"] == order_id
