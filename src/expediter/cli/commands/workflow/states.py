"""``expediter workflow state``: one state is run on its own, and answered as AWS's TestState answers."""

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from expediter.asl import run_state
from expediter.cli.commands.workflow.options import File, Substitute, Substitutions, argument, chosen, ends, values_of
from expediter.cli.commands.workflow.service_models import service_model


class Level(StrEnum):
    """How much is printed of the data's way through the state."""

    INFO = "INFO"
    DEBUG = "DEBUG"
    TRACE = "TRACE"


def state(
    file: File,
    name: Annotated[str, typer.Argument(help="The state; it may be inside a Map or Parallel")],
    *,
    input: Annotated[str, typer.Option("--input", help="The input: JSON, or @FILE")] = "{}",
    mock: Annotated[
        str | None,
        typer.Option("--mock", help='What the task answers: {"result": …} or {"errorOutput": {"error": …}}, or @FILE'),
    ] = None,
    inspection_level: Annotated[Level, typer.Option(help="DEBUG: with the data after each field")] = Level.INFO,
    variables: Annotated[str | None, typer.Option(help="Workflow variables: JSON, or @FILE")] = None,
    context: Annotated[str | None, typer.Option(help="The context object: JSON, or @FILE")] = None,
    state_configuration: Annotated[
        str | None, typer.Option(help='As AWS takes it: {"retrierRetryCount": 2, …}, or @FILE')
    ] = None,
    machine: Annotated[str | None, typer.Option("--machine", help="Which state machine of a template")] = None,
    substitute: Substitute = None,
    substitutions: Substitutions = None,
) -> None:
    """Run one state and print the answer that AWS's TestState gives, as JSON; exit 1 if it fails or is refused.

    No service is called: a Task, a Map and a Parallel need --mock.
    """
    given = {
        "mock": mock,
        "variables": variables,
        "context": context,
        "stateConfiguration": state_configuration,
    }
    with ends(as_json=True):
        definition = chosen(file, machine, values_of(substitute, substitutions)).definition
        request: dict[str, Any] = {
            "definition": definition,
            "stateName": name,
            "input": argument("--input", input),
            "inspectionLevel": inspection_level.value,
            **{field: argument(f"--{_option(field)}", text) for field, text in given.items() if text is not None},
        }
    _print(request)


def _print(request: dict[str, Any]) -> None:
    """Print the answer, and on stderr what the reader may not expect."""
    asked: list[str] = []

    def model(service: str) -> dict[str, Any] | None:
        found = service_model(service)
        if found is None:
            asked.append(service)
        return found

    answer = run_state(request, models=model)
    for service in asked:
        typer.echo(f"The form of the mock is not checked: there is no model of {service}, nor botocore's.", err=True)
    if "mock" not in request and "RoleArn" in str(answer.get("api_error")):
        typer.echo("AWS would call the service with a role. Here no service is called: give --mock.", err=True)
    typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    raise typer.Exit(1 if answer.get("status", "FAILED") == "FAILED" else 0)


def _option(field: str) -> str:
    return "state-configuration" if field == "stateConfiguration" else field
