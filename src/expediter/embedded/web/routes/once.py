"""Carries out an operation once under the key that its caller sends (Idempotency-Key)."""

import hashlib
from collections.abc import Callable

import msgspec

from expediter.api.keys import order_id_in_header
from expediter.api.request import Request, Response
from expediter.app.idempotency import own_id
from expediter.app.operator.repeats import Answer, once
from expediter.app.operator.services import OperatorServices
from expediter.embedded.web.backend import Backend

#: The header of an answer that repeats an earlier one.
REPLAYED = ("Idempotent-Replayed", "true")


async def carry_out_once(
    home: Backend, request: Request, name: str, act: Callable[[OperatorServices], bytes]
) -> Answer:
    """Acts in a unit of work called ``name``, unless the same request came under the same key before.

    Customers may use equal keys, as for orders. Raises OrderInvalid and RequestUnparsable for a key that is none,
    IdempotencyKeyReused, and what the act raises.
    """
    given = order_id_in_header(request.headers.get("idempotency-key", ""))
    key = given and own_id(request.caller, given)
    parts = (name, request.caller.name, sorted(request.params.items()), request.body)
    asked = hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
    return await home.write_as_operator(lambda services: once(services, key, asked, lambda: act(services)), name)


def said(response: Response, answer: Answer) -> Response:
    """The response. A header says when the request was carried out earlier."""
    if not answer.replayed:
        return response
    return msgspec.structs.replace(response, headers=(*response.headers, REPLAYED))
