"""When an order needs somebody to look after it."""

from expediter.domain.alert import ORDER_TIME, REFUND_TIME, Alert, alert_of, owed_since
from expediter.domain.order import Effect, EffectKind, Status
from tests.support.clock import NOON
from tests.support.values import an_order

HOLD = 30_000


def test_an_order_is_late_when_it_should_have_ended() -> None:
    for status in (Status.PENDING, Status.PAID, Status.REFUND_PENDING):
        order = an_order(status=status)
        assert alert_of(order, NOON + HOLD + ORDER_TIME - 1, HOLD) is None
        assert alert_of(order, NOON + HOLD + ORDER_TIME, HOLD) is Alert.ORDER_LATE


def test_an_ended_order_is_never_late() -> None:
    for status in (Status.SUCCESS, Status.FAILED, Status.CANCELLED):
        assert alert_of(an_order(status=status), NOON + 10 * ORDER_TIME, HOLD) is None


def test_a_refund_has_its_own_time_from_its_first_try_however_old_the_order_is() -> None:
    tried = NOON + 100 * ORDER_TIME
    order = an_order(status=Status.REFUND_PENDING, effects={EffectKind.REFUND: Effect(tried)})

    assert alert_of(order, tried + REFUND_TIME - 1, HOLD) is None
    assert alert_of(order, tried + REFUND_TIME, HOLD) is Alert.REFUND_LATE


def test_money_is_owed_from_when_the_customer_asked_or_it_was_first_tried_to_be_given_back() -> None:
    effects = {EffectKind.REFUND: Effect(NOON + 5)}
    owing = an_order(status=Status.REFUND_PENDING, updated_at=NOON + 4)

    assert owed_since(owing) == NOON + 4
    assert owed_since(an_order(status=Status.REFUND_PENDING, effects=effects, updated_at=NOON + 9)) == NOON + 5
    assert owed_since(an_order(effects=effects, cancel_requested_at=NOON + 3)) == NOON + 3
