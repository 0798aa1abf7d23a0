"""The API models of AWS's services, by which a mocked result is checked.

Those of the optimised integrations and of the services that workflows call most come along in ``service_models.json``
(``scripts/generate_service_models.py`` writes it); the others are botocore's, where it is installed.
"""

import json
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

#: botocore's name of a service that a Resource names otherwise.
NAMES = {
    "states": "stepfunctions",
    "sfn": "stepfunctions",
    "eventbridge": "events",
    "cloudwatchlogs": "logs",
    "bedrockruntime": "bedrock-runtime",
    "elasticmapreduce": "emr",
    "cognitoidentityprovider": "cognito-idp",
    "elasticloadbalancingv2": "elbv2",
    "apigateway": "",  # its only action calls an API of the user's own
}
TABLE = Path(__file__).with_suffix(".json")


@cache
def service_model(service: str) -> dict[str, Any] | None:
    """The model of a service by the name that a Resource gives it; None where there is none."""
    name = NAMES.get(service, service)
    found: dict[str, Any] | None = _table().get(name)
    return _botocore(name) if found is None else found


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(TABLE.read_bytes())["services"]
    return found


def _botocore(name: str) -> dict[str, Any] | None:
    """The model as botocore has it, whose names of services have hyphens."""
    try:
        loader = import_module("botocore.loaders").Loader()
    except ModuleNotFoundError:
        return None
    listed: list[str] = loader.list_available_services("service-2")
    known = next((one for one in listed if one.replace("-", "") == name.replace("-", "")), None)
    if known is None:
        return None
    found: dict[str, Any] = loader.load_service_model(known, "service-2")
    return found
