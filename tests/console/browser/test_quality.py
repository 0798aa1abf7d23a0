"""How the console is to use: no barriers, keyboard, small and large windows; and what it weighs and costs."""

import asyncio
import math
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Request, expect

from expediter.app.operator.flow import MINUTE, Minute, bucket
from expediter.domain.order import Status
from tests.console.browser.visitor import Visitor
from tests.console.shop import Shop, alarmed, served
from tests.support.town import Act, standing

pytestmark = [pytest.mark.anyio, pytest.mark.heavy]
KILOBYTE = 1000


async def pages(shop: Shop) -> dict[str, str]:
    """Every kind of page, with something on it."""
    order_id = await shop.place(email="guest@example.com", name="A rather long name of a dish with many words " * 3)
    await shop.until(order_id, Status.SUCCESS)
    letter = await shop.bury(b'{"user_id": "Ada", "restaurant_id": "' + b"Roma" * 60 + b'"}', order_id="x" * 90)
    return {
        "orders": "/console",
        "place-an-order": "/console/orders/new",
        "order": f"/console/orders/{order_id}",
        "dead-letters": "/console/dead-letters",
        "dead-letter": f"/console/dead-letters/{letter}",
        "audit": "/console/audit",
        "mailbox": "/console/mailbox",
        "mail": f"/console/mailbox/{order_id}?status=SUCCESS&to=guest%40example.com",
        "flow": "/console/flow",
        "workflow": "/console/workflow",
        "try-a-definition": "/console/workflow/try",
        "nothing": "/console/nothing",
    }


async def test_no_page_has_a_barrier_in_light_or_dark(visitor: Visitor, tmp_path: Path) -> None:
    async with served(tmp_path, HOLD_SECONDS="0") as shop:
        found = {}
        for name, path in (await pages(shop)).items():
            await visitor.visit(shop, path)
            found[name] = await visitor.barriers()
            if name in {"workflow", "try-a-definition", "dead-letter"}:
                await visitor.picture(name)
        assert {name: barriers for name, barriers in found.items() if barriers} == {}
        visitor.complaints[:] = [said for said in visitor.complaints if "404" not in said]


async def test_a_busy_hour_is_seen_at_a_glance(visitor: Visitor, tmp_path: Path) -> None:
    async with served(tmp_path, HOLD_SECONDS="0") as shop:
        now = shop.home.clock.now()
        shop.home._events._flow._minutes.extend(
            busy_minute(now - now % MINUTE - ago * MINUTE, ago) for ago in reversed(range(60))
        )
        await visitor.visit(shop, "/console/flow")
        await visitor.live()
        await expect(visitor.page.locator(".plot .line")).to_have_count(9)
        await expect(visitor.page.locator("[data-part=why] tbody tr")).to_have_count(3)
        await visitor.picture("flow", whole=True)


