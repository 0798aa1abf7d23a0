"""``expediter mails``: what was sent, and sending it once more."""

from tests.cli.conftest import Run, Server, Start

ORDER = {"user_id": "u", "quantity": 1, "restaurant_id": "r", "email": "ann@example.com"}


def ended(server: Server, typed: Run) -> str:
    order_id = server.accept(ORDER)
    assert typed("orders", "follow", order_id, server=server).code == 0
    return order_id


def test_mails_are_listed_and_shown_with_their_text(started: Start, typed: Run) -> None:
    server = started(HOLD_SECONDS="0")
    assert typed("mails", "list", server=server).out == "No mails.\n"
    order_id = ended(server, typed)

    assert "ann@example.com" in typed("mails", "list", server=server).out
    shown = typed("mails", "show", order_id, server=server).out
    assert f"Orders-App: Update for order {order_id}" in shown
    assert "Your order is paid" in shown
    assert typed("mails", "show", "nowhere", server=server).code == 1


def test_mails_that_were_not_sent_are_sent_again(started: Start, typed: Run) -> None:
    server = started(HOLD_SECONDS="0", SMTP_URL="smtp://127.0.0.1:9")
    order_id = ended(server, typed)

    assert typed("mails", "resend", order_id, server=server).out == f"1 mail of the order {order_id} sent once more.\n"
    assert typed("mails", "resend", order_id, "--to", "ann@example.com", "--json", server=server).json == {"resent": 1}
    assert typed("mails", "resend", order_id, "--to", "bob@example.com", server=server).code == 1


def test_one_address_cannot_be_chosen_of_a_stack(typed: Run) -> None:
    assert "--to is for a server" in typed("mails", "resend", "x", "--to", "a@b.example", "--stack", "s").err
