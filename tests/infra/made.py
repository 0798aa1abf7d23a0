"""The stack's templates and the code of its functions, made once in a run of the tests, whatever number of processes
runs them: each takes seconds.
"""

import compileall
import fcntl
import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.bundle import LAMBDA, Target, bundle

#: The bundle for this machine, from the same lock as the one that is deployed.
HERE = Target(f"{sys.version_info.major}.{sys.version_info.minor}", platform.machine())


class Made:
    """``root``: a folder that all processes of the run have."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        own = factory.getbasetemp()
        # A process of pytest-xdist has a folder inside the run's.
        self._root = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def code(self) -> Path:
        """The functions' code for this machine. It is compiled, so that their processes start sooner."""

        def make(folder: Path) -> None:
            compileall.compile_dir(bundle(folder, HERE), quiet=1)

        return self._once("code", make)

    def template(self, stage: str = "dev", **settings: str) -> Path:
        """The file of the stage's template, as the environment variables ``settings`` have it."""

        def make(folder: Path) -> None:
            from infra.app import application  # noqa: PLC0415  # importing it starts Node

            with pytest.MonkeyPatch.context() as patch:
                for name, value in settings.items():
                    patch.setenv(name, value)
                application(stage, folder, self.lambda_code()).synth()

        told = json.dumps([stage, settings], sort_keys=True)
        folder = self._once(f"{stage}-{hashlib.sha256(told.encode()).hexdigest()[:8]}", make)
        return folder / f"Orders-{stage}.template.json"

    def read(self, stage: str = "dev", **settings: str) -> Any:
        return json.loads(self.template(stage, **settings).read_text())

    def lambda_code(self) -> Path:
        """The functions' code as it is deployed."""
        return self._once("lambda", lambda folder: bundle(folder, LAMBDA))

    def _once(self, name: str, make: Callable[[Path], object]) -> Path:
        """The folder of that name. The first who asks fills it; the others wait."""
        folder, done = self._root / name, self._root / f"{name}.done"
        with (self._root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                make(folder)
                done.touch()
        return folder
