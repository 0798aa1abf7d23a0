"""A pasted definition is tried out in a process of its own, with an end to its time and memory."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from expediter.domain.errors import TooBusy
from expediter.domain.order import Status
from expediter.embedded.web.console.trials import AT_ONCE, STOPPED, WAITING, Trials
from tests.console.shop import opened

pytestmark = pytest.mark.anyio

PATH = "/console/workflow/try"


def a_form(states: dict[str, Any], act: str = "run", **more: str) -> dict[str, str]:
    definition = {"StartAt": next(iter(states)), "QueryLanguage": "JSONata", "States": states}
    return {"definition": json.dumps(definition), "input": "{}", "mocks": "{}", "act": act, **more}


def passing(output: Any, **more: Any) -> dict[str, Any]:
    return {"A": {"Type": "Pass", "Output": output, **({"End": True} | more)}}


def again_and_again(expression: str) -> dict[str, Any]:
    """The expression is evaluated anew after each wait: the limits of one event do not end it."""
    return {
        "A": {"Type": "Pass", "Output": "{% " + expression + " %}", "Next": "W"},
        "W": {"Type": "Wait", "Seconds": 1, "Next": "Go"},
        "Go": {"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "End"}], "Default": "A"},
        "End": {"Type": "Succeed"},
    }


SLOW = again_and_again("$count([1..1500].($ * 2))")
#: Its history is gigabytes.
LARGE = again_and_again("$pad('a', 200000) & $string($random())")


async def test_a_definition_is_checked_drawn_and_run() -> None:
    trials = Trials()

    broken = await trials.run({"definition": "{", "act": "check"})
    drawn = await trials.run(a_form(passing(1), "check"))
    ran = await trials.run(a_form(passing("{% 1 + 1 %}")))

    assert [fault.message for fault in broken.faults] == ["Definition must be a valid JSON object"]
    assert "<svg" in drawn.graph
    assert drawn.run is None
    assert ran.run is not None
    assert (ran.run.status, ran.run.output, ran.run.way) == ("SUCCEEDED", 2, ("A",))


@pytest.mark.parametrize(
    "expression", ["$sum([1..1500000])", "$pad('a', 2000000000)", "($f := function() { $f() }; $f())"]
)
async def test_a_hostile_expression_is_a_failed_run(expression: str) -> None:
    trial = await Trials().run(a_form(passing("{% " + expression + " %}")))

    assert trial.run is not None
    assert trial.run.error == "States.QueryEvaluationError"


@pytest.mark.parametrize("states", [SLOW, LARGE], ids=["time", "memory"])
async def test_what_takes_too_much_is_stopped_and_the_page_says_so(states: dict[str, Any]) -> None:
    assert (await Trials().run(a_form(states))).problem == STOPPED


async def test_more_than_a_few_at_a_time_are_refused() -> None:
    trials = Trials()
    forms = [a_form(passing(1)) for _ in range(AT_ONCE + WAITING + 1)]

    answers = await asyncio.gather(*map(trials.run, forms), return_exceptions=True)

    assert [type(answer) for answer in answers if isinstance(answer, Exception)] == [TooBusy]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux tells a process's children")
async def test_the_process_ends_when_nobody_waits_for_it_any_more() -> None:
    before = children()  # other tests may keep servers
    task = asyncio.create_task(Trials().run(a_form(SLOW)))
    async with asyncio.timeout(20):
        while not (begun := children() - before):  # noqa: ASYNC110  # the process says nothing when it begins
            await asyncio.sleep(0)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert not begun & children()


def children() -> set[str]:
    """The processes that this one has started."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


async def test_orders_are_placed_and_read_while_a_definition_is_tried(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        trial = asyncio.create_task(shop.send(PATH, PATH, **a_form(SLOW)))
        for _ in range(20):
            order_id = await shop.place()
            await shop.until(order_id, Status.PAID)
            await shop.page(f"/console/orders/{order_id}")
        assert not trial.done()

        assert STOPPED in (await trial).text
