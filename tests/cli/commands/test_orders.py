"""``expediter orders`` and ``dlq``: reads come from the file, writes go through the server."""

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from expediter.embedded.sqlite.database import open_writer
from tests.cli.conftest import Run, Server, Start, bury, plain_environment, serving


def placed(server: Server, typed: Run, order: dict[str, str]) -> str:
    """An order that the workflow has taken up, with a user of its own so that tests do not meet."""
    order_id = server.accept({"quantity": 2, "restaurant_id": "r", **order})
    while not typed("orders", "list", "--user", order["user_id"], "--status", "PAID", "--json", server=server).json[
        "items"
    ]:
        pass
    return order_id


def test_the_list_holds_what_was_accepted_newest_first_with_its_cursor(server: Server, typed: Run) -> None:
    first, second = (placed(server, typed, {"user_id": user}) for user in ("list-1", "list-2"))
    page = typed("orders", "list", "--limit", "1", "--user", "list-2", "--json", server=server).json

    assert [order["id"] for order in page["items"]] == [second]
    every = [order["id"] for order in typed("orders", "list", "--json", server=server).json["items"]]
    assert every.index(second) < every.index(first)


def test_people_get_a_table_with_whole_ids(server: Server, typed: Run) -> None:
    order_id = placed(server, typed, {"user_id": "table"})

    assert order_id in typed("orders", "list", "--user", "table", server=server).out


def test_an_order_is_shown_with_its_money_and_every_event_of_its_workflow(server: Server, typed: Run) -> None:
    order_id = placed(server, typed, {"user_id": "shown"})
    shown = typed("orders", "show", order_id, "--json", server=server).json

    assert shown["order"]["order_status"] == "PAID"
    assert [(entry["kind"], entry["amount"], entry["currency"]) for entry in shown["ledger"]] == [
        ("charge", 2000, "USD")
    ]
    assert [event["type"] for event in shown["timeline"]][:3] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
    ]


def test_people_see_the_tries_of_each_state_and_what_the_customer_sent_is_never_markup(
    server: Server, typed: Run
) -> None:
    order_id = placed(server, typed, {"user_id": "[red]shown[/red]"})
    shown = typed("orders", "show", order_id, server=server).out

    assert "[red]shown[/red]" in shown
    assert "LambdaFunctionScheduled  ProcessPayment   1" in shown


def test_people_read_amounts_with_the_decimals_of_the_currency(server: Server, typed: Run) -> None:
    order_id = placed(server, typed, {"user_id": "Kuwait", "currency": "KWD"})
    shown = typed("orders", "show", order_id, server=server).out

    assert "at 1.000 KWD" in shown
    assert shown.count("2.000 KWD") == 2  # the total and the charge
    assert "2.000 KWD" in typed("orders", "list", "--user", "Kuwait", server=server).out


def test_an_order_is_shown_with_its_mails(started: Start, typed: Run) -> None:
    server = started(HOLD_SECONDS="0")
    order = {"user_id": "u", "quantity": 1, "restaurant_id": "r", "email": "u@example.com"}
    order_id = server.accept(order)
    server.stop()
    (mail,) = typed("orders", "show", order_id, "--json", data=server.data).json["mails"]

    assert (mail["recipient"], mail["subject"]) == ("u@example.com", f"Orders-App: Update for order {order_id}")
    assert (mail["status"], mail["sent_at"]) == ("SUCCESS", None)
    assert "kept here: no mail server is set" in typed("orders", "show", order_id, data=server.data).out


def test_reading_needs_no_server(started: Start, typed: Run) -> None:
    server = started(HOLD_SECONDS="3600")
    order_id = server.accept()
    server.stop()

    assert order_id in typed("orders", "show", order_id, data=server.data).out
    assert typed("orders", "list", data=server.data).code == 0


def test_an_unknown_order_is_named_and_exits_with_1(server: Server, typed: Run) -> None:
    answer = typed("orders", "show", "nowhere", server=server)

    assert (answer.code, answer.err) == (1, "expediter: OrderNotFound: There is no order nowhere. Check the id.\n")


def test_a_folder_without_data_is_refused_with_what_to_do(tmp_path: Path, typed: Run) -> None:
    answer = typed("orders", "list", data=tmp_path)

    assert answer.code == 2
    assert "Start the server first: expediter serve" in answer.err


def test_an_unknown_status_is_refused_with_those_there_are(server: Server, typed: Run) -> None:
    answer = typed("orders", "list", "--status", "LOST", server=server)

    assert answer.code == 2
    assert "PENDING, PAID, SUCCESS" in answer.err


