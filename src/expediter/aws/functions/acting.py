"""Carries out operations of REST and fields of GraphQL. Those of ``api.repeats.ONCE`` act once under a caller's key."""

import msgspec

from expediter.api.graphql import RESOLVERS, Arguments
from expediter.api.repeats import ONCE, REPLAYED, asked_by, asked_in
from expediter.api.request import JSON, Request, Response
from expediter.api.rest import Operation
from expediter.app.ports import Caller
from expediter.asl.protocol import Json
from expediter.aws import clock, wiring


def response(name: str, operation: Operation, request: Request) -> Response:
    """The response of the operation ``name``. Raises OrderError."""
    work = wiring.work()
    if name not in ONCE:
        return operation.handle(work, request)
    asked = asked_by(request, name)
    done = wiring.answers().once(asked.key, asked.hash, lambda: operation.handle(work, request).body, work.now)
    headers = (REPLAYED,) if done.replayed else ()
    return Response(200, (("Content-Type", JSON), *headers), done.body) if done.body else Response(204, headers)


def value(field: str, caller: Caller, args: Arguments) -> Json:
    """The value of the field, such as ``Query.order``. Raises OrderError."""
    if field not in ONCE:
        return _value(field, caller, args)
    asked = asked_in(caller, field, args)
    answers = wiring.answers()
    done = answers.once(asked.key, asked.hash, lambda: msgspec.json.encode(_value(field, caller, args)), clock.now())
    return msgspec.json.decode(done.body)


def _value(field: str, caller: Caller, args: Arguments) -> Json:
    claims = wiring.api_claims()
    found = RESOLVERS[field](wiring.work(claims), caller, args, clock.new_id())
    claims.commit()
    return found
