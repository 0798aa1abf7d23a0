"""``expediter audit``: acts on the command line stand in it, and it is read without a server."""

import getpass

from tests.cli.conftest import Run, Server


def test_what_the_command_line_does_stands_in_the_audit_under_the_account_that_did_it(
    server: Server, typed: Run
) -> None:
    order_id = server.accept()
    assert typed("orders", "cancel", order_id, server=server).code == 0
    server.stop()
    found = typed("audit", "--limit", "1", "--json", data=server.data).json["items"]

    assert [(it["who"], it["kind"], it["subject"], it["via"]) for it in found] == [
        (getpass.getuser(), "cancelled it", order_id, "CLI")
    ]
    assert found[0]["address"] == "127.0.0.1"
    assert "cancelled it" in typed("audit", data=server.data).out


def test_an_audit_of_nothing_says_so_and_one_of_no_data_how_to_begin(server: Server, typed: Run) -> None:
    assert typed("audit", "--cursor", "1", server=server).out == "Nothing yet.\n"
    assert typed("audit", data=server.data / "nowhere").code == 2