def test_cancelling_goes_through_the_server_and_says_what_became_of_it(server: Server, typed: Run) -> None:
    order_id = placed(server, typed, {"user_id": "cancel"})

    assert typed("orders", "cancel", order_id, server=server).out == f"{order_id} is REFUND_PENDING.\n"
    assert typed("orders", "cancel", order_id, "--json", server=server).json["order_status"] == "REFUND_PENDING"


def test_cancelling_what_is_not_there_exits_with_1(server: Server, typed: Run) -> None:
    answer = typed("orders", "cancel", "nowhere", server=server)

    assert (answer.code, answer.err.startswith("expediter: OrderNotFound")) == (1, True)


def test_without_a_server_a_write_says_so(typed: Run) -> None:
    answer = typed("orders", "cancel", "x", "--url", "http://127.0.0.1:9")

    assert answer.code == 2
    assert "No server answers at http://127.0.0.1:9" in answer.err


def test_dead_letters_are_listed_with_their_reasons_oldest_first(tmp_path: Path, typed: Run) -> None:
    bury(tmp_path, b"first", b"second")
    listed = typed("dlq", "list", "--json", data=tmp_path).json

    assert [(it["body"], it["reason"]) for it in listed["items"]] == [
        ("first", "OrderInvalid: first is none"),
        ("second", "OrderInvalid: second is none"),
    ]
    assert listed["count"] == 2
    assert "OrderInvalid: second is none" in typed("dlq", "list", data=tmp_path).out


def test_a_dead_letter_is_shown_with_its_body(tmp_path: Path, typed: Run) -> None:
    bury(tmp_path, b"the body")

    assert typed("dlq", "show", "1", "--json", data=tmp_path).json["body"] == "the body"
    assert typed("dlq", "show", "1", data=tmp_path).out.endswith("\nthe body\n")
    assert typed("dlq", "show", "2", data=tmp_path).code == 1


def test_one_dead_letter_is_redriven_or_purged_by_its_id(server: Server, typed: Run) -> None:
    assert typed("dlq", "redrive", "1", server=server).out == "1 redriven.\n"
    assert typed("dlq", "purge", "2", "--json", server=server).json == {"purged": 1}
    assert typed("dlq", "purge", "2", server=server).code == 1


def test_all_of_them_are_moved_only_when_that_is_said(tmp_path: Path, typed: Run) -> None:
    bury(tmp_path / "data", *[b"x"] * 1_003)
    with serving(tmp_path / "data") as running:
        assert typed("dlq", "purge", server=running).code == 2
        assert typed("dlq", "purge", "--all", server=running).out == "1003 purged.\n"
        assert typed("dlq", "redrive", "--all", "--json", server=running).json == {"redriven": 0}


def test_an_order_whose_history_is_no_longer_kept_says_so(started: Start, typed: Run) -> None:
    server = started(HOLD_SECONDS="0")
    order_id = server.accept()
    server.stop()
    with closing(open_writer(server.data / "expediter.db")) as connection:
        connection.execute("UPDATE execution SET history = ''")

    assert typed("orders", "show", order_id, "--json", data=server.data).json["pruned"] is True
    assert "were taken away" in typed("orders", "show", order_id, data=server.data).out


def test_a_terminal_without_the_letters_of_a_name_is_shown_the_rest(server: Server) -> None:
    server.accept({"user_id": "用户", "quantity": 1, "restaurant_id": "r"})
    environment = {**plain_environment(), "PYTHONIOENCODING": "ascii", "EXPEDITER_DATA": str(server.data)}
    command = [sys.executable, "-m", "expediter", "orders", "list"]
    people, programs = (
        subprocess.run([*command, *more], env=environment, capture_output=True, check=True).stdout
        for more in ((), ("--json",))
    )

    assert b"\\u7528\\u6237" in people
    assert "用户" in {order["user_id"] for order in json.loads(programs)["items"]}


def test_an_order_is_followed_event_by_event_until_it_has_ended(started: Start, typed: Run) -> None:
    server = started(HOLD_SECONDS="1")
    order_id = server.accept()
    followed = typed("orders", "follow", order_id, server=server)
    again = typed("orders", "follow", order_id, "--json", server=server)

    assert followed.code == 0
    assert followed.out.splitlines()[0].endswith("ExecutionStarted")
    assert followed.out.endswith(f"{order_id} is SUCCESS.\n")
    events = [json.loads(line) for line in again.out.splitlines()]
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert len(followed.out.splitlines()) == len(events) + 1


def test_following_an_order_that_does_not_succeed_exits_with_1(started: Start, typed: Run) -> None:
    server = started(HOLD_SECONDS="0", PAYMENTS="simulated:decline=1")

    assert typed("orders", "follow", server.accept(), server=server).code == 1
    assert typed("orders", "follow", "nowhere", server=server).code == 1
