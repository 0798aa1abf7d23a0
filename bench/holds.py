"""How long expressions hold the server's loop: the longest hold while hundreds of orders go through hostile workflows.

    python -m bench.holds [--orders 200] [--only WORDS]

A probe asks for its turn on the loop every millisecond. A hold is what passed between two of its turns: in processor
time of the loop's thread (what else this machine does is not counted), and by the clock.
"""

import argparse
import asyncio
import gc
import json
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, NamedTuple

from expediter.app import intake
from expediter.app.drafts import Draft, convert
from expediter.app.ports import Caller
from expediter.embedded.clock import new_id
from expediter.embedded.home import Home
from expediter.embedded.settings import from_environment
from expediter.embedded.sqlite.database import open_reader
from expediter.embedded.wiring import open_home

ORDERS = 200
#: Seconds for all orders of a case.
PATIENCE = 300
ENDED = "SELECT count(*) FROM execution WHERE status <> 'RUNNING'"
CATCH = [{"ErrorEquals": ["States.ALL"], "Next": "Done"}]
DONE: dict[str, Any] = {"Done": {"Type": "Succeed"}}
#: A customer's own order: 100 things with long names.
ORDER = {
    "user_id": "a" * 199 + "!",
    "restaurant_id": "r",
    "items": [{"name": f"{number:03}" + "a" * 190 + "!", "quantity": 1} for number in range(100)],
}

SUM = "$sum([1..10000].($*2))"
RECURSION = "($f := function($n) { $f($n + 1) }; $f(0))"
TEXT = "$string([1..30000])"


class Hold(NamedTuple):
    """The longest time between two turns of the probe, in seconds: of the thread's processor time, and by the clock."""

    processor: float
    clock: float


def jsonata(*expressions: str) -> dict[str, Any]:
    """States that evaluate one expression each."""
    states = {}
    for number, expression in enumerate(expressions):
        following = f"S{number + 1}" if number + 1 < len(expressions) else "Done"
        states[f"S{number}"] = {
            "Type": "Pass",
            "QueryLanguage": "JSONata",
            "Output": {"found": "{% " + expression + " %}"},
            "Next": following,
        }
    return {"StartAt": "S0", "States": {**states, **DONE}}


def fields(expression: str, count: int) -> dict[str, Any]:
    """One state that evaluates an expression many times."""
    output = {f"f{number}": "{% (" + expression + "; 1) %}" for number in range(count)}
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": output, "Next": "Done"}
    return {"StartAt": "S0", "States": {"S0": state, **DONE}}


def choice(expression: str, count: int) -> dict[str, Any]:
    choices = [{"Condition": "{% (" + expression + "; false) %}", "Next": "Done"} for _ in range(count)]
    state = {"Type": "Choice", "QueryLanguage": "JSONata", "Choices": choices, "Default": "Done"}
    return {"StartAt": "S0", "States": {"S0": state, **DONE}}


def mapped(items: str, expression: str, *, distributed: bool = False, tolerated: bool = True) -> dict[str, Any]:
    inner = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% (" + expression + "; 1) %}", "End": True}
    processor: dict[str, Any] = {"StartAt": "I", "States": {"I": inner}}
    if distributed:
        processor["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    state: dict[str, Any] = {
        "Type": "Map",
        "QueryLanguage": "JSONata",
        "Items": "{% " + items + " %}",
        "ItemProcessor": processor,
        "ItemSelector": {"x": "{% (" + expression + "; 1) %}"},
        "Catch": CATCH,
        "Next": "Done",
    }
    if distributed and tolerated:
        state["ToleratedFailurePercentage"] = 100
    return {"StartAt": "S0", "States": {"S0": state, **DONE}}


