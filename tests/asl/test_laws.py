"""What holds for every machine, shown on generated ones."""

import copy
import itertools
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from expediter.asl import (
    DefinitionInvalid,
    End,
    Execution,
    Machine,
    Steps,
    advance,
    new_execution,
    outstanding,
    parse,
    replay,
)
from tests.asl.machines import INPUTS, Drive, damaged_definitions, definitions

FEW = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(
    max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate], database=None
)
ENDS = {"SUCCEEDED", "FAILED", "TIMED_OUT"}


def stored(execution: Execution) -> Execution:
    return msgspec.json.decode(msgspec.json.encode(execution), type=Execution)


def ends_the_same_when_stored_after_every_event(definition: dict[str, Any], given_input: Any) -> None:
    machine = parse(definition)
    kept = Drive(machine, given_input)
    reloaded = Drive(machine, given_input, stored)
    assert kept.to_the_end() == reloaded.to_the_end()
    assert kept.history == reloaded.history
    assert kept.commands == reloaded.commands


@FEW
@given(definitions(), INPUTS)
def test_a_machine_that_validates_ends_and_never_raises(definition: dict[str, Any], given_input: Any) -> None:
    end = Drive(parse(definition), given_input).to_the_end()

    assert end.status in ENDS


@FEW
@given(definitions(), INPUTS)
def test_an_execution_stored_after_every_event_ends_the_same(definition: dict[str, Any], given_input: Any) -> None:
    ends_the_same_when_stored_after_every_event(definition, given_input)


@pytest.mark.heavy
@MANY
@given(definitions(), INPUTS)
def test_thousands_of_executions_stored_after_every_event_end_the_same(
    definition: dict[str, Any], given_input: Any
) -> None:
    ends_the_same_when_stored_after_every_event(definition, given_input)


@FEW
@given(definitions(), INPUTS)
def test_after_a_crash_at_any_step_the_outstanding_commands_are_those_that_were_emitted(
    definition: dict[str, Any], given_input: Any
) -> None:
    drive = Drive(parse(definition), given_input)
    for _ in range(5000):
        commands = drive.step()
        if commands and isinstance(commands[-1], End):
            assert outstanding(drive.machine, drive.execution) == ()
            return
        waited = outstanding(drive.machine, stored(drive.execution))
        assert waited
        assert all(command in drive.commands for command in waited)
        assert all(command in waited for command in commands)
        # Crash: what was under way is lost, only what is outstanding is taken up again.
        drive.due.clear()
        drive.wait_for(waited)
    pytest.fail("the execution does not end")


@FEW
@given(definitions(), INPUTS)
def test_the_same_events_always_lead_to_the_same_execution(definition: dict[str, Any], given_input: Any) -> None:
    first, second = Drive(parse(definition), given_input), Drive(parse(copy.deepcopy(definition)), given_input)

    assert first.to_the_end() == second.to_the_end()
    assert replay(first.machine, second.events) == first.history


