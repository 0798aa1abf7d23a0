"""A short campaign; ``make crash`` runs the long one, which kills at every point many times."""

import random
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.crash.audit import CHECKS, Evidence
from tests.crash.campaign import Campaign, Plan, campaign
from tests.crash.points import Point

#: One kill at each step on which an order or its money could be lost or doubled.
SHORT = Plan(
    at_commits=1,
    at_calls=1,
    at_random=1,
    while_starting=1,
    while_draining=1,
    orders=240,
    seconds=60,
    settling=30,
    commits=(
        Point("postOrder", "after"),
        Point("intake", "before"),
        Point("receive event", "after"),
        Point("event", "before"),
        Point("refundOrder", "after"),
        Point("event answered", "before"),
        Point("settle:ProcessPayment", "before"),
        Point("settle:RefundPayment", "after"),
        Point("resume", "after"),
    ),
    calls=(Point("call:charge", "after"), Point("call:restaurant", "after")),
)


class Ended(NamedTuple):
    seed: int
    campaign: Campaign
    found: Evidence


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    seed = random.randrange(2**32)
    with campaign(tmp_path_factory.mktemp("crash"), SHORT, seed) as running:
        yield Ended(seed, running, running.run())


def test_a_killed_server_loses_nothing_and_does_nothing_twice(ended: Ended) -> None:
    wrong = {sentence: problems for sentence, check in CHECKS.items() if (problems := list(check(ended.found)))}

    assert wrong == {}, f"seed {ended.seed}"


def test_the_server_was_killed_at_every_point_of_the_plan(ended: Ended) -> None:
    assert {str(point) for point in (*SHORT.commits, *SHORT.calls)} <= ended.campaign.hits.keys()
    assert any(re.match("while starting", what) for what in ended.campaign.hits)
    assert len(ended.found.placed) >= SHORT.orders
