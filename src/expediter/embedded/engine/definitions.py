"""The state machines that executions run on. An execution keeps the definition that it began with."""

import hashlib
from collections.abc import Callable, Mapping

import msgspec

from expediter.app.tasks.order import TASKS
from expediter.asl import Machine, parse
from expediter.asl.protocol import Json
from expediter.embedded.engine import aws_services
from expediter.embedded.engine.ports import DefinitionStore
from expediter.embedded.sqlite.database import DataRefused


class Definitions:
    """``machines``: by the number of their definition. ``current``: the one that new executions start on.

    ``awaiting``: the definitions with tasks that end later than their calls. ``library``: the definitions that a
    workflow may start, by the name of the state machine.
    """

    def __init__(self, store: DefinitionStore) -> None:
        self._store = store
        self.machines: dict[int, Machine] = {}
        self.awaiting: set[int] = set()
        self.library: Mapping[str, int] = {}
        self.current = 0

    def use(self, definition: Json, now: int, library: Callable[[], Mapping[str, Json]] = dict) -> None:
        """Starts new executions on this definition; those under way keep their own.

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
        self.current = self._pinned(definition, now)
        if any(aws_services.STARTS & machine.resources for machine in self.machines.values()):
            self.library = {name: self._pinned(body, now) for name, body in library().items()}

    def machine(self, no: int) -> Machine:
        """The machine of this definition, read from the store where no live execution runs on it."""
        if no not in self.machines:
            self._add(no, parse(self._store.definition(no), accepted=True))
        return self.machines[no]

    def _pinned(self, definition: Json, now: int) -> int:
        machine = parse(definition)
        if unknown := aws_services.unknown(machine.resources):
            known = ", ".join((*TASKS, *sorted(aws_services.SERVICES)))
            raise DataRefused(f"No such task: {', '.join(sorted(unknown))}. There are: {known}.")
        digest = hashlib.sha256(msgspec.json.encode(definition, order="sorted")).hexdigest()
        no = self._store.pin(digest, definition, now)
        self._add(no, machine)
        return no

    def _add(self, no: int, machine: Machine) -> None:
        self.machines[no] = machine
        if not aws_services.AWAITED.isdisjoint(machine.resources):
            self.awaiting.add(no)
