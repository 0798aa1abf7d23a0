"""Carries out an operation once under the key that its caller sends (Idempotency-Key)."""

from collections.abc import Callable

import msgspec

from expediter.api.repeats import REPLAYED, asked_by
from expediter.api.request import Request, Response
from expediter.app.operator.repeats import Answer, once
from expediter.app.operator.services import OperatorServices
from expediter.embedded.web.backend import Backend


async def carry_out_once(
    home: Backend, request: Request, name: str, act: Callable[[OperatorServices], bytes]
) -> Answer:
    """Acts in a unit of work called ``name``, unless this caller sent the same request under the same key before.

    Raises OrderInvalid and RequestUnparsable for a key that is none, IdempotencyKeyReused, and what the act raises.
    """
    asked = asked_by(request, name)
    return await home.write_as_operator(
        lambda services: once(services, asked.key, asked.hash, lambda: act(services)), name
    )


def said(response: Response, answer: Answer) -> Response:
    """The response. A header says when the request was carried out earlier."""
    if not answer.replayed:
        return response
    return msgspec.structs.replace(response, headers=(*response.headers, REPLAYED))
