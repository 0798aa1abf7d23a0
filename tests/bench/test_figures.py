"""What a run's figures are called, what is required of them, and how they are shown."""

import pytest

from bench.reporting import report
from bench.reporting.figures import REQUIRED, Results, Values, best_cell, ratios, verdict
from bench.reporting.report import verdicts


def run(**rows: Values) -> Results:
    named = {name.replace("__", "."): values for name, values in rows.items()}
    return Results("bench", "2026-01-02 03:04 UTC", {"processor": "2 cores"}, {"durability": "FULL"}, rows=named)


def met(results: Results) -> dict[str, bool | None]:
    return {one.required.title: one.met for one in verdicts(results)}


def test_ratios_are_taken_round_by_round() -> None:
    assert ratios([10.0, 30.0], [5.0, 10.0]) == [2.0, 3.0]


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    assert set(met(run()).values()) == {None}
    assert {word for one in verdicts(run()) if (word := report.word(one))} == set()


@pytest.mark.parametrize(("path", "met"), [(1_000.0, True), (290.0, False)])
def test_the_path_has_to_reach_its_share_of_the_floor(path: float, met: bool) -> None:
    results = run(floor=[1_000.0] * 3, path__64=[path] * 3)

    assert verdict(REQUIRED[0], results).met is met


def test_the_median_decides_not_the_best_round() -> None:
    results = run(floor=[1_000.0] * 3, path__64=[100.0, 200.0, 900.0])

    assert verdict(REQUIRED[0], results).met is False


def test_a_slow_bank_that_slows_by_more_than_a_tenth_is_found() -> None:
    slow = run(handovers=[1_000.0] * 3, handovers_slow=[880.0] * 3)
    fine = run(handovers=[1_000.0] * 3, handovers_slow=[950.0] * 3)

    assert met(slow)["c, the slow bank slows calls to the restaurant by"] is False
    assert met(fine)["c, the slow bank slows calls to the restaurant by"] is True


def test_each_peer_is_compared_at_its_best_cell() -> None:
    results = run(path__64=[1_000.0])
    results.peers["dbos"] = "DBOS"
    results.rows |= {"peer.dbos.run 1": [50.0], "peer.dbos.run 8": [125.0], "peer_cpu.dbos.run 1": [9_999.0]}

    assert best_cell(results, "dbos") == "peer.dbos.run 8"
    assert met(results)["b, 64 connections, of DBOS, 8 waiting clients"] is False


def test_the_report_names_every_figure_and_every_verdict() -> None:
    results = run(floor=[4_000.0, 5_000.0, 6_000.0], path__64=[2_000.0, 2_500.0, 3_100.0], p99__64=[0.5, 12.3, 40.0])
    results.missing.append("Restate is not installed")
    text = "\n".join(report.lines(results))

    assert "connections: 64" in text
    assert "2,500 (2,000 to 3,100) orders/s" in text
    assert "12.3 (0.5 to 40) ms" in text
    assert "0.5 (0.5 to 0.517) times" in text
    assert "met" in text
    assert "not measured: Restate is not installed" in text


def test_the_page_s_tables_say_machine_and_durability() -> None:
    page = report.markdown(run(floor=[4_000.0]))

    assert "in 1 round:\n\n- 2 cores\n- FULL\n" in page
    assert "| a. floor: the same statements by bare SQLite, 100 orders a commit | 4,000 | orders/s |" in page


def test_the_page_has_a_column_for_each_number_of_connections_and_each_cell_of_a_peer() -> None:
    results = run(path__8=[1_000.0], path__64=[2_000.0], p99__64=[12.0])
    results.peers["dbos"] = "DBOS"
    results.rows |= {"peer.dbos.run 8": [125.0], "peer_cpu.dbos.run 8": [9.0]}
    page = report.markdown(results)

    assert "| over so many connections | 8 | 64 |" in page
    assert "| b. accept to end over HTTP, orders/s | 1,000 | 2,000 |" in page
    assert "| answered in, 99th, ms |  | 12 |" in page
    assert "| DBOS, orders/s | 125 |" in page
    assert "| DBOS, processor time per order, ms | 9 |" in page


def test_a_peer_that_failed_is_left_out_with_what_it_said_and_the_others_stay() -> None:
    results = run(path__64=[1_000.0])
    results.peers |= {"restate": "Restate", "restate_24": "Restate 24"}
    results.rows |= {"peer.restate.run 8": [1.0], "peer_cpu.restate.run 8": [1.0], "peer.restate_24.run 8": [2.0]}

    results.without("restate", "Restate ended with 1")

    assert results.peers == {"restate_24": "Restate 24"}
    assert set(results.rows) == {"path.64", "peer.restate_24.run 8"}
    assert results.missing == ["Restate ended with 1"]
