"""nginx in front of a server of ours, set up as docs/how-to/proxy.md says."""

import asyncio
import re
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[4] / "docs" / "how-to" / "proxy.md"
_MAIN = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr crit;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {more}
{guide}
}}
"""


def nginx() -> str:
    """The program; the test is skipped where there is none."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin") or pytest.skip("there is no nginx here")


@asynccontextmanager
async def proxied(folder: Path, port: int, more: str = "") -> AsyncIterator[int]:
    """The port of an nginx that passes everything on to our ``port``. ``more``: further directives."""
    program, free = nginx(), _free_port()
    block = re.search(r"```nginx\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert block
    guide = block[1].replace("127.0.0.1:8080", f"127.0.0.1:{port}").replace("listen 80", f"listen 127.0.0.1:{free}")
    settings = folder / "nginx.conf"
    settings.write_text(_MAIN.format(folder=folder, guide=guide, more=more))
    process = subprocess.Popen([program, "-p", folder, "-c", settings, "-e", "stderr"])  # noqa: ASYNC220  # returns at once
    try:
        await _listens(free)
        yield free
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


async def _listens(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            with suppress(ConnectionError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)
