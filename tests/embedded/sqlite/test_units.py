"""A unit of work that takes long yields to the event loop in its middle. It is one unit all the same."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from expediter.embedded import time_slices
from expediter.embedded.sqlite import units
from tests.embedded.sqlite.test_writer import Bench, writing
from tests.embedded.sqlite.test_writer_sharing import until
from tests.support.stage import story


@pytest.fixture(autouse=True)
def no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pause yields to the loop."""
    for module in (units, time_slices):
        monkeypatch.setattr(module, "TIME_SLICE", 0.0)


def in_steps(bench: Bench, name: str, steps: int, note: Callable[[str], None]) -> Callable[[], None]:
    """A unit that writes a line in each step, and may be interrupted before it."""

    def unit() -> None:
        for step in range(steps):
            bench.writer.budget.pause()
            note(f"{name}{step}")
            bench.session.execute("INSERT INTO line VALUES (?)", (f"{name}{step}",))

    return unit


@story
async def test_the_loop_goes_on_in_the_middle_of_a_unit(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        noted: list[str] = []

        def note(what: str) -> None:
            noted.append(what)
            asyncio.get_running_loop().call_soon(noted.append, "the loop")

        await bench.writer.run("a", in_steps(bench, "a", 3, note))

        assert noted[:6] == ["a0", "the loop", "a1", "the loop", "a2", "the loop"]
        assert bench.stored() == ["a0", "a1", "a2"]
        assert bench.log.batches == [["a"]]


@story
async def test_a_task_that_waits_for_what_comes_in_meanwhile_goes_on_before_the_unit(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        noted: list[str] = []
        came = asyncio.Event()

        async def wait() -> None:
            await came.wait()
            noted.append("the task")

        def note(what: str) -> None:
            noted.append(what)
            asyncio.get_running_loop().call_later(0, came.set)

        waiting = asyncio.create_task(wait())
        await bench.writer.run("a", in_steps(bench, "a", 2, note))
        await waiting

        assert noted == ["a0", "the task", "a1"]


@story
async def test_the_loop_goes_on_between_the_end_of_a_unit_that_takes_long_and_the_statements_of_its_batch(
    tmp_path: Path,
) -> None:
    async with writing(tmp_path) as bench:

        def unit() -> None:
            bench.writer.budget.pause()
            asyncio.get_running_loop().call_soon(bench.log.lines.append, "the loop")

        await bench.writer.run("a", unit)

        assert bench.log.lines.index("the loop") < bench.log.lines.index("before commit")


@story
async def test_what_is_submitted_meanwhile_does_not_belong_to_the_unit(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        done: list[str] = []

        def note(what: str) -> None:
            if what == "a0":
                asyncio.get_running_loop().call_soon(other)

        def other() -> None:
            bench.writer.submit("b", bench.insert("b"), lambda _, error: done.append("b"))
            with pytest.raises(RuntimeError, match="inside a unit"):
                bench.writer.after(lambda: None)

        await bench.writer.run("a", in_steps(bench, "a", 3, note))
        await until(lambda: bool(done))

        assert bench.log.batches == [["a"], ["b"]]
        assert bench.stored() == ["a0", "a1", "a2", "b"]


@story
async def test_what_a_unit_puts_off_after_its_pauses_happens_once_it_is_durable(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        seen: list[list[str]] = []

        def unit() -> None:
            bench.stage("a")()
            bench.writer.budget.pause()
            bench.writer.after(lambda: seen.append(bench.stored()))

        await bench.writer.run("a", unit)
        assert seen == [["a"]]


@story
async def test_a_unit_that_fails_after_its_pauses_is_undone_alone(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:

        def fails() -> None:
            in_steps(bench, "lost", 2, lambda _: None)()
            bench.writer.budget.pause()
            raise LookupError

        lost = bench.writer.run("lost", fails)
        kept = bench.writer.run("kept", in_steps(bench, "kept", 2, lambda _: None))
        with pytest.raises(LookupError):
            await lost
        await kept
        assert bench.stored() == ["kept0", "kept1"]


@story
async def test_a_unit_that_runs_ahead_is_undone_by_its_first_pause_and_runs_again_after_the_commit(
    tmp_path: Path,
) -> None:
    async with writing(tmp_path) as bench:
        bench.disk.clear()
        first = bench.writer.run("first", bench.stage("first"))
        await until(lambda: "before commit" in bench.log.lines)
        noted: list[str] = []

        def unit() -> None:
            noted.append("begun")
            bench.writer.budget._until = 0.0 if len(noted) == 1 else bench.writer.budget._until
            bench.stage("second")()
            bench.writer.budget.pause()
            noted.append("over")

        bench.writer.budget._left = 60.0
        second = bench.writer.run("second", unit)
        assert noted == ["begun"]
        bench.disk.set()
        await asyncio.gather(first, second)
        assert noted == ["begun", "begun", "over"]
        assert bench.stored() == ["first", "second"]


@story
async def test_outside_of_units_a_pause_does_nothing(tmp_path: Path) -> None:
    async with writing(tmp_path) as bench:
        bench.writer.budget.pause()
        await bench.writer.run("a", bench.insert("a"))
        bench.writer.budget.pause()