def parallel(expression: str, count: int) -> dict[str, Any]:
    inner = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% (" + expression + "; 1) %}", "End": True}
    branch = {"StartAt": "I{}", "States": {"I{}": inner}}
    branches = [json.loads(json.dumps(branch).replace("{}", str(number), 2)) for number in range(count)]
    state = {"Type": "Parallel", "Branches": branches, "Catch": CATCH, "Next": "Done"}
    return {"StartAt": "S0", "States": {"S0": state, **DONE}}


#: JSON of about 200 KB.
LARGE = [{"x": number, "name": "a" * 15, "y": [number, number]} for number in range(4_000)]


def on_large(parameters: dict[str, str]) -> dict[str, Any]:
    """A state of JSONPath over a large value."""
    made = {"Type": "Pass", "Result": LARGE, "Next": "Read"}
    read = {"Type": "Pass", "Parameters": parameters, "Next": "Done"}
    return {"StartAt": "Make", "States": {"Make": made, "Read": read, **DONE}}


def many(call: str, count: int = 60) -> dict[str, str]:
    return {f"f{number}.$": call for number in range(count)}


def counting(to: int) -> dict[str, Any]:
    """A loop of states that counts."""
    return {
        "StartAt": "Zero",
        "States": {
            "Zero": {"Type": "Pass", "Result": {"n": 0}, "Next": "One"},
            "One": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "Enough"},
            "Enough": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.n", "NumericGreaterThan": to, "Next": "Done"}],
                "Default": "One",
            },
            **DONE,
        },
    }


def waiting(count: int) -> dict[str, Any]:
    """Waits of no time between hostile expressions: many events in one unit of work."""
    states: dict[str, Any] = {}
    for number in range(count):
        states[f"W{number}"] = {"Type": "Wait", "Seconds": 0, "Next": f"S{number}"}
        output = {"x": "{% (" + SUM + "; 1) %}"}
        following = f"W{number + 1}" if number + 1 < count else "Done"
        states[f"S{number}"] = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": output, "Next": following}
    return {"StartAt": "W0", "States": {**states, **DONE}}


CASES: dict[str, dict[str, Any]] = {
    "jsonata: a sum": jsonata(SUM),
    "jsonata: endless recursion": jsonata(RECURSION),
    "jsonata: padding": jsonata("$pad($states.input.order.user_id, 2000000000)"),
    "jsonata: texts that double": jsonata("($f := function($t) { $f($t & $t) }; $f($states.input.order.user_id))"),
    "jsonata: a regular expression": jsonata("$match($string($states.input.order.items), /(a|a)*!/)"),
    "jsonata: sorting": jsonata("$sort([1..4000], function($l, $r) { $l < $r })"),
    "jsonata: joins of the order's own items": jsonata(
        "$states.input.order.items@$a.$states.input.order.items@$b[$a.name = $b.name].$states.input.order.items"
    ),
    "jsonata: a text near 256 KiB": fields(TEXT, 60),
    "jsonata: 60 hostile fields": fields("$sum([1..1500].($*2))", 60),
    "jsonata: 60 hostile conditions": choice("$sum([1..1500].($*2))", 60),
    "jsonata: 100 states one after the other": jsonata(*["($sum([1..1500].($*2)); $states.input)"] * 100),
    "jsonata: a chain of waits": waiting(30),
    "map: 100 hostile items": mapped("$states.input.order.items", "$sum([1..1500].($*2))"),
    "map: 1,000 items": mapped("[1..1000]", "$sum([1..20].($*2))"),
    "map: distributed, 1,000 hostile items": mapped("[1..1000]", "$sum([1..1500].($*2))", distributed=True),
    "map: distributed, 1,000 items": mapped("[1..1000]", "$sum([1..10].($*2))", distributed=True),
    "parallel: 40 hostile branches": parallel("$sum([1..1500].($*2))", 40),
    "jsonpath: everything below": on_large(many("$..*")),
    "jsonpath: everything below everything": on_large({"f.$": "$..*..*"}),
    "jsonpath: everything below, thrice": on_large({"f.$": "$..*..*..*..*"}),
    "jsonpath: a filter": on_large(many("$..[?(@.x == 1)]")),
    "jsonpath: a filter that reads all for each": on_large({"f.$": "$[?(@.x in $..*)]"}),
    "jsonpath: a filter inside a filter": on_large({"f.$": "$[?(@.y in $[*].y)]"}),
    "jsonpath: a pattern": on_large(many("$[?(@.name =~ /(a|a)*b/)]", 20)),
    "intrinsics: JsonToString": on_large(many("States.JsonToString($)")),
    "intrinsics: StringToJson": on_large(many("States.StringToJson(States.JsonToString($))")),
    "intrinsics: ArrayUnique": on_large(many("States.ArrayUnique($)")),
    "intrinsics: ArrayContains": on_large(many("States.ArrayContains($, $[3999])")),
    "intrinsics: ArrayPartition": on_large(many("States.ArrayPartition($, 1)")),
    "intrinsics: StringSplit": on_large(many("States.StringSplit(States.JsonToString($), 'a')")),
    "intrinsics: Base64, Hash": on_large(many("States.Hash(States.Base64Encode('aaaaaaaa'), 'SHA-512')", 300)),
    "intrinsics: ArrayRange, MathRandom": on_large(many("States.ArrayRange(1, States.MathRandom(900, 1000), 1)", 300)),
    "intrinsics: Format": on_large(many("States.Format('{}', $)")),
    "states: a loop of 12,000": counting(6_000),
}


