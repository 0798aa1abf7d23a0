"""Reading a definition: every fault at once, each with its place, in two severities."""

import json
from typing import Any

import pytest

from expediter.asl import DefinitionInvalid, Fault, parse

END = {"Type": "Pass", "End": True}


def faults(definition: Any, **options: Any) -> tuple[Fault, ...]:
    with pytest.raises(DefinitionInvalid) as invalid:
        parse(definition, **options)
    return tuple(fault for fault in invalid.value.faults if fault.severity == "error")


def places(definition: Any, **options: Any) -> list[str]:
    return [fault.path for fault in faults(definition, **options)]


def only(state: dict[str, Any], **top: Any) -> dict[str, Any]:
    return {"StartAt": "One", "States": {"One": state}, **top}


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

    assert places(definition) == ["States.P.Branches[0].States.In", "States.P.Branches[0]"]


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


DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
INNER = {"StartAt": "In", "States": {"In": END}}


def reading(config: dict[str, Any], **state: Any) -> dict[str, Any]:
    source = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON", **config}}
    return only({"Type": "Map", "ItemProcessor": {**INNER, **DISTRIBUTED}, "ItemReader": source, "End": True, **state})


def calling(resource: str) -> dict[str, Any]:
    return only({"Type": "Task", "Resource": resource, "End": True})


def evaluating(expression: str) -> dict[str, Any]:
    return only({"Type": "Pass", "Output": "{% " + expression + " %}", "End": True}, QueryLanguage="JSONata")


@pytest.mark.parametrize(
    ("definition", "place", "words"),
    [
        ({"StartAt": "One", "States": {"One": END, "Two": END}}, "States.Two", "not reachable"),
        (only({"Type": "Pass", "Next": "One"}), "", "no terminal state"),
        (only({**END, "Resource": "Bank"}), "States.One.Resource", "Field 'Resource' is not supported"),
        (only({**END, "Colour": "red"}), "States.One.Colour", "Field 'Colour' is not supported"),
        (only({**END, "OutputPaht": "$"}), "States.One.OutputPaht", "Did you mean 'OutputPath'?"),
        (only(END, Start="One"), "Start", "Field 'Start' is not supported"),
        (evaluating("phone"), "States.One.Output", "'phone' reads an input document"),
        (evaluating("$count(foo)"), "States.One.Output", "'foo' reads an input document"),
        (evaluating("$$.order"), "States.One.Output", "'$$' reads an input document"),
        (evaluating("$"), "States.One.Output", "'$' reads an input document"),
        (evaluating("$states.errorOutput.Error"), "States.One.Output", "in a Catch only"),
        (
            only({"Type": "Map", "ItemProcessor": {**INNER, "QueryLanguage": "JSONata"}, "End": True}),
            "States.One.ItemProcessor.QueryLanguage",
            "not supported",
        ),
        (reading({"MaxItems": 100_000_001}), "States.One.ItemReader.ReaderConfig.MaxItems", "100000000"),
        (
            reading({"MaxItemsPath": "$$.Execution.Input.n"}),
            "States.One.ItemReader.ReaderConfig.MaxItemsPath",
            "context",
        ),
        (
            reading({}, QueryLanguage="JSONata", ItemBatcher={"MaxItemsPerBatchPath": "$.n"}),
            "States.One.ItemBatcher.MaxItemsPerBatchPath",
            "not supported",
        ),
        (calling("arn:aws:states:::aws-sdk:s3:getObject.sync"), "States.One.Resource", "not recognized"),
        (calling("arn:aws:states:::batch:submitJob.waitForTaskToken"), "States.One.Resource", "not recognized"),
        (calling("arn:aws:states:::aws-sdk:s3"), "States.One.Resource", "not recognized"),
        (calling(""), "States.One.Resource", "not recognized"),
        ('{"StartAt": "A", "States": {"A": {"Type": "Pass"}, "A": {"Type": "Succeed"}}}', "", "'A' is given twice"),
        (only({**END, "Parameters": {"a": 1, "a.$": "$.b"}}), "States.One.Parameters.a", "leave one out"),
        (
            only({"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Colour": 1, "Next": "One"}]}),
            "States.One.Choices[0].Colour",
            "not supported",
        ),
    ],
)
def test_what_aws_refuses_to_create_is_an_error(definition: Any, place: str, words: str) -> None:
    assert any(fault.path == place and words in fault.message for fault in faults(definition)), faults(definition)


def test_an_express_workflow_has_no_activities() -> None:
    activity = calling("arn:aws:states:us-east-1:111111111111:activity:pay")

    assert parse(activity).start == "One"
    assert places(activity, express=True) == ["States.One.Resource"]


@pytest.mark.parametrize("action", ["call", "runJob", "createCluster"])
def test_eks_can_be_waited_for_with_a_token(action: str) -> None:
    assert parse(calling(f"arn:aws:states:::eks:{action}.waitForTaskToken")).start == "One"


def test_a_catch_may_read_what_went_wrong() -> None:
    catcher = {"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput.Error %}", "Next": "Told"}
    states = {"One": {"Type": "Task", "Resource": "x", "Catch": [catcher], "End": True}, "Told": {"Type": "Succeed"}}

    assert parse({"StartAt": "One", "QueryLanguage": "JSONata", "States": states}).start == "One"


@pytest.mark.parametrize(
    "expression",
    [
        "$states.input.items[price > 5].name",
        "$states.input.items^(>price)",
        "$states.input.items{name: $sum(price)}",
        "$states.input.items.(name & $.price)",
        "$map($states.input.items, function($item) { $item.name })",
        "$states.input ~> |items|{'seen': true}|",
    ],
)
def test_names_that_are_relative_to_a_value_of_the_expression_are_fine(expression: str) -> None:
    assert parse(evaluating(expression)).start == "One"


def test_a_definition_that_runs_already_goes_on_with_what_aws_would_refuse_to_create() -> None:
    definition = {"StartAt": "One", "States": {"One": {**END, "Colour": "red"}, "Two": END}}

    warned = {fault.path for fault in parse(definition, accepted=True).warnings}

    assert warned == {"States.One.Colour", "States.Two"}


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


def test_tasks_without_catch_are_said_once_for_the_whole_definition() -> None:
    states = {name: {"Type": "Task", "Resource": "x", "Next": name + "x"} for name in ("A", "Ax")}

    found = parse({"StartAt": "A", "States": {**states, "Axx": END}}).warnings

    assert [(fault.code, fault.message.partition(": ")[2]) for fault in found] == [("NO_CATCH", "no Catch in A, Ax")]
