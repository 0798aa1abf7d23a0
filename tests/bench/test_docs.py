"""The pages show the runs that docs/measured keeps, and the newest run is taken when asked to."""

from pathlib import Path

import msgspec
import pytest

from bench import docs
from bench.reporting.figures import Results


def run(kind: str, **rows: list[float]) -> Results:
    named = {name.replace("__", "."): values for name, values in rows.items()}
    return Results(kind, "2026-01-02 03:04 UTC", {"processor": "2 cores"}, {}, rows=named)


def test_the_pages_are_as_the_kept_runs_have_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert docs.main(["--check"]) == 0, capsys.readouterr().out


def test_every_page_names_parts_that_are_known() -> None:
    named = [found[2] for page in docs.PAGES for found in docs._PART.finditer(page.read_text())]

    assert set(named) == {"summary", "bench", "hold", "stored", "layers"}
    assert set(named) <= docs.PARTS.keys()


def test_the_newest_run_of_each_kind_is_taken(tmp_path: Path) -> None:
    for name in ("bench-2026-01-02", "bench-2026-01-10", "hold-2026-01-01"):
        (tmp_path / f"{name}.json").write_text(name)

    docs.take(tmp_path, tmp_path / "kept")

    assert (tmp_path / "kept/bench.json").read_text() == "bench-2026-01-10"
    assert (tmp_path / "kept/hold.json").read_text() == "hold-2026-01-01"
    assert not (tmp_path / "kept/stored.json").exists()


def test_a_part_is_written_between_its_marks_and_nothing_else_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = run("profile", layer__SQLite=[30.0], layer__HTTP=[60.0], layers=[100.0])
    (tmp_path / "profile.json").write_bytes(msgspec.json.encode(kept))
    monkeypatch.setattr(docs, "MEASURED", tmp_path)

    page = docs.written("before\n<!-- measured: layers -->\nold\n<!-- end -->\nafter\n")

    assert page.startswith("before\n<!-- measured: layers -->\n\nMeasured 2026-01-02")
    assert page.endswith("| HTTP | 60 | 60 % |\n| SQLite | 30 | 30 % |\n| all | 100 |  |\n\n<!-- end -->\nafter\n")


def test_the_summary_names_every_peer_s_best_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = run("bench", floor=[10_000.0], path__64=[5_000.0], open_p50=[2.0], open_p99=[9.0])
    kept.peers["dbos"] = "DBOS"
    kept.rows["peer.dbos.run 8"] = [100.0]
    (tmp_path / "bench.json").write_bytes(msgspec.json.encode(kept))
    (tmp_path / "hold.json").write_bytes(msgspec.json.encode(run("hold", hold_memory=[178.0])))
    monkeypatch.setattr(docs, "MEASURED", tmp_path)

    assert "5,000 orders a second" in docs.summary()
    assert "50 times DBOS (8 waiting clients)" in docs.summary()
    assert "**9 ms**" in docs.summary()
    assert "**178 MB**" in docs.summary()
