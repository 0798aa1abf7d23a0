"""The way of an order, good and bad, with its money and the customer's mail at its end."""

from pathlib import Path

from expediter.domain.order import EffectKind
from expediter.embedded.clock import new_id
from tests.support.stage import DAY, HOUR, MINUTE, SECOND, Stage, opened, story
from tests.support.town import Act, Town

PAID = ["InitializeOrder", "ProcessPayment", "PaymentChoice", "Hold"]
SENT = [*PAID, "SendOrderToRestaurant"]
REFUNDED = ["OweRefund", "RefundPayment", "CancelFailedOrder"]
LOST = (Act.LOSE, Act.DROP, Act.GARBLE)


def nothing_kept(stage: Stage, town: Town, order_id: str) -> bool:
    return stage.held(order_id) == town.taken(order_id) == 0


@story
async def test_an_order_is_paid_held_handed_over_and_completed(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, **town.settings) as stage:
        order_id = await stage.place(email="guest@example.com")
        assert stage.status(order_id) == "PAID"
        assert "handover" not in town.calls(order_id)

        await stage.advance(30 * SECOND)

        assert stage.status(order_id) == "SUCCESS"
        assert stage.states(order_id) == [*SENT, "RestaurantChoice", "CompleteOrder"]
        assert stage.held(order_id) == town.taken(order_id) == 3000
        assert order_id in town.kitchen.cooking
        (mail,) = stage.mails(order_id)
        assert (mail.recipient, mail.subject) == ("guest@example.com", f"Orders-App: Update for order {order_id}")


