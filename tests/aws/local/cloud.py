"""moto in a process of its own, where functions run as AWS runs them and workflows really are executed.

    python -m tests.aws.local.cloud CODE FOLDER [FRONT]     prints its port

It ends, with all it started, when its stdin does.

FRONT is the address of a proxy in front of it (faults.py): functions and workflows call that one.

A process of its own, because moto keeps one state, one configuration and its executions' threads per process: what
other tests do with moto in theirs cannot disturb this one, and nothing of this one outlives its tests.
CODE is the functions' bundle, FOLDER takes their logs.
"""

import copy
import json
import os
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.core.config import default_user_config
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler
from moto.server import ThreadedMotoServer
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl

from tests.aws.local.lambdas import Lambda

#: A Retry waits a fortieth of what the workflow says: how often is tested, not for how long.
HASTE = 40
#: What Step Functions takes for the answer of a function that has no concurrency.
THROTTLED = {"errorType": "Lambda.TooManyRequestsException", "errorMessage": "Rate Exceeded."}


class Functions:
    """Runs functions of moto's by their own name, handler and environment; a process lives on for the next call."""

    def __init__(self, code: Path, folder: Path, endpoint: str) -> None:
        self._code = code
        self._folder = folder
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._started: dict[str, tuple[dict[str, str], Lambda]] = {}

    def invoke(self, function: Any, event: Any = None) -> tuple[str, bool, str]:
        """What moto's own ``_invoke_lambda`` gives: the answer, whether it is a failure, and no logs."""
        if function.reserved_concurrency == 0:
            return json.dumps(THROTTLED), True, ""
        self._wait_for(function.function_name)
        answer = self._of(function).invoke(json.loads(event) if isinstance(event, str) else event)
        return json.dumps(answer), isinstance(answer, dict) and "errorType" in answer, ""

    def _wait_for(self, name: str) -> None:
        """A test holds a function up by a file of its name, as a slow cold start would."""
        while (self._folder / f"{name}.held").exists():
            time.sleep(0.02)

    def _of(self, function: Any) -> Lambda:
        """The function's process: a new one when its environment was changed, as on AWS."""
        environment = dict(function.environment_vars)
        with self._lock:
            known, one = self._started.get(function.function_name, (None, None))
            if one is None or known != environment:
                if one is not None:
                    one.stop()
                one = self._lambda(function, environment)
                self._started[function.function_name] = environment, one
            return one

    def _lambda(self, function: Any, environment: dict[str, str]) -> Lambda:
        given = {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": function.region,
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            **environment,
        }
        log = self._folder / f"{function.function_name}.log"
        return Lambda(function.handler, self._code, log, given, function.timeout)


def one_at_a_time(owner: Any, name: str) -> None:
    """Has the method run once at a time: moto's threads share tables that it writes bit by bit, copies, puts back."""
    lock, method = threading.Lock(), getattr(owner, name)

    def locked(*args: Any) -> Any:
        with lock:
            return method(*args)

    setattr(owner, name, locked)


def share_rows() -> None:
    """Has moto copy rows when they are changed, and not all rows and stream records before each transaction, to undo
    it: that took three quarters of its time.
    """
    update: Any = DynamoDBBackend.update_item

    def changed(backend: Any, table_name: str, key: dict[str, Any], *args: Any, **named: Any) -> Any:
        table = backend.get_table(table_name)
        value, place = backend.get_keys_value(table, key)
        row = table.get_item(value, place)
        if row is not None and place is not None:
            table.items[value][place] = copy.deepcopy(row)
        elif row is not None:
            table.items[value] = copy.deepcopy(row)
        return update(backend, table_name, key, *args, **named)

    def before(table: Any, _: Any) -> Any:
        found = copy.copy(table)
        found.items = defaultdict(dict)
        found.items.update({key: dict(it) if isinstance(it, dict) else it for key, it in table.items.items()})
        if table.stream_shard:
            found.stream_shard = copy.copy(table.stream_shard)
            found.stream_shard.table, found.stream_shard.items = found, [*table.stream_shard.items]
        return found

    for owner, name, way in ((DynamoDBBackend, "update_item", changed), (Table, "__deepcopy__", before)):
        setattr(owner, name, way)


def main(code: Path, folder: Path, front: str | None = None) -> None:
    """Serves until stdin ends. What it changes of moto holds for this process, whose one task it is."""
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    vars(retrier_decl)["time"] = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / HASTE))
    one_at_a_time(DynamoHandler, "call_action")
    share_rows()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    called = front or f"http://{host}:{port}"
    os.environ["MOTO_PORT"] = called.rpartition(":")[2]
    functions = Functions(code, folder, called)
    LambdaFunction._invoke_lambda = lambda function, event=None: functions.invoke(function, event)  # type: ignore[method-assign, assignment]
    print(port, flush=True)
    sys.stdin.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
