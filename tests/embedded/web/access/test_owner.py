"""A customer has to do with his own orders only: of another's he is told what he would be told of none."""

import re
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest

from expediter.api.access import NEEDS
from expediter.app.access import CUSTOMER
from tests.embedded.web.access.callers import TOKEN
from tests.embedded.web.access.test_wrong_user import BODIES, FIELDS, ORDER, WHERE
from tests.embedded.web.conftest import Opened, Served
from tests.embedded.web.graphql.sockets import FOLLOW, connected
from tests.support.issuer import Issuer, issuing

pytestmark = pytest.mark.anyio
KEY = "0192f0c1-2345-7abc-8def-0123456789ab"


def by(issuer: Issuer, user: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.token(user)}"}


async def placed(served: Served, shown: dict[str, str], **headers: str) -> httpx.Response:
    answer = await served.client.post("/orders", json=ORDER, headers={**shown, **headers})
    assert answer.status_code == 204
    return answer


def without(text: str, order_id: str) -> str:
    return text.replace(order_id, "ID")


async def test_every_operation_answers_for_anothers_order_as_for_a_missing_one(opened: Opened) -> None:
    with issuing(time.time()) as issuer:
        async with opened(TOKEN=TOKEN, **issuer.settings()) as served:
            hers = (await placed(served, by(issuer, "ann"))).headers["Order-Id"]
            asked = [
                name for name, (_, path) in WHERE.items() if NEEDS[name] in CUSTOMER and path.startswith("/orders/")
            ]
            assert len(asked) == 9
            for name in asked:
                method, path = WHERE[name]
                told = []
                for order_id in (hers, str(uuid4())):
                    where = re.sub(r"\{id\}", order_id, path)
                    body = BODIES.get(name)
                    answer = await served.client.request(method, where, json=body, headers=by(issuer, "bob"))
                    told.append((answer.status_code, without(answer.text, order_id), len(answer.headers)))
                assert told[0] == told[1], name
                assert told[0][0] == 404
            assert (await served.client.get(f"/orders/{hers}", headers=by(issuer, "ann"))).status_code == 200


@pytest.mark.parametrize("field", [name for name in FIELDS if "ID" in FIELDS[name] and NEEDS[name] in CUSTOMER])
async def test_every_field_answers_for_anothers_order_as_for_a_missing_one(serving: Opened, field: str) -> None:
    with issuing(time.time()) as issuer:
        async with serving(TOKEN=TOKEN, **issuer.settings()) as served:
            hers = (await placed(served, by(issuer, "ann"))).headers["Order-Id"]
            told: list[Any] = []
            async with connected(served, additional_headers=by(issuer, "bob")) as client:
                for name, order_id in (("1", hers), ("2", str(uuid4()))):
                    await client.say("subscribe", name, query=FIELDS[field].replace("ID", order_id))
                    answer = await client.hear()
                    told.append((answer["type"], without(str(answer["payload"]), order_id)))
                    if answer["type"] == "next":
                        assert (await client.hear())["type"] == "complete"
            assert told[0] == told[1]


async def test_lists_hold_only_ones_own_and_a_list_of_anothers_is_empty(opened: Opened) -> None:
    with issuing(time.time()) as issuer:
        async with opened(TOKEN=TOKEN, **issuer.settings()) as served:
            hers = (await placed(served, by(issuer, "ann"))).headers["Order-Id"]
            await served.client.post(f"/orders/{hers}/cancel", headers=by(issuer, "ann"))  # writes the row
            for query, user, ids in (("", "ann", [hers]), ("", "bob", []), ("?user_id=ann", "bob", [])):
                found = (await served.client.get(f"/orders{query}", headers=by(issuer, user))).json()
                assert [order["id"] for order in found["items"]] == ids
            told = await served.client.post("/graphql", json={"query": "{ orders { id } }"}, headers=by(issuer, "bob"))
            assert told.json() == {"data": {"orders": []}}


