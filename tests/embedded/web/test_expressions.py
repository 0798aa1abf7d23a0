"""A customer's own data in an expression of the workflow: neither a text nor a pattern holds the server up."""

import asyncio
import json
from pathlib import Path

import pytest

from expediter.embedded.settings import workflow
from tests.embedded.web.conftest import Opened

pytestmark = pytest.mark.anyio

#: On Python's own regular expressions this name takes longer than the sun will shine.
NAME = "a" * 60 + "!"
HOSTILE = [
    "$match($states.input.order.user_id, /^(a+)+$/)",
    "$sum([1..$length($states.input.order.user_id) * 1000000])",
    "$pad($states.input.order.user_id, 2000000000)",
    "($f := function($n) { $f($n & $states.input.order.user_id) }; $f(''))",
]


def screening(folder: Path, expression: str) -> str:
    """The workflow of orders with a first state that evaluates this expression; whatever fails there is passed by."""
    definition = workflow(None)
    first = definition["StartAt"]
    caught = [{"ErrorEquals": ["States.QueryEvaluationError"], "Output": "{% $states.input %}", "Next": first}]
    screen = {
        "Type": "Map",
        "QueryLanguage": "JSONata",
        "Items": [1],
        "ItemSelector": {"found": "{% " + expression + " %}"},
        "ItemProcessor": {"StartAt": "Go", "States": {"Go": {"Type": "Succeed"}}},
        "Output": "{% $states.input %}",
        "Catch": caught,
        "Next": first,
    }
    definition["States"] = {"Screen": screen, **definition["States"]}
    definition["StartAt"] = "Screen"
    path = folder / "screening.asl.json"
    path.write_text(json.dumps(definition))
    return str(path)


@pytest.mark.parametrize("expression", HOSTILE)
async def test_an_order_whose_customer_is_called_so_goes_its_way_as_any_other(
    serving: Opened, tmp_path: Path, expression: str
) -> None:
    async with serving(WORKFLOW=screening(tmp_path, expression), HOLD_SECONDS="0") as served:
        body = {"user_id": NAME, "quantity": 1, "restaurant_id": "R"}
        placed = await asyncio.gather(*(served.client.post("/orders", json=body) for _ in range(5)))

        assert [answer.status_code for answer in placed] == [204] * 5
        for answer in placed:
            async with asyncio.timeout(20):
                while (await served.client.get(answer.headers["Location"])).json()["order_status"] != "SUCCESS":
                    assert (await served.client.get("/healthz")).status_code == 200