@story
async def test_without_a_hold_the_restaurant_gets_the_order_at_once(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = await stage.place()

        assert stage.status(order_id) == "SUCCESS"


@story
async def test_the_hold_lasts_as_long_as_it_is_set_to(tmp_path: Path) -> None:
    async with opened(tmp_path, HOLD_SECONDS="90") as stage:
        order_id = await stage.place()
        await stage.advance(90 * SECOND - 1)
        assert stage.status(order_id) == "PAID"

        await stage.advance(1)

        assert stage.status(order_id) == "SUCCESS"


@story
async def test_a_declined_payment_ends_as_failed_with_the_banks_reason_and_no_refund(
    tmp_path: Path, town: Town
) -> None:
    async with opened(tmp_path, NOTIFY="ops@example.com", **town.settings) as stage:
        order_id = new_id()
        town.bank.script("charge", Act.REFUSE, order_id=order_id)
        await stage.place(order_id)

        order = stage.order(order_id)
        assert (order.status, order.error_message) == ("FAILED", "The card was declined.")
        assert stage.states(order_id) == ["InitializeOrder", "ProcessPayment", "PaymentChoice", "CancelFailedOrder"]
        assert town.calls(order_id) == ["charge"]
        assert [mail.status for mail in stage.mails(order_id)] == ["FAILED"]


@story
async def test_a_refusal_of_the_restaurant_gives_the_money_back(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", NOTIFY="ops@example.com", **town.settings) as stage:
        order_id = new_id()
        town.kitchen.script("handover", Act.REFUSE, order_id=order_id)
        await stage.place(order_id)

        order = stage.order(order_id)
        assert (order.status, order.error_message) == ("FAILED", "The restaurant is closed.")
        assert stage.states(order_id) == [*SENT, "RestaurantChoice", *REFUNDED]
        assert town.moves(order_id) == ["charge", "refund"]
        assert nothing_kept(stage, town, order_id)
        assert "The restaurant is closed." in stage.mails(order_id)[0].text


@story
async def test_a_charge_whose_answer_is_lost_is_asked_about_and_taken_once(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, **town.settings) as stage:
        for loss in LOST:
            order_id = new_id()
            town.bank.script("charge", loss, order_id=order_id)
            await stage.accept(order_id)
            order = await stage.to_the_end(order_id)

            assert order.status == "SUCCESS"
            assert town.calls(order_id)[:2] == ["charge", "lookup"]
            assert town.moves(order_id) == ["charge"]
            assert stage.held(order_id) == 3000


@story
async def test_a_bank_that_is_down_and_comes_back_charges_once(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, **town.settings) as stage:
        order_id = new_id()
        town.bank.script("charge", *[Act.FAIL] * 3, order_id=order_id)
        await stage.accept(order_id)

        assert (await stage.to_the_end(order_id)).status == "SUCCESS"
        assert town.moves(order_id) == ["charge"]


@story
async def test_a_payment_that_stays_unknown_is_given_back_whether_or_not_it_was_made(
    tmp_path: Path, town: Town
) -> None:
    for acts in ([Act.FAIL] * 9, [Act.LOSE] * 9):
        async with opened(tmp_path, **town.settings) as stage:
            order_id = new_id()
            town.bank.script("charge", *acts, order_id=order_id)
            town.bank.script("lookup", *[Act.FAIL] * 5, order_id=order_id)
            await stage.accept(order_id)
            order = await stage.to_the_end(order_id)

            assert (order.status, order.error_message) == ("FAILED", "The payment could not be confirmed.")
            assert stage.states(order_id) == ["InitializeOrder", "ProcessPayment", *REFUNDED]
            assert nothing_kept(stage, town, order_id)


@story
async def test_what_is_owed_is_shown_while_a_refund_fails_for_a_day_and_is_paid_after(
    tmp_path: Path, town: Town
) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", NOTIFY="ops@example.com", **town.settings) as stage:
        order_id = new_id()
        town.kitchen.script("handover", Act.REFUSE, order_id=order_id)
        town.bank.script("refund", *[Act.FAIL] * 20, order_id=order_id)
        await stage.place(order_id)
        await stage.pass_time(HOUR)
        assert stage.status(order_id) == "REFUND_PENDING"
        assert [mail.status for mail in stage.mails(order_id)] == ["REFUND_LATE"]
        assert stage.held(order_id) == 3000

        await stage.to_the_end(order_id, within=3 * DAY)

        assert stage.status(order_id) == "FAILED"
        assert town.calls(order_id).count("refund") == 21
        assert nothing_kept(stage, town, order_id)


@story
async def test_a_refund_done_but_never_heard_of_is_made_once(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = new_id()
        town.kitchen.script("handover", Act.REFUSE, order_id=order_id)
        town.bank.script("refund", *LOST, order_id=order_id)
        await stage.accept(order_id)
        await stage.to_the_end(order_id)

        assert town.moves(order_id) == ["charge", "refund"]
        assert nothing_kept(stage, town, order_id)


@story
async def test_a_restaurant_that_took_the_order_but_never_said_so_has_it_withdrawn_before_the_refund(
    tmp_path: Path, town: Town
) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = new_id()
        town.kitchen.script("handover", *[Act.LOSE] * 9, order_id=order_id)
        await stage.accept(order_id)
        order = await stage.to_the_end(order_id)

        assert (order.status, order.error_message) == ("FAILED", "The restaurant could not be reached.")
        assert order.effects[EffectKind.WITHDRAWAL].tried_at <= order.effects[EffectKind.REFUND].tried_at
        assert order_id not in town.kitchen.cooking
        assert nothing_kept(stage, town, order_id)


@story
async def test_a_restaurant_that_recovers_cooks_once(tmp_path: Path, town: Town) -> None:
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = new_id()
        town.kitchen.script("handover", Act.FAIL, Act.LOSE, Act.DROP, order_id=order_id)
        await stage.accept(order_id)
        order = await stage.to_the_end(order_id)

        assert order.status == "SUCCESS"
        assert order_id in town.kitchen.cooking
        assert town.calls(order_id).count("withdrawal") == 0


@story
async def test_a_refund_that_is_never_answered_ends_with_the_operator_and_stays_owed(
    tmp_path: Path, town: Town
) -> None:
    """Also when even the withdrawal failed: the money is tried all the same."""
    async with opened(tmp_path, HOLD_SECONDS="0", **town.settings) as stage:
        order_id = new_id()
        town.kitchen.script("handover", *[Act.FAIL] * 6, order_id=order_id)
        town.kitchen.script("withdrawal", *[Act.FAIL] * 4, order_id=order_id)
        town.bank.script("refund", *[Act.FAIL] * 30, order_id=order_id)
        await stage.place(order_id)
        await stage.pass_time(5 * MINUTE)

        assert stage.status(order_id) == "REFUND_PENDING"
        assert stage.states(order_id)[-2:] == ["OweRefund", "RefundPayment"]
        assert town.calls(order_id).count("refund") > 1