def busy_minute(at: int, ago: int) -> Minute:
    """A minute of a lunch hour: most is ordered in the middle of it."""
    rush = max(1, round(600 * math.exp(-(((ago - 28) / 12) ** 2)) + 40 * math.sin(ago * 1.7) ** 2))
    failed = rush // 9
    return Minute(
        at,
        accepted=rush,
        ended={"SUCCESS": rush - failed, "FAILED": failed - failed // 4, "CANCELLED": failed // 4},
        reasons={
            "The payment was declined.": failed // 2 + 1,
            "The restaurant is closed.": failed // 4,
            "The customer cancelled the order.": failed // 4,
        },
        accept={bucket(1500 + rush): rush, bucket(4000 + 9 * rush): rush // 40 + 1},
        finish={bucket(30_400 + rush): rush, bucket(31_000 + 6 * rush): rush // 40 + 1},
        queue=rush // 60,
        running=rush // 2,
    )


async def test_an_order_that_failed_and_the_way_to_sign_in_have_no_barrier(visitor: Visitor, tmp_path: Path) -> None:
    with standing() as town:
        async with served(tmp_path, WORKFLOW=alarmed(tmp_path), TOKEN="long-secret", **town.settings) as shop:
            order_id = "0198d2a0-0000-7000-8000-000000000012"
            town.bank.script("charge", Act.REFUSE, order_id=order_id)
            await shop.place(order_id)
            await visitor.visit(shop, "/console")
            assert await visitor.barriers() == []
            await visitor.page.fill("input[name=token]", "long-secret")
            await visitor.page.fill("input[name=name]", "Ada")
            await visitor.press("Sign in")
            await expect(visitor.page.locator(".who")).to_contain_text("Ada")
            await visitor.visit(shop, f"/console/orders/{order_id}")
            await expect(visitor.page.get_by_role("button", name="Retry from ProcessPayment")).to_be_visible()
            assert await visitor.barriers() == []
        visitor.complaints[:] = [said for said in visitor.complaints if "401" not in said]


@pytest.mark.parametrize("width", [360, 1920])
async def test_no_page_is_wider_than_its_window(visitor: Visitor, tmp_path: Path, width: int) -> None:
    await visitor.page.set_viewport_size({"width": width, "height": 800})
    async with served(tmp_path, HOLD_SECONDS="0") as shop:
        for name, path in (await pages(shop)).items():
            await visitor.visit(shop, path)
            assert not await visitor.overflows(), name
            if width == 360 and name in {"orders", "order"}:
                await visitor.picture(f"{name}-small")
        visitor.complaints.clear()


async def test_everything_can_be_reached_by_keyboard_and_the_focus_is_seen(visitor: Visitor, tmp_path: Path) -> None:
    async with served(tmp_path, HOLD_SECONDS="0") as shop:
        order_id = await shop.place()
        await shop.until(order_id, Status.SUCCESS)
        await visitor.visit(shop, f"/console/orders/{order_id}")
        seen = []
        for _ in range(16):
            await visitor.page.keyboard.press("Tab")
            place, outlined = await visitor.page.evaluate(
                """() => { const there = document.activeElement, style = getComputedStyle(there);
                   const box = there.querySelector("rect");
                   return [there.textContent.trim().slice(0, 20) || there.getAttribute("aria-label"),
                           style.outlineStyle !== "none" || (box && getComputedStyle(box).strokeWidth === "4px")]; }"""
            )
            assert outlined, place
            seen.append(place)
        assert seen[:11] == [
            "Skip to content", "Expediter", "Orders", "Dead letters", "Mailbox", "Flow", "Workflow", "Audit",
            "Order again", "Customer’s page", "Revoke its links",  # noqa: RUF001  # as the page writes it
        ]  # fmt: skip
        assert "InitializeOrderTask" in seen
        await visitor.page.focus('a[href="#state-Hold"]')
        await visitor.page.keyboard.press("Enter")
        await expect(visitor.page.locator("#state-Hold")).to_be_focused()


async def weighed(request: Request) -> int:
    """Bytes that a request and its answer were."""
    sizes = await request.sizes()
    asked = sizes["requestHeadersSize"] + sizes["requestBodySize"]
    return asked + sizes["responseHeadersSize"] + sizes["responseBodySize"]


async def loaded(visitor: Visitor, address: str) -> int:
    """Bytes of a page loaded by a browser that has nothing of it."""
    context = await visitor.browser.new_context()
    page, requests = await context.new_page(), list[Request]()

    def finished(request: Request) -> None:
        requests.append(request)

    page.on("requestfinished", finished)
    await page.goto(address)
    await expect(page.locator("[data-link=live]").first).to_be_visible()
    weight = sum([await weighed(request) for request in requests])
    await context.close()
    return weight


async def test_a_page_of_a_hundred_orders_and_one_order_weigh_little(visitor: Visitor, tmp_path: Path) -> None:
    async with served(tmp_path, HOLD_SECONDS="0") as shop:
        ids = [await shop.place(name=f"Dish {number}") for number in range(110)]
        await shop.until(ids[-1], Status.SUCCESS)
        for path in ("/console", f"/console/orders/{ids[0]}"):
            assert await loaded(visitor, shop.url + path) <= 40 * KILOBYTE


async def test_many_updates_a_second_are_painted_once_a_frame(visitor: Visitor, tmp_path: Path) -> None:
    async with served(tmp_path) as shop:
        ids = [await shop.place() for _ in range(100)]
        await shop.until(ids[-1], Status.PAID)
        await visitor.visit(shop, "/console")
        await visitor.live()
        await visitor.page.evaluate(
            """() => { window.paints = 0; window.frames = 0;
               const count = () => { window.frames++; requestAnimationFrame(count); }; requestAnimationFrame(count);
               const changed = new Set();
               new MutationObserver(() => changed.add(window.frames) && (window.paints = changed.size))
                 .observe(document.getElementById("rows"), {childList: true, subtree: true, characterData: true}); }"""
        )
        orders = shop.home.read(lambda work: [work.orders.find(order_id) for order_id in ids])
        for version in range(100, 110):
            for order in orders:
                assert order
                shop.home.feed.publish(msgspec.structs.replace(order, version=version, restaurant_id=f"R{version}"))
            await asyncio.sleep(0.1)
        await expect(visitor.page.locator("#rows tr").first).to_contain_text("R109")
        paints, frames = await visitor.page.evaluate("[window.paints, window.frames]")
        print(f"1000 updates in a second: {paints} paints in {frames} frames")
        assert paints <= frames
        assert paints <= 20
