"""openapi.json for API Gateway: the contract with AWS's extensions (x-amazon-apigateway-…)."""

import json
from pathlib import Path
from typing import NamedTuple

from expediter import contracts
from expediter.api.access import NEEDS, RESOURCE
from expediter.api.rest import OPERATIONS
from expediter.app.access import Scope, scopes_in
from expediter.app.payments.events import SIGNATURES
from expediter.asl.protocol import Json
from infra.api import cors

HERE = Path(__file__).parent
AUTHORIZER = "users"
#: Scopes that people's access tokens have: signed in with a password, or at Cognito's own page.
PEOPLE = ("aws.cognito.signin.user.admin", "openid")

#: A schema that only null fits, without writing null: a CloudFormation template cannot hold one.
NULL = {"anyOf": [{"type": kind} for kind in ("string", "number", "boolean", "object", "array")]}

#: Names and statuses for API Gateway's own errors, as in the other interfaces.
GATEWAY_ERRORS = {
    "BAD_REQUEST_BODY": ("OrderInvalid", 422),
    "BAD_REQUEST_PARAMETERS": ("OrderInvalid", 422),
    "UNSUPPORTED_MEDIA_TYPE": ("MediaTypeUnsupported", 415),
    "REQUEST_TOO_LARGE": ("BodyTooLarge", 413),
    "UNAUTHORIZED": ("Unauthorized", 401),
    "ACCESS_DENIED": ("ScopeMissing", 403),
    "MISSING_AUTHENTICATION_TOKEN": ("PathUnknown", 404),
    "THROTTLED": ("TooBusy", 429),
    "QUOTA_EXCEEDED": ("TooBusy", 429),
    "DEFAULT_5XX": ("StoreUnavailable", 503),
}


#: The operations that take events in, and the names of their providers.
EVENTS = {"receiveStripeEvent": "stripe", "receivePaymentEvent": "payments"}

#: The text for a missing scope. API Gateway's own text does not name the scope.
DETAILS = {"ACCESS_DENIED": f"The token has no scope for this. POST /orders needs {RESOURCE}{NEEDS['postOrder']}."}


class Wiring(NamedTuple):
    """ARNs and addresses in the document. ``origin``: the other origin whose pages may call the API; empty: none."""

    pool: str
    rest_function: str
    queue_path: str
    events_path: str
    queue_role: str
    region: str
    partition: str
    origin: str


def document(wiring: Wiring) -> Json:
    """The contract with its integrations."""
    spec = without_null(json.loads(contracts.read("openapi.json")))
    spec["paths"] = published(spec["paths"])
    for methods in spec["paths"].values():
        for operation in methods.values():
            if provider := EVENTS.get(operation["operationId"]):
                operation["x-amazon-apigateway-integration"] = _events(wiring, provider)
                continue
            operation["security"] = [{AUTHORIZER: scopes(operation["operationId"])}]
            operation["x-amazon-apigateway-integration"] = _function(wiring)
    post = spec["paths"]["/orders"]["post"]
    post["x-amazon-apigateway-integration"] = _queue(wiring)
    post["x-amazon-apigateway-request-validator"] = "all"
    spec["x-amazon-apigateway-request-validators"] = {
        "all": {"validateRequestBody": True, "validateRequestParameters": True}
    }
    spec["x-amazon-apigateway-gateway-responses"] = {
        kind: _answer(name, status, DETAILS.get(kind)) for kind, (name, status) in GATEWAY_ERRORS.items()
    }
    spec["components"]["securitySchemes"] = {AUTHORIZER: _authorizer(wiring.pool)}
    if wiring.origin:
        cors.allow(spec, wiring.origin)
    return spec


def scopes(operation: str) -> list[str]:
    """The scopes of tokens that API Gateway accepts: those of people, and those of programs. API Gateway takes a token
    with any of them.

    Our function looks at what the operation needs, and names it when it is missing; before the queue there is none, so
    API Gateway takes only tokens of programs that may place orders.
    """
    programs = [scope for scope in Scope if operation != "postOrder" or NEEDS[operation] in scopes_in([scope])]
    return [*PEOPLE, *(f"{RESOURCE}{scope}" for scope in programs)]