async def test_the_cursor_of_a_page_does_not_tell_whether_another_has_an_order(opened: Opened) -> None:
    with issuing(time.time()) as issuer:
        async with opened(TOKEN=TOKEN, **issuer.settings()) as served:
            ids = {}
            for user in ("ann", "bob"):
                ids[user] = (await placed(served, by(issuer, user))).headers["Order-Id"]
                await served.client.post(f"/orders/{ids[user]}/cancel", headers=by(issuer, user))  # writes the row
            for ways in ("/orders?cursor={}", '/graphql?query={{orders(after:"{}"){{id}}}}'):
                answers = [
                    await served.client.get(ways.format(one), headers=by(issuer, "bob"))
                    for one in (ids["bob"], ids["ann"], str(uuid4()))
                ]
                own, anothers, nobodys = [(one.status_code, one.text) for one in answers]
                assert anothers == nobodys != own
                assert own[0] == 200


async def test_a_key_of_another_caller_reveals_nothing(opened: Opened) -> None:
    """Whoever used it before, another customer's order under it is accepted, and is the same again when sent again."""
    with issuing(time.time()) as issuer:
        async with opened(TOKEN=TOKEN, **issuer.settings()) as served:
            mine = {"Authorization": f"Bearer {TOKEN}"}
            await served.client.post(
                "/orders", json={**ORDER, "user_id": "x"}, headers={**mine, "Idempotency-Key": KEY}
            )
            ids = set()
            for user in ("ann", "bob"):
                first, again = [await placed(served, by(issuer, user), **{"Idempotency-Key": KEY}) for _ in range(2)]
                assert "Idempotent-Replayed" not in first.headers
                assert again.headers["Idempotent-Replayed"] == "true"
                assert first.headers["Order-Id"] == again.headers["Order-Id"]
                ids.add(first.headers["Order-Id"])
            assert len({*ids, KEY}) == 3


async def test_a_customer_finds_his_order_under_the_key_that_he_sent_and_nobody_elses(serving: Opened) -> None:
    with issuing(time.time()) as issuer:
        async with serving(TOKEN=TOKEN, **issuer.settings()) as served:
            hers = (await placed(served, by(issuer, "ann"), **{"Idempotency-Key": KEY})).headers["Order-Id"]
            found = [await served.client.get(f"/orders/{key}", headers=by(issuer, "ann")) for key in (KEY, KEY.upper())]
            assert [one.json()["id"] for one in found] == [hers, hers]
            told = await served.client.get(f"/orders/{KEY}/timeline", headers=by(issuer, "ann"))
            assert told.json()["order_id"] == hers
            for shown in (by(issuer, "bob"), {"Authorization": f"Bearer {TOKEN}"}):
                assert (await served.client.get(f"/orders/{KEY}", headers=shown)).status_code == 404
            async with connected(served, additional_headers=by(issuer, "ann")) as client:
                await client.say("subscribe", "1", query=FOLLOW, variables={"id": KEY})
                answer = await client.hear()
            assert answer["payload"][0]["extensions"]["code"] == "OrderNotFound"


async def test_a_body_that_names_another_user_is_refused(opened: Opened) -> None:
    with issuing(time.time()) as issuer:
        async with opened(TOKEN=TOKEN, **issuer.settings()) as served:
            body = {**ORDER, "user_id": "ann"}
            answer = await served.client.post("/orders", json=body, headers=by(issuer, "bob"))
            assert (answer.status_code, answer.json()["error"]) == (403, "OwnerRefused")
            post = 'mutation { postOrder(input: {name: "a", quantity: 1, restaurantId: "r", userId: "ann"}) { id } }'
            told = await served.client.post("/graphql", json={"query": post}, headers=by(issuer, "bob"))
            assert told.json()["errors"][0]["extensions"]["code"] == "OwnerRefused"
            assert (await served.client.post("/orders", json=body, headers=by(issuer, "ann"))).status_code == 204
