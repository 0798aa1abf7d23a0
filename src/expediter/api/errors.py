"""Errors as the API shows them: one table from error to status, one body for all (RFC 9457)."""

import re

import msgspec

from expediter.api.request import Response
from expediter.app.access import OwnerRefused, ScopeMissing
from expediter.app.operator.actions import NoMailServer, NotRetryable
from expediter.app.operator.erasing import OrdersUnderWay
from expediter.app.operator.keys import KeyNotFound
from expediter.app.operator.repeats import RequestCutOff
from expediter.app.operator.versions import NotRouted, VersionNotFound
from expediter.app.payments.signature import SignatureRefused
from expediter.domain import errors as domain
from expediter.domain.errors import Fault, OrderError, OrderInvalid

PROBLEM_JSON = "application/problem+json"
#: Seconds after which the client may try again.
RETRY_AFTER = "1"
#: What a client can upgrade to (RFC 9110 15.5.22, RFC 6455 4.4).
_WEBSOCKET = (("Connection", "upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"))


class RequestUnparsable(OrderError):
    """The body is not what its Content-Type says. Correct its syntax and send it again."""


class DocumentInvalid(OrderError):
    """The GraphQL document or its variables do not fit the schema. Correct them; the schema can be asked for itself."""


class DocumentTooComplex(OrderError):
    """The GraphQL document asks for too much at once. Ask for less, or in several requests."""


class ValueOutOfRange(OrderError):
    """What is stored does not fit the type of this field, so the field is null. REST shows the value."""


class Unauthorized(OrderError):
    """This server asks for a token. Send it in the header Authorization: Bearer TOKEN."""

    def __init__(self, message: str = "", *, refused: bool = False) -> None:
        super().__init__(message)
        #: A token was sent, and it is wrong or has expired.
        self.refused = refused


class IssuerUnavailable(OrderError):
    """The issuer of this token cannot be reached for its key. Try again in a moment."""


class OriginRefused(OrderError):
    """A page from elsewhere may not use this server. Open the console under the server's own address."""


class FormExpired(OrderError):
    """This form is from an earlier visit, or from another page. Load its page again, see whether it was done, and send
    it once more if it was not.
    """


class PathUnknown(OrderError):
    """There is nothing under this path. See /openapi.json for what there is."""


class MethodNotAllowed(OrderError):
    """This path does not take this method. The header Allow names those it takes."""

    def __init__(self, allow: str) -> None:
        super().__init__(f"This path takes {allow}.")
        self.allow = allow


class RequestTooSlow(OrderError):
    """The request did not arrive within 30 seconds. Send it again, on a new connection and faster."""


class BodyTooLarge(OrderError):
    """The body is larger than 64 KiB, or a provider's event larger than 1 MiB. Send a smaller one."""


class AddressTooLong(OrderError):
    """The address is longer than 8 KiB. Send a shorter one."""


class MediaTypeUnsupported(OrderError):
    """The body has to be JSON. Send it with the header Content-Type: application/json."""


class HostUnknown(OrderError):
    """This server does not go by the name in the header Host. Use the address it printed when it started."""


class HeadersTooLarge(OrderError):
    """The headers are larger than 16 KiB. Send fewer."""


class CodingUnsupported(OrderError):
    """The body comes in a coding that this server does not read. Send it with Transfer-Encoding: chunked alone."""


class VersionUnsupported(OrderError):
    """This server speaks HTTP/1.1. Send the request in that version."""


class WebsocketVersionUnsupported(OrderError):
    """This server speaks version 13 of the websocket protocol. Send Sec-WebSocket-Version: 13."""


class NotReady(OrderError):
    """The server is starting or stopping and takes no orders just now. Try again in a moment."""


class TooManyRequests(OrderError):
    """This is more than one caller may ask for at once. Wait as many seconds as the header Retry-After says."""

    def __init__(self, policy: str = "requests", quota: int = 1, seconds: int = 1) -> None:
        wait = "a second" if seconds == 1 else f"{seconds} seconds"
        super().__init__(f"This is more than one caller may ask for at once. Wait {wait}, then try again.")
        self.policy, self.quota, self.seconds = policy, quota, seconds


class InternalError(OrderError):
    """Something went wrong inside the server; its log says what. Try again, under the same Idempotency-Key."""


