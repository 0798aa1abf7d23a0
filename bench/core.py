"""How fast the bare workflow core is: transitions a second, orders a second in memory, moto's interpreter beside it.

A transition is one state entered, with its history events written. ``stored`` means that the execution was encoded to
JSON after every single transition, which the server does only where it waits. Seconds are CPU seconds of this process
(the core is one thread and never waits), so that others on the machine disturb less; all rows are measured in turns
within one run, and the figure is the median of the rounds.

    python -m bench.core [--rounds 5] [--json]
"""

import argparse
import gc
import importlib.util
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from expediter.asl import (
    Command,
    Execution,
    HistoryEvent,
    Machine,
    ScheduleTask,
    Started,
    StartTimer,
    TaskSucceeded,
    TimerFired,
    advance,
    new_execution,
    parse,
)

ORDER = Path(__file__).resolve().parent.parent / "src/expediter/contracts/order.asl.json"
INPUT = {"order": {"id": "01940000-0000-7000-8000-000000000000", "total": 3000}, "hold_seconds": 30, "go": {"on": True}}
LINKS = 100
SECONDS = 0.4


class Rate(NamedTuple):
    """One measurement: what was counted, and how many of it a second."""

    name: str
    unit: str
    a_second: float


def chain() -> dict[str, Any]:
    """Pass and Choice in turns, and nothing to wait for."""
    states: dict[str, Any] = {}
    for number in range(LINKS):
        following = f"Pass{number + 1}" if number + 1 < LINKS else "Done"
        rule = {"Variable": "$.go.on", "BooleanEquals": True, "Next": following}
        states[f"Pass{number}"] = {"Type": "Pass", "Next": f"Choice{number}"}
        states[f"Choice{number}"] = {"Type": "Choice", "Choices": [rule], "Default": "Done"}
    return {"StartAt": "Pass0", "States": {**states, "Done": {"Type": "Succeed"}}}


def loop() -> dict[str, Any]:
    """A state that waits, for ever again: every transition is an event of its own.

    A Choice before it could end at once, because the compiler refuses a machine without a terminal state.
    """
    rule = {"Variable": "$.go.on", "BooleanEquals": True, "Next": "Wait"}
    states = {
        "Begin": {"Type": "Choice", "Choices": [rule], "Default": "Done"},
        "Wait": {"Type": "Wait", "Seconds": 1, "Next": "Wait"},
        "Done": {"Type": "Succeed"},
    }
    return {"StartAt": "Begin", "States": states}


def shaping(language: str) -> dict[str, Any]:
    """Data flow: one field read, one object built, in each of a hundred states."""
    paths = {"Parameters": {"id.$": "$.order.id", "kept": True}, "ResultPath": "$.seen"}
    expressions = {"Output": "{% {'order': $states.input.order, 'seen': $states.input.order.id} %}"}
    references = {"Output": {"order": "{% $states.input.order %}", "seen": "{% $states.input.order.id %}"}}
    variants: dict[str, dict[str, Any]] = {
        "JSONPath": paths,
        "JSONata": expressions,
        "JSONata references": references,
    }
    fields = variants[language]
    states = {
        f"S{number}": {
            "Type": "Pass",
            **fields,
            **following(number),
        }
        for number in range(LINKS)
    }
    return {"StartAt": "S0", "QueryLanguage": language.split(maxsplit=1)[0], "States": states}


def following(number: int) -> dict[str, Any]:
    return {"Next": f"S{number + 1}"} if number + 1 < LINKS else {"End": True}


def started() -> Started:
    return Started(at=0, seed=1, input=INPUT)


def run_whole(machine: Machine) -> int:
    """Run a machine that waits for nothing; how many states it entered."""
    history: list[HistoryEvent] = []
    advance(machine, new_execution(), started(), history)
    return sum(event.type.endswith("Entered") for event in history)


def run_loop(machine: Machine, *, store: bool) -> int:
    history: list[HistoryEvent] = []
    execution, (timer,) = advance(machine, new_execution(), started(), history)
    for _ in range(2000):
        assert isinstance(timer, StartTimer)
        execution, (timer,) = advance(machine, execution, TimerFired(at=1, seed=1, timer=timer.timer), history)
        if store:
            msgspec.json.encode(execution)
    return 2000


