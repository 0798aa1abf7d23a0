"""Executions are named by order ids, and none is started twice."""

import msgspec

from expediter.app.drafts import Draft, convert, order_of, terms_of
from expediter.app.intake import document
from expediter.app.ports import Claim, Work
from expediter.asl.protocol import Json
from tests.ports.adapters import Adapters, undone
from tests.support.clock import NOON
from tests.support.stage import BURGERS
from tests.support.values import ID, SETTINGS

INPUT: Json = {"order": document(order_of(convert(BURGERS, Draft), ID, NOON, terms_of(SETTINGS))), "hold_seconds": 30}


def start(work: Work, now: int = NOON) -> bool:
    work.claims.claim(Claim(ID, "one"))
    return work.workflows.start(ID, INPUT, now)


def test_an_execution_of_a_name_is_started_once(adapters: Adapters) -> None:
    with adapters.unit() as work:
        assert start(work) is True
        before = work.workflows.history(ID)
    with adapters.unit() as work:
        assert start(work, NOON + 1) is False
        assert work.workflows.history(ID) == before


def test_the_history_begins_with_the_start_and_its_input(adapters: Adapters) -> None:
    with adapters.unit() as work:
        start(work)
        first, second, *_ = work.workflows.history(ID) or []

    stored = msgspec.json.decode(msgspec.json.encode(INPUT))
    assert (first["type"], first["details"]["input"]) == ("ExecutionStarted", stored)
    assert (second["type"], second["details"]["name"]) == ("TaskStateEntered", "InitializeOrder")


def test_what_was_never_started_has_no_history(adapters: Adapters) -> None:
    with adapters.unit() as work:
        assert work.workflows.history(ID) is None


def test_a_start_in_a_unit_that_fails_never_happened(adapters: Adapters) -> None:
    with undone(adapters) as work:
        start(work)
    with adapters.unit() as work:
        assert work.workflows.history(ID) is None
        assert start(work) is True
