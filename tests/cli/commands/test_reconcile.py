"""``expediter reconcile``: clean or the offenders, alone and against the provider's own records."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from demo.bank import Bank
from demo.serving import Patience, running
from tests.cli.conftest import Run, Server, Start


@pytest.fixture
def bank() -> Iterator[str]:
    with running(Bank()) as url:
        yield url


def paid(typed: Run, server: Server, order_id: str) -> None:
    """Waits until the order is charged."""
    while not any(
        order["id"] == order_id and order["order_status"] == "PAID"
        for order in typed("orders", "list", "--json", server=server).json["items"]
    ):
        pass


def test_orders_and_ledger_that_agree_are_clean_and_exit_0(server: Server, typed: Run) -> None:
    paid(typed, server, server.accept())
    answer = typed("reconcile", "--json", server=server)

    assert (answer.code, answer.json["clean"]) == (0, True)
    assert answer.json["currencies"][0]["held"] == answer.json["currencies"][0]["expected"]
    assert "Clean: every cent is accounted for in our ledger." in typed("reconcile", server=server).out


def test_the_bank_s_own_records_agree_with_ours(bank: str, started: Start, typed: Run) -> None:
    server = started(PAYMENTS=bank, HOLD_SECONDS="3600")
    paid(typed, server, server.accept())
    answer = typed("reconcile", "--against", bank, server=server)

    assert answer.code == 0
    assert f"our ledger and the records of {bank}" in answer.out


def test_a_charge_that_the_bank_does_not_know_is_an_offender(bank: str, server: Server, typed: Run) -> None:
    order_id = server.accept()
    paid(typed, server, order_id)
    answer = typed("reconcile", "--against", bank, "--json", server=server)

    assert answer.code == 1
    problems = {offender["order_id"]: offender["problem"] for offender in answer.json["offenders"]}
    assert problems[order_id] == f"we have charge {order_id}/charge, the provider does not"
    assert "the provider does not" in typed("reconcile", "--against", bank, server=server).out


class Plain:
    """A provider that knows charges by key, and offers no list of them."""

    def __init__(self, known: bool) -> None:
        self.patience = Patience()
        self._known = known
        self.app = Starlette(routes=[Route("/charges/{key:path}", self._get)])

    async def _get(self, _: Request) -> JSONResponse:
        if self._known:
            return JSONResponse({"status": "ok", "charge_id": "c"})
        return JSONResponse({"status": "error", "error_message": "never seen"}, 404)

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("known", "code"), [(True, 0), (False, 1)])
def test_a_provider_without_a_list_is_asked_about_each_charge(
    server: Server, typed: Run, known: bool, code: int
) -> None:
    paid(typed, server, server.accept())
    with running(Plain(known)) as url:
        assert typed("reconcile", "--against", url, server=server).code == code


def test_a_provider_that_cannot_be_reached_is_no_verdict(server: Server, typed: Run) -> None:
    answer = typed("reconcile", "--against", "http://127.0.0.1:9", server=server)

    assert answer.code == 2
    assert "cannot be read from http://127.0.0.1:9" in answer.err


def test_a_day_is_taken_only_for_stripe(server: Server, typed: Run) -> None:
    answer = typed("reconcile", "--since", "2026-11-01", "--against", "http://127.0.0.1:9", server=server)

    assert (answer.code, "--since goes with --against stripe" in answer.err) == (2, True)


def test_stripe_is_asked_only_where_it_is_the_payment_provider(server: Server, typed: Run) -> None:
    answer = typed("reconcile", "--against", "stripe", server=server)

    assert answer.code == 2
    assert "needs EXPEDITER_PAYMENTS=stripe and EXPEDITER_STRIPE_KEY" in answer.err


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"PAYMENTS_TOKEN": "ours"}, 0),
        ({"PAYMENTS_TOKEN": "another"}, 2),
        ({}, 2),
        ({"PAYMENTS": "stripe", "STRIPE_KEY": "sk_test_1", "PAYMENTS_TOKEN": "ours"}, 2),
    ],
)
def test_the_provider_is_asked_with_its_token_and_never_with_stripe_s_key(
    started: Start, typed: Run, settings: dict[str, str], told: int
) -> None:
    bank = Bank(token="ours")
    with running(bank) as url:
        server = started()
        assert typed("reconcile", "--against", url, server=server, **settings).code == told
