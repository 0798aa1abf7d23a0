"""What an operator and a customer do with the console, in a real browser, without ever loading a page again."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from demo.mailserver import MailServer, receiving
from expediter.app import orders
from expediter.app.operator import operations
from expediter.app.ports import Caller
from expediter.domain.order import Status
from tests.console.browser.visitor import Visitor
from tests.console.shop import Shop, alarmed, served, wait_for
from tests.support.town import Act, standing

pytestmark = [pytest.mark.anyio, pytest.mark.heavy]


@pytest.fixture
def mail_server() -> Iterator[tuple[MailServer, str]]:
    server = MailServer()
    with receiving(server) as url:
        yield server, url


SIMULATED = {"PAYMENTS": "simulated:decline=0.3", "RESTAURANT": "simulated:decline=0.3"}


async def test_an_order_is_placed_and_watched_to_its_end(visitor: Visitor, tmp_path: Path) -> None:
    async with served(tmp_path, HOLD_SECONDS="3", **SIMULATED) as shop:
        order_id = await visitor.place(shop, "normal", email="guest@example.com", name="Ramen")
        await visitor.status("Paid")
        await expect(visitor.state("Hold")).to_have_class("st Wait current")
        await visitor.picture("order-under-way")
        await visitor.status("Success")
        await expect(visitor.state("CompleteOrder")).to_have_class("st Task done")
        await expect(visitor.page.locator(".timeline")).to_contain_text("Workflow ended")
        await expect(visitor.page.locator("[data-part=mails]")).to_contain_text("guest@example.com")
        await visitor.state("ProcessPayment").click()
        await expect(visitor.page.locator("#state-ProcessPayment")).to_contain_text('payment: {"status": "ok"}')
        await expect(visitor.page.locator("#state-CompleteOrder")).to_be_hidden()
        await visitor.picture("order", whole=True)
        assert (await shop.until(order_id, Status.SUCCESS)).name == "Ramen"


#: Sends the form of a button twice at once, as browsers do that wait for no answer; where both lead.
TWICE = """button => {
  const { action } = button.form;
  const send = () => fetch(action, { method: "POST", body: new URLSearchParams(new FormData(button.form)) });
  return Promise.all([send(), send()].map(async (answer) => (await answer).url));
}"""


async def test_a_form_that_is_sent_twice_at_once_places_one_order_and_repeats_it_once(
    visitor: Visitor, tmp_path: Path
) -> None:
    async with served(tmp_path, HOLD_SECONDS="0") as shop:
        await visitor.visit(shop, "/console/orders/new")
        first, same = await visitor.page.get_by_role("button", name="Place the order").evaluate(TWICE)
        await visitor.page.goto(first)
        await visitor.status("Success")
        again, once_more = await visitor.page.get_by_role("button", name="Order again").evaluate(TWICE)

        assert (first, again) == (same, once_more)
        assert sum(shop.home.read_as_operator(lambda services: services.flow.counts()).values()) == 2


#: Sends the form of a button and stays on the page, as it is for a moment after a click.
SEND = "({form}) => fetch(form.action, {method: 'POST', body: new URLSearchParams(new FormData(form))}).then(() => 1)"


async def test_two_clicks_with_a_live_update_between_them_are_one_act(visitor: Visitor, tmp_path: Path) -> None:
    async with served(tmp_path, HOLD_SECONDS="600") as shop:
        order_id = await visitor.place(shop, "normal")
        await visitor.status("Paid")
        await visitor.live()
        revoke = visitor.page.get_by_role("button", name="Revoke its links")
        await revoke.evaluate(SEND)
        await shop.home.write(lambda work: orders.cancel(work, Caller(), order_id), "cancelOrder")
        await visitor.status("Refund owed")
        await revoke.evaluate(SEND)

        assert [kind for kind in await acts(shop) if kind == "revoked its links"] == ["revoked its links"]


async def test_a_form_that_goes_and_comes_back_while_the_page_is_open_is_the_same_form(
    visitor: Visitor, tmp_path: Path
) -> None:
    async with served(tmp_path) as shop:
        await shop.bury(b"{}")
        await visitor.visit(shop, "/console/dead-letters")
        await visitor.live()
        token = visitor.page.locator("form[action$=letters\\/redrive] [name=csrf]")
        first = await token.input_value()
        await shop.bury(b"[]")
        await expect(visitor.page.locator("article.letter")).to_have_count(2)
        second = await token.input_value()
        await shop.home.write(operations.purge, "purge")
        await expect(visitor.page.locator("article.letter")).to_have_count(0)
        await shop.bury(b"1")
        await expect(visitor.page.locator("article.letter")).to_have_count(1)

        assert first == second == await token.input_value()


async def acts(shop: Shop) -> list[str]:
    """What the audit says was done, the newest first."""
    page = shop.home.read_as_operator(lambda services: services.audit.page(50))
    return [entry.kind for entry in page]


async def test_a_double_click_places_one_order(visitor: Visitor, tmp_path: Path) -> None:
    async with served(tmp_path, HOLD_SECONDS="0") as shop:
        await visitor.visit(shop, "/console/orders/new")
        await visitor.page.get_by_role("button", name="Place the order").dblclick()
        await visitor.page.wait_for_url("**/console/orders/*-*")
        await visitor.status("Success")

        assert sum(shop.home.read_as_operator(lambda services: services.flow.counts()).values()) == 1


async def test_going_back_to_a_form_that_was_sent_gives_one_that_acts_again(visitor: Visitor, tmp_path: Path) -> None:
    async with served(tmp_path, HOLD_SECONDS="0") as shop:
        first = await visitor.place(shop, "normal")
        await visitor.page.go_back()
        await visitor.page.get_by_role("button", name="Place the order").click()
        await visitor.page.wait_for_url("**/console/orders/*-*")

        assert first not in visitor.page.url


async def test_a_declined_card_ends_as_failed_with_the_reason(visitor: Visitor, tmp_path: Path) -> None:
    async with served(tmp_path, **SIMULATED) as shop:
        await visitor.visit(shop, "/console/orders/new")
        await visitor.picture("place-an-order")
        await visitor.place(shop, "declined")
        await visitor.status("Failed")
        await expect(visitor.page.locator("[data-part=why]")).to_contain_text("declined")
        await expect(visitor.state("CancelFailedOrder")).to_have_class("st Task done")
        await expect(visitor.state("Hold")).to_have_class("st Wait")


async def test_an_order_cancelled_in_the_hold_gets_its_money_back(visitor: Visitor, tmp_path: Path) -> None:
    async with served(tmp_path, HOLD_SECONDS="3", **SIMULATED) as shop:
        await visitor.place(shop, "normal", quantity="2")
        await visitor.status("Paid")
        await visitor.press("Cancel the order")
        await visitor.status("Refund owed")
        await visitor.status("Cancelled")
        facts = visitor.page.locator("[data-part=facts]")
        await expect(facts.locator("dd").nth(0)).to_have_text("20.00 USD")
        await expect(facts.locator("dd").nth(1)).to_have_text("20.00 USD")
        await expect(visitor.page.locator(".timeline")).to_contain_text("operator cancelled it")
        await expect(visitor.state("RefundPayment")).to_have_class("st Task done")
        await visitor.picture("order-refunded", whole=True)


async def test_the_list_follows_every_order_and_goes_on_after_a_lost_connection(
    visitor: Visitor, tmp_path: Path
) -> None:
    async with served(tmp_path, HOLD_SECONDS="1") as shop:
        await visitor.visit(shop, "/console")
        await visitor.live()
        first = await shop.place(name="Ramen")
        await expect(visitor.page.locator(f"#o-{first} .pill")).to_have_text("Success")
        await visitor.page.context.set_offline(True)
        second = await shop.place(name="Pizza")
        await shop.until(second, Status.SUCCESS)
        await visitor.page.context.set_offline(False)
        await expect(visitor.page.locator(f"#o-{second} .pill")).to_have_text("Success")
        await expect(visitor.page.locator("#rows tr")).to_have_count(2)
        await expect(visitor.page.locator('[data-count="SUCCESS"]')).to_have_text("2")
        visitor.complaints.clear()  # the browser says that it was offline


async def test_orders_are_filtered_and_paged(visitor: Visitor, tmp_path: Path) -> None:
    async with served(tmp_path) as shop:
        ids = [await shop.place(restaurant_id="Bella" if number % 50 == 0 else "Roma") for number in range(130)]
        await shop.until(ids[-1], Status.PAID)
        await visitor.visit(shop, "/console")
        await expect(visitor.page.locator("#rows tr")).to_have_count(100)
        await visitor.picture("orders")
        await visitor.page.click("text=Older orders")
        await expect(visitor.page.locator("#rows tr")).to_have_count(30)
        await visitor.visit(shop, "/console")
        await visitor.page.fill("input[name=restaurant]", "Bella")
        await visitor.press("Filter")
        await expect(visitor.page.locator("#rows tr")).to_have_count(3)
        await visitor.live()
        await shop.place(restaurant_id="Roma")
        last = await shop.place(restaurant_id="Bella")
        await expect(visitor.page.locator("#rows tr").first).to_have_id(f"o-{last}")
        await expect(visitor.page.locator("#rows tr")).to_have_count(4)
        await visitor.page.click("text=Cancelled")
        await expect(visitor.page.locator("#empty")).to_be_visible()


async def test_a_dead_letter_is_corrected_redriven_and_its_order_ends_well(visitor: Visitor, tmp_path: Path) -> None:
    async with served(tmp_path, HOLD_SECONDS="0") as shop:
        await visitor.visit(shop, "/console/dead-letters")
        await visitor.live()
        await shop.bury(b'{"user_id": "Ada", "email": "ada@example.com", "restaurant_id": "Roma"}')
        await expect(visitor.page.locator(".letter .reason")).to_contain_text("OrderInvalid")
        await visitor.picture("dead-letters")
        await visitor.page.click("text=Show and edit")
        body = {"user_id": "Ada", "email": "ada@example.com", "restaurant_id": "Roma", "quantity": 1}
        await visitor.page.fill("textarea", json.dumps(body))
        await visitor.press("Send the corrected order")
        await visitor.status("Success")
        await expect(visitor.page.locator(".timeline")).to_contain_text("corrected it as a dead letter")


async def test_a_redriven_letter_that_is_still_wrong_comes_back(visitor: Visitor, tmp_path: Path) -> None:
    async with served(tmp_path) as shop:
        letter = await shop.bury(b"{}")
        await visitor.visit(shop, "/console/dead-letters")
        await visitor.page.click(f"#redrive-{letter}")
        await expect(visitor.page.locator(".said")).to_contain_text("back to the queue")
        await expect(visitor.page.locator(".letter .reason")).to_be_visible()
        await visitor.page.locator(".letter").get_by_role("button", name="Delete").click()
        await expect(visitor.page.locator("[data-part=audit]")).to_contain_text("operator deleted one")


async def test_an_order_that_needs_an_operator_goes_on_from_where_it_failed(visitor: Visitor, tmp_path: Path) -> None:
    with standing() as town:
        async with served(tmp_path, HOLD_SECONDS="1", WORKFLOW=alarmed(tmp_path), **town.settings) as shop:
            order_id = "0198d2a0-0000-7000-8000-000000000011"
            town.bank.script("charge", Act.FAIL, order_id=order_id)
            await shop.place(order_id)
            await visitor.visit(shop, f"/console/orders/{order_id}")
            await expect(visitor.state("OrderNeedsOperator")).to_have_class("st Fail failed")
            await expect(visitor.state("ProcessPayment")).to_have_class("st Task failed")
            await visitor.picture("order-needs-operator", whole=True)
            await visitor.press("Retry from ProcessPayment")
            await visitor.status("Success")
            await expect(visitor.page.locator(".timeline")).to_contain_text("operator retried it")
            await expect(visitor.state("ProcessPayment")).to_have_class("st Task done")
            assert town.moves(order_id) == ["charge"]


async def test_a_mail_is_looked_at_and_resent(
    visitor: Visitor, tmp_path: Path, mail_server: tuple[MailServer, str]
) -> None:
    server, smtp = mail_server
    async with served(tmp_path, HOLD_SECONDS="0", SMTP_URL=smtp) as shop:
        order_id = await shop.place(email="guest@example.com")
        await shop.until(order_id, Status.SUCCESS)
        await visitor.visit(shop, "/console/mailbox")
        await expect(visitor.page.locator("tbody tr")).to_contain_text("sent")
        await visitor.picture("mailbox")
        await visitor.page.click("text=guest@example.com")
        await expect(visitor.page.locator(".mail")).to_contain_text("Your order is paid")
        await visitor.picture("mail")
        await visitor.press("Resend")
        await expect(visitor.page.locator(".timeline")).to_contain_text("operator had a mail resent")
        await wait_for(lambda: len(server.mails) == 2)
        assert len({mail.message_id for mail in server.mails}) == 1


async def test_a_customer_follows_the_order_by_the_link(visitor: Visitor, tmp_path: Path) -> None:
    async with served(tmp_path, HOLD_SECONDS="3") as shop:
        order_id = await shop.place(name="Falafel wrap", user_id="Ada")
        await shop.until(order_id, Status.PAID)
        await visitor.visit(shop, f"/console/orders/{order_id}")
        await visitor.page.click("text=Customer’s page")  # noqa: RUF001  # as the page writes it
        await expect(visitor.page.locator("h1")).to_have_text("Your order is paid")
        await visitor.live()
        await visitor.picture("customer")
        assert await visitor.barriers() == []
        await expect(visitor.page.locator("h1")).to_have_text("The restaurant has your order")
        await visitor.page.set_viewport_size({"width": 360, "height": 740})
        assert not await visitor.overflows()