@asynccontextmanager
async def probed(holds: list[Hold]) -> AsyncIterator[None]:
    """Notes every hold that is longer than a millisecond."""

    async def probe() -> None:
        while True:
            processor, clock = time.thread_time(), time.perf_counter()
            await asyncio.sleep(0.001)
            holds.append(Hold(time.thread_time() - processor, time.perf_counter() - clock))

    task = asyncio.create_task(probe())
    try:
        yield
    finally:
        task.cancel()


async def place(home: Home, count: int) -> None:
    """Places orders in a few requests at a time, as a network does."""
    draft = convert(ORDER, Draft)
    for _ in range(0, count, 10):
        await asyncio.gather(
            *(home.write(lambda work: intake.accept(work, Caller(), draft, new_id()), "postOrder") for _ in range(10)),
            return_exceptions=True,
        )


async def ended(data: Path, count: int) -> None:
    """Returns once so many executions have ended."""
    with closing(open_reader(data / "expediter.db")) as connection:
        async with asyncio.timeout(PATIENCE):
            while connection.execute(ENDED).fetchall() != [(count,)]:  # noqa: ASYNC110  # nobody tells another connection
                await asyncio.sleep(0.05)


def as_the_server_does() -> None:
    """What is there at the start is never looked through by the garbage collector (``expediter.cli.server``)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def measure(definition: dict[str, Any], count: int) -> Hold:
    """The longest hold while so many orders go through a workflow."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "hostile.asl.json"
        file.write_text(json.dumps(definition))
        settings = {"EXPEDITER_DATA": f"{folder}/data", "EXPEDITER_WORKFLOW": str(file)}
        holds: list[Hold] = []
        async with open_home(from_environment(settings)) as home, probed(holds):
            as_the_server_does()
            holds.clear()
            await place(home, count)
            await ended(Path(folder) / "data", count)
        return Hold(max(hold.processor for hold in holds), max(hold.clock for hold in holds))


def main(say: Callable[[str], None] = print) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    found = {}
    for name, definition in CASES.items():
        if given.only in name:
            found[name] = hold = asyncio.run(measure(definition, given.orders))
            say(f"{name:45} {hold.processor * 1000:8.1f} ms {hold.clock * 1000:8.1f} ms by the clock")
    say(f"{'the longest':45} {max(hold.processor for hold in found.values()) * 1000:8.1f} ms")


if __name__ == "__main__":
    main()
