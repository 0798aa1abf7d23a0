"""An id is taken once, by one order of one caller."""

import pytest

from expediter.app.ports import Claim
from expediter.domain.errors import IdempotencyKeyReused
from tests.ports.adapters import Adapters, undone
from tests.support.values import ID


def test_the_first_claim_takes_the_id_and_the_same_claim_finds_it_taken(adapters: Adapters) -> None:
    with adapters.unit() as work:
        assert work.claims.claim(Claim(ID, "one")) is True
    with adapters.unit() as work:
        assert work.claims.claim(Claim(ID, "one")) is False


def test_another_order_under_a_taken_id_is_refused_and_changes_nothing(adapters: Adapters) -> None:
    with adapters.unit() as work:
        work.claims.claim(Claim(ID, "one"))
    with adapters.unit() as work:
        with pytest.raises(IdempotencyKeyReused):
            work.claims.claim(Claim(ID, "other"))
        assert work.claims.claim(Claim(ID, "one")) is False


def test_what_a_unit_claimed_that_failed_is_free_again(adapters: Adapters) -> None:
    with undone(adapters) as work:
        work.claims.claim(Claim(ID, "one"))
    with adapters.unit() as work:
        assert work.claims.claim(Claim(ID, "other")) is True