def published(paths: Json) -> Json:
    """The operations that exist on AWS. The others are not in the API, so they are 404."""
    kept = {
        path: {method: it for method, it in methods.items() if it["operationId"] in OPERATIONS.keys() | EVENTS.keys()}
        for path, methods in paths.items()
    }
    return {path: methods for path, methods in kept.items() if methods}


def without_null(value: Json) -> Json:
    """The document with ``not: NULL`` for every ``enum: [null]``."""
    if isinstance(value, list):
        return [without_null(one) for one in value]
    if not isinstance(value, dict):
        return value
    said = {key: without_null(it) for key, it in value.items()}
    return (
        {**{key: it for key, it in said.items() if key != "enum"}, "not": NULL} if said.get("enum") == [None] else said
    )


def template(name: str) -> str:
    """A mapping template: its lines joined, because a line's end would become part of the last value."""
    return "".join((HERE / name).read_text(encoding="utf-8").splitlines())


def _function(wiring: Wiring) -> Json:
    path = f"2015-03-31/functions/{wiring.rest_function}/invocations"
    return {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": f"arn:{wiring.partition}:apigateway:{wiring.region}:lambda:path/{path}",
        "passthroughBehavior": "when_no_match",
    }


def _queue(wiring: Wiring) -> Json:
    sent, answered = template("post_order.request.vtl"), template("post_order.response.vtl")
    return _sqs(wiring, wiring.queue_path, sent, answered)


def _events(wiring: Wiring, provider: str) -> Json:
    """With its signature, which our function checks, and the time at which it came."""
    return _sqs(wiring, wiring.events_path, event_template(provider), "")


def event_template(provider: str) -> str:
    """The mapping template for events of this provider."""
    header = SIGNATURES[provider]
    names = {"signature-in-lower-case": header, "SIGNATURE": header.title(), "PROVIDER": provider}
    text = template("post_event.request.vtl")
    for name, value in names.items():
        text = text.replace(name, value)
    return text


def _sqs(wiring: Wiring, queue: str, sent: str, answered: str) -> Json:
    """Sends the body directly to SQS. Anything but application/json is refused (``NEVER``: 415). An error of SQS is a
    503.
    """
    unavailable = json.dumps(problem("StoreUnavailable", 503, "Nothing was accepted. Try again in a moment."))
    return {
        "type": "aws",
        "httpMethod": "POST",
        "uri": f"arn:{wiring.partition}:apigateway:{wiring.region}:sqs:path/{queue}",
        "credentials": wiring.queue_role,
        "passthroughBehavior": "never",
        "requestParameters": {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"},
        "requestTemplates": {"application/json": sent},
        "responses": {
            "2\\d{2}": {
                "statusCode": "204",
                "responseTemplates": {"application/json": answered},
            },
            "default": {
                "statusCode": "503",
                "responseTemplates": {"application/json": unavailable},
                "responseParameters": {"method.response.header.Retry-After": "'1'"},
            },
        },
    }


def problem(name: str, status: int, detail: str) -> Json:
    return {"type": f"/errors/{name}", "error": name, "title": name, "status": status, "detail": detail}


def _answer(name: str, status: int, detail: str | None) -> Json:
    """A gateway response's template knows variables only, no functions. messageString brings its own quotes; what the
    validator says (validationErrorString) holds quotes that nothing can escape, so it is left out.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
    """
    body = json.dumps(problem(name, status, detail or "DETAIL")).replace('"DETAIL"', "$context.error.messageString")
    answer: Json = {
        "statusCode": str(status),
        "responseTemplates": {"application/json": body},
        "responseParameters": {"gatewayresponse.header.Content-Type": "'application/problem+json'"},
    }
    if status in {429, 503}:
        answer["responseParameters"]["gatewayresponse.header.Retry-After"] = "'1'"
    if status in {401, 403}:
        answer["responseParameters"]["gatewayresponse.header.WWW-Authenticate"] = "'Bearer'"
    return answer


def _authorizer(pool: str) -> Json:
    return {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "cognito_user_pools",
        "x-amazon-apigateway-authorizer": {"type": "cognito_user_pools", "providerARNs": [pool]},
    }
