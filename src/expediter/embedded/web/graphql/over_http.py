"""GraphQL over HTTP: one request, one answer (https://graphql.github.io/graphql-over-http/draft/)."""

import msgspec
from graphql import OperationType

from expediter.api.errors import RETRY_AFTER, MethodNotAllowed, RequestUnparsable
from expediter.api.request import JSON, Request, Response
from expediter.api.rest import require_json
from expediter.app.faults import reason
from expediter.app.strict_json import decode
from expediter.domain.errors import StoreUnavailable, TooBusy
from expediter.embedded.web.graphql.executor import Formatted, Graphql, GraphqlRequest

GRAPHQL_JSON = "application/graphql-response+json"
#: Errors of a mutation that did nothing and may be sent again.
_LATER = frozenset({TooBusy.__name__, StoreUnavailable.__name__})
_encode = msgspec.json.Encoder().encode


async def answer(graphql: Graphql, request: Request) -> Response:
    """Raises MediaTypeUnsupported, RequestUnparsable, MethodNotAllowed for a mutation in an address."""
    if request.method == "POST":
        require_json(request.headers)
        asked = in_body(request.body)
    else:
        asked = in_query(dict(request.query))
    prepared = await graphql.prepare(asked.query)
    if request.method != "POST" and prepared.operation(asked.operation_name) is OperationType.MUTATION:
        raise MethodNotAllowed("POST")
    given = await graphql.execute(prepared, asked, request.caller)
    if _for_later(given) and prepared.is_single(asked.operation_name):
        return Response(503, (("Content-Type", JSON), ("Retry-After", RETRY_AFTER)), _encode(given))
    if GRAPHQL_JSON in request.headers.get("accept", ""):
        return Response(200 if "data" in given else 400, (("Content-Type", GRAPHQL_JSON),), _encode(given))
    return Response(200, (("Content-Type", JSON),), _encode(given))


def _for_later(answer: Formatted) -> bool:
    """Answers with the status of the error when the only field was not carried out and may be sent again. So proxies
    and clients see it without reading the body.
    """
    codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
    return not any((answer.get("data") or {}).values()) and bool(codes) and codes <= _LATER


def in_body(body: bytes) -> GraphqlRequest:
    """Raises RequestUnparsable."""
    try:
        return decode(body, GraphqlRequest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestUnparsable(
            f"The body is not a GraphQL request: {reason(error)}. Send JSON with a query."
        ) from error


def in_query(given: dict[str, str]) -> GraphqlRequest:
    """The request in an address's parameters. Raises RequestUnparsable."""
    try:
        variables = decode((given.get("variables") or "null").encode("utf-8", "replace"), object)
        return msgspec.convert({**given, "variables": variables, "extensions": None}, GraphqlRequest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RequestUnparsable(f"The address holds no GraphQL request: {reason(error)}. Give ?query=.") from error
