"""The demo: baskets as orders, and a small play from the first order to the last mail."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from demo import audit
from demo.baskets import PANEL, Basket, PanelMissing, baskets, items
from demo.play import CANCEL_EACH, TWICE_EACH, Played, camel, play
from demo.processes import DidNotStart, Trouble, running, stage
from expediter.app.drafts import Draft, convert, order_of, terms_of
from expediter.app.ports import OrderSettings
from expediter.domain.order import Order, Status


def basket(number: int) -> Basket:
    order = {
        "user_id": f"household-{number}",
        "restaurant_id": "store-1",
        "items": [{"name": "SALAD", "quantity": 1, "unit_price": 250 + number}],
        "currency": "USD",
        "email": f"household-{number}@example.com",
    }
    return Basket(number / 10, f"00000000-0000-0000-0000-{number:012}", order)


def test_a_line_keeps_every_cent_and_is_one_piece_where_its_cents_cannot_be_shared() -> None:
    assert items([("BAGEL", 3, 1.50), ("SOUP", 3, 1.00)]) == [
        {"name": "BAGEL", "quantity": 3, "unit_price": 50},
        {"name": "SOUP", "quantity": 1, "unit_price": 100},
    ]


@pytest.mark.parametrize("line", [("WEIGHED", 51, 9.0), ("RETURNED", 0, 1.0), ("FREE", 1, 0.0), ("BACK", 1, -2.0)])
def test_lines_that_are_no_sale_of_pieces_are_left_out(line: tuple[str, int, float]) -> None:
    assert items([line]) == []


def test_an_order_never_has_more_lines_than_are_allowed() -> None:
    assert len(items([("BAGEL", 1, 0.5)] * 101)) == 100


def test_without_the_panel_the_demo_says_what_fetches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.baskets.PANEL", f"{PANEL}_that_is_not_there")
    with pytest.raises(PanelMissing, match="make demo"):
        baskets(1)


def test_a_basket_is_an_order_that_both_apis_take() -> None:
    order = basket(1).order

    assert order_of(convert(order, Draft), "id", 0, terms_of(OrderSettings())).total == 251
    assert camel(order)["items"] == [{"name": "SALAD", "quantity": 1, "unitPrice": 251}]
    assert camel(order)["userId"] == "household-1"


def test_a_process_that_does_not_start_is_shown_with_what_it_said(tmp_path: Path) -> None:
    with (
        pytest.raises(DidNotStart, match=r"No module named demo\.nothing"),
        running(["-m", "demo.nothing"], {}, tmp_path / "log"),
    ):
        raise AssertionError("it started")


@pytest.mark.heavy
def test_a_play_through_both_apis_adds_up(tmp_path: Path) -> None:
    orders = [basket(number) for number in range(2 * CANCEL_EACH)]
    with stage(tmp_path, 1, Trouble(decline=0.2, fail=0, lose=0, slow=0, pend=0)) as on:
        played = asyncio.run(play(on.server, orders, 0.2, lambda: None))
        in_time = asyncio.run(audit.ended(on, len(orders), lambda _: None))
        found = audit.summary(on, played)

    assert (in_time, found.wrong) == (True, [])
    assert (len(played.rest), len(played.graphql), len(played.twice)) == (40, 40, 80 // TWICE_EACH)
    assert sum(found.statuses.values()) == len(orders)
    assert found.mails == found.sent == found.recorded == found.distinct == 2 * len(orders)
    assert found.statuses[Status.CANCELLED] == len(played.cancelled) > 0


# ── what the reckoning finds ──────────────────────────────────────────────────────────────────────────────────────


def ended(number: int, status: Status = Status.SUCCESS) -> Order:
    draft = convert(basket(number).order, Draft)
    return msgspec.structs.replace(order_of(draft, basket(number).key, 0, terms_of(OrderSettings())), status=status)


def test_an_accepted_order_that_is_missing_or_waits_is_found() -> None:
    played = Played(rest=[basket(1).key, basket(2).key])

    assert list(audit.lost([ended(1), ended(2)], played)) == []
    assert list(audit.lost([ended(1)], played)) == ["1 accepted orders are missing, 0 are too many"]
    assert list(audit.lost([ended(1), ended(2, Status.PAID)], played)) == ["1 orders have not ended"]


def test_a_cancel_in_time_that_was_forgotten_is_found() -> None:
    played = Played(rest=[basket(1).key], cancelled=[basket(1).key])

    assert list(audit.lost([ended(1)], played)) == [f"order {basket(1).key} was cancelled in time and is SUCCESS"]


def test_a_second_charge_under_another_key_is_found() -> None:
    records = [{"order_id": "o", "kind": "charge", "key": key} for key in ("o/charge", "o/charge/2")]

    assert list(audit.charged_twice(records[:1])) == []
    assert list(audit.charged_twice(records)) == ["order o has 2 movements of kind charge at the bank"]


def test_an_order_that_is_cooked_without_success_is_found() -> None:
    handover = {"kind": "handover", "order_id": basket(1).key}
    withdrawal = {"kind": "withdrawal", "order_id": basket(1).key}

    assert list(audit.kitchen([ended(1)], audit.cooked([handover]))) == []
    assert list(audit.kitchen([ended(1)], audit.cooked([handover, withdrawal]))) == [
        "1 successes are not cooked, 0 others are"
    ]


def test_a_mail_that_is_missing_is_found() -> None:
    assert list(audit.mailed([ended(1)], {("a", "1"), ("b", "1")})) == []
    assert list(audit.mailed([ended(1)], {("a", "1")})) == ["2 different mails should have arrived, 1 did"]
