"""Reading a definition: every fault at once, each with its place, in two severities."""

import json
from typing import Any

import pytest

from expediter.asl import DefinitionInvalid, parse
from tests.asl.helpers import END, faults, only, places


def test_all_faults_are_found_at_once_each_with_its_place() -> None:
    definition = {
        "StartAt": "Nowhere",
        "States": {
            "Pay": {
                "Type": "Task",
                "Retry": [{"ErrorEquals": [], "BackoffRate": 0.5}],
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Lost"}],
                "TimeoutSeconds": 0,
                "Next": "Look",
            },
            "Look": {"Type": "Choice", "Choices": [{"Variable": "$.", "StringEquals": 1, "Next": "Pay"}]},
            "Odd": {"Type": "Strange"},
        },
    }

    assert set(places(definition)) == {
        "StartAt",
        "States.Pay",
        "States.Pay.Retry[0].ErrorEquals",
        "States.Pay.Retry[0].BackoffRate",
        "States.Pay.Catch[0].Next",
        "States.Pay.TimeoutSeconds",
        "States.Look.Choices[0].Variable",
        "States.Odd.Type",
    }


@pytest.mark.parametrize(
    ("definition", "place", "words"),
    [
        (" ", "", "valid JSON object"),
        ({"States": {"One": END}}, "", "[StartAt]"),
        ({"StartAt": "One", "States": {}}, "States", "at least one state"),
        (only({**END, "QueryLanguage": "JSONPath"}, QueryLanguage="JSONata"), "States.One", "can not be 'JSONPath'"),
        (only({"Type": "Pass"}), "States.One", "[Next, End]"),
        (only({"Type": "Pass", "Next": "One", "End": True}), "States.One", "[Next, End]"),
        (only({**END, "InputPath": "no"}), "States.One.InputPath", "valid JSONPath"),
        (only({**END, "ResultPath": "$.a[*]"}), "States.One.ResultPath", "valid JSONPath"),
        (only({**END, "Output": 1}), "States.One.Output", "not supported with the query language JSONPath"),
        (only({**END, "Parameters": {}}, QueryLanguage="JSONata"), "States.One.Parameters", "JSONata"),
        (only({**END, "Assign": {"a b": 1}}), "States.One.Assign.a b", "valid variable name"),
        (only({"Type": "Wait", "End": True}), "States.One", "Seconds"),
        (only({"Type": "Wait", "Seconds": -1, "End": True}), "States.One.Seconds", "between 0 and"),
        (only({"Type": "Wait", "Seconds": 1, "SecondsPath": "$.a", "End": True}), "States.One", "Exactly one"),
        (only({"Type": "Wait", "Timestamp": "soon", "End": True}), "States.One.Timestamp", "RFC3339"),
        (only({"Type": "Fail", "Error": "E", "ErrorPath": "$.e"}), "States.One", "Only one"),
        (only({"Type": "Choice", "Choices": []}), "States.One.Choices", "non-empty"),
        (only({"Type": "Choice", "Choices": [{"Next": "One"}]}), "States.One.Choices[0]", "[Variable]"),
        (only({"Type": "Parallel", "Branches": [], "End": True}), "States.One.Branches", "non-empty"),
        (only({"Type": "Map", "End": True}), "States.One", "[ItemProcessor]"),
        (only({"Type": "Task", "Resource": "x", "Credentials": {}, "End": True}), "States.One.Credentials", "RoleArn"),
        (
            only({"Type": "Task", "Resource": "arn:aws:states:::dynamodb:query", "End": True}),
            "States.One.Resource",
            "not recognized",
        ),
        (
            only({"Type": "Task", "Resource": "x", "TimeoutSeconds": 5, "HeartbeatSeconds": 5, "End": True}),
            "States.One.HeartbeatSeconds",
            "smaller than TimeoutSeconds",
        ),
        (
            only({"Type": "Task", "Resource": "x", "Retry": [{"ErrorEquals": ["States.ALL", "X"]}], "End": True}),
            "States.One.Retry[0].ErrorEquals",
            "States.ALL must appear alone",
        ),
    ],
)
def test_a_fault_names_its_place_and_what_is_asked_for(definition: Any, place: str, words: str) -> None:
    found = faults(definition)

    assert [(fault.path, words in fault.message) for fault in found if fault.path == place] == [(place, True)]


def test_states_inside_others_are_checked_too_and_names_are_unique_in_the_whole() -> None:
    inner = {"StartAt": "One", "States": {"One": {**END, "OutputPath": "$["}}}
    definition = only({"Type": "Parallel", "Branches": [inner], "End": True})

    found = faults(definition)

    assert [fault.path for fault in found] == ["States.One.Branches[0].States.One"] * 1 + [
        "States.One.Branches[0].States.One.OutputPath"
    ]
    assert found[0].code == "DUPLICATE_STATE_NAME"


def test_a_transition_never_leaves_its_level() -> None:
    inner = {"StartAt": "In", "States": {"In": {"Type": "Pass", "Next": "After"}}}
    definition = {
        "StartAt": "P",
        "States": {"P": {"Type": "Parallel", "Branches": [inner], "Next": "After"}, "After": END},
    }

    assert places(definition) == ["States.P.Branches[0].States.In.Next", "States.P.Branches[0]"]


