"""The contract's schemas and our parser give the same verdict on every body, as far as JSON Schema can say it."""

import json
import re
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from expediter import contracts
from expediter.app.drafts import ChangeDraft, Draft, change_of, order_of, parse, terms_of
from expediter.app.ports import OrderSettings
from expediter.domain.errors import OrderInvalid
from expediter.domain.money import LARGEST_TOTAL

SETTINGS = OrderSettings(default_price=0)

# Where ECMAScript's \s and Python's differ is nobody's e-mail address; surrogates are no text; and the contract says
# nothing of characters beyond U+FFFF.
CHARACTERS = st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"], exclude_characters="\x85\ufeff")
TEXT = st.text(CHARACTERS, max_size=8)
NAMES = st.one_of(
    TEXT,
    st.sampled_from(["", "a\n", "\x7f", "Restaurant 4", "Жаркое"]),
    st.tuples(st.sampled_from("a😀"), st.sampled_from([200, 201])).map(lambda drawn: drawn[0] * drawn[1]),
)
QUANTITIES = st.one_of(
    st.integers(-2, 3),
    st.sampled_from([LARGEST_TOTAL, LARGEST_TOTAL + 1, 10**30, 1.5, True]),
    st.sampled_from(["3", "0", "-1", "003", "3\n", " 3", "3.0", "", "999999999", "1000000000", "٣"]),
    st.sampled_from([19, 20, 5000]).map(lambda zeros: "0" * zeros + "1"),
)
PRICES = st.one_of(st.integers(-1, 3), st.sampled_from([LARGEST_TOTAL, LARGEST_TOTAL + 1, "3", 0.5, False]))
CURRENCIES = st.sampled_from(["USD", "EUR", "usd", "XXX", "USD\n", "", "US", "DEM"])
EMAILS = st.one_of(
    st.builds("{}@{}".format, TEXT, TEXT),
    st.sampled_from(
        ["a@b", "a@b\n", "@b", "a@", "a@b@c", "a b@c", '"a"@b', "a..b@c", ".a@b", "a.@b", "a@b..c", "a@b."]
    ),
    st.sampled_from([252, 253]).map(lambda length: "a" * length + "@b"),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=3,
)


ITEM = st.fixed_dictionaries({"name": NAMES, "quantity": QUANTITIES}, optional={"unit_price": PRICES})
ITEMS = st.one_of(
    st.lists(st.one_of(ITEM, ITEM, ITEM, ANYTHING), max_size=2),
    st.sampled_from([100, 101]).map(lambda count: [{"name": "a", "quantity": 1}] * count),
)
#: Good and bad values of each field.
WILD = {
    "user_id": NAMES,
    "restaurant_id": NAMES,
    "name": NAMES,
    "quantity": QUANTITIES,
    "items": ITEMS,
    "currency": CURRENCIES,
    "email": EMAILS,
    "unit_price": PRICES,
    "payment_method": st.sampled_from(["pm_1", "1", "", "a b", "pm_1\n", "_-", "4242424242424242", "a" * 201, "ä"]),
}
GOOD_ITEM = {"name": "Жаркое", "quantity": 2, "unit_price": 250}
GOOD: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"user_id": "u", "restaurant_id": "r", "quantity": "3"},
        {"user_id": "u", "restaurant_id": "r", "quantity": 1, "name": "n", "currency": "EUR", "email": "a@b"},
        {"user_id": "u", "restaurant_id": "r", "quantity": 1, "payment_method": "pm_1"},
        {"user_id": "u", "restaurant_id": "r", "items": [GOOD_ITEM], "name": None, "quantity": None},
        {"user_id": "u", "restaurant_id": "r", "items": [GOOD_ITEM, GOOD_ITEM], "currency": None, "email": None},
    ]
)


