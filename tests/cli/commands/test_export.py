"""``expediter export``: a file is whole or it is not there, and what stood under its name is not lost for nothing."""

from pathlib import Path

from tests.cli.commands.test_erase import ADA, wait_for
from tests.cli.conftest import Run, Server, Start


def test_a_refused_export_leaves_the_file_of_an_earlier_one_alone(server: Server, typed: Run, tmp_path: Path) -> None:
    server.accept(ADA)
    file = tmp_path / "orders.jsonl"
    file.write_text("an earlier export")
    refused = typed("export", str(file), server=server)

    assert (refused.code, file.read_text()) == (1, "an earlier export")
    assert "Orders under way: " in refused.err
    assert [path.name for path in tmp_path.glob("orders*")] == ["orders.jsonl"]


def test_an_export_replaces_an_earlier_one_and_says_how_many_orders_it_has(
    started: Start, typed: Run, tmp_path: Path
) -> None:
    server = started(HOLD_SECONDS="0")
    order_id = server.accept(ADA)
    wait_for(server, 1)
    file = tmp_path / "orders.jsonl"
    file.write_text("an earlier export")
    shown = typed("export", str(file), "--json", server=server)

    assert shown.json == {"file": str(file), "orders": 1}
    assert file.stat().st_mode & 0o777 == 0o600  # names and addresses stand in it
    assert order_id in file.read_text()
    assert len(file.read_text().splitlines()) == 1
