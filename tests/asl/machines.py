"""Generated workflow definitions that validate, and a driver that answers them in virtual time.

Next only leads forward, so every machine ends. Names are unique by counting. Answers follow from the number of the
task, so the same machine is always answered the same.
"""

import hashlib
import heapq
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from expediter.asl import (
    AnyEvent,
    Command,
    End,
    Execution,
    HistoryEvent,
    Machine,
    ScheduleTask,
    Started,
    StartTimer,
    TaskFailed,
    TaskSucceeded,
    TaskTimedOut,
    TimerFired,
    advance,
    new_execution,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(-1e6, 1e6) | st.text("ab $.{}%'\\é", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcdef"), inner, max_size=3),
    max_leaves=6,
)
ERROR: st.SearchStrategy[str] = st.sampled_from(("States.TaskFailed", "States.Timeout", "Declined", "Broken"))
SAFE = ("$", "$.c[*]", "$..b", "$.c[?(@ > 1)]", "$.c[0:2]", "$$.Execution.Input", "$$.State.Name")
RISKY = ("$.n", "$.a", "$.a.b", "$.c[0]", "$v")
CALLS = (
    "States.Format('{}-{}', $.a, $.n)",
    "States.Array($.a, $$.State.EnteredTime)",
    "States.MathAdd($.n, 1)",
    "States.UUID()",
    "States.JsonToString($)",
    "States.ArrayLength($.c)",
)
EXPRESSIONS = (
    "{% $states.input %}",
    "{% $states.input.a %}",
    "{% $states.input.n + 1 %}",
    "{% $states.context.State.Name %}",
    "{% $exists($states.input.c) ? $states.input.c : [] %}",
    "{% $v %}",
    "{% $random() %}",
    "{% {'n': 1, 'c': [1, 2, 3], 'a': $string($states.input)} %}",
)


class Names:
    """Fresh state names for one definition."""

    def __init__(self) -> None:
        self.count = 0

    def take(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"


def handled(draw: st.DrawFn, targets: list[str], state: dict[str, Any]) -> None:
    """Add Retry and Catch, now and then."""
    if draw(st.booleans()):
        entries: list[dict[str, Any]] = [{"ErrorEquals": [draw(ERROR)], "MaxAttempts": draw(st.integers(0, 2))}]
        if draw(st.booleans()):
            last: dict[str, Any] = {"ErrorEquals": ["States.ALL"], "MaxAttempts": 1, "JitterStrategy": "FULL"}
            entries.append({**last, "MaxDelaySeconds": 3, "BackoffRate": 1.5})
        state["Retry"] = entries
    if draw(st.booleans()) and targets:
        caught: dict[str, Any] = {"ErrorEquals": ["States.ALL"], "Next": draw(st.sampled_from(targets))}
        state["Catch"] = [caught]


def template(draw: st.DrawFn, jsonata: bool) -> Any:
    if jsonata:
        return {"k": draw(st.sampled_from(EXPRESSIONS)), "n": draw(st.integers(0, 3)), "c": [1, 2]}
    risky = draw(st.integers(0, 11)) == 7
    chosen = draw(st.sampled_from(RISKY if risky else SAFE + CALLS))
    return {"k.$": chosen, "n": draw(st.integers(0, 3)), "c": [1, 2], "a": {"b": draw(JSON)}}


def shaped(draw: st.DrawFn, jsonata: bool, state: dict[str, Any], field: str | None) -> None:
    """Add fields of data flow; ``field`` is the template before the work, if the type has one."""
    if field and draw(st.booleans()):
        state["Arguments" if jsonata else field] = template(draw, jsonata)
    if draw(st.integers(0, 3)) == 0:
        state["Assign"] = {"v": draw(JSON)} if jsonata else {"v.$": draw(st.sampled_from(SAFE))}
    if jsonata:
        if draw(st.integers(0, 2)) == 0:
            state["Output"] = draw(st.sampled_from(EXPRESSIONS)) if draw(st.booleans()) else template(draw, jsonata)
        return
    if state["Type"] != "Wait" and state["Type"] != "Choice" and draw(st.integers(0, 9)):
        state["ResultPath"] = draw(st.sampled_from(("$.r", "$.r", "$.r", "$.r", None, "$.a", "$.s.x", "$")))
    if draw(st.integers(0, 5)) == 0:
        state["OutputPath"] = draw(st.sampled_from(("$", "$", "$", None, "$.a")))
    if draw(st.integers(0, 5)) == 0:
        state["InputPath"] = draw(st.sampled_from(("$", "$", None, "$$.Execution.Input")))


def choice(draw: st.DrawFn, jsonata: bool, targets: list[str]) -> dict[str, Any]:
    target = st.sampled_from(targets)
    rules: list[dict[str, Any]]
    if jsonata:
        rules = [{"Condition": "{% $exists($states.input.a) %}", "Next": draw(target)}]
    else:
        tests: list[dict[str, Any]] = [
            {"Variable": "$$.Execution.Input", "IsString": draw(st.booleans())},
            {"And": [{"Variable": "$.n", "IsPresent": True}, {"Variable": "$.n", "NumericGreaterThan": 1}]},
            {"Variable": "$.a", "IsPresent": draw(st.booleans())},
            {"Not": {"Variable": "$.c", "IsPresent": True}},
            {"And": [{"Variable": "$", "IsPresent": True}, {"Variable": "$.n", "IsNumeric": True}]},
        ]
        rules = [{**draw(st.sampled_from(tests)), "Next": draw(target)} for _ in range(draw(st.integers(1, 2)))]
    found: dict[str, Any] = {"Type": "Choice", "Choices": rules}
    if draw(st.integers(0, 9)):
        found["Default"] = draw(target)
    return found


def wait(draw: st.DrawFn, jsonata: bool) -> dict[str, Any]:
    seconds = {"Seconds": draw(st.integers(0, 90_000))}
    varying = {"Seconds": "{% $states.input.n %}"} if jsonata else {"SecondsPath": "$.n"}
    fields: list[dict[str, Any]] = [seconds, seconds, {"Timestamp": "2026-03-01T00:00:00Z"}, varying]
    return {"Type": "Wait", **draw(st.sampled_from(fields))}


def task(draw: st.DrawFn) -> dict[str, Any]:
    resources = ("Charge", "arn:aws:states:::lambda:invoke", "arn:aws:states:::sqs:sendMessage.waitForTaskToken")
    found: dict[str, Any] = {"Type": "Task", "Resource": draw(st.sampled_from(resources))}
    if draw(st.booleans()):
        found["TimeoutSeconds"] = draw(st.integers(1, 60))
    return found


def group(draw: st.DrawFn, names: Names, depth: int, *, jsonata: bool, kind: str) -> dict[str, Any]:
    if kind == "Parallel":
        branches = [scope(draw, names, depth + 1, jsonata=jsonata) for _ in range(draw(st.integers(1, 2)))]
        return {"Type": "Parallel", "Branches": branches}
    found: dict[str, Any] = {"Type": "Map", "MaxConcurrency": draw(st.integers(0, 2))}
    found["ItemProcessor"] = scope(draw, names, depth + 1, jsonata=jsonata)
    if draw(st.integers(0, 2)) == 0:
        found["ItemProcessor"]["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
        found["ToleratedFailureCount"] = draw(st.integers(0, 2))
    if jsonata:
        found["Items"] = [1, 2, "{% $states.input %}"]
    else:
        found["ItemsPath"] = draw(st.sampled_from(("$.c[*]", "$.c[*]", "$.c[*]", "$..b", "$..b", "$")))
        if draw(st.booleans()):
            found["ItemSelector"] = {"n": 1, "a.$": "$$.Map.Item.Value", "c": [3]}
    return found


KINDS = ("Pass", "Task", "Choice", "Wait", "Map", "Parallel", "Task", "Pass")
LAST = ("Pass", "Succeed", "Fail", "Task", "Map")


def bare(draw: st.DrawFn, names: Names, depth: int, *, jsonata: bool, kind: str, ahead: list[str]) -> dict[str, Any]:
    """A state without the fields that it shares with others."""
    make: dict[str, Callable[[], dict[str, Any]]] = {
        "Pass": lambda: {"Type": "Pass"},
        "Task": lambda: task(draw),
        "Choice": lambda: choice(draw, jsonata, ahead),
        "Wait": lambda: wait(draw, jsonata),
        "Succeed": lambda: {"Type": "Succeed"},
        "Fail": lambda: {"Type": "Fail", "Error": "Broken", "Cause": "as told"},
    }
    return make[kind]() if kind in make else group(draw, names, depth, jsonata=jsonata, kind=kind)


TEMPLATES = {"Pass": "Parameters", "Task": "Parameters", "Parallel": "Parameters"}


def one(draw: st.DrawFn, names: Names, depth: int, *, jsonata: bool, kind: str, ahead: list[str]) -> dict[str, Any]:
    """One state; ``ahead`` are the states that may follow it, none for the last."""
    state = bare(draw, names, depth, jsonata=jsonata, kind=kind, ahead=ahead)
    if kind in {"Succeed", "Fail"}:
        return state
    field = None if jsonata and kind == "Pass" else TEMPLATES.get(kind)
    shaped(draw, jsonata, state, field)
    if kind in {"Task", "Map", "Parallel"}:
        handled(draw, ahead, state)
    if kind != "Choice":
        state.update(following(draw, ahead))
    return state


def following(draw: st.DrawFn, ahead: list[str]) -> dict[str, Any]:
    return {"Next": draw(st.sampled_from(ahead[:2]))} if ahead else {"End": True}


def scope(draw: st.DrawFn, names: Names, depth: int, *, jsonata: bool) -> dict[str, Any]:
    """A machine, branch or item processor."""
    kinds = KINDS if depth < 2 else KINDS[:4]
    length = draw(st.integers(3, 7) if depth == 0 else st.integers(1, 2))
    chosen = [draw(st.sampled_from(kinds)) for _ in range(length)] + [
        draw(st.sampled_from(LAST[: 5 if depth < 2 else 4]))
    ]
    titles = [names.take(kind) for kind in chosen]
    states = {
        title: one(draw, names, depth, jsonata=jsonata, kind=kind, ahead=titles[index + 1 :])
        for index, (title, kind) in enumerate(zip(titles, chosen, strict=True))
    }
    return {"StartAt": titles[0], "States": reachable(states, titles[0])}


def reachable(states: dict[str, Any], start: str) -> dict[str, Any]:
    """Only the states that something leads to: AWS takes no others."""
    found: dict[str, Any] = {}
    waiting = [start]
    while waiting:
        title = waiting.pop()
        if title not in found:
            state = found[title] = states[title]
            entries = [state, *state.get("Choices", []), *state.get("Catch", [])]
            waiting += [entry[field] for entry in entries for field in ("Next", "Default") if field in entry]
    return {title: states[title] for title in states if title in found}


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    """A definition that validates, in either query language."""
    jsonata = draw(st.integers(0, 2)) == 1
    found = scope(draw, Names(), 0, jsonata=jsonata)
    if jsonata:
        found["QueryLanguage"] = "JSONata"
    if draw(st.integers(0, 9)) == 0:
        found["TimeoutSeconds"] = 3600
    return found


RICH = st.fixed_dictionaries({"a": JSON, "n": st.integers(0, 3), "c": st.lists(JSON, max_size=3)})
INPUTS = RICH | RICH | RICH | st.dictionaries(st.sampled_from("abcn"), JSON, max_size=3)


# --- answering ---------------------------------------------------------------------------------------------------


def answer(task: ScheduleTask, at: int) -> AnyEvent:
    """What the world says to a task: mostly a result, sometimes an error or nothing in time."""
    digest = hashlib.sha256(f"{task.task}{task.state}".encode()).digest()
    seed = int.from_bytes(digest[:7])
    if digest[8] < 205:
        rich = {"a": {"b": 2}, "n": 1, "c": [1, 2]}
        results: tuple[Any, ...] = (rich, rich, rich, rich, [1, 2], "text", None, 7)
        return TaskSucceeded(at=at, seed=seed, task=task.task, output=results[digest[9] % len(results)])
    if digest[8] < 245:
        return TaskFailed(at=at, seed=seed, task=task.task, error=("Declined", "Broken", None)[digest[9] % 3])
    return TaskTimedOut(at=at, seed=seed, task=task.task)


Store = Callable[[Execution], Execution]


class Drive:
    """Runs one execution to its end in virtual time. ``store`` is what happens to it between two events."""

    def __init__(self, machine: Machine, given: Any, store: Store = lambda execution: execution) -> None:
        self.machine = machine
        self.store = store
        self.events: list[AnyEvent] = []
        self.commands: list[Command] = []
        self.history: list[HistoryEvent] = []
        self.execution = new_execution()
        self.due: list[tuple[int, int, AnyEvent]] = []
        self.now = 1_767_225_600_000
        self.push(self.now, Started(at=self.now, seed=3, input=given))

    def push(self, at: int, event: AnyEvent) -> None:
        heapq.heappush(self.due, (at, len(self.events) + len(self.due) * 1_000_000, event))

    def step(self) -> tuple[Command, ...]:
        self.now, _, event = heapq.heappop(self.due)
        self.events.append(event)
        execution, commands = advance(self.machine, self.execution, event, self.history)
        self.execution = self.store(execution)
        self.commands += commands
        return commands

    def wait_for(self, commands: tuple[Command, ...]) -> None:
        for command in commands:
            if isinstance(command, StartTimer):
                at = max(command.at, self.now)
                self.push(at, TimerFired(at=at, seed=command.timer, timer=command.timer))
            elif isinstance(command, ScheduleTask):
                self.push(self.now + 10, answer(command, self.now + 10))

    def to_the_end(self) -> End:
        for _ in range(5000):
            commands = self.step()
            if commands and isinstance(commands[-1], End):
                return commands[-1]
            self.wait_for(commands)
        raise AssertionError("the execution does not end")


# --- definitions with something wrong in them --------------------------------------------------------------------


def places_in(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of every value inside a JSON value, as the keys that lead to it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(found for key, item in inner for found in places_in(item, (*place, key)))]


def replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """A copy with another value at that place."""
    if not place:
        return new
    copy = value.copy()
    copy[place[0]] = replaced(value[place[0]], place[1:], new)
    return copy


ODD = (
    JSON
    | st.sampled_from(
        (*RISKY, *SAFE, *CALLS, *EXPRESSIONS, "$[", "{% ( %}", "States.No()", "${Left}", "Pass1", "Task1")
    )
    | st.dictionaries(st.sampled_from(("Next", "Type", "ErrorEquals", "Variable", "x.$", "StartAt")), JSON, max_size=2)
)


@st.composite
def damaged_definitions(draw: st.DrawFn) -> Any:
    """A definition with up to three of its values replaced by anything."""
    found: Any = draw(definitions())
    for _ in range(draw(st.integers(1, 3))):
        found = replaced(found, draw(st.sampled_from(places_in(found))), draw(ODD))
    return found