@st.composite
def bodies(draw: st.DrawFn) -> Any:
    """A good body of which up to two fields were given other values, one way or another, or taken out."""
    body = dict(draw(GOOD))
    for field in draw(st.lists(st.sampled_from([*WILD, "more"]), max_size=2)):
        match draw(st.sampled_from(["wild", "wild", "wild", "nothing", "none", "anything"])):
            case "wild":
                body[field] = draw(WILD.get(field, ANYTHING))
            case "nothing":
                body.pop(field, None)
            case "none":
                body[field] = None
            case _:
                body[field] = draw(ANYTHING)
    return body


NEW = st.one_of(bodies(), bodies(), bodies(), ANYTHING)
CHANGE = st.one_of(bodies(), bodies().map(lambda body: {k: v for k, v in body.items() if v is not None}), ANYTHING)


def validator(name: str) -> jsonschema_rs.Draft4Validator:
    """The contract's schema as JSON Schema: OpenAPI's ``nullable`` becomes the type null."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(held) for held in value]
        if not isinstance(value, dict):
            return value
        held = {key: plain(inner) for key, inner in value.items() if key != "nullable"}
        return {**held, "type": [held["type"], "null"]} if value.get("nullable") and "type" in held else held

    document = plain(json.loads(contracts.read("openapi.json")))
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return jsonschema_rs.Draft4Validator(schema)


NEW_ORDER, ORDER_CHANGE = validator("NewOrder"), validator("OrderChange")
PLAIN = order_of(
    Draft(user_id="u", restaurant_id="r", quantity=1, name="n"),
    "00000000-0000-0000-0000-000000000000",
    0,
    terms_of(SETTINGS),
)


def takes_new(body: Any) -> bool:
    try:
        order_of(parse(json.dumps(body).encode(), Draft), PLAIN.id, 0, terms_of(SETTINGS))
    except OrderInvalid as error:
        # A sum is more than JSON Schema can say, and so are the labels of a domain.
        assume(not re.search("the total is|add up to|no mail server takes it", str(error)))
        return False
    return True


def takes_change(body: Any) -> bool:
    try:
        change_of(parse(json.dumps(body).encode(), ChangeDraft), PLAIN, SETTINGS)
    except OrderInvalid as error:
        assume(
            not re.search("the total is|add up to|keeps its user|no mail server takes it", str(error))
        )  # nor what depends on the order
        return False
    return True


@given(NEW)
@settings(max_examples=300)
@example({"user_id": "Burger_20", "quantity": "3", "restaurant_id": "Restaurant 4"})
@example(
    {"user_id": "u", "restaurant_id": "r", "quantity": None, "name": None, "items": [{"name": "a", "quantity": 1}]}
)
@example({"user_id": "u", "restaurant_id": "r", "quantity": 1, "items": None, "email": None, "currency": None})
@example({"user_id": "u", "restaurant_id": "r", "quantity": "0" * 5000 + "3"})
@example({"user_id": "u", "restaurant_id": "r", "quantity": "3\n"})
@example({"user_id": "u", "restaurant_id": "r", "quantity": 3, "email": "a@b\n"})
@example({"user_id": "u\n", "restaurant_id": "r", "quantity": 1})
def test_a_new_order_gets_the_same_verdict_from_the_contract_and_from_the_parser(body: Any) -> None:
    assert takes_new(body) == NEW_ORDER.is_valid(body)


@given(CHANGE)
@settings(max_examples=300)
@example({})
@example({"email": None})
@example({"name": "b", "quantity": 2, "currency": "EUR"})
def test_a_change_gets_the_same_verdict_from_the_contract_and_from_the_parser(body: Any) -> None:
    assert takes_change(body) == ORDER_CHANGE.is_valid(body)


def test_a_fault_says_where_it_is() -> None:
    body = {"user_id": "u", "restaurant_id": "r", "items": [{"name": "a", "quantity": 0}]}
    with pytest.raises(OrderInvalid) as refused:
        parse(json.dumps(body).encode(), Draft)
    assert refused.value.faults[0].path == "items[0].quantity"
