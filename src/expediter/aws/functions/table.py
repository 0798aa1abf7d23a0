"""Every function of the stack by name, with its handler. It is data only, because the stack reads it too."""

from expediter.app.tasks.order import ORDER_TASKS

_HERE = "expediter.aws.functions"

#: One for each task: its name, which is its placeholder in order.asl.json, and its handler.
TASK_FUNCTIONS: dict[str, str] = {name: f"{_HERE}.tasks.{name}" for name in ORDER_TASKS}

#: The other functions.
OTHER_FUNCTIONS: dict[str, str] = {
    "Tokens": f"{_HERE}.tokens.handler",
    "Intake": f"{_HERE}.intake.handler",
    "Events": f"{_HERE}.events.handler",
    "Rest": f"{_HERE}.rest.handler",
    "Graphql": f"{_HERE}.graphql.handler",
    "Mailer": f"{_HERE}.mailer.handler",
    "Publisher": f"{_HERE}.publisher.handler",
    "Sweeper": f"{_HERE}.sweeper.handler",
    "Figures": f"{_HERE}.figures.handler",
}

FUNCTIONS: dict[str, str] = {**TASK_FUNCTIONS, **OTHER_FUNCTIONS}