@FEW
@given(definitions(), INPUTS, st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_steps_taken_in_a_row_lead_where_they_lead_one_by_one(
    definition: dict[str, Any], given_input: Any, rows: list[int]
) -> None:
    machine = parse(definition)
    drive = Drive(machine, given_input)
    drive.to_the_end()
    given_away = msgspec.json.encode(drive.events)

    execution, commands, events = new_execution(), [], iter(drive.events)
    for length in itertools.cycle(rows):
        steps, row = Steps(machine, execution), list(itertools.islice(events, length))
        commands += [command for event in row for command in steps.take(event)]
        execution = steps.freeze()
        if len(row) < length:
            break

    assert (execution, commands) == (drive.execution, drive.commands)
    assert msgspec.json.encode(drive.events) == given_away


@FEW
@given(definitions(), INPUTS)
def test_no_value_is_larger_than_the_execution_says(definition: dict[str, Any], given_input: Any) -> None:
    drive = Drive(parse(definition), given_input)
    while drive.execution.status in {"NEW", "RUNNING"}:
        drive.wait_for(drive.step())
        for frame in drive.execution.frames.values():
            assert frame.size == 0 or frame.size >= len(msgspec.json.encode(frame.input))


@FEW
@given(definitions(), INPUTS)
def test_what_the_last_step_asks_for_is_all_that_a_single_line_waits_for(
    definition: dict[str, Any], given_input: Any
) -> None:
    drive = Drive(parse(definition), given_input)
    while drive.execution.status in {"NEW", "RUNNING"}:
        commands = drive.step()
        execution = drive.execution
        single = len(execution.frames) == 1 and execution.deadline is None
        if commands and execution.status == "RUNNING" and single:
            assert commands == outstanding(drive.machine, execution)
        drive.wait_for(commands)


@FEW
@given(definitions(), INPUTS)
def test_what_the_caller_does_to_the_input_later_changes_nothing(definition: dict[str, Any], given_input: Any) -> None:
    before = copy.deepcopy(given_input)
    machine = parse(definition)
    untouched, meddled = Drive(machine, before), Drive(machine, given_input)
    meddled.wait_for(meddled.step())
    assert given_input == before

    def spoil(value: Any) -> None:
        if isinstance(value, dict):
            for inner in value.values():
                spoil(inner)
            value["spoiled"] = True
        elif isinstance(value, list):
            for inner in value:
                spoil(inner)
            value.append("spoiled")

    spoil(given_input)

    if meddled.execution.status == "RUNNING":
        meddled.to_the_end()
    untouched.to_the_end()
    assert meddled.execution == untouched.execution


@FEW
@given(definitions(), INPUTS)
def test_an_event_that_nothing_waits_for_changes_nothing(definition: dict[str, Any], given_input: Any) -> None:
    drive = Drive(parse(definition), given_input)
    drive.to_the_end()

    for event in drive.events:
        assert advance(drive.machine, drive.execution, event) == (drive.execution, ())


def shares_of(counts: Counter[str], definition: dict[str, Any]) -> set[str]:
    found: set[str] = set()

    def look(machine: dict[str, Any], inside: str) -> None:
        for state in machine["States"].values():
            kind = state["Type"]
            found.add(kind)
            found.update(field for field in ("Retry", "Catch") if field in state)
            if inside:
                found.add(f"{kind} inside {inside}")
            for inner in [*state.get("Branches", []), *([state["ItemProcessor"]] if kind == "Map" else [])]:
                look(inner, kind)

    look(definition, "")
    found.add(definition.get("QueryLanguage", "JSONPath"))
    if any(name.endswith(("inside Map", "inside Parallel")) for name in found):
        found.add("nested states")
    for kind in ("Map", "Parallel"):
        if found & {f"{kind} inside Map", f"{kind} inside Parallel"}:
            found.add(f"nested {kind}")
    counts.update(found)
    return found


def test_the_generated_machines_hold_enough_of_everything(capsys: pytest.CaptureFixture[str]) -> None:
    counts: Counter[str] = Counter()

    @settings(
        max_examples=400,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        database=None,
        derandomize=True,
    )
    @given(definitions(), st.none())
    def generate(definition: dict[str, Any], _nothing: None) -> None:
        counts["machines"] += 1
        shares_of(counts, definition)

    generate()
    shares = {name: counts[name] / counts["machines"] for name in counts if name != "machines"}
    with capsys.disabled():
        shown = ", ".join(f"{name} {share:.0%}" for name, share in sorted(shares.items()) if "inside" not in name)
        print(f"\nshares among {counts['machines']} generated machines: {shown}")
    kinds = ("Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map", "Retry", "Catch", "JSONata")
    assert all(shares[name] >= 0.1 for name in (*kinds, "nested Map", "nested Parallel")), shares


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(damaged_definitions(), INPUTS)
def test_a_damaged_definition_is_refused_with_its_faults_or_runs_without_raising(
    definition: Any, given_input: Any
) -> None:
    machine: Machine | None = None
    errors: list[str] = []
    try:
        machine = parse(definition)
    except DefinitionInvalid as invalid:
        errors = [str(fault) for fault in invalid.faults if fault.severity == "error"]
    assert (machine is None) is bool(errors)
    if machine is not None:
        for_a_while(machine, given_input)


def for_a_while(machine: Machine, given_input: Any) -> None:
    drive = Drive(machine, given_input)
    for _ in range(300):  # what was damaged may loop until the limit of history events
        commands = drive.step()
        if commands and isinstance(commands[-1], End):
            return
        drive.wait_for(commands)


@FEW
@given(definitions(), INPUTS)
def test_every_line_waits_for_one_thing_and_belongs_to_a_group_that_runs(
    definition: dict[str, Any], given_input: Any
) -> None:
    drive = Drive(parse(definition), given_input)
    while drive.due:
        commands = drive.step()
        if commands and isinstance(commands[-1], End):
            return
        drive.wait_for(commands)
        frames = drive.execution.frames
        for frame in frames.values():
            children = [other for other in frames.values() if other.parent == frame.number]
            assert [frame.task, frame.timer, frame.group].count(None) == 2
            assert bool(children) is (frame.group is not None)
            assert frame.parent is None or frame.parent in frames
