"""Acts that would do something else when they are repeated: under an idempotency key they are carried out once."""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from expediter.api.keys import key_uuid, key_uuid_in_header
from expediter.api.request import Request
from expediter.app.idempotency import own_id
from expediter.app.ports import Caller
from expediter.asl.protocol import Json
from expediter.domain.errors import NO_ACT

#: Those that both homes have, by operationId of openapi.json and by field of schema.graphql.
ONCE = frozenset(
    {
        "deleteOrder",
        "deleteDeadLetter",
        "purgeDeadLetters",
        "redriveDeadLetter",
        "redriveDeadLetters",
        "Mutation.deleteOrder",
    }
)


#: The header of an answer that repeats an earlier one.
REPLAYED = ("Idempotent-Replayed", "true")


class Asked(NamedTuple):
    """What was asked for. ``key``: stands for the caller's key; None: none was sent. ``hash``: of the whole request."""

    key: str | None
    hash: str


def asked_by(request: Request, name: str) -> Asked:
    """What a request asks of the operation ``name``.

    Raises OrderInvalid and RequestUnparsable for a key that is none.
    """
    key = key_uuid_in_header(request.headers.get("idempotency-key", ""), NO_ACT)
    return _asked(request.caller, key, name, request.params, request.body)


def asked_in(caller: Caller, name: str, args: Mapping[str, Json]) -> Asked:
    """What the arguments of the mutation ``name`` ask for. Raises OrderInvalid for a key that is none."""
    key = key_uuid(args.get("idempotencyKey") or "", "idempotencyKey", NO_ACT)
    others = {arg: value for arg, value in args.items() if arg != "idempotencyKey"}
    return _asked(caller, key, name, others, b"")


def _asked(caller: Caller, key: str | None, name: str, params: Mapping[str, Json], body: bytes) -> Asked:
    who = "operator" if caller.operator else "customer"
    parts = (name, who, sorted(params.items()), body)
    return Asked(key and own_id(caller, key), hashlib.sha256(msgspec.json.encode(parts)).hexdigest())