#: Every error that can reach a client, and the HTTP status it answers with.
STATUSES: dict[type[OrderError], int] = {
    RequestUnparsable: 400,
    SignatureRefused: 400,
    Unauthorized: 401,
    OriginRefused: 403,
    ScopeMissing: 403,
    OwnerRefused: 403,
    FormExpired: 403,
    PathUnknown: 404,
    KeyNotFound: 404,
    domain.OrderNotFound: 404,
    domain.MessageNotFound: 404,
    domain.TaskTokenUnknown: 404,
    VersionNotFound: 404,
    MethodNotAllowed: 405,
    RequestTooSlow: 408,
    NotRetryable: 409,
    RequestCutOff: 409,
    OrdersUnderWay: 409,
    NoMailServer: 409,
    NotRouted: 409,
    domain.OrderAlreadyCharged: 409,
    domain.OrderAlreadySent: 409,
    domain.OrderAlreadyEnded: 409,
    domain.OrderCancelled: 409,
    domain.OrderChanged: 409,
    domain.PaymentNotAwaited: 409,
    domain.TransitionNotAllowed: 409,
    domain.RestaurantRefused: 409,
    domain.RefundNotPossible: 409,
    BodyTooLarge: 413,
    AddressTooLong: 414,
    MediaTypeUnsupported: 415,
    HostUnknown: 421,
    OrderInvalid: 422,
    DocumentInvalid: 422,
    DocumentTooComplex: 422,
    domain.IdempotencyKeyReused: 422,
    WebsocketVersionUnsupported: 426,
    TooManyRequests: 429,
    HeadersTooLarge: 431,
    InternalError: 500,
    ValueOutOfRange: 500,
    CodingUnsupported: 501,
    domain.PaymentUnavailable: 503,
    domain.RestaurantUnavailable: 503,
    domain.StoreUnavailable: 503,
    domain.TooBusy: 503,
    NotReady: 503,
    IssuerUnavailable: 503,
    VersionUnsupported: 505,
}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of every error. ``error`` is the error's name on every surface, ``type`` ends in it."""

    type: str
    error: str
    title: str
    status: int
    detail: str
    errors: tuple[Fault, ...] = ()


def status(error: OrderError) -> int:
    return STATUSES[type(error)]


def problem(error: OrderError) -> Response:
    """The error as application/problem+json."""
    body = Problem(
        type=f"/errors/{error.name}",
        error=error.name,
        title=title(error.name),
        status=status(error),
        detail=str(error),
        errors=error.faults if isinstance(error, OrderInvalid) else (),
    )
    return Response(body.status, (("Content-Type", PROBLEM_JSON), *_headers(error)), msgspec.json.encode(body))


def title(name: str) -> str:
    """An error's name as words: ``OrderNotFound`` → ``Order not found``."""
    return re.sub(r"(?<!^)([A-Z])", lambda found: " " + found[1].lower(), name)


def _headers(error: OrderError) -> tuple[tuple[str, str], ...]:
    if isinstance(error, MethodNotAllowed):
        return (("Allow", error.allow),)
    if isinstance(error, TooManyRequests):
        return _rate_limit(error)
    if isinstance(error, Unauthorized | ScopeMissing):
        return (("WWW-Authenticate", _challenge(error)),)
    if isinstance(error, WebsocketVersionUnsupported):
        return _WEBSOCKET
    return (("Retry-After", RETRY_AFTER),) if status(error) == 503 else ()


def _challenge(error: Unauthorized | ScopeMissing) -> str:
    """The header WWW-Authenticate (RFC 6750, section 3)."""
    if isinstance(error, ScopeMissing):
        return f'Bearer error="insufficient_scope", scope="{error.scope}"'
    return 'Bearer error="invalid_token"' if error.refused else "Bearer"


def _rate_limit(error: TooManyRequests) -> tuple[tuple[str, str], ...]:
    """When to try again, and what the limit is (draft-ietf-httpapi-ratelimit-headers-10)."""
    return (
        ("Retry-After", str(error.seconds)),
        ("RateLimit-Policy", f'"{error.policy}";q={error.quota}'),
        ("RateLimit", f'"{error.policy}";r=0;t={error.seconds}'),
    )
