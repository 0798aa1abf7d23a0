"""The operations of openapi.json about mails. On AWS, SES and SNS send mails, and `expediter mails resend --stack`
sends them again.
"""

import base64
import binascii

import msgspec

from expediter.api.errors import RequestUnparsable
from expediter.api.render import MailView, mail_view
from expediter.api.request import JSON, Request, Response, arguments, whole_number
from expediter.api.rest import LARGEST_PAGE, PAGE, require_json
from expediter.app import orders
from expediter.app.faults import explained, reason
from expediter.app.operator import actions
from expediter.app.operator.audit import operator_of
from expediter.app.operator.services import OperatorServices
from expediter.app.ports import NO_CURSOR
from expediter.app.strict_json import decode
from expediter.domain.errors import NO_LIST, Fault, OrderInvalid
from expediter.embedded.web.backend import Backend
from expediter.embedded.web.routes.once import carry_out_once, said

_JSON = (("Content-Type", JSON),)
_NO_RESEND = "The mails cannot be sent again as it was asked for"


class MailList(msgspec.Struct, frozen=True):
    """The mails about an order, oldest first."""

    items: list[MailView]


class MailPage(msgspec.Struct, frozen=True):
    """Mails, those about the newest orders first. ``cursor`` None: this is the last page."""

    items: list[MailView]
    cursor: str | None


class Resend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which mails of an order to send once more: those to ``recipient``; None: those that were not sent."""

    recipient: str | None = None


def get_mails(home: Backend, request: Request) -> Response:
    """Raises OrderNotFound."""

    def found(services: OperatorServices) -> MailList:
        order = orders.find(services.work, request.caller, request.params["id"])
        return MailList(list(map(mail_view, services.mailbox.of(order.id))))

    return Response(200, _JSON, msgspec.json.encode(home.read_as_operator(found)))


def list_mails(home: Backend, request: Request) -> Response:
    """Raises OrderInvalid."""
    given = arguments(request, frozenset({"limit", "cursor"}))
    limit = whole_number(given.get("limit"), "limit", PAGE, LARGEST_PAGE)
    after = _place(given["cursor"]) if "cursor" in given else None
    found = home.read_as_operator(lambda services: services.mailbox.page(limit + 1, after))
    cursor = _cursor(found[limit - 1].cursor) if len(found) > limit else None
    return Response(200, _JSON, msgspec.json.encode(MailPage(list(map(mail_view, found[:limit])), cursor)))


async def resend_mails(home: Backend, request: Request) -> Response:
    """Raises MediaTypeUnsupported, RequestUnparsable, OrderInvalid, OrderNotFound, MessageNotFound, NoMailServer,
    IdempotencyKeyReused.
    """
    require_json(request.headers)
    try:
        asked = decode(request.body, Resend)
    except msgspec.ValidationError as error:
        raise OrderInvalid((Fault("recipient", explained(error).message),), _NO_RESEND) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestUnparsable(f'The body is not JSON: {reason(error)}. Send {{"recipient": …}} or {{}}.') from error

    def resend(services: OperatorServices) -> bytes:
        order = orders.find(services.work, request.caller, request.params["id"])
        resent = actions.resend_of(services, operator_of(request.caller), order.id, asked.recipient)
        return msgspec.json.encode({"resent": resent})

    answer = await carry_out_once(home, request, "resendMails", resend)
    return said(Response(200, _JSON, answer.body), answer)


def _cursor(place: str) -> str:
    """A cursor of the mailbox for clients. It contains an address, so it is encoded: the logs of proxies must not show
    it.
    """
    return base64.urlsafe_b64encode(place.encode()).decode()


def _place(cursor: str) -> str:
    try:
        return base64.b64decode(cursor.encode(), b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise OrderInvalid((NO_CURSOR,), NO_LIST) from error
