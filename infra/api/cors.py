"""Cross-origin requests (CORS): pages of one other origin may call the API, and read its answers.

https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html, https://fetch.spec.whatwg.org/#http-cors-protocol
"""

import re

from expediter.asl.protocol import Json

#: Request headers that pages may send, and answer headers that they may read.
SENT = "Authorization,Content-Type,Idempotency-Key"
READ = "Location,Order-Id,Retry-After"
#: Seconds that a browser keeps the answer to its preflight request.
KEPT = 600
ALLOW_ORIGIN = "Access-Control-Allow-Origin"
ORIGIN = re.compile(r"https://[a-z0-9.-]+(:\d{1,5})?|http://localhost(:\d{1,5})?")


class OriginRefused(ValueError):
    """ALLOWED_ORIGIN is not the origin of a page."""


def origin(value: str) -> str:
    """Checks ALLOWED_ORIGIN and returns it; empty: pages of no other origin. Raises OriginRefused."""
    if value and not ORIGIN.fullmatch(value):
        raise OriginRefused(f"ALLOWED_ORIGIN={value} is not an origin. Give one such as https://shop.example.com.")
    return value


def allow(spec: Json, allowed: str) -> None:
    """Answers preflight requests, and adds the headers to API Gateway's own answers and to those for the queue. The
    function behind the other operations adds its own (EXPEDITER_ALLOWED_ORIGIN).
    """
    for methods in spec["paths"].values():
        methods["options"] = _preflight(allowed, sorted(method.upper() for method in methods))
    for answer in spec["x-amazon-apigateway-gateway-responses"].values():
        for name, value in _headers(allowed).items():
            answer["responseParameters"][f"gatewayresponse.header.{name}"] = f"'{value}'"
    post = spec["paths"]["/orders"]["post"]
    for answer in post["x-amazon-apigateway-integration"]["responses"].values():
        status = post["responses"][answer["statusCode"]]
        _add(status, answer, _headers(allowed))


def _headers(allowed: str) -> dict[str, str]:
    return {ALLOW_ORIGIN: allowed, "Access-Control-Expose-Headers": READ, "Vary": "Origin"}


def _add(status: Json, answer: Json, headers: dict[str, str]) -> None:
    """A header has to be declared in the method's response too."""
    for name, value in headers.items():
        status.setdefault("headers", {})[name] = {"schema": {"type": "string"}}
        answer.setdefault("responseParameters", {})[f"method.response.header.{name}"] = f"'{value}'"


def _preflight(allowed: str, methods: list[str]) -> Json:
    """API Gateway answers it itself, without a token, because browsers send none."""
    status: Json = {"description": "What pages of the allowed origin may send."}
    answer: Json = {"statusCode": "204"}
    _add(
        status,
        answer,
        {
            ALLOW_ORIGIN: allowed,
            "Access-Control-Allow-Methods": ",".join(methods),
            "Access-Control-Allow-Headers": SENT,
            "Access-Control-Max-Age": str(KEPT),
            "Vary": "Origin",
        },
    )
    return {
        "responses": {"204": status},
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "requestTemplates": {"application/json": '{"statusCode": 204}'},
            "passthroughBehavior": "when_no_match",
            "responses": {"default": answer},
        },
    }
