"""Carries out an operation once under the key that its caller sends (Idempotency-Key)."""

import hashlib
from collections.abc import Callable

import msgspec

from expediter.api.keys import key_uuid_in_header
from expediter.api.request import Request, Response
from expediter.app.idempotency import own_id
from expediter.app.operator.repeats import Answer, once
from expediter.app.operator.services import OperatorServices
from expediter.domain.errors import NO_ACT
from expediter.embedded.web.backend import Backend

#: The header of an answer that repeats an earlier one.
REPLAYED = ("Idempotent-Replayed", "true")


async def carry_out_once(
    home: Backend, request: Request, name: str, act: Callable[[OperatorServices], bytes]
) -> Answer:
    """Acts in a unit of work called ``name``, unless this caller sent the same request under the same key before.

    Raises OrderInvalid and RequestUnparsable for a key that is none, IdempotencyKeyReused, and what the act raises.
    """
    given = key_uuid_in_header(request.headers.get("idempotency-key", ""), NO_ACT)
    key = given and own_id(request.caller, given)
    asked = _hash(request, name, "operator" if request.caller.operator else "customer")

    def carry_out(services: OperatorServices) -> Answer:
        body = _answered_before_upgrade(services, request, name, given) if given else None
        if body is not None:
            return Answer(body, replayed=True)
        return once(services, key, asked, lambda: act(services))

    return await home.write_as_operator(carry_out, name)


def _answered_before_upgrade(services: OperatorServices, request: Request, name: str, key: str) -> bytes | None:
    """The answer from the time when operators shared their keys, and the hash of a request held its caller's name.

    Today a hash holds ``operator`` or ``customer`` there. Callers of these names would match the answers of others.
    """
    found = services.answered.find(key)
    if found is None or not request.caller.operator or request.caller.name in {"operator", "customer"}:
        return None
    return found[1] if found[0] == _hash(request, name, request.caller.name) else None


def _hash(request: Request, name: str, who: str) -> str:
    parts = (name, who, sorted(request.params.items()), request.body)
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def said(response: Response, answer: Answer) -> Response:
    """The response. A header says when the request was carried out earlier."""
    if not answer.replayed:
        return response
    return msgspec.structs.replace(response, headers=(*response.headers, REPLAYED))