def test_each_missing_target_is_reported_at_the_field_that_names_it() -> None:
    task = {"Type": "Task", "Resource": "x", "Next": "Gon", "Catch": [{"ErrorEquals": ["E"], "Next": "Gone too"}]}
    rules = [{"Variable": "$.a", "IsNull": True, "Next": name} for name in ("Task", "No rule")]
    choice = {"Type": "Choice", "Choices": rules, "Default": "No default"}
    inner = {"StartAt": "No start", "States": {"In": END}}
    states = {"Choice": choice, "Task": task, "Both": {"Type": "Parallel", "Branches": [inner], "End": True}}

    found = faults({"StartAt": "Chois", "States": states})

    missing = {fault.path: fault.message.split("'")[1] for fault in found if "There is no state" in fault.message}
    assert missing == {
        "StartAt": "Chois",
        "States.Choice.Choices[1].Next": "No rule",
        "States.Choice.Default": "No default",
        "States.Task.Next": "Gon",
        "States.Task.Catch[0].Next": "Gone too",
        "States.Both.Branches[0].StartAt": "No start",
    }


def test_an_express_workflow_cannot_wait_for_a_job_or_a_token() -> None:
    for way in (".sync", ".waitForTaskToken"):
        task = {"Type": "Task", "Resource": f"arn:aws:states:::states:startExecution{way}", "End": True}

        assert parse(only(task)).start == "One"
        assert places(only(task), express=True) == ["States.One.Resource"]


def test_warnings_do_not_keep_a_machine_from_running() -> None:
    definition = {
        "StartAt": "Pay",
        "States": {
            "Pay": {"Type": "Task", "Resource": "Bank", "ResultPath": "$.paid", "Next": "Look"},
            "Look": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.payed.ok", "BooleanEquals": True, "Next": "Round"}],
                "Default": "Paid",
            },
            "Round": {"Type": "Pass", "Next": "Round"},
            "Paid": END,
        },
    }

    found = {(fault.path, fault.code) for fault in parse(definition).warnings}

    assert found == {
        ("", "NO_CATCH"),
        ("States.Look", "FIELD_NEVER_SET"),
        ("States.Round", "NO_WAY_TO_AN_END"),
    }


def test_the_message_names_each_error_and_its_place() -> None:
    with pytest.raises(
        DefinitionInvalid, match=r"^States\.One: Exactly one of these fields is required: \[Next, End\]$"
    ):
        parse(only({"Type": "Pass"}))
    with pytest.raises(DefinitionInvalid, match=r"^definition: Definition must be a valid JSON object$"):
        parse("[]")


def test_a_machine_tells_what_it_asks_for_and_which_variables_it_reads() -> None:
    definition = {
        "StartAt": "Pay",
        "States": {
            "Pay": {"Type": "Task", "Resource": "Bank", "Parameters": {"x.$": "$rate"}, "Next": "Tell"},
            "Tell": {
                "Type": "Pass",
                "QueryLanguage": "JSONata",
                "Output": "{% $b & $a & $states.input %}",
                "End": True,
            },
        },
    }

    machine = parse(json.dumps(definition))

    assert machine.resources == {"Bank"}
    assert machine.variables == {"Pay": ["rate"], "Tell": ["a", "b"]}


def task_with(parameters: dict[str, Any]) -> dict[str, Any]:
    return only({"Type": "Pass", "Parameters": parameters, "End": True})


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (only({"Type": "Pas", "End": True}), "Did you mean 'Pass'?"),
        ({"StartAt": "Pay", "States": {"Pay": {"Type": "Pass", "Next": "Shpi"}, "Ship": END}}, "Did you mean 'Ship'?"),
        ({"StartAt": "Pya", "States": {"Pay": END}}, "Did you mean 'Pay'?"),
        (
            only({"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericGreaterThen": 1, "Next": "One"}]}),
            "Did you mean 'NumericGreaterThan'?",
        ),
        (task_with({"a.$": "States.Formt('{}', $.a)"}), "Did you mean 'States.Format'?"),
    ],
)
def test_a_misspelt_word_is_answered_with_the_nearest_known_one(definition: Any, words: str) -> None:
    assert any(words in fault.message for fault in faults(definition)), faults(definition)


def warned(definition: Any) -> list[tuple[str, str]]:
    return [(fault.path, fault.code) for fault in parse(definition).warnings]


def test_a_path_as_the_value_of_a_plain_key_gets_a_warning() -> None:
    definition = task_with({"id": "$.order.id", "price": "$5", "list": ["$.a"], "all.$": "$", "dollar": "$"})

    assert warned(definition) == [("States.One.Parameters.id", "PATH_AS_TEXT")]


