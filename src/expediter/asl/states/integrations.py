"""The optimised service integrations of AWS: which actions there are, and how each may be called.

Source: "Integrating optimized services with Step Functions" (AWS developer guide). ``arn:aws:states:::aws-sdk:…`` names
any action of any service; a Resource of another form names a function or an activity. In the other partitions of AWS
(China, GovCloud) an ARN begins with ``arn:aws-cn:`` or ``arn:aws-us-gov:``; the rest is the same.
"""

import re

from expediter.asl.protocol import Json

#: How the Resource of an integration begins.
INTEGRATION = re.compile(r"^arn:aws[a-z-]*:states:::")
SYNC, TOKEN = ".sync", ".waitForTaskToken"

#: service -> action -> the ways beside plain request and response.
ACTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "apigateway": {"invoke": (TOKEN,)},
    "athena": {
        "startQueryExecution": (SYNC,),
        "stopQueryExecution": (),
        "getQueryExecution": (),
        "getQueryResults": (),
    },
    "batch": {"submitJob": (SYNC,)},
    "bedrock": {"invokeModel": (TOKEN,), "createModelCustomizationJob": (SYNC,)},
    "bedrockagentcore": {"invokeHarness": ()},
    "codebuild": {
        "startBuild": (SYNC,),
        "stopBuild": (),
        "batchDeleteBuilds": (),
        "batchGetReports": (),
        "startBuildBatch": (SYNC,),
        "stopBuildBatch": (),
        "retryBuildBatch": (SYNC,),
        "deleteBuildBatch": (),
    },
    "databrew": {"startJobRun": (SYNC,)},
    "dynamodb": {"getItem": (), "putItem": (), "deleteItem": (), "updateItem": ()},
    "ecs": {"runTask": (SYNC, TOKEN)},
    "eks": {
        "createCluster": (SYNC, TOKEN),
        "deleteCluster": (SYNC, TOKEN),
        "createFargateProfile": (SYNC, TOKEN),
        "deleteFargateProfile": (SYNC, TOKEN),
        "createNodegroup": (SYNC, TOKEN),
        "deleteNodegroup": (SYNC, TOKEN),
        "runJob": (SYNC, TOKEN),
        "call": (TOKEN,),
    },
    "elasticmapreduce": {
        "createCluster": (SYNC,),
        "setClusterTerminationProtection": (),
        "terminateCluster": (SYNC,),
        "addStep": (SYNC,),
        "cancelStep": (),
        "modifyInstanceFleetByName": (),
        "modifyInstanceGroupByName": (),
    },
    "emr-containers": {"createVirtualCluster": (), "deleteVirtualCluster": (SYNC,), "startJobRun": (SYNC,)},
    "emr-serverless": {
        "createApplication": (SYNC,),
        "startApplication": (SYNC,),
        "stopApplication": (SYNC,),
        "deleteApplication": (SYNC,),
        "startJobRun": (SYNC,),
        "cancelJobRun": (SYNC,),
    },
    "events": {"putEvents": (TOKEN,)},
    "glue": {"startJobRun": (SYNC,)},
    "http": {"invoke": ()},
    "lambda": {"invoke": (TOKEN,)},
    "mediaconvert": {"createJob": (SYNC,)},
    "sagemaker": {
        "createEndpoint": (),
        "createEndpointConfig": (),
        "createHyperParameterTuningJob": (SYNC,),
        "createLabelingJob": (SYNC,),
        "createModel": (),
        "createProcessingJob": (SYNC,),
        "createTrainingJob": (SYNC,),
        "createTransformJob": (SYNC,),
        "updateEndpoint": (),
    },
    "sns": {"publish": (TOKEN,)},
    "sqs": {"sendMessage": (TOKEN,)},
    "states": {"startExecution": (SYNC, ".sync:2", TOKEN)},
}


def service_and_action(resource: str) -> tuple[str, str]:
    """``arn:aws:states:::aws-sdk:sfn:startSync`` -> ("aws-sdk:sfn", "startSync"). A suffix such as ``.sync`` stays."""
    parts = INTEGRATION.sub("", resource, count=1).split(":")
    length = 2 if parts[0] == "aws-sdk" else 1
    return ":".join(parts[:length]), ":".join(parts[length:])


def unfit_parameters(resource: str, value: Json) -> str | None:
    """Why AWS refuses to start the task with these parameters. None: it starts the task."""
    service, action = service_and_action(resource)
    if service != "apigateway" or not action.startswith("invoke") or not isinstance(value, dict):
        return None
    headers = value.get("Headers", {})
    fits = isinstance(headers, dict) and all(isinstance(header, list) for header in headers.values())
    return None if fits else "The value of the field 'Headers' has an invalid format"
