"""The state machines that executions run on. An execution keeps the definition that it began with."""

import hashlib
from collections.abc import Callable, Mapping

import msgspec

from expediter.app.tasks.order import TASKS
from expediter.asl import Machine, all_states, names_left, parse, substitute
from expediter.asl.protocol import Json
from expediter.embedded.engine import aws_services
from expediter.embedded.engine.ports import DefinitionStore, Routing
from expediter.embedded.sqlite.database import DataRefused


class Definitions:
    """``machines``: by the number of their definition. ``configured``: the one of the settings' file.

    ``routing``: the definitions that new executions start on.

    ``awaiting``: the states whose tasks end later than their calls, by the definitions that have some.
    ``library``: the definitions that a workflow may start, by the name of the state machine.
    """

    def __init__(self, store: DefinitionStore) -> None:
        self._store = store
        self.machines: dict[int, Machine] = {}
        self.awaiting: dict[int, frozenset[str]] = {}
        self.library: Mapping[str, int] = {}
        self.configured = 0
        self.routing = Routing(0)

    def use(self, definition: Json, now: int, library: Callable[[], Mapping[str, Json]] = dict) -> None:
        """Starts new executions on this definition, or as operators have routed them since it was first used so.

        Those under way keep their own. A routing ends when another definition is used.
        ``library``: the definitions that workflows may start by name; asked for only when one does.
        Raises DefinitionInvalid, and DataRefused when a live execution needs a task that this code lacks.
        """
        live = self._store.live()
        for no, body, _ in live:
            self._add(no, parse(body, accepted=True))
        refused = [
            (missing, count) for no, _, count in live if (missing := aws_services.unknown(self.machines[no].resources))
        ]
        if refused:
            lines = [f"{count} orders run on a definition with {', '.join(sorted(names))}" for names, count in refused]
            raise DataRefused(f"Tasks are missing: {'; '.join(lines)}. Start a version of the code that has them.")
        self.configured = self._pinned(definition, now)
        self._store.end_routing(self.configured)
        self.follow(self._store.routing(self.configured))
        for no in self.routing.shares():
            if missing := aws_services.unknown(self.machines[no].resources):
                raise DataRefused(f"New orders start on version {no}, and its tasks are missing: {', '.join(missing)}.")
        if any(aws_services.STARTS & machine.resources for machine in self.machines.values()):
            self.library = {name: self._pinned(body, now) for name, body in library().items()}

    def follow(self, routing: Routing) -> None:
        """Starts new executions so from now on. Call it when the routing is stored."""
        for no in routing.shares():
            self.machine(no)
        self.routing = routing

    def publish(self, definition: Json, now: int) -> int:
        """Stores a definition as a version on which no execution starts yet; its number.

        Raises DefinitionInvalid, and DataRefused when it needs what this server does not have.
        """
        definition = substitute(definition, {name: name for name in TASKS})
        if left := names_left(definition):
            raise DataRefused(f"No task is named {', '.join(left)}. There are: {', '.join(TASKS)}.")
        machine = self._runnable(definition)
        if not self.library and not aws_services.STARTS.isdisjoint(machine.resources):
            raise DataRefused("It starts other workflows, and they are read at a start: set EXPEDITER_WORKFLOW.")
        return self._store.pin(_digest(definition), definition, now)

    def machine(self, no: int) -> Machine:
        """The machine of this definition, read from the store where no live execution runs on it."""
        if no not in self.machines:
            self._add(no, parse(self._store.definition(no), accepted=True))
        return self.machines[no]

    def _pinned(self, definition: Json, now: int) -> int:
        machine = self._runnable(definition)
        no = self._store.pin(_digest(definition), definition, now)
        self._add(no, machine)
        return no

    def _runnable(self, definition: Json) -> Machine:
        machine = parse(definition)
        if unknown := aws_services.unknown(machine.resources):
            known = ", ".join((*TASKS, *sorted(aws_services.SERVICES)))
            raise DataRefused(f"No such task: {', '.join(sorted(unknown))}. There are: {known}.")
        return machine

    def _add(self, no: int, machine: Machine) -> None:
        self.machines[no] = machine
        if not aws_services.AWAITED.isdisjoint(machine.resources):
            states = all_states(machine.definition)
            self.awaiting[no] = frozenset(
                name for name, state in states if state.get("Resource") in aws_services.AWAITED
            )


def _digest(definition: Json) -> str:
    return hashlib.sha256(msgspec.json.encode(definition, order="sorted")).hexdigest()
