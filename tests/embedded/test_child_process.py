"""A child process gets no setting of the server, and does not outlive its use."""

import pytest

from expediter.embedded.child_process import running

pytestmark = pytest.mark.anyio


async def test_the_process_gets_no_setting_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPEDITER_TOKEN", "a secret")
    async with running("code") as process:
        said, _ = await process.communicate(b"import os; print(sorted(os.environ))\n")

    assert b"PATH" in said
    assert b"EXPEDITER" not in said


async def test_the_process_is_killed_at_the_end() -> None:
    async with running("code") as process:
        assert process.returncode is None

    assert process.returncode == -9
