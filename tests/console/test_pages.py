"""The pages without a browser: what they hold, who gets them, and what a form needs."""

import re
import stat
from pathlib import Path

import httpx
import pytest

from expediter.domain.order import Status
from tests.console.shop import alarmed, opened
from tests.support.town import Act, standing

pytestmark = pytest.mark.anyio

HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}</textarea>"
PAGES = (
    "/console",
    "/console/orders/new",
    "/console/dead-letters",
    "/console/audit",
    "/console/mailbox",
    "/console/flow",
    "/console/flow?span=day",
    "/console/workflow",
    "/console/workflow/try",
)


async def test_every_page_is_served_without_script_of_its_own(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        order_id = await shop.place(email="guest@example.com")
        await shop.until(order_id, Status.PAID)
        for path in (*PAGES, f"/console/orders/{order_id}"):
            answer = await shop.client.get(path)
            assert answer.status_code == 200, path
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert re.findall(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", answer.text) == []
            assert re.findall(r'(?:src|href|action)="(?:https?:)?//', answer.text) == []


async def test_a_hostile_order_is_shown_as_text_everywhere(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as shop:
        order_id = await shop.place(name=HOSTILE, user_id=HOSTILE, restaurant_id=HOSTILE, email="a'b&c@example.com")
        await shop.until(order_id, Status.SUCCESS)
        letter = await shop.bury(HOSTILE.encode())
        link = re.search(r'href="(/o/[^"]+)"', await shop.page(f"/console/orders/{order_id}"))
        assert link
        mail = f"/console/mailbox/{order_id}?status=SUCCESS&to=a%27b%26c%40example.com"
        pages = ["/console", f"/console/orders/{order_id}", f"/console/dead-letters/{letter}", mail, link[1]]
        for path in pages:
            page = await shop.page(path)
            assert "<script>" not in page
            assert "&lt;script&gt;" in page
            assert "{{7*7}}" in page or path == mail


async def test_a_form_without_the_token_of_its_session_changes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        order_id = await shop.place()
        await shop.until(order_id, Status.PAID)
        path = f"/console/orders/{order_id}/cancel"
        for form in ({}, {"csrf": ""}, {"csrf": "ab.cd"}):
            assert (await shop.client.post(path, data=form)).status_code == 403
        stolen = re.search(r'name="csrf" value="([^"]+)"', await shop.page("/console/orders/new"))
        assert stolen
        shop.client.cookies.clear()
        assert (await shop.client.post(path, data={"csrf": stolen[1]})).status_code == 403
        elsewhere = await shop.client.post(path, data={"csrf": stolen[1]}, headers={"Origin": "https://elsewhere.test"})
        assert elsewhere.status_code == 403
        assert (await shop.until(order_id, Status.PAID)).cancel_requested_at is None


async def test_the_session_is_kept_from_scripts_and_other_sites(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        cookie = (await shop.client.get("/console")).headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Set-Cookie" not in (await shop.client.get("/console")).headers
        secret = tmp_path / "data/secret"
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600


async def test_with_a_token_set_operators_sign_in_under_a_name(tmp_path: Path) -> None:
    async with opened(tmp_path, TOKEN="long-secret") as shop:
        for path in (*PAGES, "/", "/console/live/orders", "/console/live/flow"):
            assert "Sign in" in await shop.page(path, 401)
        wrong = await shop.client.post("/console/sign-in", data={"token": "guess", "name": "Ada"})
        assert wrong.status_code == 401
        right = await shop.client.post("/console/sign-in", data={"token": "long-secret", "name": "Ada"})
        assert (right.status_code, right.headers["Location"]) == (303, "/console")
        order_id = await shop.place()
        await shop.until(order_id, Status.PAID)
        await shop.send(f"/console/orders/{order_id}/cancel", f"/console/orders/{order_id}")
        assert "Ada cancelled it" in await shop.page(f"/console/orders/{order_id}")
        await shop.send("/console/sign-out")
        assert "Sign in" in await shop.page("/console", 401)


async def test_orders_are_filtered_and_paged_by_the_address(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        placed = [
            await shop.place(user_id=f"Guest {number % 2}", restaurant_id="A" if number < 2 else "B")
            for number in range(103)
        ]
        last = placed[-1]
        await shop.until(last, Status.PAID)

        def rows(page: str) -> int:
            return page.count('<tr id="o-')

        first = await shop.page("/console")
        assert rows(first) == 100
        older = re.search(r'href="(/console\?cursor=[^"]+)"', first)
        assert older
        assert rows(await shop.page(older[1])) == 3
        assert rows(await shop.page("/console?restaurant=A")) == 2
        assert rows(await shop.page("/console?restaurant=A&customer=Guest+1&status=PAID")) == 1
        assert rows(await shop.page("/console?status=FAILED")) == 0
        assert rows(await shop.page(f"/console?id={last}")) == 1
        assert rows(await shop.page("/console?id=nothing")) == 0
        assert '<b data-count="PAID">103</b>' in await shop.page("/console")


async def test_what_is_wrong_with_an_order_is_said_beside_the_form(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        form = {"scenario": "normal", "user_id": "a", "restaurant_id": "b", "name": "Burger", "quantity": "none"}
        answer = await shop.send("/console/orders", **form)
        assert answer.status_code == 422
        assert "<b>quantity</b>" in answer.text
        assert 'value="Burger"' in answer.text
        unpriced = await shop.send("/console/orders", **{**form, "quantity": "2", "unit_price": "1.5"})
        assert "unit_price" in unpriced.text


async def test_a_scenario_that_cannot_be_had_says_how_it_can(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as shop:
        page = await shop.page("/console/orders/new")
        assert "EXPEDITER_PAYMENTS=simulated:decline=0.2" in page
        assert "EXPEDITER_RESTAURANT=simulated:decline=0.2" in page
        assert "EXPEDITER_HOLD_SECONDS=30" in page
        form = {"scenario": "declined", "user_id": "a", "restaurant_id": "b", "name": "c", "quantity": "1"}
        assert (await shop.send("/console/orders", **form)).status_code == 422


@pytest.mark.parametrize(
    ("scenario", "end"),
    [
        ("normal", Status.SUCCESS),
        ("declined", Status.FAILED),
        ("refused", Status.FAILED),
        ("duplicate", Status.SUCCESS),
        ("cancelled", Status.CANCELLED),
    ],
)
async def test_a_scenario_ends_as_it_says(tmp_path: Path, scenario: str, end: Status) -> None:
    simulated = {"PAYMENTS": "simulated:decline=0.3", "RESTAURANT": "simulated:decline=0.3"}
    async with opened(tmp_path, HOLD_SECONDS="1", **simulated) as shop:
        form = {"scenario": scenario, "user_id": "a", "restaurant_id": "b", "name": "c", "quantity": "1"}
        placed = await shop.send("/console/orders", **form)
        order_id = placed.headers["Location"].partition("?")[0].rpartition("/")[2]
        order = await shop.until(order_id, Status.SUCCESS, Status.FAILED, Status.CANCELLED)
        assert order.status is end
        assert (order.error_message or "").startswith("The restaurant") is (scenario == "refused")


async def test_an_order_that_needs_an_operator_is_retried_from_where_it_failed(tmp_path: Path) -> None:
    with standing() as town:
        async with opened(tmp_path, HOLD_SECONDS="0", WORKFLOW=alarmed(tmp_path), **town.settings) as shop:
            order_id = "0198d2a0-0000-7000-8000-000000000001"
            town.bank.script("charge", Act.FAIL, order_id=order_id)
            await shop.place(order_id)
            page = await shop.until_page(f"/console/orders/{order_id}", "Retry from ProcessPayment")
            assert "PaymentUnavailable" in page
            given = {"state": "ProcessPayment", "input": '{"order": {"id": "another"}}'}
            refused = await shop.send(f"/console/orders/{order_id}/retry", f"/console/orders/{order_id}", **given)
            assert refused.status_code == 422
            given["input"] = f'{{"order": {{"id": "{order_id}"}}, "hold_seconds": 0, "note": 1}}'
            await shop.send(f"/console/orders/{order_id}/retry", f"/console/orders/{order_id}", **given)
            await shop.until(order_id, Status.SUCCESS)
            assert town.moves(order_id) == ["charge"]
            page = await shop.page(f"/console/orders/{order_id}")
            assert "operator retried it" in page
            assert "from ProcessPayment with another input" in page
            again = await shop.send(f"/console/orders/{order_id}/retry", f"/console/orders/{order_id}", **given)
            assert again.status_code == 409


async def test_a_declined_charge_is_tried_again_under_a_new_key(tmp_path: Path) -> None:
    with standing() as town:
        async with opened(tmp_path, HOLD_SECONDS="0", WORKFLOW=alarmed(tmp_path), **town.settings) as shop:
            order_id = "0198d2a0-0000-7000-8000-000000000002"
            town.bank.script("charge", Act.REFUSE, order_id=order_id)
            await shop.place(order_id)
            page = await shop.until_page(f"/console/orders/{order_id}", "Try the declined charge again")
            assert "under a new key" in page
            given = {"state": "ProcessPayment", "input": f'{{"order": {{"id": "{order_id}"}}, "hold_seconds": 0}}'}
            await shop.send(f"/console/orders/{order_id}/retry", f"/console/orders/{order_id}", **given)
            order = await shop.until(order_id, Status.SUCCESS)
            assert order.error_message is None
            entries = shop.home.read(lambda work: work.orders.entries(order_id))
            assert [entry.key for entry in entries] == [f"{order_id}/charge/2"]


async def test_an_ended_order_is_ordered_again_as_a_new_one(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as shop:
        order_id = await shop.place(name=None, quantity=None, items=[{"name": "a", "quantity": 2, "unit_price": 7}])
        old = await shop.until(order_id, Status.SUCCESS)
        answer = await shop.send(f"/console/orders/{order_id}/again", f"/console/orders/{order_id}")
        fresh = answer.headers["Location"].partition("?")[0].rpartition("/")[2]
        new = await shop.until(fresh, Status.SUCCESS)
        assert (new.items, new.total, new.user_id) == (old.items, old.total, old.user_id)
        assert f"as {fresh}" in await shop.page(f"/console/orders/{order_id}")


async def test_dead_letters_hide_what_is_personal_until_asked(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        letter = await shop.bury(b'{"user_id": "Ada Lovelace", "email": "ada@example.com", "restaurant_id": "R"}')
        page = await shop.page("/console/dead-letters")
        assert "Ada" not in page
        assert "ada@" not in page
        assert "OrderInvalid: quantity" in page
        assert "Ada Lovelace" in await shop.page(f"/console/dead-letters/{letter}")


async def test_a_dead_letter_is_corrected_and_its_order_goes_its_way(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as shop:
        order_id = "0198d2a0-0000-7000-8000-000000000003"
        letter = await shop.bury(b'{"user_id": "a", "restaurant_id": "R"}', order_id=order_id)
        path = f"/console/dead-letters/{letter}"
        refused = await shop.send(f"{path}/correct", path, body='{"user_id": "a"}')
        assert refused.status_code == 422
        sent = await shop.send(f"{path}/correct", path, body='{"user_id":"a","restaurant_id":"R","quantity":1}')
        assert sent.headers["Location"] == f"/console/orders/{order_id}?said=corrected"
        await shop.until(order_id, Status.SUCCESS)
        assert "corrected one" in await shop.page("/console/dead-letters")
        assert shop.home.read(lambda work: work.dead_letters.count()) == 0


async def test_dead_letters_are_redriven_and_deleted_and_every_act_is_written_down(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        home = "/console/dead-letters"
        letter = await shop.bury(b"{}")
        await shop.send(f"{home}/{letter}/redrive", home)
        letter = await shop.bury(b"{}")
        await shop.send(f"{home}/redrive", home)
        letter = await shop.bury(b"{}")
        await shop.send(f"{home}/{letter}/delete", home)
        page = await shop.page(home)
        for act in ("redrove one", "redrove all", "deleted one"):
            assert f"operator {act}" in page
        assert (await shop.send(f"{home}/{letter}/delete")).status_code == 404


async def test_a_mail_is_shown_as_text_and_as_source(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0") as shop:
        order_id = await shop.place(email="guest@example.com")
        await shop.until(order_id, Status.SUCCESS)
        assert "guest@example.com" in await shop.page("/console/mailbox")
        mail = f"/console/mailbox/{order_id}?status=SUCCESS&to=guest%40example.com"
        page = await shop.page(mail)
        assert "Your order is paid" in page
        assert f"Message-ID: &lt;{order_id}.success" in page
        kept = await shop.send(f"/console/mailbox/{order_id}/resend", status="SUCCESS", to="guest@example.com")
        assert kept.status_code == 409


async def test_a_mail_about_an_alert_is_shown_as_such(tmp_path: Path) -> None:
    settings = {"WORKFLOW": alarmed(tmp_path), "PAYMENTS": "simulated:decline=1", "NOTIFY": "ops@example.com"}
    async with opened(tmp_path, **settings) as shop:
        order_id = await shop.place()
        await shop.until_page(f"/console/orders/{order_id}", "Retry")
    async with opened(tmp_path, **settings) as shop:  # whoever starts looks at once
        page = await shop.until_page("/console/mailbox", "it needs an operator")
        assert '<span class="pill NEEDS_OPERATOR">Needs an operator</span>' in page
        assert "Needs an operator" in await shop.page(f"/console/orders/{order_id}")
        mail = f"/console/mailbox/{order_id}?status=NEEDS_OPERATOR&to=ops%40example.com"
        assert "Its workflow ended in an error" in await shop.page(mail)


async def test_the_customers_page_shows_the_order_and_nothing_else(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", TOKEN="long-secret") as shop:
        await shop.client.post("/console/sign-in", data={"token": "long-secret", "name": "Ada"})
        order_id = await shop.place(user_id="Grace Hopper", email="grace@example.com", name="Ramen")
        await shop.until(order_id, Status.SUCCESS)
        link = re.search(r'href="(/o/[^"]+)"', await shop.page(f"/console/orders/{order_id}"))
        assert link
        shop.client.cookies.clear()
        page = await shop.page(link[1])
        assert "The restaurant has your order" in page
        assert "Ramen" in page
        for secret in ("Grace", "grace@", "/console/orders", order_id):
            assert secret not in page.replace(link[1], "")
        assert (await shop.client.get(link[1][:-3])).status_code == 404
        unsigned = "eyJhbGciOiJub25lIn0.eyJhdWQiOiJvcmRlciJ9."
        assert (await shop.client.get(f"/o/{unsigned}")).status_code == 404


async def test_a_session_is_no_link_and_a_link_no_session(tmp_path: Path) -> None:
    async with opened(tmp_path, TOKEN="long-secret") as shop:
        signed = await shop.client.post("/console/sign-in", data={"token": "long-secret", "name": "Ada"})
        cookie = signed.headers["Set-Cookie"].split("=", 1)[1].split(";")[0]
        assert (await shop.client.get(f"/o/{cookie}")).status_code == 404
        order_id = await shop.place()
        await shop.until(order_id, Status.PAID)
        link = re.search(r'href="/o/([^"]+)"', await shop.page(f"/console/orders/{order_id}"))
        assert link
        forged = httpx.Cookies({"expediter_session": link[1]})
        shop.client.cookies = forged
        assert (await shop.client.get("/console")).status_code == 401


async def test_a_definition_is_checked_drawn_and_run_in_virtual_time(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        path = "/console/workflow/try"
        broken = await shop.send(path, path, definition='{"StartAt": "A", "States": {}}', act="check")
        assert 'role="alert"' in broken.text
        wait = '{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":86400,"Next":"B"},"B":{"Type":"Succeed"}}}'
        drawn = await shop.send(path, path, definition=wait, act="check")
        assert "The definition is valid." in drawn.text
        assert 'data-state="B"' in drawn.text
        ran = await shop.send(path, path, definition=wait, input="{}", mocks="{}", act="run")
        assert "SUCCEEDED" in ran.text
        assert "1 d 0 h" in ran.text
        for mocks in ("[1]", '{"P": 3}', '{"P": [3]}', "{"):
            task = '{"StartAt":"P","States":{"P":{"Type":"Task","Resource":"P","End":true}}}'
            answer = await shop.send(path, path, definition=task, input="{}", mocks=mocks, act="run")
            assert (answer.status_code, 'role="alert"' in answer.text) == (200, True), mocks


async def test_what_is_not_there_is_said_on_a_page(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        for path in (
            "/console/nothing",
            "/console/orders/none",
            "/console/live/nothing",
            "/o/none",
            "/console/static/x",
        ):
            answer = await shop.client.get(path)
            assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
            told = await shop.client.get(path, headers={"Accept": "text/event-stream"})
            assert told.headers["Content-Type"] == "application/problem+json"
        assert (await shop.client.get("/console/orders/x/cancel")).status_code == 405
