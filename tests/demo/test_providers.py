"""The demo's providers keep the promises that the design asks of real ones, over restarts and as processes."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import msgspec
import pytest

from demo.bank import Bank
from demo.behaviour import Act, Behaviour, Shares
from demo.restaurant import Restaurant
from demo.serving import running
from expediter.app.operator.reconcile import Movement

ROOT = Path(__file__).parents[2]
CHARGE = {"order_id": "o1", "amount": 850, "currency": "USD"}
REFUND = {**CHARGE, "charge_key": "o1/charge", "charge_id": None}


def ask(method: str, url: str, key: str = "", body: object = None) -> tuple[int, Any]:
    """(status, JSON) of one blocking call."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Idempotency-Key": key} if key else {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.loads(response.read())
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def records(url: str) -> list[Movement]:
    return msgspec.convert(ask("GET", f"{url}/records")[1]["items"], list[Movement])


@pytest.fixture(scope="module")
def standing() -> Iterator[tuple[Bank, str]]:
    bank = Bank()
    with running(bank) as url:
        yield bank, url


@pytest.fixture
def bank(standing: tuple[Bank, str]) -> Bank:
    standing[0].forget()
    return standing[0]


@pytest.fixture
def url(bank: Bank, standing: tuple[Bank, str]) -> str:
    return standing[1]


# ── the bank ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_charge_under_one_key_happens_once_and_is_answered_the_same_way(url: str) -> None:
    said = (200, {"status": "ok", "charge_id": "ch_o1/charge"})

    assert ask("POST", f"{url}/charges", "o1/charge", CHARGE) == said
    assert ask("POST", f"{url}/charges", "o1/charge", CHARGE) == said

    assert records(url) == [Movement("o1/charge", "charge", "o1", 850, "USD")]


@pytest.mark.parametrize("path", ["o1%2Fcharge", "o1/charge"])
def test_a_charge_is_found_by_its_key_quoted_or_not(url: str, path: str) -> None:
    ask("POST", f"{url}/charges", "o1/charge", CHARGE)

    assert ask("GET", f"{url}/charges/{path}") == (200, {"status": "ok", "charge_id": "ch_o1/charge"})


def test_a_key_never_seen_is_not_found(url: str) -> None:
    assert ask("GET", f"{url}/charges/o9%2Fcharge")[0] == 404


def test_a_key_that_stands_for_something_else_is_refused(url: str) -> None:
    ask("POST", f"{url}/charges", "o1/charge", CHARGE)

    assert ask("POST", f"{url}/charges", "o1/charge", {**CHARGE, "amount": 851})[0] == 422


@pytest.mark.parametrize("body", [{}, {**CHARGE, "amount": "850"}, {**CHARGE, "email": "customer@example.com"}])
def test_a_charge_without_key_or_with_another_body_is_refused(url: str, body: object) -> None:
    assert ask("POST", f"{url}/charges", "", CHARGE)[0] == 400
    assert ask("POST", f"{url}/charges", "o1/charge", body)[0] == 400
    assert records(url) == []


def test_a_decline_moves_no_money_and_is_remembered(bank: Bank, url: str) -> None:
    bank.script("charge", Act.REFUSE)
    declined = {"status": "error", "error_message": "The card was declined."}

    assert ask("POST", f"{url}/charges", "o1/charge", CHARGE) == (402, declined)
    assert ask("GET", f"{url}/charges/o1%2Fcharge") == (200, declined)
    assert records(url) == []


def test_a_failure_before_anything_is_done_leaves_no_trace(bank: Bank, url: str) -> None:
    bank.script("charge", Act.FAIL)

    assert ask("POST", f"{url}/charges", "o1/charge", CHARGE)[0] == 500
    assert ask("GET", f"{url}/charges/o1%2Fcharge")[0] == 404


def test_never_more_is_given_back_than_was_charged_whatever_the_keys(url: str) -> None:
    ask("POST", f"{url}/charges", "o1/charge", CHARGE)

    statuses = [ask("POST", f"{url}/refunds", key, REFUND)[0] for key in ("o1/refund", "o1/refund", "another")]

    assert statuses == [200, 200, 409]
    assert [(it.kind, it.amount) for it in records(url)] == [("charge", 850), ("refund", 850)]


def test_the_books_have_refunds_in_part_those_of_the_banks_own_pages_and_disputes(bank: Bank, url: str) -> None:
    ask("POST", f"{url}/charges", "o1/charge", CHARGE)
    ask("POST", f"{url}/refunds", "o1/refund/r1", {**REFUND, "amount": 100})
    bank.give_back("o1", 200)
    bank.fail_refund("o1")
    bank.dispute("o1", 750)
    bank.dispute("o1", 1)
    bank.win_dispute("o1")

    said = ask("GET", f"{url}/refunds?charge_key=o1%2Fcharge", "", None)[1]

    assert [(it["key"], it["amount"], it["status"]) for it in said["refunds"]] == [
        ("o1/refund/r1", 100, "ok"),
        (None, 200, "failed"),
    ]
    assert [(it["amount"], it["status"]) for it in said["disputes"]] == [(750, "won")]


def test_a_refund_of_nothing_is_ok_and_fences_the_charges_key(url: str) -> None:
    assert ask("POST", f"{url}/refunds", "o1/refund", REFUND)[0] == 200

    assert ask("POST", f"{url}/charges", "o1/charge", CHARGE)[0] == 402
    assert ask("GET", f"{url}/charges/o1%2Fcharge")[1]["status"] == "error"
    assert records(url) == []


def test_a_script_is_for_one_order_or_for_any(bank: Bank, url: str) -> None:
    bank.script("charge", Act.FAIL, order_id="o2")

    assert ask("POST", f"{url}/charges", "o1/charge", CHARGE)[0] == 200
    assert ask("POST", f"{url}/charges", "o2/charge", {**CHARGE, "order_id": "o2"})[0] == 500
    assert ask("POST", f"{url}/charges", "o2/charge", {**CHARGE, "order_id": "o2"})[0] == 200


def test_a_bank_that_starts_again_remembers_what_it_did(tmp_path: Path) -> None:
    file = tmp_path / "bank.jsonl"
    first = Bank(file)
    with running(first) as url:
        ask("POST", f"{url}/charges", "o1/charge", CHARGE)
        ask("POST", f"{url}/refunds", "o1/refund", REFUND)
        before = records(url)

    with file.open("ab") as torn:
        torn.write(b'{"call":"charge","key":"o2/ch')
    with running(Bank(file)) as url:
        assert records(url) == before
        ask("POST", f"{url}/refunds", "another", REFUND)
        assert records(url) == before
    with running(Bank(file)) as url:
        assert records(url) == before


# ── the restaurant ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_order_withdrawn_before_it_came_is_not_taken_even_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "restaurant.jsonl"
    slip: dict[str, object] = dict.fromkeys(("user_id", "restaurant_id", "currency", "created_at"), "")
    slip |= {"id": "o1", "name": None, "quantity": 1, "total": 1, "items": []}
    with running(Restaurant(file)) as url:
        assert ask("DELETE", f"{url}/orders/o1", "o1/withdrawal")[0] == 404

    restaurant = Restaurant(file)
    with running(restaurant) as url:
        assert ask("POST", f"{url}/orders", "o1/restaurant", slip)[0] == 409
        assert restaurant.cooking == set()
        assert ask("POST", f"{url}/orders", "o2/restaurant", {**slip, "id": "o2"})[0] == 200
        assert ask("GET", f"{url}/records")[1]["items"] == [
            {"kind": "handover", "key": "o2/restaurant", "order_id": "o2"}
        ]


# ── chance ────────────────────────────────────────────────────────────────────────────────────────────────────────


def acts(shares: Shares, keys: int = 1000) -> list[Act]:
    behaviour = Behaviour(shares)
    return [behaviour.next("charge", f"o{number}/charge")[1] for number in range(keys)]


def test_bad_luck_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    bad = Shares(decline=0.1, fail=0.1, lose=0.1, slow=0.1)

    assert acts(bad) == acts(bad)
    assert acts(bad) != acts(msgspec.structs.replace(bad, seed=1))


def test_shares_are_kept() -> None:
    happened = acts(Shares(decline=0.1, fail=0.2, lose=0.2, slow=0.1, pend=0.1))

    assert 140 < happened.count(Act.FAIL) < 260
    assert 20 < happened.count(Act.DROP) < 90
    assert 30 < happened.count(Act.REFUSE) < 100
    assert 20 < happened.count(Act.PEND) < 100
    assert set(happened) == set(Act) - {Act.BUSY}  # only a script makes a provider busy


def test_a_try_that_fails_may_succeed_the_next_time() -> None:
    behaviour = Behaviour(Shares(fail=0.5))
    assert len({behaviour.next("charge", "o1/charge")[1] for _ in range(50)}) == 2


# ── processes ─────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def process(module: str, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The URL in the first line that the process prints."""
    command = [sys.executable, "-m", f"demo.{module}", "--port", "0", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as running_one:
        try:
            assert running_one.stdout is not None
            yield running_one.stdout.readline().strip().removeprefix("listening on "), running_one
        finally:
            running_one.terminate()


def test_a_killed_bank_has_written_down_what_it_answered(tmp_path: Path) -> None:
    file = tmp_path / "bank.jsonl"
    with process("bank", "--record", str(file)) as (url, bank):
        assert ask("POST", f"{url}/charges", "o1/charge", CHARGE)[0] == 200
        bank.kill()

    with closing(Bank(file)) as bank_again:
        assert [record.key for record in bank_again.movements] == ["o1/charge"]


@pytest.mark.parametrize(("module", "scheme"), [("restaurant", "http"), ("mailserver", "smtp")])
def test_a_process_prints_where_it_listens_and_ends_at_a_signal(module: str, scheme: str) -> None:
    with process(module) as (url, one):
        assert url.startswith(f"{scheme}://127.0.0.1:")
        one.terminate()
        assert one.wait(10) in (0, -15)
