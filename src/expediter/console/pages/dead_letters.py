"""The dead letters, with the reason of each and what can be done with it."""

from typing import NamedTuple

import msgspec

from expediter.api.request import Response
from expediter.app.operator import actions, operations
from expediter.app.operator.services import DEAD_LETTERS, OperatorServices
from expediter.app.ports import Caller, DeadLetter
from expediter.asl.protocol import Json
from expediter.console import words
from expediter.console.render import page
from expediter.console.visit import Visit, to
from expediter.domain.errors import Fault, OrderInvalid

ROWS = 50
HOME = "/console/dead-letters"
#: Fields of an order that are about a person. They are hidden until an operator asks for them.
PERSONAL = frozenset({"user_id", "email", "name"})
HIDDEN = "•••"
_CALLER = Caller()


class Shown(NamedTuple):
    letter: DeadLetter
    body: str


def list_letters(services: OperatorServices, visit: Visit) -> Response:
    found = operations.letters(services.work, ROWS, visit.query.get("cursor"))
    items = [Shown(letter, masked(letter.body)) for letter in found.items]
    audit = reversed(services.audit.of(DEAD_LETTERS, 20))
    mark = letters_mark(services)
    return page("letters", visit, items=items, count=found.count, cursor=found.cursor, audit=list(audit), mark=mark)


def letters_mark(services: OperatorServices) -> str:
    """A text that changes whenever the page would change."""
    newest = services.audit.of(DEAD_LETTERS, 1)
    first = services.work.dead_letters.page(1)
    return f"{services.work.dead_letters.count()}.{newest[0].at if newest else 0}.{first[0].id if first else ''}"


def show_letter(services: OperatorServices, visit: Visit) -> Response:
    """One letter, its personal fields shown, to be corrected. Raises MessageNotFound."""
    return _show(services, visit)


def redrive_letter(services: OperatorServices, visit: Visit) -> Response:
    actions.redrive_letter(services, visit.who, visit.params["id"])
    return to(HOME, "redriven")


def redrive_letters(services: OperatorServices, visit: Visit) -> Response:
    actions.redrive_letters(services, visit.who)
    return to(HOME, "redriven-all")


def delete_letter(services: OperatorServices, visit: Visit) -> Response:
    actions.delete_letter(services, visit.who, visit.params["id"])
    return to(HOME, "deleted")


def correct_letter(services: OperatorServices, visit: Visit) -> Response:
    body = visit.form.get("body", "")
    try:
        order_id = actions.correct_letter(services, visit.who, visit.params["id"], body.encode(), visit.new_id())
    except OrderInvalid as error:
        return _show(services, visit, body, error.faults)
    return to(f"/console/orders/{order_id}", "corrected")


def masked(body: bytes) -> str:
    """The message with its personal fields hidden. A message that is not JSON is hidden as a whole."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return f"{HIDDEN} ({len(body)} bytes that are not JSON)"
    return words.compact(_masked(value))


def _masked(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: HIDDEN if key in PERSONAL else _masked(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_masked(part) for part in value]
    return value


def _show(
    services: OperatorServices, visit: Visit, edited: str | None = None, faults: tuple[Fault, ...] = ()
) -> Response:
    letter = operations.letter(services.work, visit.params["id"])
    text = letter.body.decode("utf-8", "backslashreplace") if edited is None else edited
    return page("letter", visit, status=422 if faults else 200, letter=letter, body=_spread(text), faults=faults)


def _spread(text: str) -> str:
    try:
        return msgspec.json.format(text, indent=2)
    except msgspec.DecodeError:
        return text
