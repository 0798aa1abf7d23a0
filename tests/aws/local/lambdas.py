"""The functions as AWS runs them: the real bundle under Lambda's runtime client and its Runtime Interface Emulator.

The emulator is one file of the wheel in requirements/rie.txt, put beside the interpreter by `make setup-aws`. It serves
one invocation at a time, and marks no failure: a failed function's answer is known by its errorType.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import urllib3

EMULATOR = Path(sys.prefix) / "aws-lambda-rie-x86_64"
PATH = "/2015-03-31/functions/function/invocations"
#: Seconds until a function answers for the first time, at most.
START = 30


class Lambda:
    """One function; its process starts at its first invocation."""

    def __init__(self, handler: str, code: Path, log: Path, environment: dict[str, str], timeout: int) -> None:
        self._timeout = timeout
        self._handler = handler
        self._code = code
        self._log = log
        self._environment = environment
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""

    def invoke(self, event: Any) -> Any:
        """What the handler gives, or ``{"errorType": …, "errorMessage": …}``."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            return msgspec.json.decode(self._post(msgspec.json.encode(event)))

    def stop(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.terminate()
                self._process.wait()
                self._process = None

    def _start(self) -> None:
        port, api = free_port(), free_port()
        self._url = f"http://127.0.0.1:{port}{PATH}"
        addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
        addresses += ["--runtime-api-address", f"127.0.0.1:{api}"]
        command = [str(EMULATOR), *addresses, sys.executable, "-m", "awslambdaric", self._handler]
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self._code),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(self._timeout),
            "LAMBDA_TASK_ROOT": str(self._code),
            **self._environment,
        }
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, cwd=self._code, stdout=log, stderr=log)

    def _post(self, body: bytes) -> bytes:
        """The emulator needs a moment until it listens; should another process have its port, it takes others."""
        end = time.monotonic() + START
        while True:
            try:
                return urllib3.request("POST", self._url, body=body, timeout=40, retries=False).data
            except urllib3.exceptions.NewConnectionError:
                if time.monotonic() > end:
                    raise
                if self._process is not None and self._process.poll() is not None:
                    self._start()
                time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
