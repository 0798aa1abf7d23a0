"""What AWS refuses when a workflow is created, and what it takes although it is of no use."""

from typing import Any

import pytest

from expediter.asl import parse, simulate
from tests.asl.helpers import END, evaluating, faults, only, places

DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
INNER = {"StartAt": "In", "States": {"In": END}}


def reading(config: dict[str, Any], **state: Any) -> dict[str, Any]:
    source = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON", **config}}
    return only({"Type": "Map", "ItemProcessor": {**INNER, **DISTRIBUTED}, "ItemReader": source, "End": True, **state})


def calling(resource: str) -> dict[str, Any]:
    return only({"Type": "Task", "Resource": resource, "End": True})


def mapping(**state: Any) -> dict[str, Any]:
    return only({"Type": "Map", "ItemProcessor": {**INNER, **DISTRIBUTED}, "End": True, **state})


def choosing(**rule: Any) -> dict[str, Any]:
    states = {"One": {"Type": "Choice", "Choices": [{**rule, "Next": "Two"}], "Default": "Two"}, "Two": END}
    return {"StartAt": "One", "States": states}


NULL = {"Variable": "$.a", "IsNull": True}


def credentials(given: Any, language: str = "JSONPath") -> dict[str, Any]:
    return only({"Type": "Task", "Resource": "x", "Credentials": given, "End": True}, QueryLanguage=language)


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
        (evaluating("$states.errorOutput.Error"), "States.One.Output", "of a Catch"),
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
        (calling(" "), "States.One.Resource", "not recognized"),
        (calling("arn:aws:states:::aws-sdk::getObject"), "States.One.Resource", "not recognized"),
        (calling("arn:aws:states:::aws-sdk:s3:getObject:x"), "States.One.Resource", "not recognized"),
        (calling("arn:aws-cn:states:::dynamodb:query"), "States.One.Resource", "not recognized"),
        (calling("arn:aws-us-gov:states:::aws-sdk:s3:getObject.sync"), "States.One.Resource", "not recognized"),
        (mapping(Label="a" * 41), "States.One.Label", "1 to 40 characters"),
        (mapping(Label=""), "States.One.Label", "1 to 40 characters"),
        (mapping(Label="two words"), "States.One.Label", "must not contain ' '"),
        (mapping(Label="a\x7f"), "States.One.Label", "must not contain"),
        (mapping(ItemBatcher={}), "States.One.ItemBatcher", "At least one of these fields is required"),
        (mapping(ItemBatcher={"BatchInput": {}}), "States.One.ItemBatcher", "[MaxItemsPerBatch, "),
        (mapping(ItemSelector={}, Parameters={}), "States.One.Parameters", "old name of 'ItemSelector'"),
        (mapping(Iterator=INNER), "States.One.Iterator", "old name of 'ItemProcessor'"),
        (choosing(**NULL, And=[NULL]), "States.One.Choices[0].Variable", "beside 'And'"),
        (choosing(Or=[NULL], Not=NULL), "States.One.Choices[0].Not", "beside 'Or'"),
        (choosing(Not={**NULL, "Or": [NULL]}), "States.One.Choices[0].Not.IsNull", "beside 'Or'"),
        (credentials({}), "States.One.Credentials", "'RoleArn' is required"),
        (credentials({"RoleArn.$": "role"}), "States.One.Credentials.RoleArn.$", "valid JSONPath"),
        (credentials({"RoleArn": 1}), "States.One.Credentials.RoleArn", "must be a string"),
        (credentials({"RoleArn": "a", "Role": "b"}), "States.One.Credentials.Role", "not supported"),
        (credentials({"RoleArn": "{% role %}"}, "JSONata"), "States.One.Credentials.RoleArn", "'role' reads an input"),
        (credentials({"RoleArn.$": "$.role"}, "JSONata"), "States.One.Credentials.RoleArn.$", "not supported"),
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


def test_an_express_workflow_has_no_distributed_map() -> None:
    assert parse(mapping()).start == "One"
    assert places(mapping(), express=True) == ["States.One"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ItemReader", {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}}),
        ("ItemBatcher", {"MaxItemsPerBatch": 1}),
        ("ResultWriter", {"Resource": "arn:aws:states:::s3:putObject"}),
        ("Label", "orders"),
        ("ToleratedFailureCount", 1),
        ("ToleratedFailurePercentagePath", "$.most"),
    ],
)
def test_what_an_inline_map_has_no_use_for_is_a_warning_because_aws_creates_it(field: str, value: Any) -> None:
    def told(processor: dict[str, Any]) -> list[str]:
        machine = parse(only({"Type": "Map", "ItemProcessor": processor, field: value, "End": True}))
        return [fault.path for fault in machine.warnings if fault.code == "INLINE_MAP"]

    assert told(INNER) == [f"States.One.{field}"]
    assert told({**INNER, **DISTRIBUTED}) == []


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_integrations_are_the_same_in_every_partition_of_aws(partition: str) -> None:
    assert parse(calling(f"arn:{partition}:states:::sqs:sendMessage.waitForTaskToken")).start == "One"
    done = simulate(calling(f"arn:{partition}:states:::sqs:sendMessage"), mocks={"One": [{"result": 1}]})

    assert [event["type"] for event in done.events if "Lambda" in event["type"]] == []


@pytest.mark.parametrize("given", [{"RoleArn": "arn:aws:iam::1:role/r"}, {"RoleArn.$": "States.Format('{}', $.r)"}])
def test_credentials_name_a_role_or_read_it(given: dict[str, str]) -> None:
    assert parse(credentials(given)).start == "One"
    assert parse(credentials({"RoleArn": "{% $states.input.role %}"}, "JSONata")).start == "One"


@pytest.mark.parametrize("action", ["call", "runJob", "createCluster"])
def test_eks_can_be_waited_for_with_a_token(action: str) -> None:
    assert parse(calling(f"arn:aws:states:::eks:{action}.waitForTaskToken")).start == "One"


def test_a_definition_that_runs_already_goes_on_with_what_aws_would_refuse_to_create() -> None:
    definition = {"StartAt": "One", "States": {"One": {**END, "Colour": "red"}, "Two": END}}

    warned = {fault.path for fault in parse(definition, accepted=True).warnings}

    assert warned == {"States.One.Colour", "States.Two"}
