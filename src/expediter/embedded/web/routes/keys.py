"""The operations of openapi.json about keys of programs. On AWS programs are clients of Cognito."""

import hashlib
import logging
import secrets
from datetime import datetime
from typing import Annotated

import msgspec

from expediter.api.errors import RequestUnparsable
from expediter.api.repeats import REPLAYED
from expediter.api.request import JSON, Request, Response
from expediter.api.rest import require_json
from expediter.app.access import Scope, scopes_in
from expediter.app.faults import explained, reason
from expediter.app.instants import instant
from expediter.app.operator import keys
from expediter.app.operator.services import ApiKey, OperatorServices
from expediter.app.strict_json import decode
from expediter.domain.errors import Fault, OrderInvalid
from expediter.embedded.web.access.authenticator import KEY
from expediter.embedded.web.backend import Backend
from expediter.embedded.web.routes.once import carry_out_once

_JSON = (("Content-Type", JSON),)
#: The answer with a new key's secret must not be stored by any cache.
_SECRET = (*_JSON, ("Cache-Control", "no-store"))
_log = logging.getLogger("expediter.keys")


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The name and scopes of a new key, and when it expires; None: never."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=r"^[!-~]+(?: [!-~]+)*\Z")]
    scopes: Annotated[list[Scope], msgspec.Meta(min_length=1, max_length=len(Scope))]
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class KeyView(msgspec.Struct, frozen=True):
    """A key as REST shows it. ``id``: the part of the key before its secret."""

    id: str
    name: str
    scopes: list[str]
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None


class MadeKey(msgspec.Struct, frozen=True):
    """A new key (a KeyView). ``secret``: the whole key, shown once; None in a repeated answer."""

    key: msgspec.Raw
    secret: str | None


class KeyList(msgspec.Struct, frozen=True):
    """All keys, the oldest first."""

    items: list[KeyView]


def list_keys(home: Backend, _: Request) -> Response:
    """The keys, revoked ones included."""
    found = home.read_as_operator(lambda services: services.keys.all())
    return Response(200, _JSON, msgspec.json.encode(KeyList([_shown(key) for key in found])))


async def add_key(home: Backend, request: Request) -> Response:
    """Raises MediaTypeUnsupported, RequestUnparsable, OrderInvalid, ScopeMissing, IdempotencyKeyReused."""
    asked = _new_key(request)
    key_id = f"{KEY}{secrets.token_hex(4)}"
    text = f"{key_id}_{secrets.token_urlsafe(32)}"
    made = ApiKey(
        id=key_id,
        name=asked.name,
        hash=hashlib.sha256(text.encode()).hexdigest(),
        scopes=scopes_in(asked.scopes),
        made_at=home.clock.now(),
        ends_at=None if asked.expires_at is None else int(asked.expires_at.timestamp() * 1000),
    )

    def add(services: OperatorServices) -> bytes:
        keys.add(services, request.caller, made)
        return msgspec.json.encode(_shown(made))

    answer = await carry_out_once(home, request, "addKey", add)
    home.keys.changed()
    if not answer.replayed:
        _log.info("a key was made", extra={"key": key_id})
    shown = MadeKey(msgspec.Raw(answer.body), None if answer.replayed else text)
    return Response(201, (*_SECRET, REPLAYED) if answer.replayed else _SECRET, msgspec.json.encode(shown))


async def revoke_key(home: Backend, request: Request) -> Response:
    """Raises KeyNotFound."""
    key_id = request.params["id"]
    await home.write_as_operator(lambda services: keys.revoke(services, request.caller, key_id), "revokeKey")
    home.keys.changed()
    _log.info("a key was revoked", extra={"key": key_id})
    return Response(204)


def _new_key(request: Request) -> NewKey:
    require_json(request.headers)
    try:
        return decode(request.body, NewKey)
    except msgspec.ValidationError as error:
        fault = explained(error)
        raise OrderInvalid((Fault(fault.path, fault.message),), keys.NO_KEY) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestUnparsable(f'The body is not JSON: {reason(error)}. Send {{"name": …, "scopes": […]}}.') from error


def _shown(key: ApiKey) -> KeyView:
    return KeyView(
        id=key.id,
        name=key.name,
        scopes=sorted(key.scopes),
        created_at=instant(key.made_at),
        expires_at=_instant(key.ends_at),
        last_used_at=_instant(key.used_at),
        revoked_at=_instant(key.revoked_at),
    )


def _instant(at: int | None) -> str | None:
    return None if at is None else instant(at)
