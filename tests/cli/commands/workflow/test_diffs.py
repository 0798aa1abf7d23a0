"""``expediter workflow diff``: what it prints with and without a server, and its exit code."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.cli.commands.workflow.changes import changes
from expediter.embedded.settings import workflow
from tests.cli.conftest import Run, Server

OLD = workflow(None)


def renamed(definition: dict[str, Any], state: str, name: str) -> dict[str, Any]:
    text = json.dumps(definition).replace(f'"{state}": {{', f'"{name}": {{')
    return dict(json.loads(text.replace(f'"Next": "{state}"', f'"Next": "{name}"')))


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    new = renamed(OLD, "Hold", "Wait")
    new["States"]["ProcessPayment"]["TimeoutSeconds"] = 7
    old_file, new_file = tmp_path / "old.asl.json", tmp_path / "new.asl.json"
    old_file.write_text(json.dumps(OLD))
    new_file.write_text(json.dumps(new))
    return str(old_file), str(new_file)


def test_what_is_gone_new_and_changed_is_told_with_what_keeps_every_order(typed: Run, files: tuple[str, str]) -> None:
    done = typed("workflow", "diff", *files)

    assert done.code == 1
    assert "  state gone:    Hold (Wait does the same)\n" in done.out
    assert "  state new:     Wait\n" in done.out
    assert "TimeoutSeconds" in done.out
    assert "Orders under way keep the version that they began on" in done.out
    assert "expediter workflow publish" in done.out


def test_a_name_chooses_the_state_machine_of_each_template(typed: Run, tmp_path: Path) -> None:
    def resource(state: str) -> dict[str, Any]:
        definition = {"StartAt": state, "States": {state: {"Type": "Succeed"}}}
        return {"Type": "AWS::Serverless::StateMachine", "Properties": {"Definition": definition}}

    def template(file: str, **states: str) -> str:
        resources = {name: resource(state) for name, state in states.items()}
        (tmp_path / file).write_text(json.dumps({"Resources": resources}))
        return str(tmp_path / file)

    old, new = template("old.json", M="A", N="B"), template("new.json", M="A", N="C")
    alone = tmp_path / "alone.json"
    alone.write_text(json.dumps(resource("B")["Properties"]["Definition"]))

    assert "Choose one with --name" in typed("workflow", "diff", old, new).err
    assert typed("workflow", "diff", old, new, "--name", "M").code == 0
    for before in (old, str(alone)):
        done = typed("workflow", "diff", before, new, "--name", "N", "--json")
        assert (done.json["states"]["gone"], done.json["states"]["new"]) == (["B"], ["C"])
    assert "has no state machine O" in typed("workflow", "diff", old, new, "--name", "O").err


def test_nothing_gone_exits_0(typed: Run, files: tuple[str, str]) -> None:
    same = typed("workflow", "diff", files[0], files[0], "--json")

    assert (same.code, same.json["states"], same.json["orders"]) == (
        0,
        {"gone": [], "new": [], "changed": {}, "renamed": {}, "moved": {}},
        None,
    )


def test_a_running_server_says_how_many_orders_are_where(server: Server, typed: Run, files: tuple[str, str]) -> None:
    server.accept()
    while (
        not (done := typed("workflow", "diff", "1", files[1], "--live", "--json", server=server)).json["orders"][
            "states"
        ]
        or done.json["orders"]["states"][0]["state"] != "Hold"
    ):
        pass
    by_file = typed("workflow", "diff", *files, "--live", server=server)
    other = typed("workflow", "diff", files[1], files[0], "--live", "--json", server=server)

    assert (done.code, done.json["orders"]) == (
        1,
        {"version": 1, "states": [{"state": "Hold", "orders": 1, "stranded": "gone; Wait does the same"}]},
    )
    assert "1 order under way on version 1:" in by_file.out
    assert "Moved to the new definition, 1 order could not go on." in by_file.out
    assert (other.code, other.json["error"]) == (
        2,
        "The server has no version with the old definition. Name one of its versions: 1.",
    )


def test_no_server_and_no_file_are_one_sentence_in_json(typed: Run, files: tuple[str, str]) -> None:
    nobody = ("--live", "--url", "http://127.0.0.1:9", "--json")
    for given_old in ("1", files[0]):
        done = typed("workflow", "diff", given_old, files[1], *nobody)
        assert (done.code, "No server answers" in done.json["error"]) == (2, True)
    missing = typed("workflow", "diff", "none.json", files[1], "--json")
    assert (missing.code, list(missing.json)) == (2, ["error"])


@given(st.sets(st.sampled_from(sorted(OLD["States"]))), st.sets(st.sampled_from(sorted(OLD["States"]))))
def test_a_definition_with_renamed_states_is_seen_as_such(first: set[str], second: set[str]) -> None:
    one, other = copy.deepcopy(OLD), copy.deepcopy(OLD)
    for state in first - {OLD["StartAt"]}:
        one["States"][f"{state} of one"] = one["States"].pop(state)
    for state in second - {OLD["StartAt"]}:
        other["States"][f"{state} of other"] = other["States"].pop(state)
    text = {"one": json.dumps(one), "other": json.dumps(other)}
    for name, states in (("one", first), ("other", second)):
        for state in states - {OLD["StartAt"]}:
            for field in ("Next", "Default"):
                text[name] = text[name].replace(f'"{field}": "{state}"', f'"{field}": "{state} of {name}"')
    found = changes(json.loads(text["one"]), json.loads(text["other"]))

    assert set(found.gone) == {f"{state} of one" for state in first - {OLD["StartAt"]}} | (
        second - first - {OLD["StartAt"]}
    )
    assert (found.tasks_gone, found.tasks_new, found.retyped) == ((), (), ())
    assert set(found.renamed) <= set(found.gone)
    assert set(found.renamed.values()) <= set(found.new)


def test_a_state_of_another_type_and_a_removed_task_are_reported() -> None:
    new = copy.deepcopy(OLD)
    new["States"]["Hold"] = {"Type": "Pass", "Next": new["States"]["Hold"]["Next"]}
    new["States"]["CompleteOrder"]["Resource"] = "InitializeOrder"
    found = changes(OLD, new)

    assert found.stranding("Hold") == "of another type"
    assert found.stranding("CompleteOrder") is None
    assert found.tasks_gone == ("CompleteOrder",)


def test_what_differs_of_the_definition_itself_and_of_a_machine_inside_is_told() -> None:
    inner = {"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}
    old: dict[str, Any] = {"StartAt": "A", "States": {"A": {"Type": "Map", "ItemProcessor": inner, "End": True}}}
    new = copy.deepcopy({**old, "TimeoutSeconds": 5})
    new["States"]["A"]["ItemProcessor"]["ProcessorConfig"] = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    found = changes(old, new)

    assert found.machine == ("TimeoutSeconds",)
    assert found.changed == {"A": ("ItemProcessor.ProcessorConfig",)}


def test_a_state_that_moved_into_or_out_of_another_is_reported_and_would_strand_its_orders(
    typed: Run, tmp_path: Path
) -> None:
    def machine(*inside: str, top: str = "") -> dict[str, Any]:
        """A Parallel with one branch for each of these states, and a state before it."""
        branches = [{"StartAt": name, "States": {name: {"Type": "Pass", "End": True}}} for name in inside]
        states: dict[str, Any] = {"Both": {"Type": "Parallel", "Branches": branches, "End": True}}
        return {"StartAt": top or "Both", "States": states | ({top: {"Type": "Pass", "Next": "Both"}} if top else {})}

    files = [tmp_path / name for name in ("old.asl.json", "new.asl.json")]
    files[0].write_text(json.dumps(machine("A", "B")))
    files[1].write_text(json.dumps(machine("B", top="A")))
    out, into = typed("workflow", "diff", *map(str, files)), typed("workflow", "diff", *map(str, files[::-1]))

    assert (out.code, into.code) == (1, 1)
    assert "  state moved:   A (moved out of Both)\n" in out.out
    assert "  state moved:   A (moved into Both)\n" in into.out
    assert typed("workflow", "diff", *map(str, files), "--json").json["states"]["moved"] == {
        "A": {"from": "Both", "to": None}
    }
    found = changes(machine("A"), renamed(machine("A"), "Both", "Other") | {"StartAt": "Other"})
    assert found.stranding("A") == "moved from Both into Other"
    assert changes(machine("A", "B"), machine("B", top="C")).renamed == {}
