"""Write the forms of AWS's answers, as a mock of TestState must have them, from botocore's models.

    .venv/bin/python scripts/generate_service_models.py

Of each action only its answer is kept, and of each value its type and bounds. All actions of the services that
workflows call most, and the optimised integrations of the others. Run it after botocore is updated (`make setup-aws`
has it).
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from expediter.asl.states.integrations import ACTIONS
from expediter.asl.teststate.mock_results import POLLED
from expediter.cli.commands.workflow.service_models import NAMES, TABLE

WHOLE = frozenset(
    "s3 dynamodb lambda sqs sns stepfunctions events kms secretsmanager ssm sts translate comprehend transcribe polly "
    "bedrock-runtime logs".split()
)
#: Bounds that TestState was recorded to apply; later models allow more.
RECORDED = {("lambda", "MemorySize"): {"max": 10_240}}
_KEPT = ("type", "min", "max", "enum", "required", "document")


def answers(model: dict[str, Any], actions: set[str] | None) -> dict[str, Any]:
    """A model with only the answers of these actions, or of all."""
    shapes: dict[str, Any] = {}

    def keep(name: str) -> dict[str, str]:
        if name not in shapes:
            shape = model["shapes"][name]
            shapes[name] = kept = {field: shape[field] for field in _KEPT if field in shape}
            kept.update({part: keep(shape[part]["shape"]) for part in ("member", "value") if part in shape})
            if "members" in shape:
                kept["members"] = {member: keep(its["shape"]) for member, its in shape["members"].items()}
        return {"shape": name}

    found = {
        action: {"output": keep(spec["output"]["shape"])} if "output" in spec else {}
        for action, spec in model["operations"].items()
        if actions is None or action in actions
    }
    return {"operations": found, "shapes": dict(sorted(shapes.items()))}


def table() -> dict[str, Any]:
    """Service -> its model, and where it comes from."""
    wanted: dict[str, set[str] | None] = dict.fromkeys(sorted(WHOLE))
    for service, called in ACTIONS.items():
        names = [*called, *(POLLED[action] for action in called if action in POLLED)]
        if (name := NAMES.get(service, service)) and name not in wanted:
            wanted[name] = {action[:1].upper() + action[1:] for action in names}
    services: dict[str, Any] = {}
    for name, actions in sorted(wanted.items()):
        try:
            services[name] = answers(Loader().load_service_model(name, "service-2"), actions)
        except UnknownServiceError:
            print(f"{name}: botocore has no model of it")
    for (service, shape), bounds in RECORDED.items():
        services[service]["shapes"][shape].update(bounds)
    notice = (
        f"Derived from the service models of botocore {version('botocore')} (Apache-2.0, Copyright Amazon.com, Inc. "
        "or its affiliates); only the answers are kept, with their types and bounds."
    )
    return {"notice": notice, "services": services}


def text(found: dict[str, Any]) -> str:
    """One line for each service."""
    lines = [f'"{name}": {json.dumps(model, separators=(",", ":"))}' for name, model in found["services"].items()]
    return f'{{\n"notice": {json.dumps(found["notice"])},\n"services": {{\n' + ",\n".join(lines) + "\n}\n}\n"


if __name__ == "__main__":
    Path(TABLE).write_text(text(table()), encoding="utf-8")
