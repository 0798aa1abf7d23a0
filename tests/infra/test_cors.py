"""Pages of another origin: whether a browser would let them call the API, with the setting and without."""

from typing import Any

import pytest

from infra.api.cors import OriginRefused, origin
from tests.infra.linting import findings
from tests.infra.made import Made
from tests.infra.reading import only, settings

SHOP = "https://shop.example.com"


@pytest.fixture(scope="module")
def open_to_shop(made: Made) -> Any:
    return made.read(ALLOWED_ORIGIN=SHOP)


def _body(template: Any) -> Any:
    return only(template, "AWS::ApiGateway::RestApi")["Body"]


def test_without_the_setting_no_page_of_another_origin_may_call(template: Any) -> None:
    assert all("options" not in methods for methods in _body(template)["paths"].values())
    assert "Access-Control" not in str(_body(template))
    assert "allowed_origin" not in settings(template, "Rest")


def test_every_path_answers_preflight_requests_without_a_token(open_to_shop: Any) -> None:
    for methods in _body(open_to_shop)["paths"].values():
        preflight = methods["options"]
        assert "security" not in preflight
        answer = preflight["x-amazon-apigateway-integration"]["responses"]["default"]["responseParameters"]
        said = {name.removeprefix("method.response.header."): value.strip("'") for name, value in answer.items()}
        assert said["Access-Control-Allow-Origin"] == SHOP
        assert said["Access-Control-Allow-Methods"].split(",") == sorted(
            it.upper() for it in methods if it != "options"
        )
        assert {"Authorization", "Idempotency-Key"} <= {*said["Access-Control-Allow-Headers"].split(",")}


def test_every_answer_may_be_read_by_the_page(open_to_shop: Any) -> None:
    body = _body(open_to_shop)
    for answer in body["x-amazon-apigateway-gateway-responses"].values():
        assert answer["responseParameters"]["gatewayresponse.header.Access-Control-Allow-Origin"] == f"'{SHOP}'"
    post = body["paths"]["/orders"]["post"]
    for answer in post["x-amazon-apigateway-integration"]["responses"].values():
        assert answer["responseParameters"]["method.response.header.Access-Control-Allow-Origin"] == f"'{SHOP}'"
        assert "Access-Control-Allow-Origin" in post["responses"][answer["statusCode"]]["headers"]
    assert settings(open_to_shop, "Rest")["allowed_origin"] == SHOP


def test_the_answers_that_a_header_is_added_to_keep_what_they_had(open_to_shop: Any, template: Any) -> None:
    def refused(it: Any) -> Any:
        post = _body(it)["paths"]["/orders"]["post"]
        return post["x-amazon-apigateway-integration"]["responses"]["default"]["responseParameters"]

    assert refused(template).items() <= refused(open_to_shop).items()


@pytest.mark.parametrize(
    "value", ["*", "shop.example.com", "http://shop.example.com", f"{SHOP}/", "https://a'b", "null"]
)
def test_what_is_no_origin_is_refused(value: str) -> None:
    with pytest.raises(OriginRefused, match="is not an origin"):
        origin(value)


@pytest.mark.parametrize("value", ["", SHOP, f"{SHOP}:8443", "http://localhost:5173"])
def test_origins_are_taken_as_they_are(value: str) -> None:
    assert origin(value) == value


def test_cfn_lint_finds_nothing_in_it(made: Made) -> None:
    assert findings(made.template(ALLOWED_ORIGIN=SHOP)) == ""