def test_a_choice_without_default_gets_a_warning_unless_its_rules_cover_true_and_false() -> None:
    def choosing(*rules: dict[str, Any]) -> dict[str, Any]:
        asked = [{"Variable": "$.n", **rule, "Next": "Two"} for rule in rules]
        return {"StartAt": "One", "States": {"One": {"Type": "Choice", "Choices": asked}, "Two": END}}

    assert warned(choosing({"NumericEquals": 1})) == [("States.One", "NO_DEFAULT")]
    assert warned(choosing({"BooleanEquals": True}, {"BooleanEquals": False})) == []


def choice_of(*rules: dict[str, Any], language: str = "JSONPath") -> dict[str, Any]:
    chooses = {"Type": "Choice", "Choices": [{**rule, "Next": "Two"} for rule in rules]}
    return {"QueryLanguage": language, "StartAt": "One", "States": {"One": chooses, "Two": END}}


IS_A: dict[str, Any] = {"Variable": "$.n", "StringEquals": "a"}
IS_TRUE: dict[str, Any] = {"Variable": "$.n", "BooleanEquals": True}


@pytest.mark.parametrize("test", [IS_A, IS_TRUE, {"And": [IS_A, IS_TRUE]}, {"Not": IS_A}])
def test_a_rule_beside_its_own_not_needs_no_default(test: dict[str, Any]) -> None:
    assert warned(choice_of({**test, "Comment": "so"}, {"Not": test})) == []
    assert warned(choice_of(test, {"Not": {"Variable": "$.m", "IsNull": True}})) == [("States.One", "NO_DEFAULT")]


def test_a_condition_beside_its_not_or_one_that_is_true_needs_no_default() -> None:
    asked = "$states.input.n = 1"

    def conditions(*given: Any) -> list[tuple[str, str]]:
        return warned(choice_of(*({"Condition": one} for one in given), language="JSONata"))

    assert conditions(f"{{% {asked} %}}", f"{{% $not({asked}) %}}") == []
    assert conditions(f"{{% {asked} %}}", True) == []
    assert conditions(f"{{% {asked} %}}") == [("States.One", "NO_DEFAULT")]


def around(kind: str, errors: list[str]) -> dict[str, Any]:
    """A Task without a Catch inside a state with one, and one more after it."""
    task = {"Type": "Task", "Resource": "x"}
    inner: dict[str, Any] = {"StartAt": "Inner", "States": {"Inner": {**task, "End": True}}}
    distributed: dict[str, Any] = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **inner}
    kinds: dict[str, dict[str, Any]] = {
        "Parallel": {"Type": "Parallel", "Branches": [inner]},
        "Map": {"Type": "Map", "ItemProcessor": inner},
        "distributed Map": {"Type": "Map", "ItemProcessor": distributed},
    }
    outer = {**kinds[kind], "Next": "After", "Catch": [{"ErrorEquals": errors, "Next": "Last"}]}
    return {"StartAt": "Outer", "States": {"Outer": outer, "After": {**task, "Next": "Last"}, "Last": END}}


@pytest.mark.parametrize(
    ("kind", "error", "uncaught"),
    [
        ("Parallel", "States.ALL", "After"),
        ("Map", "States.TaskFailed", "After"),
        ("distributed Map", "States.ExceedToleratedFailureThreshold", "After"),
        ("Parallel", "Declined", "Inner, After"),
    ],
)
def test_a_task_is_caught_by_the_state_around_it(kind: str, error: str, uncaught: str) -> None:
    (fault,) = parse(around(kind, [error])).warnings

    assert fault.message.endswith(f"no Catch in {uncaught}")


def test_tasks_without_catch_are_said_once_for_the_whole_definition() -> None:
    states = {name: {"Type": "Task", "Resource": "x", "Next": name + "x"} for name in ("A", "Ax")}

    found = parse({"StartAt": "A", "States": {**states, "Axx": END}}).warnings

    assert [(fault.code, fault.message.partition(": ")[2]) for fault in found] == [("NO_CATCH", "no Catch in A, Ax")]


@pytest.mark.parametrize(
    ("resource", "kind", "codes"),
    [
        ("arn:aws:states:us-east-1:111111111111:activity:a", "EXPRESS", ["EXPRESS_CHILD"]),
        ("arn:aws:states:::states:startExecution.sync:2", "EXPRESS", ["EXPRESS_CHILD"]),
        ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", "EXPRESS", ["EXPRESS_CHILD"]),
        ("arn:aws:states:::sqs:sendMessage", "EXPRESS", []),
        ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", "STANDARD", []),
    ],
)
def test_what_an_express_child_execution_does_not_have_gets_a_warning(
    resource: str, kind: str, codes: list[str]
) -> None:
    task = {"Type": "Task", "Resource": resource, "End": True, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}]}
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind},
        "StartAt": "A",
        "States": {"A": task, "B": END},
    }
    each = {"Type": "Map", "ItemProcessor": processor, "Next": "After"}
    after = {**task, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}]}

    found = parse({"StartAt": "Each", "States": {"Each": each, "After": after, "C": END}}).warnings

    assert [fault.code for fault in found if fault.path.startswith("States.Each")] == codes
    assert [fault.code for fault in found if fault.path.startswith("States.After")] == []
