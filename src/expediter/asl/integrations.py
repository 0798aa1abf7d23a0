"""The optimised service integrations of AWS: which actions there are, and how each may be called.

Source: "Integrating optimized services with Step Functions" (AWS developer guide). ``arn:aws:states:::aws-sdk:…`` names
any action of any service and is not checked; a Resource of another form names a function or an activity.
"""

from expediter.asl.protocol import Json
from expediter.asl.reading import Reader

PREFIX = "arn:aws:states:::"
_SYNC, _TOKEN = ".sync", ".waitForTaskToken"

#: service -> action -> the ways beside plain request and response.
ACTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "apigateway": {"invoke": (_TOKEN,)},
    "athena": {
        "startQueryExecution": (_SYNC,),
        "stopQueryExecution": (),
        "getQueryExecution": (),
        "getQueryResults": (),
    },
    "batch": {"submitJob": (_SYNC, _TOKEN)},
    "bedrock": {"invokeModel": (_TOKEN,), "createModelCustomizationJob": (_SYNC,)},
    "codebuild": {
        "startBuild": (_SYNC,),
        "stopBuild": (),
        "batchDeleteBuilds": (),
        "batchGetReports": (),
        "startBuildBatch": (_SYNC,),
        "stopBuildBatch": (),
        "retryBuildBatch": (_SYNC,),
        "deleteBuildBatch": (),
    },
    "databrew": {"startJobRun": (_SYNC,)},
    "dynamodb": {"getItem": (), "putItem": (), "deleteItem": (), "updateItem": ()},
    "ecs": {"runTask": (_SYNC, _TOKEN)},
    "eks": {
        "createCluster": (_SYNC,),
        "deleteCluster": (_SYNC,),
        "createFargateProfile": (_SYNC,),
        "deleteFargateProfile": (_SYNC,),
        "createNodegroup": (_SYNC,),
        "deleteNodegroup": (_SYNC,),
        "runJob": (_SYNC,),
        "call": (),
    },
    "elasticmapreduce": {
        "createCluster": (_SYNC,),
        "setClusterTerminationProtection": (),
        "terminateCluster": (_SYNC,),
        "addStep": (_SYNC,),
        "cancelStep": (),
        "modifyInstanceFleetByName": (),
        "modifyInstanceGroupByName": (),
    },
    "emr-containers": {"createVirtualCluster": (), "deleteVirtualCluster": (_SYNC,), "startJobRun": (_SYNC,)},
    "emr-serverless": {
        "createApplication": (_SYNC,),
        "startApplication": (_SYNC,),
        "stopApplication": (_SYNC,),
        "deleteApplication": (_SYNC,),
        "startJobRun": (_SYNC,),
        "cancelJobRun": (_SYNC,),
    },
    "events": {"putEvents": (_TOKEN,)},
    "glue": {"startJobRun": (_SYNC,)},
    "http": {"invoke": ()},
    "lambda": {"invoke": (_TOKEN,)},
    "mediaconvert": {"createJob": (_SYNC,)},
    "sagemaker": {
        "createEndpoint": (),
        "createEndpointConfig": (),
        "createHyperParameterTuningJob": (_SYNC,),
        "createLabelingJob": (_SYNC,),
        "createModel": (),
        "createProcessingJob": (_SYNC,),
        "createTrainingJob": (_SYNC,),
        "createTransformJob": (_SYNC,),
        "updateEndpoint": (),
    },
    "sns": {"publish": (_TOKEN,)},
    "sqs": {"sendMessage": (_TOKEN,)},
    "states": {"startExecution": (_SYNC, ".sync:2", _TOKEN)},
}


def service_and_action(resource: str) -> tuple[str, str]:
    """``arn:aws:states:::aws-sdk:sfn:startSync`` -> ("aws-sdk:sfn", "startSync"); the way stays with the action."""
    parts = resource.removeprefix(PREFIX).split(":")
    length = 2 if parts[0] == "aws-sdk" else 1
    return ":".join(parts[:length]), ":".join(parts[length:])


def check_resource(reader: Reader, resource: str) -> None:
    """Complain about a Resource that AWS would not take."""
    if not resource.startswith(PREFIX):
        return
    service, called = service_and_action(resource)
    action, way = _split(called)
    if not service.startswith("aws-sdk:") and way not in _ways(service, action):
        reader.complain(
            "Resource",
            f"The resource provided {resource} is not recognized. The value is not a valid resource ARN, or the "
            "resource is not available in this region.",
        )
    if reader.notes.express and way:
        shown = _SYNC if way.startswith(_SYNC) else way
        reader.complain("Resource", f"Express state machine does not support '{shown}' service integration")


def _ways(service: str, action: str) -> tuple[str, ...]:
    """How an action may be called; empty when there is no such action."""
    found = ACTIONS.get(service, {}).get(action)
    return () if found is None else ("", *found)


def _split(called: str) -> tuple[str, str]:
    action, dot, way = called.partition(".")
    return action, dot + way


def unfit_parameters(resource: str, value: Json) -> str | None:
    """Why AWS would not even start the task with these parameters; None when it would."""
    if not resource.startswith(f"{PREFIX}apigateway:invoke") or not isinstance(value, dict):
        return None
    headers = value.get("Headers", {})
    fits = isinstance(headers, dict) and all(isinstance(header, list) for header in headers.values())
    return None if fits else "The value of the field 'Headers' has an invalid format"
