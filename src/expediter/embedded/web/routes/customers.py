"""The operations of openapi.json about customers: the address of an order's page, and erasing personal data.

Only this server has them: on AWS there are no pages, and accounts and data are in Cognito and DynamoDB.

The customer is named in the body, because addresses end up in the logs of proxies.
"""

from typing import Annotated

import msgspec

from expediter.api.errors import RequestUnparsable
from expediter.api.request import JSON, Request, Response
from expediter.api.rest import require_json
from expediter.app import orders
from expediter.app.faults import explained, reason
from expediter.app.field_types import MAX_NAME
from expediter.app.operator.audit import operator_of
from expediter.app.operator.services import OperatorServices
from expediter.app.strict_json import decode
from expediter.domain.errors import NO_ERASURE, Fault, OrderInvalid, OrderNotFound
from expediter.embedded.web.backend import Backend


class Erasure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The customer to erase."""

    user_id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]  # also an invisible character


def get_customer_page(home: Backend, request: Request) -> Response:
    """Raises OrderNotFound."""

    def found(services: OperatorServices) -> tuple[str, int]:
        order = orders.find(services.work, request.caller, request.params["id"])
        if order.erased:
            raise OrderNotFound("The customer of this order was erased, so it has no page any more.")
        return order.id, services.links.generation(order.id)

    url = home.customer_links.link(*home.read_as_operator(found), home.clock.now())
    return Response(200, (("Content-Type", JSON),), msgspec.json.encode({"url": url}))


async def erase_user(home: Backend, request: Request) -> Response:
    """Raises MediaTypeUnsupported, RequestUnparsable, OrderInvalid, OrdersUnderWay."""
    require_json(request.headers)
    try:
        asked = decode(request.body, Erasure)
    except msgspec.ValidationError as error:
        raise OrderInvalid((Fault("user_id", explained(error).message),), NO_ERASURE) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestUnparsable(f'The body is not JSON: {reason(error)}. Send {{"user_id": …}}.') from error
    erased = await home.erase(asked.user_id, operator_of(request.caller))
    return Response(200, (("Content-Type", JSON),), msgspec.json.encode(erased))