ANSWERS: dict[str, Any] = {
    "ProcessPayment": {"status": "ok", "charge_id": "ch_1"},
    "SendOrderToRestaurant": {"status": "ok"},
}


def run_orders(machine: Machine, *, store: bool) -> int:
    """Two hundred orders from start to end, answered at once; with ``store``, encoded wherever they wait."""
    for _ in range(200):
        execution, commands = advance(machine, new_execution(), started(), [])
        while execution.status == "RUNNING":
            if store:
                msgspec.json.encode(execution)
            execution, commands = _answer(machine, execution, commands)
        assert execution.status == "SUCCEEDED", execution.cause
    return 200


def _answer(
    machine: Machine, execution: Execution, commands: tuple[Command, ...]
) -> tuple[Execution, tuple[Command, ...]]:
    command = commands[0]
    if isinstance(command, ScheduleTask):
        answer = ANSWERS.get(command.resource, {})
        return advance(machine, execution, TaskSucceeded(at=1, seed=1, task=command.task, output=answer), [])
    assert isinstance(command, StartTimer)
    return advance(machine, execution, TimerFired(at=1, seed=1, timer=command.timer), [])


def order_machine() -> Machine:
    """The order workflow, each placeholder read as the task of that name."""
    text = ORDER.read_text(encoding="utf-8")
    return parse(text.replace("${", "").replace('}",', '",'))


def subjects() -> dict[tuple[str, str], Callable[[], int]]:
    """What is measured: (name, unit) -> do some of it and say how much."""
    whole = {
        "Pass and Choice": parse(chain()),
        "JSONPath data flow": parse(shaping("JSONPath")),
        "JSONata references": parse(shaping("JSONata references")),
        "JSONata expressions": parse(shaping("JSONata")),
    }
    waiting, orders = parse(loop()), order_machine()
    found: dict[tuple[str, str], Callable[[], int]] = {
        (name, "transitions"): lambda machine=machine: run_whole(machine)  # type: ignore[misc] # bound per row
        for name, machine in whole.items()
    }
    found["an event each", "transitions"] = lambda: run_loop(waiting, store=False)
    found["an event each, stored", "transitions"] = lambda: run_loop(waiting, store=True)
    found["order workflow in memory", "executions"] = lambda: run_orders(orders, store=False)
    found["order workflow, stored where it waits", "executions"] = lambda: run_orders(orders, store=True)
    return found


def rate(work: Callable[[], int]) -> float:
    """How much is done in a second, measured over ``SECONDS``."""
    done, begun = 0, time.process_time()
    while (spent := time.process_time() - begun) < SECONDS:
        done += work()
    return done / spent


def measure(rounds: int = 5) -> list[Rate]:
    """Every row in turns, ``rounds`` times; the medians."""
    found: dict[tuple[str, str], list[float]] = {}
    works = {**subjects(), **moto_subject()}
    gc.freeze()  # what moto brings along is not ours to look through at every collection
    for _ in range(rounds):
        for key, work in works.items():
            found.setdefault(key, []).append(rate(work))
    return [Rate(name, unit, statistics.median(rates)) for (name, unit), rates in found.items()]


def moto_subject() -> dict[tuple[str, str], Callable[[], int]]:
    """moto's interpreter on the same definitions, where moto is installed (requirements/aws.txt); its hold is 0."""
    if importlib.util.find_spec("moto") is None:
        return {}
    peer = importlib.import_module("bench.peers.moto")
    given = {**INPUT, "hold_seconds": 0}
    return {
        ("moto's interpreter, Pass and Choice", "transitions"): peer.runner(json.dumps(chain()), given, 2 * LINKS + 1),
        ("moto's interpreter, order workflow", "executions"): peer.runner(peer.with_functions(ORDER), given, 1),
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.core", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    rows = measure(chosen.rounds)
    if chosen.json:
        print(json.dumps([row._asdict() for row in rows], indent=2))
        return
    for row in rows:
        print(f"{row.name:<40}{row.a_second:>14,.0f} {row.unit} a CPU second")


if __name__ == "__main__":
    main()
