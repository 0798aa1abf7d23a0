"""A proxy in front of the emulated AWS: it throttles calls, leaves them without an answer, or answers 500 after the
work was done.

Functions, workflows and the poller of the queue call AWS through it. Waits of AWS's own are shortened as the workflow's
are (cloud.HASTE): how long a message is not visible. What a client waits for an answer is not waited for: the
connection ends.
"""

import json
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.aws.local.cloud import HASTE


class Fault(StrEnum):
    """What a call meets. ``SILENT``: the work was done, and the connection ends without an answer."""

    THROTTLED = "throttled"
    SILENT = "no answer"
    FAILED = "500 after the work"


class Call(NamedTuple):
    """What is called; ``id`` is the same for each try that the SDK makes of one call."""

    service: str
    operation: str
    id: str

    def __str__(self) -> str:
        return f"{self.service}.{self.operation}"


Rule = Callable[[Call], Fault | None]
_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
#: The error by which each protocol tells of too many calls, and of a fault of its own.
_CODES = {
    "dynamodb": (
        "com.amazon.coral.availability#ThrottlingException",
        "com.amazonaws.dynamodb.v20120810#InternalServerError",
    ),
    "sqs": ("com.amazonaws.sqs#RequestThrottled", "InternalFailure"),
    "states": ("ThrottlingException", "InternalFailure"),
    "secretsmanager": ("ThrottlingException", "com.amazonaws.secretsmanager#InternalServiceError"),
}

#: What Step Functions calls what happened to its call of a function. moto would call all of it ``Exception``, so that
#: the answer to such a call is a function's that failed by that name.
#: https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception
INVOKING = {
    Fault.THROTTLED: "Lambda.TooManyRequestsException",
    Fault.FAILED: "Lambda.ServiceException",
    Fault.SILENT: "Lambda.SdkClientException",
}
#: Headers that each connection writes itself.
_OURS = {"content-length", "connection", "transfer-encoding", "server", "date"}


def clear(_: Call) -> None:
    """The rule under which nothing goes wrong."""


class Proxy:
    """``rule`` decides what each call meets; ``behind`` is the address of the emulated AWS. ``met`` counts the faults
    by service, operation and kind, and ``calls`` lists the calls since ``forget``.
    """

    def __init__(self) -> None:
        self.behind = ""
        self.rule: Rule = clear
        self._lock = threading.Lock()
        self.forget()
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self}))
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def forget(self) -> None:
        self.calls: list[Call] = []
        self.met: Counter[tuple[str, Fault]] = Counter()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def decide(self, call: Call) -> Fault | None:
        with self._lock:
            self.calls.append(call)
            fault = self.rule(call)
            if fault:
                self.met[str(call), fault] += 1
            return fault

    @contextmanager
    def under(self, rule: Rule) -> Iterator[None]:
        self.rule = rule
        try:
            yield
        finally:
            self.rule = clear


@contextmanager
def proxy() -> Iterator[Proxy]:
    made = Proxy()
    try:
        yield made
    finally:
        made.close()


class _Handler(BaseHTTPRequestHandler):
    #: Whose handler it is; a proxy makes a class of its own.
    proxy: "Proxy"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.behind: HTTPConnection | None = None

    def do_POST(self) -> None:  # the base class's name
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        call = called(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        fault = self.proxy.decide(call)
        answer = None
        if fault is not Fault.THROTTLED:
            answer = self._forward(hastened(call, body))
        if fault is Fault.SILENT and call.service != "lambda":
            self.close_connection = True
        elif fault:
            self._answer(*refusal(call, fault))
        elif answer:
            self._answer(*answer)

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if self.behind is None:
            self.behind = HTTPConnection(urlsplit(self.proxy.behind).netloc, timeout=90)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
        self.behind.request(self.command, self.path, body=body, headers={**headers, "Content-Length": str(len(body))})
        got = self.behind.getresponse()
        kept = {name: value for name, value in got.getheaders() if name.lower() not in _OURS}
        return got.status, kept, got.read()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """What is called is in ``calls``."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up waiting closed its connection."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def called(path: str, headers: dict[str, str], body: bytes) -> Call:
    found = _SCOPE.search(headers.get("authorization", ""))
    service = found[1] if found else ""
    _, _, operation = headers.get("x-amz-target", "").rpartition(".")
    if service == "lambda" and path.endswith("/invocations"):
        operation = "Invoke"
    if not operation and body.startswith(b"Action="):
        (operation,) = parse_qs(body.decode())["Action"]
    return Call(service, operation, headers.get("amz-sdk-invocation-id", ""))


def hastened(call: Call, body: bytes) -> bytes:
    """A message comes back sooner, as a Retry does."""
    if call.operation != "ChangeMessageVisibility":
        return body
    asked = json.loads(body)
    return json.dumps({**asked, "VisibilityTimeout": -(-int(asked["VisibilityTimeout"]) // HASTE)}).encode()


def refusal(call: Call, fault: Fault) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer."""
    if call.service == "lambda":
        return 200, {"X-Amz-Function-Error": "Unhandled"}, json.dumps({"errorType": INVOKING[fault]}).encode()
    throttled, failed = _CODES.get(call.service, ("ThrottlingException", "InternalFailure"))
    code = throttled if fault is Fault.THROTTLED else failed
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-errortype": code.rpartition("#")[2]}
    body = json.dumps({"__type": code, "message": str(fault)}).encode()
    return (400 if fault is Fault.THROTTLED else 500), headers, body
