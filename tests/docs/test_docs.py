"""The documentation says what the code does: generated parts are fresh, examples run, links lead somewhere."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Route

from demo.bank import Bank
from demo.restaurant import Restaurant
from expediter.console.trial import tried
from tests.cli.conftest import Server, serving

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
_SHELL = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)]*)?\)")


def shell(page: str) -> list[str]:
    """What a page has you type against a running server."""
    return _SHELL.findall((ROOT / page).read_text())


def asked(expression: str) -> list[str]:
    """A list that scripts/generate_docs.py knows; it sets up its terminal, so it runs by itself."""
    code = f"import json; from scripts.generate_docs import *; print(json.dumps(list({expression})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("docs"), HOLD_SECONDS="3600") as running:
        yield running


def typed(server: Server, script: str) -> str:
    """What the script prints, typed literally but for the port and where ``expediter`` is."""
    port = server.url.rpartition(":")[2]
    literal = script.replace("localhost:8080", f"localhost:{port}").replace(
        ".venv/bin/expediter", f"{sys.executable} -m expediter"
    )
    environment = {**os.environ, "EXPEDITER_PORT": port, "EXPEDITER_DATA": str(server.data)}
    done = subprocess.run(
        ["bash", "-euc", literal], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_generated_parts_are_as_the_code_has_them_now() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/generate_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_every_command_is_documented() -> None:
    page = (ROOT / "docs/reference/cli.md").read_text()
    commands = [" ".join(words) for words in asked("commands()")]

    assert "expediter orders cancel" in commands
    assert [command for command in commands if f"## `{command}`" not in page] == []


def test_every_setting_that_is_read_is_documented() -> None:
    page = (ROOT / "docs/reference/settings.md").read_text()
    named = {
        name
        for file in (ROOT / "src").rglob("*.py")
        for name in re.findall(r"EXPEDITER_[A-Z_]*[A-Z]", file.read_text())
    }
    read = set(asked("defaults()"))

    assert "EXPEDITER_HOLD_SECONDS" in read
    assert {name for name in read | named if f"`{name}`" not in page} == set()


def test_every_setting_says_what_its_change_does_to_orders_under_way() -> None:
    _, _, part = (ROOT / "docs/reference/settings.md").read_text().partition("## Orders under way")
    told = re.findall(r"^\| `(EXPEDITER_\w+)` \| (none|the orders|changed|frozen)", part, re.MULTILINE)

    assert {name for name, _ in told} == set(asked("defaults()"))


def test_every_link_to_a_file_leads_to_one() -> None:
    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target, _ in _LINK.findall(page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]

    assert dead == []


def test_the_readme_s_first_orders_work_as_they_are_typed(server: Server) -> None:
    rest, graphql, look = (typed(server, script) for script in shell("README.md"))

    assert rest.startswith("HTTP/1.1 204")
    assert json.loads(graphql)["data"]["postOrder"]["orderStatus"] == "PENDING"
    assert json.loads(graphql)["data"]["postOrder"]["id"] in look
    assert "Clean: every cent is accounted for" in look


def test_the_tutorial_works_as_it_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scripts = shell("docs/tutorial.md")
    *steps, reconcile = scripts
    with serving(tmp_path / "data", HOLD_SECONDS="15") as killed:
        place, look, show, change, refused, follow, mail, cancel, kill = [typed(killed, script) for script in steps]
    assert killed.process.returncode == -signal.SIGKILL
    with serving(tmp_path / "data", HOLD_SECONDS="15") as restarted:
        again = typed(restarted, scripts[0])
        assert "Clean" in typed(restarted, reconcile)

    assert place.startswith("HTTP/1.1 204")
    assert json.loads(look)["total"] == 1950
    assert "ProcessPayment" in show
    assert change.startswith("HTTP/1.1 204")
    assert json.loads(refused)["error"] == "OrderAlreadyCharged"
    assert follow.endswith(" is SUCCESS.\n")
    assert len(mail.splitlines()) < 30
    assert "Your order is paid and with the restaurant." in mail
    assert "REFUND_PENDING" in cancel or "CANCELLED" in cancel
    assert kill.startswith("HTTP/1.1 204")
    assert "idempotent-replayed: true" in again.lower()


def test_the_page_on_testing_a_workflow_works_as_it_is_typed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = ROOT / "docs/how-to/test-a-workflow.md"
    for name in ("src", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))

    tried, state, cases = (typed(server, script) for script in shell(str(page)))
    (example,) = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, check=False)

    assert "order.asl.json: 0 errors, 0 warnings" in tried
    assert "SUCCEEDED after" in tried
    assert (tmp_path / "order.svg").read_text().startswith("<svg")
    assert json.loads(state)["status"] == "RETRIABLE"
    assert "5 of 5 cases agree" in cases
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == 5
    assert (done.returncode, done.stderr) == (0, "")
    assert (page.with_suffix("") / "mocks.json").read_text() in page.read_text()


def test_try_a_definition_takes_the_files_of_that_page() -> None:
    page = ROOT / "docs/how-to/test-a-workflow"
    files = {"definition": ROOT / "src/expediter/contracts/order.asl.json", "input": page / "input.json"}
    form = {name: file.read_text() for name, file in (*files.items(), ("mocks", page / "mocks.json"))}
    trial = tried({**form, "act": "run"})

    assert trial.problem == ""
    assert trial.run is not None
    assert trial.run.status == "SUCCEEDED"


def test_every_call_that_a_gateway_answers_is_on_the_page_about_gateways() -> None:
    page = (ROOT / "docs/how-to/gateways.md").read_text()
    answered = {f"{{payments}}{_path(route)}" for route in Bank().app.routes if isinstance(route, Route)}
    answered |= {f"{{restaurant}}{_path(route)}" for route in Restaurant().app.routes if isinstance(route, Route)}

    assert "{payments}/charges/{key}" in answered
    for_the_demo = {"{restaurant}/records"}
    assert {route for route in answered - for_the_demo if f"{route}`" not in page} == set()


def _path(route: Route) -> str:
    return route.path.replace(":path}", "}")


def test_the_workflow_that_waits_for_the_kitchen_works_as_it_is_typed(tmp_path: Path) -> None:
    page = "docs/how-to/wait-for-a-task-token.md"
    file = ROOT / "docs/how-to/wait-for-a-task-token/kitchen.asl.json"
    with serving(tmp_path / "data", WORKFLOW=str(file)) as waiting:
        (script,) = shell(page)
        assert "0 errors, 0 warnings" in typed(waiting, f".venv/bin/expediter workflow validate {file}")
        heartbeat, success, order = typed(waiting, script).replace("\r\n\r\n", "\n\n").split("\n\n")

    shown = json.loads((ROOT / page).read_text().split("```json\n")[1].split("```")[0].join("{}"))
    assert json.loads(file.read_text())["States"]["AskTheKitchen"] == shown["AskTheKitchen"]
    assert (heartbeat[:12], success[:12]) == ("HTTP/1.1 204", "HTTP/1.1 204")
    assert json.loads(order)["order_status"] == "SUCCESS"
