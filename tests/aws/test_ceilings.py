"""What DynamoDB's limits allow, by the simulation whose result the documentation shows."""

import json
from typing import Any

import pytest

from scripts.simulate_dynamodb import RESULT, WANTED, Ceiling, completed, simulate, written


@pytest.fixture(scope="module")
def found() -> Any:
    return simulate()


def test_the_documentation_shows_what_the_simulation_finds(found: Any) -> None:
    assert json.loads(RESULT.read_text(encoding="utf-8")) == found


def test_ten_thousand_orders_a_second_meet_no_hot_key_whatever_becomes_of_them(found: Any) -> None:
    ways = [Ceiling(**it) for it in found["patterns"][:3]]
    assert [one.pattern.split()[0] for one in ways] == ["orders"] * 3
    assert all(one.ceiling >= WANTED == 10_000 for one in ways), ways


def test_one_key_for_all_orders_of_a_status_would_be_hot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("expediter.aws.stores.items.SHARDS", 1)
    assert written("orders", completed, 50).ceiling <= 500
