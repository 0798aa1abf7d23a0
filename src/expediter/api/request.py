"""A request to the API and its response, as values."""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from expediter.app.ports import Caller
from expediter.domain.errors import NO_LIST, Fault, OrderInvalid

JSON = "application/json"

#: A request's headers by lower-case name.
Headers: TypeAlias = Mapping[str, str]


class Request(msgspec.Struct, frozen=True):
    """One call. ``params`` come from the path, ``query`` in the order sent, ``headers`` have lower-case names.

    ``new_id`` is a fresh UUID, for what a POST makes.
    """

    method: str
    path: str
    caller: Caller
    new_id: str
    params: Mapping[str, str] = {}
    query: tuple[tuple[str, str], ...] = ()
    headers: Headers = {}
    body: bytes = b""


class Response(msgspec.Struct, frozen=True):
    """The answer. ``headers`` without Content-Length, which follows from ``body``."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def arguments(request: Request, allowed: frozenset[str]) -> dict[str, str]:
    """The query parameters of a list. Raises OrderInvalid for one that is not ``allowed`` or comes twice."""
    found: dict[str, str] = {}
    faults = []
    for name, value in request.query:
        if name not in allowed:
            faults.append(Fault(name, f"there is no such parameter; give {', '.join(sorted(allowed))}"))
        elif name in found:
            faults.append(Fault(name, "give it once"))
        found[name] = value
    if faults:
        raise OrderInvalid(tuple(faults), NO_LIST)
    return found


def whole_number(text: str | None, name: str, default: int, most: int) -> int:
    """The parameter's value, 1 to ``most``. Raises OrderInvalid for anything else."""
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most:
        return int(text)
    raise OrderInvalid((Fault(name, f"give a whole number from 1 to {most}"),), NO_LIST)
