"""The profile groups what it saw by layer: the innermost frame that a layer names."""

from pathlib import Path

import pytest

from bench.profile import LAYERS, OTHER, layer, shares

OURS = "/somewhere/src/expediter"


@pytest.mark.parametrize(
    ("frames", "name"),
    [
        ((f"{OURS}/embedded/sqlite/database.py:row", f"{OURS}/app/tasks/order.py:perform"), "SQLite"),
        ((f"{OURS}/asl/machine.py:advance", f"{OURS}/embedded/engine/workflows.py:_drive"), "states language"),
        (("/python3.11/uuid.py:__init__", f"{OURS}/domain/order.py:moved"), "tasks"),
        (("/site-packages/uvicorn/server.py:on_tick",), "HTTP"),
        (("/python3.11/asyncio/runners.py:run", f"{OURS}/cli/server.py:run"), "asyncio"),
        (("/elsewhere/thing.py:do",), OTHER),
    ],
)
def test_a_sample_belongs_to_the_innermost_frame_that_a_layer_names(frames: tuple[str, ...], name: str) -> None:
    assert layer(frames) == name


def test_shares_are_parts_of_all_samples() -> None:
    asl, other = (f"{OURS}/asl/run.py:end",), ("/elsewhere/thing.py:do",)

    assert shares([(asl, 3), (other, 1)]) == {"states language": 0.75, OTHER: 0.25}


def test_every_layer_names_files_that_are_there() -> None:
    root = Path(__file__).parents[2] / "src"
    files = [str(file) for file in root.rglob("*.py")]
    ours = {part for parts in LAYERS.values() for part in parts if part.startswith(("/embedded", "/app", "/expediter"))}

    assert [part for part in ours if not any(part in file for file in files)] == []
