"""The API models of AWS's services, where botocore is installed: a mocked result is checked against them."""

from functools import cache
from importlib import import_module
from typing import Any

from expediter.asl.teststate.mock_results import ServiceModels

#: botocore's name of a service that a Resource names otherwise.
_NAMES = {
    "states": "stepfunctions",
    "sfn": "stepfunctions",
    "eventbridge": "events",
    "cloudwatchlogs": "logs",
    "elasticmapreduce": "emr",
    "cognitoidentityprovider": "cognito-idp",
    "elasticloadbalancingv2": "elbv2",
    "apigateway": "",  # its only action calls an API of the user's own
}


def service_models() -> ServiceModels | None:
    """From a service's name to its model; None where botocore is not installed."""
    try:
        loader = import_module("botocore.loaders").Loader()
        unknown = import_module("botocore.exceptions").UnknownServiceError
    except ModuleNotFoundError:
        return None

    @cache
    def model(service: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = loader.load_service_model(_NAMES.get(service, service), "service-2")
        except unknown:
            return None
        return found

    return model
