"""In which commit a request is that comes over a connection."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from expediter.embedded.settings import from_environment
from expediter.embedded.web.app import create_app
from expediter.embedded.wiring import open_home
from tests.embedded.web.conftest import environment
from tests.embedded.web.wire import ORDER, connected, running, until

pytestmark = pytest.mark.anyio


class Commits:
    """The writer's observer: the units of each commit. What is told to happen does so when ``first`` is committed: when
    its COMMIT begins, and in the loop's next round, before the writer goes on.
    """

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.when_it_begins: Callable[[], object] = list
        self.when_it_is_over: Callable[[], object] = list

    def before_commit(self, names: list[str]) -> None:
        self.batches.append(names)
        if "first" in names:
            self.when_it_begins()

    def after_commit(self, names: list[str]) -> None:
        if "first" in names:
            asyncio.get_running_loop().call_soon(self.when_it_is_over)


async def test_requests_that_are_read_before_the_writer_begins_are_in_its_commit(tmp_path: Path) -> None:
    commits = Commits()
    async with open_home(from_environment(environment(tmp_path, {})), observer=commits) as home:
        app = create_app(home)
        async with running(app) as server, connected(server.port) as one, connected(server.port) as other:
            await until(lambda: len(server.connections) == 2)
            commits.when_it_begins = lambda: home._writer.submit("second", lambda: None, lambda _, __: None)
            commits.when_it_is_over = lambda: [it.data_received(ORDER) for it in server.connections._open]  # type: ignore[attr-defined]
            await home.write(lambda _: None, "first")

            assert await one.hears() + await other.hears() == [204, 204]
    (batch,) = [batch for batch in commits.batches if "second" in batch]
    assert batch.count("postOrder") == 2
