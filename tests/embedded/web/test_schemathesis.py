"""The running server against its own contract: statuses, content types and bodies as openapi.json says, and no 500.

What the contract cannot say (a total, an order's state) may be refused although the schema allows it.
"""

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from expediter import contracts
from expediter.embedded.settings import from_environment
from expediter.embedded.web.app import create_app
from expediter.embedded.web.connections import Connections
from expediter.embedded.web.graphql.executor import PRELUDE
from expediter.embedded.web.serving import configuration
from expediter.embedded.wiring import open_home
from tests.embedded.web.conftest import environment


def without_tokens(contract: dict[str, Any]) -> dict[str, Any]:
    """The contract as a server without a token has it: on loopback nobody signs in."""
    contract.pop("security", None)
    for operations in contract["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict):
                operation.pop("security", None)
    return contract


SCHEMA = schemathesis.openapi.from_dict(without_tokens(json.loads(contracts.read("openapi.json"))))
GRAPHQL = schemathesis.graphql.from_file(PRELUDE + contracts.read("schema.graphql").decode())
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
    unsupported_method,
    allow_header_conformance,
]
QUICK = settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
)
#: Of a walk from answer to answer.
TRIES = 3


class Server(Thread):
    """A server in a thread of its own: schemathesis asks and waits."""

    def __init__(self, data: Path) -> None:
        super().__init__(name="server")
        self._settings = from_environment(environment(data, {"DEFAULT_PRICE": "0"}))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def run(self) -> None:
        asyncio.run(self._serve())

    def stop(self) -> None:
        self.server.should_exit = True
        self.join()
        self._listening.close()

    async def _serve(self) -> None:
        async with open_home(self._settings) as home:
            app = create_app(home)
            self.server = uvicorn.Server(configuration(app, Connections(1_000), 1))
            await self.server.serve(sockets=[self._listening])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    running = Server(tmp_path_factory.mktemp("data"))
    running.start()
    yield running.url
    running.stop()


@SCHEMA.parametrize()
@QUICK
def test_every_operation_answers_as_the_contract_says(case: schemathesis.Case, server: str) -> None:
    case.call_and_validate(base_url=server, checks=CHECKS)


def test_what_one_answer_leads_to_answers_as_the_contract_says(server: str) -> None:
    class Machine(SCHEMA.as_state_machine()):  # type: ignore[misc]  # made at run time
        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, object]:
            return {"base_url": server}

        def validate_response(self, response: schemathesis.Response, case: schemathesis.Case, **_: object) -> None:
            case.validate_response(response, checks=CHECKS)

    for _ in range(TRIES):
        # The server remembers, so that the same choices may lead elsewhere the second time. Hypothesis gives up then;
        # what a check finds is another error.
        with suppress(FlakyStrategyDefinition):
            Machine.run(settings=settings(QUICK, max_examples=25, stateful_step_count=6))
            return
    pytest.fail(f"the same choices led elsewhere {TRIES} times")


@GRAPHQL.parametrize()
@QUICK
def test_no_document_that_fits_the_schema_finds_a_fault_of_ours(case: schemathesis.Case, server: str) -> None:
    response = case.call(base_url=f"{server}/graphql")
    assert response.status_code == 200
    codes = {error["extensions"]["code"] for error in response.json().get("errors", ())}
    assert "InternalError" not in codes
